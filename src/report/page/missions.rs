//! Every mission by regional group: its addresses with outcome and the server's words, and what people noted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::{Dossier, group_key, group_name};
use super::super::tally::{Standing, Tally, group_place};
use super::super::{name, words};
use super::text::{counted, grouped, minute, named, prose, tag};
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
    let mut groups: Vec<(&str, Group<'_>)> = groups.into_iter().collect();
    groups.sort_by_key(|(key, _)| group_place(key));
    let mut html = String::from(
        "<p class=\"quiet\">In the servers’ words a number stands first: with a 2 in front the letter was taken, with a 4 it was \
         refused for now, with a 5 for good.</p>\n",
    );
    let is_one_list = groups.iter().all(|(key, _)| *key == "other");
    for (key, mut group) in groups {
        group.records.sort_by_key(|record| crate::domain::state::fold(name(record)));
        let title = if is_one_list { "All recipients" } else { group_name(key) };
        let _ = writeln!(html, "<h3>{} <span class=\"quiet\">({})</span></h3>", escape(title), group.in_short(dossier));
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
    /// How many have the letter, of how many, and how the others stand.
    fn in_short(&self, dossier: &Dossier) -> String {
        let listed = self.records.iter().map(|record| dossier.standing(record));
        let tally: Tally = listed.chain(self.missing.iter().map(|_| Standing::NotPlanned)).collect();
        let mut states: Vec<_> = self.records.iter().filter_map(|record| record.recipient.state).collect();
        states.sort_unstable();
        // Where a mission gets several letters, it is letters that are counted.
        let is_doubled = states.windows(2).any(|pair| pair[0] == pair[1]);
        let (one, many) = if is_doubled { ("letter", "letters") } else { dossier.noun() };
        let total = counted(tally.total(), one, many);
        let mut text = match (tally.reached(), is_doubled) {
            (reached, true) => format!("{} of {total} arrived", grouped(reached)),
            (reached, false) if reached == 1 || tally.total() == 1 => format!("{reached} of {total} has the letter"),
            (reached, false) => format!("{} of {total} have the letter", grouped(reached)),
        };
        let rest = tally.each().filter(|(standing, _)| *standing != Standing::Accepted);
        for (place, (standing, count)) in rest.enumerate() {
            let sign = if place == 0 { ";" } else { "," };
            let _ = write!(text, "{sign} {} {}", grouped(count), standing.label());
        }
        text
    }
}

fn table(dossier: &Dossier, group: &Group<'_>) -> String {
    let mut table = format!(
        "<table class=\"list\">\n<thead><tr><th scope=\"col\">{}</th><th scope=\"col\">Address</th>\
         <th scope=\"col\">Outcome</th><th scope=\"col\">The server’s words</th><th scope=\"col\">When (UTC)</th></tr></thead>\n",
        if dossier.noun().0 == "mission" { "Mission" } else { "Recipient" }
    );
    for record in &group.records {
        let rows = record.addresses.len().max(1) + usize::from(has_notes(dossier, record));
        let _ = writeln!(table, "<tbody>");
        for (place, address) in record.addresses.iter().enumerate() {
            let head = if place == 0 {
                format!(
                    "<th scope=\"rowgroup\" rowspan=\"{rows}\"><bdi>{}</bdi>{}</th>",
                    escape(name(record)),
                    in_spite_of_copies(record)
                )
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

/// What stands below the name of a mission that has its letter though a copy is out: the addresses beside it do not say so.
fn in_spite_of_copies(record: &DeliveryRecord) -> String {
    if record.lacks_only_copies() { format!("<br>{}", tag(Standing::LacksCopies)) } else { String::new() }
}

fn cells(dossier: &Dossier, record: &DeliveryRecord, address: &AddressRecord) -> String {
    // What waits has not been answered yet; what is left out never is.
    let told = !matches!(address.state, State::Queued | State::Suppressed);
    let word = address.word.as_ref().or(record.last.as_ref()).filter(|_| told);
    let (said, when) = match dossier.on_a_persons_word(record, address) {
        // What the server said before was not the answer.
        Some(remark) => (format!("recorded as arrived{}", by(remark)), minute(remark.at)),
        None => (
            word.map(|word| prose(&words(word))).unwrap_or_default(),
            word.map(|word| minute(word.at)).unwrap_or_default(),
        ),
    };
    format!(
        "<td data-label=\"Address\">{}</td><td data-label=\"Outcome\">{}</td>\
         <td data-label=\"The server’s words\" class=\"words\">{said}</td><td data-label=\"When (UTC)\" class=\"when\">{when}</td>",
        named(address),
        tag(dossier.standing_of(record, address)),
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
        lines.push(format!("<strong>Note:</strong> {}", prose(note)));
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
    let note = if remark.note.is_empty() { String::new() } else { format!(": {}", prose(&remark.note)) };
    format!("<strong>{what}</strong>{by}, {}\u{a0}UTC{note}", minute(remark.at))
}
