//! The cells of one row → a recipient, or everything that is wrong with it.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::Diagnostic;
use crate::domain::language::Language;
use crate::domain::mailbox::{Mailbox, trim_blank};
use crate::domain::recipient::{Recipient, RecipientId};
use crate::domain::state::{self, Resolution, State, StateCode};

use super::addresses::{mailboxes, no_address, texts};
use super::aliases::Column;
use super::cells::{Cells, check_characters, check_faults, has_all_cells};
use super::columns::Columns;
use super::findings::{Findings, listed};
use super::table::{Record, Table};
use super::{Options, words};

/// So many names of states are remembered between rows.
const REMEMBERED: usize = 4_096;

/// What a row gave, right or wrong.
#[derive(Default)]
pub(super) struct Parsed {
    /// Only if nothing is wrong with the row.
    pub(super) recipient: Option<Recipient>,
    pub(super) id: Option<RecipientId>,
    pub(super) state: Option<StateCode>,
    /// Why nothing goes to it.
    pub(super) suppressed: Option<String>,
}

/// Reads rows.
pub(super) struct RowReader<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) columns: &'a Columns,
    pub(super) options: &'a Options,
    resolved: HashMap<String, Resolution>,
    suppressed: HashSet<&'a str>,
    /// The lines whose addresses were taken from links.
    pub(super) linked: Vec<usize>,
}

impl<'a> RowReader<'a> {
    pub(super) fn new(table: &'a Table<'a>, columns: &'a Columns, options: &'a Options) -> Self {
        let suppressed = options.suppressed.iter().map(String::as_str).collect();
        Self { table, columns, options, resolved: HashMap::new(), suppressed, linked: Vec::new() }
    }

    /// Reads one row; every problem goes to the findings.
    pub(super) fn read(&mut self, record: &Record, findings: &mut Findings) -> Parsed {
        let before = findings.errors();
        let cells = Cells { table: self.table, columns: self.columns, record };
        if !has_all_cells(&cells, findings) {
            return Parsed { state: self.silent_state(&cells), ..Parsed::default() };
        }
        check_characters(&cells, findings);
        check_faults(&cells, findings);
        let clean = findings.errors() == before;
        let state = self.state(&cells, findings);
        let id = id(&cells, state.ok().flatten(), state.is_err(), findings);
        let [mut to, mut cc, mut bcc] = [Column::To, Column::Cc, Column::Bcc]
            .map(|column| if clean { mailboxes(&cells, column, &mut self.linked, findings) } else { Vec::new() });
        no_address(&cells, findings);
        let suppressed = self.suppress(&cells, [&mut to, &mut cc, &mut bcc], findings);
        let language = self.language(&cells, findings);
        let rank = words::rank(&cells, findings);
        let gender = words::gender(&cells, findings);
        let verified_on = words::date(&cells, self.options.today, findings);
        let name = words::name(&cells, findings);
        let mut parsed = Parsed { recipient: None, id, state: state.ok().flatten(), suppressed };
        if let Some(id) = parsed.id.clone().filter(|_| findings.errors() == before && !to.is_empty()) {
            let attachments = cells.raw(Column::Attachment).split([';', '\n', '\r']).map(trim_blank);
            parsed.recipient = Some(Recipient {
                id,
                state: parsed.state,
                to,
                cc,
                bcc,
                language,
                rank,
                name,
                gender,
                attachments: attachments.filter(|path| !path.is_empty()).map(str::to_owned).collect(),
                verified_on,
                columns: self
                    .columns
                    .keys
                    .iter()
                    .cloned()
                    .zip(record.cells.iter().map(|c| trim_blank(c).to_owned()))
                    .filter(|(key, _)| !key.is_empty())
                    .collect(),
                line: record.line as u64,
            });
        }
        parsed
    }

    /// The row's state: `Ok(None)` if it names none, `Err` if it names none that can be known.
    fn state(&mut self, cells: &Cells<'_>, findings: &mut Findings) -> Result<Option<StateCode>, ()> {
        let code = cells.text(Column::StateCode);
        let name = cells.text(Column::State);
        let column = if code.is_empty() { Column::State } else { Column::StateCode };
        let text = if code.is_empty() { name } else { code };
        if text.is_empty() {
            return Ok(None);
        }
        let (code_word, message, near) = match self.resolve(text) {
            Resolution::Found(state) => {
                if column == Column::StateCode {
                    self.compare(cells, state, name, findings);
                }
                return Ok(Some(state.code));
            }
            Resolution::Ambiguous(states) => ("state-ambiguous", format!("\"{text}\" could be several states"), states),
            Resolution::Unknown(states) => {
                ("state-unknown", format!("\"{text}\" is no state that the tables know"), states)
            }
        };
        let names: Vec<String> =
            near.iter().map(|state| format!("\"{}\" ({})", plain_name(state), state.code)).collect();
        let help = match names.as_slice() {
            [] => "write its English name or its ISO code; a row for nobody's mission has an empty state and an id"
                .to_owned(),
            _ => format!("write {}", names.join(" or ")),
        };
        findings.push(cells.at(Diagnostic::error(code_word, message), column).help(help));
        Err(())
    }

    /// The state of a row that is wrong anyway, so that it is not called missing.
    fn silent_state(&mut self, cells: &Cells<'_>) -> Option<StateCode> {
        match self.resolve(cells.text(Column::State)) {
            Resolution::Found(state) => Some(state.code),
            _ => None,
        }
    }

    fn compare(&mut self, cells: &Cells<'_>, state: &State, name: &str, findings: &mut Findings) {
        if let Resolution::Found(other) = self.resolve(name)
            && other.code != state.code
        {
            let message = format!("the code says {}, the name says {}", plain_name(state), plain_name(other));
            let help = "has a column slipped by a row? The code is taken";
            findings.push(cells.at(Diagnostic::warning("row-shift", message), Column::State).help(help));
        }
    }

    fn resolve(&mut self, text: &str) -> Resolution {
        if let Some(known) = self.resolved.get(text) {
            return known.clone();
        }
        let resolution = state::resolve(text);
        if self.resolved.len() < REMEMBERED {
            self.resolved.insert(text.to_owned(), resolution.clone());
        }
        resolution
    }

    fn language(&self, cells: &Cells<'_>, findings: &mut Findings) -> Option<Language> {
        let text = cells.text(Column::Language);
        if text.is_empty() {
            return None;
        }
        let tag = words::language_tag(text);
        let known = self.options.languages.iter().find(|language| language.as_str().eq_ignore_ascii_case(&tag));
        // Without any letter at all, that is the problem.
        if known.is_none() && !self.options.languages.is_empty() {
            let all: Vec<&str> = self.options.languages.iter().map(Language::as_str).collect();
            let message = match Language::parse(&tag) {
                Ok(language) => format!("there is no template for the language \"{language}\""),
                Err(error) => error.to_string(),
            };
            let default = &self.options.default_language;
            let help = format!("there are templates for {}; an empty cell means {default}", listed(&all));
            findings.push(cells.at(Diagnostic::error("language-unknown", message), Column::Language).help(help));
        }
        known.cloned()
    }

    /// Takes out the addresses that must not be written to. Without any `to` left the row is suppressed and keeps them.
    fn suppress(&self, cells: &Cells<'_>, lists: [&mut Vec<Mailbox>; 3], findings: &mut Findings) -> Option<String> {
        let suppressed = |mailbox: &Mailbox| {
            self.suppressed.contains(mailbox.folded().as_str())
                || self.suppressed.contains(format!("@{}", mailbox.domain()).as_str())
        };
        if self.suppressed.is_empty() {
            return None;
        }
        let [to, cc, bcc] = lists;
        if !to.is_empty() && to.iter().all(suppressed) {
            let why = format!("{} is in the list of suppressed addresses", listed(&texts(to)));
            let diagnostic = Diagnostic::note("suppressed", format!("nothing is sent to this row: {why}"));
            findings.push(cells.at(diagnostic, Column::To));
            return Some(why);
        }
        for (list, column) in [(to, Column::To), (cc, Column::Cc), (bcc, Column::Bcc)] {
            let out: Vec<Mailbox> = list.iter().filter(|mailbox| suppressed(mailbox)).cloned().collect();
            if !out.is_empty() {
                list.retain(|mailbox| !suppressed(mailbox));
                let message = format!("left out of this letter, since suppressed: {}", listed(&texts(&out)));
                findings.push(cells.at(Diagnostic::note("suppressed", message), column));
            }
        }
        None
    }
}

/// The English name, or for the Congo one that is not ambiguous.
pub(super) fn plain_name(state: &State) -> &str {
    match state::resolve(state.name("en")) {
        Resolution::Found(_) => state.name("en"),
        _ => state.formal("en").trim_start_matches("the "),
    }
}

fn id(
    cells: &Cells<'_>,
    state: Option<StateCode>,
    state_is_wrong: bool,
    findings: &mut Findings,
) -> Option<RecipientId> {
    let text = cells.text(Column::Id);
    if !text.is_empty() {
        return RecipientId::parse(text)
            .map_err(|error| findings.push(cells.at(Diagnostic::error("id-invalid", error.to_string()), Column::Id)))
            .ok();
    }
    if let Some(state) = state {
        return RecipientId::parse(state.as_str()).ok();
    }
    if !state_is_wrong && cells.columns.can_name_rows() {
        let help = "fill in the state, or give the row a name of its own in a column \"id\", such as \"osg\"";
        let column = if cells.columns.get(Column::Id).is_some() { Column::Id } else { Column::State };
        findings.push(
            cells.at(Diagnostic::error("id-missing", "this row has neither a state nor an id"), column).help(help),
        );
    }
    None
}
