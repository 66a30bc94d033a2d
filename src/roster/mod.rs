//! The recipients file → rows, with every problem at its place.

mod addresses;
mod aliases;
mod cells;
mod clean;
mod columns;
mod coverage;
mod cross;
mod decode;
mod findings;
mod header;
mod row;
mod scan;
mod sheet;
mod shift;
mod suppressed;
mod table;
mod text;
mod words;
mod workbook;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::audience::Audience;
use crate::domain::language::Language;
use crate::domain::mailbox::trim_blank;
use crate::domain::recipient::Recipient;

use aliases::Column;
use cells::{Cells, check_characters};
use columns::Columns;
use cross::Cross;
use findings::{Findings, listed};
use row::{Parsed, RowReader};
use sheet::{Sheet, SheetTable};
use table::{Record, Table};
use text::TextTable;

pub use crate::domain::coverage::Coverage;
pub use clean::{Change, Clean, Mapped, clean};
pub use columns::{Answer, Question};
pub use suppressed::{is_suppressed, read_suppressed};

/// How to read the file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file's name as messages show it.
    pub file: String,
    /// `recipients.sheet` or `--sheet`: which sheet of a workbook is meant, where it is not the only one.
    pub sheet: Option<String>,
    /// What hidden rows of a workbook are.
    pub hidden_rows: HiddenRows,
    /// `recipients.encoding`, where detection is wrong.
    pub encoding: Option<String>,
    /// `recipients.delimiter`, where detection is wrong: an ASCII character.
    pub delimiter: Option<u8>,
    /// `recipients.columns`: our column → header in the file.
    pub columns: BTreeMap<String, String>,
    /// Whom the campaign means to reach.
    pub audience: Audience,
    /// Rows verified longer ago are warned of.
    pub stale_after: Option<Duration>,
    /// The day of the reading.
    pub today: Date,
    /// For rows that name no language.
    pub default_language: Language,
    /// Those with a template.
    pub languages: Vec<Language>,
    /// The folded addresses of `suppressed.csv`.
    pub suppressed: Vec<String>,
    /// False where letters would go out: placeholder addresses are then an error.
    pub placeholders_allowed: bool,
}

/// What to do about rows that are hidden in a workbook, by hand or by a filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum HiddenRows {
    /// An error: somebody has to say whether they are meant.
    #[default]
    Refuse,
    /// They are read like the others, which is said.
    Keep,
    /// They are not read, which is said.
    LeaveOut,
}

/// What the file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Roster {
    /// The rows without errors, in the order of the file.
    pub rows: Vec<Row>,
    /// Everything that was found, in the order of the file; what concerns it as a whole comes first.
    pub diagnostics: Vec<Diagnostic>,
    /// Whether all of the audience are there.
    pub coverage: Coverage,
    /// The attachments that rows name, each with the first place that does.
    pub attachments: BTreeMap<String, Place>,
}

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// To whom.
    pub recipient: Recipient,
    /// Why nothing goes to it, if so.
    pub suppressed: Option<String>,
}

/// Reads the file, whatever it is: all problems are collected, and rows with errors are left out.
#[must_use]
pub fn read(bytes: &[u8], options: &Options) -> Roster {
    let mut findings = Findings::new();
    let read = Source::open(bytes, options, &mut findings).map_or_else(Default::default, |source| {
        let table = source.table(options, &mut findings);
        read_table(&table, options, &mut findings)
    });
    let (rows, coverage, attachments) = read;
    Roster { rows, diagnostics: findings.finish(&options.file), coverage, attachments }
}

/// What a table lies in.
enum Source<'a> {
    Text(Cow<'a, str>),
    Sheet(Sheet),
}

impl<'a> Source<'a> {
    fn open(bytes: &'a [u8], options: &Options, findings: &mut Findings) -> Option<Self> {
        if workbook::is_workbook(bytes) {
            return workbook::open(bytes, options, findings).map(Self::Sheet);
        }
        let mut found = Vec::new();
        let text = decode::decode(bytes, &options.file, options.encoding.as_deref(), &mut found);
        findings.extend(found);
        if let (Some(sheet), true) = (&options.sheet, text.is_some()) {
            let message = format!("{} is no workbook, and has no sheet \"{sheet}\"", options.file);
            let help = "leave out --sheet and recipients.sheet, or name the workbook";
            findings.push(Diagnostic::error("sheet-missing", message).at(Place::file(&options.file)).help(help));
        }
        text.map(Self::Text)
    }

    fn table<'s>(&'s self, options: &'s Options, findings: &mut Findings) -> Table<'s> {
        match self {
            Self::Text(text) => Table::Text(TextTable::open(&options.file, text, options.delimiter, findings)),
            Self::Sheet(sheet) => Table::Sheet(SheetTable { file: &options.file, sheet }),
        }
    }
}

type Read = (Vec<Row>, Coverage, BTreeMap<String, Place>);

fn read_table(table: &Table<'_>, options: &Options, findings: &mut Findings) -> Read {
    let (mut rows, mut attachments) = (Vec::new(), BTreeMap::new());
    let walked = walk(table, options, findings, |cells, parsed, sound| {
        let Some(recipient) = parsed.recipient.filter(|_| sound) else { return };
        for path in &recipient.attachments {
            if !attachments.contains_key(path) {
                attachments.insert(path.clone(), cells.place_of(Column::Attachment, path));
            }
        }
        rows.push(Row { recipient, suppressed: parsed.suppressed });
    });
    let Some(walked) = walked.filter(|walked| walked.any) else { return (rows, Coverage::default(), attachments) };
    let coverage = coverage::coverage(&walked.cross.states, &rows, table.unit(), options, findings);
    walked.cross.finish(options, findings);
    (rows, coverage, attachments)
}

/// A table that was read to its end.
struct Walked {
    header: csv::StringRecord,
    columns: Columns,
    cross: Cross,
    /// False if it has a header only.
    any: bool,
    /// False if something is wrong that is not of single rows, or if rows could not be read.
    whole: bool,
}

/// Reads a table to its end: each row with what it gave and whether it can be used. `None` if there is nothing in it.
fn walk(
    table: &Table<'_>,
    options: &Options,
    findings: &mut Findings,
    mut each: impl FnMut(&Cells<'_>, Parsed, bool),
) -> Option<Walked> {
    let mut records = table.records();
    let Some(mut head) = header::find(table, &mut records, options, findings) else {
        let diagnostic = Diagnostic::error("file-empty", format!("{} is empty", options.file));
        let help = "the first line has the headers, such as state,to,language; then one row a mission";
        findings.push(diagnostic.at(Place::file(&options.file)).help(help));
        return None;
    };
    let columns = Columns::read(table, &head.header, options, findings);
    check_characters(&Cells { table, columns: &columns, record: &head.header }, findings);
    let mut reader = RowReader::new(table, &columns, options);
    let (mut cross, mut any, mut whole) = (Cross::new(table.unit()), false, findings.errors() == 0);
    let (mut nameless, mut titles) = (NamelessColumns::of(&columns), Vec::new());
    let mut record = Record::default();
    let errors = findings.errors();
    loop {
        if let Some(ahead) = head.behind.pop_front() {
            record = ahead;
        } else {
            let before = findings.errors();
            let more = records.next(&mut record, findings);
            whole &= findings.errors() == before;
            if !more {
                break;
            }
        }
        if record.is_title {
            titles.push(record.line);
            continue;
        }
        any = true;
        nameless.see(&record);
        let parsed = reader.read(&record, findings);
        let cells = Cells { table, columns: &columns, record: &record };
        let sound = cross.row(&cells, &parsed, options, findings);
        each(&cells, parsed, sound);
    }
    let linked = std::mem::take(&mut reader.linked);
    whole &= nameless.tell(table, &head.header, findings);
    tell_lines(table, options, &titles, "one text over several columns, taken for a title", "title-rows", findings);
    tell_lines(table, options, &linked, "the address was taken from the link behind the text", "link-used", findings);
    // Rows that were left out have been told.
    if !any && findings.errors() == errors {
        let diagnostic = Diagnostic::error("file-header-only", format!("{} has a header and no rows", options.file));
        findings.push(diagnostic.at(table.whole(&head.header)).help("add one row a mission below the header"));
    }
    Some(Walked { header: head.header.cells, columns, cross, any, whole })
}

fn tell_lines(
    table: &Table<'_>,
    options: &Options,
    lines: &[usize],
    what: &str,
    code: &'static str,
    findings: &mut Findings,
) {
    if !lines.is_empty() {
        let message = format!("{} {}: {what}", table.unit().word(lines.len()), listed(lines));
        findings.push(Diagnostic::note(code, message).at(Place::file(&options.file)));
    }
}

/// Columns without a header, in which there may be something.
struct NamelessColumns(Vec<(usize, bool)>);

impl NamelessColumns {
    fn of(columns: &Columns) -> Self {
        let nameless = columns.keys.iter().enumerate().filter(|(_, key)| key.is_empty());
        Self(nameless.map(|(index, _)| (index, false)).collect())
    }

    fn see(&mut self, record: &Record) {
        for (index, used) in self.0.iter_mut().filter(|(_, used)| !used) {
            *used = record.cells.get(*index).is_some_and(|cell| !trim_blank(cell).is_empty());
        }
    }

    /// Complains of those that are used; true if there are none.
    fn tell(&self, table: &Table<'_>, header: &Record, findings: &mut Findings) -> bool {
        for (index, _) in self.0.iter().filter(|(_, used)| *used) {
            let message = format!("column {} has no header", table.column_name(*index));
            let help = "give it a name, or take the column out";
            findings.push(Diagnostic::error("header-blank", message).at(table.cell(header, *index)).help(help));
        }
        self.0.iter().all(|(_, used)| !used)
    }
}
