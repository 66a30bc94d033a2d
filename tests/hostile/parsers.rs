//! Any bytes into every parser: no panic, and an answer. The parsers that have such a test beside them are not here again.

use demarche::domain::mailbox::Mailbox;
use demarche::domain::settings::LetterSettings;
use demarche::letter::{Letter, SourceFile};
use demarche::roster;
use demarche::smtp::Capabilities;
use proptest::prelude::*;

fn settings() -> LetterSettings {
    LetterSettings {
        campaign_id: "open-letter".into(),
        campaign_name: "An open letter".into(),
        event: None,
        vars: serde_json::Map::new(),
        from: Mailbox::parse("letters@coalition.example").expect("a mailbox"),
        reply_to: None,
        bcc: Vec::new(),
        list_unsubscribe: None,
        default_language: demarche::domain::language::Language::parse("en").expect("a language"),
        attachments: Vec::new(),
    }
}

fn bytes(most: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 0..most)
}

proptest! {
    #[test]
    fn any_greeting_is_understood_or_ignored(lines in proptest::collection::vec(
        prop_oneof![
            bytes(60),
            "(?i)(SIZE|AUTH|STARTTLS|PIPELINING|8BITMIME|SMTPUTF8)[ =-]{0,2}[ -~]{0,30}".prop_map(String::into_bytes),
        ],
        0..12,
    )) {
        let understood = Capabilities::parse(&lines);
        prop_assert!(understood.auth.len() <= lines.iter().map(Vec::len).sum::<usize>());
    }

    #[test]
    fn any_list_of_suppressed_addresses_is_read_or_refused(text in bytes(200)) {
        let (addresses, _) = roster::read_suppressed(&text, "suppressed.csv");
        prop_assert!(addresses.len() <= text.len());
    }

    #[test]
    fn any_cell_of_addresses_is_read_or_refused(cell in "(?s)[a-z@.,;<>\"'\\\\ \r\n\u{0}\u{a0}\u{202e}é＠(){}\\[\\]:=-]{0,40}") {
        let (mailboxes, problems) = Mailbox::parse_list(&cell);
        for mailbox in mailboxes {
            let shown = mailbox.to_string();
            prop_assert!(!shown.contains(['\r', '\n', '\0']), "{shown:?}");
        }
        for (range, ..) in problems {
            prop_assert!(cell.get(range).is_some());
        }
    }

    #[test]
    fn any_letter_is_loaded_or_refused(
        head in "(?s)(subject = \"[ -~é{}%]{0,20}\"\n|[a-z_]{0,9} = [\\[\\]\"'a-z0-9{}]{0,9}\n|[ -~]{0,9}\n){0,4}",
        body in "(?s)([{]{2} ?[a-z.|\"() ]{0,12}[}]{0,2}|[{]% ?[a-z \"]{0,16}%?[}]?|[ -~\n]{0,20}){0,6}",
        layout in bytes(60),
    ) {
        let file = |name: &str, bytes: Vec<u8>| SourceFile { name: name.to_owned(), bytes };
        let files = [file("letter.en.md", format!("+++\n{head}+++\n{body}").into_bytes()), file("layout.html", layout)];
        let (letter, problems) = Letter::load(&files, "templates", &settings());
        prop_assert!(letter.is_some() || !problems.is_empty());
    }
}
