//! The folder of a preview: a marker names every file that was made in it, so that the next one removes those and no others.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use super::PreviewError;
use super::manifest::MANIFEST;
use crate::domain::recipient::RecipientId;

/// The page to open.
pub(super) const INDEX: &str = "index.html";
/// The page that compares two letters.
pub(super) const COMPARE: &str = "compare.html";
/// The page that searches a batch of several pages.
pub(super) const SEARCH: &str = "search.html";
/// Where the pages of the letters are.
pub(super) const LETTERS: &str = "letters";
/// The file that says that the folder is ours, and lists what was made in it.
const MARKER: &str = ".demarche-preview";
/// The marker's first line.
const FIRST_LINE: &str = "demarche preview 1";

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    marker: File,
}

impl Folder {
    /// Makes the folder, or removes the earlier preview from it.
    pub(super) fn prepare(path: &Path) -> Result<Self, PreviewError> {
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => return Err(PreviewError::NotAFolder(path.to_owned())),
            Ok(_) => clear(path)?,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(|source| cannot_write(path, source))?;
            }
            Err(source) => return Err(PreviewError::Read { path: path.to_owned(), source }),
        }
        let marker_path = path.join(MARKER);
        // Made anew, so that it is not written through a link.
        remove(&marker_path, true)?;
        let mut marker = File::create_new(&marker_path).map_err(|source| cannot_write(&marker_path, source))?;
        writeln!(marker, "{FIRST_LINE}").map_err(|source| cannot_write(&marker_path, source))?;
        let letters = path.join(LETTERS);
        match fs::create_dir(&letters) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                // Not through a link: the pages would be written, and later removed, somewhere else.
                if !fs::symlink_metadata(&letters).is_ok_and(|found| found.is_dir()) {
                    return Err(PreviewError::NotAFolder(letters));
                }
            }
            Err(source) => return Err(cannot_write(&letters, source)),
        }
        Ok(Self { path: path.to_owned(), marker })
    }

    /// True if an earlier preview is in the folder.
    pub(super) fn is_ours(path: &Path) -> bool {
        let is_file = fs::symlink_metadata(path.join(MARKER)).is_ok_and(|found| found.is_file());
        let first = |text: String| text.lines().next() == Some(FIRST_LINE);
        is_file && fs::read_to_string(path.join(MARKER)).is_ok_and(first)
    }

    /// Where the file of that name is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a new file, its name first into the marker.
    pub(super) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf, PreviewError> {
        let path = self.path.join(name);
        let mut file = File::create_new(&path).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => PreviewError::Exists(path.clone()),
            _ => cannot_write(&path, source),
        })?;
        let noted = writeln!(self.marker, "{name}");
        if let Err(source) = noted {
            // A file that the marker does not name would never be removed.
            drop(fs::remove_file(&path));
            return Err(cannot_write(&self.path.join(MARKER), source));
        }
        file.write_all(bytes).map_err(|source| cannot_write(&path, source))?;
        Ok(path)
    }
}

/// Removes what the marker of an earlier preview names; an empty folder needs no marker.
fn clear(path: &Path) -> Result<(), PreviewError> {
    let cannot_read = |source| PreviewError::Read { path: path.to_owned(), source };
    if fs::read_dir(path).map_err(cannot_read)?.next().is_none() {
        return Ok(());
    }
    let marker = match fs::read_to_string(path.join(MARKER)) {
        Ok(marker) => marker,
        Err(error)
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData | ErrorKind::IsADirectory) =>
        {
            return Err(PreviewError::NotOurs(path.to_owned()));
        }
        Err(source) => return Err(PreviewError::Read { path: path.join(MARKER), source }),
    };
    let mut lines = marker.lines();
    if lines.next() != Some(FIRST_LINE) {
        return Err(PreviewError::NotOurs(path.to_owned()));
    }
    // The index goes first: an old one must not point at new letters.
    remove(&path.join(INDEX), lines.clone().any(|name| name == INDEX))?;
    // Through a link the names would be those of other files.
    let letters_are_ours = fs::symlink_metadata(path.join(LETTERS)).is_ok_and(|found| found.is_dir());
    for name in lines.filter(|name| is_made_by_us(name)) {
        remove(&path.join(name), letters_are_ours || !name.starts_with(LETTERS))?;
    }
    Ok(())
}

/// True for the names that a preview gives; a marker that somebody wrote must not reach any other file.
fn is_made_by_us(name: &str) -> bool {
    let is_id = |id: &str| RecipientId::parse(id).is_ok_and(|read| read.as_str() == id);
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let list = name.strip_prefix("list-").and_then(|rest| rest.strip_suffix(".html")).is_some_and(is_number);
    if list || matches!(name, COMPARE | SEARCH | MANIFEST) {
        return true;
    }
    let page = name.strip_prefix(LETTERS).and_then(|rest| rest.strip_prefix('/')).and_then(|n| n.strip_suffix(".html"));
    page.or_else(|| name.strip_suffix(".eml")).is_some_and(is_id)
}

fn remove(path: &Path, ours: bool) -> Result<(), PreviewError> {
    match if ours { fs::remove_file(path) } else { Ok(()) } {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(cannot_write(path, source)),
        _ => Ok(()),
    }
}

fn cannot_write(path: &Path, source: io::Error) -> PreviewError {
    PreviewError::Write { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_can_name_only_files_that_a_preview_makes() {
        let ours = ["KEN.eml", "letters/KEN.html", "a-b.c_1.eml", "compare.html", "list-2.html", "manifest.json"];
        for name in ours {
            assert!(is_made_by_us(name), "{name}");
        }
        for name in [
            "../KEN.eml",
            "/etc/x.eml",
            "letters/../../x.html",
            "notes.txt",
            ".eml",
            "KEN.html",
            "a/b.eml",
            "list-.html",
        ] {
            assert!(!is_made_by_us(name), "{name}");
        }
    }
}
