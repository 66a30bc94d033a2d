//! A sheet of a workbook as a table: rows of texts, and what a spreadsheet keeps behind them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;

use crate::diagnostic::{Place, SheetCell};
use crate::domain::mailbox::trim_blank;

use super::findings::Findings;
use super::table::Record;
use super::text::within_limits;

/// What stands between the cells of a row in an excerpt.
const BETWEEN: &str = " | ";

/// A longer row is not kept as an excerpt, in bytes.
const EXCERPT_MAX: usize = 8 << 10;

/// What a cell holds beside its text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Behind {
    /// Where a click on it leads: `mailto:ken@missions.example`.
    pub(super) link: Option<String>,
    /// Why its text is not to be trusted.
    pub(super) fault: Option<Fault>,
}

/// Why the text of a cell is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// The value is an error: `#N/A`.
    Error(String),
    /// A formula whose result was not saved with it.
    Uncomputed(String),
}

/// One sheet, laid out: only columns in which there is anything, only rows in which there is anything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sheet {
    /// Its name in the workbook.
    pub(super) name: String,
    /// The number in the sheet of each column, from 0.
    pub(super) columns: Vec<u32>,
    pub(super) rows: Vec<SheetRow>,
}

/// One row of a sheet: a cell for each column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SheetRow {
    /// From 1, as spreadsheet programs count.
    pub(super) number: usize,
    pub(super) cells: Vec<String>,
    pub(super) behind: BTreeMap<usize, Behind>,
    /// One text over several columns, and nothing else.
    pub(super) is_title: bool,
}

/// A sheet and the file it is in.
pub(super) struct SheetTable<'a> {
    pub(super) file: &'a str,
    pub(super) sheet: &'a Sheet,
}

impl SheetTable<'_> {
    pub(super) fn records(&self) -> SheetRecords<'_> {
        SheetRecords { table: self, at: 0 }
    }

    /// Where a range of a cell's text stands: the cell, and the range in an excerpt of the row.
    pub(super) fn place(&self, record: &Record, cell: usize, range: Range<usize>) -> Place {
        let column = cell.min(self.sheet.columns.len().saturating_sub(1));
        let text = record.cells.get(column).unwrap_or_default();
        let (excerpt, starts) = excerpt(record);
        let count = |until: usize| text.char_indices().take_while(|(at, _)| *at < until).count();
        let (from, until) = (count(range.start), count(range.end));
        let name = format!("{}!{}{}", quoted_name(&self.sheet.name), self.column_letters(column), record.line);
        Place {
            column: starts.get(column).copied().unwrap_or(0) + from + 1,
            width: until.saturating_sub(from).max(1),
            ..self.placed(record, excerpt, name, column)
        }
    }

    /// A row as a whole.
    pub(super) fn row(&self, record: &Record) -> Place {
        let (first, last) = (self.column_letters(0), self.column_letters(self.sheet.columns.len().saturating_sub(1)));
        let name = format!("{}!{first}{}:{last}{}", quoted_name(&self.sheet.name), record.line, record.line);
        let (excerpt, _) = excerpt(record);
        Place { column: 1, width: excerpt.chars().count().max(1), ..self.placed(record, excerpt, name, 0) }
    }

    fn placed(&self, record: &Record, excerpt: String, name: String, column: usize) -> Place {
        let number = self.sheet.columns.get(column).map_or(0, |number| *number as usize + 1);
        Place { line: record.line, excerpt, cell: Some(SheetCell { name, column: number }), ..Place::file(self.file) }
    }

    /// `A` to `XFD`.
    pub(super) fn column_letters(&self, column: usize) -> String {
        letters(self.sheet.columns.get(column).copied().unwrap_or(0))
    }
}

/// The letters of a column that is numbered from 0.
pub(super) fn letters(column: u32) -> String {
    let (mut left, mut letters) = (column + 1, Vec::new());
    while left > 0 {
        let digit = u8::try_from((left - 1) % 26).unwrap_or(0);
        letters.push(char::from(b'A' + digit));
        left = (left - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// A sheet's name as it stands before the `!`: in quotes where it is not one word.
pub(super) fn quoted_name(name: &str) -> String {
    if name.chars().all(|c| c.is_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        format!("'{}'", name.replace('\'', "''"))
    }
}

/// The row in one line, and where in it each cell begins, in characters.
fn excerpt(record: &Record) -> (String, Vec<usize>) {
    let (mut line, mut starts, mut at) = (String::new(), Vec::new(), 0);
    for (index, cell) in record.cells.iter().enumerate() {
        if index > 0 {
            let _ = line.write_str(BETWEEN);
            at += BETWEEN.len();
        }
        starts.push(at);
        line.extend(cell.chars().map(|c| if matches!(c, '\n' | '\r') { '↵' } else { c }));
        at += cell.chars().count();
        if line.len() > EXCERPT_MAX {
            return (String::new(), starts);
        }
    }
    (line, starts)
}

/// The rows of a sheet, one after the other.
pub(super) struct SheetRecords<'t> {
    table: &'t SheetTable<'t>,
    at: usize,
}

impl SheetRecords<'_> {
    pub(super) fn next(&mut self, record: &mut Record, findings: &mut Findings) -> bool {
        while let Some(row) = self.table.sheet.rows.get(self.at) {
            self.at += 1;
            *record = Record {
                cells: row.cells.iter().collect(),
                line: row.number,
                range: 0..0,
                behind: row.behind.clone(),
                is_title: row.is_title,
            };
            let blank = row.behind.is_empty() && row.cells.iter().all(|cell| trim_blank(cell).is_empty());
            if !blank && self.fits(record, findings) {
                return true;
            }
        }
        false
    }

    fn fits(&self, record: &Record, findings: &mut Findings) -> bool {
        let octets = record.cells.iter().map(str::len).sum();
        let cell = |index| self.table.place(record, index, 0..1);
        within_limits(record, octets, cell, || self.table.row(record), findings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostic;

    #[test]
    fn columns_are_called_as_spreadsheet_programs_call_them() {
        let called: Vec<String> = [0, 1, 25, 26, 51, 52, 701, 702, 16_383].into_iter().map(letters).collect();
        assert_eq!(called, ["A", "B", "Z", "AA", "AZ", "BA", "ZZ", "AAA", "XFD"]);
    }

    #[test]
    fn a_cell_is_placed_by_its_name_and_shown_in_its_row() {
        let sheet = Sheet { name: "All missions".into(), columns: vec![0, 2], rows: Vec::new() };
        let table = SheetTable { file: "r.xlsx", sheet: &sheet };
        let record = Record { cells: ["Côte\nd'Ivoire", "a @b"].iter().collect(), line: 17, ..Record::default() };
        let problem = Diagnostic::error("x", "y").at(table.place(&record, 1, 0..4));
        insta::assert_snapshot!(problem.render(false), @r#"
        error[x]: y
          --> r.xlsx:'All missions'!C17
           |
        17 | Côte↵d'Ivoire | a @b
           |                 ^^^^
        "#);
        insta::assert_snapshot!(Diagnostic::error("x", "y").at(table.row(&record)).render(false), @r#"
        error[x]: y
          --> r.xlsx:'All missions'!A17:C17
           |
        17 | Côte↵d'Ivoire | a @b
           | ^^^^^^^^^^^^^^^^^^^^
        "#);
        assert_eq!(problem.to_json()["cell"], "'All missions'!C17");
        assert_eq!((&problem.to_json()["line"], &problem.to_json()["column"]), (&17.into(), &3.into()));
    }
}
