//! The dry run as files: one .eml a mission and pages to look at them all.
//!
//! A [`Preview`] is made of a folder, takes the letters one by one and ends with an `index.html`. Nothing in it is
//! loaded from the network, what runs is ours alone, and the .eml files hold exactly the bytes that would be sent.

mod compare;
mod difference;
mod document;
mod folder;
mod item;
mod letter_page;
mod list;
mod manifest;
mod overview;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use self::document::Document;
use self::folder::Folder;
use self::letter_page::Content;
use self::list::{PER_PAGE, Row};
use self::manifest::{Before, MANIFEST, manifest};
use crate::domain::digest::Digest;
use crate::domain::markup::escape;
use crate::domain::recipient::RecipientId;

pub use item::{Approvals, Approved, Earlier, Gets, Item, Page, Reach, Standing};

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
    /// Every letter of the batch, shown or not.
    planned: Vec<(String, Digest)>,
    /// The preview that was in the folder.
    before: Option<Before>,
    /// The letters so far, their text and HTML taken out.
    items: Vec<Item>,
    /// Each of them against the earlier preview; what it was is taken out.
    standings: Vec<Standing>,
    /// What changed in each of them since the earlier preview, and since it was approved.
    kinds: Vec<[Vec<&'static str>; 2]>,
    /// The last letter's content: its page waits for the id of the next, to link to it.
    waiting: Option<Content>,
}

impl Preview {
    /// Makes `folder`, or empties it of an earlier preview; files that no preview made are left alone. `planned` is every
    /// letter of the batch, whether it will be shown or not.
    ///
    /// # Errors
    /// [`PreviewError`] if the folder holds other things and no earlier preview, or cannot be made or written.
    pub fn create(folder: &Path, planned: Vec<(String, Digest)>) -> Result<Self, PreviewError> {
        let before = if Folder::is_ours(folder) { Before::read(folder, &planned) } else { None };
        let folder = Folder::prepare(folder)?;
        Ok(Self { folder, planned, before, items: Vec::new(), standings: Vec::new(), kinds: Vec::new(), waiting: None })
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
        let standing = self.before.as_mut().map(|before| before.standing(&item.id, item.digest));
        let kinds = |standing: Option<&Standing>| match standing {
            Some(Standing::Changed(earlier)) => letter_page::kinds(&item, earlier),
            _ => Vec::new(),
        };
        self.kinds.push([kinds(standing.as_ref()), kinds(item.approved.as_ref())]);
        self.standings.push(standing.as_ref().map_or(Standing::Same, without_text));
        self.waiting = Some(Content::take(&mut item, eml, standing));
        self.items.push(item);
        Ok(())
    }

    /// Writes the last page, the lists and the manifest, and gives the index's path.
    ///
    /// # Errors
    /// [`PreviewError`] if a file cannot be written.
    pub fn finish(mut self, page: &Page) -> Result<PathBuf, PreviewError> {
        self.write_waiting(None)?;
        let compared = self.before.is_some();
        let rows: Vec<Row<'_>> = self
            .items
            .iter()
            .zip(&self.standings)
            .zip(&self.kinds)
            .map(|((item, standing), kinds)| Row { item, since_preview: compared.then_some(standing), kinds })
            .collect();
        let overview = overview::section(&rows, page, self.before.as_ref());
        let pages = rows.len().div_ceil(PER_PAGE).max(1);
        let tools = list::tools(&rows, pages > 1);
        let without = list::without(page);
        for number in (1..=pages).rev() {
            let from = (number - 1) * PER_PAGE;
            let shown = &rows[from..rows.len().min(from + PER_PAGE)];
            let list = list::section(shown, &tools, &pager(number, pages), &without);
            let html = list_page(page, if number == 1 { &overview } else { "" }, &list);
            if number == 1 && pages > 1 {
                let search = list_page(page, "", &list::search_section(&rows, &without));
                self.folder.write(folder::SEARCH, search.as_bytes())?;
            }
            if number == 1 {
                self.folder.write(folder::COMPARE, compare::page(&self.items, &page.campaign).as_bytes())?;
                self.folder.write(MANIFEST, &manifest(&self.items, &self.planned, page))?;
            }
            self.folder.write(&list_name(number), html.as_bytes())?;
        }
        Ok(self.folder.path(folder::INDEX))
    }

    /// As `preview --json` prints it: `{"digest", "letters": [{"id", "to", "subject", "language", "bytes", "digest",
    /// "file", "warnings", "since_preview", "since_approval"}]}`, the first digest being that of the batch, and `file`
    /// the path of the .eml. The last two are `same`, `changed`, `new`, or null where there is nothing to compare with.
    #[must_use]
    pub fn to_json(&self, digest: Digest) -> serde_json::Value {
        let letter = |(item, standing): (&Item, &Standing)| {
            serde_json::json!({
                "id": item.id,
                "to": item.to,
                "subject": item.subject,
                "language": item.language,
                "bytes": item.bytes,
                "digest": item.digest,
                "file": self.folder.path(&eml_name(&item.id)),
                "warnings": item.warnings,
                "since_preview": self.before.as_ref().map(|_| word(standing)),
                "since_approval": item.approved.as_ref().map(word),
            })
        };
        let letters: Vec<_> = self.items.iter().zip(&self.standings).map(letter).collect();
        serde_json::json!({ "digest": digest, "letters": letters })
    }

    /// Writes the page of the last letter added, `next` being the one after it.
    fn write_waiting(&mut self, next: Option<&Item>) -> Result<(), PreviewError> {
        let (Some(content), [before @ .., item]) = (self.waiting.take(), self.items.as_mut_slice()) else {
            return Ok(());
        };
        let page = letter_page::page(item, &content, before.last(), next);
        // What it was is in its page now; of a hundred thousand letters it is not held.
        item.approved = item.approved.as_ref().map(without_text);
        self.folder.write(&page_name(&item.id), page.as_bytes()).map(drop)
    }
}

fn without_text(standing: &Standing) -> Standing {
    match standing {
        Standing::Same => Standing::Same,
        Standing::New => Standing::New,
        Standing::Changed(_) => Standing::Changed(Box::default()),
    }
}

fn word(standing: &Standing) -> &'static str {
    match standing {
        Standing::Same => "same",
        Standing::New => "new",
        Standing::Changed(_) => "changed",
    }
}

/// What stands in place of the batch on the other pages of the list.
const ELSEWHERE: &str = "<section id=\"overview\" aria-label=\"The batch\">\n<p>Coverage, changes and approval of the batch are \
                         on the <a href=\"index.html\">first page</a>.</p>\n</section>\n";

/// A page of the list, with the frame in which a script shows the letters beside it.
fn list_page(page: &Page, overview: &str, list: &str) -> String {
    let overview = if overview.is_empty() { ELSEWHERE } else { overview };
    let body = format!(
        "<header>\n<h1 dir=\"auto\">{}</h1>\n<p class=\"quiet\">Preview: nothing was sent. These are the letters byte for byte as \
         they would go out, but for their date and message number.</p>\n\
         <p class=\"jump\"><a href=\"#list\">To the letters</a></p>\n</header>\n<main>\n{overview}{list}</main>\n\
         <div id=\"pane\" hidden></div>\n{}",
        escape(&page.campaign),
        include_str!("pages/help.html"),
    );
    Document {
        title: &format!("Preview: {}", page.campaign),
        class: "list",
        script: include_str!("pages/list.js"),
        frames_letter: false,
        body: &body,
    }
    .html()
}

/// The links from page to page; nothing where there is one.
fn pager(number: usize, pages: usize) -> String {
    if pages == 1 {
        return String::new();
    }
    let mut html = String::from("<nav class=\"pager\" aria-label=\"Pages of the list\">\n");
    for other in 1..=pages {
        let current = if other == number { " aria-current=\"page\"" } else { "" };
        let _ = writeln!(html, "<a href=\"{}\"{current}>{other}</a>", list_name(other));
    }
    html.push_str("</nav>\n");
    html
}

fn list_name(number: usize) -> String {
    if number == 1 { folder::INDEX.to_owned() } else { format!("list-{number}.html") }
}

fn eml_name(id: &str) -> String {
    format!("{id}.eml")
}

fn page_name(id: &str) -> String {
    format!("{}/{id}.html", folder::LETTERS)
}

/// The English name of a language, or its tag.
fn language_name(tag: &str) -> &str {
    match tag {
        "ar" => "Arabic",
        "de" => "German",
        "en" => "English",
        "es" => "Spanish",
        "fr" => "French",
        "pt" => "Portuguese",
        "ru" => "Russian",
        "zh" => "Chinese",
        other => other,
    }
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
