//! What comes next: due deliveries from the ledger, composed ahead of the sessions on threads of their own.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{Compose, LOOK_UP, Progress, RunError, Waiting};
use crate::clock;
use crate::domain::attempt::DeliveryId;
use crate::domain::message::{Message, Stamp};
use crate::ledger::{DueDelivery, Ledger};

/// A letter ready for a session.
pub(super) struct Ready {
    pub(super) due: DueDelivery,
    pub(super) stamp: Stamp,
    pub(super) message: Message,
    /// How often in this run it was given back by a session that broke.
    pub(super) given_back: u32,
}

/// How many due deliveries are read from the ledger at once.
const READ_AHEAD: usize = 64;

/// The queue between the ledger and the sessions. Shared by composer threads and workers.
pub(super) struct Feed {
    ledger: Ledger,
    compose: Arc<dyn Compose>,
    linger: Duration,
    progress: Sender<Progress>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    buffer: VecDeque<DueDelivery>,
    in_flight: HashSet<DeliveryId>,
    /// Deferred in this run: not before this moment of the monotonic clock, whatever the wall clock says.
    held: HashMap<DeliveryId, Instant>,
    given_back: HashMap<DeliveryId, u32>,
    closed: bool,
    failure: Option<RunError>,
}

impl Feed {
    pub(super) fn new(ledger: Ledger, compose: Arc<dyn Compose>, linger: Duration, progress: Sender<Progress>) -> Self {
        Self { ledger, compose, linger, progress, state: Mutex::default(), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Composes letters until nothing is due any more or the feed is closed; runs on a thread of its own.
    pub(super) fn compose_until_drained(&self, ready: &tokio::sync::mpsc::Sender<Ready>) {
        while let Some((due, given_back)) = self.next_due() {
            match self.ready(due, given_back) {
                Ok(letter) => {
                    if ready.blocking_send(letter).is_err() {
                        break;
                    }
                }
                Err(error) => {
                    self.fail(error);
                    break;
                }
            }
        }
    }

    fn ready(&self, due: DueDelivery, given_back: u32) -> Result<Ready, RunError> {
        let (stamp, message) = self.compose.compose(&due)?;
        if message.digest == due.digest {
            Ok(Ready { due, stamp, message, given_back })
        } else {
            Err(RunError::NotAsApproved { id: due.recipient.id.clone() })
        }
    }

    fn next_due(&self) -> Option<(DueDelivery, u32)> {
        let mut state = self.lock();
        loop {
            if state.closed || state.failure.is_some() {
                return None;
            }
            if let Some(due) = state.buffer.pop_front() {
                let given_back = state.given_back.get(&due.number).copied().unwrap_or(0);
                return Some((due, given_back));
            }
            if let Err(error) = self.refill(&mut state) {
                state.failure = Some(error);
                self.changed.notify_all();
                return None;
            }
            if !state.buffer.is_empty() {
                continue;
            }
            let wait = match self.wait_for_more(&state) {
                Ok(wait) => wait?,
                Err(error) => {
                    state.failure = Some(error);
                    return None;
                }
            };
            state = self.changed.wait_timeout(state, wait).map_or_else(|e| e.into_inner().0, |(guard, _)| guard);
        }
    }

    fn refill(&self, state: &mut State) -> Result<(), RunError> {
        let now = Instant::now();
        state.held.retain(|_, until| *until > now);
        let mut except = state.in_flight.clone();
        except.extend(state.held.keys().copied());
        let due = self.ledger.due(clock::now(), READ_AHEAD, &except)?;
        state.in_flight.extend(due.iter().map(|due| due.number));
        state.buffer.extend(due);
        Ok(())
    }

    /// How long to wait before looking again; None if nothing can become due in this run.
    fn wait_for_more(&self, state: &State) -> Result<Option<Duration>, RunError> {
        if !state.in_flight.is_empty() {
            return Ok(Some(LOOK_UP));
        }
        let next_due = self.ledger.next_due()?;
        let by_wall = next_due.map(|at| until(at, clock::now()));
        let now = Instant::now();
        let by_monotonic = state.held.values().min().map(|at| at.saturating_duration_since(now));
        let wait = match (by_wall, by_monotonic) {
            (None, _) => return Ok(None),
            // Due by the wall clock and yet not given out: held by the monotonic one.
            (Some(Duration::ZERO), Some(monotonic)) => monotonic,
            (Some(wall), _) => wall,
        };
        if wait > self.linger {
            return Ok(None);
        }
        if let Some(until) = next_due.filter(|_| wait > Duration::from_secs(1)) {
            // Nobody looking is no reason to stop.
            let _ = self.progress.send(Progress::Waiting { why: Waiting::Retry, until });
        }
        Ok(Some(wait.clamp(Duration::from_millis(1), LOOK_UP)))
    }

    /// A letter was settled; `held` for one that was deferred and may be tried again in this run.
    pub(super) fn settled(&self, delivery: DeliveryId, held: Option<Duration>) {
        let mut state = self.lock();
        state.in_flight.remove(&delivery);
        state.given_back.remove(&delivery);
        if let Some(wait) = held {
            state.held.insert(delivery, Instant::now() + wait);
        }
        self.changed.notify_all();
    }

    /// A letter was given back: it is due again at once. `counted` if its session broke under it.
    pub(super) fn given_back(&self, delivery: DeliveryId, counted: bool) {
        let mut state = self.lock();
        state.in_flight.remove(&delivery);
        if counted {
            *state.given_back.entry(delivery).or_default() += 1;
        }
        self.changed.notify_all();
    }

    /// No more letters are wanted.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    fn fail(&self, error: RunError) {
        self.lock().failure.get_or_insert(error);
        self.changed.notify_all();
    }

    /// What went wrong in here, once.
    pub(super) fn failure(&self) -> Option<RunError> {
        self.lock().failure.take()
    }
}

fn until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}
