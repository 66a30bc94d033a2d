//! What a machine remembers of the letters that went out from its ledgers: a small file for each ledger, so that neither a new
//! ledger nor an older copy is taken for the whole story. Written when a run begins and when it ends, not for each letter: of a
//! run that was cut off, it says that there was one, and of how many letters.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::machine::{Machine, Mark};
use super::queries::Reader;
use crate::clock;

/// What it remembers of one ledger; a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Trail {
    campaign: String,
    /// Where the ledger was at its last run.
    ledger: String,
    /// How many of its letters were accepted, or may have been.
    letters: u64,
    /// Of those, how many went to a relay that is not on this machine.
    elsewhere: u64,
    /// The run that is going on, or was cut off.
    running: Option<Running>,
    at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    letters: u64,
    elsewhere: bool,
}

impl Trail {
    /// With what the ledger itself says now.
    fn brought_forward(mut self, letters: u64) -> Self {
        if self.running.as_ref().is_none_or(|run| run.elsewhere) {
            self.elsewhere += letters.saturating_sub(self.letters);
        }
        self.letters = letters;
        self
    }

    /// The same, by the ledger where it was last, if it is there.
    fn looked_up(self, mark: Mark) -> Self {
        let there = Reader::open(Path::new(&self.ledger)).ok();
        let there = there.filter(|reader| reader.mark().is_ok_and(|found| found == Some(mark)));
        match there.and_then(|reader| Some((may_have_it(&reader).ok()?, reader.holder().is_some()))) {
            None => self,
            Some((letters, at_work)) => {
                let mut trail = self.brought_forward(letters);
                // What a run that was cut off could do is on record there.
                trail.running = trail.running.filter(|_| at_work);
                trail
            }
        }
    }
}

/// A ledger of the same campaign that is not the one at hand, and from which letters went out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherLedger {
    /// Where it was at its last run.
    pub path: PathBuf,
    /// When that was.
    pub at: Timestamp,
    /// How many of its letters were accepted, or may have been.
    pub letters: u64,
    /// How many more may have been, by a run that did not end properly, or has not ended.
    pub perhaps: u64,
    /// True if all of them went to a relay on this very machine: that was a trial.
    pub trial: bool,
}

/// The newer of two copies of a ledger, as far as it is known.
pub(super) struct Newer {
    pub(super) path: PathBuf,
    pub(super) letters: u64,
    /// False if a run was cut off whose letters are not known.
    pub(super) is_whole: bool,
}

fn may_have_it(reader: &Reader) -> Result<u64, LedgerError> {
    let counts = reader.counts()?;
    Ok(counts.accepted + counts.uncertain)
}

/// A run that begins: whose letters, where the ledger is, what it says, how many letters are to go, and whether the relay is on
/// another machine.
pub(super) struct Begins<'a> {
    pub(super) campaign: &'a str,
    pub(super) ledger: &'a Path,
    pub(super) reader: &'a Reader,
    pub(super) letters: u64,
    pub(super) elsewhere: bool,
}

/// Remembers, durably, that a run begins on the ledger with that mark.
pub(super) fn begin(machine: &Machine, mark: &Mark, run: &Begins<'_>) -> Result<(), LedgerError> {
    let now = may_have_it(run.reader)?;
    let before = machine.trail(mark)?.map(|trail| trail.brought_forward(now));
    let path = std::path::absolute(run.ledger).unwrap_or_else(|_| run.ledger.to_owned());
    let trail = Trail {
        campaign: run.campaign.to_owned(),
        ledger: path.to_string_lossy().into_owned(),
        letters: now,
        // Where those went of which this machine knows nothing, nobody can say.
        elsewhere: before.map_or(now, |trail| trail.elsewhere),
        running: Some(Running { letters: run.letters, elsewhere: run.elsewhere }),
        at: clock::now(),
    };
    machine.keep_trail(mark, &trail)
}

/// Remembers that the run ended, and what went out by then.
pub(super) fn end(machine: &Machine, mark: &Mark, reader: &Reader) -> Result<(), LedgerError> {
    let Some(trail) = machine.trail(mark)? else { return Ok(()) };
    let mut trail = trail.brought_forward(may_have_it(reader)?);
    (trail.running, trail.at) = (None, clock::now());
    machine.keep_trail(mark, &trail)
}

/// The other ledgers of `campaign` from which letters went out on this machine, or may have; the largest last.
pub(super) fn others(machine: &Machine, mark: &Mark, campaign: &str) -> Result<Vec<OtherLedger>, LedgerError> {
    let mut others = Vec::new();
    for (of, trail) in machine.trails()? {
        if of == *mark || trail.campaign != campaign {
            continue;
        }
        let trail = trail.looked_up(of);
        let perhaps = trail.running.as_ref().map_or(0, |run| run.letters);
        let on_this_machine = trail.elsewhere == 0 && trail.running.as_ref().is_none_or(|run| !run.elsewhere);
        if trail.letters + perhaps > 0 {
            let (path, at, letters) = (PathBuf::from(trail.ledger), trail.at, trail.letters);
            others.push(OtherLedger { path, at, letters, perhaps, trial: on_this_machine });
        }
    }
    others.sort_by_key(|other| other.letters + other.perhaps);
    Ok(others)
}

/// Where the newest copy of the ledger with that mark was, and what went out from it.
pub(super) fn newer(machine: &Machine, mark: &Mark) -> Option<Newer> {
    let trail = machine.trail(mark).ok().flatten()?;
    let (path, is_whole) = (PathBuf::from(&trail.ledger), trail.running.is_none());
    Some(Newer { path, letters: trail.letters, is_whole })
}
