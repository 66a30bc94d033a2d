//! Exit codes (after sysexits.h, as `--help` lists them) and the failures that lead to them.

use std::io::ErrorKind;

use crate::diagnostic::Diagnostic;
use crate::dispatch::RunError;
use crate::ledger::LedgerError;
use crate::smtp::SetupError;

/// Every row settled as accepted or suppressed, or nothing to do.
pub(super) const OK: u8 = 0;
/// Some rows failed; for `test` and `check --online`, something did not work.
pub(super) const FAILED: u8 = 1;
/// Some rows are uncertain.
pub(super) const UNCERTAIN: u8 = 2;
/// The command line is wrong.
pub(super) const USAGE: u8 = 64;
/// Recipients, templates or attachments are wrong.
pub(super) const DATA: u8 = 65;
/// The relay is unavailable or refuses us.
pub(super) const UNAVAILABLE: u8 = 69;
/// A defect of this program.
pub(super) const SOFTWARE: u8 = 70;
/// A file cannot be written.
pub(super) const CANNOT_CREATE: u8 = 73;
/// A file cannot be read, or the ledger is unusable.
pub(super) const IO: u8 = 74;
/// Something is left to do.
pub(super) const TRY_AGAIN: u8 = 75;
/// The config is wrong.
pub(super) const CONFIG: u8 = 78;

/// Why a command could not do its work.
#[derive(Debug)]
pub enum Failure {
    /// A sentence for a person, and what to do.
    Said {
        /// The exit code.
        code: u8,
        /// What happened.
        message: String,
        /// What to do.
        help: Option<String>,
    },
    /// Problems in somebody's input.
    Problems {
        /// The exit code.
        code: u8,
        /// All of them, warnings too.
        diagnostics: Vec<Diagnostic>,
    },
}

impl Failure {
    /// A failure with an exit code and a sentence.
    #[must_use]
    pub fn new(code: u8, message: impl Into<String>) -> Self {
        Self::Said { code, message: message.into(), help: None }
    }

    /// With what to do.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        if let Self::Said { help, .. } = &mut self {
            *help = Some(text.into());
        }
        self
    }

    /// The exit code.
    #[must_use]
    pub fn code(&self) -> u8 {
        match self {
            Self::Said { code, .. } | Self::Problems { code, .. } => *code,
        }
    }

    /// A file that cannot be written.
    #[must_use]
    pub fn cannot_write(path: &std::path::Path, error: &std::io::Error) -> Self {
        let failure = Self::new(CANNOT_CREATE, format!("{} cannot be written: {error}", path.display()));
        match what_to_do(error.kind()) {
            Some(help) => failure.help(help),
            None => failure,
        }
    }
}

/// What to do about a file that cannot be written.
pub(super) fn what_to_do(kind: ErrorKind) -> Option<&'static str> {
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Some("work in a folder that is yours, or have this one made writable for you")
        }
        ErrorKind::AlreadyExists | ErrorKind::NotADirectory | ErrorKind::IsADirectory => {
            Some("something else is in its place: name another")
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Some("make room on the disk, and try again"),
        _ => None,
    }
}

impl From<LedgerError> for Failure {
    fn from(error: LedgerError) -> Self {
        Self::new(IO, error.to_string())
    }
}

impl From<SetupError> for Failure {
    fn from(error: SetupError) -> Self {
        Self::new(CONFIG, error.to_string())
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Ledger(error) => error.into(),
            RunError::NotAsApproved { .. } | RunError::Compose { .. } => Self::new(DATA, error.to_string()),
        }
    }
}
