//! Did we write to all of them? The states of the audience against those in the file.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::audience::Audience;
use crate::domain::coverage::Coverage;
use crate::domain::state::{State, StateCode};

use super::findings::{Findings, counted, listed};
use super::table::Unit;
use super::{Options, Row};

/// Counts, and warns of what is missing and foreign. Rows that are wrong count as present: they are named by their own
/// problems.
pub(super) fn coverage(
    states: &BTreeMap<StateCode, Vec<usize>>,
    rows: &[Row],
    unit: Unit,
    options: &Options,
    findings: &mut Findings,
) -> Coverage {
    let expected = options.audience.states();
    let doubled = states.iter().filter(|(_, lines)| lines.len() > 1).map(|(code, _)| *code).collect();
    if options.audience == Audience::Any {
        return Coverage { doubled, ..Coverage::default() };
    }
    let missing: Vec<&State> = expected.iter().copied().filter(|state| !states.contains_key(&state.code)).collect();
    let inside = |code: StateCode| expected.iter().any(|state| state.code == code);
    let foreign: Vec<&Row> = rows.iter().filter(|row| row.recipient.state.is_some_and(|code| !inside(code))).collect();
    let audience = &options.audience;
    let whole = || Place::file(&options.file);
    // Without a column of states it is no news: the header's error has said it.
    let without_column = states.is_empty() && findings.errors() > 0;
    if !missing.is_empty() && !without_column {
        let names: Vec<&str> = missing.iter().map(|state| state.name("en")).collect();
        let have = if missing.len() == 1 { "has" } else { "have" };
        let message = format!(
            "{} of the {} states of \"{audience}\" {have} no row: {}",
            missing.len(),
            expected.len(),
            listed(&names)
        );
        let help = "add them, or set recipients.audience to whom the campaign means to reach";
        findings.push(Diagnostic::warning("states-missing", message).at(whole()).help(help));
    }
    if !foreign.is_empty() {
        let named: Vec<String> = foreign
            .iter()
            .map(|row| format!("{} ({} {})", row.recipient.id, unit.word(1), row.recipient.line))
            .collect();
        let rows = counted(foreign.len(), "row is for a state", "rows are for states");
        let message = format!("{rows} outside \"{audience}\": {}", listed(&named));
        let help = "they are written to like the others; take them out if that is not meant";
        findings.push(Diagnostic::warning("states-foreign", message).at(whole()).help(help));
    }
    let foreign = foreign.iter().map(|row| row.recipient.id.clone()).collect();
    // Of a row that is wrong nobody knows yet whether it gets a letter: its own problem is told.
    let (mut silent, mut written) = (BTreeSet::new(), BTreeSet::new());
    for row in rows {
        let of = if row.suppressed.is_some() { &mut silent } else { &mut written };
        of.extend(row.recipient.state);
    }
    let is_written_to = |code: StateCode| written.contains(&code) || !silent.contains(&code);
    Coverage::new(audience, |code| states.contains_key(&code), is_written_to, doubled, foreign)
}
