//! One row's cells by their columns, with their places; what no cell may hold.

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::mailbox::{Mailbox, trim_blank};
use crate::domain::reply::visible;

use super::aliases::Column;
use super::columns::Columns;
use super::findings::Findings;
use super::sheet::Fault;
use super::table::{Record, Table};

/// One row with its places.
pub(super) struct Cells<'a> {
    pub(super) table: &'a Table<'a>,
    pub(super) columns: &'a Columns,
    pub(super) record: &'a Record,
}

impl<'a> Cells<'a> {
    /// The text of a column, without the blanks around it; empty if there is no such column.
    pub(super) fn text(&self, column: Column) -> &'a str {
        trim_blank(self.raw(column))
    }

    /// The same of the column at an index of the file.
    pub(super) fn text_at(&self, index: usize) -> &'a str {
        trim_blank(self.record.cells.get(index).unwrap_or_default())
    }

    pub(super) fn raw(&self, column: Column) -> &'a str {
        self.columns.get(column).and_then(|index| self.record.cells.get(index)).unwrap_or_default()
    }

    /// The addresses behind the column's text, where a click on it would write to them.
    pub(super) fn link(&self, column: Column) -> Option<String> {
        let index = self.columns.get(column)?;
        self.record.behind.get(&index)?.link.as_deref().map(percent_decoded)
    }

    /// True if the cell holds no text that can be trusted.
    pub(super) fn is_faulty(&self, column: Column) -> bool {
        let behind = self.columns.get(column).and_then(|index| self.record.behind.get(&index));
        behind.is_some_and(|behind| behind.fault.is_some())
    }

    /// The problem, placed at the column's cell, or at the row if there is no such column.
    pub(super) fn at(&self, diagnostic: Diagnostic, column: Column) -> Diagnostic {
        let place = self.columns.get(column).map(|index| self.table.cell(self.record, index));
        diagnostic.at(place.unwrap_or_else(|| self.table.whole(self.record)))
    }

    /// Where `part` stands in the column's cell.
    pub(super) fn place_of(&self, column: Column, part: &str) -> Place {
        let index = self.columns.get(column).unwrap_or_default();
        let start = self.raw(column).find(part).unwrap_or(0);
        self.table.place(self.record, index, start..start + part.len())
    }

    pub(super) fn within(&self, diagnostic: Diagnostic, column: Column, range: std::ops::Range<usize>) -> Diagnostic {
        let index = self.columns.get(column).unwrap_or_default();
        diagnostic.at(self.table.place(self.record, index, range))
    }
}

/// True if the row has as many cells as the header; if not, what stands in them is not looked at.
pub(super) fn has_all_cells(cells: &Cells<'_>, findings: &mut Findings) -> bool {
    let (expected, found) = (cells.columns.keys.len(), cells.record.cells.len());
    if expected == found {
        return true;
    }
    let message = format!("this row has {found} cells, the header has {expected}");
    let help = match comma_for_a_dot(cells) {
        Some((written, meant)) if found > expected => {
            format!("did you mean {meant}? \"{written}\" has a comma for a dot")
        }
        _ if found > expected => "put a cell that holds the separator into quotes".to_owned(),
        _ => "fill up the row with separators, or look for a missing quote before".to_owned(),
    };
    let last = cells.table.last_line(cells.record);
    let diagnostic = Diagnostic::error("row-ragged", message);
    findings.push(if last == cells.record.line {
        diagnostic.at(cells.table.place(cells.record, expected.min(found), 0..1)).help(help)
    } else {
        let help = format!("it runs to line {last}: look in it for a quote that is missing or one too many");
        diagnostic.at(cells.table.whole(cells.record)).help(help)
    });
    false
}

/// An address that a comma cut in two, as it is written and as it may be meant.
fn comma_for_a_dot(cells: &Cells<'_>) -> Option<(String, String)> {
    let texts: Vec<&str> = cells.record.cells.iter().map(trim_blank).collect();
    let label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
    texts.windows(2).find_map(|pair| {
        let (head, tail) = (pair[0], pair[1]);
        let domain = head.rsplit_once('@')?.1;
        let cut = !domain.is_empty() && !domain.contains('.') && !tail.is_empty() && tail.chars().all(label);
        let meant = cut.then(|| format!("{head}.{tail}")).filter(|meant| Mailbox::parse(meant).is_ok())?;
        let written = format!("{head},{tail}");
        cells.table.whole(cells.record).excerpt.contains(&written).then(|| (visible(&written), visible(&meant)))
    })
}

/// The columns whose text stands in one line.
const ONE_LINE: [Column; 9] = [
    Column::State,
    Column::StateCode,
    Column::Language,
    Column::Rank,
    Column::Name,
    Column::Gender,
    Column::VerifiedOn,
    Column::Id,
    Column::Skip,
];

/// NUL, escape and their like, and what turns the direction of writing, stand in no cell, the header's included. A line
/// break stands only where it separates, and in the columns that only templates see.
pub(super) fn check_characters(cells: &Cells<'_>, findings: &mut Findings) {
    for (index, cell) in cells.record.cells.iter().enumerate() {
        let one_line = || {
            ONE_LINE.iter().any(|column| cells.columns.get(*column) == Some(index))
                || cells.columns.skips.contains(&index)
        };
        let inner = trim_blank(cell);
        let bad = inner.char_indices().find(|(_, c)| match c {
            '\n' | '\r' | '\t' => one_line(),
            _ => c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'),
        });
        let Some((at, c)) = bad else { continue };
        let (what, help) = match c {
            '\n' | '\r' => ("a line break", "write it in one line"),
            '\t' => ("a tab", "put a blank in its place"),
            _ => ("a control character", "take it out: type the text anew, by hand"),
        };
        let message = format!("there is {what} ({}) in this cell", c.escape_unicode());
        let from = at + cell.find(inner).unwrap_or(0);
        let place = cells.table.place(cells.record, index, from..from + c.len_utf8());
        findings.push(Diagnostic::error("control-character", message).at(place).help(help));
    }
}

/// Errors and formulas without a result are no texts: wrong in the columns that are read here, and pointed out in others.
pub(super) fn check_faults(cells: &Cells<'_>, findings: &mut Findings) {
    for (index, behind) in &cells.record.behind {
        let (code, message, help) = match &behind.fault {
            None => continue,
            Some(Fault::Error(value)) => (
                "cell-error",
                format!("this cell holds the error {value}"),
                "mend the formula, or write the text itself",
            ),
            Some(Fault::Uncomputed(formula)) => (
                "cell-uncomputed",
                format!("this cell holds the formula {formula}, and its result was not saved"),
                "open the file in a spreadsheet program and save it again, or write the text itself",
            ),
        };
        let diagnostic = if cells.columns.column_at(*index).is_some() {
            Diagnostic::error(code, message)
        } else {
            Diagnostic::warning(code, message)
        };
        findings.push(diagnostic.at(cells.table.cell(cells.record, *index)).help(help));
    }
}

/// `%40` and its like (RFC 3986 §2.1) as the characters they stand for; what is not UTF-8 then is left as it is.
fn percent_decoded(link: &str) -> String {
    let bytes = link.as_bytes();
    let (mut decoded, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        let hex = bytes.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        let value = hex.and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
        decoded.push(value.unwrap_or(bytes[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).unwrap_or_else(|_| link.to_owned())
}
