//! The recipients file → rows, with every problem at its place.

mod cells;
mod columns;
mod coverage;
mod cross;
mod decode;
mod findings;
mod row;
mod scan;
mod shift;
mod suppressed;
mod table;
mod words;

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::audience::Audience;
use crate::domain::language::Language;
use crate::domain::recipient::Recipient;

use cells::{Cells, check_characters};
use columns::{Column, Columns};
use cross::Cross;
use findings::Findings;
use row::RowReader;
use table::{Record, Table};

pub use crate::domain::coverage::Coverage;
pub use suppressed::read_suppressed;

/// How to read the file.
#[derive(Debug, Clone)]
pub struct Options {
    /// The file's name as messages show it.
    pub file: String,
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
    let mut found = Vec::new();
    let text = decode::decode(bytes, &options.file, options.encoding.as_deref(), &mut found);
    let mut findings = Findings::new();
    findings.extend(found);
    let (rows, coverage, attachments) =
        text.map_or_else(Default::default, |text| read_text(&text, options, &mut findings));
    Roster { rows, diagnostics: findings.finish(&options.file), coverage, attachments }
}

type Read = (Vec<Row>, Coverage, BTreeMap<String, Place>);

fn read_text(text: &str, options: &Options, findings: &mut Findings) -> Read {
    let table = Table::open(&options.file, text, options.delimiter, findings);
    let (mut records, mut record) = (table.records(), Record::default());
    if !records.next(&mut record, findings) {
        let diagnostic = Diagnostic::error("file-empty", format!("{} is empty", options.file));
        let help = "the first line has the headers, such as state,to,language; then one row a mission";
        findings.push(diagnostic.at(Place::file(&options.file)).help(help));
        return Default::default();
    }
    let columns = Columns::read(&table, &record, options, findings);
    check_characters(&Cells { table: &table, columns: &columns, record: &record }, findings);
    let header_line = table.first_line(&record);
    let mut reader = RowReader::new(&table, &columns, options);
    let (mut cross, mut rows, mut any) = (Cross::default(), Vec::new(), false);
    let mut attachments = BTreeMap::new();
    let errors = findings.errors();
    while records.next(&mut record, findings) {
        any = true;
        let parsed = reader.read(&record, findings);
        let cells = Cells { table: &table, columns: &columns, record: &record };
        let sound = cross.row(&cells, &parsed, options, findings);
        let Some(recipient) = parsed.recipient.filter(|_| sound) else { continue };
        for path in &recipient.attachments {
            if !attachments.contains_key(path) {
                attachments.insert(path.clone(), cells.place_of(Column::Attachment, path));
            }
        }
        rows.push(Row { recipient, suppressed: parsed.suppressed });
    }
    if !any {
        // Rows that were left out have been told.
        if findings.errors() == errors {
            let diagnostic =
                Diagnostic::error("file-header-only", format!("{} has a header and no rows", options.file));
            findings.push(diagnostic.at(header_line).help("add one row a mission below the header"));
        }
        return (rows, Coverage::default(), attachments);
    }
    let coverage = coverage::coverage(&cross.states, &rows, options, findings);
    cross.finish(options, findings);
    (rows, coverage, attachments)
}
