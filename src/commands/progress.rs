//! What is shown of a run while it goes on: a bar with two lines on a terminal, a line now and then elsewhere.

use std::collections::{BTreeMap, HashSet};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use jiff::{SignedDuration, Timestamp};

use crate::clock;
use crate::dispatch::{Progress, Waiting};
use crate::domain::attempt::LastWord;
use crate::domain::delivery::State;
use crate::domain::fault::{Short, Split};
use crate::domain::message::Field;
use crate::domain::recipient::RecipientId;
use crate::domain::settings::Event;
use crate::domain::state::by_iso3;
use crate::report::{Style, duration};

use super::Screen;
use super::bar::{self, progress_bar};
use super::logging::SHOWN;

/// A line of progress where there is no bar, at first so often, later a tenth of the time that went by: what runs for a minute
/// has six lines, what runs for a day a hundred.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// A wait for the pace is worth a word from so many seconds on.
const WORTH_TELLING: i64 = 60;
/// A rate is told once so many letters were settled, and so long after the start.
const TELLING: (u64, Duration) = (3, Duration::from_secs(2));

/// In seconds.
const DAY: u64 = 86_400;

/// What a run is held against while it goes on.
#[derive(Debug, Default)]
pub(super) struct Aims {
    /// The letters have to be there before it.
    pub(super) event: Option<Event>,
    /// By the pace the last letter is out then, at the earliest: the first few may go faster than the rest can.
    pub(super) planned: Option<Timestamp>,
}

/// Shows what happens until the run is over.
pub(super) fn show(screen: &Screen, letters: u64, aims: &Aims, events: &Receiver<Progress>) {
    let mut shown = Shown {
        screen,
        bar: screen.is_live().then(|| progress_bar(screen, letters)),
        aims,
        started: Instant::now(),
        tally: Tally { letters, ..Tally::default() },
        last_line: (Instant::now(), String::new()),
        waiting: None,
    };
    screen.draw(shown.bar.clone());
    for event in events {
        shown.event(event);
    }
    screen.draw(None);
}

/// How many letters came to which end in this run.
#[derive(Debug, Default)]
struct Tally {
    letters: u64,
    counts: BTreeMap<State, u64>,
    /// Deferred ones may be settled again; only these are remembered, so that memory does not grow with the batch.
    deferred: HashSet<RecipientId>,
}

impl Tally {
    fn settle(&mut self, id: RecipientId, state: State) {
        if self.deferred.remove(&id)
            && let Some(count) = self.counts.get_mut(&State::Deferred)
        {
            *count -= 1;
        }
        *self.counts.entry(state).or_default() += 1;
        if state == State::Deferred {
            self.deferred.insert(id);
        }
    }

    fn done(&self) -> u64 {
        self.counts.values().sum()
    }

    fn told(&self) -> Vec<(State, u64)> {
        self.counts.iter().filter(|(_, count)| **count > 0).map(|(state, count)| (*state, *count)).collect()
    }
}

/// How fast it went so far, and what that means for the rest.
fn outlook(tally: &Tally, elapsed: Duration, aims: &Aims, now: Timestamp) -> Option<String> {
    let (done, left) = (tally.done(), tally.letters.saturating_sub(tally.done()));
    if done < TELLING.0 || elapsed < TELLING.1 {
        return None;
    }
    let milliseconds = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX).max(1);
    let per_minute = done.saturating_mul(60_000) / milliseconds;
    let rate = if per_minute < 600 { format!("{per_minute}/min") } else { format!("{}/s", per_minute / 60) };
    if left == 0 {
        return Some(rate);
    }
    let by_the_pace = aims.planned.and_then(|end| u64::try_from(end.duration_since(now).as_secs()).ok()).unwrap_or(0);
    let wait = (left.saturating_mul(milliseconds) / done / 1_000).max(by_the_pace).max(1);
    let before = aims.event.as_ref().filter(|event| event.at > now).map_or_else(String::new, |event| {
        let left = u64::try_from(event.at.duration_since(now).as_secs()).unwrap_or(0);
        match left.checked_sub(wait) {
            None => ", AFTER THE EVENT HAS BEGUN".to_owned(),
            Some(spare) if spare >= 2 * DAY => format!(", {} days before the event", spare / DAY),
            Some(spare) => format!(", {} before the event", duration(spare)),
        }
    });
    Some(format!("{rate}, {} left{before}", duration(wait)))
}

struct Shown<'a> {
    screen: &'a Screen,
    bar: Option<ProgressBar>,
    aims: &'a Aims,
    started: Instant,
    tally: Tally,
    /// When a line of progress was printed, and what it said.
    last_line: (Instant, String),
    /// What nothing goes out for at the moment.
    waiting: Option<(Waiting, Timestamp)>,
}

impl Shown<'_> {
    fn event(&mut self, event: Progress) {
        match event {
            Progress::Connected => tracing::debug!(target: SHOWN, "a session is open"),
            Progress::SessionLost { why, again_in } => {
                let seconds = again_in.as_secs_f64();
                self.screen.say(&format!("no session with the mail server ({why}); trying again in {seconds:.1} s"));
            }
            Progress::GivenBack { id, word } => {
                self.screen.say(&format!("{}  not sent, back in the queue: {}", named(&id), said(&word)));
            }
            Progress::Waiting { why, until } => self.wait(why, until),
            Progress::Suppressed { id, state, why } => {
                self.waiting = None;
                self.screen.say(&suppressed(&id, state, &why));
                self.tally.settle(id, state);
            }
            Progress::ClockJumped { by } => self.screen.say(&jumped(by)),
            Progress::Settled { id, state, word, split, short, not_before } => {
                // Another session's wait for the pace goes on.
                self.waiting = self.waiting.filter(|(why, until)| *why == Waiting::Pace && *until > clock::now());
                let what = split.as_ref().map_or_else(|| said(&word), said_of_each);
                self.settled(&id, (state, short), &what, not_before);
                self.tally.settle(id, state);
            }
        }
        self.redraw();
    }

    fn settled(
        &self,
        id: &RecipientId,
        (state, short): (State, Option<Short>),
        what: &str,
        not_before: Option<Timestamp>,
    ) {
        let name = named(id);
        let again = not_before.map_or(String::new(), |at| format!("; again in {}", in_words(at)));
        match state {
            State::Accepted if self.screen.verbosity() == 0 => {
                tracing::info!(target: SHOWN, "{name}  accepted: {what}");
            }
            State::Uncertain => {
                let what = format!(", will not be sent again by itself: {what}");
                self.screen.say_of_letter(&name, state, "UNCERTAIN", &what);
            }
            state => {
                let only = match short {
                    Some(Short::OfCopies) => " for a copy only, the mission has the letter",
                    Some(Short::OfAddresses) => " for a further address only, the mission has the letter",
                    None => "",
                };
                self.screen.say_of_letter(&name, state, &state.to_string(), &format!("{only}: {what}{again}"));
            }
        }
    }

    fn redraw(&mut self) {
        // While nothing may go out, a rate says nothing.
        let at_rest = self.waiting.is_some_and(|(why, _)| why != Waiting::Pace);
        let outlook = outlook(&self.tally, self.started.elapsed(), self.aims, clock::now()).filter(|_| !at_rest);
        match &self.bar {
            Some(bar) => self.redraw_bar(bar, outlook),
            None => self.tell(outlook),
        }
    }

    fn redraw_bar(&self, bar: &ProgressBar, outlook: Option<String>) {
        let style = self.screen.message_style();
        let resting = self.waiting.filter(|(why, until)| *why != Waiting::Pace || is_long(*until));
        let resting = resting.map(|(why, until)| format!("waits until {}: {}", by_the_clock(until), why_in_short(why)));
        bar.set_position(self.tally.done().min(self.tally.letters));
        bar.set_message(resting.or(outlook).unwrap_or_default());
        bar.set_prefix(below(&self.tally.told(), &style, bar::columns()));
    }

    /// A line now and then, if there is something new to tell.
    fn tell(&mut self, outlook: Option<String>) {
        let told: Vec<String> = self.tally.told().iter().map(|(state, count)| format!("{count} {state}")).collect();
        let told = told.join(", ");
        let (last, before) = &self.last_line;
        let every = LINE_EVERY.max(self.started.elapsed() / 10);
        if told.is_empty() || last.elapsed() < every || told == *before {
            return;
        }
        let outlook = outlook.map_or(String::new(), |outlook| format!(" ({outlook})"));
        self.screen.say(&format!("{} of {}: {told}{outlook}", self.tally.done(), self.tally.letters));
        self.last_line = (Instant::now(), told);
    }

    fn wait(&mut self, reason: Waiting, until: Timestamp) {
        let same = self.waiting.is_some_and(|(last, at)| last == reason && (at == until || reason == Waiting::Pace));
        // Several sessions wait for the pace, each for a letter of its own: the next one is what matters.
        let next = match self.waiting {
            Some((Waiting::Pace, at)) if reason == Waiting::Pace && at > clock::now() => at.min(until),
            _ => until,
        };
        self.waiting = Some((reason, next));
        // The pace is what was asked for: only where it seems to stand still it needs a word.
        if same || (reason == Waiting::Pace && (self.bar.is_some() || !is_long(until))) {
            return;
        }
        self.screen.say(&format!(
            "waiting until {} ({} from now): {}. {}",
            by_the_clock(until),
            in_words(until),
            why(reason),
            what_to_do(reason)
        ));
    }
}

/// How many letters came to which end, in the colours of these, as far as there is room.
fn below(told: &[(State, u64)], style: &Style, columns: usize) -> String {
    let (mut text, mut used) = (String::new(), 0);
    for (state, count) in told {
        let words = format!("{count} {state}");
        let gap = if used == 0 { "" } else { "  " };
        used += gap.len() + words.len();
        if used > columns {
            break;
        }
        text.push_str(gap);
        text.push_str(&style.paint(*state, &words));
    }
    text
}

fn is_long(until: Timestamp) -> bool {
    until.duration_since(clock::now()).as_secs() >= WORTH_TELLING
}

/// `14:05 CEST`, or `Mon 18 Oct, 09:00 CEST` on another day, by the clock of this machine.
pub(super) fn by_the_clock(at: Timestamp) -> String {
    let zone = clock::zone();
    let (then, now) = (at.to_zoned_datetime(zone.clone()), clock::now().to_zoned_datetime(zone));
    let format = match (then.date() == now.date(), is_long(at)) {
        (false, _) => "%a %-d %b, %H:%M %Z",
        (true, true) => "%H:%M %Z",
        (true, false) => "%H:%M:%S %Z",
    };
    then.strftime(format).to_string()
}

fn why(waiting: Waiting) -> &'static str {
    match waiting {
        Waiting::Hours => "outside the hours of [pace]",
        Waiting::Pause => "the relay asked for a rest",
        Waiting::Pace => "the next letter goes then, by [pace]",
        Waiting::DailyCap => "the daily limit of [pace] is reached",
        Waiting::Retry => "deferred letters are tried again then",
    }
}

/// The same where there is little room.
/// What a row is once it asked not to be written to.
pub(super) fn suppressed(id: &RecipientId, state: State, why: &str) -> String {
    let what = match state {
        State::Uncertain => "may have the letter, and is not written to again",
        State::Accepted => "has the letter, and is not written to again",
        _ => "is suppressed from now on",
    };
    format!("{} {what}: {why}", named(id))
}

fn why_in_short(waiting: Waiting) -> &'static str {
    match waiting {
        Waiting::Hours => "outside the hours",
        Waiting::Pause => "the relay rests",
        Waiting::Pace => "next letter",
        Waiting::DailyCap => "daily limit",
        Waiting::Retry => "next try",
    }
}

/// What a person may do about a wait.
fn what_to_do(waiting: Waiting) -> &'static str {
    match waiting {
        Waiting::Retry => {
            "Everything so far is on record: leave it running, or press Ctrl-C: `demarche send` tries them when they are due, \
             `demarche resend` at once"
        }
        _ => "Everything so far is on record: leave it running, or press Ctrl-C, and `demarche send` goes on later",
    }
}

/// What a jump of the wall clock means for the letters.
fn jumped(by: SignedDuration) -> String {
    let span = duration(by.unsigned_abs().as_secs());
    if by.is_negative() {
        return format!(
            "the clock was set back by {span}: no letter goes out early for it, and deferred ones wait until it shows their \
             time again. New sessions are opened. If the clock is wrong now, put it right"
        );
    }
    format!(
        "the clock is {span} ahead of where it was: the machine slept, or the clock was set. Letters that this run deferred \
         wait their full time all the same, and a daily limit lasts its whole day. New sessions are opened"
    )
}

/// How long until then.
pub(super) fn in_words(at: Timestamp) -> String {
    duration(u64::try_from(at.duration_since(clock::now()).as_secs()).unwrap_or(0).max(1))
}

fn said(word: &LastWord) -> String {
    let code = word.code.map(|code| format!("{code} ")).unwrap_or_default();
    let enhanced = word.enhanced.as_ref().map(|enhanced| format!("{enhanced} ")).unwrap_or_default();
    format!("{code}{enhanced}{} ({})", word.text, word.phase.in_words())
}

/// The addresses that were refused, each with its words, then those that have the letter.
fn said_of_each(split: &Split) -> String {
    let refused = split.refused.iter().map(|(path, word)| {
        let field = if path.field == Field::To { String::new() } else { format!(" ({})", path.field.name()) };
        format!("{}{field}: {}", path.address, said(word))
    });
    format!("{}; taken for {}", refused.collect::<Vec<_>>().join("; "), split.taken.join(", "))
}

/// "KEN Kenya": a row as people know it.
pub(super) fn named(id: &RecipientId) -> String {
    by_iso3(id.as_str()).map_or_else(|| id.to_string(), |state| format!("{id} {}", state.name("en")))
}

/// The first few of the rows by their ids, and how many more there are.
pub(super) fn listed(ids: &[RecipientId]) -> String {
    let shown: Vec<&str> = ids.iter().take(10).map(RecipientId::as_str).collect();
    let more = ids.len().saturating_sub(10);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(letters: u64, accepted: u64) -> Tally {
        Tally { letters, counts: BTreeMap::from([(State::Accepted, accepted)]), ..Tally::default() }
    }

    fn event(at: &str) -> Event {
        Event { name: "the open debate".into(), at: at.parse().expect("a time"), zone: "UTC".into() }
    }

    #[test]
    fn the_rest_is_told_by_the_pace_so_far_and_held_against_the_event() {
        let now: Timestamp = "2021-10-15T14:00:00Z".parse().expect("a time");
        let after = |event: Option<&Event>| {
            let aims = Aims { event: event.cloned(), planned: None };
            outlook(&tally(193, 30), Duration::from_secs(60), &aims, now)
        };
        assert_eq!(after(None).as_deref(), Some("30/min, 5 min 26 s left"));
        let days = event("2021-10-21T14:00:00Z");
        assert_eq!(after(Some(&days)).as_deref(), Some("30/min, 5 min 26 s left, 5 days before the event"));
        let soon = event("2021-10-15T14:03:00Z");
        assert_eq!(after(Some(&soon)).as_deref(), Some("30/min, 5 min 26 s left, AFTER THE EVENT HAS BEGUN"));
        let past = event("2021-10-15T13:00:00Z");
        assert_eq!(after(Some(&past)).as_deref(), Some("30/min, 5 min 26 s left"));
    }

    #[test]
    fn no_rest_is_foretold_that_is_shorter_than_the_pace_allows() {
        let now: Timestamp = "2021-10-15T14:00:00Z".parse().expect("a time");
        let aims = |end: &str| Aims { event: None, planned: Some(end.parse().expect("a time")) };
        let after = |aims: &Aims| outlook(&tally(193, 3), Duration::from_secs(12), aims, now);
        assert_eq!(after(&aims("2021-10-15T14:19:00Z")).as_deref(), Some("15/min, 19 min left"));
        assert_eq!(
            after(&aims("2021-10-15T13:59:00Z")).as_deref(),
            Some("15/min, 12 min 40 s left"),
            "slower than planned"
        );
    }

    #[test]
    fn nothing_is_foretold_from_a_first_few_letters() {
        let now = Timestamp::UNIX_EPOCH;
        assert_eq!(outlook(&tally(193, 2), Duration::from_secs(60), &Aims::default(), now), None);
        assert_eq!(outlook(&tally(193, 30), Duration::from_millis(10), &Aims::default(), now), None);
        assert_eq!(outlook(&tally(193, 193), Duration::from_secs(6), &Aims::default(), now).as_deref(), Some("32/s"));
    }

    #[test]
    fn a_letter_that_was_deferred_and_then_taken_counts_once() {
        let id = RecipientId::parse("KEN").expect("an id");
        let mut tally = Tally { letters: 1, ..Tally::default() };
        tally.settle(id.clone(), State::Deferred);
        tally.settle(id, State::Accepted);
        assert_eq!((tally.done(), tally.told()), (1, vec![(State::Accepted, 1)]));
    }
}
