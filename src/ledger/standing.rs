//! One delivery as the writer holds it: load, check every step, then save; what is refused was never written.

use rusqlite::{Connection, Row, params};

use super::columns;
use super::error::LedgerError;
use crate::domain::attempt::{DeliveryId, LastWord};
use crate::domain::delivery::{Event, State};
use crate::domain::message::Field;
use crate::domain::recipient::RecipientId;

/// One address and what is to be written of it.
#[derive(Debug)]
pub(super) struct Address {
    /// `local@domain`.
    pub(super) path: String,
    pub(super) place: i64,
    pub(super) field: Field,
    pub(super) state: State,
    changed: bool,
    word: Option<String>,
}

impl Address {
    /// Takes one step; the state machine may refuse.
    pub(super) fn step(&mut self, event: Event) -> Result<(), LedgerError> {
        self.state = self.state.next(event)?;
        self.changed = true;
        Ok(())
    }

    /// Records why.
    pub(super) fn say(&mut self, word: &LastWord) -> Result<(), LedgerError> {
        self.word = Some(columns::json(word)?);
        Ok(())
    }

    /// True between claim and outcome.
    pub(super) fn in_flight(&self) -> bool {
        matches!(self.state, State::Sending | State::HandedOver)
    }

    fn of_row(row: &Row<'_>) -> Result<Self, LedgerError> {
        Ok(Self {
            path: columns::text(row, 0)?.to_owned(),
            place: row.get(1)?,
            field: columns::field(row, 2)?,
            state: columns::state(row, 3)?,
            changed: false,
            word: None,
        })
    }
}

/// A delivery's counters and all its addresses, in the order To, Cc, Bcc.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) number: i64,
    /// Attempts, given-back ones too.
    pub(super) tries: i64,
    /// Attempts that count.
    pub(super) attempts: i64,
    /// Milliseconds.
    pub(super) not_before: Option<i64>,
    pub(super) addresses: Vec<Address>,
}

impl Standing {
    /// The delivery of that number.
    pub(super) fn load(connection: &Connection, delivery: DeliveryId) -> Result<Self, LedgerError> {
        // One statement, because starting one costs more than the rows do; sorted here for the same reason.
        let mut query = connection.prepare_cached(
            "SELECT a.address, a.place, a.field, a.state, d.tries, d.attempts, d.not_before
             FROM deliveries d JOIN addresses a ON a.delivery = d.number WHERE d.number = ?1",
        )?;
        let mut rows = query.query([delivery.0])?;
        let mut standing: Option<Self> = None;
        while let Some(row) = rows.next()? {
            let address = Address::of_row(row)?;
            if let Some(standing) = &mut standing {
                standing.addresses.push(address);
            } else {
                let (tries, attempts, not_before) = (row.get(4)?, row.get(5)?, row.get(6)?);
                standing = Some(Self { number: delivery.0, tries, attempts, not_before, addresses: vec![address] });
            }
        }
        let mut standing = standing.ok_or_else(|| LedgerError::Unknown { what: format!("delivery {}", delivery.0) })?;
        standing.addresses.sort_by_key(|address| address.place);
        Ok(standing)
    }

    /// The delivery of that row.
    pub(super) fn of_id(connection: &Connection, id: &RecipientId) -> Result<Self, LedgerError> {
        match number_of(connection, id)? {
            Some(number) => Self::load(connection, DeliveryId(number)),
            None => Err(LedgerError::Unknown { what: format!("row {id}") }),
        }
    }

    /// What the delivery is as a whole.
    pub(super) fn state(&self) -> State {
        State::of_addresses(self.addresses.iter().map(|address| address.state))
    }

    /// Its address of that name.
    pub(super) fn find(&mut self, address: &str) -> Result<&mut Address, LedgerError> {
        let delivery = self.number;
        let mut all = self.addresses.iter_mut();
        all.find(|known| known.path == address)
            .ok_or(LedgerError::Mismatch { delivery, what: "it names an address that the delivery does not have" })
    }

    /// Writes what changed.
    pub(super) fn save(&self, connection: &Connection) -> Result<(), LedgerError> {
        let mut update = connection.prepare_cached(
            "UPDATE addresses SET state = ?3, word = COALESCE(?4, word) WHERE delivery = ?1 AND address = ?2",
        )?;
        for address in self.addresses.iter().filter(|address| address.changed) {
            update.execute(params![self.number, address.path, address.state.name(), address.word])?;
        }
        let deferred = self.addresses.iter().any(|address| address.state == State::Deferred);
        let not_before = self.not_before.filter(|_| deferred);
        let mut update = connection.prepare_cached(
            "UPDATE deliveries SET state = ?2, tries = ?3, attempts = ?4, not_before = ?5 WHERE number = ?1",
        )?;
        update.execute(params![self.number, self.state().name(), self.tries, self.attempts, not_before])?;
        Ok(())
    }

    /// Keeps what the current attempt did to `of`, for the log.
    pub(super) fn keep_attempt<'a>(
        &'a self,
        connection: &Connection,
        of: impl Iterator<Item = &'a Address>,
    ) -> Result<(), LedgerError> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO attempt_addresses (delivery, attempt, address, place, field, state, word)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?;
        for address in of {
            insert.execute(params![
                self.number,
                self.tries,
                address.path,
                address.place,
                address.field.name(),
                address.state.name(),
                address.word
            ])?;
        }
        Ok(())
    }
}

/// The ledger's number of a row, if it has the row.
pub(super) fn number_of(connection: &Connection, id: &RecipientId) -> Result<Option<i64>, LedgerError> {
    let mut query = connection.prepare_cached("SELECT number FROM deliveries WHERE id = ?1")?;
    let mut rows = query.query([id.as_str()])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}
