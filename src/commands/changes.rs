//! Two batches, letter by letter: what an approved batch was, and what the files hold now.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use similar::{ChangeTag, TextDiff};

use crate::compose::{Composed, Composer};
use crate::domain::digest::Digest;
use crate::domain::language::Language;
use crate::domain::message::{Envelope, Field};
use crate::domain::prose::letters;
use crate::domain::recipient::Recipient;
use crate::domain::reply::visible;
use crate::ledger::{ApprovedBatch, Edition};

use super::frozen;
use super::prepare::{Batch, compose_for_look};

/// In how many letters it is looked up what changed; of the others it is only said that they did.
const LOOKED_INTO: usize = 1_000;
/// The most lines of a letter's text that are shown.
const LINES: usize = 8;
/// The most groups of letters, and ids of a group, that a screen shows.
const SHOWN: usize = 12;

/// What became of a batch since it was approved.
pub(super) struct Changes {
    /// Letters that are in both and differ.
    pub(super) changed: Vec<Change>,
    /// Rows that joined.
    pub(super) joined: Vec<String>,
    /// Rows that left the file.
    pub(super) left: Vec<String>,
    /// Rows that are suppressed now.
    pub(super) suppressed: Vec<String>,
}

/// One letter that differs.
pub(super) struct Change {
    /// The row.
    pub(super) id: String,
    /// Each thing that differs, in words.
    pub(super) what: Vec<String>,
    /// Lines of the text, those that went with `- ` before them, those that came with `+ `.
    pub(super) lines: Vec<String>,
}

impl Changes {
    /// What the files hold now, beside what was approved.
    pub(super) fn since(approved: &ApprovedBatch, batch: &Batch) -> Self {
        let before: BTreeMap<&str, &(Recipient, Digest)> =
            approved.letters.iter().map(|letter| (letter.0.id.as_str(), letter)).collect();
        let now = batch.rows.iter().zip(&batch.digests).filter(|(row, _)| row.suppressed.is_none());
        let now: BTreeMap<&str, (&Recipient, Digest)> =
            now.map(|(row, digest)| (row.recipient.id.as_str(), (&row.recipient, *digest))).collect();
        let old = frozen::thaw(&approved.edition).ok();
        let mut changes = Self { changed: Vec::new(), joined: Vec::new(), left: Vec::new(), suppressed: Vec::new() };
        for (id, (recipient, digest)) in &now {
            match before.get(id) {
                None => changes.joined.push((*id).to_owned()),
                Some((_, was)) if was == digest => {}
                Some((was, _)) => {
                    let old = old.as_ref().filter(|_| changes.changed.len() < LOOKED_INTO);
                    changes.changed.push(change(old, was, batch, recipient, &approved.edition));
                }
            }
        }
        let in_file: BTreeSet<&str> = batch.rows.iter().map(|row| row.recipient.id.as_str()).collect();
        let gone = before.keys().filter(|id| !now.contains_key(*id)).map(|id| (*id).to_owned());
        (changes.suppressed, changes.left) = gone.partition(|id| in_file.contains(id.as_str()));
        changes
    }

    /// True if nothing did.
    pub(super) fn is_none(&self) -> bool {
        self.brings_nothing_new() && self.left.is_empty() && self.suppressed.is_empty()
    }

    /// True if every letter that would go out is as it was approved.
    fn brings_nothing_new(&self) -> bool {
        self.changed.is_empty() && self.joined.is_empty()
    }

    /// For a person: letters with the same change stand together.
    pub(super) fn to_text(&self) -> String {
        let mut text = String::new();
        let groups =
            [("joined the batch", &self.joined), ("left the file", &self.left), ("now suppressed", &self.suppressed)];
        for (what, ids) in groups {
            if !ids.is_empty() {
                text.push_str(&format!("  {} {what}: {}\n", rows(ids.len()), list(ids)));
            }
        }
        if self.brings_nothing_new() && !self.is_none() {
            text.push_str(
                "  Every other letter is as it was approved. An approval is of exactly one batch, though: whoever approves has to \
                 approve what is left of it as well\n",
            );
        }
        let mut groups: Vec<(&Change, Vec<String>)> = Vec::new();
        for change in &self.changed {
            match groups.iter_mut().find(|(first, _)| first.what == change.what && first.lines == change.lines) {
                Some((_, ids)) => ids.push(change.id.clone()),
                None => groups.push((change, vec![change.id.clone()])),
            }
        }
        for (change, ids) in groups.iter().take(SHOWN) {
            text.push_str(&format!("  {}: {}\n", list(ids), change.what.join("; ")));
            for line in &change.lines {
                text.push_str(&format!("      {line}\n"));
            }
        }
        let rest: usize = groups.iter().skip(SHOWN).map(|(_, ids)| ids.len()).sum();
        if rest > 0 {
            text.push_str(&format!("  and {} more; `demarche approve --list --json` lists all\n", letters(rest)));
        }
        text
    }

    /// `{"changed": [{"id", "what", "lines"}], "joined": [id], "left": [id], "suppressed": [id]}`; who is suppressed has left, too.
    pub(super) fn to_json(&self) -> serde_json::Value {
        let changed = self.changed.iter();
        let left = [self.left.as_slice(), self.suppressed.as_slice()].concat();
        json!({
            "changed": changed.map(|one| json!({ "id": one.id, "what": one.what, "lines": one.lines })).collect::<Vec<_>>(),
            "joined": self.joined,
            "left": left,
            "suppressed": self.suppressed,
        })
    }
}

fn change(old: Option<&Composer>, was: &Recipient, batch: &Batch, recipient: &Recipient, edition: &Edition) -> Change {
    let id = recipient.id.to_string();
    let before = old.and_then(|composer| compose_for_look(composer, was).ok());
    let after = compose_for_look(&batch.composer, recipient).ok();
    let (Some(before), Some(after)) = (before, after) else {
        return Change { id, what: vec!["changed".to_owned()], lines: Vec::new() };
    };
    let mut what = addresses(&before.message.envelope, &after.message.envelope);
    what.extend(words(&before, &after));
    let paths: BTreeSet<String> = batch.composer.attachment_paths(recipient).into_iter().collect();
    let files = changed_files(edition, &batch.edition, &paths);
    if before.attachments != after.attachments {
        what.push(format!("attachments: {} (were {})", named(&after.attachments), named(&before.attachments)));
    } else if !files.is_empty() {
        what.push(format!("the content of {}", files.join(", ")));
    }
    let lines = text_lines(&before.rendered.text, &after.rendered.text);
    if !lines.is_empty() {
        what.push("text".to_owned());
    } else if before.rendered.html != after.rendered.html {
        what.push("layout".to_owned());
    }
    if what.is_empty() {
        what.push("neither text nor addresses: a header line, or a picture".to_owned());
    }
    Change { id, what: what.iter().map(|what| visible(what)).collect(), lines }
}

fn addresses(before: &Envelope, after: &Envelope) -> Vec<String> {
    let mut what = Vec::new();
    if before.reverse_path != after.reverse_path {
        what.push(format!("from {} (was {})", after.reverse_path, before.reverse_path));
    }
    for field in [Field::To, Field::Cc, Field::Bcc] {
        let of = |envelope: &Envelope| -> Vec<String> {
            envelope.forward_paths.iter().filter(|p| p.field == field).map(|p| p.address.clone()).collect()
        };
        let (was, is) = (of(before), of(after));
        if was != is {
            what.push(format!("{} {} (was {})", field.name(), named(&is), named(&was)));
        }
    }
    what
}

fn words(before: &Composed, after: &Composed) -> Vec<String> {
    let mut what = Vec::new();
    let language = |composed: &Composed| -> Language { composed.rendered.language.clone() };
    if language(before) != language(after) {
        what.push(format!("language {} (was {})", language(after), language(before)));
    }
    if before.rendered.subject != after.rendered.subject {
        what.push(format!("subject “{}” (was “{}”)", after.rendered.subject, before.rendered.subject));
    }
    what
}

fn changed_files(old: &Edition, new: &Edition, paths: &BTreeSet<String>) -> Vec<String> {
    let find = |edition: &Edition, path: &str| {
        edition
            .sources
            .iter()
            .find(|source| frozen::attachment_path(&source.name) == Some(path))
            .map(|s| s.bytes.clone())
    };
    paths.iter().filter(|path| find(old, path) != find(new, path)).cloned().collect()
}

fn text_lines(before: &str, after: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(before, after);
    let mut lines: Vec<String> = diff
        .iter_all_changes()
        .filter(|change| !change.value().trim().is_empty())
        .filter_map(|change| match change.tag() {
            ChangeTag::Delete => Some(format!("- {}", visible(change.value().trim_end()))),
            ChangeTag::Insert => Some(format!("+ {}", visible(change.value().trim_end()))),
            ChangeTag::Equal => None,
        })
        .collect();
    let more = lines.len().saturating_sub(LINES);
    if more > 0 {
        lines.truncate(LINES);
        lines.push(format!("  … and {more} more lines"));
    }
    lines
}

fn named(items: &[String]) -> String {
    if items.is_empty() { "none".to_owned() } else { items.join(", ") }
}

fn list(ids: &[String]) -> String {
    let shown = ids.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if ids.len() > SHOWN { format!("{shown} and {} more", ids.len() - SHOWN) } else { shown }
}

fn rows(count: usize) -> String {
    if count == 1 { "1 row".to_owned() } else { format!("{count} rows") }
}
