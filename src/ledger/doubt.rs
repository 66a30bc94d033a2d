//! Letters that a person wants sent again although they may have arrived. The word holds for the run that it is said to: what
//! that run does not come to is uncertain as before, so that no later one sends it without a word, or calls it never sent.

use jiff::Timestamp;
use rusqlite::Connection;

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
        "SELECT DISTINCT r.delivery FROM remarks r JOIN addresses a ON a.delivery = r.delivery
         WHERE r.event = 'send-again' AND a.state = 'queued'",
    )?;
    let candidates: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut taken_back = Vec::new();
    for number in candidates {
        let mut standing = Standing::load(connection, DeliveryId(number))?;
        let doubtful = in_doubt(connection, &standing)?;
        if doubtful.is_empty() {
            continue;
        }
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
pub(super) fn in_doubt(connection: &Connection, standing: &Standing) -> Result<Vec<String>, LedgerError> {
    let mut doubtful = Vec::new();
    if !is_last_word(connection, standing.number)? {
        return Ok(doubtful);
    }
    for address in standing.addresses.iter().filter(|address| address.state == State::Queued) {
        if word::seen(connection, standing.number, &address.path)? == Some(State::Uncertain) {
            doubtful.push(address.path.clone());
        }
    }
    Ok(doubtful)
}

/// True if the last thing that a person said of a delivery is to send it again.
fn is_last_word(connection: &Connection, number: i64) -> Result<bool, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT event = 'send-again' FROM remarks
         WHERE delivery = ?1 AND event IN ('send-again', 'resolve-sent', 'resolve-not-sent') ORDER BY remark DESC LIMIT 1",
    )?;
    let mut rows = query.query([number])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?.unwrap_or(false))
}
