//! A sheet as it is → a table: merged areas filled as people mean them, hidden rows decided on, empty columns left out.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::Diagnostic;
use crate::roster::findings::{Findings, listed};
use crate::roster::sheet::{Sheet, SheetRow, letters, quoted_name};
use crate::roster::{HiddenRows, Options};

use super::raw::{Area, Budget, CELLS_MAX, RawCell, RawSheet, too_many};
use super::{Refusal, tell};

/// Lays a sheet out; `None` if it is too large for a table, which is told.
pub(super) fn lay_out(mut raw: RawSheet, options: &Options, findings: &mut Findings) -> Option<Sheet> {
    let titles = titles(&raw);
    let filled = fill(&mut raw);
    let columns: BTreeSet<u32> = raw.cells.keys().map(|(_, column)| *column).collect();
    let rows: BTreeSet<u32> = raw.cells.keys().map(|(row, _)| *row).collect();
    let too_large = rows.len().saturating_mul(columns.len()) > CELLS_MAX;
    if let Err(refusal) =
        filled.and_then(|()| if too_large { Err(too_many("more cells than are read")) } else { Ok(()) })
    {
        tell(
            Diagnostic::error(refusal.code, format!("{} {}", options.file, refusal.message)).help(refusal.help),
            options,
            findings,
        );
        return None;
    }
    hidden_columns(&raw, &columns, options, findings);
    let left_out = hidden_rows(&raw, &rows, options, findings);
    let columns: Vec<u32> = columns.into_iter().collect();
    let mut table: BTreeMap<u32, SheetRow> = BTreeMap::new();
    for ((row, column), cell) in raw.cells {
        if left_out.contains(&row) {
            continue;
        }
        let Ok(index) = columns.binary_search(&column) else { continue };
        let entry = table.entry(row).or_insert_with(|| SheetRow {
            number: row as usize + 1,
            cells: vec![String::new(); columns.len()],
            behind: BTreeMap::new(),
            is_title: titles.contains(&row),
        });
        entry.cells[index] = cell.text;
        if cell.behind != crate::roster::sheet::Behind::default() {
            entry.behind.insert(index, cell.behind);
        }
    }
    Some(Sheet { name: raw.name, columns, rows: table.into_values().collect() })
}

/// Rows that hold nothing but one text over several columns: a title, or the name of a group above its missions.
fn titles(raw: &RawSheet) -> BTreeSet<u32> {
    let is_title = |area: &&Area| {
        let row = area.first.0;
        let mut cells = raw.cells.range((row, 0)..=(row, u32::MAX));
        let (only, more) = (cells.next(), cells.next());
        area.first.1 < area.last.1
            && more.is_none()
            && only
                .is_some_and(|(at, cell)| *at == area.first && !cell.text.contains('@') && cell.behind.link.is_none())
    };
    raw.merges.iter().filter(is_title).map(|area| area.first.0).collect()
}

/// What is merged over several rows stands in each of them that has anything else. Over several columns it stands in the
/// first alone: an address over the columns "to" and "cc" is one address.
fn fill(raw: &mut RawSheet) -> Result<(), Refusal> {
    let rows: BTreeSet<u32> = raw.cells.keys().map(|(row, _)| *row).collect();
    let mut budget = Budget::new();
    for area in &raw.merges {
        let (row, column) = area.first;
        if area.last.0 <= row {
            continue;
        }
        let Some(cell) = raw.cells.get(&(row, column)).cloned() else { continue };
        for below in rows.range(row + 1..=area.last.0) {
            budget.visit()?;
            budget.spend(cell.text.len())?;
            let entry: &mut RawCell = raw.cells.entry((*below, column)).or_default();
            *entry = cell.clone();
        }
    }
    Ok(())
}

/// Rows that are hidden and hold something. Nobody is to be missed or written to because of a filter that somebody forgot.
fn hidden_rows(raw: &RawSheet, rows: &BTreeSet<u32>, options: &Options, findings: &mut Findings) -> BTreeSet<u32> {
    let hidden = within(&raw.hidden_rows, rows);
    if hidden.is_empty() {
        return hidden;
    }
    let (count, runs) = (hidden.len(), listed(&runs(&hidden)));
    let (rows, they) = if count == 1 { ("row is", "it was") } else { ("rows are", "they were") };
    let message = format!("{count} {rows} hidden in the sheet {}: {runs}", quoted_name(&raw.name));
    let (diagnostic, left_out) = match options.hidden_rows {
        HiddenRows::Refuse => {
            let help = "clear the filter or show the rows if the missions in them are to get the letter; delete the rows if not";
            (Diagnostic::error("rows-hidden", message).help(help), BTreeSet::new())
        }
        HiddenRows::Keep => {
            (Diagnostic::warning("rows-hidden", format!("{message}; {they} read like the others")), BTreeSet::new())
        }
        HiddenRows::LeaveOut => (Diagnostic::warning("rows-hidden", format!("{message}; {they} left out")), hidden),
    };
    tell(diagnostic, options, findings);
    left_out
}

fn hidden_columns(raw: &RawSheet, columns: &BTreeSet<u32>, options: &Options, findings: &mut Findings) {
    let hidden = within(&raw.hidden_columns, columns);
    if !hidden.is_empty() {
        let names: Vec<String> = hidden.iter().map(|column| letters(*column)).collect();
        let columns = if names.len() == 1 { "column is" } else { "columns are" };
        let message = format!("{} {columns} hidden, and read like the others: {}", names.len(), listed(&names));
        let help = "show them in a spreadsheet program, and see whether they are meant";
        tell(Diagnostic::warning("columns-hidden", message).help(help), options, findings);
    }
}

fn within(ranges: &[(u32, u32)], there: &BTreeSet<u32>) -> BTreeSet<u32> {
    ranges
        .iter()
        .filter(|(first, last)| first <= last)
        .flat_map(|(first, last)| there.range(*first..=*last))
        .copied()
        .collect()
}

/// `5`, `9 to 12`: numbers from 1.
fn runs(rows: &BTreeSet<u32>) -> Vec<String> {
    let mut runs: Vec<(u32, u32)> = Vec::new();
    for row in rows {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *row => *last = *row,
            _ => runs.push((*row, *row)),
        }
    }
    runs.iter()
        .map(
            |(first, last)| {
                if first == last { (first + 1).to_string() } else { format!("{} to {}", first + 1, last + 1) }
            },
        )
        .collect()
}
