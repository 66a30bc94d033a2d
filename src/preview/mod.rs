//! The dry run as files: one .eml a mission and a page to look at them all.
//!
//! A [`Preview`] is made of a folder, takes the letters one by one and ends with an `index.html`. Nothing in it is
//! loaded from the network, nothing in it runs, and the .eml files hold exactly the bytes that would be sent.

mod folder;
mod gallery;
mod letter_page;

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use self::folder::Folder;
use self::letter_page::Content;
use crate::domain::digest::Digest;
use crate::domain::language::Language;
use crate::domain::recipient::RecipientId;
use crate::domain::state::StateCode;

/// One letter of the preview.
#[derive(Debug, Clone)]
pub struct Item {
    /// The row's id; it names the files.
    pub id: String,
    /// The mission: its state's short name, or the id.
    pub name: String,
    /// The state, for rows that have one.
    pub state: Option<StateCode>,
    /// The letter's language.
    pub language: Language,
    /// The To mailboxes as they stand in the header.
    pub to: Vec<String>,
    /// The Cc mailboxes.
    pub cc: Vec<String>,
    /// The Bcc mailboxes, which stand in the envelope only.
    pub bcc: Vec<String>,
    /// The decoded subject.
    pub subject: String,
    /// The size of the message in octets.
    pub bytes: u64,
    /// The digest of this letter.
    pub digest: Digest,
    /// The text/plain part, decoded.
    pub text: String,
    /// The text/html part, decoded, with its pictures in it.
    pub html: String,
    /// The names of the attached files.
    pub attachments: Vec<String>,
}

/// What the page says about the batch as a whole.
#[derive(Debug, Clone)]
pub struct Page {
    /// The campaign's name.
    pub campaign: String,
    /// The batch's digest: what `send --approve` takes.
    pub digest: Digest,
    /// The event the letter is written for, and when it is.
    pub event: Option<String>,
    /// The From mailbox.
    pub from: String,
    /// How many states the audience has; 0 if it is any list.
    pub expected: usize,
    /// The names of those that no letter goes to.
    pub missing: Vec<String>,
    /// When the preview was made.
    pub generated: Timestamp,
}

/// Why a preview could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// The folder holds something that is no preview.
    #[error("\"{}\" holds files that no preview made, so nothing was written: name a new or empty folder", .0.display())]
    NotOurs(PathBuf),
    /// The path, or the `letters` in it, is not a folder.
    #[error("\"{}\" is not a folder: name a new or empty one", .0.display())]
    NotAFolder(PathBuf),
    /// Somebody else's file has the name, or two ids differ in nothing that the file system tells apart.
    #[error("\"{}\" is there already and is not from an earlier preview: move it away, or name a new folder", .0.display())]
    Exists(PathBuf),
    /// The id cannot name a file.
    #[error("\"{0}\" cannot name a file: an id is 1 to 64 letters, digits, \".\", \"_\" or \"-\"")]
    Id(String),
    /// The folder could not be read.
    #[error("cannot read \"{}\": {source}", path.display())]
    Read {
        /// What was to be read.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
    /// A file could not be written or removed.
    #[error("cannot write \"{}\": {source}", path.display())]
    Write {
        /// What was to be written.
        path: PathBuf,
        /// The operating system's words.
        source: std::io::Error,
    },
}

/// A preview in the making.
#[derive(Debug)]
pub struct Preview {
    folder: Folder,
    /// The letters so far, their text and HTML taken out.
    items: Vec<Item>,
    /// The last letter's content: its page waits for the id of the next, to link to it.
    waiting: Option<Content>,
}

impl Preview {
    /// Makes `folder`, or empties it of an earlier preview; files that no preview made are left alone.
    ///
    /// # Errors
    /// [`PreviewError`] if the folder holds other things and no earlier preview, or cannot be made or written.
    pub fn create(folder: &Path) -> Result<Self, PreviewError> {
        Ok(Self { folder: Folder::prepare(folder)?, items: Vec::new(), waiting: None })
    }

    /// Adds a letter: `<id>.eml` gets exactly the bytes of `eml`, and `letters/<id>.html` shows it.
    ///
    /// # Errors
    /// [`PreviewError`] if the id is no row id or came before, or a file cannot be written.
    pub fn add(&mut self, mut item: Item, eml: &[u8]) -> Result<(), PreviewError> {
        if RecipientId::parse(&item.id).is_ok_and(|id| id.as_str() == item.id) {
            self.folder.write(&eml_name(&item.id), eml)?;
        } else {
            return Err(PreviewError::Id(crate::domain::reply::visible(&item.id)));
        }
        self.write_waiting(Some(&item))?;
        self.waiting = Some(Content::take(&mut item, eml));
        self.items.push(item);
        Ok(())
    }

    /// Writes the last page and the index, and gives the index's path.
    ///
    /// # Errors
    /// [`PreviewError`] if a file cannot be written.
    pub fn finish(mut self, page: &Page) -> Result<PathBuf, PreviewError> {
        self.write_waiting(None)?;
        self.folder.write(folder::INDEX, gallery::index(&self.items, page).as_bytes())
    }

    /// As `preview --json` prints it: `{"digest", "letters": [{"id", "to", "subject", "language", "bytes", "digest",
    /// "file"}]}`, the first digest being that of the batch, and `file` the path of the .eml.
    #[must_use]
    pub fn to_json(&self, digest: Digest) -> serde_json::Value {
        let letter = |item: &Item| {
            serde_json::json!({
                "id": item.id,
                "to": item.to,
                "subject": item.subject,
                "language": item.language,
                "bytes": item.bytes,
                "digest": item.digest,
                "file": self.folder.path(&eml_name(&item.id)),
            })
        };
        serde_json::json!({ "digest": digest, "letters": self.items.iter().map(letter).collect::<Vec<_>>() })
    }

    /// Writes the page of the last letter added, `next` being the one after it.
    fn write_waiting(&mut self, next: Option<&Item>) -> Result<(), PreviewError> {
        let (Some(content), [before @ .., item]) = (self.waiting.take(), self.items.as_slice()) else {
            return Ok(());
        };
        let page = letter_page::page(item, &content, before.last(), next);
        self.folder.write(&page_name(&item.id), page.as_bytes()).map(drop)
    }
}

fn eml_name(id: &str) -> String {
    format!("{id}.eml")
}

fn page_name(id: &str) -> String {
    format!("{}/{id}.html", folder::LETTERS)
}

/// An amount of octets for people: `812 B`, `14.2 kB`, `3.1 MB`.
fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", tenths(1_000)),
        _ => format!("{} MB", tenths(1_000_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_shown_in_the_unit_that_fits() {
        assert_eq!([999, 1_000, 14_260, 3_100_000].map(size), ["999 B", "1.0 kB", "14.2 kB", "3.1 MB"]);
    }
}
