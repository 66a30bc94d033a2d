//! Reading the ledger, without the lock and beside whoever writes: states, attempts and what is frozen.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction};

use super::error::LedgerError;
use super::lock::{self, Lock, NobodyWrites};
use super::machine::Mark;
use super::standing::number_of;
use super::types::{Campaign, Edition, Source};
use super::{columns, open, outcome, plan, word};
use crate::domain::attempt::{DeliveryId, LastWord};
use crate::domain::delivery::{Event, State};
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

/// One moment of a ledger, for as long as it lives.
struct Moment<'a> {
    _transaction: Option<Transaction<'a>>,
    /// No process writes, so that what is in flight by the ledger was left so by a run that is gone: it is read as the next
    /// start will find it ([`super::Ledger::recover`]).
    left: bool,
}

impl Moment<'_> {
    fn state(&self, state: State) -> State {
        if self.left { state.next(Event::Recover).unwrap_or(state) } else { state }
    }
}

/// A read-only view of a ledger. Each method sees one moment; two calls may see two. A letter that is in flight by the
/// ledger although no process writes to it is told as what the next start makes of it: uncertain if it was handed over.
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

    /// Which other process writes to the ledger now, if one does: its id, its purpose and since when.
    #[must_use]
    pub fn holder(&self) -> Option<String> {
        let own = format!("process {},", std::process::id());
        Lock::holder(&self.path).filter(|holder| !holder.starts_with(&own))
    }

    /// What tells the ledger from others; `None` if it is of the first version.
    pub(super) fn mark(&self) -> Result<Option<Mark>, LedgerError> {
        if !self.has("table", "mark")? {
            return Ok(None);
        }
        Ok(self.connection.query_row("SELECT mark FROM mark", [], |row| row.get(0)).optional()?)
    }

    /// Whether somebody writes and what is on record belong to the same moment: while it begins, nobody can start to write.
    fn moment(&self) -> Result<Moment<'_>, LedgerError> {
        if !self.connection.is_autocommit() {
            return Ok(Moment { _transaction: None, left: false });
        }
        // What the emergency journal knows of letters in flight is taken over by whoever writes next.
        let journal = std::fs::symlink_metadata(lock::beside(&self.path, ".journal"));
        let nobody = if journal.is_ok() { None } else { NobodyWrites::now(&self.path) };
        let transaction = self.connection.unchecked_transaction()?;
        // It begins with the first read.
        self.connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(Moment { _transaction: Some(transaction), left: nobody.is_some() })
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
        let moment = self.moment()?;
        let mut query = self.connection.prepare_cached("SELECT state, COUNT(*) FROM deliveries GROUP BY state")?;
        let mut rows = query.query([])?;
        let mut counts = Counts::default();
        while let Some(row) = rows.next()? {
            counts.add(moment.state(columns::state(row, 0)?), u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0));
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
        let moment = self.moment()?;
        let mut query = self.connection.prepare_cached(&format!("{DELIVERY} ORDER BY d.number"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(self.record(row, &moment)?);
        }
        Ok(())
    }

    /// Gives every delivery that failed, was deferred or is uncertain to `each`, by position.
    ///
    /// # Errors
    /// [`LedgerError`]; `each` may have been called before.
    pub fn open_deliveries(&self, each: &mut dyn FnMut(DeliveryRecord)) -> Result<(), LedgerError> {
        let moment = self.moment()?;
        let left = if moment.left { ", 'handed-over'" } else { "" };
        let open = format!("WHERE d.state IN ('failed', 'deferred', 'uncertain'{left}) ORDER BY d.number");
        let mut query = self.connection.prepare_cached(&format!("{DELIVERY} {open}"))?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            each(self.record(row, &moment)?);
        }
        Ok(())
    }

    /// The delivery of that row, if there is one.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn delivery(&self, id: &RecipientId) -> Result<Option<DeliveryRecord>, LedgerError> {
        let moment = self.moment()?;
        let mut query = self.connection.prepare_cached(&format!("{DELIVERY} WHERE d.id = ?1"))?;
        let mut rows = query.query([id.as_str()])?;
        rows.next()?.map(|row| self.record(row, &moment)).transpose()
    }

    fn record(&self, row: &Row<'_>, moment: &Moment<'_>) -> Result<DeliveryRecord, LedgerError> {
        let number: i64 = row.get(0)?;
        let on_record = columns::state(row, 3)?;
        let state = moment.state(on_record);
        let mut record = DeliveryRecord {
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
        };
        if moment.left && matches!(on_record, State::Sending | State::HandedOver) {
            let word = (on_record == State::HandedOver).then(|| outcome::cut_off(record.date.unwrap_or_default()));
            as_left(&mut record.addresses, word.as_ref());
            record.attempts += u32::from(word.is_some());
            record.last = word.or(record.last);
        }
        Ok(record)
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
        let moment = self.moment()?;
        let Some(delivery) = number_of(&self.connection, id)? else { return Ok(Vec::new()) };
        let mut query = self.connection.prepare_cached(
            "SELECT number, run, claimed_at, intent_at, settled_at, outcome, word
             FROM attempts WHERE delivery = ?1 ORDER BY number",
        )?;
        let mut rows = query.query([delivery])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            attempts.push(self.attempt(delivery, row, &moment)?);
        }
        Ok(attempts)
    }

    fn attempt(&self, delivery: i64, row: &Row<'_>, moment: &Moment<'_>) -> Result<AttemptRecord, LedgerError> {
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
        let mut attempt = AttemptRecord {
            number,
            run: row.get(1)?,
            claimed_at: columns::time(row, 2)?,
            intent_at: columns::time_or_null(row, 3)?,
            settled_at,
            outcome: if settled_at.is_some() { Some(columns::state(row, 5)?) } else { None },
            word: columns::word(row, 6)?,
            addresses,
        };
        if attempt.settled_at.is_none() && moment.left {
            let word = attempt.intent_at.map(outcome::cut_off);
            as_left(&mut attempt.addresses, word.as_ref());
            attempt.outcome = Some(if word.is_some() { State::Uncertain } else { State::Queued });
            attempt.word = word;
        }
        Ok(attempt)
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

    /// True if a person's word that the row's letter was `sent`, or was not, would correct an earlier word on it.
    ///
    /// # Errors
    /// [`LedgerError`], if the row is unknown too.
    pub fn correctable(&self, id: &RecipientId, sent: bool) -> Result<bool, LedgerError> {
        word::correctable(&self.connection, id, sent)
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

/// What becomes of addresses in flight whose run is gone; `word` is said of those that were handed over.
fn as_left(addresses: &mut [AddressRecord], word: Option<&LastWord>) {
    for address in addresses {
        if let Ok(after) = address.state.next(Event::Recover) {
            address.state = after;
            address.word = word.cloned().or_else(|| address.word.take());
        }
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
