//! What became of the batch: one screen, the log, tables, JSON, CSV and a page to hand on.
//!
//! Everything here is a pure function from the ledger's records to text. A handed-over delivery reads as "sending": the
//! difference matters to the ledger only.

mod copies;
mod csv;
mod dossier;
mod evidence;
mod json;
mod layout;
mod log;
mod manual;
mod page;
mod resend;
mod runs;
mod status;
mod table;
mod tally;
mod versions;

use jiff::Timestamp;
use jiff::tz::TimeZone;

pub use self::copies::copies;
pub use self::csv::csv;
pub use self::dossier::{Dossier, Sample, remark_line};
pub use self::evidence::evidence;
pub use self::json::{log_json, report_json, status_json};
pub use self::layout::ascii;
pub use self::log::log;
pub use self::page::html;
pub use self::resend::{Again, resend_list};
pub use self::runs::runs;
pub use self::status::status;
pub use self::table::outcome_table;
pub use self::versions::{Changes, History, versions};
use crate::domain::approval::Approval;
use crate::domain::attempt::LastWord;
use crate::domain::coverage::Coverage;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::recipient::RecipientId;
use crate::domain::record::{AddressRecord, Counts, DeliveryRecord, Remark, RunRecord};

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal; 80 where there is none.
    pub width: usize,
    /// Whether ANSI colours may be used.
    pub colour: bool,
    /// Whether characters outside ASCII may be used.
    pub unicode: bool,
}

/// What the records do not say themselves.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The campaign's name.
    pub campaign: String,
    /// The batch's digest.
    pub digest: Digest,
    /// States that were expected and are not in the batch.
    pub missing: Vec<String>,
    /// The batch against the audience: missing, doubled and foreign; empty while there is no batch.
    pub coverage: Coverage,
    /// In which people read times on a terminal.
    pub zone: TimeZone,
    /// The time at which this is true.
    pub now: Timestamp,
    /// The ledger's path, as the user knows it.
    pub ledger: String,
    /// What people recorded of rows that were uncertain, in the order in which they did.
    pub resolved: Vec<(RecipientId, Remark)>,
    /// Who writes to the ledger now, if anybody does: `process 7, `demarche send`, since …`.
    pub running: Option<String>,
    /// True if it is the record of a rehearsal.
    pub rehearsal: bool,
    /// Every run, the first one first.
    pub runs: Vec<RunRecord>,
    /// Who approved what, withdrawn approvals too, in the order in which they were given.
    pub approvals: Vec<Approval>,
}

/// What stands first in whatever tells of a rehearsal.
pub const REHEARSAL: &str = "REHEARSAL: nothing was sent";

/// What stands at the top of a screen that tells of a rehearsal, every line ended.
#[must_use]
pub fn rehearsal(style: &Style) -> String {
    let more = ". Nothing of this left the machine: a server inside the program played the missions' servers.";
    let text = style.wrapped(&format!("{REHEARSAL}{more}"), 0);
    text.replacen(REHEARSAL, &style.bold(REHEARSAL), 1)
}

/// The exit code of a batch that stands so: 2 if any is uncertain, else 1 if any failed, else 75 if any is deferred or
/// not yet sent, else 0.
#[must_use]
pub fn exit_code(counts: &Counts) -> u8 {
    if counts.uncertain > 0 {
        2
    } else if counts.failed > 0 {
        1
    } else if counts.deferred + counts.queued + counts.sending > 0 {
        75
    } else {
        0
    }
}

/// A length of time for people, in its two largest units: `6 min 26 s`, `2 h 5 min`, `3 d`.
#[must_use]
pub fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let Some(first) = units.iter().position(|(unit, _)| seconds >= *unit) else { return "0 s".into() };
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, name) in &units[first..units.len().min(first + 2)] {
        if rest / unit > 0 {
            parts.push(format!("{} {name}", rest / unit));
        }
        rest %= unit;
    }
    parts.join(" ")
}

/// The state as it is shown to people and scripts.
fn shown(state: State) -> &'static str {
    match state {
        State::HandedOver => State::Sending.name(),
        state => state.name(),
    }
}

/// How many letters are in each of the seven states that are shown, in the order in which people read them.
fn counted(counts: &Counts) -> [(State, u64); 7] {
    [
        (State::Accepted, counts.accepted),
        (State::Uncertain, counts.uncertain),
        (State::Failed, counts.failed),
        (State::Deferred, counts.deferred),
        (State::Sending, counts.sending),
        (State::Queued, counts.queued),
        (State::Suppressed, counts.suppressed),
    ]
}

/// The mission's short English name, else the name in the row, else the id.
#[must_use]
pub fn name(record: &DeliveryRecord) -> &str {
    match record.recipient.state {
        Some(code) => code.state().name("en"),
        None => record.recipient.name.as_deref().unwrap_or(record.id.as_str()),
    }
}

/// `2021-10-20T14:02:11Z`: for scripts.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `2021-10-20 10:02:11 EDT`: for people, always with the name of the zone.
#[must_use]
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// `20 October 2021, 10:16 EDT`: the same in a sentence, to the minute.
#[must_use]
pub fn minute(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned_datetime(zone.clone()).strftime("%-d %B %Y, %H:%M %Z").to_string()
}

/// What was said: code, enhanced code and text.
fn words(word: &LastWord) -> String {
    let code = word.code.map(|code| code.to_string());
    let parts = [code.as_deref(), word.enhanced.as_deref(), Some(word.text.as_str())];
    let parts: Vec<&str> = parts.into_iter().flatten().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "(no words)".into() } else { parts.join(" ") }
}

/// An address, what that means for it, and in brackets the server's words, when it was said and at which step; the delivery's
/// last word where there is none of its own.
fn said(address: &AddressRecord, record: &DeliveryRecord, zone: &TimeZone) -> String {
    match address.word.as_ref().or(record.last.as_ref()) {
        Some(word) => {
            let meaning = dossier::cause(record, address).map_or("", |(cause, _)| cause.in_a_word());
            let colon = if meaning.is_empty() { "" } else { ": " };
            let (step, at) = (word.phase.in_words(), moment(word.at, zone));
            format!("{}{colon}{meaning} ({}; {step}, {}, {at})", address.named(), words(word), word.phase)
        }
        None => format!("{}: nothing was recorded", address.address),
    }
}

/// A sentence each for states with several rows and for rows outside the audience, where there are any.
fn doubled_and_foreign(coverage: &Coverage) -> Vec<String> {
    let ids: Vec<String> = coverage.foreign.iter().map(ToString::to_string).collect();
    let parts = [
        ("States with several rows", Coverage::names(&coverage.doubled)),
        ("Rows of states outside the audience", ids),
    ];
    let told = parts.iter().filter(|(_, names)| !names.is_empty());
    told.map(|(what, names)| format!("{what}: {}.", names.join(", "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_that_a_person_must_act_on_decides_the_exit_code() {
        let of = |uncertain, failed, deferred, queued, sending| {
            exit_code(&Counts { uncertain, failed, deferred, queued, sending, accepted: 9, suppressed: 9 })
        };
        assert_eq!(of(1, 1, 1, 1, 1), 2);
        assert_eq!(of(0, 1, 1, 1, 1), 1);
        assert_eq!([of(0, 0, 1, 0, 0), of(0, 0, 0, 1, 0), of(0, 0, 0, 0, 1)], [75; 3]);
        assert_eq!(of(0, 0, 0, 0, 0), 0);
    }

    #[test]
    fn a_duration_is_told_in_its_two_largest_units() {
        assert_eq!(
            [0, 59, 60, 386, 7_500, 7_205, 90_000, 86_400 * 3 + 5].map(duration),
            ["0 s", "59 s", "1 min", "6 min 26 s", "2 h 5 min", "2 h", "1 d 1 h", "3 d"]
        );
    }
}
