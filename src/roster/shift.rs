//! Has a column slipped by a row? What the address, the id and the display name of a row say of its state, against the state
//! that stands there.
//!
//! One row that disagrees is told by itself. Rows in a run whose addresses are each those of the row above or below are one
//! slip, and are told once.

use std::collections::HashMap;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::Recipient;
use crate::domain::state::{self, Resolution, State, StateCode};

use super::aliases::Column;
use super::cells::Cells;
use super::findings::{Findings, listed};

/// Country-code domains that everybody uses: they say nothing about a state.
const EVERYBODYS: [&str; 24] = [
    "ag", "am", "bz", "cc", "cf", "co", "fm", "ga", "gd", "gq", "la", "lc", "li", "ly", "md", "me", "ml", "ms", "sc",
    "st", "to", "tv", "vc", "ws",
];
/// So many rows in a run make a slip: two may be neighbours that share an office.
const RUN: usize = 3;
/// A slip by more rows than this is no slip.
const FARTHEST: usize = 3;

/// So many rows are searched for slips: a longer list is no list of missions.
const MOST_ROWS: usize = 20_000;

/// What rows before have shown.
#[derive(Default)]
pub(super) struct Shifts {
    seen: Vec<Seen>,
    /// By line: what is wrong with one row, unless it is part of a slip.
    single: HashMap<usize, Vec<Diagnostic>>,
}

/// A row with a state: its line, and the states that its addresses hint at.
struct Seen {
    line: usize,
    state: StateCode,
    hints: Vec<StateCode>,
}

impl Shifts {
    /// Compares the state of a row with what the row says of it elsewhere.
    pub(super) fn row(&mut self, cells: &Cells<'_>, recipient: &Recipient, state: &State) {
        let help = "has a column slipped by a row?";
        let mut found = Vec::new();
        let mut tell = |message: String, column| {
            found.push(cells.at(Diagnostic::warning("row-shift", message), column).help(help));
        };
        let own = state.name("en");
        if let Some(other) = state::by_iso3(recipient.id.as_str()).filter(|other| other.code != state.code) {
            tell(format!("the row is for {own}, its id is that of {}", other.name("en")), Column::Id);
        }
        let countries = recipient.to.iter().filter_map(|mailbox| Some((mailbox, country(mailbox)?)));
        if let Some((mailbox, other)) = countries.into_iter().find(|(_, other)| other.code != state.code) {
            let message =
                format!("the row is for {own}, the domain \"{}\" is of {}", mailbox.domain(), other.name("en"));
            tell(message, Column::To);
        }
        let names = recipient.to.iter().filter_map(Mailbox::display_name).map(|name| (name, Column::To));
        let names = names.chain(recipient.name.as_deref().map(|name| (name, Column::Name)));
        for (name, column) in names {
            if let Some(other) = mission_in(name).filter(|other| other.code != state.code) {
                tell(format!("the row is for {own}, \"{name}\" is of {}", other.name("en")), column);
            }
        }
        let line = cells.record.line;
        if !found.is_empty() {
            self.single.insert(line, found);
        }
        if self.seen.len() < MOST_ROWS {
            self.seen.push(Seen { line, state: state.code, hints: recipient.to.iter().flat_map(hints).collect() });
        }
    }

    /// Tells the slips, and what is wrong with single rows outside them.
    pub(super) fn finish(mut self, file: &str, findings: &mut Findings) {
        for (offset, slip) in self.slips() {
            let (first, last) = (&self.seen[slip[0]], &self.seen[slip[slip.len() - 1]]);
            let where_to = if offset > 0 { "below" } else { "above" };
            let rows = match offset.unsigned_abs() {
                1 => format!("the row {where_to}"),
                rows => format!("the state {rows} rows {where_to}"),
            };
            let message = format!(
                "lines {} to {}: {} addresses are those of the mission of {rows}, as if the column of addresses had slipped",
                first.line,
                last.line,
                slip.len()
            );
            let sample: Vec<String> = slip
                .iter()
                .take(3)
                .map(|at| {
                    let (own, meant) = (&self.seen[*at], &self.seen[at.saturating_add_signed(offset)]);
                    format!("line {} is for {}, with an address of {}", own.line, name(own.state), name(meant.state))
                })
                .collect();
            let help = format!("{}; was one column sorted without the others?", listed(&sample));
            let place = Place { line: first.line, ..Place::file(file) };
            findings.push(Diagnostic::warning("rows-shifted", message).at(place).help(help));
            for at in slip {
                self.single.remove(&self.seen[at].line);
            }
        }
        let mut single: Vec<(usize, Vec<Diagnostic>)> = self.single.drain().collect();
        single.sort_by_key(|(line, _)| *line);
        for diagnostic in single.into_iter().flat_map(|(_, found)| found) {
            findings.push(diagnostic);
        }
    }

    /// Runs of rows whose hints are all of the state so many rows further, and never of their own.
    fn slips(&self) -> Vec<(isize, Vec<usize>)> {
        let mut slips: Vec<(isize, Vec<usize>)> = Vec::new();
        let mut taken = vec![false; self.seen.len()];
        for distance in 1..=FARTHEST {
            for offset in [distance.cast_signed(), -distance.cast_signed()] {
                let mut run: Vec<usize> = Vec::new();
                for at in 0..=self.seen.len() {
                    if at < self.seen.len() && !taken[at] && self.fits(at, offset) {
                        run.push(at);
                        continue;
                    }
                    // A row that hints at nothing does not end a run, nor does it count.
                    if at < self.seen.len() && !run.is_empty() && self.seen[at].hints.is_empty() {
                        continue;
                    }
                    if run.len() >= RUN {
                        for at in &run {
                            taken[*at] = true;
                        }
                        slips.push((offset, std::mem::take(&mut run)));
                    }
                    run.clear();
                }
            }
        }
        slips
    }

    fn fits(&self, at: usize, offset: isize) -> bool {
        let other = at.checked_add_signed(offset).and_then(|other| self.seen.get(other));
        let own = &self.seen[at];
        other.is_some_and(|other| other.state != own.state && own.hints.contains(&other.state))
            && !own.hints.contains(&own.state)
    }
}

fn name(code: StateCode) -> &'static str {
    code.state().name("en")
}

/// The states that an address could be of: its country-code domain, and what its parts spell ("kenya@…", "ken@…"). A hint
/// is no proof, since people are called Jordan: only a run of them is.
fn hints(mailbox: &Mailbox) -> Vec<StateCode> {
    let mut found: Vec<StateCode> = country(mailbox).map(|state| state.code).into_iter().collect();
    let domain = mailbox.outside_reserved().unwrap_or(mailbox.domain());
    // The last label is no word: "com" is not Comoros.
    let labels = domain.rsplit_once('.').map_or("", |(labels, _)| labels);
    let parts = mailbox.local().split(['.', '-', '_', '+']).chain(labels.split(['.', '-']));
    let whole = [mailbox.local()];
    for part in parts.chain(whole).filter(|part| part.len() > 2) {
        found.extend(state::lookup(part).map(|state| state.code));
    }
    found
}

/// The state whose mission a display name says it is; a name that only might be a person's ("Jordan") says nothing.
fn mission_in(name: &str) -> Option<&'static State> {
    let folded = state::fold(name);
    let says_mission =
        ["mission", "mision", "embassy", "ambassade", "embajada"].iter().any(|word| folded.contains(word));
    if !says_mission {
        return None;
    }
    match state::resolve(name) {
        Resolution::Found(state) => Some(state),
        _ => None,
    }
}

/// The state whose country-code domain an address is in. In trials the reserved names stand for the root.
fn country(mailbox: &Mailbox) -> Option<&'static State> {
    let domain = mailbox.outside_reserved().unwrap_or(mailbox.domain());
    let last = domain.rsplit('.').next().filter(|last| last.len() == 2 && !EVERYBODYS.contains(last))?;
    let code = if last == "uk" { "gb" } else { last };
    state::all().iter().find(|state| state.iso2.eq_ignore_ascii_case(code))
}
