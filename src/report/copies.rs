//! Missions that have the letter though a copy of it, or a further address of theirs, was refused, waits or is uncertain.

use std::fmt::Write as _;

use super::{Style, name, shown};
use crate::domain::delivery::State;
use crate::domain::record::{AddressRecord, DeliveryRecord};

/// The most missions that are named after a run; `status` and the report have all of them.
const LISTED: usize = 8;

/// True if a letter counts as `state` for a copy's sake alone.
pub(super) fn is_short_of_a_copy(record: &DeliveryRecord, state: State) -> bool {
    record.state == state && record.lacks_only_copies()
}

/// How many letters count as `state` for a copy's sake alone.
pub(super) fn count(records: &[DeliveryRecord], state: State) -> u64 {
    records.iter().filter(|record| is_short_of_a_copy(record, state)).count() as u64
}

/// ` (of them 1 where the mission has the letter and only a copy was refused)`, behind the count of a state; empty for none.
pub(super) fn in_brackets(count: u64, state: State) -> String {
    if count == 0 {
        return String::new();
    }
    format!(" (of them {count} where the mission has the letter and only {})", became(state))
}

fn became(state: State) -> &'static str {
    match state {
        State::Failed => "a copy was refused",
        State::Uncertain => "a copy is uncertain",
        _ => "a copy waits",
    }
}

/// The addresses that keep the letter in its state, as a list.
fn concerned(record: &DeliveryRecord) -> String {
    let these = record.addresses.iter().filter(|address| address.state == record.state);
    these.map(AddressRecord::named).collect::<Vec<_>>().join(", ")
}

/// A sentence for each state that has such letters, and who they are, with the addresses; every line ended, empty for none.
#[must_use]
pub fn copies(records: &[DeliveryRecord], style: &Style) -> String {
    let mut text = String::new();
    for state in [State::Failed, State::Deferred, State::Uncertain] {
        let these: Vec<&DeliveryRecord> = records.iter().filter(|record| is_short_of_a_copy(record, state)).collect();
        if these.is_empty() {
            continue;
        }
        let what = format!(
            "Of the {} {}, {} where the mission has the letter and only {}:",
            records.iter().filter(|record| record.state == state).count(),
            shown(state),
            these.len(),
            became(state)
        );
        text.push_str(&style.wrapped(&what, 0));
        for record in these.iter().take(LISTED) {
            let line = format!("{}  {}: {}", record.id, name(record), concerned(record));
            text.push_str(&style.wrapped_at_most(&style.text(&line), 2, 3));
        }
        if these.len() > LISTED {
            let _ = writeln!(text, "  and {} more", these.len() - LISTED);
        }
    }
    text
}

/// What stands behind a state's name where one letter is told of: `failed, but the mission has the letter: only a copy was
/// refused`.
pub(super) fn but(record: &DeliveryRecord) -> String {
    let told = matches!(record.state, State::Failed | State::Deferred | State::Uncertain);
    if !told || !record.lacks_only_copies() {
        return String::new();
    }
    format!(", but the mission has the letter: only {}", became(record.state))
}
