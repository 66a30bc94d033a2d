//! One row for each address, for a spreadsheet; no cell of it is taken for a formula.

use std::borrow::Cow;
use std::io::Write;

use super::copies;
use super::dossier::{Dossier, cause, group_key, group_name, notes};
use super::{REHEARSAL, name, shown, time};
use crate::domain::record::{AddressRecord, DeliveryRecord};

/// The columns, in their order. Columns are added at the end, never renamed.
const HEADER: [&str; 16] = [
    "id",
    "state_name",
    "outcome",
    "address",
    "field",
    "address_outcome",
    "phase",
    "code",
    "enhanced",
    "text",
    "at",
    "attempts",
    "message_id",
    "group",
    "cause",
    "note",
];

/// Writes a header and one row for each address; phase to at are the last word on the address, else on the delivery.
///
/// # Errors
/// What `out` says.
pub fn csv(dossier: &Dossier, out: &mut dyn Write) -> ::csv::Result<()> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
    writer.write_record(HEADER)?;
    for record in &dossier.records {
        let note = note(dossier, record);
        for address in &record.addresses {
            let cells = row(record, address, &note);
            writer.write_record(cells.iter().map(|cell| as_text(cell).into_owned()))?;
        }
    }
    writer.flush()?;
    Ok(())
}

/// What people said of the row, or why it is left out; before that, that only a copy is missing; that it was a rehearsal
/// before all else.
fn note(dossier: &Dossier, record: &DeliveryRecord) -> String {
    let rehearsal = dossier.facts.rehearsal.then(|| REHEARSAL.to_owned());
    let but =
        Some(copies::but(record)).filter(|but| !but.is_empty()).map(|but| format!("{}{but}", shown(record.state)));
    rehearsal.into_iter().chain(but).chain(notes(dossier.remarks_on(record), record)).collect::<Vec<_>>().join("; ")
}

fn row(record: &DeliveryRecord, address: &AddressRecord, note: &str) -> [String; 16] {
    let word = address.word.as_ref().or(record.last.as_ref());
    [
        record.id.to_string(),
        name(record).to_owned(),
        shown(record.state).to_owned(),
        address.address.clone(),
        address.field.name().to_owned(),
        shown(address.state).to_owned(),
        word.map(|word| word.phase.name().to_owned()).unwrap_or_default(),
        word.and_then(|word| word.code).map(|code| code.to_string()).unwrap_or_default(),
        word.and_then(|word| word.enhanced.clone()).unwrap_or_default(),
        word.map(|word| word.text.clone()).unwrap_or_default(),
        word.map(|word| time(word.at)).unwrap_or_default(),
        record.attempts.to_string(),
        record.message_id.clone().unwrap_or_default(),
        group_name(group_key(record.recipient.state)).to_owned(),
        cause(record, address).map(|(cause, _)| cause.name().to_owned()).unwrap_or_default(),
        note.to_owned(),
    ]
}

/// A cell that a spreadsheet would compute, with the apostrophe that makes it text.
fn as_text(cell: &str) -> Cow<'_, str> {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{cell}"))
    } else {
        Cow::Borrowed(cell)
    }
}
