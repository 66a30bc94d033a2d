//! What a person reads about a recipients file that is wrong: one promise for each line of what bad input gets.

mod roster_common;

use demarche::domain::audience::Audience;
use demarche::roster::{self, Options};
use roster_common::{codes, options, told};

fn lenient() -> Options {
    Options { audience: Audience::Any, ..options() }
}

#[test]
fn a_file_without_anything_to_read_says_what_belongs_into_it() {
    insta::assert_snapshot!(told("", &lenient()), @"");
    insta::assert_snapshot!(told("state,to\n\n,\n", &lenient()), @"");
}

#[test]
fn a_file_without_a_column_of_addresses_suggests_the_likely_one() {
    insta::assert_snapshot!(told("state,Mail adress\nKenya,a@m.example\n", &lenient()), @"");
    insta::assert_snapshot!(told("state,who\nKenya,a@m.example\n", &lenient()), @"");
}

#[test]
fn a_ragged_row_says_what_it_has_and_should_have() {
    insta::assert_snapshot!(told("state,to,name\nKenya,a@m.example\nMalta,b@m.example,x,y\n", &lenient()), @"");
}

#[test]
fn a_quote_that_never_closes_is_shown_where_it_opens() {
    insta::assert_snapshot!(told("state,to,name\nKenya,a@m.example,\"K\nMalta,b(at)m.example,x\n", &lenient()), @"");
}

#[test]
fn doubled_and_blank_headers_are_named() {
    insta::assert_snapshot!(told("state,to,Name,,name\nKenya,a@m.example,,,\n", &lenient()), @"");
}

#[test]
fn a_header_that_several_columns_could_be_is_asked_about() {
    insta::assert_snapshot!(told("Pays,E-mail,Courriel\nKenya,a@m.example,b@m.example\n", &lenient()), @"");
}

#[test]
fn a_missing_address_is_shown_at_its_cell() {
    insta::assert_snapshot!(told("state,to\nKenya,\n", &lenient()), @"");
}

#[test]
fn a_name_with_a_comma_is_shown_in_quotes() {
    insta::assert_snapshot!(told("state;to\nKenya;Bob, Jr <a@m.example>\n", &lenient()), @"");
}

#[test]
fn an_address_smuggled_in_behind_a_line_break_is_refused() {
    insta::assert_snapshot!(told("state,to\nOman,\"om@m.example\nBcc: evil@m.example\"\n", &lenient()), @"");
}

#[test]
fn control_characters_are_refused_and_made_visible() {
    let text = "state,to,name,note\nKenya,a@m.example,A\u{1b}[2J,\nMalta,b@m.example,\"A\nB\",x\0\n";
    insta::assert_snapshot!(told(text, &lenient()), @"");
}

#[test]
fn letters_of_several_scripts_and_full_width_ones_are_pointed_out() {
    insta::assert_snapshot!(told("state,to\nKenya,p\u{430}ris@m.example\nMalta,b@ｍ.example\n", &lenient()), @"");
}

#[test]
fn an_address_for_two_rows_names_all_lines_and_twice_in_a_row_is_an_error() {
    let text = "id,to,cc\na,X@m.example,\nb,x@M.example,\nc,x@m.example,\nd,y@m.example,Y@m.example\n";
    insta::assert_snapshot!(told(text, &lenient()), @"");
}

#[test]
fn an_id_twice_is_an_error_naming_both_lines() {
    insta::assert_snapshot!(told("id,to\nosg,a@m.example\nOSG,b@m.example\nno id,c@m.example\n", &lenient()), @"");
    insta::assert_snapshot!(told("state,id,to\n,,a@m.example\n", &lenient()), @"");
}

#[test]
fn a_suppressed_address_is_said_and_not_written_to() {
    let options = Options { suppressed: vec!["a@m.example".into(), "c@m.example".into()], ..lenient() };
    let text = "state,to,cc\nKenya,A@m.example,\nMalta,b@m.example,c@m.example\n";
    insta::assert_snapshot!(told(text, &options), @"");
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
fn a_state_that_is_not_clear_gets_the_candidates() {
    insta::assert_snapshot!(told("state,to\nCongo,a@m.example\nKenia,b@m.example\nQqqq,c@m.example\n", &lenient()), @"");
}

#[test]
fn missing_doubled_and_foreign_states_are_listed() {
    let options = Options { audience: Audience::SecurityCouncil(2021), ..options() };
    let text = "state,to,id\nKenya,a@m.example,\nKenya,b@m.example,ken-2\nMalta,c@m.example,\n,d@m.example,osg\n";
    insta::assert_snapshot!(told(text, &options), @"");
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
    insta::assert_snapshot!(told(text, &lenient()), @"");
    assert_eq!(
        codes("Country,ISO,to\nCongo,CG,a@m.example\nMali,ML,b@m.example\n", &lenient()),
        ["columns-taken", "placeholders"]
    );
}

#[test]
fn what_is_no_rank_gender_date_or_language_gets_the_list_of_those_there_are() {
    let text = "state,to,rank,gender,verified_on,language\nKenya,a@m.example,Deputy,x,1/2/2021,fr\n";
    insta::assert_snapshot!(told(text, &lenient()), @"");
}

#[test]
fn rows_that_nobody_looked_at_for_long_are_counted() {
    let text = "state,to,verified_on\nKenya,a@m.example,2021-01-01\nMalta,b@m.example,2021-08-20\n";
    insta::assert_snapshot!(told(text, &lenient()), @"");
}

#[test]
fn placeholders_are_an_error_where_letters_would_go_out() {
    let options = Options { placeholders_allowed: false, ..lenient() };
    insta::assert_snapshot!(told("state,to\nKenya,a@m.example\nMalta,b@un.int\n", &options), @"");
}

#[test]
fn a_mark_not_to_send_is_never_passed_over_in_silence() {
    assert!(codes("state,to,Do not send\nKenya,a@m.example,x\n", &lenient()).contains(&"skip-column"));
}

#[test]
fn a_mapping_in_the_config_is_obeyed_and_a_wrong_one_named() {
    let mapped =
        |ours: &str, header: &str| Options { columns: [(ours.to_owned(), header.to_owned())].into(), ..lenient() };
    let text = "state,Kontakt\nKenya,a@m.example\n";
    assert_eq!(roster::read(text.as_bytes(), &mapped("to", "kontakt")).rows.len(), 1);
    insta::assert_snapshot!(told(text, &mapped("to", "Post")), @"");
    insta::assert_snapshot!(told("state,to\nKenya,a@m.example\n", &mapped("email", "to")), @"");
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
