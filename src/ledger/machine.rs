//! What a machine knows of itself and of the ledgers it sends from: small files in the user's state folder. Its id is a random
//! number of our own; nothing of the hardware or the system is read but the host's name, for people.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::open::sync_folder;
use super::trail::Trail;
use crate::clock;
use crate::domain::reply::visible;

/// A random value that tells one thing from another.
pub(super) type Mark = [u8; 16];

/// No file of ours is longer.
const LONGEST: u64 = 16 * 1024;

/// The machine that we run on, as far as ledgers are concerned.
#[derive(Debug, Clone)]
pub struct Machine {
    pub(super) id: Mark,
    pub(super) host: String,
    /// Where it remembers turns.
    folder: PathBuf,
    /// Where it remembers what went out.
    trails: PathBuf,
}

/// What it remembers of one ledger.
pub(super) struct Memory {
    turns: Vec<Mark>,
    /// When it last sent from it, for people.
    pub(super) at: String,
}

impl Memory {
    pub(super) fn knows(&self, turn: Mark) -> bool {
        self.turns.contains(&turn)
    }
}

/// The name of the machine that we run on, for people.
pub(super) fn host() -> String {
    visible(&rustix::system::uname().nodename().to_string_lossy())
}

/// A new random value.
pub(super) fn random() -> Mark {
    fastrand::u128(..).to_be_bytes()
}

impl Machine {
    /// This machine, as `folder` (the program's own, in the user's state folder) knows it; at the first time it gets an id.
    ///
    /// # Errors
    /// [`LedgerError::Memory`] if the folder cannot be used.
    pub fn here(folder: &Path) -> Result<Self, LedgerError> {
        let path = folder.join("machine");
        let id = match read(&path)? {
            Some(text) => parse(text.trim()).ok_or_else(|| unusable(&path, &"it holds something else"))?,
            None => Self::introduce(&path)?,
        };
        Ok(Self { id, host: host(), folder: folder.join("ledgers"), trails: folder.join("trails") })
    }

    /// Two first runs at once agree on the id that was written first.
    fn introduce(path: &Path) -> Result<Mark, LedgerError> {
        write(path, &format!("{}\n", hex(random())), Place::New)?;
        let text = read(path)?.unwrap_or_default();
        parse(text.trim()).ok_or_else(|| unusable(path, &"it cannot be kept"))
    }

    fn memory_of(&self, ledger: &Mark) -> PathBuf {
        self.folder.join(hex(*ledger))
    }

    /// What it remembers of the ledger with that mark.
    pub(super) fn recall(&self, ledger: &Mark) -> Result<Option<Memory>, LedgerError> {
        let path = self.memory_of(ledger);
        let Some(text) = read(&path)? else { return Ok(None) };
        let mut lines = text.lines();
        let at = visible(lines.next().unwrap_or_default());
        let turns: Option<Vec<Mark>> = lines.map(parse).collect();
        match turns {
            Some(turns) if !turns.is_empty() => Ok(Some(Memory { turns, at })),
            _ => Err(unusable(&path, &"it holds something else")),
        }
    }

    /// Remembers, durably, by which turns it knows the ledger with that mark.
    pub(super) fn remember(&self, ledger: &Mark, turns: &[Mark]) -> Result<(), LedgerError> {
        let mut text = format!("{}\n", clock::now().strftime("%Y-%m-%d %H:%M UTC"));
        for turn in turns {
            text.push_str(&hex(*turn));
            text.push('\n');
        }
        write(&self.memory_of(ledger), &text, Place::Any)
    }

    /// Held while a run on the ledger with that mark begins, so that of two copies that do at one moment the second sees the
    /// turn of the first.
    pub(super) fn one_at_a_time(&self, ledger: &Mark) -> Result<File, LedgerError> {
        let path = self.folder.join(format!("{}.lock", hex(*ledger)));
        let fail = |error: std::io::Error| unusable(&path, &error);
        fs::create_dir_all(&self.folder).map_err(fail)?;
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(fail)?;
        file.lock().map_err(fail)?;
        Ok(file)
    }

    fn trail_of(&self, ledger: &Mark) -> PathBuf {
        self.trails.join(format!("{}.json", hex(*ledger)))
    }

    /// What it remembers of the letters that went out from the ledger with that mark.
    pub(super) fn trail(&self, ledger: &Mark) -> Result<Option<Trail>, LedgerError> {
        read_trail(&self.trail_of(ledger))
    }

    /// Remembers that, durably.
    pub(super) fn keep_trail(&self, ledger: &Mark, trail: &Trail) -> Result<(), LedgerError> {
        let path = self.trail_of(ledger);
        let text = serde_json::to_string(trail).map_err(|error| unusable(&path, &error))?;
        write(&path, &format!("{text}\n"), Place::Any)
    }

    /// What it remembers of every ledger.
    pub(super) fn trails(&self) -> Result<Vec<(Mark, Trail)>, LedgerError> {
        let files = match fs::read_dir(&self.trails) {
            Ok(files) => files,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unusable(&self.trails, &error)),
        };
        let mut trails = Vec::new();
        for file in files {
            let path = file.map_err(|error| unusable(&self.trails, &error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            let Some(mark) = name.strip_suffix(".json").and_then(parse) else { continue };
            trails.extend(read_trail(&path)?.map(|trail| (mark, trail)));
        }
        Ok(trails)
    }
}

#[derive(Clone, Copy)]
enum Place {
    /// What is there stays.
    New,
    /// What is there is replaced.
    Any,
}

/// Writes a file as a whole or not at all.
fn write(path: &Path, text: &str, place: Place) -> Result<(), LedgerError> {
    let fail = |error: std::io::Error| unusable(path, &error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(fail)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!(".{}.new", hex(random())));
    let beside = PathBuf::from(beside);
    let written = (|| {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match place {
            Place::Any => fs::rename(&beside, path),
            Place::New => match fs::hard_link(&beside, path) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
                _ => fs::remove_file(&beside),
            },
        }?;
        sync_folder(path)
    })();
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        fail(error)
    })
}

fn read_trail(path: &Path) -> Result<Option<Trail>, LedgerError> {
    let text = read(path)?;
    text.map(|text| serde_json::from_str(&text).map_err(|_| unusable(path, &"it holds something else"))).transpose()
}

fn read(path: &Path) -> Result<Option<String>, LedgerError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(path, &error)),
    };
    let mut text = String::new();
    file.take(LONGEST).read_to_string(&mut text).map_err(|error| unusable(path, &error))?;
    Ok(Some(text))
}

fn unusable(path: &Path, what: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Memory { path: path.to_owned(), what: what.to_string() }
}

fn hex(mark: Mark) -> String {
    format!("{:032x}", u128::from_be_bytes(mark))
}

fn parse(text: &str) -> Option<Mark> {
    let plain = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(u128::to_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_keeps_its_id_and_another_folder_is_another_machine() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let first = Machine::here(&one.path().join("demarche")).unwrap();
        assert_eq!(Machine::here(&one.path().join("demarche")).unwrap().id, first.id);
        assert_ne!(Machine::here(two.path()).unwrap().id, first.id);
        assert_eq!(fs::read_dir(one.path().join("demarche")).unwrap().count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_memory_that_cannot_be_read_is_an_error_and_not_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine::here(folder.path()).unwrap();
        assert!(machine.recall(&[7; 16]).unwrap().is_none());
        machine.remember(&[7; 16], &[[1; 16], [2; 16]]).unwrap();
        let memory = machine.recall(&[7; 16]).unwrap().unwrap();
        assert!(memory.knows([1; 16]) && memory.knows([2; 16]) && !memory.knows([3; 16]));
        fs::write(machine.memory_of(&[7; 16]), "2021-10-01\nrubbish\n").unwrap();
        let error = machine.recall(&[7; 16]).err().unwrap().to_string();
        assert!(error.contains("XDG_STATE_HOME"), "{error}");
        fs::write(folder.path().join("machine"), "rubbish").unwrap();
        assert!(Machine::here(folder.path()).is_err());
    }
}
