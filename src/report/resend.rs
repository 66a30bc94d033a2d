//! The list to look at before sending again: what goes out, and what is held back and why.

use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{Style, moment, name, shown, words};
use crate::domain::delivery::State;
use crate::domain::outcome::Phase;
use crate::domain::prose::letters;
use crate::domain::record::{AddressRecord, DeliveryRecord};
use crate::domain::state::StateCode;

/// The most entries of a list; the rest is counted.
const LISTED: usize = 20;

/// What a `resend` would do.
#[derive(Debug, Clone, Copy, Default)]
pub struct Again<'a> {
    /// What would be sent again, to the addresses that are not settled well.
    pub records: &'a [DeliveryRecord],
    /// Of what nothing is left to send.
    pub complete: &'a [DeliveryRecord],
    /// What is held back: the id and why.
    pub held: &'a [(String, String)],
    /// Addresses that others took the place of in the file: the id and the address.
    pub replaced: &'a [(String, String)],
}

/// The list, every line ended.
#[must_use]
pub fn resend_list(again: &Again<'_>, zone: &TimeZone, style: &Style) -> String {
    let Again { records, complete, held, replaced } = *again;
    let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
    let mut text = if records.is_empty() {
        String::from("Nothing to send again.\n")
    } else {
        format!("{}\n", style.bold(&format!("To be sent again: {}", letters(count))))
    };
    for record in records.iter().take(LISTED) {
        text.push_str(&entry(record, replaced, zone, style));
    }
    text.push_str(&more(records.len()));
    if !complete.is_empty() {
        let count = u64::try_from(complete.len()).unwrap_or(u64::MAX);
        let _ = write!(text, "\n{}\n", style.bold(&format!("Nothing left to send: {}", letters(count))));
        for record in complete.iter().take(LISTED) {
            let title = style.text(&format!("{}  {}", record.id, name(record)));
            let _ = writeln!(text, "  {}", style.cut(&title, style.columns() - 2));
        }
        text.push_str(&more(complete.len()));
        text.push_str(&style.wrapped(
            "The mission has the letter, and the address that had not is out of the file: recorded as accepted.",
            2,
        ));
    }
    if held.is_empty() {
        return text;
    }
    let _ = write!(text, "\n{}\n", style.bold(&format!("Held back: {}", letters(held.len()))));
    for (id, why) in held.iter().take(LISTED) {
        let title = match StateCode::parse(id) {
            Some(code) => format!("{}  {}", style.text(id), style.text(code.state().name("en"))),
            None => style.text(id),
        };
        let _ = writeln!(text, "  {}", style.cut(&title, style.columns() - 2));
        text.push_str(&style.wrapped(&style.text(why), 4));
    }
    text.push_str(&more(held.len()));
    text.push_str(&style.wrapped(
        "These are not sent. Correct their addresses in the recipients file and resend, or send to the same addresses with",
        2,
    ));
    text.push_str(&style.fitted("      demarche resend --force"));
    text
}

fn entry(record: &DeliveryRecord, replaced: &[(String, String)], zone: &TimeZone, style: &Style) -> String {
    let state = shown(record.state);
    let title = style.text(&format!("{}  {}", record.id, name(record)));
    let title = style.cut(&title, style.columns().saturating_sub(state.len() + 4));
    let mut text = format!("  {title}, {}\n", style.paint(record.state, state));
    if record.has_letter() {
        text.push_str(&style.wrapped("the mission has the letter, and is not sent it again; this goes only to", 4));
    }
    for address in record.addresses.iter().filter(|a| !matches!(a.state, State::Accepted | State::Suppressed)) {
        let line = match address.state {
            State::Queued => {
                let of_row = replaced.iter().filter(|(id, _)| id == record.id.as_str());
                let before: Vec<&str> = of_row.map(|(_, address)| address.as_str()).collect();
                let before = if before.is_empty() { String::new() } else { format!(" (was {})", before.join(", ")) };
                style.text(&format!("{}: new in the file{before}", address.address))
            }
            _ => style.text(&refusal(address, record, zone)),
        };
        text.push_str(&style.wrapped_at_most(&line, 4, 3));
    }
    text
}

/// An address, the server's words, and when they were said; also at which point, if not at the address itself.
fn refusal(address: &AddressRecord, record: &DeliveryRecord, zone: &TimeZone) -> String {
    match address.word.as_ref().or(record.last.as_ref()) {
        Some(word) if word.phase == Phase::Rcpt => {
            format!("{}: {} ({})", address.named(), words(word), moment(word.at, zone))
        }
        Some(word) => {
            format!("{}: {} ({}, {})", address.named(), words(word), word.phase.in_words(), moment(word.at, zone))
        }
        None => format!("{}: nothing was recorded", address.address),
    }
}

fn more(count: usize) -> String {
    if count > LISTED { format!("  and {} more\n", count - LISTED) } else { String::new() }
}
