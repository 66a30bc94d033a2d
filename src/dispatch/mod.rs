//! The run: claims letters, paces them, hands them over, records what became of each; until nothing is due or it is told to stop.

mod control;
mod daily_cap;
mod desk;
mod feed;
pub mod pacing;
mod wishes;
mod worker;

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::clock;
use crate::domain::attempt::LastWord;
use crate::domain::delivery::State;
use crate::domain::fault::{Short, Split};
use crate::domain::message::{Message, Stamp};
use crate::domain::rate::{Per, Rate};
use crate::domain::recipient::RecipientId;
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::Hours;
use crate::ledger::{DueDelivery, Ledger, LedgerError, Start};
use crate::smtp::Connector;
use control::Control;
use daily_cap::DailyCap;
use desk::Desk;
use feed::Feed;
use pacing::Pace;
use worker::Worker;

pub use wishes::{Wish, Wishes};

/// Threads that compose ahead of the sessions.
const COMPOSERS: usize = 2;
/// Letters composed ahead, for each session: what a stop throws away, and what memory holds.
const AHEAD_PER_SESSION: usize = 2;

/// The longest wait before the wall clock is looked at again: it may have been set, the machine may have slept.
const LOOK_UP: Duration = Duration::from_secs(5);

/// Makes the message of a due delivery from the sources that were frozen for it.
pub trait Compose: Send + Sync + 'static {
    /// The message and its stamp. A delivery with an earlier uncertain attempt keeps that attempt's stamp.
    ///
    /// # Errors
    /// [`RunError::Compose`] if the frozen sources do not render, which stops the run.
    fn compose(&self, due: &DueDelivery) -> Result<(Stamp, Message), RunError>;
}

/// A run and everything that it needs.
pub struct Job {
    /// Where it is recorded.
    pub ledger: Ledger,
    /// How it is begun, which is recorded before anything is claimed.
    pub start: Start,
    /// Where it goes.
    pub connector: Connector,
    /// What it says.
    pub compose: Arc<dyn Compose>,
    /// Overall rates.
    pub rates: Vec<Rate>,
    /// Rates for each recipient domain.
    pub per_domain: Vec<Rate>,
    /// When letters may go out.
    pub hours: Option<Hours>,
    /// When deferred letters are tried again.
    pub retry: RetryPolicy,
    /// Who asked not to be written to since; `None` where nothing leaves the machine.
    pub wishes: Option<Arc<dyn Wishes>>,
    /// Whoever shows what happens.
    pub progress: Sender<Progress>,
}

/// What happens in a run, for whoever shows it.
#[derive(Debug, Clone)]
pub enum Progress {
    /// A session is open.
    Connected,
    /// A session could not be opened or broke; another is tried after the wait.
    SessionLost {
        /// What went wrong.
        why: String,
        /// The wait.
        again_in: Duration,
    },
    /// What became of a letter is on record.
    Settled {
        /// The row.
        id: RecipientId,
        /// What became of the delivery.
        state: State,
        /// The last word on it.
        word: LastWord,
        /// Who got it and who did not, where both happened.
        split: Option<Split>,
        /// What is missing though the mission has it.
        short: Option<Short>,
        /// When it is due again.
        not_before: Option<Timestamp>,
    },
    /// A row asked not to be written to since the run began, and gets no letter.
    Suppressed {
        /// The row.
        id: RecipientId,
        /// What it is then: what may have arrived before is uncertain as it was.
        state: State,
        /// Why.
        why: String,
    },
    /// A letter went back to the queue, by no fault of its own.
    GivenBack {
        /// The row.
        id: RecipientId,
        /// Why.
        word: LastWord,
    },
    /// The wall clock jumped ahead of the monotonic one, or (negative) back: the machine slept, or the clock was set. Open
    /// sessions are not trusted any more.
    ClockJumped {
        /// By how much.
        by: SignedDuration,
    },
    /// Nothing goes out until then.
    Waiting {
        /// What for.
        why: Waiting,
        /// Until when.
        until: Timestamp,
    },
}

/// What a run waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// The next opening of the hours.
    Hours,
    /// The account rests after the relay asked for it.
    Pause,
    /// A slot under the rate.
    Pace,
    /// Room under the daily cap.
    DailyCap,
    /// The time at which deferred letters are tried again; everything else was tried.
    Retry,
}

/// How a run ended, if no error stopped it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Nothing is due any more within the time that a run waits.
    Drained,
    /// It was told to stop.
    Stopped,
    /// The relay is unavailable or refuses us.
    Halted(String),
    /// So many letters in a row were refused after their end, or lost their reply, that it must be the relay's own doing.
    Broken {
        /// Those that it refused: on record as failed.
        refused: u32,
        /// Those whose reply was lost: on record as uncertain.
        lost: u32,
        /// What became of the last.
        why: String,
    },
    /// The daily cap is reached until then.
    Capped(Timestamp),
    /// Who asked not to be written to cannot be known any more.
    NoList(String),
    /// A letter would go to somebody who asked since not to be written to, beside others who did not.
    Unwanted(String),
}

/// What stops a run at once. Nothing is sent without a record.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The ledger cannot be written or read.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A letter renders differently than it did when it was planned.
    #[error(
        "the letter for {id} does not render as it was approved, so nothing more is sent; the ledger's frozen sources or \
         this program have changed since: send the rest with the version that planned it, or take the new letter with \
         --refresh"
    )]
    NotAsApproved {
        /// The row.
        id: RecipientId,
    },
    /// The frozen sources do not render.
    #[error("the frozen letter for {id} cannot be rendered: {why}")]
    Compose {
        /// The row.
        id: RecipientId,
        /// The first problem.
        why: String,
    },
}

/// Runs until drained, stopped or halted. `stop` turning true lets the letters in flight finish, be recorded, and then ends
/// the run.
///
/// # Errors
/// [`RunError`]: the ledger or the frozen sources; what was not handed over stays queued.
pub async fn run(job: Job, stop: watch::Receiver<bool>) -> Result<Ending, RunError> {
    let run = job.ledger.start_run(&job.start)?;
    let relay = job.connector.relay();
    let (connections, per_session) = (relay.connections.max(1), relay.messages_per_connection.max(1));
    let feed =
        Arc::new(Feed::new(job.ledger.clone(), Arc::clone(&job.compose), job.retry.linger, job.progress.clone()));
    let _closed_at_the_end = CloseOnDrop(Arc::clone(&feed));
    let (ready_tx, ready_rx) = mpsc::channel(connections * AHEAD_PER_SESSION);
    let mut tasks = JoinSet::new();
    for _ in 0..COMPOSERS {
        let (feed, ready) = (Arc::clone(&feed), ready_tx.clone());
        tasks.spawn_blocking(move || {
            feed.compose_until_drained(&ready);
            Task::Composer
        });
    }
    drop(ready_tx);
    let caps = daily_caps(&job)?;
    let desk = Arc::new(tokio::sync::Mutex::new(Desk::new(ready_rx, Pace::new(&job.rates, &job.per_domain), caps)));
    let control = Arc::new(Control::new(job.retry.clone(), job.hours.clone(), job.progress.clone(), stop));
    for _ in 0..connections {
        let worker = Worker {
            run,
            ledger: job.ledger.clone(),
            connector: job.connector.clone(),
            feed: Arc::clone(&feed),
            desk: Arc::clone(&desk),
            control: Arc::clone(&control),
            wishes: job.wishes.clone(),
            per_session,
        };
        tasks.spawn(async {
            worker.work().await;
            Task::Worker
        });
    }
    drop(desk);
    let mut working = connections;
    let mut looks = tokio::time::interval(LOOK_UP);
    loop {
        let task = tokio::select! {
            task = tasks.join_next() => task,
            _ = looks.tick() => {
                control.look_at_clocks();
                continue;
            }
        };
        match task {
            None => break,
            Some(Ok(Task::Worker)) => working -= 1,
            Some(Ok(Task::Composer)) => {}
            // A letter may be lost with it, and would be waited for in vain.
            Some(Err(panic)) => {
                control.fail_with_panic(&panic);
                feed.close();
            }
        }
        if working == 0 {
            feed.close();
        }
    }
    let ending = control.ending(feed.failure())?;
    job.ledger.end_run(run)?;
    Ok(ending)
}

/// A run that is dropped midway must not leave composers behind that wait for letters in flight: the runtime waits for them.
struct CloseOnDrop(Arc<Feed>);

impl Drop for CloseOnDrop {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Which kind of task of a run has ended.
enum Task {
    Composer,
    Worker,
}

fn daily_caps(job: &Job) -> Result<Vec<DailyCap>, RunError> {
    let mut caps = Vec::new();
    for rate in job.rates.iter().filter(|rate| rate.per() == Per::Day) {
        let now = clock::now();
        let sent = job.ledger.handed_over_since(now - SignedDuration::from_hours(24))?;
        caps.push(DailyCap::new(*rate, sent, now));
    }
    Ok(caps)
}
