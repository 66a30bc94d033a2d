//! What is known of one uncertain delivery, and how a person finds out the rest.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Style, moment, name, shown, words};
use crate::domain::delivery::State;
use crate::domain::record::{AttemptRecord, DeliveryRecord};

/// The last attempt that may have arrived, where to look for it, and the commands that record the answer; every line ended.
#[must_use]
pub fn evidence(record: &DeliveryRecord, attempts: &[AttemptRecord], zone: &TimeZone, style: &Style) -> String {
    let time = |at: Timestamp| moment(at, zone);
    let title = style.text(&format!("{}  {}", record.id, name(record)));
    let mut text = format!("{}: {}\n", style.bold(&title), style.paint(record.state, shown(record.state)));
    let but = super::copies::but(record);
    if !but.is_empty() {
        text.push_str(&style.wrapped(but.trim_start_matches(", "), 2));
    }
    let last = attempts.iter().rev().find(|attempt| attempt.intent_at.is_some());
    text.push_str(&style.wrapped(&style.text(&what_happened(last, zone)), 2));
    text.push_str("\nHow to find out\n");
    let open: Vec<&str> = record
        .addresses
        .iter()
        .filter(|address| address.state == State::Uncertain)
        .map(|address| address.address.as_str())
        .collect();
    text.push_str(&style.hanging("  - ", &style.text(&format!("ask the mission: {}", open.join(", ")))));
    text.push_str(
        &style.hanging("  - ", "or look into the relay's log or message trace (the provider's support can) for"),
    );
    let mut look =
        |what: &str, value: &str| text.push_str(&style.hanging(&format!("      {what:<12}"), &style.text(value)));
    if let Some(id) = &record.message_id {
        look("Message-ID", id);
    }
    if let Some(attempt) = last {
        let from = time(attempt.intent_at.unwrap_or(attempt.claimed_at));
        let until = attempt.settled_at.map(time).filter(|until| *until != from);
        look("at about", &until.map_or_else(|| from.clone(), |until| format!("{from} to {until}")));
    }
    let copy = "a copy to your own archive (sender.bcc), if it came, says that the relay took the letter";
    text.push_str(&style.hanging("  - ", copy));
    text.push_str("\nThen say what you learnt\n");
    for word in ["--sent", "--not-sent"] {
        let _ = writeln!(text, "      demarche resolve {} {word} --note \"{}\"", record.id, style.ellipsis());
    }
    text.push_str(&style.wrapped(
        "Until then it stays uncertain and is not sent again. --not-sent puts it back in the queue: if it did arrive, the mission \
         gets it twice.",
        0,
    ));
    text
}

fn what_happened(last: Option<&AttemptRecord>, zone: &TimeZone) -> String {
    let Some(attempt) = last else {
        return "No attempt is on record in which the letter could have arrived.".to_owned();
    };
    let when = attempt.intent_at.map_or_else(String::new, |at| format!(" at {}", moment(at, zone)));
    let then = attempt.word.as_ref().map_or_else(|| "nothing more is known".to_owned(), words);
    format!(
        "Attempt {} handed the letter over{when}. Then: {then}. No valid answer came, so that \
         nobody here can know whether the server took it.",
        attempt.number
    )
}
