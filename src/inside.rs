//! Files inside a folder, opened by handle: whatever is swapped for a link while we look, nothing outside is read.
//!
//! A path is resolved to find where it leads, links inside the folder included; then that way is walked from the folder's own
//! handle, part by part, and no link is followed any more (openat(2) with `O_NOFOLLOW`). What is checked is the handle.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, open, openat, statat};
use rustix::io::Errno;

/// Why something in a folder could not be read.
#[derive(Debug)]
pub enum Refused {
    /// A link leads out of the folder, or something was swapped for a link meanwhile.
    Outside,
    /// A folder, a device, a FIFO.
    NotAFile,
    /// It is longer than the cap.
    TooLarge,
    /// The operating system's word.
    Io(io::Error),
}

impl Refused {
    /// True if there is nothing of that name.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Io(error) if error.kind() == ErrorKind::NotFound)
    }
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Errno> for Refused {
    fn from(error: Errno) -> Self {
        match error {
            // A part of the way was a folder or a file, and is a link now.
            Errno::LOOP | Errno::NOTDIR | Errno::MLINK => Self::Outside,
            error => Self::Io(error.into()),
        }
    }
}

/// A folder that is held open.
#[derive(Debug)]
pub struct Folder {
    handle: OwnedFd,
    /// Canonical, as it was when the folder was opened.
    path: PathBuf,
}

/// What tells one state of a file from another: which file it is, its size, and when it was modified and changed, which
/// nobody can set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    file: (i128, i128),
    size: i128,
    modified: (i128, i128),
    changed: (i128, i128),
}

impl Stamp {
    /// When the file was changed last, in any way; `None` if the system's clock is beyond all time.
    #[must_use]
    pub fn changed_at(&self) -> Option<Timestamp> {
        Timestamp::from_second(i64::try_from(self.changed.0).ok()?).ok()
    }
}

/// Something that lies in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: OsString,
    /// What it is, a link being a link.
    pub kind: Kind,
}

/// What lies under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link.
    Link,
    /// A device, a FIFO, a socket.
    Other,
}

impl Kind {
    fn of(kind: FileType) -> Self {
        match kind {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// A FIFO is not waited for, and a terminal does not become ours.
const FILE: OFlags =
    OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens a folder; links on the way to it are followed.
    ///
    /// # Errors
    /// If it is not there, or no folder.
    pub fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let handle = open(&path, FOLDER, Mode::empty())?;
        Ok(Self { handle, path })
    }

    /// Opens a folder inside this one.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn folder(&self, relative: &Path) -> Result<Self, Refused> {
        let below = self.resolve(relative)?;
        let handle = self.walk(&below)?;
        Ok(Self { handle, path: self.path.join(below) })
    }

    /// What lies in it, but for `.` and `..`.
    ///
    /// # Errors
    /// The operating system's word.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.handle)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not tell.
                FileType::Unknown => self.kind(Path::new(name.to_string_lossy().as_ref()))?,
                kind => Kind::of(kind),
            };
            let name = std::os::unix::ffi::OsStringExt::from_vec(name.to_bytes().to_vec());
            entries.push(Entry { name, kind });
        }
        Ok(entries)
    }

    fn kind(&self, name: &Path) -> io::Result<Kind> {
        let stat = statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Kind::of(FileType::from_raw_mode(stat.st_mode)))
    }

    /// What `relative` leads to, links inside the folder followed; at the moment of asking.
    ///
    /// # Errors
    /// [`Refused::Outside`], and the operating system's word.
    pub fn kind_of(&self, relative: &Path) -> Result<Kind, Refused> {
        let below = self.resolve(relative)?;
        let Some(name) = below.file_name() else { return Ok(Kind::Folder) };
        let folder = self.walk(below.parent().unwrap_or(Path::new("")))?;
        let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match Kind::of(FileType::from_raw_mode(stat.st_mode)) {
            Kind::Link => Err(Refused::Outside),
            kind => Ok(kind),
        }
    }

    /// What tells the file at `relative` from another state of it, without reading it.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn stamp(&self, relative: &Path) -> Result<Stamp, Refused> {
        let below = self.resolve(relative)?;
        let Some(name) = below.file_name() else { return Err(Refused::NotAFile) };
        let folder = self.walk(below.parent().unwrap_or(Path::new("")))?;
        let stat = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match Kind::of(FileType::from_raw_mode(stat.st_mode)) {
            Kind::Link => return Err(Refused::Outside),
            Kind::Folder | Kind::Other => return Err(Refused::NotAFile),
            Kind::File => {}
        }
        Ok(Stamp {
            file: (i128::from(stat.st_dev), i128::from(stat.st_ino)),
            size: i128::from(stat.st_size),
            modified: (i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
            changed: (i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
        })
    }

    /// The bytes of the file at `relative`, `cap` at most.
    ///
    /// # Errors
    /// [`Refused`]
    pub fn read(&self, relative: &Path, cap: u64) -> Result<Vec<u8>, Refused> {
        let below = self.resolve(relative)?;
        let Some(name) = below.file_name() else { return Err(Refused::NotAFile) };
        let folder = self.walk(below.parent().unwrap_or(Path::new("")))?;
        // Opening a device may do something: only what is a file now is opened, and looked at again when it is open.
        match Kind::of(FileType::from_raw_mode(statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode)) {
            Kind::File => {}
            Kind::Link => return Err(Refused::Outside),
            Kind::Folder | Kind::Other => return Err(Refused::NotAFile),
        }
        let file = File::from(openat(&folder, name, FILE, Mode::empty())?);
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(Refused::NotAFile);
        }
        if facts.len() > cap {
            return Err(Refused::TooLarge);
        }
        let mut bytes = Vec::with_capacity(usize::try_from(facts.len()).unwrap_or(0));
        file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > cap { Err(Refused::TooLarge) } else { Ok(bytes) }
    }

    /// Where `relative` leads now, as a way from this folder without any link.
    fn resolve(&self, relative: &Path) -> Result<PathBuf, Refused> {
        let whole = self.path.join(relative).canonicalize()?;
        let below = whole.strip_prefix(&self.path).map_err(|_| Refused::Outside)?;
        Ok(below.to_owned())
    }

    /// The folder at `below`, no link followed.
    fn walk(&self, below: &Path) -> Result<OwnedFd, Refused> {
        let mut folder = openat(&self.handle, ".", FOLDER, Mode::empty())?;
        for part in below.components() {
            let Component::Normal(name) = part else { return Err(Refused::Outside) };
            folder = openat(&folder, name, FOLDER, Mode::empty())?;
        }
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    struct Grounds {
        _whole: tempfile::TempDir,
        campaign: PathBuf,
        outside: PathBuf,
    }

    /// A campaign folder with a file and a folder in it, and a secret of the same names outside.
    fn grounds() -> Grounds {
        let whole = tempfile::tempdir().unwrap();
        let (campaign, outside) = (whole.path().join("campaign"), whole.path().join("outside"));
        for (folder, text) in [(&campaign, "ours"), (&outside, "secret")] {
            fs::create_dir_all(folder.join("sub")).unwrap();
            fs::write(folder.join("a.pdf"), text).unwrap();
            fs::write(folder.join("sub/a.pdf"), text).unwrap();
        }
        Grounds { _whole: whole, campaign, outside }
    }

    /// While `swap` goes on in a thread, nothing of outside is ever read; ours is, and so is the refusal met.
    fn holds_while(grounds: &Grounds, path: &str, swap: impl Fn() + Send + Sync) {
        let folder = Folder::open(&grounds.campaign).unwrap();
        let done = AtomicBool::new(false);
        let (mut ours, mut refused, mut secrets) = (0, 0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    swap();
                }
            });
            let mut tries = 0;
            while (ours < 1_000 || refused < 1_000) && tries < 20_000_000 {
                tries += 1;
                // On a busy machine the other thread may stand still in one of the two states: let it go on.
                if tries % 64 == 0 {
                    std::thread::yield_now();
                }
                match folder.read(Path::new(path), 100) {
                    Ok(bytes) if bytes == b"ours" => ours += 1,
                    Ok(_) => secrets += 1,
                    Err(_) => refused += 1,
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        assert_eq!(secrets, 0, "the secret was read");
        assert!(ours >= 1_000 && refused >= 1_000, "both were met: {ours} {refused}");
    }

    #[test]
    fn a_file_swapped_for_a_link_while_it_is_read_is_not_followed_out() {
        let grounds = grounds();
        let (place, next) = (grounds.campaign.join("a.pdf"), grounds.campaign.join("next"));
        holds_while(&grounds, "a.pdf", || {
            symlink(grounds.outside.join("a.pdf"), &next).unwrap();
            fs::rename(&next, &place).unwrap();
            fs::write(&next, "ours").unwrap();
            fs::rename(&next, &place).unwrap();
        });
    }

    #[test]
    fn a_folder_swapped_for_a_link_while_a_file_in_it_is_read_is_not_followed_out() {
        let grounds = grounds();
        let (place, aside) = (grounds.campaign.join("sub"), grounds.campaign.join("aside"));
        holds_while(&grounds, "sub/a.pdf", || {
            fs::rename(&place, &aside).unwrap();
            symlink(grounds.outside.join("sub"), &place).unwrap();
            fs::remove_file(&place).unwrap();
            fs::rename(&aside, &place).unwrap();
        });
    }

    #[test]
    fn another_state_of_a_file_has_another_stamp_even_with_its_size_and_time_kept() {
        let Grounds { campaign, outside, _whole } = grounds();
        let (folder, path) = (Folder::open(&campaign).unwrap(), campaign.join("a.pdf"));
        let stamp = |name: &str| folder.stamp(Path::new(name));
        let first = stamp("a.pdf").unwrap();
        assert_eq!(stamp("a.pdf").unwrap(), first);
        assert!(first.changed_at().is_some());
        let times = fs::metadata(&path).unwrap().modified().unwrap();
        fs::write(campaign.join("next"), "ours").unwrap();
        File::open(campaign.join("next")).unwrap().set_modified(times).unwrap();
        fs::rename(campaign.join("next"), &path).unwrap();
        assert_ne!(stamp("a.pdf").unwrap(), first, "another file");
        symlink(outside.join("a.pdf"), campaign.join("out")).unwrap();
        assert!(matches!(stamp("out"), Err(Refused::Outside)));
        assert!(matches!(stamp("sub"), Err(Refused::NotAFile)));
        assert!(stamp("nothing").is_err_and(|refused| refused.is_missing()));
    }

    #[test]
    fn links_inside_are_followed_and_links_out_are_not() {
        let Grounds { campaign, outside, _whole } = grounds();
        symlink("sub/a.pdf", campaign.join("in")).unwrap();
        symlink(campaign.join("sub"), campaign.join("folder")).unwrap();
        symlink(outside.join("a.pdf"), campaign.join("out")).unwrap();
        symlink("nowhere", campaign.join("dangling")).unwrap();
        let folder = Folder::open(&campaign).unwrap();
        let read = |path: &str| folder.read(Path::new(path), 100);
        assert_eq!(read("in").unwrap(), b"ours");
        assert_eq!(read("folder/a.pdf").unwrap(), b"ours");
        assert!(matches!(read("out"), Err(Refused::Outside)));
        assert!(matches!(read("../outside/a.pdf"), Err(Refused::Outside)));
        assert!(matches!(read("sub"), Err(Refused::NotAFile)));
        assert!(read("dangling").is_err_and(|refused| refused.is_missing()));
        assert!(matches!(folder.read(Path::new("a.pdf"), 3), Err(Refused::TooLarge)));
        assert_eq!(folder.folder(Path::new("folder")).unwrap().read(Path::new("a.pdf"), 100).unwrap(), b"ours");
        assert!(matches!(folder.folder(Path::new("../outside")), Err(Refused::Outside)));
    }
}
