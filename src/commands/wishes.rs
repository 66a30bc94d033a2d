//! `suppressed.csv` while a run goes on: whoever is added to it gets no letter any more, however long ago the run was begun.

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::diagnostic::{Diagnostic, any_error};
use crate::dispatch::{Wish, Wishes};
use crate::domain::mailbox::Mailbox;
use crate::inside::{Folder, Refused, Stamp};
use crate::ledger::DueDelivery;
use crate::roster;

use super::exit::{Failure, IO};
use super::prepare::{Batch, LARGEST_FILE, SUPPRESSED, unreadable};

/// A file that was changed so short a time before it was read may be changed again and look the same.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);

/// The list, and what was added to it since the run was begun.
pub(super) struct List {
    folder: Folder,
    known: Mutex<Known>,
}

struct Known {
    /// Of the file as it was read last; `None` if it has to be read again whatever it looks like.
    stamp: Option<Stamp>,
    /// True if there was such a file.
    there: bool,
    /// What was on the list when the run was begun: the plan has seen to these.
    before: HashSet<String>,
    /// Added since. Who was added stays added for this run, even if the file loses them again.
    added: Vec<String>,
}

impl List {
    /// As the batch has it. The file is read again before the first letter.
    ///
    /// # Errors
    /// A campaign folder that cannot be opened.
    pub(super) fn of(batch: &Batch) -> Result<Self, Failure> {
        let folder = Folder::open(&batch.config.folder).map_err(|error| {
            Failure::new(IO, format!("the campaign folder {} cannot be opened: {error}", batch.config.folder.display()))
        })?;
        let before: HashSet<String> = batch.suppressed.iter().cloned().collect();
        let known = Known { stamp: None, there: !before.is_empty(), before, added: Vec::new() };
        Ok(Self { folder, known: Mutex::new(known) })
    }

    /// Reads the file again if it is not the one that was read last.
    fn look(&self, known: &mut Known) -> Result<(), String> {
        let path = Path::new(SUPPRESSED);
        let stamp = match self.folder.stamp(path) {
            Ok(stamp) => stamp,
            Err(refused) if refused.is_missing() && !known.there => return Ok(()),
            Err(refused) => return Err(told(&refused)),
        };
        if known.stamp == Some(stamp) {
            return Ok(());
        }
        let bytes = self.folder.read(path, LARGEST_FILE).map_err(|refused| told(&refused))?;
        let (addresses, problems) = roster::read_suppressed(&bytes, SUPPRESSED);
        if any_error(&problems) {
            return Err(problems.iter().find(|one| one.is_error()).map_or_else(String::new, problem));
        }
        let mut fresh: Vec<String> = addresses.into_iter().filter(|address| !known.before.contains(address)).collect();
        fresh.append(&mut known.added);
        fresh.sort_unstable();
        fresh.dedup();
        known.added = fresh;
        known.there = true;
        known.stamp = Some(stamp).filter(|stamp| is_settled(*stamp, clock::now()));
        Ok(())
    }
}

impl Wishes for List {
    fn on(&self, due: &DueDelivery) -> Result<Wish, String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.look(&mut known)?;
        Ok(wish(&known.added, due))
    }
}

/// As a list of recipients is read: a row is left out if none of its own addresses may be written to. Whose letter names
/// somebody who may not beside somebody who may needs another letter, which is not the one that was confirmed.
fn wish(added: &[String], due: &DueDelivery) -> Wish {
    let unwanted = |mailbox: &&Mailbox| roster::is_suppressed(added, mailbox);
    let row = &due.recipient;
    if added.is_empty() {
        return Wish::Send;
    }
    if !row.to.is_empty() && row.to.iter().all(|mailbox| unwanted(&mailbox)) {
        let addresses: Vec<String> = row.to.iter().map(Mailbox::address).collect();
        return Wish::Suppress(format!("{} is in the list of suppressed addresses", addresses.join(", ")));
    }
    let open = |mailbox: &&Mailbox| due.addresses.contains(&mailbox.address());
    let all = row.to.iter().chain(&row.cc).chain(&row.bcc);
    let named: Vec<String> = all.filter(unwanted).filter(open).map(Mailbox::address).collect();
    if named.is_empty() {
        return Wish::Send;
    }
    Wish::Another(format!("the letter of {} would go to {}, which is in {SUPPRESSED} now", row.id, named.join(", ")))
}

fn is_settled(stamp: Stamp, now: Timestamp) -> bool {
    stamp.changed_at().is_some_and(|at| now.duration_since(at) > SETTLED)
}

fn told(refused: &Refused) -> String {
    if refused.is_missing() {
        return format!("{SUPPRESSED} was there when the run began, and is gone");
    }
    problem(&unreadable(SUPPRESSED, refused))
}

/// `suppressed.csv:2: what is wrong`.
fn problem(problem: &Diagnostic) -> String {
    match problem.place.as_ref().filter(|place| place.line > 0) {
        Some(place) => format!("{}:{}: {}", place.file, place.line, problem.message),
        None => problem.message.clone(),
    }
}
