//! Whom it reached: the missions that were meant, by regional group, and who stands beside that count.

use std::fmt::Write as _;

use super::super::dossier::Dossier;
use super::super::tally::{Standing, Tally};
use super::lead;
use super::text::{address, counted, grouped, names, tag};
use crate::domain::coverage::Coverage;
use crate::domain::markup::escape;

/// What “reached” means, where it first stands.
const REACHED: &str = "a mail server took the letter or a person confirms that it arrived: “reached”, for short";

/// The missions by regional group.
pub(super) fn section(dossier: &Dossier) -> String {
    if dossier.records.is_empty() {
        return "<p>No letter was planned or sent yet.</p>\n".to_owned();
    }
    let groups = dossier.groups();
    let all = groups.iter().fold(Tally::default(), |all, (_, group)| all.plus(group));
    let (one, many) = dossier.noun();
    let of = counted(all.total(), one, many);
    let mut html = if dossier.expected.is_empty() {
        format!(
            "<p>For {} of {of} on the campaign’s list {REACHED}.{} The campaign names no set of states that it means to reach: \
             nobody can be missing from its list.</p>\n",
            grouped(all.reached()),
            lead::at_shared(dossier)
        )
    } else {
        format!(
            "<p>For {} of the {of} that the campaign means to reach {REACHED}.{} Each mission counts once here, whatever the number \
             of its letters.</p>\n",
            grouped(all.reached()),
            lead::at_shared(dossier)
        )
    };
    // One group that says the same again is no table.
    if !dossier.expected.is_empty() || groups.len() > 1 {
        html.push_str(&coverage_table(dossier, &groups, &all));
    }
    html.push_str(&beside(dossier));
    html
}

fn coverage_table(dossier: &Dossier, groups: &[(&str, Tally)], all: &Tally) -> String {
    let used: Vec<Standing> = all.each().map(|(standing, _)| standing).collect();
    let row = |head: &str, tally: &Tally| {
        let cell = |standing: &Standing| cell(standing.label(), tally.of(*standing));
        let cells: String = used.iter().map(cell).collect();
        format!("<tr><th scope=\"row\">{head}</th>{cells}{}</tr>\n", cell_of_all(tally.total()))
    };
    let mut html = format!(
        "<table class=\"figures groups\">\n<caption>The {} by regional group</caption>\n<thead><tr>\
         <th scope=\"col\">Regional group</th>",
        counted(all.total(), dossier.noun().0, dossier.noun().1)
    );
    for standing in &used {
        // A head of two short words stays on one line.
        let head = match standing.label() {
            label if label.len() < 10 => tag(*standing).replace(label, &label.replace(' ', "\u{a0}")),
            _ => tag(*standing),
        };
        let _ = write!(html, "<th scope=\"col\" class=\"number\">{head}</th>");
    }
    html.push_str("<th scope=\"col\" class=\"number\">all</th></tr></thead>\n<tbody>\n");
    for (name, tally) in groups {
        html.push_str(&row(&escape(name), tally));
    }
    let _ = writeln!(html, "</tbody>\n<tfoot>{}</tfoot>\n</table>", row("All groups", all).trim_end());
    html
}

/// A count, with the column's name for screens that have no room for columns.
pub(super) fn cell(label: &str, count: usize) -> String {
    if count == 0 {
        "<td class=\"number none\"><span class=\"quiet\">–</span></td>".to_owned()
    } else {
        format!("<td class=\"number\" data-label=\"{label}\">{}</td>", grouped(count))
    }
}

fn cell_of_all(count: usize) -> String {
    format!("<td class=\"number all\" data-label=\"all\">{}</td>", grouped(count))
}

/// What a count of missions leaves out: missing, doubled and foreign ones, by name.
fn beside(dossier: &Dossier) -> String {
    let mut html = String::new();
    let mut say = |what: &str, names_of: &[&str]| {
        if !names_of.is_empty() {
            let _ = writeln!(
                html,
                "<p><strong>{what}</strong> ({}): {}.</p>",
                grouped(names_of.len()),
                names(names_of.iter().copied())
            );
        }
    };
    let missing: Vec<&str> = dossier.facts.missing.iter().map(String::as_str).collect();
    say("No letter planned", &missing);
    let doubled = Coverage::names(&dossier.facts.coverage.doubled);
    say("Several letters to one mission", &doubled.iter().map(String::as_str).collect::<Vec<_>>());
    say("Written to beyond the missions that were meant", &dossier.beyond());
    if let Some(shared) = lead::shared(dossier) {
        let one = |(of, who): &(String, Vec<&str>)| format!("{} ({})", address(of), names(who.iter().copied()));
        let all: Vec<String> = dossier.shared_addresses().iter().map(one).collect();
        let _ = writeln!(html, "<p><strong>{shared}</strong>: {}.</p>", all.join(", "));
    }
    html
}
