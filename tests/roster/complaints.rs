//! What a person reads about a recipients file that is wrong: one promise for each line of what bad input gets.

use crate::common::{codes, options, told};
use demarche::domain::audience::Audience;
use demarche::roster::{self, Options};

fn lenient() -> Options {
    Options { audience: Audience::Any, ..options() }
}

#[test]
fn a_file_without_anything_to_read_says_what_belongs_into_it() {
    insta::assert_snapshot!(told("", &lenient()), @r#"
    error[file-empty]: recipients.csv is empty
    --> recipients.csv
     = help: the first line has the headers, such as state,to,language; then one row a mission
    "#);
    insta::assert_snapshot!(told("state,to\n\n,\n", &lenient()), @r#"
    error[file-header-only]: recipients.csv has a header and no rows
     --> recipients.csv:1:1
      |
    1 | state,to
      | ^^^^^^^^
      |
      = help: add one row a mission below the header
    "#);
}

#[test]
fn a_file_without_a_column_of_addresses_suggests_the_likely_one() {
    insta::assert_snapshot!(told("state,Mail adress\nKenya,a@m.example\n", &lenient()), @r#"
    error[column-to-missing]: there is no column "to"
     --> recipients.csv:1:1
      |
    1 | state,Mail adress
      | ^^^^^^^^^^^^^^^^^
      |
      = help: is it "Mail adress"? Then say so in the config: recipients.columns = { to = "Mail adress" }
    "#);
    insta::assert_snapshot!(told("state,who\nKenya,a@m.example\n", &lenient()), @r#"
    error[column-to-missing]: there is no column "to"
     --> recipients.csv:1:1
      |
    1 | state,who
      | ^^^^^^^^^
      |
      = help: name the column of addresses "to"; the headers are "state" and "who"
    "#);
}

#[test]
fn a_ragged_row_says_what_it_has_and_should_have() {
    insta::assert_snapshot!(told("state,to,name\nKenya,a@m.example\nMalta,b@m.example,x,y\n", &lenient()), @r#"
    error[row-ragged]: this row has 2 cells, the header has 3
     --> recipients.csv:2:18
      |
    2 | Kenya,a@m.example
      |                  ^
      |
      = help: fill up the row with separators, or look for a missing quote before

    error[row-ragged]: this row has 4 cells, the header has 3
     --> recipients.csv:3:21
      |
    3 | Malta,b@m.example,x,y
      |                     ^
      |
      = help: put a cell that holds the separator into quotes
    "#);
}

#[test]
fn a_quote_that_closes_in_a_later_row_is_suspected_where_the_row_begins() {
    let text = "state,to,name\nKenya,\"a@m.example,K\nMalta,\"b@m.example,x,y\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    error[row-ragged]: this row has 4 cells, the header has 3
     --> recipients.csv:2:1
      |
    2 | Kenya,"a@m.example,K
      | ^^^^^^^^^^^^^^^^^^^^
      |
      = help: it runs to line 3: look in it for a quote that is missing or one too many
    "#);
}

#[test]
fn a_header_with_control_characters_is_refused() {
    assert_eq!(codes("state,to,x\u{1b}y\nKenya,a@b.int,\n", &lenient()), ["control-character"]);
}

#[test]
fn a_quote_that_never_closes_is_shown_where_it_opens() {
    insta::assert_snapshot!(told("state,to,name\nKenya,a@m.example,\"K\nMalta,b(at)m.example,x\n", &lenient()), @r#"
    error[quote-unclosed]: this quote opens a cell and never closes
     --> recipients.csv:2:19
      |
    2 | Kenya,a@m.example,"K
      |                   ^
      |
      = help: close it with another ", or write """ where the text begins with a quote

    error[address-invalid]: "b(at)m.example" is not an e-mail address
     --> recipients.csv:3:7
      |
    3 | Malta,b(at)m.example,x
      |       ^^^^^^^^^^^^^^
      |
      = help: write b@m.example
    "#);
}

#[test]
fn doubled_and_blank_headers_are_named() {
    insta::assert_snapshot!(told("state,to,Name,,name\nKenya,a@m.example,,x,\n", &lenient()), @r#"
    error[header-blank]: column 4 has no header
     --> recipients.csv:1:15
      |
    1 | state,to,Name,,name
      |               ^
      |
      = help: give it a name, or take the column out

    error[header-doubled]: columns 3 and 5 have the same header "name"
     --> recipients.csv:1:16
      |
    1 | state,to,Name,,name
      |                ^^^^
      |
      = help: rename one of them, or take it out
    "#);
}

#[test]
fn a_header_that_several_columns_could_be_is_asked_about() {
    insta::assert_snapshot!(told("Pays,E-mail,Courriel\nKenya,a@m.example,b@m.example\n", &lenient()), @r#"
    note[columns-taken]: columns were known by their headers: "Pays" as state
    --> recipients.csv
     = help: recipients.columns in the config says otherwise where that is wrong

    error[header-ambiguous]: "E-mail" and "Courriel" could each be the column to
     --> recipients.csv:1:13
      |
    1 | Pays,E-mail,Courriel
      |             ^^^^^^^^
      |
      = help: say which in the config, under [recipients]: columns = { to = "E-mail" }
    "#);
}

#[test]
fn empty_columns_without_a_header_are_passed_over() {
    assert_eq!(codes("state,to,,\nKenya,a@b.int,,\nMalta,c@d.int,, \n", &lenient()), [""; 0]);
}

#[test]
fn a_title_is_asked_about_with_the_lines_that_settle_it() {
    let text = "Pays,Courriel,Titre\nKenya,a@b.int,S.E. M.\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    note[columns-taken]: columns were known by their headers: "Pays" as state, "Courriel" as to
    --> recipients.csv
     = help: recipients.columns in the config says otherwise where that is wrong

    error[header-ambiguous]: "Titre" could be an honorific or the rank
     --> recipients.csv:1:15
      |
    1 | Pays,Courriel,Titre
      |               ^^^^^
      |
      = help: say which in the config, under [recipients]:
              columns = { honorific = "Titre" }
              for "H.E. Mr." and the like, or
              columns = { rank = "Titre" }
              for "Permanent Representative" and the like
    "#);
    let settled = |ours: &str| Options { columns: [(ours.to_owned(), "Titre".to_owned())].into(), ..lenient() };
    let roster = roster::read(text.as_bytes(), &settled("honorific"));
    assert_eq!(roster.rows[0].recipient.columns["honorific"], "S.E. M.");
    assert!(codes(text, &settled("rank")).contains(&"rank-unknown"), "it is read as a rank then");
    assert!(!codes("Pays,Courriel,Fonction,Titre\nKenya,a@b.int,PR,S.E.\n", &lenient()).contains(&"header-ambiguous"));
}

#[test]
fn titles_above_the_header_are_passed_over_and_told() {
    let text = "Permanent missions,\nas of September,\nstate,to\nKenya,a@b.int\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    note[above-header]: lines 1 and 2 stand above the header and were passed over: "Permanent missions" and "as of September"
    --> recipients.csv
    "#);
    assert_eq!(roster::read(text.as_bytes(), &lenient()).rows[0].recipient.line, 4);
    let found = told("Malta;x@b.int\nstate;to\nKenya;a@b.int\n", &lenient());
    assert!(found.starts_with("warning[above-header]"), "an address is never passed over quietly: {found}");
}

#[test]
fn a_missing_address_is_shown_at_its_cell() {
    insta::assert_snapshot!(told("state,to\nKenya,\n", &lenient()), @r#"
    error[address-missing]: there is no address in this row
     --> recipients.csv:2:7
      |
    2 | Kenya,
      |       ^
      |
      = help: write it into the column "to", or take the row out of the file
    "#);
}

#[test]
fn a_name_with_a_comma_is_shown_in_quotes() {
    insta::assert_snapshot!(told("state;to\nKenya;Bob, Jr <a@m.example>\n", &lenient()), @r#"
    error[address-invalid]: "Bob, Jr <a@m.example>" is not an e-mail address
     --> recipients.csv:2:7
      |
    2 | Kenya;Bob, Jr <a@m.example>
      |       ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: put the name in quotes: "Bob, Jr" <a@m.example> (in a text editor the cell is """Bob, Jr"" <a@m.example>")
    "#);
}

#[test]
fn the_quoted_form_that_is_suggested_is_read() {
    let text = "state,to\nKenya,\"\"\"Bob, Jr\"\" <a@m.example>\"\n";
    let roster = roster::read(text.as_bytes(), &lenient());
    assert_eq!(roster.rows[0].recipient.to[0].display_name(), Some("Bob, Jr"));
}

#[test]
fn an_address_smuggled_in_behind_a_line_break_is_refused() {
    insta::assert_snapshot!(told("state,to\nOman,\"om@m.example\nBcc: evil@m.example\"\n", &lenient()), @r#"
    error[address-invalid]: "Bcc: evil@m.example" is a header line, not an e-mail address
     --> recipients.csv:3:1
      |
    3 | Bcc: evil@m.example"
      | ^^^^^^^^^^^^^^^^^^^
      |
      = help: take the line out; copies go into the columns "cc" and "bcc"
    "#);
}

#[test]
fn control_characters_are_refused_and_made_visible() {
    let text = "state,to,name,note\nKenya,a@m.example,A\u{1b}[2J,\nMalta,b@m.example,\"A\nB\",x\0\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    error[control-character]: there is a control character (\u{1b}) in this cell
     --> recipients.csv:2:20
      |
    2 | Kenya,a@m.example,A\u{1b}[2J,
      |                    ^^^^^^
      |
      = help: take it out: type the text anew, by hand

    error[control-character]: there is a line break (\u{a}) in this cell
     --> recipients.csv:3:21
      |
    3 | Malta,b@m.example,"A
      |                     ^
      |
      = help: write it in one line

    error[control-character]: there is a control character (\u{0}) in this cell
     --> recipients.csv:4:5
      |
    4 | B",x\u{0}
      |     ^^^^^
      |
      = help: take it out: type the text anew, by hand
    "#);
}

#[test]
fn letters_of_several_scripts_and_full_width_ones_are_pointed_out() {
    insta::assert_snapshot!(told("state,to\nKenya,p\u{430}ris@m.example\nMalta,b@ｍ.example\n", &lenient()), @r#"
    warning[address-mixed-scripts]: letters of several scripts stand in "pаris@m.example"
     --> recipients.csv:2:7
      |
    2 | Kenya,pаris@m.example
      |       ^^^^^^^^^^^^^^^
      |
      = help: does a letter only look like another? Type the address anew, by hand

    warning[address-full-width]: the domain is written in full-width characters; m.example is meant
     --> recipients.csv:3:7
      |
    3 | Malta,b@ｍ.example
      |       ^^^^^^^^^^^^
    "#);
}

#[test]
fn an_address_for_two_rows_names_all_lines_and_twice_in_a_row_is_an_error() {
    let text = "id,to,cc\na,X@m.example,\nb,x@M.example,\nc,x@m.example,\nd,y@m.example,Y@m.example\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    warning[address-shared]: x@m.example stands in 3 rows: lines 2, 3 and 4
     --> recipients.csv:3:3
      |
    3 | b,x@M.example,
      |   ^^^^^^^^^^^
      |
      = help: it gets a letter for each of them

    error[address-doubled]: Y@m.example stands twice in this row
     --> recipients.csv:5:15
      |
    5 | d,y@m.example,Y@m.example
      |               ^^^^^^^^^^^
      |
      = help: one letter goes to each address: take one out
    "#);
}

#[test]
fn an_id_twice_is_an_error_naming_both_lines() {
    insta::assert_snapshot!(told("id,to\nosg,a@m.example\nOSG,b@m.example\nno id,c@m.example\n", &lenient()), @r#"
    error[id-doubled]: the id "OSG" stands on lines 2 and 3
     --> recipients.csv:3:1
      |
    3 | OSG,b@m.example
      | ^^^
      |
      = help: every row needs an id of its own, upper and lower case aside

    error[id-invalid]: "no id" is not an id: use 1 to 64 letters, digits, ".", "_" or "-", not beginning with a dot
     --> recipients.csv:4:1
      |
    4 | no id,c@m.example
      | ^^^^^
    "#);
    insta::assert_snapshot!(told("state,id,to\n,,a@m.example\n", &lenient()), @r#"
    error[id-missing]: this row has neither a state nor an id
     --> recipients.csv:2:2
      |
    2 | ,,a@m.example
      |  ^
      |
      = help: fill in the state, or give the row a name of its own in a column "id", such as "osg"
    "#);
}

#[test]
fn a_suppressed_address_is_said_and_not_written_to() {
    let options = Options { suppressed: vec!["a@m.example".into(), "c@m.example".into()], ..lenient() };
    let text = "state,to,cc\nKenya,A@m.example,\nMalta,b@m.example,c@m.example\n";
    insta::assert_snapshot!(told(text, &options), @r#"
    note[suppressed]: nothing is sent to this row: A@m.example is in the list of suppressed addresses
     --> recipients.csv:2:7
      |
    2 | Kenya,A@m.example,
      |       ^^^^^^^^^^^

    note[suppressed]: left out of this letter, since suppressed: c@m.example
     --> recipients.csv:3:19
      |
    3 | Malta,b@m.example,c@m.example
      |                   ^^^^^^^^^^^
    "#);
    let roster = roster::read(text.as_bytes(), &options);
    assert!(
        roster.rows[0]
            .suppressed
            .as_deref()
            .is_some_and(|why| why.contains("a@m.example") || why.contains("A@m.example"))
    );
    assert_eq!((roster.rows[1].suppressed.as_deref(), roster.rows[1].recipient.cc.len()), (None, 0));
}

#[test]
fn a_suppressed_domain_keeps_every_address_of_it_from_getting_a_letter() {
    let options = Options { suppressed: vec!["@m.example".into()], ..lenient() };
    let roster = roster::read(
        b"state,to,cc\nKenya,A@M.example,\nMalta,b@n.example,c@m.example\nPeru,p@x.m.example,\n",
        &options,
    );
    let suppressed: Vec<bool> = roster.rows.iter().map(|row| row.suppressed.is_some()).collect();
    assert_eq!(suppressed, [true, false, false]);
    assert!(roster.rows[1].recipient.cc.is_empty());
}

#[test]
fn words_for_nothing_in_the_copies_are_nothing() {
    let roster = roster::read(b"state,to,cc,bcc\nKenya,ke@b.int,n/a,-\n", &lenient());
    assert_eq!((roster.rows[0].recipient.cc.len(), roster.diagnostics), (0, vec![]));
}

#[test]
fn a_state_that_is_not_clear_gets_the_candidates() {
    insta::assert_snapshot!(told("state,to\nCongo,a@m.example\nKennya,b@m.example\nQqqq,c@m.example\n", &lenient()), @r#"
    error[state-ambiguous]: "Congo" could be several states
     --> recipients.csv:2:1
      |
    2 | Congo,a@m.example
      | ^^^^^
      |
      = help: write "Republic of the Congo" (COG) or "Democratic Republic of the Congo" (COD)

    error[state-unknown]: "Kennya" is no state that the tables know
     --> recipients.csv:3:1
      |
    3 | Kennya,b@m.example
      | ^^^^^^
      |
      = help: write "Kenya" (KEN)

    error[state-unknown]: "Qqqq" is no state that the tables know
     --> recipients.csv:4:1
      |
    4 | Qqqq,c@m.example
      | ^^^^
      |
      = help: write its English name or its ISO code; a row for nobody's mission has an empty state and an id
    "#);
}

#[test]
fn missing_doubled_and_foreign_states_are_listed() {
    let options = Options { audience: Audience::SecurityCouncil(2021), ..options() };
    let text = "state,to,id\nKenya,a@m.example,\nKenya,b@m.example,ken-2\nMalta,c@m.example,\n,d@m.example,osg\n";
    insta::assert_snapshot!(told(text, &options), @r#"
    warning[states-missing]: 14 of the 15 states of "security-council-2021" have no row: China, Estonia, France, India, Ireland, Mexico, Niger, Norway, Russian Federation, Saint Vincent and the Grenadines and 4 more
    --> recipients.csv
     = help: add them, or set recipients.audience to whom the campaign means to reach

    warning[states-foreign]: 1 row is for a state outside "security-council-2021": MLT (line 4)
    --> recipients.csv
     = help: they are written to like the others; take them out if that is not meant

    warning[state-doubled]: Kenya has two rows: lines 2 and 3
     --> recipients.csv:3:1
      |
    3 | Kenya,b@m.example,ken-2
      | ^^^^^
      |
      = help: both are written to; take one out if that is not meant
    "#);
    let coverage = roster::read(text.as_bytes(), &options).coverage;
    assert_eq!((coverage.expected, coverage.present, coverage.missing.len()), (15, 1, 14));
    assert_eq!((coverage.doubled[0].as_str(), coverage.foreign[0].as_str()), ("KEN", "MLT"));
}

#[test]
fn two_rows_of_a_state_with_the_same_id_are_one_error() {
    let found = codes("state,to\nKenya,a@m.example\nKENYA,b@m.example\n", &options());
    assert_eq!(found.iter().filter(|code| **code == "id-doubled" || **code == "state-doubled").count(), 1);
}

#[test]
fn a_column_that_slipped_by_a_row_is_noticed() {
    let text = "state,to,id\nKenya,pm@fr.example,\nMalta,a@m.example,KEN\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    warning[row-shift]: the row is for Kenya, the domain "fr.example" is of France
     --> recipients.csv:2:7
      |
    2 | Kenya,pm@fr.example,
      |       ^^^^^^^^^^^^^
      |
      = help: has a column slipped by a row?

    error[id-doubled]: the id "KEN" stands on lines 2 and 3
     --> recipients.csv:3:19
      |
    3 | Malta,a@m.example,KEN
      |                   ^^^
      |
      = help: every row needs an id of its own, upper and lower case aside

    warning[row-shift]: the row is for Malta, its id is that of Kenya
     --> recipients.csv:3:19
      |
    3 | Malta,a@m.example,KEN
      |                   ^^^
      |
      = help: has a column slipped by a row?
    "#);
    assert_eq!(
        codes("Country,ISO,to\nCongo,CG,a@m.example\nMali,ML,b@m.example\n", &lenient()),
        ["columns-taken", "placeholders"]
    );
}

#[test]
fn what_is_no_rank_gender_date_or_language_gets_the_list_of_those_there_are() {
    let text = "state,to,rank,gender,verified_on,language\nKenya,a@m.example,Deputy,x,1/2/2021,fr\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    error[rank-unknown]: "Deputy" is no rank that is known
     --> recipients.csv:2:19
      |
    2 | Kenya,a@m.example,Deputy,x,1/2/2021,fr
      |                   ^^^^^^
      |
      = help: write one of permanent-representative, charge-d-affaires, permanent-observer, vacant, or leave it empty

    error[gender-unknown]: "x" is not "female" or "male"
     --> recipients.csv:2:26
      |
    2 | Kenya,a@m.example,Deputy,x,1/2/2021,fr
      |                          ^
      |
      = help: leave it empty: the letter then uses forms that need none

    error[date-invalid]: "1/2/2021" is not a date such as 2021-09-01
     --> recipients.csv:2:28
      |
    2 | Kenya,a@m.example,Deputy,x,1/2/2021,fr
      |                            ^^^^^^^^
      |
      = help: write year-month-day, with hyphens

    error[language-unknown]: there is no template for the language "fr"
     --> recipients.csv:2:37
      |
    2 | Kenya,a@m.example,Deputy,x,1/2/2021,fr
      |                                     ^^
      |
      = help: there are templates for en; an empty cell means en
    "#);
}

#[test]
fn rows_that_nobody_looked_at_for_long_are_counted() {
    let text = "state,to,verified_on\nKenya,a@m.example,2021-01-01\nMalta,b@m.example,2021-08-20\n";
    insta::assert_snapshot!(told(text, &lenient()), @r#"
    warning[rows-stale]: 1 row was last verified more than 60 days ago: line 2
    --> recipients.csv
     = help: look the addresses up again and set verified_on
    "#);
}

#[test]
fn placeholders_are_an_error_where_letters_would_go_out() {
    let options = Options { placeholders_allowed: false, ..lenient() };
    insta::assert_snapshot!(told("state,to\nKenya,a@m.example\nMalta,b@un.int\n", &options), @r#"
    error[placeholders]: 1 placeholder address, to which no letter can go: line 2
    --> recipients.csv
     = help: fill in the missions' addresses; to try things out, use `preview` or `rehearse`
    "#);
}

#[test]
fn a_mark_not_to_send_is_never_passed_over_in_silence() {
    for header in [
        "Do not send",
        "suppress",
        "Suppressed",
        "opt out",
        "Opt-out",
        "opt_out",
        "Unsubscribed",
        "Désabonné",
        "no enviar",
        "Не отправлять",
        "已退订",
        "لا ترسل",
    ] {
        let found = codes(&format!("state,to,{header}\nKenya,a@m.example,x\n"), &lenient());
        assert!(found.contains(&"skip-column"), "{header}: {found:?}");
        let found = codes(&format!("state,to,{header}\nKenya,a@m.example,✓\n"), &lenient());
        assert!(found.contains(&"skip-column"), "{header}: {found:?}");
        let found = codes(
            &format!("state,to,{header}\nKenya,a@m.example,no\nFiji,c@m.example,–\nMalta,b@m.example,\n"),
            &lenient(),
        );
        assert!(!found.contains(&"skip-column"), "nobody is marked under {header}: {found:?}");
    }
}

#[test]
fn of_several_columns_that_ask_not_to_be_written_to_each_is_heard_and_none_is_a_riddle() {
    for (first, second) in [("x", ""), ("", "x"), ("x", "x")] {
        let csv =
            format!("state,to,Do not send,Unsubscribed\nKenya,a@m.example,{first},{second}\nChad,b@m.example,,no\n");
        let found = codes(&csv, &lenient());
        assert!(found.contains(&"skip-column") && !found.contains(&"header-ambiguous"), "{first}|{second}: {found:?}");
    }
    let csv = "state,to,Do not send,Unsubscribed\nKenya,a@m.example,,no\n";
    let found = codes(csv, &lenient());
    assert!(!found.contains(&"skip-column") && !found.contains(&"header-ambiguous"), "{found:?}");
}

#[test]
fn the_config_may_say_which_column_asks_not_to_be_written_to() {
    let with = |header: &str| Options {
        columns: std::collections::BTreeMap::from([("skip".to_owned(), header.to_owned())]),
        ..lenient()
    };
    let csv = "state,to,Hors liste,Unsubscribed\nKenya,a@m.example,x,\nChad,b@m.example,,x\n";
    for (header, line) in [("Hors liste", "line 2"), ("Unsubscribed", "line 3")] {
        let roster = demarche::roster::read(csv.as_bytes(), &with(header));
        let marked: Vec<&str> =
            roster.diagnostics.iter().filter(|one| one.code == "skip-column").map(|one| one.message.as_str()).collect();
        assert!(matches!(marked.as_slice(), [one] if one.ends_with(line)), "{marked:?}");
        assert!(roster.diagnostics.iter().all(|one| one.code != "column-unknown"), "{:?}", roster.diagnostics);
    }
}

#[test]
fn a_mapping_in_the_config_is_obeyed_and_a_wrong_one_named() {
    let mapped =
        |ours: &str, header: &str| Options { columns: [(ours.to_owned(), header.to_owned())].into(), ..lenient() };
    let text = "state,Kontakt\nKenya,a@m.example\n";
    for ours in ["to", "email"] {
        assert_eq!(roster::read(text.as_bytes(), &mapped(ours, "kontakt")).rows.len(), 1);
    }
    insta::assert_snapshot!(told(text, &mapped("to", "Post")), @r#"
    error[column-missing]: there is no column "Post", which recipients.columns names for to
     --> recipients.csv:1:1
      |
    1 | state,Kontakt
      | ^^^^^^^^^^^^^
      |
      = help: the headers are "state" and "Kontakt"
    "#);
    insta::assert_snapshot!(told("state,to\nKenya,a@m.example\n", &mapped("mailbox", "to")), @r#"
    error[column-unknown]: recipients.columns names "mailbox", which is none of our columns
     --> recipients.csv:1:1
      |
    1 | state,to
      | ^^^^^^^^
      |
      = help: ours are state, to, cc, bcc, language, rank, name, gender, attachment, verified_on, id; every other column is row.<header> in templates
    "#);
}

#[test]
fn every_problem_is_found_in_one_run() {
    let found = codes(
        "state,to,cc,language,rank\nKorea,n/a,x,fr,Boss\nMalta,b@m.example,,\nKenya,=cmd|x,,,\n,c@m.example,,,\n",
        &options(),
    );
    for code in ["state-ambiguous", "address-invalid", "language-unknown", "rank-unknown", "row-ragged", "id-missing"] {
        assert!(found.contains(&code), "{code}: {found:?}");
    }
    assert_eq!(found.iter().filter(|code| **code == "address-invalid").count(), 3);
}
