//! `.ods`: values by calamine; links, merged areas, hidden rows and columns and formulas by a walk of our own before, since
//! calamine does not tell them. The walk also sees to it that what calamine writes out (a cell can stand for a million) is
//! bounded, and that the part ends where its elements end.

use std::collections::HashMap;
use std::io::Cursor;

use calamine::{Data, Ods, OdsError, Range, Reader as _, SheetVisible};
use quick_xml::events::BytesStart;

use super::archive::Archive;
use super::raw::{Area, Budget, Position, RawSheet, too_many};
use super::xml::{Node, attribute, broken, walk};
use super::{Refusal, SHEETS_MAX, formula_link, value};
use crate::roster::sheet::Fault;

/// A sheet has no more columns and rows than this.
const COLUMNS_MAX: u32 = 16_384;
const ROWS_MAX: u32 = 1_048_576;

/// All sheets, in their order.
pub(super) fn read(archive: &mut Archive<'_>) -> Result<Vec<RawSheet>, Refusal> {
    let mut facts = Facts::default();
    let mut guard = Budget::new();
    walk(&archive.part("content.xml")?, |node, _| facts.see(&node, &mut guard))?;
    // A manifest that ends in the middle would be waited for without end.
    walk(&archive.part("META-INF/manifest.xml")?, |_, _| Ok(()))?;
    let mut workbook: Ods<_> = Ods::new(Cursor::new(archive.bytes())).map_err(|error| unreadable(&error))?;
    let known = workbook.sheets_metadata().to_vec();
    if known.len() > SHEETS_MAX {
        return Err(too_many("more sheets than are read"));
    }
    let (mut sheets, mut budget) = (Vec::new(), Budget::new());
    for sheet in known {
        let range = workbook.worksheet_range(&sheet.name).map_err(|error| unreadable(&error))?;
        let mut raw =
            RawSheet { name: sheet.name, visible: sheet.visible == SheetVisible::Visible, ..RawSheet::default() };
        values(&range, &mut raw, &mut budget)?;
        if let Some(fact) = facts.sheets.remove(&raw.name) {
            fact.add_to(&mut raw, &mut budget)?;
        }
        sheets.push(raw);
    }
    Ok(sheets)
}

fn values(range: &Range<Data>, raw: &mut RawSheet, budget: &mut Budget) -> Result<(), Refusal> {
    let (row, column) = range.start().unwrap_or_default();
    for (down, across, value) in range.used_cells() {
        let at = (row + u32::try_from(down).unwrap_or(0), column + u32::try_from(across).unwrap_or(0));
        let text = match value {
            Data::DateTimeIso(text) => value::iso_moment(text),
            Data::Bool(truth) => truth.to_string(),
            other => other.to_string(),
        };
        raw.put(at, text, budget)?;
    }
    Ok(())
}

/// What a walk found in one sheet.
#[derive(Default)]
struct SheetFacts {
    links: Vec<(Area, String)>,
    faults: Vec<(Position, Fault)>,
    merges: Vec<Area>,
    hidden_rows: Vec<(u32, u32)>,
    hidden_columns: Vec<(u32, u32)>,
}

impl SheetFacts {
    fn add_to(self, raw: &mut RawSheet, budget: &mut Budget) -> Result<(), Refusal> {
        for (at, fault) in self.faults {
            if let Fault::Uncomputed(formula) = &fault {
                raw.put(at, formula.clone(), budget)?;
            }
            if raw.cells.contains_key(&at) {
                raw.fault(at, fault, budget)?;
            }
        }
        for (area, target) in self.links {
            raw.link(area, &target, budget)?;
        }
        (raw.merges, raw.hidden_rows, raw.hidden_columns) = (self.merges, self.hidden_rows, self.hidden_columns);
        Ok(())
    }
}

/// What a walk through `content.xml` found, and where it is.
#[derive(Default)]
struct Facts {
    sheets: HashMap<String, SheetFacts>,
    name: String,
    sheet: Option<SheetFacts>,
    row: u32,
    rows: u32,
    column: u32,
    /// Columns of this row, and octets of their texts, as they are when written out.
    row_cells: usize,
    row_octets: usize,
    header_column: u32,
    cell: Option<Cell>,
    annotations: usize,
}

#[derive(Default)]
struct Cell {
    repeated: u32,
    spanned: (u32, u32),
    octets: usize,
    formula: Option<String>,
    link: Option<String>,
    error: bool,
    text: String,
}

impl Facts {
    fn see(&mut self, node: &Node<'_>, guard: &mut Budget) -> Result<(), Refusal> {
        match node {
            Node::Start(start) => self.start(start, guard),
            Node::Text(text) => {
                if let Some(cell) = &mut self.cell {
                    cell.octets = cell.octets.saturating_add(text.len());
                    if self.annotations == 0 && cell.text.len() < 64 {
                        cell.text.push_str(text);
                    }
                }
                Ok(())
            }
            Node::End(name) => self.end(name, guard),
        }
    }

    fn start(&mut self, start: &BytesStart<'_>, guard: &mut Budget) -> Result<(), Refusal> {
        match start.name().as_ref() {
            "table:table" if self.sheet.is_some() => return Err(broken(&"there is a table within a table")),
            "table:table" => {
                self.name = attribute(start, "name").unwrap_or_default();
                self.sheet = Some(SheetFacts::default());
                (self.row, self.rows, self.header_column) = (0, 0, 0);
            }
            "table:table-column" => {
                let repeated = repeated(start, "number-columns-repeated", COLUMNS_MAX);
                let (first, last) = (self.header_column, self.header_column.saturating_add(repeated - 1));
                if let Some(sheet) = self.sheet.as_mut().filter(|_| is_hidden(start)) {
                    sheet.hidden_columns.push((first, last));
                }
                self.header_column = last.saturating_add(1);
            }
            "table:table-row" => {
                self.row = self.row.saturating_add(self.rows);
                self.rows = repeated(start, "number-rows-repeated", ROWS_MAX);
                (self.column, self.row_cells, self.row_octets) = (0, 0, 0);
                let last = self.row.saturating_add(self.rows - 1);
                if let Some(sheet) = self.sheet.as_mut().filter(|_| is_hidden(start)) {
                    sheet.hidden_rows.push((self.row, last));
                }
            }
            "table:table-cell" | "table:covered-table-cell" => self.cell = Some(cell(start)),
            "office:annotation" => self.annotations += 1,
            "text:a" => {
                if let Some(cell) = self.cell.as_mut().filter(|cell| cell.link.is_none()) {
                    cell.link = attribute(start, "href");
                }
            }
            "text:s" => {
                // Blanks are written as a number of them.
                let blanks = attribute(start, "c").map_or(1, |count| count.trim().parse().unwrap_or(usize::MAX));
                guard.spend_many(0, blanks)?;
                if let Some(cell) = &mut self.cell {
                    cell.octets = cell.octets.saturating_add(blanks);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, name: &str, guard: &mut Budget) -> Result<(), Refusal> {
        match name {
            "table:table" => {
                if let Some(sheet) = self.sheet.take() {
                    self.sheets.entry(std::mem::take(&mut self.name)).or_insert(sheet);
                }
            }
            "office:annotation" => self.annotations = self.annotations.saturating_sub(1),
            "table:table-cell" | "table:covered-table-cell" => {
                if let Some(cell) = self.cell.take() {
                    self.close(cell, guard)?;
                }
            }
            "table:table-row" => {
                let rows = self.rows as usize;
                // Columns without anything behind the last text are not written out.
                guard.spend_many(self.row_cells.saturating_mul(rows), self.row_octets.saturating_mul(rows))?;
            }
            _ => {}
        }
        Ok(())
    }

    fn close(&mut self, cell: Cell, guard: &mut Budget) -> Result<(), Refusal> {
        let (first, last) = (self.column, self.column.saturating_add(cell.repeated - 1).min(COLUMNS_MAX - 1));
        self.column = last.saturating_add(1);
        if cell.octets > 0 {
            self.row_cells = last as usize + 1;
            let many = cell.octets.saturating_mul(cell.repeated as usize);
            self.row_octets = self.row_octets.saturating_add(many);
        }
        let (row, last_row) = (self.row, self.row.saturating_add(self.rows.saturating_sub(1)));
        let area = Area { first: (row, first), last: (last_row, last) };
        let Some(sheet) = &mut self.sheet else { return Ok(()) };
        let (across, down) = cell.spanned;
        if across > 1 || down > 1 {
            let end = (row.saturating_add(down - 1), first.saturating_add(across - 1));
            sheet.merges.push(Area { first: (row, first), last: end });
        }
        let by_formula = cell.formula.as_deref().and_then(formula_link);
        if cell.error {
            guard.spend(0)?;
            sheet.faults.push(((row, first), Fault::Error(cell.text.trim().to_owned())));
        } else if let Some(formula) = cell.formula.filter(|_| cell.text.is_empty() && cell.octets == 0) {
            guard.spend(formula.len())?;
            sheet.faults.push(((row, first), Fault::Uncomputed(formula)));
        }
        if let Some(target) = by_formula.or(cell.link) {
            guard.spend(target.len())?;
            sheet.links.push((area, target));
        }
        Ok(())
    }
}

fn cell(start: &BytesStart<'_>) -> Cell {
    let value = |name: &str| attribute(start, name);
    let valued = ["value", "string-value", "date-value", "time-value", "boolean-value"];
    let formula = value("formula");
    // `calcext:value-type` says "error" where `office:value-type` says "string".
    let error = start
        .attributes()
        .with_checks(false)
        .flatten()
        .any(|found| found.key.local_name().as_ref() == "value-type" && found.value == "error");
    Cell {
        repeated: repeated(start, "number-columns-repeated", COLUMNS_MAX),
        spanned: (
            repeated(start, "number-columns-spanned", COLUMNS_MAX),
            repeated(start, "number-rows-spanned", ROWS_MAX),
        ),
        octets: valued.iter().filter_map(|name| value(name)).map(|text| text.len()).sum::<usize>(),
        formula,
        link: None,
        error,
        text: String::new(),
    }
}

/// A number of repetitions, from 1 to a most.
fn repeated(start: &BytesStart<'_>, name: &str, most: u32) -> u32 {
    attribute(start, name).and_then(|count| count.trim().parse().ok()).unwrap_or(1).clamp(1, most)
}

fn is_hidden(start: &BytesStart<'_>) -> bool {
    attribute(start, "visibility").is_some_and(|value| matches!(value.as_str(), "collapse" | "filter"))
}

fn unreadable(error: &OdsError) -> Refusal {
    match error {
        OdsError::Password => super::locked(),
        other => broken(other),
    }
}
