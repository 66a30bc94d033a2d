//! What `init --from` says of a list: what was changed, what a person must decide, which states are missing.

use std::path::Path;

use crate::diagnostic::Severity;
use crate::roster::Change;

use super::intake::{Decision, Intake};

/// So much of each list is shown on the screen; all of it stands in the file.
const SHOWN: usize = 8;

/// How the columns of the clean file follow each other.
const ORDER: [&str; 8] = ["state", "to", "cc", "bcc", "language", "rank", "gender", "id"];

/// The page; `None` if there is nothing to say.
pub(super) fn page(intake: &Intake) -> Option<String> {
    if intake.decisions.is_empty() && intake.changes.is_empty() && intake.missing.is_empty() {
        return None;
    }
    let mut page = format!("# recipients.csv, from {}\n", one_line(&intake.source));
    if !intake.decisions.is_empty() {
        page.push_str("\n## To decide\n\n`demarche check` shows what is left of these.\n\n");
        for decision in &intake.decisions {
            page.push_str(&format!("- [ ] {}\n", sentence(decision)));
        }
    }
    if !intake.missing.is_empty() {
        page.push_str(&format!("\n## Member States without a row: {}\n\n", intake.missing.len()));
        for state in &intake.missing {
            page.push_str(&format!("- [ ] {} ({state})\n", state.state().name("en")));
        }
    }
    if !intake.changes.is_empty() {
        page.push_str("\n## Changed\n");
        for (column, changes) in by_column(&intake.changes) {
            page.push_str(&format!("\n### {column}\n\n"));
            for change in changes {
                page.push_str(&format!("- {}: {}\n", change.origin, from_to(change)));
            }
        }
    }
    Some(page)
}

/// The same in short, for the screen.
pub(super) fn summary(intake: &Intake, page: &Path) -> String {
    let mut text = String::new();
    if !intake.changes.is_empty() {
        text.push_str("Changed:\n");
        for (column, changes) in by_column(&intake.changes) {
            let cells = if changes.len() == 1 { "cell" } else { "cells" };
            let example = changes.iter().find(|change| !change.before.is_empty()).or(changes.first());
            let example = example.map_or_else(String::new, |change| format!("{}: {}", change.origin, from_to(change)));
            text.push_str(&format!("  {column:<8} {:>4} {cells:<5}  {}\n", changes.len(), cut(&example)));
        }
    }
    if !intake.missing.is_empty() {
        let names: Vec<&str> = intake.missing.iter().take(SHOWN).map(|state| state.state().name("en")).collect();
        let more = intake.missing.len().saturating_sub(SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        text.push_str(&format!(
            "Without a row: {} of the 193 Member States: {}{more}\n",
            intake.missing.len(),
            names.join(", ")
        ));
    }
    if !intake.decisions.is_empty() {
        let errors = intake.decisions.iter().filter(|decision| decision.severity == Severity::Error).count();
        text.push_str(&format!(
            "To decide: {}, {errors} of them before anything can be sent\n",
            intake.decisions.len()
        ));
        for decision in intake.decisions.iter().take(SHOWN) {
            text.push_str(&format!("  - {}\n", sentence(decision)));
        }
        let more = intake.decisions.len().saturating_sub(SHOWN);
        if more > 0 {
            text.push_str(&format!("  … and {more} more\n"));
        }
    }
    text.push_str(&format!("All of it is in {}.\n\n", page.display()));
    text
}

/// The changes of each column, the columns in the order of the file.
fn by_column(changes: &[Change]) -> Vec<(&'static str, Vec<&Change>)> {
    let mut columns: Vec<(&'static str, Vec<&Change>)> = Vec::new();
    for change in changes {
        match columns.iter_mut().find(|(column, _)| *column == change.column) {
            Some((_, changes)) => changes.push(change),
            None => columns.push((change.column, vec![change])),
        }
    }
    columns.sort_by_key(|(column, _)| ORDER.iter().position(|known| known == column));
    columns
}

fn sentence(decision: &Decision) -> String {
    let place = if decision.place.is_empty() { String::new() } else { format!("{}: ", decision.place) };
    let help = decision.help.as_ref().map_or_else(String::new, |help| format!("; {}", one_line(help)));
    format!("{place}{}{help}", one_line(&decision.message))
}

fn from_to(change: &Change) -> String {
    let before =
        if change.before.is_empty() { "nothing".to_owned() } else { format!("\"{}\"", one_line(&change.before)) };
    let after = if change.after.is_empty() { "nothing".to_owned() } else { format!("\"{}\"", one_line(&change.after)) };
    format!("{before} → {after}")
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], "↵")
}

/// At most what fits beside a count.
fn cut(text: &str) -> String {
    const WIDTH: usize = 100;
    if text.chars().count() <= WIDTH { text.to_owned() } else { text.chars().take(WIDTH - 1).chain(['…']).collect() }
}
