//! The one thread that writes: whatever waits goes into one transaction, and is answered once that is durable.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::error::LedgerError;
use super::journal::Journal;
use super::outcome;
use super::types::{Claim, Settlement};
use crate::domain::attempt::DeliveryId;

/// Commands of one commit, at most.
const GROUP: usize = 1024;

type Answer = oneshot::Sender<Result<(), LedgerError>>;

/// Does something within the open transaction (or learns why there is none), and then says who has to be told.
pub(super) type Work = Box<dyn FnOnce(Result<&Connection, LedgerError>) -> Worked + Send>;

/// Tells the one who asked whether the group became durable.
pub(super) type Tell = Box<dyn FnOnce(Result<(), LedgerError>)>;

/// What the thread is asked to do.
pub(super) enum Command {
    /// W1; nobody waits for it, because its intent comes after it in the same queue.
    Claim(Box<Claim>),
    /// W2. The permit bounds how many wait, and comes back with the answer.
    Intend(DeliveryId, Answer, OwnedSemaphorePermit),
    /// W3.
    Settle(DeliveryId, Arc<Settlement>, Answer),
    /// Anything else.
    Work(Work),
}

/// Work that was done but is not durable yet.
pub(super) struct Worked {
    /// True if it has to be undone.
    pub(super) failed: bool,
    /// Who asked.
    pub(super) tell: Tell,
}

/// What has to be told after the commit.
enum Waiting {
    Intend(Answer, Result<(), LedgerError>, OwnedSemaphorePermit),
    Settle(DeliveryId, Arc<Settlement>, Answer, Result<(), LedgerError>),
    Work(Tell),
}

/// The thread's state.
pub(super) struct Writer {
    pub(super) connection: Connection,
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) journal: Arc<Journal>,
    pub(super) commits: Arc<AtomicU64>,
    /// Once a commit failed, claims may be missing that their intents rely on: no intent is given any more.
    pub(super) broken: Option<LedgerError>,
}

impl Writer {
    /// Serves until every handle is gone.
    pub(super) fn run(mut self) {
        while let Ok(first) = self.commands.recv() {
            let mut group = Vec::with_capacity(16);
            group.push(first);
            group.extend(self.commands.try_iter().take(GROUP - 1));
            self.serve(group);
        }
        self.journal.close();
    }

    fn serve(&mut self, group: Vec<Command>) {
        let before = self.connection.total_changes();
        let mut result = self.execute("BEGIN IMMEDIATE");
        let mut waiting = Vec::with_capacity(group.len());
        for command in group {
            self.apply(command, &mut result, &mut waiting);
        }
        if result.is_ok() {
            result = self.execute("COMMIT");
        }
        match &result {
            Ok(()) if self.connection.total_changes() > before => {
                self.commits.fetch_add(1, Ordering::Relaxed);
            }
            Ok(()) => {}
            Err(error) => {
                tracing::error!(%error, "the ledger could not commit");
                // The transaction may have been rolled back by SQLite itself.
                let _ = self.execute("ROLLBACK");
                self.broken = Some(error.clone());
            }
        }
        for one in waiting {
            self.tell(one, &result);
        }
    }

    fn execute(&self, sql: &str) -> Result<(), LedgerError> {
        Ok(self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).map(drop)?)
    }

    /// Applies one command to the open transaction. A refusal is that command's own; any other failure is the group's,
    /// because SQLite may have undone all of it.
    fn apply(&self, command: Command, group: &mut Result<(), LedgerError>, waiting: &mut Vec<Waiting>) {
        match command {
            Command::Claim(claim) => {
                let done = self.unless_broken(group, |connection| outcome::claim(connection, &claim));
                if let Err(error) = done {
                    tracing::error!(%error, delivery = claim.delivery.0, "a claim was refused; its intent will be, too");
                }
            }
            Command::Intend(delivery, answer, permit) => {
                let now = crate::clock::now();
                let done = self.unless_broken(group, |connection| outcome::intend(connection, delivery, now));
                waiting.push(Waiting::Intend(answer, done, permit));
            }
            Command::Settle(delivery, settlement, answer) => {
                let done = self.attempt(group, |connection| outcome::settle(connection, delivery, &settlement));
                waiting.push(Waiting::Settle(delivery, settlement, answer, done));
            }
            Command::Work(work) => waiting.push(Waiting::Work(self.work(work, group))),
        }
    }

    fn unless_broken(
        &self,
        group: &mut Result<(), LedgerError>,
        step: impl FnOnce(&Connection) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        match &self.broken {
            Some(error) => Err(error.clone()),
            None => self.attempt(group, step),
        }
    }

    fn attempt(
        &self,
        group: &mut Result<(), LedgerError>,
        step: impl FnOnce(&Connection) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        group.clone()?;
        let done = step(&self.connection);
        if let Err(error) = &done
            && !error.is_refusal()
        {
            *group = Err(error.clone());
        }
        done
    }

    /// Work may have written before it failed, so it has a savepoint.
    fn work(&self, work: Work, group: &mut Result<(), LedgerError>) -> Tell {
        if group.is_ok() {
            *group = self.execute("SAVEPOINT work");
        }
        if let Err(error) = group.clone() {
            return work(Err(error)).tell;
        }
        let worked = work(Ok(&self.connection));
        let undone = if worked.failed { self.execute("ROLLBACK TO work") } else { Ok(()) };
        if let Err(error) = undone.and_then(|()| self.execute("RELEASE work")) {
            *group = Err(error);
        }
        worked.tell
    }

    fn tell(&self, waiting: Waiting, group: &Result<(), LedgerError>) {
        // Nobody may be waiting any more; what was decided stands all the same.
        match waiting {
            Waiting::Intend(answer, done, permit) => {
                let _ = answer.send(done.and(group.clone()));
                drop(permit);
            }
            Waiting::Settle(delivery, settlement, answer, done) => {
                let result = match done.and(group.clone()) {
                    Err(error) if !error.is_refusal() => Err(self.journal.take(delivery, &settlement, error)),
                    other => other,
                };
                let _ = answer.send(result);
            }
            Waiting::Work(tell) => tell(group.clone()),
        }
    }
}
