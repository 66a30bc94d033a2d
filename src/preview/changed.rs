//! A letter against an earlier one: what changed in it, in a word each for the lists, and in full for its own page.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use super::files::Attached;
use super::item::{Earlier, EarlierFile, Item, Standing};
use super::letter_page::fields_of;
use super::{difference, manifest};
use crate::domain::digest::Digest;
use crate::domain::markup::escape;
use crate::domain::size::size;

/// What changed in a letter, each change by its kind.
pub(super) type Kinds = Vec<Kind>;
/// Where the former versions of files are in the folder, by their content.
pub(super) type Formers = HashMap<Digest, String>;

/// One kind of change in a letter.
#[derive(Debug, Clone)]
pub(super) struct Kind {
    /// In a word or two.
    pub(super) what: Cow<'static, str>,
    /// The same in letters in which the same was taken out and put in.
    delta: u64,
    /// The file, where it is one with another content.
    file: Option<Arc<FileChange>>,
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.what == other.what && self.delta == other.delta
    }
}

impl Kind {
    fn new(what: impl Into<Cow<'static, str>>, delta: u64) -> Self {
        Self { what: what.into(), delta, file: None }
    }

    /// As HTML, on a page in the preview's folder.
    pub(super) fn html(&self) -> String {
        match &self.file {
            None => escape(&self.what),
            Some(file) => format!("the content of {}", file.html("", false)),
        }
    }
}

/// A file that has another content under the same name.
#[derive(Debug)]
struct FileChange {
    now: Arc<Attached>,
    was: EarlierFile,
    /// Where its former version is.
    former: Option<String>,
}

impl FileChange {
    fn sizes(&self) -> String {
        if self.was.bytes == self.now.bytes {
            format!("{} as before", size(self.now.bytes))
        } else {
            format!("{}, was {}", size(self.now.bytes), size(self.was.bytes))
        }
    }

    /// With links; `up` leads from the page to the folder.
    fn html(&self, up: &str, in_full: bool) -> String {
        let former = self.former.as_ref().map(|file| {
            format!("<a href=\"{up}{}\" target=\"_blank\" rel=\"noopener\">the former version</a>", escape(file))
        });
        if !in_full {
            let former = former.map_or_else(String::new, |link| format!("; {link}"));
            return format!("{} ({}{former})", self.now.link(up), self.sizes());
        }
        let former = former.map_or_else(String::new, |link| format!(" ({link})"));
        format!(
            "{}: another content under the same name. It is now {}, SHA-256 <span class=\"digest\">{}</span>; it was {}, \
             SHA-256 <span class=\"digest\">{}</span>{former}.",
            self.now.link(up),
            size(self.now.bytes),
            self.now.digest,
            size(self.was.bytes),
            self.was.digest
        )
    }
}

/// The letter against the earlier ones, where it differs.
pub(super) fn changes(item: &Item, text: &str, since_preview: Option<&Standing>, formers: &Formers) -> String {
    let shown = |standing: Option<&Standing>| match standing {
        None | Some(Standing::Same) => String::new(),
        Some(Standing::New) => "<p>The letter is new.</p>\n".to_owned(),
        Some(Standing::Changed(earlier)) => changed(item, text, earlier, formers),
    };
    let (preview, approved) = (shown(since_preview), shown(item.approved.as_ref()));
    let mut html = String::new();
    let is_new = |standing: Option<&Standing>| matches!(standing, Some(Standing::New));
    if !preview.is_empty() && preview == approved {
        let head = if is_new(since_preview) {
            "New since the last preview, and not among the letters approved"
        } else {
            "Changed since the last preview; the same changes since it was approved"
        };
        return format!("<h3>{head}</h3>\n{preview}");
    }
    let heads = [
        if is_new(since_preview) { "New since the last preview" } else { "Changed since the last preview" },
        if is_new(item.approved.as_ref()) { "Not among the letters approved" } else { "Changed since it was approved" },
    ];
    for (head, block) in heads.into_iter().zip([preview, approved]) {
        if !block.is_empty() {
            let _ = writeln!(html, "<h3>{head}</h3>\n{block}");
        }
    }
    html
}

/// What changed in a letter whose text is still in it, by its kinds.
pub(super) fn kinds(item: &Item, earlier: &Earlier, formers: &Formers) -> Kinds {
    let mut kinds = Kinds::new();
    for (label, now) in fields_of(item) {
        let before = earlier.fields.iter().find(|(known, _)| *known == label).map(|(_, value)| value);
        let Some(before) = before.filter(|before| **before != now) else { continue };
        let kind = match label.as_str() {
            "Subject" => "subject",
            "Language" => "language",
            "Attachments" => "attachment",
            _ => "address",
        };
        if !kinds.iter().any(|known| known.what == kind) {
            kinds.push(Kind::new(kind, difference::delta(&difference::words(before, &now))));
        }
    }
    if kinds.iter().any(|kind| kind.what == "language") {
        // Another language has another subject and text.
        kinds.retain(|kind| kind.what != "subject");
    } else if let Some(before) = earlier.text.as_deref() {
        let marked = difference::marked(before, &item.text);
        if !marked.is_empty() {
            kinds.push(Kind::new("text", difference::delta(&marked)));
        }
    }
    for file in other_files(item, earlier, formers) {
        let mut of = DefaultHasher::new();
        (file.now.digest.as_bytes(), file.was.digest.as_bytes()).hash(&mut of);
        let what = format!("the content of {} ({})", file.now.name, file.sizes());
        kinds.push(Kind { what: what.into(), delta: of.finish(), file: Some(Arc::new(file)) });
    }
    if kinds.is_empty() {
        let kind = match earlier {
            Earlier { text: None, .. } => UNKNOWN,
            Earlier { files: None, .. } if manifest::with(item).next().is_some() => ELSE_OR_FILE,
            _ => ELSE,
        };
        kinds.push(Kind::new(kind, 0));
    }
    kinds
}

/// What changed in the same way in each of several letters.
pub(super) fn in_all<'a>(mut letters: impl Iterator<Item = &'a Kinds>) -> Kinds {
    let Some(first) = letters.next() else { return Kinds::new() };
    let (mut common, mut count) = (first.clone(), 1);
    for kinds in letters {
        count += 1;
        common.retain(|kind| kinds.contains(kind));
        if common.is_empty() {
            break;
        }
    }
    if count > 1 { common } else { Kinds::new() }
}

/// The files of a letter that had another content under the same name.
fn other_files(item: &Item, earlier: &Earlier, formers: &Formers) -> Vec<FileChange> {
    let Some(before) = &earlier.files else { return Vec::new() };
    let mut others: Vec<FileChange> = Vec::new();
    for now in manifest::with(item) {
        let mut of_name = before.iter().filter(|file| file.name == now.name);
        let Some(was) = of_name.clone().next() else { continue };
        let is_told = others.iter().any(|other| other.now.name == now.name);
        if !is_told && !of_name.any(|file| file.digest == now.digest) {
            let former = formers.get(&was.digest).cloned();
            others.push(FileChange { now: Arc::clone(now), was: was.clone(), former });
        }
    }
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

fn changed(item: &Item, now_text: &str, earlier: &Earlier, formers: &Formers) -> String {
    let mut html = String::new();
    let now = fields_of(item);
    let is_other =
        |(label, now): &&(String, String)| earlier.fields.iter().any(|(known, was)| known == label && was != now);
    let other_language = now.iter().filter(is_other).any(|(label, _)| label == "Language");
    for (label, now) in now.iter().filter(is_other) {
        let was = earlier.fields.iter().find(|(known, _)| known == label).map_or("", |(_, was)| was);
        let told = if other_language { difference::whole(was, now) } else { difference::words(was, now) };
        let _ = writeln!(html, "<p dir=\"auto\"><b>{label}:</b> {told}</p>");
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
    for file in other_files(item, earlier, formers) {
        let _ = writeln!(html, "<p>{}</p>", file.html("../", true));
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
