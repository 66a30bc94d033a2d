//! `[recipients]`: the file, whom it should reach, and how to read it where detection is wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use super::duration::{Zero, duration};
use super::value::Refusal;
use super::walk::{Section, nearest};
use super::{Recipients, paths};
use crate::domain::audience::{Audience, AudienceError};

/// `[recipients]`.
pub(super) fn recipients(root: &Section<'_>) -> Recipients {
    let known = ["file", "sheet", "audience", "stale_after", "encoding", "delimiter", "columns"];
    let section = root.section("recipients", &known);
    let (file, file_shown) = paths::inside(&section, "file", "recipients.csv");
    Recipients {
        file,
        file_shown,
        sheet: section.value("sheet").and_then(|value| value.text("\"Missions\"").map(str::to_owned)),
        audience: section
            .value("audience")
            .and_then(|value| {
                let all = value.read_items("\"member-states\"", audience);
                Audience::together(all).map_err(|error| value.refuse(&refusal(&error, ""))).ok()
            })
            .unwrap_or(Audience::Any),
        stale_after: duration(&section, "stale_after", Duration::from_secs(60 * 86_400), Zero::Refused),
        encoding: section.value("encoding").and_then(|value| value.read("\"windows-1252\"", encoding)),
        delimiter: section.value("delimiter").and_then(|value| value.read("\";\"", delimiter)),
        columns: columns(&section),
        suppressed: section.sheet.folder.join("suppressed.csv"),
    }
}

fn audience(text: &str) -> Result<Audience, Refusal> {
    text.parse().map_err(|error| refusal(&error, text))
}

fn refusal(error: &AudienceError, text: &str) -> Refusal {
    let names = Audience::names();
    let list = names.join(", ");
    match error {
        AudienceError::Unknown(_) => {
            let help = match nearest(text, names.iter().map(String::as_str)) {
                Some(near) => format!("did you mean \"{near}\"? There are: {list}"),
                None => format!("write one of: {list}; or several: [\"member-states\", \"observers\"]"),
            };
            Refusal::new("audience-unknown", "is no audience that the tables know", help)
        }
        AudienceError::Year => {
            let councils: Vec<&str> =
                names.iter().map(String::as_str).filter(|name| name.starts_with("security-council-")).collect();
            let message = "does not say of which year, and the tables hold only some: the members change";
            Refusal::new("audience-unknown", message, format!("write one of: {}", councils.join(", ")))
        }
        AudienceError::AnyBeside => {
            let message = "holds \"any\", which expects nobody, beside another audience";
            Refusal::new("audience-unknown", message, "take \"any\" out, or leave it alone")
        }
    }
}

/// The WHATWG name of an encoding; `MacRoman` is what people call `macintosh`.
fn encoding(text: &str) -> Result<String, Refusal> {
    let label = text.trim().to_ascii_lowercase();
    let label = if matches!(label.as_str(), "macroman" | "mac-roman") { "macintosh" } else { &label };
    encoding_rs::Encoding::for_label(label.as_bytes()).map(|found| found.name().to_owned()).ok_or_else(|| {
        let help =
            "write for example \"utf-8\", \"windows-1252\", \"utf-16le\" or \"macintosh\", or leave it to detection";
        Refusal::new("encoding-unknown", "is no encoding known here", help)
    })
}

fn delimiter(text: &str) -> Result<u8, Refusal> {
    match text.as_bytes() {
        b"tab" => Ok(b'\t'),
        [byte] if *byte == b'\t' || (byte.is_ascii_punctuation() && *byte != b'"') => Ok(*byte),
        _ => {
            let help = "write \",\" or \";\" or \"tab\", or leave it to detection";
            Err(Refusal::new("delimiter-invalid", "must be one character that stands between fields", help))
        }
    }
}

fn columns(section: &Section<'_>) -> BTreeMap<String, String> {
    const EXAMPLE: &str = "columns = { email = \"Courriel\" }";
    let Some(value) = section.value("columns") else { return BTreeMap::new() };
    if value.inner.as_table().is_none() {
        value.wrong_type("a table of our names and the file's", EXAMPLE);
        return BTreeMap::new();
    }
    value
        .children()
        .filter_map(|(ours, theirs)| Some((ours.to_owned(), theirs.text("\"Courriel\"")?.to_owned())))
        .collect()
}
