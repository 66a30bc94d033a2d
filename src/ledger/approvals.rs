//! Approvals: who approved which batch, and what the batch was, so that a later change can be named letter by letter.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::error::LedgerError;
use super::queries::Reader;
use super::types::{ApprovedBatch, Edition, Source};
use super::{columns, plan};
use crate::domain::approval::{Approval, Withdrawal, is_same_person};
use crate::domain::digest::Digest;
use crate::domain::recipient::{Recipient, RecipientId};

const ALL: &str = "
SELECT a.digest, a.person, a.note, a.at, (SELECT COUNT(*) FROM approved_letters l WHERE l.digest = a.digest),
       a.withdrawn_at, a.withdrawn_note, a.approval
FROM approvals a ORDER BY a.approval";

/// Records an approval, and the batch if nobody approved it before. False if this person's approval of it stands.
pub(super) fn approve(
    connection: &Connection,
    campaign_id: &str,
    batch: &ApprovedBatch,
    person: &str,
    note: &str,
    now: Timestamp,
) -> Result<bool, LedgerError> {
    plan::open_campaign(connection, campaign_id, now)?;
    let stands =
        |one: &Approval| one.digest == batch.digest && one.withdrawn.is_none() && is_same_person(&one.by, person);
    if all(connection)?.iter().any(stands) {
        return Ok(false);
    }
    store(connection, batch)?;
    connection.execute(
        "INSERT INTO approvals (digest, person, note, at) VALUES (?1, ?2, ?3, ?4)",
        params![batch.digest.as_bytes(), person, note, now.as_millisecond()],
    )?;
    Ok(true)
}

fn store(connection: &Connection, batch: &ApprovedBatch) -> Result<(), LedgerError> {
    let digest = batch.digest.as_bytes();
    let stored = connection.execute(
        "INSERT INTO approved_batches (digest, settings) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![digest, batch.edition.settings],
    )?;
    if stored == 0 {
        return Ok(());
    }
    for (place, source) in batch.edition.sources.iter().enumerate() {
        let sha256 = plan::store_source(connection, source)?;
        connection.execute(
            "INSERT INTO approved_sources (digest, place, name, sha256) VALUES (?1, ?2, ?3, ?4)",
            params![digest, i64::try_from(place).unwrap_or(i64::MAX), source.name, sha256.as_bytes()],
        )?;
    }
    let mut insert =
        connection.prepare("INSERT INTO approved_letters (digest, id, letter, recipient) VALUES (?1, ?2, ?3, ?4)")?;
    for (recipient, letter) in &batch.letters {
        insert.execute(params![digest, recipient.id.as_str(), letter.as_bytes(), columns::json(recipient)?])?;
    }
    Ok(())
}

/// Marks a person's approvals of a batch as withdrawn.
pub(super) fn withdraw(
    connection: &Connection,
    digest: Digest,
    person: &str,
    note: &str,
    now: Timestamp,
) -> Result<u64, LedgerError> {
    let mut query =
        connection.prepare("SELECT approval, person FROM approvals WHERE digest = ?1 AND withdrawn_at IS NULL")?;
    let found: Vec<(i64, String)> =
        query.query_map([digest.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    let mut withdrawn = 0;
    for (approval, _) in found.iter().filter(|(_, by)| is_same_person(by, person)) {
        connection.execute(
            "UPDATE approvals SET withdrawn_at = ?2, withdrawn_by = ?3, withdrawn_note = ?4 WHERE approval = ?1",
            params![approval, now.as_millisecond(), person, note],
        )?;
        withdrawn += 1;
    }
    Ok(withdrawn)
}

fn all(connection: &Connection) -> Result<Vec<Approval>, LedgerError> {
    let mut query = connection.prepare(ALL)?;
    let mut rows = query.query([])?;
    let mut approvals = Vec::new();
    while let Some(row) = rows.next()? {
        approvals.push(approval(row)?);
    }
    Ok(approvals)
}

fn approval(row: &Row<'_>) -> Result<Approval, LedgerError> {
    let note = row.get::<_, Option<String>>(6)?.unwrap_or_default();
    Ok(Approval {
        number: row.get(7)?,
        digest: columns::digest(row, 0)?,
        by: row.get(1)?,
        note: row.get(2)?,
        at: columns::time(row, 3)?,
        letters: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
        withdrawn: columns::time_or_null(row, 5)?.map(|at| Withdrawal { at, note }),
    })
}

impl Reader {
    /// Every approval, withdrawn ones too, in the order in which they were given.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn approvals(&self) -> Result<Vec<Approval>, LedgerError> {
        // A ledger that an older program wrote has none until somebody writes to it again.
        if self.has("table", "approvals")? { all(&self.connection) } else { Ok(Vec::new()) }
    }

    /// The batch that was approved last and whose approval stands: its digest, what shapes its letters, and each letter's row
    /// and digest, in the order of the ids. `None` if no approval stands.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn last_approval(&self) -> Result<Option<ApprovedBatch>, LedgerError> {
        let standing = self.approvals()?.into_iter().rev().find(|approval| approval.withdrawn.is_none());
        standing.map(|approval| self.approved_batch(approval.digest)).transpose()
    }

    /// The batch of that digest, which somebody approved.
    ///
    /// # Errors
    /// [`LedgerError`], if nobody did too.
    pub fn approved_batch(&self, digest: Digest) -> Result<ApprovedBatch, LedgerError> {
        let key = digest.as_bytes();
        let sql = "SELECT settings FROM approved_batches WHERE digest = ?1";
        let settings = self.connection.query_row(sql, [key], |row| row.get(0)).optional()?;
        let settings = settings.ok_or_else(|| LedgerError::Unknown { what: format!("approved batch {digest}") })?;
        let mut query = self.connection.prepare_cached(
            "SELECT a.name, s.bytes FROM approved_sources a JOIN sources s ON s.sha256 = a.sha256
             WHERE a.digest = ?1 ORDER BY a.place",
        )?;
        let source = |row: &Row<'_>| Ok(Source { name: row.get(0)?, bytes: row.get(1)? });
        let sources = query.query_map([key], source)?.collect::<Result<_, _>>()?;
        let mut query = self
            .connection
            .prepare_cached("SELECT recipient, letter FROM approved_letters WHERE digest = ?1 ORDER BY id")?;
        let mut rows = query.query([key])?;
        let mut letters: Vec<(Recipient, Digest)> = Vec::new();
        while let Some(row) = rows.next()? {
            letters.push((columns::recipient(row, 0)?, columns::digest(row, 1)?));
        }
        Ok(ApprovedBatch { digest, edition: Edition { settings, sources }, letters })
    }

    /// Who approved, in whatever batch, this very letter of this row: each standing approval's number, and the name.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn approvers_of_letter(&self, id: &RecipientId, letter: Digest) -> Result<Vec<(i64, String)>, LedgerError> {
        if !self.has("table", "approvals")? {
            return Ok(Vec::new());
        }
        let mut query = self.connection.prepare_cached(
            "SELECT a.approval, a.person FROM approvals a JOIN approved_letters l ON l.digest = a.digest
             WHERE l.id = ?1 AND l.letter = ?2 AND a.withdrawn_at IS NULL ORDER BY a.approval",
        )?;
        let names = query.query_map(params![id.as_str(), letter.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(names.collect::<Result<_, _>>()?)
    }
}
