//! What was not simply accepted: every mission concerned, in one table; then by cause: what it means, what to do, and each address with the server's words.

use std::fmt::Write as _;

use super::super::dossier::{Dossier, Miss};
use super::super::{name, words};
use super::text::{counted, grouped, instant, named, prose, tag_of};
use super::{left, steps};
use crate::domain::markup::escape;

/// A table for each cause.
pub(super) fn section(dossier: &Dossier) -> String {
    let causes = dossier.causes();
    let left = left::table(dossier);
    if causes.is_empty() {
        return format!("{left}<p>Nothing was refused, put off or lost.</p>\n");
    }
    let misses: usize = causes.values().map(Vec::len).sum();
    let all = dossier.tried_addresses();
    let mut html = format!(
        "{left}<p>{} of {} that were tried {} refused, put off or left without an answer; each stands below, by cause.</p>\n",
        grouped(misses),
        counted(all, "address", "addresses"),
        if misses == 1 { "was" } else { "were" }
    );
    for (cause, misses) in causes {
        let _ = writeln!(
            html,
            "<div class=\"cause\">\n<h3>{} <span class=\"quiet\">({})</span></h3>\n<p><strong>What to do:</strong> {}</p>",
            escape(cause.meaning()),
            counted(misses.len(), "address", "addresses"),
            steps::of(cause)
        );
        html.push_str(&table(&misses));
        html.push_str("</div>\n");
    }
    html
}

/// That the letter itself was taken, and what goes again then.
fn beside(miss: &Miss<'_>) -> String {
    if !miss.record.has_letter() {
        return String::new();
    }
    let alone = steps::alone(miss.record, miss.address);
    format!("<br><span class=\"quiet\">The letter itself was taken.{alone}</span>")
}

fn table(misses: &[Miss<'_>]) -> String {
    let mut table = String::from(
        "<table class=\"list\">\n<thead><tr><th scope=\"col\">Mission</th><th scope=\"col\">Address</th>\
         <th scope=\"col\">Outcome</th><th scope=\"col\">The server’s words</th><th scope=\"col\">When (UTC)</th></tr></thead>\n<tbody>\n",
    );
    for miss in misses {
        let _ = writeln!(
            table,
            "<tr><th scope=\"row\"><bdi>{}</bdi></th><td data-label=\"Address\">{}{}</td>\
             <td data-label=\"Outcome\">{}</td><td data-label=\"The server’s words\" class=\"words\">{}</td>\
             <td data-label=\"When (UTC)\" class=\"when\">{}</td></tr>",
            escape(name(miss.record)),
            named(miss.address),
            beside(miss),
            tag_of(miss.address.state),
            prose(&words(miss.word)),
            instant(miss.word.at)
        );
    }
    table.push_str("</tbody>\n</table>\n");
    table
}
