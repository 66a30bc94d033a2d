//! A run as a person meets it: signals, progress, and what the way it ended means.

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::Timestamp;
use tokio::sync::watch;

use crate::clock;
use crate::config::{Config, Pace};
use crate::dispatch::{self, Compose, Ending, Job, Progress, Waiting};
use crate::domain::delivery::State;
use crate::domain::recipient::RecipientId;
use crate::domain::retry::RetryPolicy;
use crate::domain::state::by_iso3;
use crate::ledger::Ledger;
use crate::report::duration;
use crate::smtp::Connector;

use super::Screen;
use super::exit::{Failure, SOFTWARE, TRY_AGAIN, UNAVAILABLE};

/// A line of progress where there is no terminal, at most so often.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Runs `work` on an asynchronous runtime of its own: two threads are enough for ten sessions, and leave the cores to the
/// letters. What still blocks a thread at the end (a password command that asks, a name that is looked up) is not waited
/// for: who says stop must not be held up by it.
///
/// # Errors
/// If the runtime cannot start, and what `work` gives.
pub(super) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(SOFTWARE, format!("the runtime cannot start: {error}")))?;
    let done = runtime.block_on(work);
    runtime.shutdown_background();
    done
}

/// What a run needs, and how much there is to do.
pub(super) struct Drive {
    pub(super) ledger: Ledger,
    pub(super) connector: Connector,
    pub(super) compose: std::sync::Arc<dyn Compose>,
    pub(super) pace: Pace,
    pub(super) retry: RetryPolicy,
    /// Letters that this run is to settle.
    pub(super) letters: u64,
}

impl Drive {
    /// A run at the config's own pace and with its retries.
    pub(super) fn new(
        config: &Config,
        ledger: &Ledger,
        connector: Connector,
        compose: std::sync::Arc<dyn Compose>,
        letters: u64,
    ) -> Self {
        let (pace, retry) = (config.pace.clone(), config.retry.clone());
        Self { ledger: ledger.clone(), connector, compose, pace, retry, letters }
    }
}

/// Runs to the end, shows progress on the screen, and finishes the letters in flight at the first signal.
///
/// # Errors
/// What stopped it, and an aborting second signal.
pub(super) async fn drive(screen: &Screen, drive: Drive) -> Result<Ending, Failure> {
    let (progress, events) = channel();
    let (stop, stopping) = watch::channel(false);
    let shown = {
        let (screen, letters) = (screen.clone(), drive.letters);
        std::thread::spawn(move || show(&screen, letters, &events))
    };
    let job = Job {
        ledger: drive.ledger,
        connector: drive.connector,
        compose: drive.compose,
        rates: drive.pace.rates,
        per_domain: drive.pace.per_domain,
        hours: drive.pace.hours,
        retry: drive.retry,
        progress,
    };
    let mut signals = Signals::new()?;
    let run = dispatch::run(job, stopping);
    tokio::pin!(run);
    let ending = tokio::select! {
        ending = &mut run => ending,
        name = signals.next() => {
            stop.send_replace(true);
            screen.say(&format!("{name}: finishing the letters in flight, then stopping. Once more to abort."));
            tokio::select! {
                ending = &mut run => ending,
                _ = signals.next() => {
                    return Err(Failure::new(
                        TRY_AGAIN,
                        "aborted: letters that were being handed over are uncertain until somebody looks",
                    )
                    .help("`demarche status` shows what is known; `demarche send` goes on with the rest"));
                }
            }
        }
    };
    // The run dropped its end of the channel, so the screen comes to its own.
    let _ = shown.join();
    Ok(ending?)
}

/// Waits for the wall clock to show `at`; false if a signal came first.
///
/// # Errors
/// If signals cannot be received.
pub(super) async fn wait_until(screen: &Screen, at: Timestamp) -> Result<bool, Failure> {
    /// How often the wall clock is looked at: it may be set, and the machine may sleep.
    const LOOK_UP: Duration = Duration::from_secs(1);
    let mut signals = Signals::new()?;
    if at > clock::now() {
        screen.say(&format!("Waiting until {at} ({}) …", in_words(at)));
    }
    while let Ok(left) = Duration::try_from(at.duration_since(clock::now())) {
        if left.is_zero() {
            break;
        }
        tokio::select! {
            () = tokio::time::sleep(left.min(LOOK_UP)) => {}
            _ = signals.next() => return Ok(false),
        }
    }
    Ok(true)
}

/// SIGINT, SIGTERM and SIGHUP. A closed pipe is no signal to Rust programs, and no reason to stop.
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    pub(super) fn new() -> Result<Self, Failure> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| Failure::new(SOFTWARE, format!("signals cannot be received: {error}")));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    pub(super) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "Interrupted",
            _ = self.terminate.recv() => "Told to terminate",
            _ = self.hangup.recv() => "The terminal is gone",
        }
    }
}

struct Shown<'a> {
    screen: &'a Screen,
    bar: Option<ProgressBar>,
    letters: u64,
    counts: BTreeMap<&'static str, u64>,
    /// Deferred ones may be settled again; only these are remembered, so that memory does not grow with the batch.
    deferred: HashSet<RecipientId>,
    last_line: Instant,
    last_waiting: Option<(Waiting, Timestamp)>,
}

fn show(screen: &Screen, letters: u64, events: &Receiver<Progress>) {
    let bar = screen.is_live().then(|| progress_bar(letters));
    let mut shown = Shown {
        screen,
        bar,
        letters,
        counts: BTreeMap::new(),
        deferred: HashSet::new(),
        last_line: Instant::now(),
        last_waiting: None,
    };
    for event in events {
        shown.event(event);
    }
    if let Some(bar) = shown.bar {
        bar.finish_and_clear();
    }
}

fn progress_bar(letters: u64) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(letters), ProgressDrawTarget::stderr());
    let template = "{bar:24} {pos}/{len}  {per_sec}  {eta} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

impl Shown<'_> {
    fn line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(text),
            None => self.screen.say(text),
        }
    }

    fn event(&mut self, event: Progress) {
        match event {
            Progress::Connected => {}
            Progress::SessionLost { why, again_in } => {
                let seconds = again_in.as_secs_f64();
                self.line(&format!("session lost, or none to be had ({why}); trying again in {seconds:.1} s"));
            }
            Progress::GivenBack { id, word } => {
                self.line(&format!("{}  not sent, back in the queue: {}", named(&id), said(&word)));
            }
            Progress::Waiting { why, until } => self.waiting(why, until),
            Progress::Settled { id, state, word, not_before } => {
                let name = named(&id);
                let again = not_before.map_or(String::new(), |at| format!("; again in {}", in_words(at)));
                match state {
                    State::Accepted if self.screen.verbosity() == 0 => {}
                    State::Accepted => self.line(&format!("{name}  accepted: {}", said(&word))),
                    State::Uncertain => {
                        self.line(&format!("{name}  UNCERTAIN, will not be sent again by itself: {}", said(&word)));
                    }
                    state => self.line(&format!("{name}  {state}: {}{again}", said(&word))),
                }
                self.count(id, state);
            }
        }
    }

    fn count(&mut self, id: RecipientId, state: State) {
        if self.deferred.remove(&id)
            && let Some(count) = self.counts.get_mut(State::Deferred.name())
        {
            *count -= 1;
        }
        *self.counts.entry(state.name()).or_default() += 1;
        if state == State::Deferred {
            self.deferred.insert(id);
        }
        let done: u64 = self.counts.values().sum();
        let words: Vec<String> = self
            .counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(name, count)| format!("{count} {name}"))
            .collect();
        match &self.bar {
            Some(bar) => {
                bar.set_position(done.min(self.letters));
                bar.set_message(words.join(", "));
            }
            None if self.last_line.elapsed() >= LINE_EVERY || done == self.letters => {
                self.last_line = Instant::now();
                self.screen.say(&format!("{done} of {}: {}", self.letters, words.join(", ")));
            }
            None => {}
        }
    }

    fn waiting(&mut self, why: Waiting, until: Timestamp) {
        let same = self.last_waiting.is_some_and(|(last, at)| last == why && at == until);
        if same || (why == Waiting::Pace && self.last_waiting.is_some_and(|(last, _)| last == Waiting::Pace)) {
            return;
        }
        self.last_waiting = Some((why, until));
        let reason = match why {
            Waiting::Hours => "outside the hours of [pace]",
            Waiting::Pause => "the relay asked for a rest",
            Waiting::Pace => "keeping the pace",
            Waiting::DailyCap => "the daily limit is reached",
            Waiting::Retry => {
                "everything was tried once; deferred letters are tried again then. Ctrl-C is safe: `demarche resend` takes \
                 them later"
            }
        };
        self.line(&format!("waiting {} ({reason})", in_words(until)));
    }
}

fn in_words(at: Timestamp) -> String {
    duration(u64::try_from(at.duration_since(clock::now()).as_secs()).unwrap_or(0).max(1))
}

fn said(word: &crate::domain::attempt::LastWord) -> String {
    let code = word.code.map(|code| format!("{code} ")).unwrap_or_default();
    let enhanced = word.enhanced.as_ref().map(|enhanced| format!("{enhanced} ")).unwrap_or_default();
    format!("{code}{enhanced}{} ({})", word.text, word.phase)
}

/// "KEN Kenya": a row as people know it.
pub(super) fn named(id: &RecipientId) -> String {
    by_iso3(id.as_str()).map_or_else(|| id.to_string(), |state| format!("{id} {}", state.name("en")))
}

/// What an ending means: a sentence where there is one to say, and an exit code where the counts do not decide it.
pub(super) fn ending(screen: &Screen, ending: &Ending) -> Option<u8> {
    match ending {
        Ending::Drained => None,
        Ending::Stopped => {
            screen.say("Stopped. What was in flight is on record; `demarche send` goes on with the rest.");
            Some(TRY_AGAIN)
        }
        Ending::Capped(until) => {
            screen.warn(&format!(
                "the daily limit of [pace] is reached: run `demarche send` again in {}, from {until} on",
                in_words(*until)
            ));
            Some(TRY_AGAIN)
        }
        Ending::Broken(why) => {
            screen.failure(&Failure::new(UNAVAILABLE, format!("the run stopped: {why}")).help(
                "these letters are on record as failed, though it is hardly their missions' doing: put the relay right, then \
                 `demarche resend` takes them and `demarche send` goes on with the rest",
            ));
            Some(UNAVAILABLE)
        }
        Ending::Halted(why) => {
            screen.failure(&Failure::new(UNAVAILABLE, format!("the run stopped: {why}")).help(
                "no mission was blamed for it: put the relay right, then `demarche send` goes on where it stopped",
            ));
            Some(UNAVAILABLE)
        }
    }
}
