//! What the tests of the recipients file share.

use std::time::Duration;

use demarche::diagnostic::Diagnostic;
use demarche::domain::audience::Audience;
use demarche::domain::language::Language;
use demarche::roster::{self, Options};

/// As for a rehearsal of the whole campaign on 1 September 2021, with an English template.
pub(crate) fn options() -> Options {
    let english = Language::parse("en").expect("a tag");
    Options {
        file: "recipients.csv".into(),
        sheet: None,
        hidden_rows: roster::HiddenRows::Refuse,
        encoding: None,
        delimiter: None,
        columns: std::collections::BTreeMap::new(),
        audience: Audience::MemberStates,
        stale_after: Some(Duration::from_secs(60 * 86_400)),
        today: jiff::civil::date(2021, 9, 1),
        default_language: english.clone(),
        languages: vec![english],
        suppressed: Vec::new(),
        placeholders_allowed: true,
    }
}

/// Everything a person reads about a file, except for the warning of placeholders.
pub(crate) fn told(text: &str, options: &Options) -> String {
    let roster = roster::read(text.as_bytes(), options);
    let quiet = |d: &&Diagnostic| d.code != "placeholders" || !options.placeholders_allowed;
    roster.diagnostics.iter().filter(quiet).map(|d| d.render(false)).collect::<Vec<_>>().join("\n")
}

/// The codes of what was found.
pub(crate) fn codes(text: &str, options: &Options) -> Vec<&'static str> {
    roster::read(text.as_bytes(), options).diagnostics.iter().map(|d| d.code).collect()
}
