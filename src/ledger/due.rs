//! What may be sent now, and when something will be: always by an index, so that a million rows cost what ten do.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::columns;
use super::error::LedgerError;
use super::standing::number_of;
use super::types::DueDelivery;
use crate::domain::attempt::DeliveryId;
use crate::domain::delivery::State;
use crate::domain::message::Stamp;
use crate::domain::recipient::RecipientId;

/// A mirror of the chosen deliveries' states with indexes of its own, which a trigger keeps true. Looking the chosen
/// ones up in a list instead would pass over all that are settled, again and again.
const RESTRICTION: &str = "
CREATE TEMP TABLE restricted (number INTEGER PRIMARY KEY, state TEXT NOT NULL, not_before INTEGER);
CREATE INDEX temp.restricted_queued ON restricted (state) WHERE state = 'queued';
CREATE INDEX temp.restricted_deferred ON restricted (not_before) WHERE state = 'deferred';
CREATE TEMP TRIGGER restricted_follows AFTER UPDATE OF state, not_before ON main.deliveries BEGIN
    UPDATE restricted SET state = NEW.state, not_before = NEW.not_before WHERE number = NEW.number;
END;
";

/// From now on only `ids` are due; `None` lifts that.
pub(super) fn restrict(connection: &Connection, ids: Option<&[RecipientId]>) -> Result<(), LedgerError> {
    connection
        .execute_batch("DROP TRIGGER IF EXISTS temp.restricted_follows; DROP TABLE IF EXISTS temp.restricted;")?;
    let Some(ids) = ids else { return Ok(()) };
    connection.execute_batch(RESTRICTION)?;
    let mut insert = connection.prepare(
        "INSERT OR IGNORE INTO restricted SELECT number, state, not_before FROM main.deliveries WHERE number = ?1",
    )?;
    for id in ids {
        let number = number_of(connection, id)?;
        insert.execute([number.ok_or_else(|| LedgerError::Unknown { what: format!("row {id}") })?])?;
    }
    Ok(())
}

fn table(connection: &Connection) -> Result<&'static str, LedgerError> {
    let restricted = "SELECT EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE name = 'restricted')";
    let restricted: bool = connection.prepare_cached(restricted)?.query_row([], |row| row.get(0))?;
    Ok(if restricted { "restricted" } else { "deliveries" })
}

/// Up to `limit` deliveries: queued ones by position, then deferred ones that have waited long enough.
pub(super) fn due(
    connection: &Connection,
    now: Timestamp,
    limit: usize,
    except: &HashSet<DeliveryId>,
) -> Result<Vec<DueDelivery>, LedgerError> {
    let table = table(connection)?;
    let queued = format!(
        "SELECT number FROM {table} INDEXED BY {table}_queued WHERE state = 'queued' AND ?1 IS NOT NULL ORDER BY number"
    );
    let deferred = format!(
        "SELECT number FROM {table} INDEXED BY {table}_deferred
         WHERE state = 'deferred' AND not_before <= ?1 ORDER BY not_before, number"
    );
    let mut due = Vec::new();
    for sql in [queued, deferred] {
        let mut query = connection.prepare_cached(&sql)?;
        let mut rows = query.query([now.as_millisecond()])?;
        while due.len() < limit
            && let Some(row) = rows.next()?
        {
            let number = DeliveryId(row.get(0)?);
            if !except.contains(&number) {
                due.push(one(connection, number)?);
            }
        }
    }
    Ok(due)
}

fn one(connection: &Connection, number: DeliveryId) -> Result<DueDelivery, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT r.recipient, d.attempts, d.edition, d.digest, d.tries
         FROM deliveries d JOIN recipients r ON r.number = d.number WHERE d.number = ?1",
    )?;
    let mut rows = query.query([number.0])?;
    let Some(row) = rows.next()? else {
        return Err(LedgerError::Corrupt { what: format!("delivery {} has no row", number.0) });
    };
    let tried = row.get::<_, i64>(4)? > 0;
    Ok(DueDelivery {
        number,
        recipient: columns::recipient(row, 0)?,
        addresses: open_addresses(connection, number)?,
        attempts: columns::count(row, 1)?,
        edition: row.get(2)?,
        digest: columns::digest(row, 3)?,
        earlier: if tried { earlier(connection, number)? } else { None },
    })
}

fn open_addresses(connection: &Connection, number: DeliveryId) -> Result<Vec<String>, LedgerError> {
    let sql = "SELECT address FROM addresses WHERE delivery = ?1 AND state IN (?2, ?3) ORDER BY place";
    let mut query = connection.prepare_cached(sql)?;
    let states = params![number.0, State::Queued.name(), State::Deferred.name()];
    Ok(query.query_map(states, |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn earlier(connection: &Connection, number: DeliveryId) -> Result<Option<Stamp>, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT message_id, date FROM attempts
         WHERE delivery = ?1 AND outcome = 'uncertain' ORDER BY number DESC LIMIT 1",
    )?;
    let mut rows = query.query([number.0])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Stamp { message_id: row.get(0)?, date: columns::time(row, 1)? }))
}

/// When the first deferred delivery is due.
pub(super) fn next_due(connection: &Connection) -> Result<Option<Timestamp>, LedgerError> {
    let table = table(connection)?;
    let sql = format!(
        "SELECT not_before FROM {table} INDEXED BY {table}_deferred
         WHERE state = 'deferred' AND not_before IS NOT NULL ORDER BY not_before LIMIT 1"
    );
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query([])?;
    rows.next()?.map(|row| columns::time(row, 0)).transpose()
}

/// To how many addresses letters were handed over since `since`, minute by minute: when the last of that minute was, and
/// how many. An intent counts, whatever became of it, because the relay may have counted it too.
pub(super) fn handed_over_since(
    connection: &Connection,
    since: Timestamp,
) -> Result<Vec<(Timestamp, u32)>, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT MAX(intent_at), SUM(addresses) FROM attempts INDEXED BY attempts_intent
         WHERE intent_at >= ?1 GROUP BY intent_at / 60000 ORDER BY 1",
    )?;
    let mut rows = query.query([since.as_millisecond()])?;
    let mut minutes = Vec::new();
    while let Some(row) = rows.next()? {
        minutes.push((columns::time(row, 0)?, columns::count(row, 1)?));
    }
    Ok(minutes)
}
