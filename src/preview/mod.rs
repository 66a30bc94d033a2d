//! The dry run as files: one .eml a mission and pages to look at them all.
//!
//! A [`Preview`] is made of a folder, takes the letters one by one and ends with an `index.html`. Nothing in it is
//! loaded from the network, what runs is ours alone, and the .eml files hold exactly the bytes that would be sent.

mod approval;
mod before;
mod changed;
mod compare;
mod coverage;
mod difference;
mod document;
mod facts;
mod files;
mod folder;
mod item;
mod letter_page;
mod list;
mod manifest;
mod names;
mod overview;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use self::before::Before;
use self::changed::Kinds;
use self::document::Document;
use self::files::Files;
use self::folder::{Entered, Folder};
use self::letter_page::Content;
use self::list::{PER_PAGE, Row};
use self::manifest::MANIFEST;
use crate::domain::digest::Digest;
use crate::domain::markup::escape;
use crate::domain::recipient::RecipientId;
use crate::domain::size::size;

pub use files::Attached;
pub use item::{
    Addressee, Approvals, Approved, Basis, Earlier, EarlierFile, Gets, Item, Moment, Office, Page, Reach, Remark,
    Standing, Warning, Word,
};

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
    /// Another process makes a preview there.
    #[error("another `demarche preview` is writing into \"{}\": wait for it, or name another folder", .0.display())]
    Busy(PathBuf),
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
    files: Files,
    /// Every letter of the batch, shown or not.
    planned: Vec<(String, Digest)>,
    /// The preview that was in the folder.
    before: Option<Before>,
    /// The letters so far, their text and HTML taken out.
    items: Vec<Item>,
    /// Each of them against the earlier preview; what it was is taken out.
    standings: Vec<Standing>,
    /// What changed in each of them since the earlier preview, and since it was approved.
    kinds: Vec<[Kinds; 2]>,
    /// The last letter's content: its page waits for the id of the next, to link to it.
    waiting: Option<Content>,
}

impl Preview {
    /// Makes `folder`, or empties it of an earlier preview; files that no preview made are left alone. `planned` is every
    /// letter of the batch, whether it will be shown or not; only an earlier preview of the same `campaign` is compared with.
    ///
    /// # Errors
    /// [`PreviewError`] if the folder holds other things and no earlier preview, or cannot be made or written.
    pub fn create(folder: &Path, campaign: &str, planned: Vec<(String, Digest)>) -> Result<Self, PreviewError> {
        let entered = Entered::new(folder)?;
        let before = if entered.has_earlier() { Before::read(folder, campaign, &planned) } else { None };
        let unfinished = Document {
            title: "This preview is not finished",
            class: "unfinished",
            script: "",
            frames_letter: false,
            body: include_str!("pages/unfinished.html"),
        };
        let folder = entered.clear(&unfinished.html())?;
        Ok(Self {
            folder,
            files: Files::default(),
            planned,
            before,
            items: Vec::new(),
            standings: Vec::new(),
            kinds: Vec::new(),
            waiting: None,
        })
    }

    /// A file that goes with letters, by its name in them. It is put into the folder, once, if it opens from there without
    /// harm.
    ///
    /// # Errors
    /// [`PreviewError`] if it cannot be written.
    pub fn attach(&mut self, name: &str, bytes: &[u8]) -> Result<Arc<Attached>, PreviewError> {
        self.files.add(&mut self.folder, name, bytes)
    }

    /// Adds a letter: `<id>.eml` gets exactly the bytes of `eml`, and `letters/<id>.html` shows it.
    ///
    /// # Errors
    /// [`PreviewError`] if the id is no row id or came before, or a file cannot be written.
    pub fn add(&mut self, mut item: Item, eml: &[u8]) -> Result<(), PreviewError> {
        if RecipientId::parse(&item.id).is_ok_and(|id| id.as_str() == item.id) {
            self.folder.write(&names::eml(&item.id), eml)?;
        } else {
            return Err(PreviewError::Id(crate::domain::reply::visible(&item.id)));
        }
        self.write_waiting(Some(&item))?;
        let standing = self.before.as_mut().map(|before| before.standing(&item.id, item.digest));
        for standing in [standing.as_ref(), item.approved.as_ref()].into_iter().flatten() {
            if let Standing::Changed(earlier) = standing {
                self.files.seek(&self.folder, &item, earlier);
            }
        }
        let formers = self.files.formers();
        let kinds = |standing: Option<&Standing>| match standing {
            Some(Standing::Changed(earlier)) => changed::kinds(&item, earlier, formers),
            _ => Kinds::new(),
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
        let formers = self.files.formers();
        self.folder.keep_formers(|name| formers.values().any(|kept| kept == name))?;
        let in_all = [0, 1].map(|base| changed::in_all(self.kinds.iter().map(|kinds| &kinds[base])));
        let usual = list::usual(&self.items);
        let rows: Vec<Row<'_>> = self
            .items
            .iter()
            .zip(&self.standings)
            .zip(&self.kinds)
            .map(|((item, standing), kinds)| Row {
                item,
                since_preview: compared.then_some(standing),
                kinds,
                in_all: &in_all,
                is_usual: Some(item.addressee.group()) == usual,
            })
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
            if number > 1 {
                self.folder.write(&names::list(number), html.as_bytes())?;
                continue;
            }
            if pages > 1 {
                self.folder.write_by(folder::SEARCH, |out| {
                    list_document(page, "", |document, before, after| {
                        write!(out, "{}{before}", document.head())?;
                        list::search_section(out, &rows, &without)?;
                        write!(out, "{after}{}", document.end())
                    })
                })?;
            }
            self.folder.write(folder::COMPARE, compare::page(&self.items, &page.campaign, &without).as_bytes())?;
            let (items, planned) = (&self.items, &self.planned);
            self.folder.write_by(MANIFEST, |out| manifest::write(out, items, planned, page))?;
            return self.folder.put_index(html.as_bytes());
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
                "file": self.folder.path(&names::eml(&item.id)),
                "warnings": item.warnings.iter().map(|warning| &warning.text).collect::<Vec<_>>(),
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
        let list = names::list(before.len() / PER_PAGE + 1);
        let page = letter_page::page(
            item,
            &content,
            before.last(),
            next,
            &list,
            self.files.formers(),
            &self.kinds[before.len()],
        );
        // What it was is in its page now; of a hundred thousand letters it is not held.
        item.approved = item.approved.as_ref().map(without_text);
        self.folder.write(&names::page(&item.id), page.as_bytes())
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

/// A page of the list, with the frame in which a script shows the letters beside it. `make` gets the document without its
/// body, and what stands in the body before and behind the list.
fn list_document<T>(page: &Page, overview: &str, make: impl FnOnce(&Document<'_>, &str, &str) -> T) -> T {
    let overview = if overview.is_empty() { ELSEWHERE } else { overview };
    let before = format!(
        "<header>\n<h1 dir=\"auto\">{}</h1>\n<p class=\"quiet\">Preview: nothing was sent. These are the letters byte for byte as \
         they would go out, but for their date and their serial number (Message-ID).</p>\n\
         <p class=\"jump\"><a href=\"#list\">To the letters</a> <a href=\"#overview\">To the batch</a> <a href=\"#approval\">To \
         the approval</a></p>\n</header>\n<main>\n{overview}",
        escape(&page.campaign),
    );
    let after = concat!("</main>\n<div id=\"pane\" hidden></div>\n", include_str!("pages/help.html"));
    let document = Document {
        title: &format!("Preview: {}", page.campaign),
        class: "list",
        script: include_str!("pages/list.js"),
        frames_letter: false,
        body: "",
    };
    make(&document, &before, after)
}

fn list_page(page: &Page, overview: &str, list: &str) -> String {
    list_document(page, overview, |document, before, after| {
        [&document.head(), before, list, after, &document.end()].concat()
    })
}

/// The links from page to page; nothing where there is one.
fn pager(number: usize, pages: usize) -> String {
    if pages == 1 {
        return String::new();
    }
    let mut html = String::from("<nav class=\"pager\" aria-label=\"Pages of the list\">\n");
    let mut last = 0;
    for other in (1..=pages).filter(|other| is_linked(*other, number, pages)) {
        if other > last + 1 {
            html.push_str("<span>…</span>\n");
        }
        last = other;
        let current = if other == number { " aria-current=\"page\"" } else { "" };
        let _ = writeln!(html, "<a href=\"{}\"{current}>{other}</a>", names::list(other));
    }
    html.push_str("</nav>\n");
    html
}

/// True if a page of a list of many is linked from page `number`: the ends, those around it, and each twenty-fifth.
fn is_linked(other: usize, number: usize, pages: usize) -> bool {
    const ALL: usize = 24;
    pages <= ALL || other == 1 || other == pages || other.abs_diff(number) <= 3 || other.is_multiple_of(25)
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

/// An address as HTML that is broken over lines at its "@" and its dots, and nowhere else if that is enough.
fn address(mailbox: &str) -> String {
    escape(mailbox).replace('@', "<wbr>@").replace('.', "<wbr>.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_pages_each_links_its_neighbours_and_a_few_others() {
        let pages = |number: usize, pages: usize| -> Vec<usize> {
            (1..=pages).filter(|other| is_linked(*other, number, pages)).collect()
        };
        assert_eq!(pages(3, 24).len(), 24);
        assert_eq!(pages(1, 100), [1, 2, 3, 4, 25, 50, 75, 100]);
        assert_eq!(pages(60, 100), [1, 25, 50, 57, 58, 59, 60, 61, 62, 63, 75, 100]);
        assert!(pager(60, 100).contains("<span>…</span>\n<a href=\"list-25.html\">25</a>"));
    }

    #[test]
    fn an_address_breaks_at_its_dots_and_before_its_at_sign() {
        assert_eq!(address("<a.b@c.d>"), "&lt;a<wbr>.b<wbr>@c<wbr>.d&gt;");
    }
}
