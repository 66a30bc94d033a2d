//! What can go wrong with the ledger, in words for a person: what happened, and what to do.

use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, ffi};

use crate::domain::delivery::IllegalTransition;
use crate::domain::recipient::RecipientId;

/// Why the ledger could not do what was asked. Whatever it is, nothing of the request was written, except where it says so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// Another process works with it.
    #[error(
        "the ledger is in use by {holder}: wait until it has finished, or stop it there; `status` and `log` can be used meanwhile"
    )]
    Locked {
        /// Who: process, purpose and since when, as far as known.
        holder: String,
    },
    /// There is no such file.
    #[error("there is no ledger at {path}: nothing was sent from here yet, or `ledger.file` names another place")]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// There is no such folder to make it in.
    #[error("there is no folder {path} for the ledger: make it, or name another place in `ledger.file`")]
    NoFolder {
        /// The folder.
        path: PathBuf,
    },
    /// A file of no bytes.
    #[error(
        "{path} is empty; if it was a ledger, what was in it is lost: restore a copy of it before you send anything more; if nothing was ever sent from here, remove it"
    )]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Not a SQLite file, or one of another program.
    #[error(
        "{path} is not a ledger of demarche, and was left as it is: name another file in `ledger.file`, or move this one away"
    )]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// The file's content is damaged.
    #[error(
        "the ledger is damaged ({what}), and was left as it is: restore a copy of it before you send anything more"
    )]
    Corrupt {
        /// What was found.
        what: String,
    },
    /// Written by a later version.
    #[error(
        "the ledger was written by a newer demarche (its version is {found}, this program knows {known}): use the newer program"
    )]
    Newer {
        /// The file's `user_version`.
        found: i64,
        /// The last that this program knows.
        known: i64,
    },
    /// It may not be written.
    #[error("{path} cannot be written: make it, and the folder it is in, writable for you")]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// A symbolic link, which could lead two terminals around the lock.
    #[error(
        "{path} is a symbolic link, and nothing is written through one: put the file itself there, or name another place in `ledger.file`"
    )]
    Symlink {
        /// The link.
        path: PathBuf,
    },
    /// SQLite's log of a ledger that was moved away without it: opened, it would become part of a new one.
    #[error(
        "{path} is what a run that was cut off had not yet written into its ledger, and that ledger is not here: put the two together, both where the ledger went or the ledger back here; what is in it is on record nowhere else"
    )]
    Orphan {
        /// The file beside the missing ledger.
        path: PathBuf,
    },
    /// A file of several names, each of which would have a lock and a log of its own.
    #[error(
        "{path} has a second name (a hard link), under which it would be another ledger with the same rows: remove one of the names; `cp` makes a copy, `ln` does not"
    )]
    HardLink {
        /// The file.
        path: PathBuf,
    },
    /// A file system that does not keep the promises that SQLite needs.
    #[error(
        "{path} is on a network file system ({kind}), where neither locks nor writes can be relied on: put the ledger on a local disk"
    )]
    Network {
        /// The file.
        path: PathBuf,
        /// The file system's name.
        kind: String,
    },
    /// The settings that make writes durable did not take.
    #[error("the ledger cannot be made durable here ({what}): put it on a local disk")]
    NotDurable {
        /// Which setting.
        what: String,
    },
    /// No space left.
    #[error("the disk is full, so the ledger cannot record anything: make room, then run the same command again")]
    Full,
    /// The operating system refused.
    #[error("the ledger cannot be read or written ({what}): see to the disk, then run the same command again")]
    Io {
        /// Its words.
        what: String,
    },
    /// Something that cannot happen to a delivery in its state.
    #[error("the ledger refused an impossible step: {0}")]
    Illegal(#[from] IllegalTransition),
    /// An attempt or outcome that names other addresses than the ledger has.
    #[error("the ledger refused an attempt on delivery {delivery}: {what}")]
    Mismatch {
        /// The ledger's number.
        delivery: i64,
        /// What does not fit.
        what: &'static str,
    },
    /// A row that has no address, or one twice.
    #[error("the row {id} has no address, or has one twice")]
    Addresses {
        /// The row.
        id: RecipientId,
    },
    /// Two rows with one id.
    #[error("two rows have the id {id}: every row needs an id of its own")]
    Twice {
        /// The id.
        id: RecipientId,
    },
    /// A ledger of another campaign.
    #[error("this ledger belongs to the campaign \"{found}\", not to \"{given}\": name another file in `ledger.file`")]
    OtherCampaign {
        /// Whose it is.
        found: String,
        /// Who asked.
        given: String,
    },
    /// The last run was somewhere else.
    #[error(
        "the last run on this ledger was on another machine, or by another user ({host}, {at}); if letters went out from both \
         copies, missions would get them twice: go on there; or, if nothing is sent from there any more, go on here with \
         --take-over. `status`, `log` and `report` work without"
    )]
    Foreign {
        /// The name of that machine.
        host: String,
        /// When that run began; or a word for it.
        at: String,
    },
    /// A copy from before the last run on this machine.
    #[error(
        "this ledger is an older copy: a run on this machine ({at}) went on with a newer one{newer}; {instead}; if it is lost, \
         put whoever has the letter (the relay's log tells) into suppressed.csv, and go on with --take-over"
    )]
    Outdated {
        /// When that run began.
        at: String,
        /// Where the newer one is, and what was sent from it.
        newer: String,
        /// What to do if it is there.
        instead: &'static str,
    },
    /// What this machine remembers of its ledgers is out of reach.
    #[error(
        "what this machine knows of its ledgers cannot be read or written ({path}: {what}): see to that file, or name another \
         folder by XDG_STATE_HOME"
    )]
    Memory {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        what: String,
    },
    /// Nothing of that name.
    #[error("the ledger has no {what}")]
    Unknown {
        /// What was asked for.
        what: String,
    },
    /// The outcome is not in the ledger, but safe in the emergency journal: the next run takes it over.
    #[error(
        "the outcome of delivery {delivery} is kept in {journal}, because {cause}; do not delete that file: the next command that opens the ledger takes it over"
    )]
    Journaled {
        /// The ledger's number.
        delivery: i64,
        /// The journal.
        journal: PathBuf,
        /// Why the ledger did not take it.
        cause: Box<LedgerError>,
    },
    /// Neither the ledger nor the journal took the outcome; the next run will show the delivery as uncertain.
    #[error(
        "the outcome of delivery {delivery} ({outcome}) could be recorded nowhere ({cause}; journal: {journal}): write it down; the next run shows the delivery as uncertain, and `resolve` records your word on it"
    )]
    Lost {
        /// The ledger's number.
        delivery: i64,
        /// The last word, as text.
        outcome: String,
        /// Why the ledger did not take it.
        cause: Box<LedgerError>,
        /// Why the journal did not.
        journal: String,
    },
    /// The thread that writes has ended.
    #[error("the ledger has stopped: run the same command again")]
    Gone,
    /// Anything else that SQLite says.
    #[error("the ledger failed: {what}")]
    Sql {
        /// SQLite's words.
        what: String,
    },
}

impl LedgerError {
    /// True if the request itself was refused before anything was written, so that others of its group are not touched.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Illegal(_)
                | Self::Mismatch { .. }
                | Self::Addresses { .. }
                | Self::Twice { .. }
                | Self::OtherCampaign { .. }
                | Self::Unknown { .. }
        )
    }

    /// What the operating system said about a file of the ledger.
    pub(super) fn of_io(error: &std::io::Error, path: &Path) -> Self {
        use std::io::ErrorKind as K;
        if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) {
            return Self::Symlink { path: path.to_owned() };
        }
        match error.kind() {
            K::NotFound => Self::Missing { path: path.to_owned() },
            K::PermissionDenied | K::ReadOnlyFilesystem => Self::ReadOnly { path: path.to_owned() },
            K::StorageFull | K::QuotaExceeded => Self::Full,
            _ => Self::Io { what: format!("{}: {error}", path.display()) },
        }
    }

    /// What SQLite said while it opened `path`.
    pub(super) fn at_open(error: &rusqlite::Error, path: &Path) -> Self {
        if error.sqlite_error().is_some_and(|error| error.extended_code == ffi::SQLITE_CANTOPEN_SYMLINK) {
            return Self::Symlink { path: path.to_owned() };
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotOurs { path: path.to_owned() },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                Self::ReadOnly { path: path.to_owned() }
            }
            _ => Self::of_sql(error),
        }
    }

    fn of_sql(error: &rusqlite::Error) -> Self {
        let what = error.to_string();
        match error.sqlite_error().map(|error| error.extended_code) {
            // The log's index, shared with readers, cannot grow: that has but one usual reason.
            Some(ffi::SQLITE_IOERR_SHMSIZE) => return Self::Full,
            Some(ffi::SQLITE_IOERR_WRITE) => {
                return Self::Io { what: "a write failed, as on a failing disk or beyond `ulimit -f`".to_owned() };
            }
            _ => {}
        }
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::Full,
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { what },
            Some(ErrorCode::SystemIoFailure | ErrorCode::ReadOnly | ErrorCode::CannotOpen) => Self::Io { what },
            _ => Self::Sql { what },
        }
    }
}

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::of_sql(&error)
    }
}
