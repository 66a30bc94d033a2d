//! Which record is the header: titles above it are passed over, and told.

use std::collections::VecDeque;

use crate::diagnostic::{Diagnostic, Place};
use crate::domain::mailbox::trim_blank;
use crate::domain::state::fold;

use super::Options;
use super::aliases::{is_address_alias, is_known_alias};
use super::findings::{Findings, listed};
use super::table::{Record, Records, Table};

/// In so many records from the top a header is looked for.
const LOOKED_AT: usize = 30;

/// The header, and what was read behind it on the way.
pub(super) struct Head {
    pub(super) header: Record,
    pub(super) behind: VecDeque<Record>,
}

/// True if the cells name a column of addresses and another one that is known, and none is an address itself.
pub(super) fn is_header(cells: &[&str], options: &Options) -> bool {
    let named = |cell: &str| options.columns.values().any(|header| fold(header) == fold(cell));
    let ours = |name: &str| name == "to" || name == "email";
    let to = options.columns.iter().find(|(name, _)| ours(name)).map(|(_, header)| fold(header));
    let addresses = |cell: &str| to.as_ref().map_or_else(|| is_address_alias(cell), |to| *to == fold(cell));
    let texts: Vec<&str> = cells.iter().map(|cell| trim_blank(cell)).filter(|cell| !cell.is_empty()).collect();
    texts.iter().all(|cell| !cell.contains('@'))
        && texts.iter().any(|cell| addresses(cell))
        && texts.iter().filter(|cell| addresses(cell) || named(cell) || is_known_alias(cell)).count() > 1
}

/// The first record that is a header; else the first with two cells, since a title has one; else the first.
pub(super) fn find(
    table: &Table<'_>,
    records: &mut Records<'_>,
    options: &Options,
    findings: &mut Findings,
) -> Option<Head> {
    let mut read: VecDeque<Record> = VecDeque::new();
    let mut record = Record::default();
    let mut found = None;
    while found.is_none() && read.len() < LOOKED_AT && records.next(&mut record, findings) {
        if is_header(&record.cells.iter().collect::<Vec<_>>(), options) {
            found = Some(read.len());
        }
        read.push_back(std::mem::take(&mut record));
    }
    let filled = |record: &Record| record.cells.iter().filter(|cell| !trim_blank(cell).is_empty()).count();
    let at = found.or_else(|| read.iter().position(|record| filled(record) > 1)).unwrap_or(0);
    let above: Vec<Record> = read.drain(..at.min(read.len())).collect();
    let header = read.pop_front()?;
    tell(table, &above, options, findings);
    Some(Head { header, behind: read })
}

fn tell(table: &Table<'_>, above: &[Record], options: &Options, findings: &mut Findings) {
    let (Some(first), Some(last)) = (above.first(), above.last()) else { return };
    let texts = above.iter().flat_map(|record| record.cells.iter()).map(trim_blank).filter(|text| !text.is_empty());
    let quoted: Vec<String> = texts.clone().map(|text| format!("\"{text}\"")).collect();
    let unit = table.unit();
    let (stands, lines) = if first.line == last.line {
        ("stands", format!("{} {}", unit.word(1), first.line))
    } else {
        (
            "stand",
            format!("{} {} {} {}", unit.word(2), first.line, if above.len() == 2 { "and" } else { "to" }, last.line),
        )
    };
    let message = format!(
        "{lines} {stands} above the header and {} passed over: {}",
        if above.len() == 1 { "was" } else { "were" },
        listed(&quoted)
    );
    let diagnostic = if texts.clone().any(|text| text.contains('@')) {
        let help = "is the header in its place? What stands above it is not written to";
        Diagnostic::warning("above-header", message).help(help)
    } else {
        Diagnostic::note("above-header", message)
    };
    findings.push(diagnostic.at(Place::file(&options.file)));
}
