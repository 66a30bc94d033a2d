//! The recipients file: what each kind of bad file, row and cell gets.

use insta::assert_snapshot;

use crate::support::campaign::Campaign;
use crate::support::server::Server;
use crate::{campaign, check, check_each, codes, read_by_a_person};

#[test]
fn a_file_without_rows_or_without_addresses_is_refused() {
    let files = [
        ("empty", ""),
        ("header only", "state,to\n"),
        ("no column of addresses", "state,adress\nKenya,ken@missions.example\n"),
        ("no header", "Kenya,ken@missions.example\n"),
    ];
    assert_snapshot!(check_each(&files), @r#"
    == empty: exit 65
    error[file-empty]: recipients.csv is empty
    --> recipients.csv
     = help: the first line has the headers, such as state,to,language; then one row a mission

    1 error; nothing was sent.
    == header only: exit 65
    error[file-header-only]: recipients.csv has a header and no rows
     --> recipients.csv:1:1
      |
    1 | state,to
      | ^^^^^^^^
      |
      = help: add one row a mission below the header

    1 error; nothing was sent.
    == no column of addresses: exit 65
    error[column-to-missing]: there is no column "to"
     --> recipients.csv:1:1
      |
    1 | state,adress
      | ^^^^^^^^^^^^
      |
      = help: is it "adress"? Then say so in the config: recipients.columns = { to = "adress" }

    1 error; nothing was sent.
    == no header: exit 65
    error[column-to-missing]: there is no column "to"
     --> recipients.csv:1:1
      |
    1 | Kenya,ken@missions.example
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: name the column of addresses "to"; the headers are "Kenya" and "ken@missions.example"

    error[column-id-missing]: there is neither a column "state" nor a column "id"
     --> recipients.csv:1:1
      |
    1 | Kenya,ken@missions.example
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: a row is known by its state, or by an id of its own

    error[file-header-only]: recipients.csv has a header and no rows
     --> recipients.csv:1:1
      |
    1 | Kenya,ken@missions.example
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: add one row a mission below the header

    3 errors; nothing was sent.
    "#);
}

#[test]
fn a_file_that_is_not_there_or_is_no_file_is_refused() {
    let missing = campaign();
    std::fs::remove_file(missing.path("recipients.csv")).expect("there");
    let folder = campaign();
    std::fs::remove_file(folder.path("recipients.csv")).expect("there");
    std::fs::create_dir(folder.path("recipients.csv")).expect("free");
    assert_snapshot!(format!("{}{}", check(&missing), check(&folder)), @"
    exit 65
    error[file-unreadable]: there is no file recipients.csv
    --> recipients.csv
     = help: put it into the campaign folder, or name the right one under [recipients] in the config

    1 error; nothing was sent.
    exit 65
    error[file-unreadable]: recipients.csv is not a file
    --> recipients.csv
     = help: put a file there, not a folder or a device

    1 error; nothing was sent.
    ");
}

/// Two rows in French as `encode` writes them.
fn written(encode: impl Fn(char) -> Vec<u8>) -> Vec<u8> {
    "state,to,name\nCôte d’Ivoire,civ@missions.example,Zoé Élan\nTürkiye,tur@missions.example,André à Brême\n"
        .chars()
        .flat_map(encode)
        .collect()
}

#[test]
fn files_in_the_encodings_of_spreadsheets_are_read_and_the_encoding_is_said() {
    let mac = |c: char| match c {
        'ô' => vec![0x99],
        'é' => vec![0x8e],
        'É' => vec![0x83],
        '’' => vec![0xd5],
        'ü' => vec![0x9f],
        'à' => vec![0x88],
        'ê' => vec![0x90],
        c => vec![u8::try_from(c).expect("ASCII")],
    };
    let utf16 = |c: char| c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
    let utf16_be =
        |c: char| c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<u8>>();
    let utf8 = |c: char| c.to_string().into_bytes();
    let windows = |c: char| if c == '’' { vec![0x92] } else { vec![u8::try_from(u32::from(c)).expect("Latin-1")] };
    let files = [
        ("byte order mark", [vec![0xef, 0xbb, 0xbf], written(utf8)].concat()),
        ("UTF-16 with its mark", [vec![0xff, 0xfe], written(utf16)].concat()),
        ("UTF-16, big end first", [vec![0xfe, 0xff], written(utf16_be)].concat()),
        ("UTF-16 without a mark", written(utf16)),
        ("Windows-1252", written(windows)),
        ("MacRoman", written(mac)),
        ("sep=", b"sep=;\nstate;to\nKenya;ken@missions.example\n".to_vec()),
        ("NUL", b"state,to,note\nKenya,ken@missions.example,a\0b\nChad,tcd@missions.example,\0\n".to_vec()),
    ];
    assert_snapshot!(check_each(&files), @r#"
    == byte order mark: exit 0

    == UTF-16 with its mark: exit 0
    note[encoding-detected]: recipients.csv is not UTF-8: it was read as UTF-16LE
    --> recipients.csv
     = help: if "Côte" looks wrong, set recipients.encoding ("macintosh", "windows-1250" …)


    == UTF-16, big end first: exit 0
    note[encoding-detected]: recipients.csv is not UTF-8: it was read as UTF-16BE
    --> recipients.csv
     = help: if "Côte" looks wrong, set recipients.encoding ("macintosh", "windows-1250" …)


    == UTF-16 without a mark: exit 0
    note[encoding-detected]: recipients.csv is not UTF-8: it was read as UTF-16LE
    --> recipients.csv
     = help: if "Côte" looks wrong, set recipients.encoding ("macintosh", "windows-1250" …)


    == Windows-1252: exit 0
    note[encoding-detected]: recipients.csv is not UTF-8: it was read as windows-1252
    --> recipients.csv
     = help: if "Côte" looks wrong, set recipients.encoding ("macintosh", "windows-1250" …)


    == MacRoman: exit 0
    note[encoding-detected]: recipients.csv is not UTF-8: it was read as macintosh
    --> recipients.csv
     = help: if "Côte" looks wrong, set recipients.encoding ("macintosh", "windows-1250" …)


    == sep=: exit 0

    == NUL: exit 65
    error[control-character]: there is a control character (\u{0}) in this cell
     --> recipients.csv:2:29
      |
    2 | Kenya,ken@missions.example,a\u{0}b
      |                             ^^^^^
      |
      = help: take it out: type the text anew, by hand

    error[control-character]: there is a control character (\u{0}) in this cell
     --> recipients.csv:3:27
      |
    3 | Chad,tcd@missions.example,\u{0}
      |                           ^^^^^
      |
      = help: take it out: type the text anew, by hand

    2 errors; nothing was sent.
    "#);
}

#[test]
fn rows_and_headers_out_of_shape_are_refused_where_they_begin() {
    let files = [
        ("ragged", "state,to,name\nKenya,ken@missions.example\nChad,tcd@missions.example,a,b\n"),
        (
            "unclosed quote",
            "state,to\nKenya,ken@missions.example\nChad,\"tcd@missions.example\nPeru,per@missions.example\n",
        ),
        ("headers", "state,to,,To,name,name\nKenya,ken@missions.example,x,,,\n"),
    ];
    assert_snapshot!(check_each(&files), @r#"
    == ragged: exit 65
    error[row-ragged]: this row has 2 cells, the header has 3
     --> recipients.csv:2:27
      |
    2 | Kenya,ken@missions.example
      |                           ^
      |
      = help: fill up the row with separators, or look for a missing quote before

    error[row-ragged]: this row has 4 cells, the header has 3
     --> recipients.csv:3:29
      |
    3 | Chad,tcd@missions.example,a,b
      |                             ^
      |
      = help: put a cell that holds the separator into quotes

    2 errors; nothing was sent.
    == unclosed quote: exit 65

    error[quote-unclosed]: this quote opens a cell and never closes
     --> recipients.csv:3:6
      |
    3 | Chad,"tcd@missions.example
      |      ^
      |
      = help: close it with another ", or write """ where the text begins with a quote

    1 error; nothing was sent.
    == headers: exit 65

    error[header-blank]: column 3 has no header
     --> recipients.csv:1:10
      |
    1 | state,to,,To,name,name
      |          ^
      |
      = help: give it a name, or take the column out

    error[header-doubled]: columns 2 and 4 have the same header "To"
     --> recipients.csv:1:11
      |
    1 | state,to,,To,name,name
      |           ^^
      |
      = help: rename one of them, or take it out

    error[header-doubled]: columns 5 and 6 have the same header "name"
     --> recipients.csv:1:19
      |
    1 | state,to,,To,name,name
      |                   ^^^^
      |
      = help: rename one of them, or take it out

    3 errors; nothing was sent.
    "#);
}

#[test]
fn several_addresses_in_a_cell_and_stray_blanks_are_understood() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0).recipients(
        "state,to,cc\n\
         Kenya,\" a@missions.example ; b@missions.example,c@missions.example\",\n\
         Chad,\u{a0}d@missions.example\u{a0},\"e@missions.example\nf@missions.example\"\n",
    );
    campaign.run(&["send", "--yes"]).expect_code(0);
    let mut to: Vec<String> = server.letters().into_iter().flat_map(|letter| letter.forward_paths).collect();
    to.sort();
    assert_eq!(to, ["a", "b", "c", "d", "e", "f"].map(|name| format!("{name}@missions.example")));
}

#[test]
fn every_cell_that_is_no_address_is_told_with_what_to_write() {
    let csv = "state,to\n\
               Kenya,\"Bob, Jr <a@missions.example>\"\n\
               Chad,\n\
               Peru,nobody\n\
               Mali,a@localhost\n\
               Cuba,per @missions.example\n\
               Oman,a@@missions.example\n\
               Togo,<a@missions.example\n\
               Fiji,a@missions..example\n\
               Iraq,.a@missions.example\n\
               Laos,a@[127.0.0.1]\n\
               Benin,=HYPERLINK(\"\"x\"\")\n";
    assert_snapshot!(check(&campaign().recipients(csv)), @r#"
    exit 65
    error[address-invalid]: "Bob, Jr <a@missions.example>" is not an e-mail address
     --> recipients.csv:2:8
      |
    2 | Kenya,"Bob, Jr <a@missions.example>"
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: put the name in quotes: "Bob, Jr" <a@missions.example> (in a text editor the cell is """Bob, Jr"" <a@missions.example>")

    error[address-missing]: there is no address in this row
     --> recipients.csv:3:6
      |
    3 | Chad,
      |      ^
      |
      = help: write it into the column "to", or take the row out of the file

    error[address-invalid]: "nobody" is not an e-mail address
     --> recipients.csv:4:6
      |
    4 | Peru,nobody
      |      ^^^^^^
      |
      = help: an address has an "@": mission@state.example, for instance

    error[address-invalid]: "localhost" is not a domain name that mail can be sent to
     --> recipients.csv:5:6
      |
    5 | Mali,a@localhost
      |      ^^^^^^^^^^^
      |
      = help: a domain needs a dot: mission@state.example, for instance

    error[address-invalid]: "per @missions.example" is not an e-mail address
     --> recipients.csv:6:6
      |
    6 | Cuba,per @missions.example
      |      ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: without the blank: per@missions.example

    error[address-invalid]: "a@@missions.example" is not an e-mail address
     --> recipients.csv:7:6
      |
    7 | Oman,a@@missions.example
      |      ^^^^^^^^^^^^^^^^^^^
      |
      = help: separate the addresses by ";"

    error[address-invalid]: "<a@missions.example" is not an e-mail address
     --> recipients.csv:8:6
      |
    8 | Togo,<a@missions.example
      |      ^^^^^^^^^^^^^^^^^^^
      |
      = help: an address is one name, "@" and a domain: mission@state.example, for instance

    error[address-invalid]: "missions..example" is not a domain name that mail can be sent to
     --> recipients.csv:9:6
      |
    9 | Fiji,a@missions..example
      |      ^^^^^^^^^^^^^^^^^^^
      |
      = help: with one dot: a@missions.example

    error[address-invalid]: ".a@missions.example" is not an e-mail address
      --> recipients.csv:10:6
       |
    10 | Iraq,.a@missions.example
       |      ^^^^^^^^^^^^^^^^^^^
       |
       = help: an address is one name, "@" and a domain: mission@state.example, for instance

    error[address-invalid]: "[127.0.0.1]" is not a domain name that mail can be sent to
      --> recipients.csv:11:6
       |
    11 | Laos,a@[127.0.0.1]
       |      ^^^^^^^^^^^^^
       |
       = help: a domain is letters, digits and hyphens between dots, 63 to a part at most

    error[address-invalid]: "=HYPERLINK(""x"")" is not an e-mail address
      --> recipients.csv:12:7
       |
    12 | Benin,=HYPERLINK(""x"")
       |       ^^^^^^^^^^^^^^^^^
       |
       = help: this is a formula; write its value as text

    11 errors; nothing was sent.
    "#);
}

#[test]
fn placeholder_addresses_are_one_warning_and_an_error_where_letters_would_leave_the_machine() {
    let csv = "state,to\nKenya,ken@missions.example\nChad,tcd@example.org\nPeru,per@missions.invalid\nMali,mli@x.test\n\
         Cuba,cub@example.com\nOman,omn@example.net\nTogo,tgo@mail.example.org\nFiji,fji@example\u{ff0e}com\n";
    let campaign = campaign().recipients(csv);
    let looked = campaign.run(&["check"]).expect_code(0);
    // Full width needs a person's look, and is no way around.
    assert_snapshot!(looked.stderr, @"
    warning[placeholders]: 8 placeholder addresses (such as ken@missions.example): they can be previewed and rehearsed, and `send` refuses them unless the relay is on this machine
    --> recipients.csv

    warning[address-full-width]: the domain is written in full-width characters; example.com is meant
     --> recipients.csv:9:6
      |
    9 | Fiji,fji@example．com
      |      ^^^^^^^^^^^^^^^^
    ");
    let campaign =
        campaign.set("smtp.host", "\"mail.coalition.test\"").set("smtp.security", "\"tls\"").set("smtp.port", "465");
    let refused = campaign.run(&["send", "--yes"]);
    assert_snapshot!(read_by_a_person(&campaign, &refused), @r#"
    exit 78
    1 warning; `demarche check` shows it at its place:
      - recipients.csv:9: the domain is written in full-width characters; example.com is meant

    error[host-placeholder]: smtp.host "mail.coalition.test" is the sample's: there is no such server
    --> config.toml
     = help: write the name that the provider of the sender's mailbox tells; `rehearse` needs none

    error[sender-placeholder]: sender.from "letters@coalition.example" is a placeholder: no mail ever arrives there
    --> config.toml
     = help: write an address of your own

    error[sender-placeholder]: sender.reply_to "advocacy@coalition.example" is a placeholder: no mail ever arrives there
    --> config.toml
     = help: write an address of your own

    error[placeholders]: 8 placeholder addresses, to which no letter can go: lines 2, 3, 4, 5, 6, 7, 8 and 9
    --> recipients.csv
     = help: fill in the missions' addresses; to try things out, use `preview` or `rehearse`

    4 errors (3 in config.toml, 1 in recipients.csv); nothing was sent.
    "#);
}

#[test]
fn domains_in_other_scripts_are_sent_as_a_labels() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0)
        .recipients("state,to\nKenya,ken@bücher.example\nChad,tcd@ｍissions.example\n");
    let run = campaign.run(&["send", "--yes"]).expect_code(0);
    let mut to: Vec<String> = server.letters().into_iter().flat_map(|letter| letter.forward_paths).collect();
    to.sort();
    assert_eq!(to, ["ken@xn--bcher-kva.example", "tcd@missions.example"]);
    assert_snapshot!(read_by_a_person(&campaign, &run).split("\nAn open").next().expect("a part"), @"
    exit 0
    1 warning; `demarche check` shows it at its place:
      - recipients.csv:3: the domain is written in full-width characters; missions.example is meant
    ");
}

#[test]
fn a_local_part_outside_ascii_needs_a_server_that_takes_it() {
    use demarche::postbox::{Offers, Options};
    for takes in [true, false] {
        let offers = Offers { smtputf8: takes, ..Offers::default() };
        let server = Server::with(Options { offers, ..Options::default() });
        let campaign = Campaign::small(server.port(), 0)
            .recipients("state,to\nKenya,josé@missions.example\nChad,tcd@missions.example\n");
        let run = campaign.run(&["send", "--yes"]).expect_code(i32::from(!takes));
        assert_eq!(server.ids(), if takes { vec!["KEN", "TCD"] } else { vec!["TCD"] });
        if !takes {
            let told = run.stderr.lines().find(|line| line.starts_with("KEN")).unwrap_or_default();
            assert_snapshot!(told, @r#"KEN Kenya  failed: an address is not ASCII, and the server does not take such addresses (SMTPUTF8) (at the sender)"#);
        }
    }
}

#[test]
fn letters_of_mixed_scripts_in_an_address_are_pointed_out() {
    // The "е" and the "о" are Cyrillic.
    let csv = "state,to\nKenya,kеn@missions.example\nChad,tcd@missiоns.example\n";
    assert_snapshot!(check(&campaign().recipients(csv)), @r#"
    exit 0

    warning[address-mixed-scripts]: letters of several scripts stand in "kеn@missions.example"
     --> recipients.csv:2:7
      |
    2 | Kenya,kеn@missions.example
      |       ^^^^^^^^^^^^^^^^^^^^
      |
      = help: does a letter only look like another? Type the address anew, by hand

    warning[address-mixed-scripts]: letters of several scripts stand in "tcd@xn--missins-ejg.example"
     --> recipients.csv:3:6
      |
    3 | Chad,tcd@missiоns.example
      |      ^^^^^^^^^^^^^^^^^^^^
      |
      = help: does a letter only look like another? Type the address anew, by hand
    "#);
}

#[test]
fn the_same_address_id_or_suppressed_mark_is_told_with_both_lines() {
    let csv = "id,state,to\n\
               A,Kenya,ken@missions.example\n\
               B,Chad,KEN@Missions.example\n\
               C,Peru,\"per@missions.example; PER@missions.example\"\n\
               A,Mali,mli@missions.example\n\
               D,Cuba,cub@bücher.example\n\
               E,Oman,cub@xn--bcher-kva.example\n\
               F,Togo,tgo@missions.example\n";
    let campaign = campaign().recipients(csv).file("suppressed.csv", "to\nTGO@missions.example\n");
    assert_snapshot!(check(&campaign), @r#"
    exit 65
    note[suppressed]: nothing is sent to this row: tgo@missions.example is in the list of suppressed addresses
     --> recipients.csv:8:8
      |
    8 | F,Togo,tgo@missions.example
      |        ^^^^^^^^^^^^^^^^^^^^


    warning[address-shared]: ken@missions.example stands in 2 rows: lines 2 and 3, for Kenya and Chad
     --> recipients.csv:3:8
      |
    3 | B,Chad,KEN@Missions.example
      |        ^^^^^^^^^^^^^^^^^^^^
      |
      = help: it gets the letters to all of them: is it the address of one, copied by mistake?

    warning[address-shared]: cub@xn--bcher-kva.example stands in 2 rows: lines 6 and 7, for Cuba and Oman
     --> recipients.csv:7:8
      |
    7 | E,Oman,cub@xn--bcher-kva.example
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: it gets the letters to all of them: is it the address of one, copied by mistake?

    error[address-doubled]: PER@missions.example stands twice in this row
     --> recipients.csv:4:9
      |
    4 | C,Peru,"per@missions.example; PER@missions.example"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: one letter goes to each address: take one out

    error[id-doubled]: the id "A" stands on lines 2 and 5
     --> recipients.csv:5:1
      |
    5 | A,Mali,mli@missions.example
      | ^
      |
      = help: every row needs an id of its own, upper and lower case aside

    2 errors; nothing was sent.
    "#);
}

#[test]
fn states_that_are_unknown_ambiguous_doubled_shifted_or_missing_are_told() {
    let csv = "state,to\n\
               Korea,a@missions.example\n\
               Congo,b@missions.example\n\
               Atlantis,c@missions.example\n\
               Keyna,d@missions.example\n\
               Chad,e@missions.example\n\
               Tchad,f@missions.example\n";
    assert_snapshot!(check(&campaign().recipients(csv)), @r#"
    exit 65

    error[state-ambiguous]: "Korea" could be several states
     --> recipients.csv:2:1
      |
    2 | Korea,a@missions.example
      | ^^^^^
      |
      = help: write "Democratic People's Republic of Korea" (PRK) or "Republic of Korea" (KOR)

    error[state-ambiguous]: "Congo" could be several states
     --> recipients.csv:3:1
      |
    3 | Congo,b@missions.example
      | ^^^^^
      |
      = help: write "Republic of the Congo" (COG) or "Democratic Republic of the Congo" (COD)

    error[state-unknown]: "Atlantis" is no state that the tables know
     --> recipients.csv:4:1
      |
    4 | Atlantis,c@missions.example
      | ^^^^^^^^
      |
      = help: write its English name or its ISO code; a row for nobody's mission has an empty state and an id

    error[state-unknown]: "Keyna" is no state that the tables know
     --> recipients.csv:5:1
      |
    5 | Keyna,d@missions.example
      | ^^^^^
      |
      = help: write "Kenya" (KEN)

    error[id-doubled]: Chad has two rows, lines 6 and 7, both with the id TCD
     --> recipients.csv:7:1
      |
    7 | Tchad,f@missions.example
      | ^^^^^
      |
      = help: take one out, or give one a name of its own in a column "id"

    5 errors; nothing was sent.
    "#);
    let campaign = campaign().set("recipients.audience", "\"security-council-2021\"").recipients(
        "state,to,id\nKenya,a@missions.example,\nChad,b@missions.example,\nKenya,c@missions.example,ken-2\n",
    );
    assert_snapshot!(check(&campaign), @r#"
    exit 0
    warning[states-missing]: 14 of the 15 states of "security-council-2021" have no row: China, Estonia, France, India, Ireland, Mexico, Niger, Norway, Russian Federation, Saint Vincent and the Grenadines and 4 more
    --> recipients.csv
     = help: add them, or set recipients.audience to whom the campaign means to reach

    warning[states-foreign]: 1 row is for a state outside "security-council-2021": TCD (line 3)
    --> recipients.csv
     = help: they are written to like the others; take them out if that is not meant


    warning[state-doubled]: Kenya has two rows: lines 2 and 4
     --> recipients.csv:4:1
      |
    4 | Kenya,c@missions.example,ken-2
      | ^^^^^
      |
      = help: both are written to; take one out if that is not meant
    "#);
}

#[test]
fn a_column_that_slipped_by_a_row_is_noticed() {
    let csv = "state,to,id\nKenya,pm@fr.example,\nMalta,a@missions.example,PER\n";
    assert_snapshot!(check(&campaign().recipients(csv)), @r#"
    exit 0

    warning[row-shift]: the row is for Kenya, the domain "fr.example" is of France
     --> recipients.csv:2:7
      |
    2 | Kenya,pm@fr.example,
      |       ^^^^^^^^^^^^^
      |
      = help: has a column slipped by a row?

    warning[row-shift]: the row is for Malta, its id is that of Peru
     --> recipients.csv:3:26
      |
    3 | Malta,a@missions.example,PER
      |                          ^^^
      |
      = help: has a column slipped by a row?
    "#);
}

#[test]
fn what_is_too_large_to_be_meant_is_refused_without_being_held() {
    let row = |columns: usize, cell: usize| {
        let names: Vec<String> = (0..columns).map(|n| format!(",c{n}")).collect();
        let cells = format!(",{}", "x".repeat(cell)).repeat(columns);
        format!("state,to{}\nKenya,ken@missions.example{cells}\n", names.concat())
    };
    let files = [("a cell over 32 KiB", row(1, 33 * 1024)), ("a row over 256 KiB", row(9, 31 * 1024))];
    assert_snapshot!(check_each(&files), @"
    == a cell over 32 KiB: exit 65
    error[cell-too-large]: this cell has 33792 bytes; at most 32768 are read
    --> recipients.csv:2:28
     = help: is a quote missing somewhere before? Long texts belong into the template or an attachment

    1 error; nothing was sent.
    == a row over 256 KiB: exit 65
    error[row-too-large]: this row has 285731 bytes; at most 262144 are read
    --> recipients.csv:2:1
     = help: is a quote missing somewhere before? Long texts belong into the template or an attachment

    1 error; nothing was sent.
    ");
    let campaign = campaign();
    let file = std::fs::File::create(campaign.path("recipients.csv")).expect("our own folder");
    // Sparse: it takes no room on the disk.
    file.set_len(1024 * 1024 * 1024 + 1).expect("our own file");
    assert_snapshot!(check(&campaign), @"
    exit 65
    error[file-unreadable]: recipients.csv is larger than 1 GB
    --> recipients.csv
     = help: split it

    1 error; nothing was sent.
    ");
}

#[test]
fn a_language_without_a_letter_is_told_with_those_that_there_are() {
    let campaign = campaign()
        .template("letter.fr.md", "+++\nsubject = \"Lettre\"\n+++\n\nTexte\n")
        .recipients("state,to,language\nKenya,ken@missions.example,sw\nChad,tcd@missions.example,fr\nPeru,per@missions.example,klingon!\n");
    assert_snapshot!(check(&campaign), @r#"
    exit 65

    error[language-unknown]: there is no template for the language "sw"
     --> recipients.csv:2:28
      |
    2 | Kenya,ken@missions.example,sw
      |                            ^^
      |
      = help: there are templates for en and fr; an empty cell means en

    error[language-unknown]: "klingon!" is not a language tag such as "en", "fr" or "pt-BR"
     --> recipients.csv:4:27
      |
    4 | Peru,per@missions.example,klingon!
      |                           ^^^^^^^^
      |
      = help: there are templates for en and fr; an empty cell means en

    2 errors; nothing was sent.
    "#);
}

#[test]
fn line_ends_and_nul_in_every_field_that_goes_into_a_header_are_told_at_their_places() {
    let columns = ["id", "state", "to", "cc", "name", "rank", "language", "attachment"];
    let clean = [
        "ken",
        "Kenya",
        "ken@missions.example",
        "copy@missions.example",
        "Ms. A",
        "permanent representative",
        "en",
        "a.pdf",
    ];
    let mut told = String::new();
    for (index, column) in columns.iter().enumerate() {
        for (name, bad) in [("a line end", "\r\n"), ("NUL", "\0")] {
            let mut cells = clean.map(str::to_owned);
            let middle = cells[index].len() / 2;
            cells[index].insert_str(middle, bad);
            let row: Vec<String> = cells.iter().map(|cell| format!("\"{cell}\"")).collect();
            let file = format!("{}\n{}\n", columns.join(","), row.join(","));
            let told_of_it = check(&campaign().file("a.pdf", "x").recipients(&file));
            let said: Vec<&str> =
                told_of_it.lines().filter(|line| line.contains("error") || line.contains("-->")).collect();
            told.push_str(&format!("{name} in {column}: {}\n", said.join(" ")));
        }
    }
    assert_snapshot!(told, @r#"
    a line end in id: error[id-invalid]: "k\u{d}\u{a}en" is not an id: use 1 to 64 letters, digits, ".", "_" or "-", not beginning with a dot  --> recipients.csv:2:2 error[control-character]: there is a line break (\u{d}) in this cell  --> recipients.csv:2:3 2 errors; nothing was sent.
    NUL in id: error[id-invalid]: "k\u{0}en" is not an id: use 1 to 64 letters, digits, ".", "_" or "-", not beginning with a dot  --> recipients.csv:2:2 error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:3 2 errors; nothing was sent.
    a line end in state: error[state-unknown]: "Ke\u{d}\u{a}nya" is no state that the tables know  --> recipients.csv:2:8 error[control-character]: there is a line break (\u{d}) in this cell  --> recipients.csv:2:10 2 errors; nothing was sent.
    NUL in state: error[state-unknown]: "Ke\u{0}nya" is no state that the tables know  --> recipients.csv:2:8 error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:10 2 errors; nothing was sent.
    a line end in to: error[address-invalid]: "missio" is not a domain name that mail can be sent to  --> recipients.csv:2:16 error[address-invalid]: "ns.example" is not an e-mail address  --> recipients.csv:3:1 2 errors; nothing was sent.
    NUL in to: error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:26 1 error; nothing was sent.
    a line end in cc: error[address-invalid]: "missi" is not a domain name that mail can be sent to  --> recipients.csv:2:39 error[address-invalid]: "ons.example" is not an e-mail address  --> recipients.csv:3:1 2 errors; nothing was sent.
    NUL in cc: error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:49 1 error; nothing was sent.
    a line end in name: error[control-character]: there is a line break (\u{d}) in this cell  --> recipients.csv:2:65 1 error; nothing was sent.
    NUL in name: error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:65 1 error; nothing was sent.
    a line end in rank: error[rank-unknown]: "permanent re\u{d}\u{a}presentative" is no rank that is known  --> recipients.csv:2:71 error[control-character]: there is a line break (\u{d}) in this cell  --> recipients.csv:2:83 2 errors; nothing was sent.
    NUL in rank: error[rank-unknown]: "permanent re\u{0}presentative" is no rank that is known  --> recipients.csv:2:71 error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:83 2 errors; nothing was sent.
    a line end in language: error[language-unknown]: "e\u{d}\u{a}n" is not a language tag such as "en", "fr" or "pt-BR"  --> recipients.csv:2:98 error[control-character]: there is a line break (\u{d}) in this cell  --> recipients.csv:2:99 2 errors; nothing was sent.
    NUL in language: error[language-unknown]: "e\u{0}n" is not a language tag such as "en", "fr" or "pt-BR"  --> recipients.csv:2:98 error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:99 2 errors; nothing was sent.
    a line end in attachment: error[attachment-invalid]: the attachment "a." is not there  --> recipients.csv:2:103 error[attachment-invalid]: the attachment "pdf" is not there  --> recipients.csv:3:1 2 errors; nothing was sent.
    NUL in attachment: error[control-character]: there is a control character (\u{0}) in this cell  --> recipients.csv:2:105 1 error; nothing was sent.
    "#);
}

#[test]
fn control_and_direction_characters_bound_for_a_header_are_refused() {
    let bad = ["\u{1b}[2J", "\u{9b}2J", "\u{202e}", "\u{2066}", "\r\nBcc: x@evil.test", "\u{7}", "\u{7f}"];
    for bad in bad {
        for cell in [format!("\"a{bad}b <ken@missions.example>\",x"), format!("ken{bad}@missions.example,x")] {
            let campaign = campaign().recipients(&format!("state,to,other\nKenya,{cell}\n"));
            let codes = codes(&campaign);
            assert!(codes.iter().any(|code| code.starts_with("error")), "{bad:?} in {cell:?}: {codes:?}");
        }
    }
    let csv = "state,to\nKenya,\"a\u{1b}[2Jb <ken@missions.example>\"\nChad,t\u{202e}cd@missions.example\n";
    assert_snapshot!(check(&campaign().recipients(csv)), @r#"
    exit 65
    error[control-character]: there is a control character (\u{1b}) in this cell
     --> recipients.csv:2:9
      |
    2 | Kenya,"a\u{1b}[2Jb <ken@missions.example>"
      |         ^^^^^^
      |
      = help: take it out: type the text anew, by hand

    error[control-character]: there is a control character (\u{202e}) in this cell
     --> recipients.csv:3:7
      |
    3 | Chad,t\u{202e}cd@missions.example
      |       ^^^^^^^^
      |
      = help: take it out: type the text anew, by hand

    2 errors; nothing was sent.
    "#);
}
