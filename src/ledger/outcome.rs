//! The steps of an attempt: claim (W1), intent (W2), outcome (W3), and what a start makes of attempts that a run left.

use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::columns;
use super::doubt;
use super::error::LedgerError;
use super::standing::{Address, Standing};
use super::types::{Claim, Recovered, Settlement};
use crate::domain::attempt::{DeliveryId, LastWord};
use crate::domain::delivery::{Event, IllegalTransition, State};
use crate::domain::outcome::Phase;

/// W1. The delivery as a whole must be claimable too: while one address is uncertain, none is sent to.
pub(super) fn claim(connection: &Connection, claim: &Claim) -> Result<(), LedgerError> {
    let mut standing = Standing::load(connection, claim.delivery)?;
    standing.state().next(Event::Claim)?;
    for address in &claim.addresses {
        standing.find(address)?.step(Event::Claim)?;
    }
    let delivery = standing.number;
    if claim.addresses.is_empty() {
        return Err(LedgerError::Mismatch { delivery, what: "it names no address" });
    }
    standing.tries += 1;
    connection
        .prepare_cached(
            "INSERT INTO attempts (delivery, number, run, message_id, date, bytes_digest, addresses, claimed_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
        )?
        .execute(params![
            delivery,
            standing.tries,
            claim.run,
            claim.message_id,
            claim.date.as_millisecond(),
            claim.bytes_digest.as_bytes(),
            i64::try_from(claim.addresses.len()).unwrap_or(i64::MAX),
            claim.at.as_millisecond(),
        ])?;
    standing.save(connection)
}

/// W2.
pub(super) fn intend(connection: &Connection, delivery: DeliveryId, at: Timestamp) -> Result<(), LedgerError> {
    let mut standing = Standing::load(connection, delivery)?;
    standing.state().next(Event::Intend)?;
    for address in standing.addresses.iter_mut().filter(|address| address.in_flight()) {
        address.step(Event::Intend)?;
    }
    connection
        .prepare_cached("UPDATE attempts SET intent_at = ?3 WHERE delivery = ?1 AND number = ?2")?
        .execute(params![standing.number, standing.tries, at.as_millisecond()])?;
    standing.save(connection)
}

/// W3.
pub(super) fn settle(
    connection: &Connection,
    delivery: DeliveryId,
    settlement: &Settlement,
) -> Result<(), LedgerError> {
    let mut standing = Standing::load(connection, delivery)?;
    let judgement = &settlement.judgement;
    let mut judged = Vec::with_capacity(judgement.addresses.len());
    for one in &judgement.addresses {
        let address = standing.find(&one.address)?;
        // An address that is not part of the attempt cannot get an outcome from it.
        if !address.in_flight() {
            return Err(IllegalTransition { state: address.state, event: one.event }.into());
        }
        address.step(one.event)?;
        address.say(&one.word)?;
        judged.push(one.address.as_str());
    }
    if judged.is_empty() || standing.addresses.iter().any(Address::in_flight) {
        let what = "the outcome does not name every address of the attempt";
        return Err(LedgerError::Mismatch { delivery: delivery.0, what });
    }
    if judgement.charged {
        standing.attempts += 1;
    }
    if judgement.addresses.iter().any(|one| one.event == Event::Defer) {
        standing.not_before = settlement.not_before.map(Timestamp::as_millisecond);
    }
    let of_attempt = standing.addresses.iter().filter(|address| judged.contains(&address.path.as_str()));
    standing.keep_attempt(connection, of_attempt)?;
    end_attempt(connection, &standing, settlement.at, Some(&judgement.last))?;
    standing.save(connection)
}

fn end_attempt(
    connection: &Connection,
    standing: &Standing,
    at: Timestamp,
    word: Option<&LastWord>,
) -> Result<(), LedgerError> {
    let word = word.map(columns::json).transpose()?;
    connection
        .prepare_cached(
            "UPDATE attempts SET settled_at = ?3, outcome = ?4, word = ?5 WHERE delivery = ?1 AND number = ?2",
        )?
        .execute(params![standing.number, standing.tries, at.as_millisecond(), standing.state().name(), word])?;
    Ok(())
}

/// The last word on a letter that was handed over when its run ended.
pub(super) fn cut_off(at: Timestamp) -> LastWord {
    LastWord {
        phase: Phase::EndOfData,
        code: None,
        enhanced: None,
        text: "the run ended before the server's answer was known".to_owned(),
        at,
    }
}

/// What a run that died left behind: a letter without an intent was provably not delivered and waits again; of one with
/// an intent nobody can know.
pub(super) fn recover(connection: &Connection, now: Timestamp) -> Result<Recovered, LedgerError> {
    let word = cut_off(now);
    let (mut recovered, mut requeued) = (Recovered::default(), Vec::new());
    let mut query = connection.prepare("SELECT number FROM deliveries WHERE state IN ('sending', 'handed-over')")?;
    let left: Vec<i64> = query.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for number in left {
        let mut standing = Standing::load(connection, DeliveryId(number))?;
        let handed_over = standing.state() == State::HandedOver;
        let mut of_attempt = Vec::new();
        for address in standing.addresses.iter_mut().filter(|address| address.in_flight()) {
            address.step(Event::Recover)?;
            if handed_over {
                address.say(&word)?;
            }
            of_attempt.push(address.path.clone());
        }
        if handed_over {
            standing.attempts += 1;
            recovered.uncertain += 1;
        } else {
            requeued.push(number);
        }
        let kept = standing.addresses.iter().filter(|address| of_attempt.contains(&address.path));
        standing.keep_attempt(connection, kept)?;
        end_attempt(connection, &standing, now, Some(&word).filter(|_| handed_over))?;
        standing.save(connection)?;
    }
    let doubtful = doubt::take_back(connection)?;
    recovered.requeued = requeued.iter().filter(|number| !doubtful.contains(number)).count() as u64;
    recovered.doubtful = doubtful.len() as u64;
    Ok(recovered)
}
