//! The record of every delivery and attempt, durable before it is believed.
//!
//! [`Ledger`] is a handle to the one thread that writes. Whatever waits there is committed together and answered after
//! the commit (group commit): durability per letter, one fsync per group. [`Reader`] looks on without the lock.

mod approvals;
mod columns;
mod doubt;
mod due;
mod error;
mod history;
mod home;
mod journal;
mod lock;
mod machine;
mod open;
mod outcome;
mod plan;
mod queries;
mod runs;
mod schema;
mod standing;
#[cfg(test)]
mod tests;
mod trail;
mod types;
mod word;
mod writer;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{Semaphore, oneshot};

pub use error::LedgerError;
pub use home::Arrival;
pub use machine::Machine;
pub use queries::Reader;
pub use trail::OtherLedger;
pub use types::{
    ApprovedBatch, Campaign, Claim, Correction, DueDelivery, Edition, Enrolled, HandedOver, NewDelivery, Recovered,
    Replayed, Settlement, Source, Start,
};

use crate::clock;
use crate::domain::attempt::DeliveryId;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::recipient::RecipientId;
use journal::Journal;
use lock::Lock;
use writer::{Command, Worked, Writer};

/// Intents that may wait at once. Outcomes are not bounded: were they to wait behind intents, a full queue would keep
/// back the very outcomes that make room for the next letters.
const INTENTS: usize = 1024;

/// A handle to the ledger's one writer; clones share it. When the last one is dropped, all that was asked for is written,
/// the file is closed and the lock is given back.
///
/// Methods that are not `async` block until their result is durable.
#[derive(Debug, Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// One queue, so that a claim comes before its intent. `None` only while dropping.
    commands: Option<mpsc::Sender<Command>>,
    thread: Option<JoinHandle<()>>,
    intents: Arc<Semaphore>,
    commits: Arc<AtomicU64>,
    journal: Arc<Journal>,
    path: PathBuf,
    replayed: Replayed,
    /// Given back last, after the thread has closed the file.
    lock: Lock,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by the panic hook, and every waiter was told.
            let _ = thread.join();
        }
    }
}

impl Ledger {
    /// The version of the tables that this program writes, from 1 on. Reports of older ones say less.
    #[must_use]
    pub fn version() -> i64 {
        schema::version()
    }

    /// Opens the ledger at `path` to write, or makes it if `create`. `purpose` is the command's name, for a second
    /// terminal. Outcomes left in the emergency journal are taken over ([`Self::replayed`]).
    ///
    /// # Errors
    /// [`LedgerError`]; whatever lies at `path` is then as it was.
    pub fn open(path: &Path, create: bool, purpose: &str) -> Result<Self, LedgerError> {
        if !create && open::look(path)? == open::Found::Nothing {
            return Err(LedgerError::Missing { path: path.to_owned() });
        }
        open::look(path)?;
        open::check_place(path)?;
        let lock = Lock::take(path, purpose)?;
        let mut connection = open::writable(path, create)?;
        let replayed = journal::replay(&mut connection, path)?;
        let journal = Arc::new(Journal::new(path)?);
        let commits = Arc::new(AtomicU64::new(0));
        let (sender, commands) = mpsc::channel();
        let writer =
            Writer { connection, commands, journal: Arc::clone(&journal), commits: Arc::clone(&commits), broken: None };
        let thread = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| LedgerError::of_io(&error, path))?;
        let inner = Inner {
            commands: Some(sender),
            thread: Some(thread),
            intents: Arc::new(Semaphore::new(INTENTS)),
            commits,
            journal,
            path: path.to_owned(),
            replayed,
            lock,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn send(&self, command: Command) -> Result<(), LedgerError> {
        let commands = self.inner.commands.as_ref().ok_or(LedgerError::Gone)?;
        commands.send(command).map_err(|_| LedgerError::Gone)
    }

    /// Has the writer do `work` in its turn, and waits until it is durable.
    fn ask<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (answer, result) = mpsc::sync_channel(1);
        self.send(Command::Work(Box::new(move |connection| {
            let done = connection.and_then(work);
            let failed = done.is_err();
            let tell = move |durable: Result<(), LedgerError>| {
                // Nobody may be waiting any more.
                let _ = answer.send(done.and_then(|value| durable.map(|()| value)));
            };
            Worked { failed, tell: Box::new(tell) }
        })))?;
        result.recv().map_err(|_| LedgerError::Gone)?
    }

    /// What the open found in the emergency journal.
    #[must_use]
    pub fn replayed(&self) -> Replayed {
        self.inner.replayed
    }

    /// What a second terminal is told of this process, beside its purpose: `what` it is at, such as ", waits until noon".
    pub fn tell(&self, what: &str) {
        // Whoever cannot be told loses nothing else.
        let _ = self.inner.lock.tell(what);
    }

    /// How it stands to `machine`, which may send from it later: nothing is written. What is refused, and unless by whose
    /// word, is as in [`Self::arrive`].
    ///
    /// # Errors
    /// As [`Self::arrive`].
    pub fn stands(&self, machine: &Machine, take_over: bool) -> Result<Arrival, LedgerError> {
        home::judge(&self.ask(home::standing)?, machine, &self.inner.path, take_over)
    }

    /// Says that a run of `machine` on this ledger begins now. One that was last used elsewhere, and one that is older than
    /// what was last used here, is refused unless `take_over`: two copies at work would send everything twice.
    ///
    /// # Errors
    /// [`LedgerError::Foreign`], [`LedgerError::Outdated`], [`LedgerError::Memory`] and what SQLite says.
    pub fn arrive(&self, machine: &Machine, take_over: bool) -> Result<Arrival, LedgerError> {
        let standing = self.ask(home::standing)?;
        let (mark, before) = (standing.mark, standing.turn);
        let _alone = machine.one_at_a_time(&mark)?;
        let arrival = home::judge(&standing, machine, &self.inner.path, take_over)?;
        let turn = machine::random();
        // Killed between these writes, the machine knows the ledger by either turn.
        machine.remember(&mark, &[turn, before.unwrap_or_default()])?;
        let (moved, new_home) = (arrival != Arrival::AtHome, machine.clone());
        self.ask(move |connection| home::settle_in(connection, turn, moved.then_some(&new_home)))?;
        machine.remember(&mark, &[turn])?;
        Ok(arrival)
    }

    /// Other ledgers of `campaign` from which letters went out on `machine`, the largest last. None if a run began on this
    /// one before: then it is the campaign's record.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn others(&self, machine: &Machine, campaign: &str) -> Result<Vec<OtherLedger>, LedgerError> {
        let standing = self.ask(home::standing)?;
        if standing.has_a_home() { Ok(Vec::new()) } else { trail::others(machine, &standing.mark, campaign) }
    }

    /// Has `machine` remember that a run begins for so many `letters` of `campaign`, through a relay `elsewhere` or on this
    /// very machine.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn begin_trail(
        &self,
        machine: &Machine,
        campaign: &str,
        letters: u64,
        elsewhere: bool,
    ) -> Result<(), LedgerError> {
        let (reader, ledger) = (self.reader()?, self.inner.path.as_path());
        let begins = trail::Begins { campaign, ledger, reader: &reader, letters, elsewhere };
        trail::begin(machine, &self.ask(home::standing)?.mark, &begins)
    }

    /// Has `machine` remember that the run ended, and what went out by then.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn end_trail(&self, machine: &Machine) -> Result<(), LedgerError> {
        trail::end(machine, &self.ask(home::standing)?.mark, &self.reader()?)
    }

    /// Enrols rows (W0), in one transaction. On the first enrolment `edition` is frozen; afterwards it is only compared.
    ///
    /// # Errors
    /// [`LedgerError`], if the ledger is another campaign's too; then no row is enrolled.
    pub fn enrol(&self, campaign_id: &str, edition: &Edition, rows: Vec<NewDelivery>) -> Result<Enrolled, LedgerError> {
        let (campaign, edition) = (campaign_id.to_owned(), edition.clone());
        self.ask(move |connection| plan::enrol(connection, &campaign, &edition, &rows, clock::now()))
    }

    /// Marks this ledger for good as the record of a rehearsal.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn mark_rehearsal(&self) -> Result<(), LedgerError> {
        self.ask(|connection| Ok(connection.execute_batch(schema::REHEARSAL)?))
    }

    /// Takes new row data for deliveries that are queued, deferred or failed, and says for how many; others are left
    /// alone. Addresses that a server took stay; others that are not listed leave, new ones are queued.
    ///
    /// # Errors
    /// [`LedgerError`], if a row is unknown too; then none is corrected.
    pub fn correct(&self, corrections: Vec<Correction>) -> Result<u64, LedgerError> {
        self.ask(move |connection| plan::correct(connection, &corrections))
    }

    /// Freezes another edition and gives its number; that of the latest if they are the same.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn add_edition(&self, edition: &Edition) -> Result<i64, LedgerError> {
        let edition = edition.clone();
        self.ask(move |connection| plan::add_edition(connection, &edition))
    }

    /// Sorts out what a run that died left behind. To be called once, before a run begins.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn recover(&self) -> Result<Recovered, LedgerError> {
        self.ask(|connection| outcome::recover(connection, clock::now()))
    }

    /// Begins a run; its number. What it was begun with is durable with it, and so before its first claim.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn start_run(&self, start: &Start) -> Result<i64, LedgerError> {
        let start = start.clone();
        self.ask(move |connection| runs::start(connection, &start, clock::now()))
    }

    /// Ends a run. What it was to send again and did not is uncertain as before.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn end_run(&self, run: i64) -> Result<(), LedgerError> {
        self.ask(move |connection| {
            doubt::take_back(connection)?;
            runs::end(connection, run, clock::now())
        })
    }

    /// From now on, while the ledger is open, [`Self::due`] and [`Self::next_due`] see only `ids`; `None` lifts that.
    ///
    /// # Errors
    /// [`LedgerError`], if a row is unknown too.
    pub fn restrict(&self, ids: Option<Vec<RecipientId>>) -> Result<(), LedgerError> {
        self.ask(move |connection| due::restrict(connection, ids.as_deref()))
    }

    /// Up to `limit` deliveries that may be claimed now, but for those in `except`: queued ones by position, then
    /// deferred ones that have waited long enough.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn due(
        &self,
        now: Timestamp,
        limit: usize,
        except: &HashSet<DeliveryId>,
    ) -> Result<Vec<DueDelivery>, LedgerError> {
        let except = except.clone();
        self.ask(move |connection| due::due(connection, now, limit, &except))
    }

    /// When the first deferred delivery may be claimed again.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn next_due(&self) -> Result<Option<Timestamp>, LedgerError> {
        self.ask(due::next_due)
    }

    /// W1: asks for the claim and returns at once. It is durable no later than its intent, which stands behind it in the
    /// queue; if it is refused, so is the intent.
    ///
    /// # Errors
    /// [`LedgerError::Gone`]
    pub fn claim(&self, claim: Claim) -> Result<(), LedgerError> {
        self.send(Command::Claim(Box::new(claim)))
    }

    /// W2: returns once the intent is durable. Only then may the terminator leave.
    ///
    /// # Errors
    /// [`LedgerError`]: the terminator must not leave.
    pub async fn intend(&self, delivery: DeliveryId) -> Result<(), LedgerError> {
        let permit = Arc::clone(&self.inner.intents).acquire_owned().await.map_err(|_| LedgerError::Gone)?;
        let (answer, result) = oneshot::channel();
        self.send(Command::Intend(delivery, answer, permit))?;
        result.await.map_err(|_| LedgerError::Gone)?
    }

    /// W3: returns once the outcome is durable in the ledger.
    ///
    /// # Errors
    /// [`LedgerError::Journaled`] if the emergency journal has it instead, [`LedgerError::Lost`] if nothing has it, and
    /// [`LedgerError::Illegal`] or [`LedgerError::Mismatch`] if it does not fit the attempt. Each ends the run.
    pub async fn settle(&self, delivery: DeliveryId, settlement: Settlement) -> Result<(), LedgerError> {
        let settlement = Arc::new(settlement);
        let (answer, result) = oneshot::channel();
        if self.send(Command::Settle(delivery, Arc::clone(&settlement), answer)).is_ok()
            && let Ok(result) = result.await
        {
            return result;
        }
        Err(self.inner.journal.take(delivery, &settlement, LedgerError::Gone))
    }

    /// Queues the failed and deferred addresses of deliveries again, but for those named beside each row, and counts their
    /// attempts anew; how many deliveries that changed. Uncertain deliveries are left alone.
    ///
    /// # Errors
    /// [`LedgerError`], if a row is unknown too; then none is queued.
    pub fn requeue(&self, what: Vec<(RecipientId, Vec<String>)>) -> Result<u64, LedgerError> {
        self.ask(move |connection| word::requeue(connection, &what))
    }

    /// Records a person's word on the uncertain addresses of a row: they arrived, or they did not and are queued again.
    /// Where none is uncertain, it corrects the contrary word on those that nothing else settled. `by` is who says it,
    /// if known.
    ///
    /// # Errors
    /// [`LedgerError::Illegal`] if a word has no say in it ([`crate::domain::delivery::Event::of_word`]).
    pub fn resolve(&self, id: &RecipientId, sent: bool, note: &str, by: Option<&str>) -> Result<(), LedgerError> {
        let (id, note, by) = (id.clone(), note.to_owned(), by.map(str::to_owned));
        self.ask(move |connection| word::resolve(connection, &id, sent, &note, by.as_deref(), clock::now()))
    }

    /// Records that `person` approves `batch`, in a ledger that is this campaign's from now on. False if this person's
    /// approval of this very batch is on record: then nothing is written.
    ///
    /// # Errors
    /// [`LedgerError`], if the ledger is another campaign's too.
    pub fn approve(
        &self,
        campaign_id: &str,
        batch: ApprovedBatch,
        person: &str,
        note: &str,
    ) -> Result<bool, LedgerError> {
        let (campaign, person, note) = (campaign_id.to_owned(), person.to_owned(), note.to_owned());
        self.ask(move |connection| approvals::approve(connection, &campaign, &batch, &person, &note, clock::now()))
    }

    /// Withdraws the approvals of `digest` by `person`; how many that were. They stay on record as withdrawn.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn withdraw_approval(&self, digest: Digest, person: &str, note: &str) -> Result<u64, LedgerError> {
        let (person, note) = (person.to_owned(), note.to_owned());
        self.ask(move |connection| approvals::withdraw(connection, digest, &person, &note, clock::now()))
    }

    /// Queues the uncertain addresses of a row again because a person wants that, although they may have the letter. `by` is who
    /// says it, if known. The word holds until the run ends: what was not handed over by then is uncertain as before.
    ///
    /// # Errors
    /// [`LedgerError::Illegal`] if the row is not uncertain.
    pub fn send_again(&self, id: &RecipientId, note: &str, by: Option<&str>) -> Result<(), LedgerError> {
        let (id, note, by) = (id.clone(), note.to_owned(), by.map(str::to_owned));
        self.ask(move |connection| doubt::send_again(connection, &id, (&note, by.as_deref()), clock::now()))
    }

    /// Keeps a row's open addresses from ever being sent to; what the row is then. Addresses that may have the letter and wait
    /// by [`Self::send_again`] are uncertain as before.
    ///
    /// # Errors
    /// [`LedgerError::Illegal`] if nothing of it is open, or a letter is in flight or uncertain.
    pub fn suppress(&self, id: &RecipientId, why: &str) -> Result<State, LedgerError> {
        let (id, why) = (id.clone(), why.to_owned());
        self.ask(move |connection| word::suppress(connection, &id, &why, clock::now()))
    }

    /// To how many addresses letters were handed over since `since`, for rolling caps: for each minute the time of the
    /// last intent in it, and how many addresses. Attempts with an intent count, whatever became of them.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn handed_over_since(&self, since: Timestamp) -> Result<Vec<(Timestamp, u32)>, LedgerError> {
        self.ask(move |connection| due::handed_over_since(connection, since))
    }

    /// A reader of the same file.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn reader(&self) -> Result<Reader, LedgerError> {
        Reader::open(&self.inner.path)
    }

    /// How many commits wrote something since the open.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.inner.commits.load(Ordering::Relaxed)
    }
}
