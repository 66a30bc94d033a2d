//! The first screen: the verdict in a sentence, and what a person still has to do.

use std::fmt::Write as _;

use super::super::dossier::{Dossier, waits_for_room};
use super::super::{name, time, words};
use super::{counted, instant, names};
use crate::domain::cause::Cause;
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::record::{AddressRecord, DeliveryRecord};

/// The most missions that are named in one item; the tables below name all.
const NAMED: usize = 40;

/// What became of the whole, in one paragraph.
pub(super) fn verdict(dossier: &Dossier) -> String {
    let counts = &dossier.counts;
    let total = counts.total();
    let due = total - counts.suppressed;
    if total == 0 {
        return "<p class=\"verdict\">No letter was planned or sent yet.</p>\n".to_owned();
    }
    let missions = |count: u64| counted(usize::try_from(count).unwrap_or(usize::MAX), "letter", "letters");
    // A mission that has the letter is counted as such, whatever became of its copies.
    let without = |state: State| {
        let open = dossier.records.iter().filter(|record| record.state == state && !record.has_letter());
        u64::try_from(open.count()).unwrap_or(u64::MAX)
    };
    let (uncertain, failed, deferred) = (without(State::Uncertain), without(State::Failed), without(State::Deferred));
    let reached = dossier.reached();
    let waiting = due.saturating_sub(reached.taken + reached.by_person + uncertain + failed + deferred);
    let rest = [
        (
            reached.by_person,
            if reached.by_person == 1 {
                "was recorded as arrived by a person"
            } else {
                "were recorded as arrived by a person"
            },
        ),
        (uncertain, "may or may not have arrived"),
        (failed, if failed == 1 { "was refused" } else { "were refused" }),
        (deferred, if deferred == 1 { "was put off by a server" } else { "were put off by servers" }),
        (waiting, if waiting == 1 { "is still to go" } else { "are still to go" }),
    ];
    let rest: Vec<String> = rest
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("<strong>{count}</strong> {what}"))
        .collect();
    let rest = if rest.is_empty() { String::new() } else { format!("; {}", rest.join(", ")) };
    let mut beside = match reached.without_copy {
        0 => String::new(),
        1 => " One of those that have it is short of a copy.".to_owned(),
        count => format!(" {count} of those that have it are short of a copy."),
    };
    if counts.suppressed > 0 {
        let count = usize::try_from(counts.suppressed).unwrap_or(0);
        let _ = write!(beside, " {} left out on purpose.", counted(count, "was", "were"));
    }
    let first = if reached.taken < due || due == 0 {
        format!(
            "<strong>{}</strong> of {} {} taken by the mail servers",
            reached.taken,
            missions(due),
            was(reached.taken)
        )
    } else if due == 1 {
        "The <strong>one</strong> letter was taken by the mail server".to_owned()
    } else {
        format!("All <strong>{due}</strong> letters were taken by the mail servers")
    };
    format!("<p class=\"verdict\">{first}{rest}.{beside}</p>\n")
}

fn was(count: u64) -> &'static str {
    if count == 1 { "was" } else { "were" }
}

/// What is left to do, the most pressing first.
pub(super) fn section(dossier: &Dossier) -> String {
    let items =
        [uncertain(dossier), failed(dossier), copies(dossier), deferred(dossier), waiting(dossier), missing(dossier)]
            .concat();
    if items.is_empty() {
        return "<p>Nothing is left to do.</p>\n".to_owned();
    }
    format!("<ul class=\"tasks\">\n{items}</ul>\n")
}

/// One thing to do: its colour, its title and what is said of it.
fn item(class: &str, title: &str, body: &str) -> String {
    format!("<li class=\"{class}\"><h3>{title}</h3>\n{body}</li>\n")
}

fn of(dossier: &Dossier, state: State) -> Vec<&DeliveryRecord> {
    dossier.records.iter().filter(|record| record.state == state).collect()
}

fn uncertain(dossier: &Dossier) -> String {
    let records = of(dossier, State::Uncertain);
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} may or may not have arrived", counted(records.len(), "letter", "letters"));
    let body = format!(
        "<p>The connection broke after the letter and before the receipt; no sender can know. Ask each mission whether it has \
         the letter, then record the answer (<code>demarche resolve</code>). Nothing is sent to them again before that.</p>\n{}",
        each(&records)
    );
    item("uncertain", &title, &body)
}

fn failed(dossier: &Dossier) -> String {
    let records: Vec<_> = of(dossier, State::Failed).into_iter().filter(|record| !record.has_letter()).collect();
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} refused for good", counted(records.len(), "letter was", "letters were"));
    let link = "<a href=\"#causes\">What did not arrive, and why</a> says what to do for each";
    item("failed", &title, &format!("<p>{}. {link}.</p>\n", some(&records)))
}

/// Missions that have the letter, and whose copies were refused.
fn copies(dossier: &Dossier) -> String {
    let records: Vec<_> = of(dossier, State::Failed).into_iter().filter(|record| record.has_letter()).collect();
    if records.is_empty() {
        return String::new();
    }
    let one = |record: &&DeliveryRecord| {
        let refused = record.addresses.iter().filter(|address| address.state == State::Failed);
        let refused: Vec<String> = refused.map(AddressRecord::named).collect();
        let what = if refused.len() == 1 { "a copy was refused" } else { "copies were refused" };
        format!("<li><bdi>{}</bdi> — {what}: <bdi>{}</bdi></li>\n", escape(name(record)), escape(&refused.join(", ")))
    };
    let list: String = records.iter().map(one).collect();
    let title = format!("{} the letter, but not every copy", counted(records.len(), "mission has", "missions have"));
    let link = "<a href=\"#causes\">What did not arrive, and why</a> says what to do for each";
    item("failed", &title, &format!("<ul>\n{list}</ul>\n<p>{link}.</p>\n"))
}

fn deferred(dossier: &Dossier) -> String {
    let records = of(dossier, State::Deferred);
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} put off", counted(records.len(), "letter was", "letters were"));
    // A full mailbox is not emptied by the next try.
    let (full, soon): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| waits_for_room(record));
    let mut body = String::new();
    if !soon.is_empty() {
        let due = soon.iter().filter_map(|record| record.not_before).min();
        let due = due.map_or_else(String::new, |at| format!(", from {} UTC on", instant(at)));
        let _ = writeln!(body, "<p>{}. Send them again (<code>demarche resend</code>){due}.</p>", some(&soon));
    }
    if !full.is_empty() {
        let _ = writeln!(body, "<p>{}. {}</p>", some(&full), escape(Cause::FullMailbox.advice()));
    }
    item("deferred", &title, &body)
}

fn waiting(dossier: &Dossier) -> String {
    let waiting = dossier.counts.queued + dossier.counts.sending;
    if waiting == 0 {
        return String::new();
    }
    let count = usize::try_from(waiting).unwrap_or(usize::MAX);
    let title = format!("{} still to go", counted(count, "letter is", "letters are"));
    item("queued", &title, "<p>Unless it is being sent right now, go on with <code>demarche send</code>.</p>\n")
}

fn missing(dossier: &Dossier) -> String {
    let missing = &dossier.facts.missing;
    if missing.is_empty() {
        return String::new();
    }
    let title = format!("{} no letter planned", counted(missing.len(), "state has", "states have"));
    let body = names(missing.iter().map(String::as_str));
    item("missing", &title, &format!("<p>{body}. Add a row for each to the recipients file, then send.</p>\n"))
}

/// Every one of them with what was said.
fn each(records: &[&DeliveryRecord]) -> String {
    let mut list = String::from("<ul>\n");
    for record in records {
        let concerned: Vec<String> = record
            .addresses
            .iter()
            .filter(|address| address.state == State::Uncertain)
            .map(|address| {
                let word = address.word.as_ref().or(record.last.as_ref());
                let word = word.map_or_else(String::new, |word| {
                    format!(
                        ": {}, {} UTC",
                        escape(&words(word)),
                        escape(&time(word.at).replace('T', " ").replace('Z', ""))
                    )
                });
                format!("<bdi>{}</bdi>{word}", escape(&address.address))
            })
            .collect();
        let _ =
            writeln!(list, "<li><strong><bdi>{}</bdi></strong> — {}</li>", escape(name(record)), concerned.join("; "));
    }
    list.push_str("</ul>\n");
    list
}

fn some(records: &[&DeliveryRecord]) -> String {
    let shown = names(records.iter().take(NAMED).map(|record| name(record)));
    let more = records.len().saturating_sub(NAMED);
    if more > 0 { format!("{shown} and {more} more") } else { shown }
}
