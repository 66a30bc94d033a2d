//! Runs: how each was begun, which is written before its first claim, and when it ended.

use jiff::Timestamp;
use rusqlite::{Connection, Row, params};

use super::error::LedgerError;
use super::queries::Reader;
use super::types::Start;
use super::{columns, machine};
use crate::domain::record::RunRecord;
use crate::domain::run::{Beginning, Confirmation, Counted};

/// Writes down that a run begins, and with what; its number.
pub(super) fn start(connection: &Connection, start: &Start, now: Timestamp) -> Result<i64, LedgerError> {
    connection.execute(
        "INSERT INTO runs (started_at, program, command, digest, confirmed, confirmed_at, person, host)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        params![
            now.as_millisecond(),
            env!("CARGO_PKG_VERSION"),
            start.command,
            start.digest.as_bytes(),
            start.confirmed.map(|(how, _)| how.name()),
            start.confirmed.map(|(_, at)| at.as_millisecond()),
            start.by,
            machine::host(),
        ],
    )?;
    let run = connection.last_insert_rowid();
    let mut insert = connection.prepare("INSERT INTO run_approvals (run, approval) VALUES (?1, ?2)")?;
    for approval in &start.approvals {
        insert.execute([run, *approval])?;
    }
    Ok(run)
}

/// Writes down that a run ended.
pub(super) fn end(connection: &Connection, run: i64, now: Timestamp) -> Result<(), LedgerError> {
    match connection.execute("UPDATE runs SET ended_at = ?2 WHERE run = ?1", [run, now.as_millisecond()])? {
        0 => Err(LedgerError::Unknown { what: format!("run {run}") }),
        _ => Ok(()),
    }
}

impl Reader {
    /// Every run, the first one first.
    ///
    /// # Errors
    /// [`LedgerError`]
    pub fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        let program = if self.has("column", "runs.program")? { "r.program" } else { "NULL" };
        let on_record = self.has("column", "runs.digest")?;
        let began = if on_record {
            "r.command, r.digest, r.confirmed, r.confirmed_at, r.person, r.host"
        } else {
            "NULL, NULL, NULL, NULL, NULL, NULL"
        };
        let mut query = self.connection.prepare(&format!(
            "SELECT r.run, r.started_at, r.ended_at, {program},
                    (SELECT COUNT(*) FROM attempts a WHERE a.run = r.run AND a.outcome IS NOT 'queued'), {began}
             FROM runs r ORDER BY r.run"
        ))?;
        let mut rows = query.query([])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            let run = row.get(0)?;
            let approvals = if on_record { self.counted(run)? } else { Vec::new() };
            runs.push(RunRecord {
                run,
                started_at: columns::time(row, 1)?,
                ended_at: columns::time_or_null(row, 2)?,
                program: row.get(3)?,
                attempts: u64::try_from(row.get::<_, i64>(4)?).unwrap_or(0),
                began: Beginning { approvals, ..beginning(row)? },
            });
        }
        Ok(runs)
    }

    /// The approvals that counted for a run, in the order in which they were given.
    fn counted(&self, run: i64) -> Result<Vec<Counted>, LedgerError> {
        let mut query = self.connection.prepare_cached(
            "SELECT a.approval, a.person, a.at, a.digest FROM run_approvals r JOIN approvals a ON a.approval = r.approval
             WHERE r.run = ?1 ORDER BY a.approval",
        )?;
        let mut rows = query.query([run])?;
        let mut counted = Vec::new();
        while let Some(row) = rows.next()? {
            counted.push(Counted {
                number: row.get(0)?,
                by: row.get(1)?,
                at: columns::time(row, 2)?,
                digest: columns::digest(row, 3)?,
            });
        }
        Ok(counted)
    }
}

/// The columns from the sixth on.
fn beginning(row: &Row<'_>) -> Result<Beginning, LedgerError> {
    let confirmed: Option<String> = row.get(7)?;
    let unknown = |name: &str| LedgerError::Corrupt { what: format!("\"{name}\" is no way to confirm a run") };
    let confirmed = confirmed.map(|name| Confirmation::from_name(&name).ok_or_else(|| unknown(&name))).transpose()?;
    Ok(Beginning {
        command: row.get(5)?,
        digest: columns::digest_or_null(row, 6)?,
        confirmed,
        confirmed_at: columns::time_or_null(row, 8)?,
        by: row.get(9)?,
        host: row.get(10)?,
        approvals: Vec::new(),
    })
}
