//! Reading columns back: a value that this program cannot have written means a damaged file.

use jiff::Timestamp;
use rusqlite::Row;

use super::error::LedgerError;
use crate::domain::attempt::LastWord;
use crate::domain::delivery::{Event, State};
use crate::domain::digest::Digest;
use crate::domain::message::Field;
use crate::domain::recipient::{Recipient, RecipientId};

fn damaged(what: impl std::fmt::Display) -> LedgerError {
    LedgerError::Corrupt { what: what.to_string() }
}

/// Text, as it lies.
pub(super) fn text<'a>(row: &'a Row<'_>, column: usize) -> Result<&'a str, LedgerError> {
    row.get_ref(column)?.as_str().map_err(damaged)
}

/// A state by its name.
pub(super) fn state(row: &Row<'_>, column: usize) -> Result<State, LedgerError> {
    let name = text(row, column)?;
    State::from_name(name).ok_or_else(|| damaged(format!("\"{name}\" is no state")))
}

/// A header field by its name.
pub(super) fn field(row: &Row<'_>, column: usize) -> Result<Field, LedgerError> {
    let name = text(row, column)?;
    let known = [Field::To, Field::Cc, Field::Bcc].into_iter().find(|field| field.name() == name);
    known.ok_or_else(|| damaged(format!("\"{name}\" is no field")))
}

/// A time.
pub(super) fn time(row: &Row<'_>, column: usize) -> Result<Timestamp, LedgerError> {
    Timestamp::from_millisecond(row.get(column)?).map_err(damaged)
}

/// A time, or NULL.
pub(super) fn time_or_null(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>, LedgerError> {
    let millisecond: Option<i64> = row.get(column)?;
    millisecond.map(|ms| Timestamp::from_millisecond(ms).map_err(damaged)).transpose()
}

/// A small count.
pub(super) fn count(row: &Row<'_>, column: usize) -> Result<u32, LedgerError> {
    u32::try_from(row.get::<_, i64>(column)?).map_err(damaged)
}

/// A digest.
pub(super) fn digest(row: &Row<'_>, column: usize) -> Result<Digest, LedgerError> {
    let bytes = row.get_ref(column)?.as_blob().map_err(damaged)?;
    bytes.try_into().map(Digest::from_bytes).map_err(damaged)
}

/// A digest, or NULL.
pub(super) fn digest_or_null(row: &Row<'_>, column: usize) -> Result<Option<Digest>, LedgerError> {
    let bytes = row.get_ref(column)?.as_blob_or_null().map_err(damaged)?;
    bytes.map(|bytes| bytes.try_into().map(Digest::from_bytes).map_err(damaged)).transpose()
}

/// A last word, or NULL.
pub(super) fn word(row: &Row<'_>, column: usize) -> Result<Option<LastWord>, LedgerError> {
    let json = row.get_ref(column)?.as_str_or_null().map_err(damaged)?;
    json.map(|json| serde_json::from_str(json).map_err(damaged)).transpose()
}

/// A row's data.
pub(super) fn recipient(row: &Row<'_>, column: usize) -> Result<Recipient, LedgerError> {
    serde_json::from_str(text(row, column)?).map_err(damaged)
}

/// A row's id.
pub(super) fn id(row: &Row<'_>, column: usize) -> Result<RecipientId, LedgerError> {
    RecipientId::parse(text(row, column)?).map_err(damaged)
}

/// JSON of a value of ours.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Sql { what: error.to_string() })
}

/// An event by its name.
pub(super) fn event(row: &Row<'_>, column: usize) -> Result<Event, LedgerError> {
    let name = serde_json::Value::from(text(row, column)?);
    serde_json::from_value(name).map_err(damaged)
}
