//! A sheet as a workbook has it: cells wherever they are, merged areas, hidden rows and columns.

use std::collections::BTreeMap;

use crate::domain::mailbox::trim_blank;

use super::Refusal;
use crate::roster::sheet::{Behind, Fault};

/// The most cells of a workbook that are read, and the most that a sheet may have when it is laid out as a table.
pub(super) const CELLS_MAX: usize = 2_000_000;
/// All their texts together, in bytes.
const TEXTS_MAX: usize = 64 << 20;
/// How often a cell may be visited for the sake of merged areas and links.
const VISITS_MAX: usize = 8_000_000;

/// A place in a sheet: row and column, from 0.
pub(super) type Position = (u32, u32);

/// A rectangle of cells, its corners included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) first: Position,
    pub(super) last: Position,
}

/// A text and what lies behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct RawCell {
    pub(super) text: String,
    pub(super) behind: Behind,
}

/// A sheet.
#[derive(Debug, Clone, Default)]
pub(super) struct RawSheet {
    pub(super) name: String,
    pub(super) visible: bool,
    pub(super) cells: BTreeMap<Position, RawCell>,
    pub(super) merges: Vec<Area>,
    /// First and last, from 0.
    pub(super) hidden_rows: Vec<(u32, u32)>,
    pub(super) hidden_columns: Vec<(u32, u32)>,
}

impl RawSheet {
    /// Puts a text into a cell, unless there is nothing in it.
    pub(super) fn put(&mut self, at: Position, text: String, budget: &mut Budget) -> Result<(), Refusal> {
        if trim_blank(&text).is_empty() {
            return Ok(());
        }
        budget.spend(text.len())?;
        self.cells.entry(at).or_default().text = text;
        Ok(())
    }

    pub(super) fn fault(&mut self, at: Position, fault: Fault, budget: &mut Budget) -> Result<(), Refusal> {
        budget.spend(0)?;
        self.cells.entry(at).or_default().behind.fault = Some(fault);
        Ok(())
    }

    /// Lays a link behind the cells of an area that hold something.
    pub(super) fn link(&mut self, area: Area, target: &str, budget: &mut Budget) -> Result<(), Refusal> {
        if !target.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("mailto:")) {
            return Ok(());
        }
        for (at, cell) in self.cells.range_mut((area.first.0, 0)..=(area.last.0, u32::MAX)) {
            budget.visit()?;
            if at.1 >= area.first.1 && at.1 <= area.last.1 {
                budget.spend(target.len())?;
                cell.behind.link = Some(target.to_owned());
            }
        }
        Ok(())
    }
}

/// What may still be read of a workbook.
pub(super) struct Budget {
    cells: usize,
    octets: usize,
    visits: usize,
}

impl Budget {
    pub(super) fn new() -> Self {
        Self { cells: CELLS_MAX, octets: TEXTS_MAX, visits: VISITS_MAX }
    }

    pub(super) fn spend(&mut self, octets: usize) -> Result<(), Refusal> {
        self.spend_many(1, octets)
    }

    pub(super) fn spend_many(&mut self, cells: usize, octets: usize) -> Result<(), Refusal> {
        self.cells = self.cells.checked_sub(cells).ok_or_else(|| too_many("more cells than a list of missions has"))?;
        self.octets =
            self.octets.checked_sub(octets).ok_or_else(|| too_many("more text than a list of missions has"))?;
        Ok(())
    }

    pub(super) fn visit(&mut self) -> Result<(), Refusal> {
        self.visits = self.visits.checked_sub(1).ok_or_else(|| too_many("too many merged cells and links"))?;
        Ok(())
    }
}

pub(super) fn too_many(what: &str) -> Refusal {
    let help = "copy the cells of the list into a new workbook, or save the sheet as \"CSV UTF-8\"";
    Refusal::new("workbook-too-large", format!("is a workbook with {what}"), help)
}
