//! What the sessions of a run share: stop, pause, hours, and how many failures in a row mean that the relay is away.

use std::sync::mpsc::Sender;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use super::{Ending, LOOK_UP, Progress, RunError, Waiting};
use crate::clock;
use crate::domain::clocks::Clocks;
use crate::domain::delivery;
use crate::domain::fault::Verdict;
use crate::domain::outcome::Phase;
use crate::domain::retry::RetryPolicy;
use crate::domain::schedule::Hours;

/// Sessions that may fail in a row without one letter settled before the run stops.
const SESSION_FAILURES: u32 = 10;
/// The same while no session was ever open and nothing answers at the relay's address: most likely that is wrong.
const UNREACHABLE: u32 = 3;
/// The same for a server that refuses us in its greeting.
const REFUSED_GREETINGS: u32 = 3;
/// Pauses in a row without one letter accepted before the run stops.
const PAUSES: u32 = 10;
/// Letters in a row refused after the terminator by a 554, or whose reply was lost: then it is the relay and not the
/// missions, and every letter more would be one more for a person to ask about.
const BREAKER: u32 = 5;

pub(super) struct Control {
    pub(super) retry: RetryPolicy,
    pub(super) started: Instant,
    /// One session is opened at a time, so that a wrong password is tried once and not by every session.
    pub(super) opening: tokio::sync::Mutex<()>,
    hours: Option<Hours>,
    progress: Sender<Progress>,
    stop: watch::Receiver<bool>,
    ended: watch::Sender<bool>,
    /// Both clocks at the last look, and how often they have jumped apart.
    clocks: Mutex<(Clocks, u64)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pause_until: Option<Instant>,
    pauses: u32,
    failures: u32,
    refused_greetings: u32,
    /// A session was open in this run.
    was_open: bool,
    /// Letters in a row that the relay refused after their end, or whose reply it lost.
    refused: u32,
    lost: u32,
    capped: Option<Timestamp>,
    ending: Option<Ending>,
    failure: Option<RunError>,
    panic: Option<String>,
}

impl Control {
    pub(super) fn new(
        retry: RetryPolicy,
        hours: Option<Hours>,
        progress: Sender<Progress>,
        stop: watch::Receiver<bool>,
    ) -> Self {
        Self {
            retry,
            started: Instant::now(),
            opening: tokio::sync::Mutex::new(()),
            hours,
            progress,
            stop,
            ended: watch::channel(false).0,
            clocks: Mutex::new((Clocks::new(clock::now(), Duration::ZERO), 0)),
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self, progress: Progress) {
        // Nobody looking is no reason to stop sending.
        let _ = self.progress.send(progress);
    }

    /// Looks at both clocks and tells of a jump. Gives the number of jumps so far: a session that was opened under another
    /// number may be long gone at the server.
    pub(super) fn look_at_clocks(&self) -> u64 {
        let (jump, jumps) = {
            let mut clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
            let jump = clocks.0.look(clock::now(), self.started.elapsed());
            clocks.1 += u64::from(jump.is_some());
            (jump, clocks.1)
        };
        if let Some(by) = jump {
            tracing::info!("the wall clock jumped by {} s against the monotonic clock", by.as_secs());
            self.tell(Progress::ClockJumped { by });
        }
        jumps
    }

    /// True once the run was told to stop or has come to an end.
    pub(super) fn is_over(&self) -> bool {
        *self.stop.borrow() || *self.ended.borrow()
    }

    /// Resolves once the run was told to stop or has come to an end.
    pub(super) async fn over(&self) {
        let (mut stop, mut ended) = (self.stop.clone(), self.ended.subscribe());
        let stopped = async {
            // If the other end is gone, nobody will ever ask to stop.
            if stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = stopped => {}
            _ = ended.wait_for(|ended| *ended) => {}
        }
    }

    /// Sleeps, unless the run is over first; true if it slept the whole time.
    pub(super) async fn sleep(&self, duration: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(duration) => !self.is_over(),
            () = self.over() => false,
        }
    }

    /// Waits for the end of a pause and for the hours to open; false if the run is over first.
    pub(super) async fn open(&self) -> bool {
        loop {
            if self.is_over() {
                return false;
            }
            let pause = self.lock().pause_until.and_then(|until| until.checked_duration_since(Instant::now()));
            if let Some(left) = pause.filter(|left| !left.is_zero()) {
                if !self.sleep(left).await {
                    return false;
                }
                continue;
            }
            let now = clock::now();
            let Some(opens) = self.hours.as_ref().map(|hours| hours.next_open(now)).filter(|opens| *opens > now) else {
                return true;
            };
            self.tell(Progress::Waiting { why: Waiting::Hours, until: opens });
            let left = Duration::try_from(opens.duration_since(now)).unwrap_or(LOOK_UP);
            if !self.sleep(left.min(LOOK_UP)).await {
                return false;
            }
        }
    }

    /// The relay asked for a rest: nobody sends until it is over. A pause that is running is not made longer by the other
    /// sessions that meet it.
    pub(super) fn pause(&self, why: &str) {
        let wait = {
            let mut state = self.lock();
            let now = Instant::now();
            if state.pause_until.is_some_and(|until| until > now) {
                return;
            }
            state.pauses += 1;
            let wait = self.retry.account_wait(state.pauses);
            state.pause_until = Some(now + wait);
            (state.pauses <= PAUSES).then_some(wait)
        };
        match wait {
            Some(wait) => {
                let wait = jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::ZERO);
                self.tell(Progress::Waiting { why: Waiting::Pause, until: clock::now() + wait });
            }
            None => self.end(Ending::Halted(format!("the relay asked for a rest {PAUSES} times in a row: {why}"))),
        }
    }

    /// A session could not be opened or broke: how long to wait before the next, or the end of the run.
    pub(super) fn session_lost(&self, verdict: Verdict, phase: Phase, why: &str) -> Option<Duration> {
        let (failures, greetings, unreachable) = {
            let mut state = self.lock();
            state.failures += 1;
            state.refused_greetings =
                if verdict == Verdict::NewSessionThrice { state.refused_greetings + 1 } else { 0 };
            (state.failures, state.refused_greetings, phase == Phase::Connect && !state.was_open)
        };
        let halt = match verdict {
            Verdict::Halt => Some(why.to_owned()),
            _ if greetings >= REFUSED_GREETINGS => {
                Some(format!("the relay refused {greetings} sessions in a row: {why}"))
            }
            _ if unreachable && failures >= UNREACHABLE => {
                Some(format!("no mail server answers ({failures} tries): {why}"))
            }
            _ if failures >= SESSION_FAILURES => {
                Some(format!("{failures} sessions in a row failed without one letter settled; the last: {why}"))
            }
            _ => None,
        };
        if let Some(halt) = halt {
            self.end(Ending::Halted(halt));
            return None;
        }
        let again_in = self.retry.session_wait(failures);
        self.tell(Progress::SessionLost { why: why.to_owned(), again_in });
        Some(again_in)
    }

    /// A session is open.
    pub(super) fn session_opened(&self) {
        self.lock().was_open = true;
        self.tell(Progress::Connected);
    }

    /// A letter was settled: the relay is there. `breaker` if this is how a relay that takes nothing looks.
    pub(super) fn settled(&self, became: delivery::State, breaker: bool, why: &str) {
        let (refused, lost) = {
            let mut state = self.lock();
            state.failures = 0;
            state.refused_greetings = 0;
            if became == delivery::State::Accepted {
                state.pauses = 0;
            }
            match (breaker, became) {
                (false, _) => (state.refused, state.lost) = (0, 0),
                (true, delivery::State::Uncertain) => state.lost += 1,
                (true, _) => state.refused += 1,
            }
            (state.refused, state.lost)
        };
        if refused + lost >= BREAKER {
            self.end(Ending::Broken { refused, lost, why: why.to_owned() });
        }
    }

    /// The daily cap is reached. The run goes on until the letters that sessions hold are settled; any other ending counts
    /// for more.
    pub(super) fn capped(&self, until: Timestamp) {
        let mut state = self.lock();
        state.capped = state.capped.max(Some(until));
    }

    /// The run is over; the first reason stands.
    pub(super) fn end(&self, ending: Ending) {
        self.lock().ending.get_or_insert(ending);
        self.ended.send_replace(true);
    }

    /// The run cannot go on. The first reason ends it; of the others each may be about another letter, so none is swallowed.
    pub(super) fn fail(&self, error: RunError) {
        let mut state = self.lock();
        if state.failure.is_some() {
            tracing::error!("{error}");
        } else {
            state.failure = Some(error);
        }
        drop(state);
        self.ended.send_replace(true);
    }

    pub(super) fn fail_with_panic(&self, panic: &tokio::task::JoinError) {
        self.lock().panic.get_or_insert_with(|| panic.to_string());
        self.ended.send_replace(true);
    }

    pub(super) fn ending(&self, feed_failure: Option<RunError>) -> Result<Ending, RunError> {
        let mut state = self.lock();
        if let Some(error) = state.failure.take().or(feed_failure) {
            return Err(error);
        }
        if let Some(panic) = state.panic.take() {
            return Ok(Ending::Halted(format!("a defect in demarche stopped the run: {panic}")));
        }
        let stopped = *self.stop.borrow();
        let otherwise = match state.capped {
            _ if stopped => Ending::Stopped,
            Some(until) => Ending::Capped(until),
            None => Ending::Drained,
        };
        Ok(state.ending.take().unwrap_or(otherwise))
    }
}
