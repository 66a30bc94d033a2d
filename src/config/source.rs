//! The config file on the disk: found, of a sane size, readable, and not for everyone's eyes if it holds a password.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Diagnostic, Place};

/// More than any config; what is longer is another file.
const MOST_BYTES: u64 = 1024 * 1024;

/// Whether everybody on the machine can read the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exposed {
    /// Its permissions let anyone read it.
    Yes,
    /// They do not, or nobody knows.
    No,
}

/// A config file as read.
pub(super) struct Source {
    /// Its text.
    pub(super) text: String,
    /// Its path as the user wrote it.
    pub(super) shown: String,
    /// Its folder, canonical.
    pub(super) folder: PathBuf,
    /// Who can read it.
    pub(super) exposed: Exposed,
}

/// Reads a config file; the error is the problem to show.
pub(super) fn load(path: &Path) -> Result<Source, Box<Diagnostic>> {
    let shown = path.display().to_string();
    let refuse = |code, message: String, help: &str| {
        Box::new(Diagnostic::error(code, message).at(Place::file(&shown)).help(help))
    };
    let unreadable = |error: &std::io::Error| match error.kind() {
        ErrorKind::NotFound => {
            let help = "run `demarche init` to make a campaign folder, or pass --config";
            refuse("config-missing", "there is no config file here".to_owned(), help)
        }
        _ => refuse("config-unreadable", format!("the config file cannot be read: {error}"), "pass --config"),
    };
    // A FIFO or a device would be waited for without end: only a file is opened.
    let metadata = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !metadata.is_file() {
        let help = "pass the file with --config, such as --config campaign/config.toml";
        return Err(refuse("config-unreadable", "this is not a file".to_owned(), help));
    }
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|error| unreadable(&error))?;
    file.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MOST_BYTES {
        let message = "the file is longer than 1 MB, which no config is".to_owned();
        return Err(refuse("config-too-large", message, "pass the config file with --config"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = good.split(|byte| *byte == b'\n').count();
        let mut place = Place::file(&shown);
        place.line = line;
        let help = "save it as UTF-8 in the editor";
        Box::new(Diagnostic::error("config-not-utf8", "the config file is not UTF-8").at(place).help(help))
    })?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = parent.canonicalize().map_err(|error| unreadable(&error))?;
    let text = text.trim_start_matches('\u{feff}').to_owned();
    Ok(Source { text, shown, folder, exposed: exposed(&metadata) })
}

#[cfg(unix)]
fn exposed(metadata: &fs::Metadata) -> Exposed {
    use std::os::unix::fs::PermissionsExt as _;
    if metadata.permissions().mode() & 0o004 == 0 { Exposed::No } else { Exposed::Yes }
}

#[cfg(not(unix))]
fn exposed(_: &fs::Metadata) -> Exposed {
    Exposed::No
}
