//! What a cell has to come to: the rows in the ledger, the run, the sessions, the words.

use std::ops::RangeInclusive;

use demarche::domain::delivery::State;

use crate::cells::{Cell, Times, Truth};
use crate::table::{Fault, Meaning, Place};

/// Attempts that a letter has in these runs, at most.
pub(crate) const ATTEMPTS: u32 = 2;

/// What a row may be in the end.
#[derive(Debug, Clone)]
pub(crate) struct RowEnd {
    pub(crate) states: Vec<State>,
    /// Attempts that count.
    pub(crate) charged: RangeInclusive<u32>,
}

/// How the run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RunEnd {
    Drained,
    /// With exit code 69.
    Halted,
}

/// All of it.
#[derive(Debug, Clone)]
pub(crate) struct Expected {
    /// The first letter, the second, which the fault hits, and the third.
    pub(crate) rows: [RowEnd; 3],
    pub(crate) run: RunEnd,
    pub(crate) sessions: RangeInclusive<u64>,
    /// Whether the account rests at least once.
    pub(crate) rests: bool,
    /// How many copies of the second letter the server holds.
    pub(crate) held: usize,
}

fn row(state: State, charged: u32) -> RowEnd {
    RowEnd { states: vec![state], charged: charged..=charged }
}

/// What the table's letter means for this cell.
pub(crate) fn expected(cell: &Cell) -> Expected {
    let accepted = || row(State::Accepted, 1);
    let queued = || row(State::Queued, 0);
    let all_accepted = Expected {
        rows: [accepted(), accepted(), accepted()],
        run: RunEnd::Drained,
        sessions: sessions(cell),
        rests: false,
        held: 1,
    };
    if cell.place.opens() {
        let stopped_after = |sessions: u64| Expected {
            rows: [queued(), queued(), queued()],
            run: RunEnd::Halted,
            sessions: sessions..=sessions,
            rests: false,
            held: 0,
        };
        return match (cell.meaning, cell.times) {
            (Meaning::H, _) => stopped_after(1),
            (Meaning::T, Times::Always) => stopped_after(3),
            (_, Times::Always) => stopped_after(10),
            _ => Expected { sessions: 2..=2, ..all_accepted },
        };
    }
    // MAIL names nobody, so that what always comes there hits the third letter, too.
    let hits_third = cell.place == Place::Mail && cell.times == Times::Always;
    let with = |second: RowEnd, third: RowEnd, held| Expected {
        rows: [accepted(), second, third],
        held,
        ..all_accepted.clone()
    };
    let alike = |end: RowEnd| {
        let third = if hits_third { end.clone() } else { accepted() };
        with(end, third, 0)
    };
    match (cell.meaning, cell.times) {
        (Meaning::A | Meaning::S, Times::Once) | (Meaning::A, _) => all_accepted,
        (Meaning::P, Times::Once) => Expected { rests: true, ..all_accepted },
        (Meaning::P, Times::Always) => {
            let sessions = if sessions(cell) == (1..=1) { 1..=1 } else { 2..=20 };
            Expected { rests: true, run: RunEnd::Halted, sessions, ..alike(queued()) }
        }
        (Meaning::H | Meaning::T, _) => {
            Expected { run: RunEnd::Halted, sessions: 1..=1, ..with(queued(), queued(), 0) }
        }
        (Meaning::D, Times::Once) => with(row(State::Accepted, 2), accepted(), 1),
        (Meaning::D, Times::Always) => {
            let sessions = if sessions(cell) == (1..=1) { 1..=1 } else { 2..=6 };
            Expected { sessions, ..alike(row(State::Deferred, ATTEMPTS)) }
        }
        (Meaning::F, _) => with(row(State::Failed, 1), accepted(), 0),
        (Meaning::U, _) => with(row(State::Uncertain, 1), accepted(), usize::from(cell.truth == Truth::Kept)),
        (Meaning::N, _) => Expected { sessions: 1..=1, ..with(accepted(), row(State::Uncertain, 1), 1) },
        // Ten sessions in a row without a letter.
        (Meaning::S, Times::Always) if hits_third => {
            let waits = RowEnd { states: vec![State::Queued, State::Deferred], charged: 0..=ATTEMPTS };
            Expected { run: RunEnd::Halted, sessions: 10..=10, ..with(waits.clone(), waits, 0) }
        }
        // A letter that breaks every session is put off, so that it does not hold up the others: thrice an attempt.
        (Meaning::S, Times::Always) => {
            Expected { sessions: 6..=8, ..with(row(State::Deferred, ATTEMPTS), accepted(), 0) }
        }
        (Meaning::O, _) => unreachable!("no such cell"),
    }
}

/// A whole reply that is due leaves the session as it is; everything else ends it.
fn sessions(cell: &Cell) -> RangeInclusive<u64> {
    let in_order = matches!(cell.fault, Fault::Reply(text) if !text.starts_with("421"));
    let due = !matches!(cell.place, Place::Body | Place::AfterTheReply);
    if in_order && due { 1..=1 } else { 2..=2 }
}

/// Words of which the person must have read one. None where nothing went wrong for anybody.
pub(crate) fn words(cell: &Cell) -> Vec<&'static str> {
    const GONE: [&str; 2] = ["the server closed the connection", "the connection broke"];
    const ODD: [&str; 2] = ["an answer that is no SMTP reply", "a reply that nobody asked for"];
    if cell.meaning == Meaning::A {
        return Vec::new();
    }
    match cell.fault {
        // The text behind the codes.
        Fault::Reply(text) => {
            vec![text.rsplit_once(|c: char| c.is_ascii_digit()).map_or(text, |(_, text)| text.trim())]
        }
        Fault::HalfReply => [&GONE[..], &ODD].concat(),
        Fault::Drop | Fault::Reset => GONE.to_vec(),
        Fault::TlsAlert => vec!["TLS failed"],
        Fault::Stall | Fault::SlowDrip => vec!["no whole reply within", "a reply that nobody asked for"],
        Fault::Garbage | Fault::MixedCodes | Fault::EndlessLines | Fault::HugeReply | Fault::OversizedLine => {
            ODD.to_vec()
        }
        Fault::ExtraReply if cell.place == Place::StartTls => vec!["plain text was injected"],
        Fault::ExtraReply => vec!["a reply that nobody asked for", "a reply that is not due here"],
        Fault::GoOnAfterTheDot => vec!["a reply that is not due here"],
        Fault::Injection => vec!["plain text was injected before the TLS handshake"],
    }
}
