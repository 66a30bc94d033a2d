//! A ledger in a folder of its own, and short words for what a run does with it.

use std::collections::HashSet;
use std::path::PathBuf;

use demarche::domain::attempt::{DeliveryId, LastWord};
use demarche::domain::delivery::{Event, State};
use demarche::domain::digest::Digest;
use demarche::domain::fault::{AddressJudgement, Judgement, Run};
use demarche::domain::message::{Field, ForwardPath};
use demarche::domain::outcome::Phase;
use demarche::domain::recipient::{Recipient, RecipientId};
use demarche::domain::record::DeliveryRecord;
use demarche::domain::run::Confirmation;
use demarche::ledger::{Claim, DueDelivery, Edition, Ledger, LedgerError, NewDelivery, Settlement, Source, Start};
use jiff::Timestamp;

/// A run of a batch of that text, by a typed word.
pub(crate) fn start(text: &str) -> Start {
    Start {
        command: "send",
        digest: Digest::of(text.as_bytes()),
        confirmed: Some((Confirmation::Word, Timestamp::UNIX_EPOCH)),
        by: Some("desk".to_owned()),
        approvals: Vec::new(),
    }
}

/// A folder and the ledger in it.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("ledger.db")
    }

    pub(crate) fn open(&self) -> Ledger {
        Ledger::open(&self.path(), true, "send").unwrap()
    }

    /// A new ledger with these rows.
    pub(crate) fn with(rows: Vec<NewDelivery>) -> (Self, Ledger) {
        let desk = Self::new();
        let ledger = desk.open();
        ledger.enrol("campaign", &edition("one"), rows).unwrap();
        (desk, ledger)
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + second).unwrap()
}

pub(crate) fn edition(text: &str) -> Edition {
    let source = |name: &str| Source { name: name.to_owned(), bytes: text.as_bytes().to_vec() };
    Edition { settings: format!("{{\"text\":\"{text}\"}}"), sources: vec![source("a.md"), source("b.md")] }
}

pub(crate) fn id(id: &str) -> RecipientId {
    RecipientId::parse(id).unwrap()
}

pub(crate) fn recipient(name: &str, to: &[&str]) -> Recipient {
    let to: Vec<String> = to.iter().map(ToString::to_string).collect();
    serde_json::from_value(serde_json::json!({ "id": name, "to": to })).unwrap()
}

pub(crate) fn paths(addresses: &[&str]) -> Vec<ForwardPath> {
    let field = |place| if place == 0 { Field::To } else { Field::Cc };
    addresses.iter().enumerate().map(|(n, a)| ForwardPath { address: (*a).to_owned(), field: field(n) }).collect()
}

pub(crate) fn row(name: &str, addresses: &[&str]) -> NewDelivery {
    NewDelivery {
        recipient: recipient(name, &addresses[..1]),
        addresses: paths(addresses),
        digest: Digest::of(name.as_bytes()),
        suppressed: None,
    }
}

pub(crate) fn due(ledger: &Ledger, second: i64) -> Vec<DueDelivery> {
    ledger.due(at(second), 100, &HashSet::new()).unwrap()
}

pub(crate) fn due_ids(ledger: &Ledger, second: i64) -> Vec<String> {
    due(ledger, second).into_iter().map(|delivery| delivery.recipient.id.to_string()).collect()
}

pub(crate) fn claim_of(delivery: &DueDelivery, second: i64) -> Claim {
    Claim {
        delivery: delivery.number,
        run: 1,
        addresses: delivery.addresses.clone(),
        message_id: format!("<{}@campaign.example>", delivery.recipient.id),
        date: at(second),
        bytes_digest: Digest::of(b"bytes"),
        at: at(second),
    }
}

pub(crate) fn word(text: &str) -> LastWord {
    LastWord { phase: Phase::EndOfData, code: Some(250), enhanced: None, text: text.to_owned(), at: at(9) }
}

pub(crate) fn settlement(events: &[(&str, Event)], not_before: Option<Timestamp>) -> Settlement {
    let one = |(address, event): &(&str, Event)| AddressJudgement {
        address: (*address).to_owned(),
        event: *event,
        word: word(&format!("{address} {event:?}")),
    };
    let charged = events.iter().all(|(_, event)| *event != Event::Release);
    let judgement = Judgement {
        addresses: events.iter().map(one).collect(),
        last: word("the whole"),
        run: Run::GoOn,
        charged,
        breaker: false,
    };
    Settlement { judgement, not_before, at: at(10) }
}

/// Claims all that is due of a row and records the intent.
pub(crate) async fn hand_over(ledger: &Ledger, name: &str) -> DeliveryId {
    let delivery = due(ledger, 1_000_000).into_iter().find(|d| d.recipient.id.as_str() == name).expect("due");
    ledger.claim(claim_of(&delivery, 5)).unwrap();
    ledger.intend(delivery.number).await.unwrap();
    delivery.number
}

/// A whole attempt on a row.
pub(crate) async fn attempt(ledger: &Ledger, name: &str, events: &[(&str, Event)]) -> Result<(), LedgerError> {
    let number = hand_over(ledger, name).await;
    ledger.settle(number, settlement(events, Some(at(60)))).await
}

pub(crate) fn record(ledger: &Ledger, name: &str) -> DeliveryRecord {
    ledger.reader().unwrap().delivery(&id(name)).unwrap().expect("known")
}

pub(crate) fn states(ledger: &Ledger, name: &str) -> Vec<(String, State)> {
    record(ledger, name).addresses.into_iter().map(|address| (address.address, address.state)).collect()
}
