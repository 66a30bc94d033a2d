//! A table of cells with their places, from whichever file: its records one after the other.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::diagnostic::Place;
use crate::domain::mailbox::trim_blank;

use super::findings::Findings;
use super::sheet::{Behind, SheetRecords, SheetTable};
use super::text::{TextRecords, TextTable};

/// The cells of a text or of a sheet.
pub(super) enum Table<'a> {
    /// Of a CSV file.
    Text(TextTable<'a>),
    /// Of a workbook.
    Sheet(SheetTable<'a>),
}

/// One record and where it stands.
#[derive(Clone, Default)]
pub(super) struct Record {
    pub(super) cells: csv::StringRecord,
    /// Its line, or its row in a sheet, from 1.
    pub(super) line: usize,
    /// In the text; empty in a sheet.
    pub(super) range: Range<usize>,
    /// What lies behind the texts of a sheet's cells, by column.
    pub(super) behind: BTreeMap<usize, Behind>,
    /// In a sheet: one text over several columns, and nothing else.
    pub(super) is_title: bool,
}

impl Table<'_> {
    pub(super) fn records(&self) -> Records<'_> {
        match self {
            Self::Text(table) => Records::Text(table.records()),
            Self::Sheet(table) => Records::Sheet(table.records()),
        }
    }

    /// Where a range of a cell's text stands. A cell beyond the last is the end of the record.
    pub(super) fn place(&self, record: &Record, cell: usize, range: Range<usize>) -> Place {
        match self {
            Self::Text(table) => table.place(record, cell, range),
            Self::Sheet(table) => table.place(record, cell, range),
        }
    }

    /// Where a cell's text stands, without the blanks around it.
    pub(super) fn cell(&self, record: &Record, cell: usize) -> Place {
        let text = record.cells.get(cell).unwrap_or_default();
        let inner = trim_blank(text);
        let start = if inner.is_empty() { 0 } else { text.find(inner).unwrap_or(0) };
        self.place(record, cell, start..start + inner.len())
    }

    /// The record as a whole: its first line, or its row.
    pub(super) fn whole(&self, record: &Record) -> Place {
        match self {
            Self::Text(table) => table.first_line(record),
            Self::Sheet(table) => table.row(record),
        }
    }

    /// The line on which the record ends.
    pub(super) fn last_line(&self, record: &Record) -> usize {
        match self {
            Self::Text(table) => table.last_line(record),
            Self::Sheet(_) => record.line,
        }
    }

    /// What a column is called where it has no header: its number, or its letters in a sheet.
    pub(super) fn column_name(&self, column: usize) -> String {
        match self {
            Self::Text(_) => (column + 1).to_string(),
            Self::Sheet(table) => table.column_letters(column),
        }
    }

    /// What people count records by.
    pub(super) fn unit(&self) -> Unit {
        match self {
            Self::Text(_) => Unit::Line,
            Self::Sheet(_) => Unit::Row,
        }
    }
}

/// What people count records by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Unit {
    /// The lines of a text.
    #[default]
    Line,
    /// The rows of a sheet.
    Row,
}

impl Unit {
    /// `line` or `lines`, `row` or `rows`.
    pub(super) fn word(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Line, 1) => "line",
            (Self::Line, _) => "lines",
            (Self::Row, 1) => "row",
            (Self::Row, _) => "rows",
        }
    }
}

/// The records, one after the other.
pub(super) enum Records<'t> {
    /// Of a CSV file.
    Text(TextRecords<'t>),
    /// Of a workbook.
    Sheet(SheetRecords<'t>),
}

impl Records<'_> {
    /// Reads the next record that has anything in it; false at the end. What cannot be read is a finding and left out.
    pub(super) fn next(&mut self, record: &mut Record, findings: &mut Findings) -> bool {
        match self {
            Self::Text(records) => records.next(record, findings),
            Self::Sheet(records) => records.next(record, findings),
        }
    }
}
