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
    let mut groups: BTreeMap<&str, Group<'_>> = BTreeMap::new();
    for record in &dossier.records {
        groups.entry(group_key(record.recipient.state)).or_default().records.push(record);
    }
    for code in &dossier.facts.coverage.missing {
        groups.entry(group_key(Some(*code))).or_default().missing.push(code.state().name("en"));
    }
    // Groups of states first, then observers, then what is no mission.
    let place = |key: &str| match key {
        "observers" => 1,
        "other" => 2,
        _ => 0,
    };
    let mut groups: Vec<(&str, Group<'_>)> = groups.into_iter().collect();
    groups.sort_by_key(|(key, _)| (place(key), group_name(key)));
    let mut html = String::new();
    for (key, mut group) in groups {
        group.records.sort_by_key(|record| crate::domain::state::fold(name(record)));
        let _ =
            writeln!(html, "<h3>{} <span class=\"quiet\">({})</span></h3>", escape(group_name(key)), group.in_short());
        html.push_str(&table(dossier, &group));
    }
    html
}

/// The missions of a regional group: those with a letter, and the names of those that were expected and have none.
#[derive(Default)]
struct Group<'a> {
    records: Vec<&'a DeliveryRecord>,
    missing: Vec<&'static str>,
}

impl Group<'_> {
    /// How many have the letter, of those that were to get it.
    fn in_short(&self) -> String {
        let have = self.records.iter().filter(|record| record.has_letter()).count();
        let left_out = self.records.iter().filter(|record| record.state == State::Suppressed).count();
        let due = self.records.len() - left_out;
        let mut text = format!("{have} of {} accepted", counted(due, "letter", "letters"));
        if left_out > 0 {
            let _ = write!(text, ", {left_out} left out");
        }
        if !self.missing.is_empty() {
            let _ = write!(text, ", {} without a letter", self.missing.len());
        }
        text
    }
}

fn table(dossier: &Dossier, group: &Group<'_>) -> String {
    let mut table = String::from(
        "<table class=\"list\">\n<thead><tr><th scope=\"col\">Mission</th><th scope=\"col\">Address</th>\
         <th scope=\"col\">Outcome</th><th scope=\"col\">The server’s words</th><th scope=\"col\">When (UTC)</th></tr></thead>\n",
    );
    for record in &group.records {
        let rows = record.addresses.len().max(1) + usize::from(has_notes(dossier, record));
        let _ = writeln!(table, "<tbody>");
        for (place, address) in record.addresses.iter().enumerate() {
            let head = if place == 0 {
                format!("<th scope=\"rowgroup\" rowspan=\"{rows}\"><bdi>{}</bdi></th>", escape(name(record)))
            } else {
                String::new()
            };
            let _ = writeln!(table, "<tr>{head}{}</tr>", cells(dossier, record, address));
        }
        if has_notes(dossier, record) {
            let _ = writeln!(table, "<tr class=\"note\"><td colspan=\"4\">{}</td></tr>", notes(dossier, record));
        }
        let _ = writeln!(table, "</tbody>");
    }
    for missing in &group.missing {
        let _ = writeln!(
            table,
            "<tbody><tr><th scope=\"rowgroup\"><bdi>{}</bdi></th><td data-label=\"Address\" class=\"quiet\">none</td>\
             <td data-label=\"Outcome\"><span class=\"tag\">no letter planned</span></td><td></td><td></td></tr></tbody>",
            escape(missing)
        );
    }
    table.push_str("</table>\n");
    table
}

fn cells(dossier: &Dossier, record: &DeliveryRecord, address: &AddressRecord) -> String {
    let field = match address.field.name() {
        "to" => String::new(),
        other => format!(" <span class=\"quiet\">({other})</span>"),
    };
    // What waits has not been answered yet; what is left out never is.
    let told = !matches!(address.state, State::Queued | State::Suppressed);
    let word = address.word.as_ref().or(record.last.as_ref()).filter(|_| told);
    let (said, when) = match dossier.on_a_persons_word(record, address) {
        // What the server said before was not the answer.
        Some(remark) => {
            (format!("recorded as arrived{} on {}", by(remark), remark.at.strftime("%-d %B %Y")), instant(remark.at))
        }
        None => (
            word.map(|word| escape(&words(word))).unwrap_or_default(),
            word.map(|word| instant(word.at)).unwrap_or_default(),
        ),
    };
    format!(
        "<td data-label=\"Address\"><bdi>{}</bdi>{field}</td><td data-label=\"Outcome\">{}</td>\
         <td data-label=\"The server’s words\" class=\"words\">{said}</td><td data-label=\"When (UTC)\" class=\"when\">{when}</td>",
        escape(&address.address),
        tag(address.state),
    )
}

fn by(remark: &Remark) -> String {
    remark.by.as_deref().map_or_else(String::new, |by| format!(" by <bdi>{}</bdi>", escape(by)))
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
    let by = by(remark);
    format!("<strong>{what}</strong>{by}, {} UTC: <bdi>{}</bdi>", instant(remark.at), escape(&remark.note))
}
