//! The folder of a preview: a marker names every file that was made in it, so that the next one removes those and no others.
//!
//! From its first file to its last the folder's first page says that it is not finished; the real one takes its place at
//! the end, in one step. Whoever opens a preview that was broken off cannot take it for a whole one.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::PreviewError;
use super::before;
use super::files;
use super::manifest::MANIFEST;
use super::names;

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
/// A first page until it takes the place of the one before it.
const INDEX_TO_BE: &str = "index.html.new";

/// A folder that may hold an earlier preview, before anything in it is touched. Nobody else previews into it meanwhile.
#[derive(Debug)]
pub(super) struct Entered {
    path: PathBuf,
    /// `None` where the file system knows no locks.
    lock: Option<File>,
    /// What an earlier preview made, by its marker; `None` if there was none.
    earlier: Option<Vec<String>>,
}

impl Entered {
    /// Makes the folder, or looks what is in it.
    pub(super) fn new(path: &Path) -> Result<Self, PreviewError> {
        match fs::metadata(path) {
            Ok(found) if !found.is_dir() => return Err(PreviewError::NotAFolder(path.to_owned())),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {
                fs::create_dir_all(path).map_err(|source| cannot_write(path, source))?;
            }
            Err(source) => return Err(PreviewError::Read { path: path.to_owned(), source }),
        }
        let lock = lock(path)?;
        let earlier = earlier(path)?;
        Ok(Self { path: path.to_owned(), lock, earlier })
    }

    /// True if an earlier preview is in the folder, finished or not.
    pub(super) fn has_earlier(&self) -> bool {
        self.earlier.is_some()
    }

    /// Puts `unfinished` in the place of the first page, then removes the rest of the earlier preview.
    pub(super) fn clear(self, unfinished: &str) -> Result<Folder, PreviewError> {
        let Self { path, lock, earlier } = self;
        let mut earlier = earlier.unwrap_or_default();
        let index = path.join(INDEX);
        if fs::symlink_metadata(&index).is_ok() && !earlier.iter().any(|name| name == INDEX) {
            return Err(PreviewError::Exists(index));
        }
        // Through a link the names would be those of other files.
        for inner in [LETTERS, files::FOLDER] {
            if fs::symlink_metadata(path.join(inner)).is_ok_and(|found| !found.is_dir()) {
                return Err(PreviewError::NotAFolder(path.join(inner)));
            }
        }
        let mut formers: Vec<(String, String)> = Vec::new();
        // If it is up already, what is there goes first: a preview may have been broken off because the disk is full.
        if before::small_file(&index).is_none_or(|html| html != unfinished) {
            // What went with the letters stays beside the next preview, so that both versions can be opened.
            formers.extend(earlier.iter().filter_map(|name| Some((name.clone(), files::former_name(name)?))));
            earlier.extend([INDEX.to_owned(), INDEX_TO_BE.to_owned()]);
            earlier.extend(formers.iter().map(|(_, former)| former.clone()));
            remove(&path.join(INDEX_TO_BE))?;
            let marker = fresh_marker(&path, &earlier)?;
            Folder { path: path.clone(), marker, formers: Vec::new(), _lock: None }.put_index(unfinished.as_bytes())?;
        }
        for name in earlier.iter().filter(|name| *name != INDEX && !formers.iter().any(|(kept, _)| kept == *name)) {
            remove(&path.join(name))?;
        }
        formers.retain(|(name, former)| fs::rename(path.join(name), path.join(former)).is_ok());
        let formers: Vec<String> = formers.into_iter().map(|(_, former)| former).collect();
        // What was removed is nobody's now: a file that somebody puts in its place is theirs.
        let mut names = vec![INDEX.to_owned(), INDEX_TO_BE.to_owned()];
        names.extend(formers.iter().cloned());
        let marker = fresh_marker(&path, &names)?;
        let folder = Folder { path, marker, formers, _lock: lock };
        // It holds files, or goes.
        drop(fs::remove_dir(folder.path(files::FOLDER)));
        folder.inner(LETTERS)?;
        Ok(folder)
    }
}

/// The folder of a preview in the making.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    marker: File,
    /// What went with the letters of the earlier preview, under its former name.
    formers: Vec<String>,
    _lock: Option<File>,
}

impl Folder {
    /// Where the file of that name is.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// What went with the letters of the earlier preview.
    pub(super) fn formers(&self) -> &[String] {
        &self.formers
    }

    /// Removes those of [`Self::formers`] that are not to be kept.
    pub(super) fn keep_formers(&mut self, is_kept: impl Fn(&str) -> bool) -> Result<(), PreviewError> {
        for name in std::mem::take(&mut self.formers).iter().filter(|name| !is_kept(name)) {
            remove(&self.path(name))?;
        }
        drop(fs::remove_dir(self.path(files::FOLDER)));
        Ok(())
    }

    /// Makes a folder in it, if it is not there.
    pub(super) fn inner(&self, name: &str) -> Result<(), PreviewError> {
        let path = self.path(name);
        match fs::create_dir(&path) {
            Err(source) if source.kind() != ErrorKind::AlreadyExists => Err(cannot_write(&path, source)),
            _ => Ok(()),
        }
    }

    /// Writes a new file, its name first into the marker.
    pub(super) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), PreviewError> {
        self.write_by(name, |out| out.write_all(bytes))
    }

    /// The same for a file that is written piece by piece.
    pub(super) fn write_by(
        &mut self,
        name: &str,
        writes: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> Result<(), PreviewError> {
        let path = self.path(name);
        if fs::symlink_metadata(&path).is_ok() {
            return Err(PreviewError::Exists(path));
        }
        // A file that the marker does not name would never be removed, so the name comes first.
        writeln!(self.marker, "{name}").map_err(|source| cannot_write(&self.path.join(MARKER), source))?;
        let written = File::create_new(&path).and_then(|file| {
            let mut out = BufWriter::with_capacity(64 * 1024, file);
            writes(&mut out)?;
            out.flush()
        });
        written.map_err(|source| cannot_write(&path, source))
    }

    /// Puts a first page in the place of the one that is there.
    pub(super) fn put_index(&mut self, html: &[u8]) -> Result<PathBuf, PreviewError> {
        self.write(INDEX_TO_BE, html)?;
        let index = self.path(INDEX);
        fs::rename(self.path(INDEX_TO_BE), &index).map_err(|source| cannot_write(&index, source))?;
        Ok(index)
    }
}

/// A marker with these names in place of the one that is there. It is made anew, so that it is not written through a link.
fn fresh_marker(path: &Path, names: &[String]) -> Result<File, PreviewError> {
    let (marker, fresh) = (path.join(MARKER), path.join(format!("{MARKER}.new")));
    remove(&fresh)?;
    let made = File::create_new(&fresh).and_then(|mut file| {
        file.write_all(format!("{FIRST_LINE}\n{}\n", names.join("\n")).as_bytes())?;
        fs::rename(&fresh, &marker)?;
        Ok(file)
    });
    made.map_err(|source| {
        drop(fs::remove_file(&fresh));
        cannot_write(&marker, source)
    })
}

/// Two previews at once would leave a folder with letters of both.
fn lock(path: &Path) -> Result<Option<File>, PreviewError> {
    let Ok(folder) = File::open(path) else { return Ok(None) };
    match folder.try_lock() {
        Ok(()) => Ok(Some(folder)),
        Err(TryLockError::WouldBlock) => Err(PreviewError::Busy(path.to_owned())),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// What the marker of an earlier preview names; an empty folder needs no marker.
fn earlier(path: &Path) -> Result<Option<Vec<String>>, PreviewError> {
    let cannot_read = |source| PreviewError::Read { path: path.to_owned(), source };
    if fs::read_dir(path).map_err(cannot_read)?.next().is_none() {
        return Ok(None);
    }
    // Whatever is no plain file is not read: a pipe would be waited for without end.
    let plain = |marker: &PathBuf| fs::symlink_metadata(marker).is_ok_and(|found| found.is_file());
    let marker = match Some(path.join(MARKER)).filter(plain).map_or(Err(ErrorKind::NotFound.into()), fs::read_to_string)
    {
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
    Ok(Some(lines.filter(|name| *name == INDEX || is_made_by_us(name)).map(str::to_owned).collect()))
}

/// True for the names that a preview gives; a marker that somebody wrote must not reach any other file.
fn is_made_by_us(name: &str) -> bool {
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let list = name.strip_prefix("list-").and_then(|rest| rest.strip_suffix(".html")).is_some_and(is_number);
    if list || matches!(name, COMPARE | SEARCH | MANIFEST | INDEX_TO_BE) {
        return true;
    }
    if let Some(file) = name.strip_prefix(files::FOLDER).and_then(|rest| rest.strip_prefix('/')) {
        return files::is_made_by_us(file);
    }
    let page = name.strip_prefix(LETTERS).and_then(|rest| rest.strip_prefix('/')).and_then(|n| n.strip_suffix(".html"));
    page.or_else(|| name.strip_suffix(".eml")).is_some_and(names::is_stem)
}

fn remove(path: &Path) -> Result<(), PreviewError> {
    match fs::remove_file(path) {
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
        let ours = [
            "KEN.eml",
            "letters/KEN.html",
            "a-b.c_1.eml",
            "compare.html",
            "list-2.html",
            "manifest.json",
            "CON~.eml",
            "files/annex-0123456789abcdef.pdf",
        ];
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
            "index.html",
            "CON.eml",
            "files/notes.txt",
            "files/../letter.pdf",
        ] {
            assert!(!is_made_by_us(name), "{name}");
        }
    }
}
