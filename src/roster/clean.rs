//! A file as it comes → a recipients file in our own columns: what can be understood is written plainly, what cannot is
//! written as it was, so that `check` points at it.

use crate::diagnostic::Diagnostic;
use crate::domain::mailbox::{Mailbox, trim_blank};
use crate::domain::state::{self, Resolution, StateCode};

use super::addresses::addresses;
use super::aliases::{Column, name_of};
use super::cells::Cells;
use super::columns::Question;
use super::findings::Findings;
use super::row::{Parsed, plain_name};
use super::table::{Table, Unit};
use super::{Options, Source, coverage, walk, words};

/// Our columns, in the order in which they are written.
const OURS: [Column; 11] = [
    Column::State,
    Column::To,
    Column::Cc,
    Column::Bcc,
    Column::Language,
    Column::Rank,
    Column::Name,
    Column::Gender,
    Column::Attachment,
    Column::VerifiedOn,
    Column::Id,
];

/// A file that was understood as far as it can be.
#[derive(Debug, Clone, Default)]
pub struct Clean {
    /// The recipients file; empty unless `writable`.
    pub csv: String,
    /// The sheet that it was read from, if it was a workbook.
    pub sheet: Option<String>,
    /// What each header was taken for, in the order of the file.
    pub mapping: Vec<Mapped>,
    /// What has to be asked before anything can be written.
    pub questions: Vec<Question>,
    /// Everything that was found, at its place in the file as it came.
    pub diagnostics: Vec<Diagnostic>,
    /// The cells that are written otherwise than they were, in the order of the file.
    pub changes: Vec<Change>,
    /// For each line of `csv`, from the second on, where it was in the file as it came: `row 17`. Rows of several lines
    /// have an entry for each.
    pub origins: Vec<String>,
    /// The states of the audience that have no row.
    pub missing: Vec<StateCode>,
    /// How many rows are written.
    pub rows: usize,
    /// False if something is wrong that is not of single rows, so that rows would be lost.
    pub writable: bool,
}

/// What a header was taken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// As it stands in the file.
    pub header: String,
    /// Our name of it; for columns of the file's own the name that templates see: `row.<name>`.
    pub name: String,
    /// True if it is one of ours.
    pub ours: bool,
    /// True if that was not said by anybody, but known from the header in its language.
    pub guessed: bool,
}

/// A cell that is written otherwise than it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it was: `row 17`.
    pub origin: String,
    /// Our name of the column.
    pub column: &'static str,
    /// What stood there, without the blanks around.
    pub before: String,
    /// What is written.
    pub after: String,
}

/// Reads a file and writes its rows plainly.
#[must_use]
pub fn clean(bytes: &[u8], options: &Options) -> Clean {
    let mut findings = Findings::new();
    let mut clean = Clean::default();
    if let Some(source) = Source::open(bytes, options, &mut findings) {
        if let Source::Sheet(sheet) = &source {
            clean.sheet = Some(sheet.name.clone());
        }
        let table = source.table(options, &mut findings);
        read(&table, options, &mut clean, &mut findings);
    }
    clean.diagnostics = findings.finish(&options.file);
    clean
}

fn read(table: &Table<'_>, options: &Options, clean: &mut Clean, findings: &mut Findings) {
    let mut writer = Writer::default();
    let mut rows = Vec::new();
    let walked = walk(table, options, findings, |cells, parsed, _| {
        writer.row(cells, &parsed, options);
        rows.extend(parsed.recipient.map(|recipient| super::Row { recipient, suppressed: None }));
    });
    let Some(walked) = walked else { return };
    for (index, key) in walked.columns.keys.iter().enumerate().filter(|(_, key)| !key.is_empty()) {
        let column = walked.columns.column_at(index);
        let ours = column.filter(|column| OURS.contains(column));
        clean.mapping.push(Mapped {
            header: walked.header.get(index).map(trim_blank).unwrap_or_default().to_owned(),
            name: ours.map_or_else(|| key.clone(), |column| name_of(column).to_owned()),
            ours: ours.is_some(),
            guessed: column.is_some_and(|column| walked.columns.guessed.contains(&column)),
        });
    }
    clean.questions.clone_from(&walked.columns.questions);
    clean.writable = walked.whole && walked.any;
    let coverage = coverage::coverage(&walked.cross.states, &rows, table.unit(), options, findings);
    clean.missing = coverage.missing;
    walked.cross.finish(options, findings);
    if clean.writable {
        clean.csv = writer.finish(clean);
        (clean.changes, clean.origins, clean.rows) = (writer.changes, writer.origins, writer.rows.len());
    }
}

/// Rows on their way into the file.
#[derive(Default)]
struct Writer {
    /// Where in the file as it came each column that is kept beside ours stands.
    kept: Option<Vec<usize>>,
    rows: Vec<Vec<String>>,
    /// Of each row.
    places: Vec<String>,
    changes: Vec<Change>,
    origins: Vec<String>,
}

impl Writer {
    fn row(&mut self, cells: &Cells<'_>, parsed: &Parsed, options: &Options) {
        let unit = if cells.table.unit() == Unit::Row { "row" } else { "line" };
        let origin = format!("{unit} {}", cells.record.line);
        let kept = self.kept.get_or_insert_with(|| kept(cells)).clone();
        self.places.push(origin.clone());
        let width = cells.columns.keys.len();
        if cells.record.cells.len() != width {
            // Which cell belongs where nobody knows: the row stays as it is, and too long or too short.
            let mut raw: Vec<String> = cells.record.cells.iter().map(str::to_owned).collect();
            if raw.len() == OURS.len() + kept.len() {
                raw.push(String::new());
            }
            self.rows.push(raw);
            return;
        }
        let mut row = Vec::with_capacity(OURS.len() + kept.len());
        for column in OURS {
            let before = cells.text(column);
            let after = plain(cells, column, parsed, options).unwrap_or_else(|| before.to_owned());
            if after != before {
                let (column, before) = (name_of(column), before.to_owned());
                self.changes.push(Change { origin: origin.clone(), column, before, after: after.clone() });
            }
            row.push(after);
        }
        row.extend(kept.iter().map(|index| trim_blank(cells.record.cells.get(*index).unwrap_or_default()).to_owned()));
        self.rows.push(row);
    }

    /// The file's text; the origin of each of its lines is found on the way.
    fn finish(&mut self, clean: &Clean) -> String {
        let mut header: Vec<String> = OURS.iter().map(|column| name_of(*column).to_owned()).collect();
        for mapped in clean.mapping.iter().filter(|mapped| !mapped.ours) {
            let mut name = if is_plain(mapped) { mapped.name.clone() } else { mapped.header.clone() };
            while header.iter().any(|known| state::fold(known) == state::fold(&name)) {
                name.push_str("_2");
            }
            header.push(name);
        }
        let mut csv = record(&header);
        for (row, place) in self.rows.iter().zip(&self.places) {
            let text = record(row);
            self.origins.extend(std::iter::repeat_n(place.clone(), text.matches('\n').count()));
            csv.push_str(&text);
        }
        csv
    }
}

/// True if somebody gave the column a name of its own, such as `honorific`.
fn is_plain(mapped: &Mapped) -> bool {
    mapped.name != mapped.header.to_lowercase().split_whitespace().collect::<Vec<_>>().join("_")
}

fn kept(cells: &Cells<'_>) -> Vec<usize> {
    let keys = cells.columns.keys.iter().enumerate().filter(|(_, key)| !key.is_empty());
    let other = |index: &usize| cells.columns.column_at(*index).is_none_or(|column| !OURS.contains(&column));
    keys.map(|(index, _)| index).filter(other).collect()
}

/// A record as CSV with its line end.
fn record(cells: &[String]) -> String {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    // Writing to memory cannot fail, and what is written is UTF-8 because the cells are.
    let _ = writer.write_record(cells);
    writer.into_inner().ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default()
}

/// A cell as we would write it; `None` where it is not understood.
fn plain(cells: &Cells<'_>, column: Column, parsed: &Parsed, options: &Options) -> Option<String> {
    let text = cells.text(column);
    match column {
        Column::State => {
            let state = parsed.state?.state();
            // Where name and code disagree a person has to see both.
            let agrees = text.is_empty() || matches!(state::resolve(text), Resolution::Found(named) if named == state);
            agrees.then(|| plain_name(state).to_owned())
        }
        Column::To | Column::Cc | Column::Bcc => {
            let (text, _) = addresses(cells, column);
            let read: Result<Vec<Mailbox>, _> = Mailbox::pieces(&text).into_iter().map(|piece| piece.outcome).collect();
            let mailboxes = read.ok()?;
            Some(mailboxes.iter().map(Mailbox::to_string).collect::<Vec<_>>().join("; "))
        }
        Column::Language => {
            let tag = words::language_tag(text);
            let known = options.languages.iter().find(|language| language.as_str().eq_ignore_ascii_case(&tag))?;
            Some(known.as_str().to_owned())
        }
        Column::Rank => words::plain_rank(text).map(str::to_owned),
        Column::Gender => words::plain_gender(text).map(str::to_owned),
        Column::Id => parsed.id.as_ref().map(ToString::to_string),
        _ => None,
    }
}
