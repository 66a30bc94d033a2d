//! What a person still has to do, the most pressing first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::{Dossier, cause};
use super::super::tally::Standing;
use super::super::{name, words};
use super::lead;
use super::steps;
use super::text::{address, counted, grouped, instant, named, names, prose};
use crate::domain::cause::Cause;
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::record::DeliveryRecord;

/// The most missions that are named in one item; the tables below name all.
const NAMED: usize = 40;

/// What is left to do, the most pressing first.
pub(super) fn section(dossier: &Dossier) -> String {
    let items = [
        uncertain(dossier),
        failed(dossier),
        deferred(dossier),
        waiting(dossier),
        missing(dossier),
        copies(dossier),
        shared(dossier),
    ]
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

/// The letters that stand so; a mission that has its letter is with the copies.
fn of(dossier: &Dossier, standing: Standing) -> Vec<&DeliveryRecord> {
    dossier.records.iter().filter(|record| dossier.standing(record) == standing).collect()
}

fn uncertain(dossier: &Dossier) -> String {
    let records = of(dossier, Standing::Uncertain);
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} may or may not have arrived", counted(records.len(), "letter", "letters"));
    let body = format!(
        "<p>The connection broke after the letter and before the receipt, so that the sender cannot tell whether it arrived. \
         {}{}</p>\n{}",
        if records.len() == 1 { "" } else { "For each: " },
        steps::of(Cause::NoAnswer),
        each(&records)
    );
    item("uncertain", &title, &body)
}

/// Where the advice for each stands.
const SEE: &str = "“<a href=\"#causes\">What was not simply accepted, and why</a>” below says what to do for each";

fn failed(dossier: &Dossier) -> String {
    let records = of(dossier, Standing::Failed);
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} refused by a mail server", counted(records.len(), "letter was", "letters were"));
    item("failed", &title, &format!("<p>{}. {SEE}.</p>\n", some(&records)))
}

/// Missions for which the letter was taken, and whose copies were not all taken.
fn copies(dossier: &Dossier) -> String {
    let records: Vec<_> = dossier.records.iter().filter(|record| record.lacks_only_copies()).collect();
    if records.is_empty() {
        return String::new();
    }
    let one = |record: &&DeliveryRecord| {
        let out: Vec<String> = record
            .addresses
            .iter()
            .filter(|address| !matches!(address.state, State::Accepted | State::Suppressed))
            .map(|out| format!("{}: {}", named(out), Standing::of_state(out.state).label()))
            .collect();
        format!("<li><strong><bdi>{}</bdi></strong> — {}</li>\n", escape(name(record)), out.join("; "))
    };
    let list: String = records.iter().take(NAMED).map(one).collect();
    let more = match records.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("<p>And {} more.</p>\n", grouped(more)),
    };
    let (one, many) = dossier.noun();
    let title = format!("For {} the letter was taken, but not every copy", counted(records.len(), one, many));
    item("copies", &title, &format!("<ul>\n{list}</ul>\n{more}<p>{SEE}.</p>\n"))
}

/// Addresses under which several missions are written to.
fn shared(dossier: &Dossier) -> String {
    let Some(title) = lead::shared(dossier) else { return String::new() };
    let shared = dossier.shared_addresses();
    let one = |(of, who): &(String, Vec<&str>)| format!("<li>{} — {}</li>\n", address(of), names(who.iter().copied()));
    let list: String = shared.iter().take(NAMED).map(one).collect();
    let more = match shared.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!("<p>And {} more.</p>\n", grouped(more)),
    };
    let body = format!(
        "<ul>\n{list}</ul>\n{more}<p>Check that this is meant; if not, a letter went to the wrong {}’s address.</p>\n",
        dossier.noun().0
    );
    format!("<li class=\"shared\" id=\"shared\"><h3>{title}</h3>\n{body}</li>\n")
}

fn deferred(dossier: &Dossier) -> String {
    let records = of(dossier, Standing::Deferred);
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} put off by a mail server", counted(records.len(), "letter was", "letters were"));
    let mut by_cause: BTreeMap<Option<Cause>, Vec<&DeliveryRecord>> = BTreeMap::new();
    for record in records {
        let put_off = record.addresses.iter().filter(|address| address.state == State::Deferred);
        by_cause.entry(put_off.filter_map(|address| Some(cause(record, address)?.0)).min()).or_default().push(record);
    }
    let mut body = String::new();
    for (cause, records) in by_cause {
        // A full mailbox is not emptied by the next try.
        let due =
            records.iter().filter_map(|record| record.not_before).min().filter(|_| cause != Some(Cause::FullMailbox));
        let due = due.map_or_else(String::new, |at| steps::from(dossier, at));
        let _ = writeln!(body, "<p>{}. {}{due}</p>", some(&records), steps::of(cause.unwrap_or(Cause::Busy)));
    }
    item("deferred", &title, &body)
}

fn waiting(dossier: &Dossier) -> String {
    let tally = dossier.letters_tally();
    let waiting = tally.of(Standing::Queued) + tally.of(Standing::Sending);
    if waiting == 0 {
        return String::new();
    }
    let title = format!("{} still to be sent", counted(waiting, "letter is", "letters are"));
    item("queued", &title, &format!("<p>{}</p>\n", steps::SEND))
}

fn missing(dossier: &Dossier) -> String {
    let missing = &dossier.facts.missing;
    if missing.is_empty() {
        return String::new();
    }
    let title = format!("{} no letter planned", have(dossier, missing.len()));
    let shown = some_names(&missing.iter().map(String::as_str).collect::<Vec<_>>());
    let body = format!("<p>{shown}. {}</p>\n", steps::ADD);
    item("missing", &title, &body)
}

/// Every one of them with what was said.
fn each(records: &[&DeliveryRecord]) -> String {
    let mut list = String::from("<ul>\n");
    for record in records {
        let concerned: Vec<String> = record
            .addresses
            .iter()
            .filter(|address| address.state == State::Uncertain)
            .map(|concerned| {
                let word = concerned.word.as_ref().or(record.last.as_ref());
                let word = word.map_or_else(String::new, |word| {
                    format!(": {}, {}\u{a0}UTC", prose(&words(word)), instant(word.at))
                });
                format!("{}{word}", address(&concerned.address))
            })
            .collect();
        let _ =
            writeln!(list, "<li><strong><bdi>{}</bdi></strong> — {}</li>", escape(name(record)), concerned.join("; "));
    }
    list.push_str("</ul>\n");
    list
}

fn some(records: &[&DeliveryRecord]) -> String {
    some_names(&records.iter().map(|record| name(record)).collect::<Vec<_>>())
}

/// `1 mission has`, `2 missions have`.
fn have(dossier: &Dossier, count: usize) -> String {
    let (one, many) = dossier.noun();
    if count == 1 { format!("1 {one} has") } else { format!("{} {many} have", grouped(count)) }
}

fn some_names(all: &[&str]) -> String {
    let shown = names(all.iter().take(NAMED).copied());
    match all.len().saturating_sub(NAMED) {
        0 => shown,
        more => format!("{shown} and {} more", grouped(more)),
    }
}
