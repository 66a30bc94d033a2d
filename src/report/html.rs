//! A page to hand on: the counts, every mission with what became of its letter, and the digest.

use std::fmt::Write as _;

use super::table::{meaning, share};
use super::{Facts, counted, doubled_and_foreign, name, shown, time, words};
use crate::domain::attempt::LastWord;
use crate::domain::markup::{document, escape};
use crate::domain::record::{Counts, DeliveryRecord};

/// The whole page. It loads nothing and opens from a disk.
#[must_use]
pub fn html(records: &[DeliveryRecord], counts: &Counts, facts: &Facts) -> String {
    let mut body = format!("<main>\n<h1>{}</h1>\n", escape(&facts.campaign));
    let _ = writeln!(
        body,
        "<p class=\"quiet\">What became of the letters, as of {}.</p>",
        facts.now.strftime("%Y-%m-%d %H:%M:%S UTC")
    );
    body.push_str(&summary(counts));
    if !facts.missing.is_empty() {
        let names = escape(&facts.missing.join(", "));
        let _ = writeln!(body, "<h2>Expected, and not in the batch: {}</h2>\n<p>{names}</p>", facts.missing.len());
    }
    let beside: Vec<String> = doubled_and_foreign(&facts.coverage);
    if !beside.is_empty() {
        let _ = writeln!(body, "<p>{}</p>", escape(&beside.join(" ")));
    }
    body.push_str(&missions(records));
    let _ = writeln!(
        body,
        "<h2>The proof</h2>\n<p>The digest of the letters and addresses that were approved (SHA-256):<br>\
         <span class=\"digest\">{}</span></p>\n</main>",
        facts.digest
    );
    document(&format!("Report: {}", facts.campaign), include_str!("style.css"), &body)
}

fn summary(counts: &Counts) -> String {
    let total = counts.total();
    let mut table = String::from(
        "<table>\n<thead><tr><th scope=\"col\">State</th><th scope=\"col\">Letters</th><th scope=\"col\">Share</th>\
         <th scope=\"col\">What it means</th></tr></thead>\n<tbody>\n",
    );
    for (state, count) in counted(counts).into_iter().filter(|(_, count)| *count > 0) {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\" class=\"{0}\">{0}</th><td class=\"number\">{count}</td><td class=\"number\">{1}</td><td>{2}</td></tr>",
            shown(state),
            escape(&share(count, total)),
            meaning(state)
        );
    }
    let _ = writeln!(table, "<tr><th scope=\"row\">all</th><td class=\"number\">{total}</td><td></td><td></td></tr>");
    table.push_str("</tbody>\n</table>\n");
    table
}

fn missions(records: &[DeliveryRecord]) -> String {
    let mut table = String::from(
        "<h2>The missions</h2>\n<div class=\"scroll\">\n<table>\n<thead><tr><th scope=\"col\">Mission</th>\
         <th scope=\"col\">Outcome</th><th scope=\"col\">Addresses, and what was said</th>\
         <th scope=\"col\">When</th></tr></thead>\n<tbody>\n",
    );
    for record in records {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\" dir=\"auto\">{}</th><td class=\"{1}\">{1}</td><td>{2}</td><td class=\"number\">{3}</td></tr>",
            escape(name(record)),
            shown(record.state),
            addresses(record),
            record.last.as_ref().map(|word| time(word.at)).unwrap_or_default()
        );
    }
    table.push_str("</tbody>\n</table>\n</div>\n");
    table
}

fn addresses(record: &DeliveryRecord) -> String {
    let quoted = |word: &LastWord| format!("<br><span class=\"quiet\">{}</span>", escape(&words(word)));
    let mut lines: Vec<String> = record
        .addresses
        .iter()
        .map(|address| {
            // The outcome of an address is told where it is another than the delivery's.
            let differs = shown(address.state) != shown(record.state);
            let outcome = if differs { format!(", {0}", shown(address.state)) } else { String::new() };
            let word = address.word.as_ref().or(record.last.as_ref()).map(quoted).unwrap_or_default();
            format!("<bdi>{}</bdi>{outcome}{word}", escape(&address.address))
        })
        .collect();
    lines.extend(record.note.as_deref().map(|note| format!("Note: {}", escape(note))));
    lines.join("<br>")
}
