//! The cells of addresses: their text, or the link behind it → mailboxes, or what is wrong with them.

use std::borrow::Cow;

use crate::diagnostic::Diagnostic;
use crate::domain::mailbox::{Mailbox, Piece, QUOTE_THE_NAME, says_none, says_nothing, trim_blank};

use super::aliases::{Column, name_of};
use super::cells::Cells;
use super::findings::{Findings, listed};
use super::table::Table;

/// Reads a cell's addresses; `linked_lines` gets the row's line if they were taken from a link.
pub(super) fn mailboxes(
    cells: &Cells<'_>,
    column: Column,
    linked_lines: &mut Vec<usize>,
    findings: &mut Findings,
) -> Vec<Mailbox> {
    let mut found = Vec::new();
    let (text, linked) = addresses(cells, column);
    for mut piece in Mailbox::pieces(&text) {
        if linked {
            piece.range = 0..cells.raw(column).len();
        }
        match &piece.outcome {
            Ok(mailbox) => {
                say_what_is_odd(cells, column, &piece, mailbox, findings);
                found.push(mailbox.clone());
            }
            Err((error, help)) => {
                let mut diagnostic = Diagnostic::error("address-invalid", error.to_string());
                let csv = matches!(cells.table, Table::Text(_));
                diagnostic.help = help.clone().map(|help| if csv { with_csv_form(help) } else { help });
                findings.push(cells.within(diagnostic, column, piece.range));
            }
        }
    }
    if linked && linked_lines.last() != Some(&cells.record.line) {
        linked_lines.push(cells.record.line);
    }
    compare_link(cells, column, &found, findings);
    found
}

/// The addresses to read from a cell: its text, or where that is no address the link behind it.
pub(super) fn addresses<'a>(cells: &Cells<'a>, column: Column) -> (Cow<'a, str>, bool) {
    let text = cells.raw(column);
    // Who has no copies to send says so in words.
    if column != Column::To && says_none(text) {
        return (Cow::Borrowed(""), false);
    }
    let is_words = !trim_blank(text).is_empty() && !text.contains(['@', '\u{ff20}']) && !says_nothing(text);
    match cells.link(column) {
        Some(link) if is_words => (Cow::Owned(link), true),
        _ => (Cow::Borrowed(text), false),
    }
}

/// A link to another address than the text says: one of the two is old.
fn compare_link(cells: &Cells<'_>, column: Column, found: &[Mailbox], findings: &mut Findings) {
    let Some(link) = cells.link(column) else { return };
    let behind: Vec<Mailbox> = Mailbox::pieces(&link).into_iter().filter_map(|piece| piece.outcome.ok()).collect();
    let differs = behind.iter().find(|mailbox| found.iter().all(|other| other.folded() != mailbox.folded()));
    if let (Some(other), false) = (differs, found.is_empty()) {
        let message = format!(
            "the text says {}, the link behind it {}; the text is taken",
            listed(&texts(found)),
            other.address()
        );
        let help = "find out which is right, write it, and take the link out";
        findings.push(cells.at(Diagnostic::warning("link-differs", message), column).help(help));
    }
}

fn say_what_is_odd(cells: &Cells<'_>, column: Column, piece: &Piece, mailbox: &Mailbox, findings: &mut Findings) {
    if piece.widened {
        let message = format!("the domain is written in full-width characters; {} is meant", mailbox.domain());
        let warning = Diagnostic::warning("address-full-width", message);
        findings.push(cells.within(warning, column, piece.range.clone()));
    }
    if mailbox.mixes_scripts() {
        let message = format!("letters of several scripts stand in \"{}\"", mailbox.address());
        let help = "does a letter only look like another? Type the address anew, by hand";
        let warning = Diagnostic::warning("address-mixed-scripts", message);
        findings.push(cells.within(warning, column, piece.range.clone()).help(help));
    }
}

/// In the file itself a cell with quotes stands in quotes, and its own are doubled: without that the reader eats them.
fn with_csv_form(help: String) -> String {
    match help.strip_prefix(QUOTE_THE_NAME) {
        Some(form) => {
            let cell = form.trim().replace('"', "\"\"");
            format!("{help} (in a text editor the cell is \"{cell}\")")
        }
        None => help,
    }
}

pub(super) fn no_address(cells: &Cells<'_>, findings: &mut Findings) {
    // Without the column the header's error has said it for all rows; an error in the cell has been told too.
    if cells.columns.get(Column::To).is_some()
        && !cells.is_faulty(Column::To)
        && Mailbox::pieces(cells.raw(Column::To)).is_empty()
    {
        let message = "there is no address in this row";
        let help = format!("write it into the column \"{}\", or take the row out of the file", name_of(Column::To));
        findings.push(cells.at(Diagnostic::error("address-missing", message), Column::To).help(help));
    }
}

/// As they stand in an envelope.
pub(super) fn texts(mailboxes: &[Mailbox]) -> Vec<String> {
    mailboxes.iter().map(Mailbox::address).collect()
}
