//! What is wrong between rows: the same id, address or state twice; and between the cells of one.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::{AboutRow, Diagnostic, Place};
use crate::domain::audience::Audience;
use crate::domain::mailbox::Mailbox;
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::state::{StateCode, fold};

use super::Options;
use super::aliases::Column;
use super::cells::Cells;
use super::findings::{Findings, counted, listed};
use super::row::Parsed;
use super::shift::Shifts;
use super::table::Unit;

/// What rows before have shown.
#[derive(Default)]
pub(super) struct Cross {
    unit: Unit,
    ids: HashMap<String, usize>,
    addresses: HashMap<String, (usize, RecipientId, Option<StateCode>)>,
    /// Addresses that stand in several rows: all their lines and states, and where the second is.
    shared: BTreeMap<String, Shared>,
    /// Lines of the rows of each state, right or wrong.
    pub(super) states: BTreeMap<StateCode, Vec<usize>>,
    /// Lines and number of placeholder addresses.
    placeholders: (Vec<usize>, usize),
    /// Line, id and day of the rows whose addresses were looked up too long ago.
    stale: Vec<(usize, String, Date)>,
    /// Rows with real addresses of which nobody said when they were verified, and how many others say it.
    unverified: (Vec<(usize, String)>, usize),
    shifts: Shifts,
    /// The Cc and Bcc addresses of rows that are of a state.
    copies: Vec<(String, StateCode, usize, String)>,
    skips: Vec<(usize, String)>,
}

struct Shared {
    /// Line, id and name of each row.
    rows: Vec<(usize, String, String)>,
    states: BTreeSet<StateCode>,
    place: Place,
}

impl Cross {
    /// For rows that are counted by that unit.
    pub(super) fn new(unit: Unit) -> Self {
        Self { unit, ..Self::default() }
    }

    /// Compares a row with itself and with those before. Returns false if the row must be left out.
    pub(super) fn row(
        &mut self,
        cells: &Cells<'_>,
        parsed: &Parsed,
        options: &Options,
        findings: &mut Findings,
    ) -> bool {
        let before = findings.errors();
        let line = cells.record.line;
        let defaulted = cells.text(Column::Id).is_empty();
        let id_again = self.id(cells, parsed, defaulted, findings);
        if let Some(state) = parsed.state {
            let lines = self.states.entry(state).or_default();
            let first = lines.first().copied();
            lines.push(line);
            if let Some(first) = first.filter(|_| !(id_again && defaulted) && options.audience != Audience::Any) {
                let message =
                    format!("{} has two rows: {} {first} and {line}", state.state().name("en"), self.unit.word(2));
                let help = "both are written to; take one out if that is not meant";
                findings.push(cells.at(Diagnostic::warning("state-doubled", message), Column::State).help(help));
            }
        }
        if cells.columns.skips.iter().any(|skip| is_mark(cells.text_at(*skip))) {
            let id = parsed.id.as_ref().map_or_else(String::new, ToString::to_string);
            self.skips.push((line, id));
        }
        if let Some(recipient) = &parsed.recipient {
            self.recipient(cells, recipient, options, findings);
        }
        findings.errors() == before
    }

    fn id(&mut self, cells: &Cells<'_>, parsed: &Parsed, defaulted: bool, findings: &mut Findings) -> bool {
        let Some(id) = &parsed.id else { return false };
        let line = cells.record.line;
        // Ids name files too, and not every file system tells cases apart.
        let key = id.as_str().to_lowercase();
        let Some(first) = self.ids.get(&key) else {
            self.ids.insert(key, line);
            return false;
        };
        let lines = self.unit.word(2);
        let (message, help, column) = match parsed.state {
            Some(state) if defaulted => (
                format!("{} has two rows, {lines} {first} and {line}, both with the id {id}", state.state().name("en")),
                "take one out, or give one a name of its own in a column \"id\"",
                Column::State,
            ),
            _ => (
                format!(
                    "the id \"{id}\" stands {} {lines} {first} and {line}",
                    if self.unit == Unit::Line { "on" } else { "in" }
                ),
                "every row needs an id of its own, upper and lower case aside",
                Column::Id,
            ),
        };
        findings.push(cells.at(Diagnostic::error("id-doubled", message), column).help(help));
        true
    }

    fn recipient(&mut self, cells: &Cells<'_>, recipient: &Recipient, options: &Options, findings: &mut Findings) {
        let line = cells.record.line;
        let mut own: HashSet<String> = HashSet::new();
        let lists = [(&recipient.to, Column::To), (&recipient.cc, Column::Cc), (&recipient.bcc, Column::Bcc)];
        for (mailbox, column) in lists.iter().flat_map(|(list, column)| list.iter().map(|m| (m, *column))) {
            let folded = mailbox.folded();
            if mailbox.is_placeholder() {
                self.placeholders.1 += 1;
                if self.placeholders.0.last() != Some(&line) {
                    self.placeholders.0.push(line);
                }
            }
            if !own.insert(folded.clone()) {
                let message = format!("{} stands twice in this row", mailbox.address());
                let help = "one letter goes to each address: take one out";
                findings.push(cells.at(Diagnostic::error("address-doubled", message), column).help(help));
            } else if column == Column::To {
                self.address(cells, folded, line, recipient);
            } else if let Some(state) = recipient.state {
                self.copies.push((folded, state, line, recipient.id.to_string()));
            }
        }
        if let Some(state) = recipient.state {
            self.shifts.row(cells, recipient, state.state());
        }
        if recipient.verified_on.is_some() {
            self.unverified.1 += 1;
        } else if !recipient.to.iter().all(Mailbox::is_placeholder) {
            self.unverified.0.push((line, recipient.id.to_string()));
        }
        if let (Some(limit), Some(date)) = (options.stale_after, recipient.verified_on)
            && options
                .today
                .since(date)
                .is_ok_and(|age| i64::from(age.get_days()) > (limit.as_secs() / 86_400).cast_signed())
        {
            self.stale.push((line, recipient.id.to_string(), date));
        }
    }

    fn address(&mut self, cells: &Cells<'_>, folded: String, line: usize, recipient: &Recipient) {
        let state = recipient.state;
        let Some((first, first_id, first_state)) = self.addresses.get(&folded) else {
            self.addresses.insert(folded, (line, recipient.id.clone(), state));
            return;
        };
        let place = || cells.at(Diagnostic::warning("", ""), Column::To).place.unwrap_or_else(|| Place::file(""));
        let shared = self.shared.entry(folded).or_insert_with(|| Shared {
            rows: vec![(*first, first_id.to_string(), name_of(first_id, *first_state))],
            states: first_state.iter().copied().collect(),
            place: place(),
        });
        shared.rows.push((line, recipient.id.to_string(), name_of(&recipient.id, state)));
        shared.states.extend(state);
    }

    /// Copies that go to the address of another state's mission.
    fn copies(&self, options: &Options, findings: &mut Findings) {
        for (address, state, line, id) in &self.copies {
            let Some((owner, owner_id, Some(other))) = self.addresses.get(address) else { continue };
            if other == state {
                continue;
            }
            let (own, other) = (state.state().name("en"), other.state().name("en"));
            let message =
                format!("a copy of the letter to {own} goes to {address}, the address of {other} (line {owner})");
            let place = Place { line: *line, ..Place::file(&options.file) };
            let help = "a mission should not read what was written to another: is it in the right row?";
            let sent = format!("a copy of this letter goes to {address}, the address of {other}: {help}");
            let read = format!("the mission reads a copy of the letter to {own} too, which goes to {address}");
            let about =
                [(id.clone(), sent), (owner_id.to_string(), read)].map(|(id, says)| AboutRow { id, says: says.into() });
            findings.push(Diagnostic::warning("copy-to-another-mission", message).at(place).help(help).about(about));
        }
    }

    /// What can be said only when all rows are read.
    pub(super) fn finish(self, options: &Options, findings: &mut Findings) {
        self.copies(options, findings);
        for (address, Shared { rows: shared, states, place }) in self.shared {
            let lines: Vec<usize> = shared.iter().map(|(line, ..)| *line).collect();
            let rows = format!("{address} stands in {} rows: {}", lines.len(), on_lines(self.unit, &lines));
            let (message, help) = if states.len() > 1 {
                let names: Vec<&str> = states.iter().map(|state| state.state().name("en")).collect();
                let help = "it gets the letters to all of them: is it the address of one, copied by mistake?";
                (format!("{rows}, for {}", listed(&names)), help)
            } else {
                (rows, "it gets a letter for each of them")
            };
            let about = shares(&address, &shared);
            findings.push(Diagnostic::warning("address-shared", message).at(place).help(help).about(about));
        }
        let whole = || Place::file(&options.file);
        let (lines, count) = &self.placeholders;
        let addresses = counted(*count, "placeholder address", "placeholder addresses");
        if *count > 0 && options.placeholders_allowed {
            let message = format!(
                "{addresses} (such as ken@missions.example): they can be previewed and rehearsed, and `send` refuses them \
                 unless the relay is on this machine"
            );
            findings.push(Diagnostic::warning("placeholders", message).at(whole()));
        } else if *count > 0 {
            let message = format!("{addresses}, to which no letter can go: {}", on_lines(self.unit, lines));
            let help = "fill in the missions' addresses; to try things out, use `preview` or `rehearse`";
            findings.push(Diagnostic::error("placeholders", message).at(whole()).help(help));
        }
        if let (false, Some(limit)) = (self.stale.is_empty(), options.stale_after) {
            let rows = counted(self.stale.len(), "row was", "rows were");
            let days = limit.as_secs() / 86_400;
            let lines: Vec<usize> = self.stale.iter().map(|(line, ..)| *line).collect();
            let message = format!("{rows} last verified more than {days} days ago: {}", on_lines(self.unit, &lines));
            let help = "look the addresses up again and set verified_on";
            // Of a long list many rows were looked up on one day.
            let mut of_day: HashMap<Date, Arc<str>> = HashMap::new();
            let about = self.stale.into_iter().map(|(_, id, date)| {
                let says = || format!("the address was last verified on {date}, more than {days} days ago").into();
                AboutRow { id, says: Arc::clone(of_day.entry(date).or_insert_with(says)) }
            });
            findings.push(Diagnostic::warning("rows-stale", message).at(whole()).help(help).about(about));
        }
        let (unverified, verified) = self.unverified;
        if !unverified.is_empty() && verified > 0 {
            let rows = counted(unverified.len(), "row does", "rows do");
            let message = format!(
                "{rows} not say when anybody verified the address: {}",
                on_lines(self.unit, &lines_of(&unverified))
            );
            let help = "look the addresses up and set verified_on, as in the other rows";
            let about = each(unverified, "the list does not say when anybody verified this address");
            findings.push(Diagnostic::warning("rows-unverified", message).at(whole()).help(help).about(about));
        }
        if !self.skips.is_empty() {
            let rows = counted(self.skips.len(), "row is", "rows are");
            let message = format!(
                "{rows} marked as not to be written to, which is not obeyed: {}",
                on_lines(self.unit, &lines_of(&self.skips))
            );
            let help = "take the rows out, or put their addresses into suppressed.csv";
            let about = each(self.skips, "the list marks it as not to be written to, which is not obeyed");
            findings.push(Diagnostic::warning("skip-column", message).at(whole()).help(help).about(about));
        }
        self.shifts.finish(&options.file, findings);
    }
}

fn name_of(id: &RecipientId, state: Option<StateCode>) -> String {
    state.map_or_else(|| id.to_string(), |state| state.state().name("en").to_owned())
}

/// What it means for each of the rows that have one address.
fn shares(address: &str, rows: &[(usize, String, String)]) -> Vec<AboutRow> {
    const NAMED: usize = 5;
    let one = |(at, (_, id, _)): (usize, &(usize, String, String))| {
        let others = rows.iter().enumerate().filter(|(other, _)| *other != at).take(NAMED);
        let others: Vec<&str> = others.map(|(_, (.., name))| name.as_str()).collect();
        let more = (rows.len() - 1).saturating_sub(NAMED);
        let named = if more > 0 { format!("{} and {more} more", others.join(", ")) } else { listed(&others) };
        let letters = rows.len();
        let letters =
            if letters == 2 { "two different letters go".to_owned() } else { format!("{letters} letters go") };
        AboutRow {
            id: id.clone(),
            says: format!("this letter goes to {address}, which the list has for {named} too: {letters} to it").into(),
        }
    };
    rows.iter().enumerate().map(one).collect()
}

fn lines_of(rows: &[(usize, String)]) -> Vec<usize> {
    rows.iter().map(|(line, _)| *line).collect()
}

/// The same for each of these rows.
fn each(rows: Vec<(usize, String)>, says: &str) -> impl Iterator<Item = AboutRow> {
    let says: Arc<str> = says.into();
    rows.into_iter().map(move |(_, id)| AboutRow { id, says: Arc::clone(&says) })
}

fn on_lines(unit: Unit, lines: &[usize]) -> String {
    format!("{} {}", unit.word(lines.len()), listed(lines))
}

/// True for anything in a column such as "do not send" but a plain no.
fn is_mark(text: &str) -> bool {
    const NO: [&str; 13] = ["no", "n", "non", "false", "faux", "falso", "0", "none", "нет", "ложь", "否", "不", "لا"];
    let dashes = text.chars().all(|c| matches!(c, '-' | '–' | '—'));
    !dashes && !NO.iter().any(|no| fold(no) == fold(text))
}
