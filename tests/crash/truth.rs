//! The ledger held against what the server really has.

use std::collections::{HashMap, HashSet};
use std::fs;

use rusqlite::{Connection, OpenFlags};

use crate::support::campaign::Campaign;
use crate::support::server::{Server, row_of};

/// What became of a settled campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    pub(crate) accepted: usize,
    pub(crate) uncertain: usize,
}

/// How many letters the server holds of each row.
fn held(server: &Server) -> HashMap<String, usize> {
    let mut held = HashMap::new();
    for letter in server.letters() {
        *held.entry(row_of(&letter)).or_default() += 1;
    }
    held
}

/// Every promise about a campaign of `rows` rows that has come to its end; `context` says which, in a failure.
///
/// # Panics
/// When one is broken.
#[track_caller]
pub(crate) fn check(campaign: &Campaign, server: &Server, rows: usize, context: &str) -> Settled {
    let held = held(server);
    let status = campaign.run(&["status", "--json"]).json();
    let deliveries = status["deliveries"].as_array().expect("deliveries");
    assert_eq!(deliveries.len(), rows, "{context}: rows are lost");
    let mut known = HashSet::new();
    let mut settled = Settled { accepted: 0, uncertain: 0 };
    let ledger = ledger(campaign);
    for delivery in deliveries {
        let id = delivery["id"].as_str().expect("an id");
        assert!(known.insert(id.to_owned()), "{context}: {id} is listed twice");
        let count = held.get(id).copied().unwrap_or(0);
        match delivery["state"].as_str().expect("a state") {
            "accepted" => {
                assert_eq!(count, 1, "{context}: {id} is accepted, and the server has {count}");
                settled.accepted += 1;
            }
            "uncertain" => {
                assert!(count <= 1, "{context}: {id} is uncertain, and the server has {count}");
                assert!(had_intent(&ledger, id), "{context}: {id} is uncertain without an intent");
                settled.uncertain += 1;
            }
            other => panic!("{context}: {id} is {other}"),
        }
    }
    for id in held.keys() {
        assert!(known.contains(id), "{context}: the server has {id}, which the ledger does not know");
    }
    assert_eq!(server.violations(), Vec::<String>::new(), "{context}");
    let verdict: String = ledger.query_row("PRAGMA integrity_check", [], |row| row.get(0)).expect("a verdict");
    assert_eq!(verdict, "ok", "{context}");
    assert_eq!(
        of_no_run(&ledger),
        Some(0),
        "{context}: attempts of runs of which it is not known what they were begun with"
    );
    settled
}

fn ledger(campaign: &Campaign) -> Connection {
    Connection::open_with_flags(campaign.path("ledger.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the ledger")
}

/// Whether the last attempt on a row had its intent on record.
fn had_intent(ledger: &Connection, id: &str) -> bool {
    let query = "SELECT a.intent_at IS NOT NULL FROM attempts a JOIN deliveries d ON d.number = a.delivery
                 WHERE d.id = ?1 ORDER BY a.number DESC LIMIT 1";
    ledger.query_row(query, [id], |row| row.get(0)).expect("an attempt")
}

/// How many attempts are on record of whose run it is not known with which batch it was begun and how that was confirmed;
/// `None` where there are no tables yet.
fn of_no_run(ledger: &Connection) -> Option<u32> {
    let query = "SELECT COUNT(*) FROM attempts a LEFT JOIN runs r ON r.run = a.run
                 WHERE r.digest IS NULL OR r.confirmed IS NULL OR r.host IS NULL";
    ledger.query_row(query, [], |row| row.get(0)).ok()
}

/// What lies on the disk after a kill: rows of which nobody can know, and rows that were provably not delivered.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Remains {
    /// Uncertain already, or handed over without an outcome.
    pub(crate) unsure: usize,
    /// Claimed, without an intent.
    pub(crate) claimed: usize,
    /// Accepted.
    pub(crate) accepted: usize,
}

/// Reads a copy of the ledger as the kill left it. Opening the file itself would tidy it up before the program sees it.
pub(crate) fn remains(campaign: &Campaign) -> Remains {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let copy = folder.path().join("ledger.db");
    if fs::copy(campaign.path("ledger.db"), &copy).is_err() {
        return Remains::default();
    }
    // There is none before the first write, and none after a clean end.
    let _ = fs::copy(campaign.path("ledger.db-wal"), folder.path().join("ledger.db-wal"));
    let connection = Connection::open(&copy).expect("a copy of the ledger");
    let count = |states: &str| -> Option<usize> {
        let query = format!("SELECT count(*) FROM deliveries WHERE state IN ({states})");
        connection.query_row(&query, [], |row| row.get::<_, u32>(0)).ok().map(|count| count as usize)
    };
    assert_eq!(of_no_run(&connection).unwrap_or(0), 0, "a letter was claimed before its run was on record");
    // Before its first transaction it has no tables.
    Remains {
        unsure: count("'uncertain', 'handed-over'").unwrap_or(0),
        claimed: count("'sending'").unwrap_or(0),
        accepted: count("'accepted'").unwrap_or(0),
    }
}
