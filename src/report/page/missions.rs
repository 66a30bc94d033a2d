//! Every mission by regional group: each try and its addresses with outcome and what was said, and what people noted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::super::dossier::{Dossier, group_key, group_name};
use super::super::tally::{Standing, Tally, group_place};
use super::super::{name, words};
use super::figures::{language_name, main_language};
use super::text::{counted, grouped, instant, named, names, noted, prose, tag};
use crate::domain::attempt::LastWord;
use crate::domain::delivery::{Event, State};
use crate::domain::markup::escape;
use crate::domain::record::{AddressRecord, DeliveryRecord, Remark};
use crate::domain::state::fold;

/// An address and the names that share it, by the folded address.
type Shared<'a> = BTreeMap<String, (String, Vec<&'a str>)>;

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
    let language = main_language(dossier).map_or_else(String::new, |tag| {
        let several = dossier.languages.values().any(|one| one.as_str() != tag);
        let but = if several { ", where no other language stands below the name" } else { "" };
        format!("The letters are in {}{but}. ", escape(language_name(tag)))
    });
    let mut html = format!(
        "<p class=\"quiet\">{language}In the servers’ words a number stands first: with a 2 in front the letter was taken, with a 4 it \
         was refused for now, with a 5 for good.</p>\n",
    );
    let shared: Shared<'_> = dossier.shared_by_folded();
    if groups.len() > 1 {
        let link = |(key, _): &(&str, Group<'_>)| {
            format!("<li><a href=\"#group-{}\">{}</a></li>\n", escape(key), escape(group_name(key)))
        };
        let links: String = groups.iter().map(link).collect();
        let _ = writeln!(html, "<nav aria-label=\"Regional groups\">\n<ul>\n{links}</ul>\n</nav>");
    }
    let is_one_list = groups.iter().all(|(key, _)| *key == "other");
    for (key, group) in groups {
        let title = if is_one_list { "All recipients" } else { group_name(key) };
        let _ = writeln!(
            html,
            "<h3 id=\"group-{}\">{} <span class=\"quiet\">({})</span></h3>",
            escape(key),
            escape(title),
            group.in_short(dossier)
        );
        html.push_str(&table(dossier, &group, &shared));
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
    /// How many were reached, of how many, and how the others stand.
    fn in_short(&self, dossier: &Dossier) -> String {
        let listed = self.records.iter().map(|record| dossier.standing(record));
        let tally: Tally = listed.chain(self.missing.iter().map(|_| Standing::NotPlanned)).collect();
        let mut states: Vec<_> = self.records.iter().filter_map(|record| record.recipient.state).collect();
        states.sort_unstable();
        // Where a mission gets several letters, it is letters that are counted.
        let is_doubled = states.windows(2).any(|pair| pair[0] == pair[1]);
        let (one, many) = if is_doubled { ("letter", "letters") } else { dossier.noun() };
        let total = counted(tally.total(), one, many);
        let verb = if is_doubled { "taken or confirmed" } else { "reached" };
        let mut text = format!("<span class=\"whole\">{} of {total}</span> {verb}", grouped(tally.reached()));
        let rest = tally.each().filter(|(standing, _)| *standing != Standing::Accepted);
        for (place, (standing, count)) in rest.enumerate() {
            let sign = if place == 0 { ";" } else { "," };
            let _ = write!(text, "{sign} <span class=\"whole\">{} {}</span>", grouped(count), standing.label());
        }
        text
    }
}

fn table(dossier: &Dossier, group: &Group<'_>, shared: &Shared<'_>) -> String {
    let mut table = format!(
        "<table class=\"list\">\n<thead><tr><th scope=\"col\">{}</th><th scope=\"col\">Address</th>\
         <th scope=\"col\">Outcome</th><th scope=\"col\">What was said</th><th scope=\"col\">When (UTC)</th></tr></thead>\n",
        if dossier.noun().0 == "mission" { "Mission" } else { "Recipient" }
    );
    let mut rows: Vec<(String, String)> = Vec::new();
    rows.extend(group.records.iter().map(|record| (fold(name(record)), mission(dossier, record, shared))));
    rows.extend(group.missing.iter().map(|missing| (fold(missing), without_letter(missing))));
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (_, row) in rows {
        table.push_str(&row);
    }
    table.push_str("</table>\n");
    table
}

fn without_letter(missing: &str) -> String {
    format!(
        "<tbody><tr><th scope=\"rowgroup\"><bdi>{}</bdi></th><td data-label=\"Address\" class=\"quiet\">none</td>\
         <td data-label=\"Outcome\"><span class=\"tag\">no letter planned</span></td><td></td><td></td></tr></tbody>\n",
        escape(missing)
    )
}

/// The rows of one mission: what was tried before in the order of time, how each address stands, and what people noted.
fn mission(dossier: &Dossier, record: &DeliveryRecord, shared: &Shared<'_>) -> String {
    let mut rows = earlier(dossier, record);
    let is_tried_again = !rows.is_empty();
    rows.extend(record.addresses.iter().map(|address| cells(dossier, record, address, shared)));
    let notes = notes(dossier, record);
    if !notes.is_empty() {
        rows.push(format!("<td colspan=\"4\">{notes}</td>"));
    }
    let last = rows.len().max(1) - 1;
    let mut html = String::from("<tbody>\n");
    for (place, row) in rows.iter().enumerate() {
        let class = if place == last && !notes.is_empty() { " class=\"note\"" } else { "" };
        let head = if place == 0 { head(dossier, record, rows.len(), is_tried_again) } else { String::new() };
        let _ = writeln!(html, "<tr{class}>{head}{row}</tr>");
    }
    html.push_str("</tbody>\n");
    html
}

/// The name; below it the language, where it is not that of most letters, and what became of the whole where the rows beside it say
/// several things.
fn head(dossier: &Dossier, record: &DeliveryRecord, rows: usize, is_tried_again: bool) -> String {
    let language = dossier.languages.get(record.id.as_str()).filter(|one| Some(one.as_str()) != main_language(dossier));
    let language = language.map_or_else(String::new, |language| {
        format!("<span class=\"language quiet\">{}</span>", escape(language_name(language.as_str())))
    });
    let says_several = is_tried_again || record.lacks_only_copies();
    let whole = if says_several { format!("<br>{}", tag(dossier.standing(record))) } else { String::new() };
    format!("<th scope=\"rowgroup\" rowspan=\"{rows}\"><bdi>{}</bdi>{whole}{language}</th>", escape(name(record)))
}

/// What each try came to that is not the last word on an address.
fn earlier(dossier: &Dossier, record: &DeliveryRecord) -> Vec<String> {
    let is_last = |address: &AddressRecord, word: &LastWord| {
        record.addresses.iter().any(|now| {
            let last = now.word.as_ref().or(record.last.as_ref());
            now.address == address.address
                && last.is_some_and(|last| last.at == word.at)
                && dossier.on_a_persons_word(record, now).is_none()
        })
    };
    let mut rows = Vec::new();
    for attempt in dossier.tries(record) {
        for address in &attempt.addresses {
            let Some(word) = address.word.as_ref().or(attempt.word.as_ref()) else { continue };
            if address.state != State::Queued && !is_last(address, word) {
                rows.push(row(
                    address,
                    "",
                    &tag(Standing::of_state(address.state)),
                    &prose(&words(word)),
                    &instant(word.at),
                ));
            }
        }
    }
    rows
}

fn cells(dossier: &Dossier, record: &DeliveryRecord, address: &AddressRecord, shared: &Shared<'_>) -> String {
    // What waits has not been answered yet; what is left out never is.
    let told = !matches!(address.state, State::Queued | State::Suppressed);
    let word = address.word.as_ref().or(record.last.as_ref()).filter(|_| told);
    let (said, when) = match dossier.on_a_persons_word(record, address) {
        // What the server said before was not the answer.
        Some(remark) => (confirmed(remark), instant(remark.at)),
        None => (
            word.map(|word| prose(&words(word))).unwrap_or_default(),
            word.map(|word| instant(word.at)).unwrap_or_default(),
        ),
    };
    let whose = also(shared, record, address);
    row(address, &whose, &tag(dossier.standing_of(record, address)), &said, &when)
}

/// That the address is another mission's, too.
fn also(shared: &Shared<'_>, record: &DeliveryRecord, address: &AddressRecord) -> String {
    let to = record.recipient.to.iter().find(|to| to.address() == address.address);
    let Some((_, who)) = to.and_then(|to| shared.get(&to.folded())) else { return String::new() };
    let mine = name(record);
    if !who.contains(&mine) {
        return String::new();
    }
    let others: Vec<&str> = who.iter().copied().filter(|other| *other != mine).collect();
    let whose = match others.as_slice() {
        [one] => format!("{}’s", names([*one])),
        others => format!("that of {}", names(others.iter().copied())),
    };
    format!("<br><span class=\"quiet\">the address is also {whose}</span>")
}

fn row(address: &AddressRecord, whose: &str, outcome: &str, said: &str, when: &str) -> String {
    format!(
        "<td data-label=\"Address\">{}{whose}</td><td data-label=\"Outcome\">{outcome}</td>\
         <td data-label=\"What was said\" class=\"words\">{said}</td><td data-label=\"When (UTC)\" class=\"when\">{when}</td>",
        named(address),
    )
}

/// `Officer recorded that it arrived: “the registry has it”`.
pub(super) fn confirmed(remark: &Remark) -> String {
    let by = remark.by.as_deref().map_or_else(|| "Somebody".to_owned(), |by| format!("<bdi>{}</bdi>", escape(by)));
    let note = if remark.note.is_empty() { String::new() } else { format!(": “{}”", prose(&remark.note)) };
    format!("{by} recorded that it arrived{note}")
}

/// What people said, each with who and when; a note that is no remark stands as it is. What the rows say already is left out.
fn notes(dossier: &Dossier, record: &DeliveryRecord) -> String {
    let remarks = dossier.remarks_on(record);
    let told: Vec<&Remark> =
        record.addresses.iter().filter_map(|address| dossier.on_a_persons_word(record, address)).collect();
    let mut lines: Vec<String> = remarks.iter().filter(|one| !told.contains(one)).map(remark).collect();
    if let Some(note) = record.note.as_deref().filter(|note| !note.is_empty())
        && !remarks.iter().any(|remark| remark.note == note)
    {
        lines.push(format!("<strong>Note:</strong> {}", noted(note)));
    }
    lines.join("<br>\n")
}

fn remark(remark: &Remark) -> String {
    let by = remark.by.as_deref().map(|by| format!("<bdi>{}</bdi>", escape(by)));
    let by = by.unwrap_or_else(|| "Somebody".to_owned());
    let what = match remark.event {
        Event::ResolveSent => format!("{by} recorded that it arrived"),
        Event::ResolveNotSent => format!("{by} recorded that it had not arrived"),
        Event::SendAgain => format!("{by} had it sent again, although it may have arrived"),
        Event::Suppress if remark.by.is_none() => "Left out from then on".to_owned(),
        Event::Suppress => format!("{by} had it left out from then on"),
        _ => format!("{by} noted"),
    };
    let note = if remark.note.is_empty() { String::new() } else { format!(": {}", prose(&remark.note)) };
    format!("<strong>{what}</strong>, {}\u{a0}UTC{note}", instant(remark.at))
}
