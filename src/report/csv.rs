//! One row for each address, for a spreadsheet; no cell of it is taken for a formula.

use std::borrow::Cow;
use std::io::Write;

use super::dossier::{cause, group_key, group_name};
use super::{name, shown, time};
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
pub fn csv(records: impl Iterator<Item = DeliveryRecord>, out: &mut dyn Write) -> ::csv::Result<()> {
    let mut writer = ::csv::WriterBuilder::new().terminator(::csv::Terminator::CRLF).from_writer(out);
    writer.write_record(HEADER)?;
    for record in records {
        for address in &record.addresses {
            let cells = row(&record, address);
            writer.write_record(cells.iter().map(|cell| as_text(cell).into_owned()))?;
        }
    }
    writer.flush()?;
    Ok(())
}

fn row(record: &DeliveryRecord, address: &AddressRecord) -> [String; 16] {
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
        record.note.clone().unwrap_or_default(),
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
