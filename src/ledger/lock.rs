//! The lock beside the ledger: one process writes, the second is told who, and the lock dies with its holder.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::open::not_through_a_link;
use crate::domain::reply::visible;

/// Held as long as it lives. The file stays behind: removing it would let two processes lock two files of one name.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Who that is: process, purpose and since when.
    holds: String,
}

impl Drop for Lock {
    /// Closing alone would not do: a command that is being started holds the same open file until it is executed.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

/// A file beside the ledger: its whole name and a suffix.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

impl Lock {
    /// Takes the lock of the ledger at `path`, or says who holds it.
    ///
    /// # Errors
    /// [`LedgerError::Locked`], and what the operating system says.
    pub(super) fn take(path: &Path, purpose: &str) -> Result<Self, LedgerError> {
        let path = beside(path, ".lock");
        let io = |error: &std::io::Error| LedgerError::of_io(error, &path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = not_through_a_link(&mut options).open(&path).map_err(|error| io(&error))?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => return Err(io(&error)),
                Err(TryLockError::WouldBlock) => {}
            }
            // A reader that looks whether anybody writes is no holder, and lets go at once.
            match file.try_lock_shared() {
                Ok(()) => file.unlock().map_err(|error| io(&error))?,
                Err(TryLockError::WouldBlock) => return Err(LedgerError::Locked { holder: holder(&mut file) }),
                Err(TryLockError::Error(error)) => return Err(io(&error)),
            }
            std::thread::yield_now();
        }
        let since = crate::clock::now().round(jiff::Unit::Second).unwrap_or_default();
        let holds = format!("process {}, `demarche {purpose}`, since {since}", std::process::id());
        let lock = Self { file, holds };
        lock.tell("").map_err(|error| io(&error))?;
        Ok(lock)
    }

    /// Adds to what a second terminal is told of the holder: `what` it is at.
    pub(super) fn tell(&self, what: &str) -> std::io::Result<()> {
        let mut file = &self.file;
        let text = format!("{}{what}\n", self.holds);
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        file.set_len(text.len() as u64)
    }

    /// Who holds the lock of the ledger at `path`, if anybody does.
    pub(super) fn holder(path: &Path) -> Option<String> {
        let path = beside(path, ".lock");
        let mut file = not_through_a_link(OpenOptions::new().read(true)).open(path).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder(&mut file)),
            _ => None,
        }
    }
}

/// Held by a reader for as long as it takes to begin its look: nobody writes meanwhile.
#[derive(Debug)]
pub(super) struct NobodyWrites {
    file: Option<File>,
}

impl Drop for NobodyWrites {
    fn drop(&mut self) {
        if let Some(file) = &self.file {
            let _ = file.unlock();
        }
    }
}

impl NobodyWrites {
    /// `None` if a process holds the lock of the ledger at `path`, or that cannot be told. Nothing is written.
    pub(super) fn now(path: &Path) -> Option<Self> {
        match not_through_a_link(OpenOptions::new().read(true)).open(beside(path, ".lock")) {
            Ok(file) => file.try_lock_shared().ok().map(|()| Self { file: Some(file) }),
            Err(error) => (error.kind() == std::io::ErrorKind::NotFound).then_some(Self { file: None }),
        }
    }
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    // The holder may be about to write its name; then we do not know it.
    let known = file.take(500).read_to_string(&mut text).is_ok();
    let text = text.trim();
    if known && !text.is_empty() { visible(text) } else { "another process".to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_lock_and_gets_it_once_the_first_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ledger.db");
        let first = Lock::take(&path, "send").unwrap();
        let error = Lock::take(&path, "resend").unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("process {}, `demarche send`, since 2", std::process::id())), "{text}");
        drop(first);
        Lock::take(&path, "resend").unwrap();
    }
}
