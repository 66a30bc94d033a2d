//! One table of every mission that has no letter, or lacks something: what became of it, why, and what is to be done next.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::{Dossier, cause, notes};
use super::super::name;
use super::super::tally::Standing;
use super::steps;
use super::text::{counted, named, names, noted, plain, tag};
use crate::domain::cause::Cause;
use crate::domain::delivery::State;
use crate::domain::markup::escape;
use crate::domain::record::DeliveryRecord;

/// The order of the table: what needs a person first.
const ORDER: [Standing; 12] = [
    Standing::Uncertain,
    Standing::Failed,
    Standing::Deferred,
    Standing::Sending,
    Standing::Queued,
    Standing::Suppressed,
    Standing::NotPlanned,
    Standing::LacksCopies(State::Uncertain),
    Standing::LacksCopies(State::Failed),
    Standing::LacksCopies(State::Deferred),
    Standing::LacksCopies(State::Queued),
    Standing::OnWord,
];

/// So many of whom the same is to be said have a row each.
const MOST_ALIKE: usize = 12;

/// What a row says behind the name.
struct Row<'a> {
    name: &'a str,
    why: String,
    next: String,
}

/// The table; a sentence if every mission has all of it by a server's word.
pub(super) fn table(dossier: &Dossier) -> String {
    let mut rows: BTreeMap<Standing, Vec<Row<'_>>> = BTreeMap::new();
    for record in &dossier.records {
        let standing = dossier.standing(record);
        if standing != Standing::Accepted {
            rows.entry(standing).or_default().push(row(dossier, record, standing));
        }
    }
    for missing in &dossier.facts.missing {
        let next = steps::ADD.to_owned();
        rows.entry(Standing::NotPlanned).or_default().push(Row {
            name: missing,
            why: "not on the list of recipients".to_owned(),
            next,
        });
    }
    if rows.is_empty() {
        return String::new();
    }
    let mut table = format!(
        "<table class=\"list left\" id=\"without\">\n<caption>Every {} whose outcome is not simply “accepted”</caption>\n<thead><tr>\
         <th scope=\"col\">{}</th><th scope=\"col\">What became of it</th><th scope=\"col\">Why</th>\
         <th scope=\"col\">What is to be done next</th></tr></thead>\n",
        dossier.noun().0,
        if dossier.noun().0 == "mission" { "Mission" } else { "Recipient" }
    );
    for standing in ORDER {
        let Some(mut rows) = rows.remove(&standing) else { continue };
        rows.sort_by_key(|row| crate::domain::state::fold(row.name));
        let _ = writeln!(table, "<tbody id=\"{}\">", standing.anchor());
        if is_all_the_same(&rows) {
            table.push_str(&together(dossier, standing, &rows));
            rows.clear();
        }
        for Row { name, why, next } in rows {
            let _ = writeln!(
                table,
                "<tr><th scope=\"row\"><bdi>{}</bdi></th><td data-label=\"What became of it\">{}</td><td data-label=\"Why\">{why}</td>\
                 <td data-label=\"Next\">{next}</td></tr>",
                escape(name),
                tag(standing)
            );
        }
        table.push_str("</tbody>\n");
    }
    table.push_str("</table>\n");
    table
}

/// True of many of whom the same is to be said.
fn is_all_the_same(rows: &[Row<'_>]) -> bool {
    rows.len() > MOST_ALIKE && rows.iter().all(|row| (&row.why, &row.next) == (&rows[0].why, &rows[0].next))
}

/// One row for all of them, with their names.
fn together(dossier: &Dossier, standing: Standing, rows: &[Row<'_>]) -> String {
    let (one, many) = dossier.noun();
    format!(
        "<tr><th scope=\"row\">{}</th><td data-label=\"What became of it\">{}</td><td data-label=\"Why\">{}: {}</td>\
         <td data-label=\"Next\">{}</td></tr>\n",
        counted(rows.len(), one, many),
        tag(standing),
        rows[0].why,
        names(rows.iter().map(|row| row.name)),
        rows[0].next
    )
}

fn row<'a>(dossier: &'a Dossier, record: &'a DeliveryRecord, standing: Standing) -> Row<'a> {
    let (why, next) = match standing {
        Standing::OnWord => (said(dossier, record), "Nothing".to_owned()),
        Standing::Suppressed => (on_purpose(dossier, record), "Nothing: it is meant so".to_owned()),
        Standing::Queued => ("not tried yet".to_owned(), steps::SEND.to_owned()),
        Standing::Sending => ("begun, and not answered yet".to_owned(), steps::SEND.to_owned()),
        _ => open(dossier, record),
    };
    Row { name: name(record), why, next }
}

/// What a person recorded.
fn said(dossier: &Dossier, record: &DeliveryRecord) -> String {
    let mut remarks = record.addresses.iter().filter_map(|address| dossier.on_a_persons_word(record, address));
    remarks.next().map_or_else(String::new, super::missions::confirmed)
}

fn on_purpose(dossier: &Dossier, record: &DeliveryRecord) -> String {
    let said = notes(dossier.remarks_on(record), record);
    said.first().map_or_else(|| "on the list of those not to be written to".to_owned(), |said| noted(said))
}

/// Why each address is out, and what to do about it.
fn open(dossier: &Dossier, record: &DeliveryRecord) -> (String, String) {
    let out = record.addresses.iter().filter_map(|address| Some((address, cause(record, address)?.0)));
    let (mut why, mut next): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for (address, cause) in out {
        why.push(format!("{}: {}", named(address), why_of(cause)));
        let step = steps::for_address(dossier, record, address, cause);
        if !next.contains(&step) {
            next.push(step);
        }
    }
    // A copy that nobody answered for yet is new on the list.
    if why.is_empty() {
        let waits = record.addresses.iter().filter(|address| address.state != State::Accepted);
        why.extend(waits.map(|address| format!("{}: not tried yet", named(address))));
        next.push(steps::SEND.to_owned());
    }
    (why.join("<br>"), next.join("<br>"))
}

fn why_of(cause: Cause) -> String {
    match cause {
        Cause::AskedToWait => "the server asked to come back later".to_owned(),
        Cause::Busy => "a server on the way was busy, or a connection did not hold".to_owned(),
        Cause::NoAnswer => "no receipt came after the letter".to_owned(),
        _ => plain(cause.in_a_word()),
    }
}
