//! A letter against an earlier one: what changed in it, in a word each for the lists, and in full for its own page.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::files::Attached;
use super::item::{Earlier, Item, Standing};
use super::letter_page::fields_of;
use super::{Kinds, difference, manifest};
use crate::domain::markup::escape;

/// The letter against the earlier ones, where it differs.
pub(super) fn changes(item: &Item, text: &str, since_preview: Option<&Standing>) -> String {
    let mut html = String::new();
    let bases = [("the last preview", since_preview), ("what was approved", item.approved.as_ref())];
    for (what, standing) in bases {
        match standing {
            None | Some(Standing::Same) => {}
            Some(Standing::New) => {
                let _ = writeln!(html, "<h3>Since {what}</h3>\n<p>The letter is new.</p>");
            }
            Some(Standing::Changed(earlier)) => {
                let _ = writeln!(html, "<h3>Since {what}</h3>");
                html.push_str(&changed(item, text, earlier));
            }
        }
    }
    html
}

/// What changed in a letter whose text is still in it, in a word each.
pub(super) fn kinds(item: &Item, earlier: &Earlier) -> Kinds {
    let mut kinds = Kinds::new();
    for (label, now) in fields_of(item) {
        let before = earlier.fields.iter().find(|(known, _)| *known == label).map(|(_, value)| value);
        if before.is_none_or(|before| *before == now) {
            continue;
        }
        let kind = match label.as_str() {
            "Subject" => "subject",
            "Language" => "language",
            "Attachments" => "attachment",
            _ => "address",
        };
        if !kinds.contains(&Cow::Borrowed(kind)) {
            kinds.push(kind.into());
        }
    }
    if kinds.contains(&Cow::Borrowed("language")) {
        // Another language has another subject and text.
        kinds.retain(|kind| kind != "subject");
    } else if earlier.text.as_deref().is_some_and(|before| !difference::marked(before, &item.text).is_empty()) {
        kinds.push("text".into());
    }
    kinds.extend(other_files(item, earlier).into_iter().map(|file| format!("the content of {}", file.name).into()));
    if kinds.is_empty() {
        let kind = match earlier {
            Earlier { text: None, .. } => UNKNOWN,
            Earlier { files: None, .. } if manifest::with(item).next().is_some() => ELSE_OR_FILE,
            _ => ELSE,
        };
        kinds.push(kind.into());
    }
    kinds
}

/// The files of a letter that had another content under the same name.
fn other_files<'a>(item: &'a Item, earlier: &Earlier) -> Vec<&'a Attached> {
    let Some(before) = &earlier.files else { return Vec::new() };
    let mut others: Vec<&Attached> = manifest::with(item)
        .map(|file| &**file)
        .filter(|file| before.iter().any(|(name, _)| *name == file.name))
        .filter(|file| !before.iter().any(|(name, digest)| *name == file.name && *digest == file.digest))
        .collect();
    others.dedup_by(|a, b| a.name == b.name);
    others
}

/// What can change beside addresses, words and files.
const ELSE: &str = "layout or a header line";
/// The same where the earlier preview did not say what was in its files.
const ELSE_OR_FILE: &str = "layout, a header line or what is in an attachment";
/// Where the earlier letter is not at hand.
const UNKNOWN: &str = "something that is not known any more";

/// Every kind of change but the content of a file, in the order in which they are told.
pub(super) const KINDS: [&str; 8] =
    ["text", "subject", "address", "language", "attachment", ELSE, ELSE_OR_FILE, UNKNOWN];

fn changed(item: &Item, now_text: &str, earlier: &Earlier) -> String {
    let mut html = String::new();
    let mut other_language = false;
    for (label, now) in fields_of(item) {
        let before = earlier.fields.iter().find(|(known, _)| *known == label).map(|(_, value)| value);
        if let Some(before) = before.filter(|before| **before != now) {
            other_language |= label == "Language";
            let _ = writeln!(html, "<p dir=\"auto\"><b>{label}:</b> {}</p>", difference::words(before, &now));
        }
    }
    match &earlier.text {
        // Two languages have no words to compare.
        Some(before) if other_language => {
            for (head, text) in [("It was", before.as_str()), ("It is now", now_text)] {
                let text = escape(text);
                let _ = writeln!(
                    html,
                    "<h4>{head}</h4>\n<pre tabindex=\"0\" aria-label=\"{head}\" dir=\"auto\">\n{text}</pre>"
                );
            }
        }
        Some(before) => html.push_str(&difference::marked(before, now_text)),
        None => html.push_str("<p class=\"quiet\">The earlier text is not known any more.</p>\n"),
    }
    for file in other_files(item, earlier) {
        let _ = writeln!(html, "<p><b><bdi>{}</bdi>:</b> another content under the same name</p>", escape(&file.name));
    }
    if html.is_empty() {
        let what = if earlier.files.is_some() || manifest::with(item).next().is_none() {
            ""
        } else {
            ", or what is in an attachment,"
        };
        let _ = writeln!(
            html,
            "<p>Addresses, subject, text and the names of files are the same; the layout or a header line{what} is another.</p>"
        );
    }
    html
}
