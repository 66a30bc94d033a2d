//! The plan (W0): what is frozen, which rows are enrolled, and which of them a correction changes.

use std::collections::HashSet;

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::columns;
use super::error::LedgerError;
use super::standing::Standing;
use super::types::{Correction, Edition, Enrolled, NewDelivery, Source};
use super::word;
use crate::domain::delivery::State;
use crate::domain::digest::Digest;
use crate::domain::message::{Field, ForwardPath};
use crate::domain::recipient::{Recipient, RecipientId};

/// Enrols `rows`: new ones go in, known ones stay as they are frozen, and what differs is named.
pub(super) fn enrol(
    connection: &Connection,
    campaign_id: &str,
    edition: &Edition,
    rows: &[NewDelivery],
    now: Timestamp,
) -> Result<Enrolled, LedgerError> {
    open_campaign(connection, campaign_id, now)?;
    let first = !connection.query_row("SELECT EXISTS (SELECT 1 FROM deliveries)", [], |row| row.get::<_, bool>(0))?;
    let (edition, edition_differs) = match latest_edition(connection)? {
        Some(latest) if is_same(connection, latest, edition)? => (latest, false),
        Some(latest) if !first => (latest, true),
        _ => (store_edition(connection, edition)?, false),
    };
    let mut enrolled =
        Enrolled { edition, edition_differs, new: 0, known: 0, suppressed: 0, changed: Vec::new(), gone: Vec::new() };
    let mut seen = Seen::default();
    for row in rows {
        let json = columns::json(&row.recipient)?;
        let number = if let Some(number) = insert(connection, row, &json, edition)? {
            enrolled.new += 1;
            number
        } else {
            compare(connection, row, &json, &mut enrolled, now)?
        };
        if !seen.add(number) {
            return Err(LedgerError::Twice { id: row.recipient.id.clone() });
        }
    }
    if !first {
        enrolled.gone = not_in(connection, &seen)?;
    }
    Ok(enrolled)
}

/// Makes sure that the ledger is this campaign's, and makes it so if it is nobody's yet.
pub(super) fn open_campaign(connection: &Connection, given: &str, now: Timestamp) -> Result<(), LedgerError> {
    let found: Option<String> = connection.query_row("SELECT id FROM campaign", [], |row| row.get(0)).optional()?;
    match found {
        Some(found) if found != given => Err(LedgerError::OtherCampaign { found, given: given.to_owned() }),
        Some(_) => Ok(()),
        None => {
            connection.execute(
                "INSERT INTO campaign (one, id, key, created_at) VALUES (1, ?1, randomblob(16), ?2)",
                params![given, now.as_millisecond()],
            )?;
            Ok(())
        }
    }
}

/// The number of the new delivery, or `None` if the row is known.
fn insert(
    connection: &Connection,
    row: &NewDelivery,
    recipient: &str,
    edition: i64,
) -> Result<Option<i64>, LedgerError> {
    let id = &row.recipient.id;
    check(id, &row.addresses)?;
    let state = if row.suppressed.is_some() { State::Suppressed } else { State::Queued };
    let inserted = connection
        .prepare_cached(
            "INSERT INTO deliveries (id, state, edition, digest, note) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO NOTHING",
        )?
        .execute(params![id.as_str(), state.name(), edition, row.digest.as_bytes(), row.suppressed])?;
    if inserted == 0 {
        return Ok(None);
    }
    let number = connection.last_insert_rowid();
    connection
        .prepare_cached("INSERT INTO recipients (number, recipient) VALUES (?1, ?2)")?
        .execute(params![number, recipient])?;
    for (place, path) in row.addresses.iter().enumerate() {
        put_address(connection, number, place, (&path.address, path.field), state)?;
    }
    Ok(Some(number))
}

fn check(id: &RecipientId, addresses: &[ForwardPath]) -> Result<(), LedgerError> {
    // Envelopes are short, so looking back is cheaper than a set; the longest are checked with one all the same.
    let doubled = if addresses.len() <= 16 {
        addresses.iter().enumerate().any(|(at, path)| addresses[..at].iter().any(|p| p.address == path.address))
    } else {
        addresses.iter().map(|path| &path.address).collect::<HashSet<_>>().len() < addresses.len()
    };
    if addresses.is_empty() || doubled { Err(LedgerError::Addresses { id: id.clone() }) } else { Ok(()) }
}

/// A known address keeps its state.
fn put_address(
    connection: &Connection,
    number: i64,
    place: usize,
    (address, field): (&str, Field),
    state: State,
) -> Result<(), LedgerError> {
    connection
        .prepare_cached(
            "INSERT INTO addresses (delivery, address, place, field, state) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (delivery, address) DO UPDATE SET place = excluded.place, field = excluded.field",
        )?
        .execute(params![number, address, i64::try_from(place).unwrap_or(i64::MAX), field.name(), state.name()])?;
    Ok(())
}

/// Holds a known row against what is frozen of it. What is new is not taken over, but for a suppression, which can only
/// keep a letter back.
fn compare(
    connection: &Connection,
    row: &NewDelivery,
    recipient: &str,
    enrolled: &mut Enrolled,
    now: Timestamp,
) -> Result<i64, LedgerError> {
    let id = &row.recipient.id;
    let mut query = connection.prepare_cached(
        "SELECT d.number, d.digest, r.recipient, d.state
         FROM deliveries d JOIN recipients r ON r.number = d.number WHERE d.id = ?1",
    )?;
    let mut rows = query.query([id.as_str()])?;
    let Some(known) = rows.next()? else {
        return Err(LedgerError::Corrupt { what: format!("the row {id} has no data") });
    };
    enrolled.known += 1;
    let same = columns::digest(known, 1)? == row.digest
        && (columns::text(known, 2)? == recipient || is_same_row(columns::recipient(known, 2)?, &row.recipient));
    if !same {
        enrolled.changed.push(id.clone());
    }
    let open = matches!(columns::state(known, 3)?, State::Queued | State::Deferred | State::Failed);
    if let Some(why) = &row.suppressed
        && open
    {
        word::suppress(connection, id, why, now)?;
        enrolled.suppressed += 1;
    }
    Ok(known.get(0)?)
}

/// The line is not part of a row's data, and is not stored.
fn is_same_row(frozen: Recipient, given: &Recipient) -> bool {
    Recipient { line: given.line, ..frozen } == *given
}

/// The deliveries met so far: a bit each, because there may be a million.
#[derive(Default)]
struct Seen(Vec<u64>);

impl Seen {
    fn place(number: i64) -> (usize, u64) {
        let number = usize::try_from(number).unwrap_or(0);
        (number / 64, 1 << (number % 64))
    }

    /// False if it was there.
    fn add(&mut self, number: i64) -> bool {
        let (word, bit) = Self::place(number);
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        let fresh = self.0[word] & bit == 0;
        self.0[word] |= bit;
        fresh
    }

    fn has(&self, number: i64) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|bits| bits & bit != 0)
    }
}

fn not_in(connection: &Connection, seen: &Seen) -> Result<Vec<RecipientId>, LedgerError> {
    let mut query = connection.prepare("SELECT number, id FROM deliveries ORDER BY number")?;
    let mut rows = query.query([])?;
    let mut gone = Vec::new();
    while let Some(row) = rows.next()? {
        if !seen.has(row.get(0)?) {
            gone.push(columns::id(row, 1)?);
        }
    }
    Ok(gone)
}

/// The number of the last edition stored.
pub(super) fn latest_edition(connection: &Connection) -> Result<Option<i64>, LedgerError> {
    Ok(connection.query_row("SELECT MAX(edition) FROM editions", [], |row| row.get(0))?)
}

/// Stores an edition, unless it is the latest one already; its number.
pub(super) fn add_edition(connection: &Connection, edition: &Edition) -> Result<i64, LedgerError> {
    match latest_edition(connection)? {
        Some(latest) if is_same(connection, latest, edition)? => Ok(latest),
        _ => store_edition(connection, edition),
    }
}

fn is_same(connection: &Connection, number: i64, edition: &Edition) -> Result<bool, LedgerError> {
    let settings: String =
        connection.query_row("SELECT settings FROM editions WHERE edition = ?1", [number], |row| row.get(0))?;
    if settings != edition.settings {
        return Ok(false);
    }
    let mut query = connection.prepare("SELECT name, sha256 FROM edition_sources WHERE edition = ?1 ORDER BY place")?;
    let mut rows = query.query([number])?;
    for source in &edition.sources {
        let Some(row) = rows.next()? else { return Ok(false) };
        if columns::text(row, 0)? != source.name || columns::digest(row, 1)? != Digest::of(&source.bytes) {
            return Ok(false);
        }
    }
    Ok(rows.next()?.is_none())
}

fn store_edition(connection: &Connection, edition: &Edition) -> Result<i64, LedgerError> {
    connection.execute("INSERT INTO editions (settings) VALUES (?1)", [&edition.settings])?;
    let number = connection.last_insert_rowid();
    for (place, source) in edition.sources.iter().enumerate() {
        let digest = store_source(connection, source)?;
        connection.execute(
            "INSERT INTO edition_sources (edition, place, name, sha256) VALUES (?1, ?2, ?3, ?4)",
            params![number, i64::try_from(place).unwrap_or(i64::MAX), source.name, digest.as_bytes()],
        )?;
    }
    Ok(number)
}

/// Stores a source's bytes, once however often they are named.
pub(super) fn store_source(connection: &Connection, source: &Source) -> Result<Digest, LedgerError> {
    let digest = Digest::of(&source.bytes);
    connection.execute(
        "INSERT INTO sources (sha256, bytes) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        params![digest.as_bytes(), source.bytes],
    )?;
    Ok(digest)
}

/// Takes corrections over, for deliveries that are queued, deferred or failed; how many those were.
pub(super) fn correct(connection: &Connection, corrections: &[Correction]) -> Result<u64, LedgerError> {
    let mut corrected = 0;
    for correction in corrections {
        let id = &correction.recipient.id;
        check(id, &correction.addresses)?;
        let standing = Standing::of_id(connection, id)?;
        if matches!(standing.state(), State::Queued | State::Deferred | State::Failed) {
            correct_one(connection, &standing, correction)?;
            corrected += 1;
        }
    }
    Ok(corrected)
}

/// An address that a server took stays, listed or not; others that are not listed leave; listed ones that were there
/// keep what is known of them; new ones are queued, and with one the count of attempts begins anew.
fn correct_one(connection: &Connection, standing: &Standing, correction: &Correction) -> Result<(), LedgerError> {
    let number = standing.number;
    let mut list: Vec<(&str, Field)> = correction.addresses.iter().map(|p| (p.address.as_str(), p.field)).collect();
    let is_new = |address: &str| standing.addresses.iter().all(|known| known.path != address);
    let fresh = list.iter().any(|(address, _)| is_new(address));
    for address in &standing.addresses {
        if list.iter().any(|(listed, _)| *listed == address.path) {
            continue;
        }
        if address.state == State::Accepted {
            list.push((&address.path, address.field));
        } else {
            connection
                .prepare_cached("DELETE FROM addresses WHERE delivery = ?1 AND address = ?2")?
                .execute(params![number, address.path])?;
        }
    }
    list.sort_by_key(|(_, field)| *field as u8);
    for (place, path) in list.into_iter().enumerate() {
        put_address(connection, number, place, path, State::Queued)?;
    }
    // What was handed over before has to be proved from the row as it was then; the first row after an attempt is that one.
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO former_recipients (delivery, last_attempt, edition, digest, recipient)
             SELECT d.number, d.tries, d.edition, d.digest, r.recipient
             FROM deliveries d JOIN recipients r ON r.number = d.number WHERE d.number = ?1 AND d.tries > 0",
        )?
        .execute([number])?;
    connection
        .prepare_cached("UPDATE deliveries SET digest = ?2, edition = COALESCE(?3, edition) WHERE number = ?1")?
        .execute(params![number, correction.digest.as_bytes(), correction.edition])?;
    connection
        .prepare_cached("UPDATE recipients SET recipient = ?2 WHERE number = ?1")?
        .execute(params![number, columns::json(&correction.recipient)?])?;
    let mut now = Standing::of_id(connection, &correction.recipient.id)?;
    if fresh {
        now.attempts = 0;
    }
    now.save(connection)
}
