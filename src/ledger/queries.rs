//! Reading the ledger, without the lock and beside whoever writes: states, attempts and what is frozen.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Row};

use super::error::LedgerError;
use super::standing::number_of;
use super::types::{Campaign, Edition, Source};
use super::{columns, open, plan};
use crate::domain::attempt::DeliveryId;
use crate::domain::delivery::State;
use crate::domain::digest::{BatchHash, Digest};
use crate::domain::recipient::RecipientId;
use crate::domain::record::{AddressRecord, AttemptRecord, Counts, DeliveryRecord, Remark};

const DELIVERY: &str = "
SELECT d.number, d.id, r.recipient, d.state,
       (SELECT COUNT(DISTINCT a.attempt) FROM attempt_addresses a WHERE a.delivery = d.number AND a.state != 'queued'),
       d.digest, d.edition, d.not_before, d.note, t.message_id, t.date,
       (SELECT w.word FROM attempts w WHERE w.delivery = d.number AND w.word IS NOT NULL ORDER BY w.number DESC LIMIT 1)
FROM deliveries d
JOIN recipients r ON r.number = d.number
LEFT JOIN attempts t ON t.delivery = d.number AND t.number = d.tries";

/// A read-only view of a ledger. Each method sees one moment; two calls may see two.
#[derive(Debug)]
pub struct Reader {
    pub(super) connection: Connection,
    path: PathBuf,
}

impl Reader {
    /// Opens the ledger at `path` to read.
    ///
    /// # Errors
    /// [`LedgerError`], if there is none or it is not one of ours that this program knows.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { connection: open::readable(path)?, path: path.to_owned() })
    }

    /// Another reader of the same file.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn again(&self) -> Result<Self, LedgerError> {
        Self::open(&self.path)
    }

    /// Whose ledger it is; `None` before the first enrolment.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn campaign(&self) -> Result<Option<Campaign>, LedgerError> {
        let mut query = self.connection.prepare_cached("SELECT id, key, created_at FROM campaign")?;
        let mut rows = query.query([])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        Ok(Some(Campaign { id: row.get(0)?, key: row.get(1)?, created_at: columns::time(row, 2)? }))
    }

    /// How many deliveries are in which state.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn counts(&self) -> Result<Counts, LedgerError> {
        let mut query = self.connection.prepare_cached("SELECT state, COUNT(*) FROM deliveries GROUP BY state")?;
        let mut rows = query.query([])?;
        let mut counts = Counts::default();
        while let Some(row) = rows.next()? {
            counts.add(columns::state(row, 0)?, u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
        }
        Ok(counts)
    }

    /// The digest of the batch as planned: the one that `Digest::of_batch` gives for every delivery that is not suppressed.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn batch_digest(&self) -> Result<Digest, LedgerError> {
        // SQLite compares text byte by byte, as `of_batch` does.
        let mut query = self
            .connection
            .prepare_cached("SELECT id, digest FROM deliveries WHERE state != 'suppressed' ORDER BY id")?;
        let mut rows = query.query([])?;
        let mut hash = BatchHash::default();
        while let Some(row) = rows.next()? {
            hash.add(columns::text(row, 0)?, columns::digest(row, 1)?);
        }
        Ok(hash.finish())
    }

    /// Gives every delivery to `each`, by position, without holding them all.
    ///
    /// # Errors
    /// [`LedgerError`]; `each` may have been called before.
    pub fn deliveries(&self, each: &mut dyn FnMut(DeliveryRecord)) -> Result<(), LedgerError> {
        let _one_moment = self.connection.unchecked_transaction()?;
        let mut query = self.connection.prepare_cached(&format!("{DELIVERY} ORDER BY d.number"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(self.record(row)?);
        }
        Ok(())
    }

    /// Gives every delivery that failed, was deferred or is uncertain to `each`, by position.
    ///
    /// # Errors
    /// [`LedgerError`]; `each` may have been called before.
    pub fn open_deliveries(&self, each: &mut dyn FnMut(DeliveryRecord)) -> Result<(), LedgerError> {
        let _one_moment = self.connection.unchecked_transaction()?;
        let open = "WHERE d.state IN ('failed', 'deferred', 'uncertain') ORDER BY d.number";
        let mut query = self.connection.prepare_cached(&format!("{DELIVERY} {open}"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(self.record(row)?);
        }
        Ok(())
    }

    /// The delivery of that row, if there is one.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn delivery(&self, id: &RecipientId) -> Result<Option<DeliveryRecord>, LedgerError> {
        let _one_moment = self.connection.unchecked_transaction()?;
        let mut query = self.connection.prepare_cached(&format!("{DELIVERY} WHERE d.id = ?1"))?;
        let mut rows = query.query([id.as_str()])?;
        rows.next()?.map(|row| self.record(row)).transpose()
    }

    fn record(&self, row: &Row<'_>) -> Result<DeliveryRecord, LedgerError> {
        let number: i64 = row.get(0)?;
        let state = columns::state(row, 3)?;
        Ok(DeliveryRecord {
            number: DeliveryId(number),
            id: columns::id(row, 1)?,
            recipient: columns::recipient(row, 2)?,
            state,
            addresses: self.addresses(number)?,
            attempts: columns::count(row, 4)?,
            message_id: row.get(9)?,
            date: columns::time_or_null(row, 10)?,
            digest: columns::digest(row, 5)?,
            edition: row.get(6)?,
            not_before: columns::time_or_null(row, 7)?.filter(|_| state == State::Deferred),
            last: columns::word(row, 11)?,
            note: row.get(8)?,
        })
    }

    fn addresses(&self, number: i64) -> Result<Vec<AddressRecord>, LedgerError> {
        let sql = "SELECT address, field, state, word FROM addresses WHERE delivery = ?1 ORDER BY place";
        let mut query = self.connection.prepare_cached(sql)?;
        let mut rows = query.query([number])?;
        all_addresses(&mut rows)
    }

    /// Every attempt on that row, the first one first.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn attempts(&self, id: &RecipientId) -> Result<Vec<AttemptRecord>, LedgerError> {
        let _one_moment = self.connection.unchecked_transaction()?;
        let Some(delivery) = number_of(&self.connection, id)? else { return Ok(Vec::new()) };
        let mut query = self.connection.prepare_cached(
            "SELECT number, run, claimed_at, intent_at, settled_at, outcome, word
             FROM attempts WHERE delivery = ?1 ORDER BY number",
        )?;
        let mut rows = query.query([delivery])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            attempts.push(self.attempt(delivery, row)?);
        }
        Ok(attempts)
    }

    fn attempt(&self, delivery: i64, row: &Row<'_>) -> Result<AttemptRecord, LedgerError> {
        let settled_at = columns::time_or_null(row, 4)?;
        let number = columns::count(row, 0)?;
        let addresses = if settled_at.is_some() {
            let mut query = self.connection.prepare_cached(
                "SELECT address, field, state, word FROM attempt_addresses
                 WHERE delivery = ?1 AND attempt = ?2 ORDER BY place",
            )?;
            all_addresses(&mut query.query([delivery, i64::from(number)])?)?
        } else {
            // An attempt that goes on: its addresses are those in flight.
            let in_flight = |state| matches!(state, State::Sending | State::HandedOver);
            self.addresses(delivery)?.into_iter().filter(|address| in_flight(address.state)).collect()
        };
        Ok(AttemptRecord {
            number,
            run: row.get(1)?,
            claimed_at: columns::time(row, 2)?,
            intent_at: columns::time_or_null(row, 3)?,
            settled_at,
            outcome: if settled_at.is_some() { Some(columns::state(row, 5)?) } else { None },
            word: columns::word(row, 6)?,
            addresses,
        })
    }

    /// What people said about that row, in the order in which they did.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn remarks(&self, id: &RecipientId) -> Result<Vec<Remark>, LedgerError> {
        let mut remarks = Vec::new();
        self.all_remarks(&mut |of, remark| {
            if of == id.as_str() {
                remarks.push(remark);
            }
        })?;
        Ok(remarks)
    }

    /// What is frozen under that number.
    ///
    /// # Errors
    /// [`LedgerError`], if there is no such edition too.
    pub fn edition(&self, edition: i64) -> Result<Edition, LedgerError> {
        let sql = "SELECT settings FROM editions WHERE edition = ?1";
        let settings = self.connection.query_row(sql, [edition], |row| row.get(0)).optional()?;
        let unknown = || LedgerError::Unknown { what: format!("edition {edition}") };
        let settings = settings.ok_or_else(unknown)?;
        let mut query = self.connection.prepare_cached(
            "SELECT e.name, s.bytes FROM edition_sources e JOIN sources s ON s.sha256 = e.sha256
             WHERE e.edition = ?1 ORDER BY e.place",
        )?;
        let source = |row: &Row<'_>| Ok(Source { name: row.get(0)?, bytes: row.get(1)? });
        let sources = query.query_map([edition], source)?.collect::<Result<_, _>>()?;
        Ok(Edition { settings, sources })
    }

    /// The number of the edition that new rows render from; `None` before the first enrolment.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn latest_edition(&self) -> Result<Option<i64>, LedgerError> {
        plan::latest_edition(&self.connection)
    }
}

fn all_addresses(rows: &mut rusqlite::Rows<'_>) -> Result<Vec<AddressRecord>, LedgerError> {
    let mut addresses = Vec::new();
    while let Some(row) = rows.next()? {
        addresses.push(AddressRecord {
            address: row.get(0)?,
            field: columns::field(row, 1)?,
            state: columns::state(row, 2)?,
            word: columns::word(row, 3)?,
        });
    }
    Ok(addresses)
}
