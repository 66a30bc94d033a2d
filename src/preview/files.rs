//! What goes with the letters, each file once: so that whoever signs off can open what the missions will get.
//!
//! Only kinds of files that run nothing when they are opened are put there, and only if they are what their name says.
//! A page or a drawing with a script in it would run from the reader's disk, and could ask anything of anybody.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::sync::Arc;

use super::PreviewError;
use super::changed::Formers;
use super::folder::Folder;
use super::item::{Earlier, Item};
use super::manifest;
use crate::domain::digest::Digest;
use crate::domain::markup::escape;

/// Where they are.
pub(super) const FOLDER: &str = "files";
/// How much of a file's own name is kept, in characters.
const LONGEST: usize = 60;
/// How many digits of its digest stand in a file's name, so that two of one name can stand side by side.
const DIGITS: usize = 16;
/// What the former version of a file is called before its own name, for as long as one preview.
const FORMER: &str = "former-";

/// A file that goes with letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// Its name in the letter.
    pub name: String,
    /// SHA-256 of its content.
    pub digest: Digest,
    /// Its size in octets.
    pub bytes: u64,
    /// Where it is in the preview's folder, if it opens from there without harm.
    pub file: Option<String>,
}

impl Attached {
    /// Its name as HTML, a link if it can be opened; `up` leads from the page to the preview's folder.
    pub(super) fn link(&self, up: &str) -> String {
        let name = format!("<bdi>{}</bdi>", escape(&self.name));
        self.file.as_ref().map_or_else(
            || name.clone(),
            |file| format!("<a href=\"{up}{}\" target=\"_blank\" rel=\"noopener\">{name}</a>", escape(file)),
        )
    }
}

/// The files so far.
#[derive(Debug, Default)]
pub(super) struct Files {
    known: HashMap<(String, Digest), Arc<Attached>>,
    written: HashSet<String>,
    /// The former versions that letters of now are told against; the others go in the end.
    formers: Formers,
    /// Those that were looked for already.
    sought: HashSet<Digest>,
}

impl Files {
    /// The file of that name and content, written if it is new and may be opened.
    pub(super) fn add(&mut self, folder: &mut Folder, name: &str, bytes: &[u8]) -> Result<Arc<Attached>, PreviewError> {
        let digest = Digest::of(bytes);
        if let Some(known) = self.known.get(&(name.to_owned(), digest)) {
            return Ok(Arc::clone(known));
        }
        let file = ending(name, bytes).map(|ending| format!("{FOLDER}/{}", file_name(name, digest, ending)));
        // Two names may come to the same safe one; the content is the same then, by its digest.
        if let Some(file) = file.as_ref().filter(|file| !self.written.contains(*file)) {
            folder.inner(FOLDER)?;
            folder.write(file, bytes)?;
            self.written.insert(file.clone());
        }
        let attached = Arc::new(Attached { name: name.to_owned(), digest, bytes: bytes.len() as u64, file });
        self.known.insert((name.to_owned(), digest), Arc::clone(&attached));
        Ok(attached)
    }

    /// Looks whether the folder still has what went with an earlier letter under a name that has another content now.
    pub(super) fn seek(&mut self, folder: &Folder, item: &Item, earlier: &Earlier) {
        for file in earlier.files.iter().flatten() {
            let has = |digest: Option<Digest>| {
                manifest::with(item)
                    .any(|now| now.name == file.name && digest.is_none_or(|digest| now.digest == digest))
            };
            if !has(None) || has(Some(file.digest)) || !self.sought.insert(file.digest) {
                continue;
            }
            let is_it = |name: &&String| {
                let path = folder.path(name);
                is_former_of(name, file.digest)
                    && fs::symlink_metadata(&path).is_ok_and(|found| found.is_file() && found.len() == file.bytes)
                    && fs::read(&path).is_ok_and(|bytes| Digest::of(&bytes) == file.digest)
            };
            if let Some(name) = folder.formers().iter().find(is_it) {
                self.formers.insert(file.digest, name.clone());
            }
        }
    }

    /// The former versions that were found.
    pub(super) fn formers(&self) -> &Formers {
        &self.formers
    }
}

/// The ending of a file that may be opened from a disk: text, pictures, PDF and office documents without macros of their own
/// ending, if they begin as such files do.
fn ending(name: &str, bytes: &[u8]) -> Option<&'static str> {
    let own = name.rsplit_once('.')?.1.to_ascii_lowercase();
    let begins = |with: &[u8]| bytes.starts_with(with);
    let (zip, ole): (&[u8], &[u8]) = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    let (ending, fits) = match own.as_str() {
        "pdf" => ("pdf", begins(b"%PDF-")),
        "png" => ("png", begins(b"\x89PNG\r\n\x1a\n")),
        "jpg" | "jpeg" => ("jpg", begins(b"\xff\xd8\xff")),
        "gif" => ("gif", begins(b"GIF8")),
        "webp" => ("webp", begins(b"RIFF") && bytes.get(8..12) == Some(b"WEBP")),
        "tif" | "tiff" => ("tif", begins(b"II*\0") || begins(b"MM\0*")),
        "docx" => ("docx", begins(zip)),
        "xlsx" => ("xlsx", begins(zip)),
        "pptx" => ("pptx", begins(zip)),
        "odt" => ("odt", begins(zip)),
        "ods" => ("ods", begins(zip)),
        "odp" => ("odp", begins(zip)),
        "doc" => ("doc", begins(ole)),
        "xls" => ("xls", begins(ole)),
        "ppt" => ("ppt", begins(ole)),
        "rtf" => ("rtf", begins(b"{\\rtf")),
        "txt" => ("txt", !bytes.contains(&0)),
        _ => return None,
    };
    fits.then_some(ending)
}

/// A name without folders, blanks, dots and devices, that no other content has.
fn file_name(name: &str, digest: Digest, ending: &str) -> String {
    let own = name.rsplit_once('.').map_or(name, |(own, _)| own);
    let mut safe = String::new();
    for c in own.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '_' => safe.push(c),
            _ if safe.is_empty() || safe.ends_with('-') => {}
            _ => safe.push('-'),
        }
    }
    safe.truncate(LONGEST);
    let safe = if safe.is_empty() { "file" } else { safe.trim_end_matches('-') };
    format!("{safe}-{}.{ending}", digits(digest))
}

/// The digits of a digest that stand in a name.
fn digits(digest: Digest) -> String {
    digest.to_string().chars().take(DIGITS).collect()
}

/// What a file of an earlier preview is called beside the next one; `None` if that is no file of letters, or former already.
pub(super) fn former_name(name: &str) -> Option<String> {
    let file = name.strip_prefix(FOLDER)?.strip_prefix('/').filter(|file| is_made_by_us(file))?;
    let (stem, ending) = file.rsplit_once('.')?;
    let (own, digits) = stem.rsplit_once('-')?;
    if file.starts_with(FORMER) {
        return None;
    }
    let own = own.get(..LONGEST - FORMER.len()).unwrap_or(own);
    Some(format!("{FOLDER}/{FORMER}{own}-{digits}.{ending}"))
}

/// True if the name is that of a former version of this content.
fn is_former_of(name: &str, digest: Digest) -> bool {
    name.rsplit_once('.').is_some_and(|(stem, _)| stem.ends_with(&format!("-{}", digits(digest))))
}

/// True for the names that this gives, whatever the content.
pub(super) fn is_made_by_us(name: &str) -> bool {
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let Some((own, digits)) = stem.rsplit_once('-') else { return false };
    let is_word = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-');
    let is_digit = |c: u8| c.is_ascii_digit() || matches!(c, b'a'..=b'f');
    !own.is_empty()
        && own.len() <= LONGEST
        && own.bytes().all(is_word)
        && digits.len() == DIGITS
        && digits.bytes().all(is_digit)
        && (2..=4).contains(&ending.len())
        && ending.bytes().all(|c| c.is_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_runs_nothing_and_is_what_it_is_called_is_opened_from_the_folder() {
        assert_eq!(ending("annex.PDF", b"%PDF-1.7"), Some("pdf"));
        assert_eq!(ending("photo.jpeg", b"\xff\xd8\xff\xe0"), Some("jpg"));
        assert_eq!(ending("note.txt", b"text"), Some("txt"));
        for (name, bytes) in [
            ("page.html", &b"<p>"[..]),
            ("drawing.svg", b"<svg/>"),
            ("annex.pdf", b"<html>"),
            ("annex.pdf.exe", b"%PDF-1.7"),
            ("annex.docm", b"PK\x03\x04"),
            ("archive.zip", b"PK\x03\x04"),
            ("link.url", b"[InternetShortcut]"),
            ("no ending", b"x"),
            ("a.txt", b"\0"),
        ] {
            assert_eq!(ending(name, bytes), None, "{name}");
        }
    }

    #[test]
    fn a_name_in_the_folder_is_safe_whatever_it_is_in_the_letter() {
        let digest = Digest::of(b"x");
        let long = "a".repeat(300);
        for (name, expected) in [
            ("annex.pdf", "annex"),
            ("../../Lettre ouverte (v2).pdf", "Lettre-ouverte-v2"),
            ("CON.pdf", "CON"),
            ("رسالة.pdf", "file"),
            (" . .pdf", "file"),
            (&format!("{long}.pdf"), &long[..LONGEST]),
        ] {
            let made = file_name(name, digest, "pdf");
            assert_eq!(made, format!("{expected}-2d711642b726b044.pdf"));
            assert!(is_made_by_us(&made), "{made}");
        }
    }
}
