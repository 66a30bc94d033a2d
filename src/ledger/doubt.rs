//! Letters that a person wants sent again although they may have arrived. The word holds for the run that it is said to: what
//! that run does not come to is uncertain as before, so that no later one sends it without a word, or calls it never sent.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::error::LedgerError;
use super::standing::Standing;
use super::word;
use crate::domain::attempt::DeliveryId;
use crate::domain::delivery::{Event, State};
use crate::domain::recipient::RecipientId;

/// Queues the uncertain addresses of a delivery again, by a person's word.
pub(super) fn send_again(
    connection: &Connection,
    id: &RecipientId,
    (note, by): (&str, Option<&str>),
    now: Timestamp,
) -> Result<(), LedgerError> {
    let mut standing = Standing::of_id(connection, id)?;
    standing.state().next(Event::SendAgain)?;
    for address in standing.addresses.iter_mut().filter(|address| address.state == State::Uncertain) {
        address.step(Event::SendAgain)?;
    }
    standing.save(connection)?;
    word::remark(connection, standing.number, Event::SendAgain, (note, by), now)
}

/// Makes what was to be sent again, and was not, uncertain; the numbers of those deliveries. To be called where no run is.
pub(super) fn take_back(connection: &Connection) -> Result<Vec<i64>, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT DISTINCT d.number FROM remarks r JOIN deliveries d ON d.number = r.delivery
         WHERE r.event = 'send-again' AND d.state IN ('queued', 'deferred')",
    )?;
    let candidates: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut taken_back = Vec::new();
    for number in candidates {
        let doubtful = in_doubt(connection, number)?;
        if doubtful.is_empty() {
            continue;
        }
        let mut standing = Standing::load(connection, DeliveryId(number))?;
        for address in standing.addresses.iter_mut().filter(|address| doubtful.contains(&address.path)) {
            address.step(Event::Doubt)?;
        }
        standing.save(connection)?;
        taken_back.push(number);
    }
    Ok(taken_back)
}

/// The addresses that wait only because a person wants them sent again: the last attempt that came to an end for one is
/// uncertain, and nobody has found out since whether it arrived.
pub(super) fn in_doubt(connection: &Connection, number: i64) -> Result<Vec<String>, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT a.address FROM addresses a WHERE a.delivery = ?1 AND a.state = 'queued'
         AND (SELECT t.state FROM attempt_addresses t
              WHERE t.delivery = a.delivery AND t.address = a.address AND t.state <> 'queued'
              ORDER BY t.attempt DESC LIMIT 1) = 'uncertain'
         AND (SELECT r.event FROM remarks r
              WHERE r.delivery = a.delivery AND r.event IN ('send-again', 'resolve-sent', 'resolve-not-sent')
              ORDER BY r.remark DESC LIMIT 1) = 'send-again'",
    )?;
    Ok(query.query_map(params![number], |row| row.get(0))?.collect::<Result<_, _>>()?)
}
