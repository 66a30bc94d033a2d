//! A run as a person meets it: signals, progress, and what the way it ended means.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use jiff::{Timestamp, ZonedDateTime};
use tokio::sync::watch;

use crate::clock;
use crate::config::Pace;
use crate::dispatch::{self, Compose, Ending, Job, Wishes};
use crate::domain::delivery::State;
use crate::domain::recipient::RecipientId;
use crate::domain::retry::RetryPolicy;
use crate::domain::settings::Event;
use crate::ledger::{Ledger, LedgerError, Start};
use crate::smtp::Connector;

use super::Screen;
use super::exit::{DATA, Failure, SOFTWARE, TRY_AGAIN, UNAVAILABLE, UNCERTAIN};
use super::prepare::Batch;
use super::progress::{self, by_the_clock, in_words};
use super::timing::{Timing, load_of};
use super::wishes::List;

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
    pub(super) start: Start,
    pub(super) connector: Connector,
    pub(super) compose: Arc<dyn Compose>,
    pub(super) pace: Pace,
    pub(super) retry: RetryPolicy,
    /// Letters that this run is to settle.
    pub(super) letters: u64,
    /// Who asked not to be written to since.
    pub(super) wishes: Option<Arc<dyn Wishes>>,
    /// What they have to be there before.
    pub(super) event: Option<Event>,
    /// When the last of them is out by the pace, at the earliest.
    pub(super) planned: Option<Timestamp>,
}

impl Drive {
    /// A run at the config's own pace and with its retries.
    ///
    /// # Errors
    /// A campaign folder that cannot be opened.
    pub(super) fn new(
        batch: &Batch,
        (ledger, start): (&Ledger, Start),
        connector: Connector,
        compose: Arc<dyn Compose>,
        ids: &[RecipientId],
    ) -> Result<Self, Failure> {
        let chosen: HashSet<&RecipientId> = ids.iter().collect();
        let planned = Some(Timing::new(batch, load_of(batch, |id| chosen.contains(id)), None).end);
        let letters = ids.len() as u64;
        let config = &batch.config;
        let (pace, retry) = (config.pace.clone(), config.retry.clone());
        let event = config.settings.event.clone();
        let wishes: Option<Arc<dyn Wishes>> = Some(Arc::new(List::of(batch)?));
        Ok(Self { ledger: ledger.clone(), start, connector, compose, pace, retry, letters, wishes, event, planned })
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
        let aims = progress::Aims { event: drive.event, planned: drive.planned };
        std::thread::spawn(move || progress::show(&screen, letters, &aims, &events))
    };
    let ledger = drive.ledger.clone();
    let job = Job {
        ledger: drive.ledger,
        start: drive.start,
        connector: drive.connector,
        compose: drive.compose,
        rates: drive.pace.rates,
        per_domain: drive.pace.per_domain,
        hours: drive.pace.hours,
        retry: drive.retry,
        wishes: drive.wishes,
        progress,
    };
    let mut signals = Signals::new()?;
    let mut run = Box::pin(dispatch::run(job, stopping));
    let ending = tokio::select! {
        ending = &mut run => ending,
        name = signals.next() => {
            stop.send_replace(true);
            screen.say_after_echo(&format!("{name}: stopping; letters in flight are finished first. Once more to abort."));
            tokio::select! {
                ending = &mut run => ending,
                _ = signals.next() => {
                    // Whatever is told from here on stands below the bar, and so does the prompt.
                    screen.draw(None);
                    // Its sessions go with it: no other letter is claimed.
                    drop(run);
                    return Err(aborted(&ledger).await?);
                }
            }
        }
    };
    // The run dropped its end of the channel, so the screen comes to its own.
    let _ = shown.join();
    Ok(ending?)
}

/// What an abort leaves: the letters that were being handed over are recorded as uncertain and named, if the ledger can do
/// that at once; if not, they are named, and whoever looks next finds them so ([`Reader`]).
///
/// [`Reader`]: crate::ledger::Reader
async fn aborted(ledger: &Ledger) -> Result<Failure, Failure> {
    /// Whoever aborts does not wait for a disk.
    const PATIENCE: Duration = Duration::from_secs(2);
    let mut in_flight = Vec::new();
    ledger.reader()?.deliveries(&mut |record| {
        if matches!(record.state, State::Sending | State::HandedOver) {
            in_flight.push((record.id, record.state));
        }
    })?;
    let recording = {
        let (ledger, in_flight) = (ledger.clone(), in_flight.clone());
        tokio::task::spawn_blocking(move || -> Result<Vec<(RecipientId, State)>, LedgerError> {
            // An outcome that came in the meantime is in the queue before it.
            ledger.recover()?;
            let reader = ledger.reader()?;
            let now = |(id, _)| Ok(reader.delivery(&id)?.map(|record| (id, record.state)));
            in_flight.into_iter().filter_map(|one| now(one).transpose()).collect()
        })
    };
    let recorded = tokio::time::timeout(PATIENCE, recording).await;
    let left = match recorded {
        Ok(Ok(Ok(left))) => left,
        _ => in_flight,
    };
    let unknown = |state: &State| matches!(state, State::HandedOver | State::Uncertain);
    let unknown: Vec<&RecipientId> = left.iter().filter(|(_, state)| unknown(state)).map(|(id, _)| id).collect();
    let Some(first) = unknown.first() else {
        let message = "aborted: no letter was being handed over, so that nothing is uncertain";
        return Ok(Failure::new(TRY_AGAIN, message).help("`demarche send` goes on with the rest"));
    };
    let names: Vec<String> = unknown.iter().map(|id| progress::named(id)).collect();
    let (were, they, are) = if names.len() == 1 { ("was", "it", "is") } else { ("were", "they", "are") };
    let message = format!(
        "aborted while {} {were} being handed over: nobody can know whether {they} arrived, so {they} {are} uncertain",
        names.join(", ")
    );
    Ok(Failure::new(UNCERTAIN, message).help(format!(
        "`demarche resolve {first}` tells how to find out; `demarche send` goes on with the rest, and sends nothing uncertain again"
    )))
}

/// Waits for the wall clock to show `at`; false if a signal came first.
///
/// # Errors
/// If signals cannot be received.
pub(super) async fn wait_until(screen: &Screen, start: &ZonedDateTime) -> Result<bool, Failure> {
    /// How often the wall clock is looked at: it may be set, and the machine may sleep.
    const LOOK_UP: Duration = Duration::from_secs(1);
    let mut signals = Signals::new()?;
    let at = start.timestamp();
    if at > clock::now() {
        let shown = start.strftime("%-d %B %Y, %H:%M:%S %Q");
        screen.say(&format!(
            "Waiting until {shown} ({} from now). Ctrl-C is safe: nothing is sent before then.",
            in_words(at)
        ));
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

/// What an ending means: a sentence where there is one to say, and an exit code where the counts do not decide it.
pub(super) fn ending(screen: &Screen, ending: &Ending) -> Option<u8> {
    match ending {
        Ending::Drained => None,
        Ending::Stopped => {
            screen.say("Stopped. Everything so far is on record; `demarche send` goes on with the rest.");
            Some(TRY_AGAIN)
        }
        Ending::Capped(until) => {
            screen.warn(&format!(
                "the daily limit of [pace] is reached: run `demarche send` again in {}, from {} on",
                in_words(*until),
                by_the_clock(*until)
            ));
            Some(TRY_AGAIN)
        }
        Ending::NoList(why) => {
            screen.failure(&stopped(why).help(
                "nobody is written to who may have asked not to be: put suppressed.csv right, then `demarche send` goes on",
            ));
            Some(DATA)
        }
        Ending::Unwanted(why) => {
            screen.failure(&stopped(why).help(
                "without that address it is another letter than the confirmed one: `demarche send --refresh` shows and sends it so, \
                 and goes on with the rest",
            ));
            Some(DATA)
        }
        Ending::Broken { refused, lost, why } => {
            screen.failure(&broken(*refused, *lost, why));
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

/// Before a claim: of the next letter nothing is on record.
fn stopped(why: &str) -> Failure {
    Failure::new(DATA, format!("the run stopped before the next letter: {why}"))
}

/// A relay that refuses what it has read, or hangs up on it, is not taken for the missions' doing.
fn broken(refused: u32, lost: u32, why: &str) -> Failure {
    let (what, on_record) = match (refused, lost) {
        (_, 0) => (
            format!("the relay refused {refused} letters in a row"),
            "these letters are on record as failed, though it is hardly their missions' doing: put the relay right, then \
             `demarche resend` takes them and `demarche send` goes on with the rest"
                .to_owned(),
        ),
        (0, _) => (
            format!("the relay's answer to {lost} letters in a row was lost"),
            "these letters are on record as uncertain, because the relay may have taken them, and nothing sends them again by \
             itself: put the relay right, ask whoever runs it which it has, and record that with `demarche resolve`; `demarche \
             send` goes on with the rest"
                .to_owned(),
        ),
        _ => (
            format!("of {} letters in a row the relay refused {refused}, and its answer to {lost} was lost", refused + lost),
            "the refused are on record as failed, the others as uncertain, because the relay may have taken them: put the relay \
             right, then `demarche resend` takes the failed ones, `demarche resolve` records what you learn of the uncertain \
             ones, and `demarche send` goes on with the rest"
                .to_owned(),
        ),
    };
    Failure::new(UNAVAILABLE, format!("the run stopped: {what}: {why}")).help(&on_record)
}
