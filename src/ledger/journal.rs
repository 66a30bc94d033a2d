//! The emergency journal beside the ledger: outcomes that the ledger could not take, one JSON line each, synced before
//! it is believed; the next open takes them over.

use std::fs::{self, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::error::LedgerError;
use super::lock::beside;
use super::open::{not_through_a_link, sync_folder};
use super::outcome;
use super::standing::{Address, Standing};
use super::types::{Replayed, Settlement};
use crate::domain::attempt::{DeliveryId, LastWord};
use crate::domain::delivery::Event;
use crate::domain::fault::{AddressJudgement, Judgement, Run};

/// Kept on the disk while the ledger is open and given up in an emergency: a full disk is the likeliest reason for one,
/// and then the journal needs room.
const RESERVE: usize = 256 * 1024;

/// One outcome. What becomes of the run is not part of it.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    delivery: i64,
    at: Timestamp,
    not_before: Option<Timestamp>,
    charged: bool,
    last: LastWord,
    addresses: Vec<(String, Event, LastWord)>,
}

impl Line {
    fn new(delivery: DeliveryId, settlement: &Settlement) -> Self {
        let judgement = &settlement.judgement;
        let of = |one: &AddressJudgement| (one.address.clone(), one.event, one.word.clone());
        Self {
            delivery: delivery.0,
            at: settlement.at,
            not_before: settlement.not_before,
            charged: judgement.charged,
            last: judgement.last.clone(),
            addresses: judgement.addresses.iter().map(of).collect(),
        }
    }

    fn settlement(self) -> Settlement {
        let of = |(address, event, word)| AddressJudgement { address, event, word };
        let addresses = self.addresses.into_iter().map(of).collect();
        let judgement = Judgement { addresses, last: self.last, run: Run::GoOn, charged: self.charged, breaker: false };
        Settlement { judgement, not_before: self.not_before, at: self.at }
    }
}

/// Where outcomes go that the ledger cannot take.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    reserve: PathBuf,
    writing: Mutex<()>,
}

impl Journal {
    /// The journal of the ledger at `ledger`, with room kept for it.
    pub(super) fn new(ledger: &Path) -> Result<Self, LedgerError> {
        let reserve = beside(ledger, ".reserve");
        let kept = fs::symlink_metadata(&reserve).is_ok_and(|meta| meta.is_file() && meta.len() >= RESERVE as u64);
        if !kept {
            let mut options = OpenOptions::new();
            options.write(true).create(true).truncate(true);
            let written = not_through_a_link(&mut options).open(&reserve).and_then(|mut file| {
                file.write_all(&vec![b'.'; RESERVE])?;
                file.sync_all()
            });
            written.map_err(|error| LedgerError::of_io(&error, &reserve))?;
        }
        Ok(Self { path: beside(ledger, ".journal"), reserve, writing: Mutex::new(()) })
    }

    /// Takes one outcome that the ledger refused because of `cause`. Always an error: the run has to stop.
    pub(super) fn take(&self, delivery: DeliveryId, settlement: &Settlement, cause: LedgerError) -> LedgerError {
        let cause = Box::new(cause);
        match self.append(&Line::new(delivery, settlement)) {
            Ok(()) => LedgerError::Journaled { delivery: delivery.0, journal: self.path.clone(), cause },
            Err(error) => LedgerError::Lost {
                delivery: delivery.0,
                outcome: settlement.judgement.last.text.clone(),
                cause,
                journal: error.to_string(),
            },
        }
    }

    /// A line begins with a line end of its own, so that a torn one before it spoils only itself.
    fn append(&self, line: &Line) -> std::io::Result<()> {
        let text = format!("\n{}\n", serde_json::to_string(line)?);
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        // It may be gone already, by the outcome before.
        let _ = fs::remove_file(&self.reserve);
        let mut options = OpenOptions::new();
        let mut file = not_through_a_link(options.append(true).create(true)).open(&self.path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        sync_folder(&self.path)
    }

    /// Gives the reserve back; the ledger is closed.
    pub(super) fn close(&self) {
        // What stays behind is used at the next open.
        let _ = fs::remove_file(&self.reserve);
    }
}

/// Takes the journal of the ledger at `ledger` over in one transaction, and removes it. A file with torn lines is kept
/// aside, for a person.
///
/// An outcome counts only for a delivery that is still in flight: any other is in the ledger already, because the ledger
/// was not written between the journal's last line and now.
pub(super) fn replay(connection: &mut Connection, ledger: &Path) -> Result<Replayed, LedgerError> {
    let path = beside(ledger, ".journal");
    let io = |error: std::io::Error| LedgerError::of_io(&error, &path);
    let mut bytes = Vec::new();
    match not_through_a_link(OpenOptions::new().read(true))
        .open(&path)
        .and_then(|mut file| file.read_to_end(&mut bytes))
    {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Replayed::default()),
        Err(error) => return Err(io(error)),
    }
    let mut replayed = Replayed::default();
    let transaction = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(line) = serde_json::from_slice::<Line>(line) else {
            replayed.torn += 1;
            continue;
        };
        match take_over(&transaction, line) {
            Ok(true) => replayed.taken += 1,
            Ok(false) => replayed.known += 1,
            // It does not fit this ledger: a person may find out why.
            Err(error) if error.is_refusal() => replayed.torn += 1,
            Err(error) => return Err(error),
        }
    }
    transaction.commit()?;
    if replayed.torn > 0 {
        fs::rename(&path, beside(ledger, ".journal.torn")).map_err(io)?;
    } else {
        fs::remove_file(&path).map_err(io)?;
    }
    sync_folder(&path).map_err(io)?;
    Ok(replayed)
}

/// False if the ledger has it already.
fn take_over(connection: &Connection, line: Line) -> Result<bool, LedgerError> {
    let delivery = DeliveryId(line.delivery);
    let in_flight = Standing::load(connection, delivery)?.addresses.iter().any(Address::in_flight);
    if in_flight {
        outcome::settle(connection, delivery, &line.settlement())?;
    }
    Ok(in_flight)
}
