//! Every mission by regional group: its addresses with outcome and the server's words, and what people noted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::{Dossier, group_key, group_name};
use super::super::{name, words};
use super::{counted, instant, tag};
use crate::domain::delivery::{Event, State};
use crate::domain::markup::escape;
use crate::domain::record::{AddressRecord, DeliveryRecord, Remark};

/// A table for each group, missions in the order of their names.
pub(super) fn section(dossier: &Dossier) -> String {
    if dossier.records.is_empty() {
        return "<p>No letter was planned or sent yet.</p>\n".to_owned();
    }
    let mut groups: BTreeMap<&str, Vec<&DeliveryRecord>> = BTreeMap::new();
    for record in &dossier.records {
        groups.entry(group_key(record.recipient.state)).or_default().push(record);
    }
    // Groups of states first, then observers, then what is no mission.
    let place = |key: &str| match key {
        "observers" => 1,
        "other" => 2,
        _ => 0,
    };
    let mut groups: Vec<(&str, Vec<&DeliveryRecord>)> = groups.into_iter().collect();
    groups.sort_by_key(|(key, _)| (place(key), group_name(key)));
    let mut html = String::new();
    for (key, mut records) in groups {
        records.sort_by_key(|record| crate::domain::state::fold(name(record)));
        let accepted = records.iter().filter(|record| record.state == State::Accepted).count();
        let _ = writeln!(
            html,
            "<h3>{} <span class=\"quiet\">({accepted} of {})</span></h3>",
            escape(group_name(key)),
            counted(records.len(), "letter accepted", "letters accepted")
        );
        html.push_str(&table(dossier, &records));
    }
    html
}

fn table(dossier: &Dossier, records: &[&DeliveryRecord]) -> String {
    let mut table = String::from(
        "<table class=\"list\">\n<thead><tr><th scope=\"col\">Mission</th><th scope=\"col\">Address</th>\
         <th scope=\"col\">Outcome</th><th scope=\"col\">The server’s words</th><th scope=\"col\">When (UTC)</th></tr></thead>\n",
    );
    for record in records {
        let rows = record.addresses.len().max(1) + usize::from(has_notes(dossier, record));
        let _ = writeln!(table, "<tbody>");
        for (place, address) in record.addresses.iter().enumerate() {
            let head = if place == 0 {
                format!("<th scope=\"rowgroup\" rowspan=\"{rows}\"><bdi>{}</bdi></th>", escape(name(record)))
            } else {
                String::new()
            };
            let _ = writeln!(table, "<tr>{head}{}</tr>", cells(record, address));
        }
        if has_notes(dossier, record) {
            let _ = writeln!(table, "<tr class=\"note\"><td colspan=\"4\">{}</td></tr>", notes(dossier, record));
        }
        let _ = writeln!(table, "</tbody>");
    }
    table.push_str("</table>\n");
    table
}

fn cells(record: &DeliveryRecord, address: &AddressRecord) -> String {
    let field = match address.field.name() {
        "to" => String::new(),
        other => format!(" <span class=\"quiet\">({other})</span>"),
    };
    // What waits has not been answered yet; what is left out never is.
    let told = !matches!(address.state, State::Queued | State::Suppressed);
    let word = address.word.as_ref().or(record.last.as_ref()).filter(|_| told);
    format!(
        "<td data-label=\"Address\"><bdi>{}</bdi>{field}</td><td data-label=\"Outcome\">{}</td>\
         <td data-label=\"The server’s words\" class=\"words\">{}</td><td data-label=\"When (UTC)\" class=\"when\">{}</td>",
        escape(&address.address),
        tag(address.state),
        word.map(|word| escape(&words(word))).unwrap_or_default(),
        word.map(|word| instant(word.at)).unwrap_or_default()
    )
}

fn has_notes(dossier: &Dossier, record: &DeliveryRecord) -> bool {
    record.note.as_deref().is_some_and(|note| !note.is_empty()) || dossier.remarks.contains_key(record.id.as_str())
}

/// What people said, each with who and when; a note that is no remark stands as it is.
fn notes(dossier: &Dossier, record: &DeliveryRecord) -> String {
    let remarks = dossier.remarks.get(record.id.as_str()).map_or(&[][..], Vec::as_slice);
    let mut lines: Vec<String> = remarks.iter().map(remark).collect();
    if let Some(note) = record.note.as_deref().filter(|note| !note.is_empty())
        && !remarks.iter().any(|remark| remark.note == note)
    {
        lines.push(format!("<strong>Note:</strong> <bdi>{}</bdi>", escape(note)));
    }
    lines.join("<br>\n")
}

fn remark(remark: &Remark) -> String {
    let what = match remark.event {
        Event::ResolveSent => "Recorded as arrived",
        Event::ResolveNotSent => "Recorded as not arrived",
        Event::Suppress => "Left out from then on",
        _ => "Note",
    };
    let by = remark.by.as_deref().map_or_else(String::new, |by| format!(" by <bdi>{}</bdi>", escape(by)));
    format!("<strong>{what}</strong>{by}, {} UTC: <bdi>{}</bdi>", instant(remark.at), escape(&remark.note))
}
