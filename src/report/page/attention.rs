//! The first screen: the verdict in a sentence, and what a person still has to do.

use std::fmt::Write as _;

use super::super::dossier::{Dossier, waits_for_room};
use super::super::tally::{Standing, Tally};
use super::super::{name, words};
use super::text::{address, counted, grouped, instant, minute, named, names, prose};
use crate::domain::cause::Cause;
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::record::DeliveryRecord;

/// The most missions that are named in one item; the tables below name all.
const NAMED: usize = 40;

/// What became of the whole, in one paragraph whose numbers add up.
pub(super) fn verdict(dossier: &Dossier) -> String {
    let tally = dossier.groups().iter().fold(Tally::default(), |all, (_, group)| all.plus(group));
    if dossier.records.is_empty() {
        return "<p class=\"verdict\">No letter was planned or sent yet.</p>\n".to_owned();
    }
    let (whole, reached) = (tally.total(), tally.reached());
    let (one, many) = dossier.noun();
    let mut text = if reached == whole && whole == 1 {
        format!("<strong>The one {one}</strong> has the letter")
    } else if reached == whole {
        format!("<strong>All {} {many}</strong> have the letter", grouped(whole))
    } else {
        let has = if reached == 1 { "has" } else { "have" };
        format!("<strong>{} of {}</strong> {has} the letter", grouped(reached), counted(whole, one, many))
    };
    text.push_str(if reached > 0 { ", as far as mail servers can tell" } else { "" });
    text.push('.');
    text.push_str(&among(&tally));
    text.push_str(&others(&tally));
    text.push_str(&beyond(dossier));
    format!("<p class=\"verdict\">{text}</p>\n")
}

/// Those that have the letter in another way than by a server's word for every address.
fn among(tally: &Tally) -> String {
    let (copies, word) = (tally.of(Standing::LacksCopies), tally.of(Standing::OnWord));
    let lack = match copies {
        0 => None,
        1 => Some("<strong>1</strong> lacks a copy for a further address".to_owned()),
        copies => Some(format!("<strong>{}</strong> lack a copy for a further address", grouped(copies))),
    };
    let said =
        (word > 0).then(|| format!("for <strong>{}</strong> it is a person, not a server, who says so", grouped(word)));
    match [lack, said].into_iter().flatten().collect::<Vec<_>>().join(", and ") {
        none if none.is_empty() => none,
        some => format!(" Of these, {some}."),
    }
}

/// ` Of the other 9: 2 may or may not have it, …`; nothing if there are no others.
fn others(tally: &Tally) -> String {
    let rest: Vec<(Standing, usize)> = tally.each().filter(|(standing, _)| !standing.has_letter()).collect();
    let count: usize = rest.iter().map(|(_, count)| count).sum();
    if let ([(standing, 1)], true) = (rest.as_slice(), tally.total() > 1) {
        let text = fate(*standing, true, "the other one");
        let (first, after) = text.split_at(1);
        return format!(" {}{after}.", first.to_uppercase());
    }
    let said: Vec<String> = rest
        .into_iter()
        .map(|(standing, count)| fate(standing, count == 1, &format!("<strong>{}</strong>", grouped(count))))
        .collect();
    match count {
        0 => String::new(),
        count if count == tally.total() => format!(" Of these {}: {}.", grouped(count), said.join(", ")),
        count => format!(" Of the other {}: {}.", grouped(count), said.join(", ")),
    }
}

/// What became of those who have no letter; `who` begins with an ASCII letter or a tag.
fn fate(standing: Standing, is_one: bool, who: &str) -> String {
    let (is, was, has) = if is_one { ("is", "was", "has") } else { ("are", "were", "have") };
    match standing {
        Standing::Uncertain => format!("{who} may or may not have it"),
        Standing::Failed => format!("for {who} a mail server refused it"),
        Standing::Deferred => format!("for {who} a mail server asked to try again later"),
        Standing::Sending => format!("to {who} it is on its way, or was cut off there"),
        Standing::Suppressed => format!("{who} {was} left out on purpose"),
        Standing::NotPlanned => format!("{who} {has} no letter planned"),
        _ => format!("{who} {is} still to get it"),
    }
}

/// Who is written to besides.
fn beyond(dossier: &Dossier) -> String {
    let these = grouped(dossier.expected.len());
    match dossier.bridge().beyond {
        0 => String::new(),
        1 => format!(" <strong>1</strong> more letter is for a recipient beyond these {these}."),
        more => format!(" <strong>{}</strong> more letters are for recipients beyond these {these}.", grouped(more)),
    }
}

/// What is left to do, the most pressing first.
pub(super) fn section(dossier: &Dossier) -> String {
    let items =
        [uncertain(dossier), failed(dossier), deferred(dossier), waiting(dossier), missing(dossier), copies(dossier)]
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
        "<p>The connection broke after the letter and before the receipt; no sender can know. Ask each {} whether it has \
         the letter, then have the answer recorded (<code>demarche resolve</code>). Nothing is sent to them again before \
         that.</p>\n{}",
        dossier.noun().0,
        each(&records)
    );
    item("uncertain", &title, &body)
}

/// Where the advice for each stands.
const SEE: &str = "“<a href=\"#causes\">What did not arrive, and why</a>” below says what to do for each";

fn failed(dossier: &Dossier) -> String {
    let records = of(dossier, Standing::Failed);
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} refused by a mail server", counted(records.len(), "letter was", "letters were"));
    item("failed", &title, &format!("<p>{}. {SEE}.</p>\n", some(&records)))
}

/// Missions that have the letter, and whose copies have not all arrived.
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
    let title = format!("{} the letter, but not every copy", have(dossier, records.len()));
    item("copies", &title, &format!("<ul>\n{list}</ul>\n{more}<p>{SEE}.</p>\n"))
}

fn deferred(dossier: &Dossier) -> String {
    let records = of(dossier, Standing::Deferred);
    if records.is_empty() {
        return String::new();
    }
    let title = format!("{} put off by a mail server", counted(records.len(), "letter was", "letters were"));
    // A full mailbox is not emptied by the next try.
    let (full, soon): (Vec<_>, Vec<_>) = records.into_iter().partition(|record| waits_for_room(record));
    let mut body = String::new();
    if !soon.is_empty() {
        let due = soon.iter().filter_map(|record| record.not_before).min();
        let due = due.map_or_else(String::new, |at| format!(", from {}\u{a0}UTC on", minute(at)));
        let _ = writeln!(body, "<p>{}. To be sent again (<code>demarche resend</code>){due}.</p>", some(&soon));
    }
    if !full.is_empty() {
        let _ = writeln!(body, "<p>{}. {}</p>", some(&full), escape(Cause::FullMailbox.advice()));
    }
    item("deferred", &title, &body)
}

fn waiting(dossier: &Dossier) -> String {
    let tally = dossier.letters_tally();
    let waiting = tally.of(Standing::Queued) + tally.of(Standing::Sending);
    if waiting == 0 {
        return String::new();
    }
    let title = format!("{} still to go", counted(waiting, "letter is", "letters are"));
    item("queued", &title, "<p>Unless it is being sent right now, go on with <code>demarche send</code>.</p>\n")
}

fn missing(dossier: &Dossier) -> String {
    let missing = &dossier.facts.missing;
    if missing.is_empty() {
        return String::new();
    }
    let title = format!("{} no letter planned", have(dossier, missing.len()));
    let shown = some_names(&missing.iter().map(String::as_str).collect::<Vec<_>>());
    let body = format!("<p>{shown}. Add a row for each to the list of recipients, then send.</p>\n");
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
