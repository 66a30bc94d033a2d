//! The story of one delivery: every attempt, what was said of each address, and the server's name for the letter.

use super::copies;
use super::dossier::notes;
use super::{Facts, Style, minute, moment, name, shown, words};
use crate::domain::attempt::LastWord;
use crate::domain::record::{AttemptRecord, DeliveryRecord, Remark};

/// Every attempt in its order, every line ended.
#[must_use]
pub fn log(
    record: &DeliveryRecord,
    attempts: &[AttemptRecord],
    remarks: &[Remark],
    facts: &Facts,
    style: &Style,
) -> String {
    let state = style.paint(record.state, shown(record.state));
    let title = style.cut(&style.text(name(record)), style.columns().saturating_sub(record.id.as_str().len() + 16));
    let mut text = format!("{} ({}): {state}\n", style.bold(&title), record.id);
    let but = copies::but(record);
    if !but.is_empty() {
        text.push_str(&style.wrapped(but.trim_start_matches(", "), 2));
    }
    for address in &record.addresses {
        let line = format!("{}: {}", style.text(&address.address), shown(address.state));
        text.push_str(&style.hanging(&label(address.field.name()), &line));
    }
    if let Some(message_id) = &record.message_id {
        text.push_str(&style.hanging(&label("Message-ID"), &style.text(message_id)));
    }
    text.push_str(&style.hanging(&label("digest"), &record.digest.to_string()));
    if let Some(due) = record.not_before {
        text.push_str(&style.hanging(&label("waits until"), &minute(due, &facts.zone)));
    }
    for note in notes(remarks, record) {
        text.push_str(&style.hanging(&label("note"), &style.text(&note)));
    }
    for attempt in attempts {
        text.push_str(&one(attempt, facts, style));
    }
    if attempts.is_empty() {
        text.push_str("\nNo attempt was made yet.\n");
    }
    text
}

fn one(attempt: &AttemptRecord, facts: &Facts, style: &Style) -> String {
    let outcome = match attempt.outcome {
        Some(state) => style.paint(state, outcome_words(shown(state))),
        None => "not settled: a run is at it, or was cut off".into(),
    };
    let heading = format!("Attempt {}", attempt.number);
    let mut text = format!("\n{} (run {}): {outcome}\n", style.bold(&heading), attempt.run);
    let time = |at| moment(at, &facts.zone);
    let mut line = |name: &str, what: &str| text.push_str(&style.hanging(&label(name), &style.text(what)));
    line("begun", &time(attempt.claimed_at));
    if let Some(at) = attempt.intent_at {
        line("handed over", &time(at));
    }
    if let Some(at) = attempt.settled_at {
        line("recorded", &time(at));
    }
    if let Some(word) = &attempt.word {
        line("last word", &in_phase(word));
        if let Some(id) = queue_id(&word.text) {
            line("queue id", id);
        }
    }
    for address in &attempt.addresses {
        // What was said of the letter as a whole stands above.
        let own = address.word.as_ref().filter(|word| attempt.word.as_ref().is_none_or(|last| !is_same(last, word)));
        let what = own.map_or_else(String::new, |word| format!(", {}", in_phase(word)));
        let said = format!("{}: {}{what}", address.address, shown(address.state));
        line(address.field.name(), &said);
    }
    text
}

/// The first column: a name of what follows.
fn label(name: &str) -> String {
    format!("  {name:<13}")
}

/// An attempt after which the delivery waits again was given back: it counts for nothing.
fn outcome_words(state: &'static str) -> &'static str {
    if state == "queued" { "given back, provably not delivered" } else { state }
}

/// True if both say the same, whenever they were recorded.
fn is_same(one: &LastWord, other: &LastWord) -> bool {
    (one.phase, one.code, &one.enhanced, &one.text) == (other.phase, other.code, &other.enhanced, &other.text)
}

fn in_phase(word: &LastWord) -> String {
    format!("{} ({}): {}", word.phase.in_words(), word.phase, words(word))
}

/// The name under which a server keeps the letter, where its reply tells one: `queued as X` (Postfix), `id=X` (Exim), `X
/// Message accepted for delivery` (Sendmail, OpenSMTPD).
pub(super) fn queue_id(text: &str) -> Option<&str> {
    let lower = text.to_ascii_lowercase();
    let after = |mark: &str| lower.find(mark).and_then(|at| text[at + mark.len()..].split_whitespace().next());
    let exim = || text.split_whitespace().find_map(|word| word.strip_prefix("id="));
    let sendmail = || {
        let at = lower.find(" message accepted for delivery")?;
        text[..at].split_whitespace().next_back()
    };
    let found = after("queued as ").or_else(exim).or_else(sendmail)?;
    let found = found.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    (!found.is_empty()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_id_is_found_where_common_servers_put_it() {
        assert_eq!(queue_id("Ok: queued as 4XyZ12abc"), Some("4XyZ12abc"));
        assert_eq!(queue_id("OK, Queued As <A1>."), Some("A1"));
        assert_eq!(queue_id("OK id=1mdABC-0001Ab-CD"), Some("1mdABC-0001Ab-CD"));
        assert_eq!(queue_id("4d3e2f1a Message accepted for delivery"), Some("4d3e2f1a"));
        for none in ["Message accepted for delivery", "Ok", "queued as", "queued as ..", ""] {
            assert_eq!(queue_id(none), None, "{none}");
        }
    }
}
