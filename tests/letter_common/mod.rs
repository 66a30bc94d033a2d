//! Settings and rows for the tests of the letter room.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part of it")]

use std::collections::BTreeMap;

use demarche::diagnostic::Diagnostic;
use demarche::domain::language::Language;
use demarche::domain::mailbox::Mailbox;
use demarche::domain::recipient::{Gender, Rank, Recipient, RecipientId};
use demarche::domain::settings::{Event, LetterSettings};
use demarche::domain::state::StateCode;
use demarche::letter::{Letter, Rendered, SourceFile};

/// The settings of the example config.
pub fn settings() -> LetterSettings {
    let vars = serde_json::json!({
        "organizations": 380,
        "countries": 88,
        "contact_email": "advocacy@coalition.example",
        "contact_phone": "+1 212 555 0100",
        "letter_url": "https://coalition.example/open-letter",
        "reply_by": "2021-10-15",
        "letter_date": "2021-09-01",
        "secretary_general": "António Guterres",
        "assistant_secretary_general": "Ilze Brands Kehris",
    });
    LetterSettings {
        campaign_id: "wps-open-letter-2021".into(),
        campaign_name: "Stand with women human rights defenders".into(),
        event: Some(Event {
            name: "Security Council open debate on women, peace and security".into(),
            at: "2021-10-21T10:00-04:00".parse().expect("a time"),
            zone: "America/New_York".into(),
        }),
        vars: vars.as_object().cloned().expect("an object"),
        from: Mailbox::parse("Coalition Secretariat <letters@coalition.example>").expect("a mailbox"),
        reply_to: None,
        bcc: vec![],
        list_unsubscribe: None,
        default_language: Language::parse("en").expect("a language"),
        attachments: vec![],
    }
}

/// A row for a state, or for an office if the code is empty.
pub fn row(iso3: &str) -> Recipient {
    Recipient {
        id: RecipientId::parse(if iso3.is_empty() { "office" } else { iso3 }).expect("an id"),
        state: StateCode::parse(iso3),
        to: vec![Mailbox::parse("mission@missions.example").expect("a mailbox")],
        cc: vec![],
        bcc: vec![],
        language: None,
        rank: Rank::PermanentRepresentative,
        name: None,
        gender: None,
        attachments: vec![],
        verified_on: None,
        columns: BTreeMap::new(),
        line: 2,
    }
}

pub fn with_rank(iso3: &str, rank: Rank, gender: Option<Gender>, name: Option<&str>) -> Recipient {
    Recipient { rank, gender, name: name.map(str::to_owned), ..row(iso3) }
}

pub fn with_cell(column: &str, value: &str) -> Recipient {
    let mut row = row("KEN");
    row.columns.insert(column.into(), value.into());
    row
}

pub fn file(name: &str, text: &str) -> SourceFile {
    SourceFile { name: name.into(), bytes: text.as_bytes().to_vec() }
}

/// The templates of this repository.
pub fn shipped() -> Letter {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates");
    let (files, problems) = demarche::letter::read_folder(&folder, "templates");
    assert!(problems.is_empty(), "{}", shown(&problems));
    let (letter, problems) = Letter::load(&files, "templates", &settings());
    assert!(problems.is_empty(), "{}", shown(&problems));
    letter.expect("a letter")
}

/// A letter with that body and a plain subject.
pub fn letter(body: &str) -> Letter {
    with_subject("S", body)
}

pub fn with_subject(subject: &str, body: &str) -> Letter {
    let (letter, problems) = try_load(&[("letter.en.md", &format!("+++\nsubject = '{subject}'\n+++\n{body}"))]);
    letter.unwrap_or_else(|| panic!("{}", shown(&problems)))
}

pub fn try_load(files: &[(&str, &str)]) -> (Option<Letter>, Vec<Diagnostic>) {
    let files: Vec<SourceFile> = files.iter().map(|(name, text)| file(name, text)).collect();
    Letter::load(&files, "templates", &settings())
}

pub fn render(letter: &Letter, row: &Recipient) -> Rendered {
    letter.render(row, 0).unwrap_or_else(|problems| panic!("{}", shown(&problems)))
}

pub fn shown(problems: &[Diagnostic]) -> String {
    problems.iter().map(|problem| problem.render(false)).collect::<Vec<_>>().join("\n")
}
