//! A person's word: send it again, it did arrive, it did not, never send it.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::columns;
use super::doubt;
use super::error::LedgerError;
use super::standing::{Address, Standing};
use crate::domain::delivery::{Event, IllegalTransition, State};
use crate::domain::recipient::RecipientId;

/// Queues the failed and deferred addresses of deliveries again, but for those named beside each, and counts their attempts
/// anew; how many deliveries that changed. An uncertain delivery is left alone: it needs [`resolve`] first.
pub(super) fn requeue(connection: &Connection, what: &[(RecipientId, Vec<String>)]) -> Result<u64, LedgerError> {
    let mut requeued = 0;
    for (id, except) in what {
        let mut standing = Standing::of_id(connection, id)?;
        if !matches!(standing.state(), State::Queued | State::Deferred | State::Failed) {
            continue;
        }
        let again = |address: &Address| {
            matches!(address.state, State::Deferred | State::Failed) && !except.contains(&address.path)
        };
        if !standing.addresses.iter().any(again) {
            continue;
        }
        for address in standing.addresses.iter_mut().filter(|address| again(address)) {
            address.step(Event::Requeue)?;
        }
        standing.attempts = 0;
        standing.save(connection)?;
        requeued += 1;
    }
    Ok(requeued)
}

/// What an address's last attempt ended as, but for those that were given back.
pub(super) fn seen(connection: &Connection, number: i64, address: &str) -> Result<Option<State>, LedgerError> {
    let mut query = connection.prepare_cached(
        "SELECT state FROM attempt_addresses WHERE delivery = ?1 AND address = ?2 AND state != 'queued'
         ORDER BY attempt DESC LIMIT 1",
    )?;
    let mut rows = query.query(params![number, address])?;
    rows.next()?.map(|row| columns::state(row, 0)).transpose()
}

/// True if a person's word can correct another: addresses rest on nothing else, and the word is the contrary one.
pub(super) fn correctable(connection: &Connection, id: &RecipientId, sent: bool) -> Result<bool, LedgerError> {
    let standing = Standing::of_id(connection, id)?;
    if standing.state() == State::Uncertain || standing.addresses.iter().any(Address::in_flight) {
        return Ok(false);
    }
    for address in &standing.addresses {
        if Event::of_word(address.state, seen(connection, standing.number, &address.path)?, sent).is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Records what a person knows of the uncertain addresses; where none is, of those that another word settled. The remark is
/// what was said, whether or not it corrects an earlier one: all of them stay, and the last one counts.
pub(super) fn resolve(
    connection: &Connection,
    id: &RecipientId,
    sent: bool,
    note: &str,
    by: Option<&str>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let event = if sent { Event::ResolveSent } else { Event::ResolveNotSent };
    let mut standing = Standing::of_id(connection, id)?;
    let (number, state) = (standing.number, standing.state());
    let mut has_a_say = false;
    // Of a letter on its way there is nothing to know yet.
    let in_flight = standing.addresses.iter().any(Address::in_flight);
    for address in standing.addresses.iter_mut().filter(|_| !in_flight) {
        // While one is uncertain, a word is about that one.
        if state == State::Uncertain && address.state != State::Uncertain {
            continue;
        }
        if let Some(step) = Event::of_word(address.state, seen(connection, number, &address.path)?, sent) {
            address.step(step)?;
            has_a_say = true;
        }
    }
    if !has_a_say {
        return Err(IllegalTransition { state, event }.into());
    }
    standing.save(connection)?;
    remark(connection, number, event, (note, by), now)
}

/// Keeps the delivery's open addresses from ever being sent to, and says what the delivery is then. Once is as good as twice.
/// An address that may have the letter, and waits only because a person wants it sent again, is uncertain as before.
pub(super) fn suppress(
    connection: &Connection,
    id: &RecipientId,
    why: &str,
    now: Timestamp,
) -> Result<State, LedgerError> {
    let mut standing = Standing::of_id(connection, id)?;
    if standing.state() == State::Suppressed {
        return Ok(State::Suppressed);
    }
    standing.state().next(Event::Suppress)?;
    let doubtful = doubt::in_doubt(connection, &standing)?;
    let open = |state| matches!(state, State::Queued | State::Deferred | State::Failed);
    for address in standing.addresses.iter_mut().filter(|address| open(address.state)) {
        address.step(if doubtful.contains(&address.path) { Event::Doubt } else { Event::Suppress })?;
    }
    standing.save(connection)?;
    remark(connection, standing.number, Event::Suppress, (why, None), now)?;
    Ok(standing.state())
}

/// Keeps what was said of a delivery, and by whom.
pub(super) fn remark(
    connection: &Connection,
    number: i64,
    event: Event,
    (note, by): (&str, Option<&str>),
    now: Timestamp,
) -> Result<(), LedgerError> {
    let event = columns::json(&event)?;
    connection
        .prepare_cached("INSERT INTO remarks (delivery, at, event, note, person) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![number, now.as_millisecond(), event.trim_matches('"'), note, by])?;
    connection.prepare_cached("UPDATE deliveries SET note = ?2 WHERE number = ?1")?.execute(params![number, note])?;
    Ok(())
}
