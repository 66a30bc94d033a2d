//! A wall clock that a test sets while the program runs (libfaketime). The monotonic clock is left alone.

use std::fs;
use std::path::PathBuf;

use super::campaign::Campaign;

/// The offset that the program's wall clock has.
pub struct WallClock {
    file: PathBuf,
}

impl WallClock {
    /// A clock for the programs of this campaign, right at first.
    ///
    /// # Panics
    /// When libfaketime is not here.
    pub fn of(campaign: Campaign) -> (Self, Campaign) {
        let clock = Self { file: campaign.path("home/clock") };
        clock.set(0);
        let library = library().expect("libfaketime is here");
        let campaign = campaign
            .env("LD_PRELOAD", library.to_str().expect("a path"))
            .env("FAKETIME_TIMESTAMP_FILE", clock.file.to_str().expect("a path"))
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
        (clock, campaign)
    }

    /// From now on the clock is so many seconds ahead of the right time, or behind it.
    pub fn set(&self, seconds: i64) {
        // In one step: the program reads it whenever it looks at its clock.
        let next = self.file.with_extension("next");
        fs::write(&next, format!("{seconds:+}\n")).expect("our own file");
        fs::rename(next, &self.file).expect("our own file");
    }
}

/// Where Debian keeps the library, whatever the processor.
fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let candidates = folders.chain([PathBuf::from("/usr/lib")]);
    candidates.map(|folder| folder.join("faketime/libfaketimeMT.so.1")).find(|library| library.is_file())
}

/// Whether the library is here for the test called `what`; as [`super::real_servers_or_skip`].
///
/// # Panics
/// When it is missing and everything has to run.
pub fn clock_or_skip(what: &str) -> bool {
    let missing = if library().is_some() { vec![] } else { vec!["libfaketime"] };
    super::all_here_or_skip(what, "a clock that can be set", &missing)
}
