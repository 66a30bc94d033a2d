//! `.xlsx`: values, merged areas and links by calamine; hidden rows and columns, and formulas without a result, by a walk of
//! our own, since calamine does not tell them.

use std::collections::HashMap;
use std::io::Cursor;

use calamine::{DataRef, Dimensions, ExcelDateTime, Reader as _, SheetType, SheetVisible, Xlsx, XlsxError};

use super::archive::Archive;
use super::raw::{Area, Budget, Position, RawSheet};
use super::xml::{Node, attribute, broken, local, walk};
use super::{Refusal, SHEETS_MAX, formula_link, value};
use crate::roster::sheet::Fault;

/// Excel has no more cell formats than this.
const FORMATS_MAX: u64 = 65_490;
/// All fonts, fills and borders of all formats, written out, in bytes.
const FORMATS_WRITTEN_MAX: u64 = 256 << 20;
/// The most texts in the table that cells share.
const SHARED_MAX: u64 = 2_000_000;

/// All sheets of cells, in their order.
pub(super) fn read(archive: &mut Archive<'_>) -> Result<Vec<RawSheet>, Refusal> {
    refuse_amplifiers(archive)?;
    let parts = sheet_parts(archive)?;
    let mut workbook: Xlsx<_> = Xlsx::new(Cursor::new(archive.bytes())).map_err(|error| unreadable(&error))?;
    let known = workbook.sheets_metadata().to_vec();
    let tables: Vec<_> = known.into_iter().filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    if tables.len() > SHEETS_MAX {
        return Err(super::raw::too_many("more sheets than are read"));
    }
    let (mut sheets, mut budget) = (Vec::new(), Budget::new());
    for sheet in tables {
        let mut raw =
            RawSheet { name: sheet.name, visible: sheet.visible == SheetVisible::Visible, ..RawSheet::default() };
        values(&mut workbook, &mut raw, &mut budget)?;
        let path = parts.get(&raw.name).ok_or_else(|| broken(&"a sheet has no part of its own"))?;
        facts(&archive.part(path)?, &mut raw, &mut budget)?;
        let merges = workbook.merge_cells_by_sheet_name(&raw.name).map_err(|error| unreadable(&error))?;
        raw.merges = merges.iter().map(area).collect();
        for link in workbook.hyperlinks_by_sheet_name(&raw.name).map_err(|error| unreadable(&error))? {
            raw.link(area(&link.range), link.target.as_deref().unwrap_or_default(), &mut budget)?;
        }
        sheets.push(raw);
    }
    Ok(sheets)
}

fn values(workbook: &mut Xlsx<Cursor<&[u8]>>, raw: &mut RawSheet, budget: &mut Budget) -> Result<(), Refusal> {
    let mut cells = workbook.worksheet_cells_reader(&raw.name).map_err(|error| unreadable(&error))?;
    // A whole range would be as large as its corners say; cells one after the other are as many as there are.
    while let Some(cell) = cells.next_cell().map_err(|error| unreadable(&error))? {
        let at = cell.get_position();
        match cell.get_value() {
            DataRef::Error(error) => {
                raw.put(at, error.to_string(), budget)?;
                raw.fault(at, Fault::Error(error.to_string()), budget)?;
            }
            known => raw.put(at, text(known), budget)?,
        }
    }
    Ok(())
}

fn text(value: &DataRef<'_>) -> String {
    match value {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(truth) => truth.to_string(),
        DataRef::DateTime(moment) => moment_text(moment),
        DataRef::DateTimeIso(text) => value::iso_moment(text),
        DataRef::DurationIso(text) => text.clone(),
        DataRef::Error(_) | DataRef::Empty => String::new(),
    }
}

fn moment_text(moment: &ExcelDateTime) -> String {
    if moment.is_duration() {
        return moment.as_f64().to_string();
    }
    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    value::iso_moment(&format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}"))
}

fn area(range: &Dimensions) -> Area {
    Area { first: range.start, last: range.end }
}

/// Small parts that would make a reader set aside a lot: a count of shared texts that there are not, and large fonts that
/// many cell formats repeat.
fn refuse_amplifiers(archive: &mut Archive<'_>) -> Result<(), Refusal> {
    for part in archive.parts_called("sharedStrings.xml")? {
        walk(&part, |node, _| match node {
            Node::Start(start) if local(start.name().as_ref()) == "sst" => {
                let count = attribute(start, "uniqueCount").and_then(|count| count.trim().parse::<u64>().ok());
                if count.is_some_and(|count| count > SHARED_MAX) {
                    return Err(super::raw::too_many("more texts than a list of missions has"));
                }
                Ok(())
            }
            _ => Ok(()),
        })?;
    }
    for part in archive.parts_called("styles.xml")? {
        let (mut formats, mut largest, mut opened) = (0, 0, Vec::new());
        walk(&part, |node, at| {
            match node {
                Node::Start(start) => {
                    formats += u64::from(local(start.name().as_ref()) == "xf");
                    let written = start.len() as u64 + 2;
                    opened.push(at.saturating_sub(written));
                }
                Node::End(name) => {
                    let from = opened.pop().unwrap_or(at);
                    if matches!(local(name), "font" | "fill" | "border" | "numFmt" | "xf") {
                        largest = largest.max(at.saturating_sub(from));
                    }
                }
                Node::Text(_) => {}
            }
            Ok(())
        })?;
        if formats > 2 * FORMATS_MAX || formats.saturating_mul(largest) > FORMATS_WRITTEN_MAX {
            return Err(super::raw::too_many("more cell formats than a list of missions has"));
        }
    }
    Ok(())
}

/// The name of each sheet and the part that holds its cells.
fn sheet_parts(archive: &mut Archive<'_>) -> Result<HashMap<String, String>, Refusal> {
    let mut targets = HashMap::new();
    walk(&archive.part("xl/_rels/workbook.xml.rels")?, |node, _| {
        if let Node::Start(start) = node
            && let (Some(id), Some(target)) = (attribute(start, "Id"), attribute(start, "Target"))
        {
            let path = target.strip_prefix('/').map_or_else(|| format!("xl/{target}"), str::to_owned);
            targets.insert(id, path);
        }
        Ok(())
    })?;
    let mut parts = HashMap::new();
    walk(&archive.part("xl/workbook.xml")?, |node, _| {
        if let Node::Start(start) = node
            && local(start.name().as_ref()) == "sheet"
            && let (Some(name), Some(id)) = (attribute(start, "name"), attribute(start, "id"))
            && let Some(path) = targets.get(&id)
        {
            parts.entry(name).or_insert_with(|| path.clone());
        }
        Ok(())
    })?;
    Ok(parts)
}

/// What a walk through a sheet is at.
#[derive(Default)]
struct Walk {
    row: u32,
    next_row: u32,
    at: Position,
    next_column: u32,
    formula: Option<String>,
    has_value: bool,
    inside: Inside,
}

#[derive(Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Elsewhere,
    Formula,
    Value,
}

fn facts(part: &[u8], raw: &mut RawSheet, budget: &mut Budget) -> Result<(), Refusal> {
    let mut state = Walk::default();
    walk(part, |node, _| {
        match node {
            Node::Start(start) => match local(start.name().as_ref()) {
                "col" => column(start, raw),
                "row" => {
                    state.row = number(start, "r").map_or(state.next_row, |row| row.saturating_sub(1));
                    (state.next_row, state.next_column) = (state.row.saturating_add(1), 0);
                    let flat = attribute(start, "ht").and_then(|height| height.parse::<f64>().ok()) == Some(0.0);
                    if flat || is_true(start, "hidden") {
                        raw.hidden_rows.push((state.row, state.row));
                    }
                }
                "c" => {
                    let named = attribute(start, "r").and_then(|name| position(&name));
                    state.at = named.unwrap_or((state.row, state.next_column));
                    state.next_column = state.at.1.saturating_add(1);
                    (state.formula, state.has_value) = (None, false);
                }
                "f" => (state.formula, state.inside) = (Some(String::new()), Inside::Formula),
                "v" | "t" => state.inside = Inside::Value,
                _ => {}
            },
            Node::Text(text) => match state.inside {
                Inside::Formula => state.formula.get_or_insert_default().push_str(text),
                Inside::Value => state.has_value |= !text.is_empty(),
                Inside::Elsewhere => {}
            },
            Node::End(name) => match local(name) {
                "f" | "v" | "t" => state.inside = Inside::Elsewhere,
                "c" => {
                    if let Some(formula) = state.formula.take() {
                        formula_cell(raw, state.at, &formula, state.has_value, budget)?;
                    }
                }
                _ => {}
            },
        }
        Ok(())
    })
}

fn formula_cell(
    raw: &mut RawSheet,
    at: Position,
    formula: &str,
    has_value: bool,
    budget: &mut Budget,
) -> Result<(), Refusal> {
    if let Some(target) = formula_link(formula) {
        if !raw.cells.contains_key(&at) {
            raw.put(at, formula.to_owned(), budget)?;
        }
        return raw.link(Area { first: at, last: at }, &target, budget);
    }
    if !has_value {
        let formula = format!("={formula}");
        raw.put(at, formula.clone(), budget)?;
        raw.fault(at, Fault::Uncomputed(formula), budget)?;
    }
    Ok(())
}

fn column(start: &quick_xml::events::BytesStart<'_>, raw: &mut RawSheet) {
    let flat = attribute(start, "width").and_then(|width| width.parse::<f64>().ok()) == Some(0.0);
    if let (Some(first), Some(last)) = (number(start, "min"), number(start, "max"))
        && (flat || is_true(start, "hidden"))
    {
        raw.hidden_columns.push((first.saturating_sub(1), last.saturating_sub(1)));
    }
}

fn number(start: &quick_xml::events::BytesStart<'_>, name: &str) -> Option<u32> {
    attribute(start, name)?.trim().parse().ok()
}

fn is_true(start: &quick_xml::events::BytesStart<'_>, name: &str) -> bool {
    attribute(start, name).is_some_and(|value| matches!(value.trim(), "1" | "true"))
}

/// `C17` as row and column from 0.
fn position(name: &str) -> Option<Position> {
    let digits = name.find(|c: char| c.is_ascii_digit())?;
    let mut column: u32 = 0;
    for letter in name[..digits].bytes() {
        let digit = u32::from(letter.to_ascii_uppercase().checked_sub(b'A')?);
        column = column.checked_mul(26)?.checked_add(digit.checked_add(1)?)?;
    }
    Some((name[digits..].parse::<u32>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

fn unreadable(error: &XlsxError) -> Refusal {
    match error {
        XlsxError::Password => super::locked(),
        other => broken(other),
    }
}
