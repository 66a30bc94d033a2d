//! Recipients files as they really come, and the one that ships.

use crate::common::{codes, options};
use demarche::diagnostic::{Severity, any_error};
use demarche::domain::audience::Audience;
use demarche::domain::language::Language;
use demarche::domain::recipient::{Gender, Rank};
use demarche::roster::{self, Options, Roster};

fn tags(tags: &[&str]) -> Vec<Language> {
    tags.iter().map(|tag| Language::parse(tag).expect("a tag")).collect()
}

fn fixture(bytes: &[u8]) -> (Roster, String) {
    let options = Options { audience: Audience::Any, languages: tags(&["en", "fr"]), ..options() };
    let roster = roster::read(bytes, &options);
    let told = roster.diagnostics.iter().map(|d| d.render(false)).collect::<Vec<_>>().join("\n");
    (roster, told)
}

/// `id line state rank gender language to cc` of each row.
fn rows(roster: &Roster) -> String {
    let row = |row: &roster::Row| {
        let r = &row.recipient;
        let list = |all: &[demarche::domain::mailbox::Mailbox]| {
            all.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        let language = r.language.as_ref().map_or("-", Language::as_str);
        format!("{} {} {:?} {:?} {language} [{}] [{}]", r.line, r.id, r.rank, r.gender, list(&r.to), list(&r.cc))
    };
    roster.rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_shipped_file_names_every_member_state_once_and_only_warns_of_its_placeholders() {
    let bytes = include_bytes!("../../recipients.csv");
    let roster = roster::read(bytes, &options());
    assert_eq!(roster.rows.len(), 193);
    let found: Vec<_> = roster.diagnostics.iter().map(|d| (d.severity, d.code)).collect();
    assert_eq!(found, [(Severity::Warning, "placeholders")]);
    assert!(roster.diagnostics[0].message.starts_with("193 placeholder addresses"));
    assert_eq!((roster.coverage.expected, roster.coverage.present), (193, 193));
    for (row, state) in roster.rows.iter().zip(Audience::MemberStates.states()) {
        assert_eq!(row.recipient.state, Some(state.code));
        assert_eq!(row.recipient.to[0].local(), state.code.as_str().to_lowercase());
        assert_eq!((row.recipient.rank, row.recipient.name.as_deref()), (Rank::PermanentRepresentative, None));
    }
    assert!(!bytes.contains(&b'\r') && bytes.ends_with(b"\n"));
}

#[test]
fn a_file_from_excel_in_french_is_read() {
    let (roster, told) = fixture(include_bytes!("../fixtures/excel_fr_utf8_bom_semicolon.csv"));
    insta::assert_snapshot!(rows(&roster), @r#"
    2 CIV PermanentRepresentative None fr [mission@ci.example.org] []
    3 TUR PermanentRepresentative None en [pm@tr.example.org office@tr.example.org] [cc1@tr.example.org]
    4 VCT ChargeDAffaires None en [mission@vc.example.org] []
    "#);
    insta::assert_snapshot!(told, @r#"
    note[columns-taken]: columns were known by their headers: "Pays" as state, "Courriel" as to, "Copie" as cc, "Langue" as language, "Fonction" as rank
    --> recipients.csv
     = help: recipients.columns in the config says otherwise where that is wrong

    warning[placeholders]: 5 placeholder addresses (such as ken@missions.example): they can be previewed and rehearsed, and `send` refuses them unless the relay is on this machine
    --> recipients.csv
    "#);
    assert_eq!(roster.rows[1].recipient.columns["remarques"], "à confirmer");
    let hinted = fixture(include_bytes!("../fixtures/sep_hint.csv")).0;
    assert_eq!(hinted.rows.iter().map(|r| r.recipient.line).collect::<Vec<_>>(), [3, 4, 5]);
    assert_eq!(hinted.rows[0].recipient.to, roster.rows[0].recipient.to);
}

#[test]
fn a_file_from_google_sheets_is_read_except_for_the_doubled_row() {
    let (roster, told) = fixture(include_bytes!("../fixtures/google_sheets_utf8.csv"));
    insta::assert_snapshot!(rows(&roster), @r#"
    2 KEN PermanentRepresentative Some(Male) - [pm@ke.example.org info@ke.example.org] []
    6 IRN ChargeDAffaires Some(Male) - [ir@ir.example.org ir2@ir.example.org] []
    "#);
    insta::assert_snapshot!(told, @r#"
    note[columns-taken]: columns were known by their headers: "Country" as state, "Email Address" as to, "Position" as rank, "Permanent Representative (name)" as name
    --> recipients.csv
     = help: recipients.columns in the config says otherwise where that is wrong

    warning[placeholders]: 5 placeholder addresses (such as ken@missions.example): they can be previewed and rehearsed, and `send` refuses them unless the relay is on this machine
    --> recipients.csv

    error[address-invalid]: "<Vietnam Mission> vn@vn.example.org" is not an e-mail address
     --> recipients.csv:4:30
      |
    4 | 10/12/2021 9:15:40,Viet Nam ,<Vietnam Mission> vn@vn.example.org,,,PR,second@vn.example.org,
      |                              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: put the address in angle brackets: Vietnam Mission <vn@vn.example.org>

    error[id-doubled]: Kenya has two rows, lines 2 and 7, both with the id KEN
     --> recipients.csv:7:21
      |
    7 | 12/10/2021 18:03:11,KENYA,PM@KE.EXAMPLE.ORG,,,,,duplicate of row 2
      |                     ^^^^^
      |
      = help: take one out, or give one a name of its own in a column "id"

    warning[address-shared]: pm@ke.example.org stands in 2 rows: lines 2 and 7
     --> recipients.csv:7:27
      |
    7 | 12/10/2021 18:03:11,KENYA,PM@KE.EXAMPLE.ORG,,,,,duplicate of row 2
      |                           ^^^^^^^^^^^^^^^^^
      |
      = help: it gets a letter for each of them
    "#);
}

#[test]
fn every_bad_address_gets_its_own_help() {
    let (roster, told) = fixture(include_bytes!("../fixtures/bad_addresses.csv"));
    insta::assert_snapshot!(rows(&roster), @r#"
    2 MEX PermanentRepresentative None - [mx@mx.example.org] []
    3 NOR PermanentRepresentative None - [no@no.example.org] []
    7 NER PermanentRepresentative None - [ne@ne.example.org] []
    8 TUN PermanentRepresentative None - ["Mission, Tunisia" <tn@tn.example.org>] []
    9 CHN PermanentRepresentative None - [中国@xn--fsqu00a.example.org] []
    10 FRA PermanentRepresentative None - [fr@fr.example.org] []
    "#);
    insta::assert_snapshot!(told, @r#"
    note[columns-taken]: columns were known by their headers: "Country" as state, "E-mail" as to
    --> recipients.csv
     = help: recipients.columns in the config says otherwise where that is wrong

    warning[placeholders]: 6 placeholder addresses (such as ken@missions.example): they can be previewed and rehearsed, and `send` refuses them unless the relay is on this machine
    --> recipients.csv

    error[address-invalid]: "org" is not an e-mail address
     --> recipients.csv:4:22
      |
    4 | India,"in@in.example,org",C
      |                      ^^^
      |
      = help: with a dot in place of the comma: in@in.example.org

    error[address-invalid]: "ie..example.org" is not a domain name that mail can be sent to
     --> recipients.csv:5:9
      |
    5 | Ireland,ie@ie..example.org,D
      |         ^^^^^^^^^^^^^^^^^^
      |
      = help: with one dot: ie@ie.example.org

    error[address-invalid]: "ee @ee.example.org" is not an e-mail address
     --> recipients.csv:6:9
      |
    6 | Estonia,ee @ee.example.org,E
      |         ^^^^^^^^^^^^^^^^^^
      |
      = help: without the blank: ee@ee.example.org

    error[address-invalid]: "n/a" is not an e-mail address
      --> recipients.csv:11:7
       |
    11 | Ghana,n/a,J
       |       ^^^
       |
       = help: there is no address to write to: find it, or take the row out ("cc" and "bcc" may be empty)

    error[address-invalid]: "-" is not an e-mail address
      --> recipients.csv:12:7
       |
    12 | Japan,-,K
       |       ^
       |
       = help: there is no address to write to: find it, or take the row out ("cc" and "bcc" may be empty)

    error[address-invalid]: "see website" is not an e-mail address
      --> recipients.csv:13:7
       |
    13 | Chile,see website,L
       |       ^^^^^^^^^^^
       |
       = help: there is no address to write to: find it, or take the row out ("cc" and "bcc" may be empty)

    error[address-invalid]: "=HYPERLINK("mailto:pe@pe.example.org")" is not an e-mail address
      --> recipients.csv:14:7
       |
    14 | Peru,"=HYPERLINK(""mailto:pe@pe.example.org"")",M
       |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = help: this is a formula; write its value: pe@pe.example.org

    error[address-invalid]: "mt(at)mt.example.org" is not an e-mail address
      --> recipients.csv:15:7
       |
    15 | Malta,mt(at)mt.example.org,N
       |       ^^^^^^^^^^^^^^^^^^^^
       |
       = help: write mt@mt.example.org

    error[address-invalid]: "es＠es.example.org" is not an e-mail address
      --> recipients.csv:16:7
       |
    16 | Spain,es＠es.example.org,O
       |       ^^^^^^^^^^^^^^^^^^
       |
       = help: in plain characters: es@es.example.org

    error[formula]: "=cmd|' /C calc'!A0" is a spreadsheet formula, not a name
      --> recipients.csv:17:25
       |
    17 | Italy,it@it.example.org,=cmd|' /C calc'!A0
       |                         ^^^^^^^^^^^^^^^^^^
       |
       = help: write its value as text, or leave the cell empty

    error[address-invalid]: "Bcc: evil@example.net" is a header line, not an e-mail address
      --> recipients.csv:19:1
       |
    19 | Bcc: evil@example.net",header injection
       | ^^^^^^^^^^^^^^^^^^^^^
       |
       = help: take the line out; copies go into the columns "cc" and "bcc"
    "#);
}

#[test]
fn ranks_genders_and_languages_are_read_as_people_spell_them() {
    let text = "state,to,rank,gender,language\n\
        Kenya,a@m.example,Représentante permanente,Mme,Français\n\
        Malta,b@m.example,CHARGE D'AFFAIRES a.i.,m,EN\n";
    let (roster, _) = fixture(text.as_bytes());
    let read: Vec<_> = roster.rows.iter().map(|r| (r.recipient.rank, r.recipient.gender)).collect();
    assert_eq!(
        read,
        [(Rank::PermanentRepresentative, Some(Gender::Female)), (Rank::ChargeDAffaires, Some(Gender::Male))]
    );
    let languages: Vec<_> = roster.rows.iter().map(|r| r.recipient.language.clone()).collect();
    assert_eq!(languages, tags(&["fr", "en"]).into_iter().map(Some).collect::<Vec<_>>());
}

#[test]
fn every_encoding_gives_the_same_rows() {
    let text = "Pays;Courriel;Prénom\nCôte d'Ivoire;a@m.example;Aïcha\nMalte;b@m.example;é\n";
    let plain = fixture(text.as_bytes()).0.rows;
    assert_eq!(plain.len(), 2);
    let utf16: Vec<u8> = [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let (windows, _, _) = encoding_rs::WINDOWS_1252.encode(text);
    for bytes in
        [utf16.as_slice(), &windows, text.replace('\n', "\r\n").as_bytes(), text.replace('\n', "\r").as_bytes()]
    {
        assert_eq!(fixture(bytes).0.rows, plain);
    }
    assert_eq!(plain[0].recipient.columns["prénom"], "Aïcha");
    let mac = b"Pays;Courriel\nC\x99te d\xd5Ivoire;a@m.example\n";
    insta::assert_snapshot!(fixture(mac).1, @r#"
    note[encoding-detected]: recipients.csv is not UTF-8: it was read as macintosh
    --> recipients.csv
     = help: if "Côte" looks wrong, set recipients.encoding ("macintosh", "windows-1250" …)

    note[columns-taken]: columns were known by their headers: "Pays" as state, "Courriel" as to
    --> recipients.csv
     = help: recipients.columns in the config says otherwise where that is wrong

    warning[placeholders]: 1 placeholder address (such as ken@missions.example): they can be previewed and rehearsed, and `send` refuses them unless the relay is on this machine
    --> recipients.csv
    "#);
}

#[test]
fn offices_stand_among_the_missions_by_an_id() {
    let text = "state,id,to\nKenya,,a@m.example\n,osg,b@m.example\n";
    let roster = roster::read(text.as_bytes(), &options());
    assert!(!any_error(&roster.diagnostics), "{:?}", roster.diagnostics);
    assert_eq!(roster.rows[1].recipient.id.as_str(), "osg");
    assert!(roster.coverage.foreign.is_empty());
}

#[test]
fn a_million_problems_do_not_make_a_million_messages() {
    let text = format!("state,to\n{}", "Kenya,n/a\n".repeat(20_000));
    let found = codes(&text, &options());
    assert!(found.len() < 6_000);
    assert_eq!(found.last(), Some(&"too-many-problems"));
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        let _ = roster::read(&bytes, &options());
        let _ = roster::read_suppressed(&bytes, "suppressed.csv");
    }

    #[test]
    fn no_near_miss_of_a_file_makes_the_reader_panic(
        lines in proptest::collection::vec("[a-c@.,;\"<> \u{ff20}é=\r\n\t\u{200b}\u{1b}]{0,40}", 0..8),
        header in proptest::sample::select(vec!["state,to,id,name", "Pays;Courriel;Email;ISO", "id\tto\tcc\tverified_on", "sep=;\nto;id"]),
    ) {
        let roster = roster::read(format!("{header}\n{}", lines.join("\n")).as_bytes(), &options());
        for diagnostic in &roster.diagnostics {
            proptest::prop_assert!(!diagnostic.render(true).is_empty());
        }
    }
}
