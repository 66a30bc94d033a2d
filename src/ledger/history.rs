//! Reading what happened when, for a report: settled attempts, what people said; and every table as lines of JSON.

use jiff::Timestamp;
use rusqlite::types::ValueRef;
use rusqlite::{OptionalExtension as _, Row};
use serde_json::{Map, Value, json};

use super::columns;
use super::error::LedgerError;
use super::queries::Reader;
use super::types::HandedOver;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::record::{DeliveryRecord, Remark};

/// What an export holds, in the order in which it is read: each table's name in the lines, and how it is selected. The
/// campaign's key and the sources' bytes are left out: the one is nobody's business, the others stand beside the export.
const EXPORT: [(&str, &str); 18] = [
    ("rehearsal", "SELECT one AS rehearsal FROM rehearsal"),
    ("campaign", "SELECT id, created_at FROM campaign"),
    ("editions", "SELECT edition, settings FROM editions ORDER BY edition"),
    ("edition_sources", "SELECT edition, place, name, sha256 FROM edition_sources ORDER BY edition, place"),
    ("sources", "SELECT sha256, length(bytes) AS octets FROM sources ORDER BY sha256"),
    ("runs", "SELECT * FROM runs ORDER BY run"),
    ("approved_batches", "SELECT digest, settings FROM approved_batches ORDER BY digest"),
    ("approved_sources", "SELECT digest, place, name, sha256 FROM approved_sources ORDER BY digest, place"),
    ("approvals", "SELECT * FROM approvals ORDER BY approval"),
    ("run_approvals", "SELECT run, approval FROM run_approvals ORDER BY run, approval"),
    ("approved_letters", "SELECT digest, id, letter, recipient FROM approved_letters ORDER BY digest, id"),
    ("deliveries", "SELECT * FROM deliveries ORDER BY number"),
    ("recipients", "SELECT number, recipient FROM recipients ORDER BY number"),
    ("former_recipients", "SELECT * FROM former_recipients ORDER BY delivery, last_attempt"),
    ("addresses", "SELECT * FROM addresses ORDER BY delivery, place"),
    ("attempts", "SELECT * FROM attempts ORDER BY delivery, number"),
    ("attempt_addresses", "SELECT * FROM attempt_addresses ORDER BY delivery, attempt, place"),
    ("remarks", "SELECT * FROM remarks ORDER BY remark"),
];

impl Reader {
    /// True if the file has that `table`, or a column written `table.column`: a ledger that an older program wrote may lack
    /// some until somebody writes to it again.
    pub(super) fn has(&self, kind: &str, name: &str) -> Result<bool, LedgerError> {
        let sql = match kind {
            "column" => {
                "SELECT EXISTS (SELECT 1 FROM sqlite_schema s, pragma_table_info(s.name) c \
                         WHERE s.type = 'table' AND s.name || '.' || c.name = ?1)"
            }
            _ => "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)",
        };
        Ok(self.connection.prepare_cached(sql)?.query_row([name], |row| row.get(0))?)
    }

    /// True if it is the record of a rehearsal: nothing of it was sent.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn is_rehearsal(&self) -> Result<bool, LedgerError> {
        self.has("table", "rehearsal")
    }

    /// When attempts were settled, and as what, in the order of time; those that were given back are left out. One that a main
    /// address took is accepted, whatever became of its copies ([`State::mission_has_it`]).
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn settled(&self) -> Result<Vec<(Timestamp, State)>, LedgerError> {
        let mut query = self.connection.prepare(
            "SELECT settled_at,
                    CASE WHEN EXISTS (SELECT 1 FROM attempt_addresses a WHERE a.delivery = t.delivery AND a.attempt = t.number
                                      AND a.field = 'to' AND a.state = 'accepted')
                    THEN 'accepted' ELSE outcome END
             FROM attempts t WHERE settled_at IS NOT NULL AND outcome != 'queued' ORDER BY settled_at",
        )?;
        let mut rows = query.query([])?;
        let mut settled = Vec::new();
        while let Some(row) = rows.next()? {
            settled.push((columns::time(row, 0)?, columns::state(row, 1)?));
        }
        Ok(settled)
    }

    /// Gives every remark to `each`, with the id of its row, in the order in which they were made.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn all_remarks(&self, each: &mut dyn FnMut(&str, Remark)) -> Result<(), LedgerError> {
        let person = if self.has("column", "remarks.person")? { "r.person" } else { "NULL" };
        let mut query = self.connection.prepare(&format!(
            "SELECT r.at, r.event, r.note, {person}, d.id FROM remarks r JOIN deliveries d ON d.number = r.delivery
             ORDER BY r.remark"
        ))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let remark = Remark {
                at: columns::time(row, 0)?,
                event: columns::event(row, 1)?,
                note: row.get(2)?,
                by: row.get(3)?,
            };
            each(columns::text(row, 4)?, remark);
        }
        Ok(())
    }

    /// Every attempt on a delivery that handed a message over, with the row and the edition that it was made of.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn handed_over(&self, record: &DeliveryRecord) -> Result<Vec<HandedOver>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT number, message_id, date, bytes_digest FROM attempts
             WHERE delivery = ?1 AND intent_at IS NOT NULL ORDER BY number",
        )?;
        let mut rows = query.query([record.number.0])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            let number = columns::count(row, 0)?;
            let (recipient, edition, letter) = match self.former(record.number.0, number)? {
                Some(former) => former,
                None => (record.recipient.clone(), record.edition, record.digest),
            };
            attempts.push(HandedOver {
                number,
                message_id: row.get(1)?,
                date: columns::time(row, 2)?,
                bytes_digest: columns::digest(row, 3)?,
                recipient,
                edition,
                letter,
            });
        }
        Ok(attempts)
    }

    /// The row that attempt `number` was made of, if it was corrected since.
    fn former(
        &self,
        delivery: i64,
        number: u32,
    ) -> Result<Option<(crate::domain::recipient::Recipient, i64, Digest)>, LedgerError> {
        if !self.has("table", "former_recipients")? {
            return Ok(None);
        }
        let mut query = self.connection.prepare_cached(
            "SELECT recipient, edition, digest FROM former_recipients
             WHERE delivery = ?1 AND last_attempt >= ?2 ORDER BY last_attempt LIMIT 1",
        )?;
        let mut rows = query.query([delivery, i64::from(number)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some((columns::recipient(row, 0)?, row.get(1)?, columns::digest(row, 2)?)))
    }

    /// Gives every row of every table that matters to `each`, as `{"table": …, column: value, …}`: times are RFC 3339, digests
    /// hexadecimal. Nothing of it is a secret; the whole is read as of one moment.
    ///
    /// # Errors
    /// [`LedgerError`], and what `each` gives as text.
    pub fn export(&self, each: &mut dyn FnMut(&Value) -> Result<(), LedgerError>) -> Result<(), LedgerError> {
        let _one_moment = self.connection.unchecked_transaction()?;
        let version: i64 = self.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        each(&json!({ "table": "ledger", "version": version, "program": env!("CARGO_PKG_VERSION") }))?;
        for (table, sql) in EXPORT {
            if !self.has("table", table)? {
                continue;
            }
            let mut query = self.connection.prepare(sql)?;
            let names: Vec<String> = query.column_names().map(ToString::to_string).collect();
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                each(&line(table, &names, row)?)?;
            }
        }
        Ok(())
    }

    /// The bytes of a source by its digest.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn source(&self, sha256: Digest) -> Result<Option<Vec<u8>>, LedgerError> {
        let sql = "SELECT bytes FROM sources WHERE sha256 = ?1";
        Ok(self.connection.query_row(sql, [sha256.as_bytes()], |row| row.get(0)).optional()?)
    }

    /// The digests of all sources.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn source_digests(&self) -> Result<Vec<Digest>, LedgerError> {
        let mut query = self.connection.prepare("SELECT sha256 FROM sources ORDER BY sha256")?;
        let mut rows = query.query([])?;
        let mut digests = Vec::new();
        while let Some(row) = rows.next()? {
            digests.push(columns::digest(row, 0)?);
        }
        Ok(digests)
    }
}

fn line(table: &str, names: &[String], row: &Row<'_>) -> Result<Value, LedgerError> {
    let mut line = Map::new();
    line.insert("table".to_owned(), json!(table));
    for (column, name) in names.iter().enumerate() {
        line.insert(name.clone(), value(name, row.get_ref(column)?)?);
    }
    Ok(Value::Object(line))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn value(name: &str, cell: ValueRef<'_>) -> Result<Value, LedgerError> {
    let damaged = |what: String| LedgerError::Corrupt { what };
    let is_time = name.ends_with("_at") || matches!(name, "at" | "date" | "not_before");
    Ok(match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(ms) if is_time => {
            json!(Timestamp::from_millisecond(ms).map_err(|error| damaged(error.to_string()))?)
        }
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) => json!(number),
        ValueRef::Blob(bytes) => json!(hex(bytes)),
        ValueRef::Text(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|error| damaged(error.to_string()))?;
            match name {
                "recipient" | "word" | "settings" => {
                    serde_json::from_str(text).map_err(|error| damaged(error.to_string()))?
                }
                _ => json!(text),
            }
        }
    })
}
