//! Records to report on: one mission of each state, as the ledger would give them.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;

use demarche::domain::attempt::{DeliveryId, LastWord};
use demarche::domain::audience::Audience;
use demarche::domain::delivery::State;
use demarche::domain::digest::Digest;
use demarche::domain::language::Language;
use demarche::domain::mailbox::Mailbox;
use demarche::domain::message::Field;
use demarche::domain::outcome::Phase;
use demarche::domain::recipient::{Rank, Recipient, RecipientId};
use demarche::domain::record::{AddressRecord, AttemptRecord, Counts, DeliveryRecord, RunRecord};
use demarche::domain::run::{Beginning, Confirmation};
use demarche::domain::settings::Event;
use demarche::domain::state::StateCode;
use demarche::report::{Dossier, Facts, History, Sample};
use jiff::Timestamp;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn facts(missing: &[&str]) -> Facts {
    Facts {
        campaign: "Stand with women human rights defenders".into(),
        digest: Digest::of(b"batch"),
        missing: missing.iter().map(ToString::to_string).collect(),
        coverage: demarche::domain::coverage::Coverage::default(),
        zone: jiff::tz::TimeZone::get("America/New_York").expect("a zone"),
        now: at("2021-10-20T14:10:00Z"),
        ledger: "ledger.db".into(),
        resolved: Vec::new(),
        running: None,
        rehearsal: false,
        runs: Vec::new(),
        approvals: Vec::new(),
    }
}

/// A run of `send` with the sample's batch.
pub(crate) fn run() -> RunRecord {
    RunRecord {
        run: 1,
        started_at: at("2021-10-20T14:02:00Z"),
        ended_at: Some(at("2021-10-20T14:09:30Z")),
        program: Some("0.1.0".into()),
        attempts: 5,
        began: Beginning {
            command: Some("send".into()),
            digest: Some(Digest::of(b"batch")),
            confirmed: Some(Confirmation::Word),
            confirmed_at: Some(at("2021-10-20T14:01:58Z")),
            by: Some("desk".into()),
            host: Some("office".into()),
            approvals: Vec::new(),
        },
    }
}

pub(crate) fn word(phase: Phase, code: u16, enhanced: &str, text: &str) -> LastWord {
    LastWord {
        phase,
        code: (code > 0).then_some(code),
        enhanced: (!enhanced.is_empty()).then(|| enhanced.to_owned()),
        text: text.into(),
        at: at("2021-10-20T14:02:11.5Z"),
    }
}

fn word_in(state: State) -> Option<LastWord> {
    match state {
        State::Accepted => Some(word(Phase::EndOfData, 250, "2.0.0", "Ok: queued as 4XyZ12abc")),
        State::Deferred => Some(word(Phase::Rcpt, 451, "4.7.1", "Greylisted, please try again in a few minutes")),
        State::Failed => Some(word(Phase::Rcpt, 550, "5.1.1", "No such user here")),
        State::Uncertain => Some(word(Phase::EndOfData, 0, "", "the server closed the connection")),
        State::Queued | State::Sending | State::HandedOver | State::Suppressed => None,
    }
}

/// A delivery of one address in `state`.
pub(crate) fn record(id: &str, state: State) -> DeliveryRecord {
    let address = format!("{}@missions.example", id.to_lowercase());
    let attempted = word_in(state).is_some();
    DeliveryRecord {
        number: DeliveryId(1),
        id: RecipientId::parse(id).expect("an id"),
        recipient: Recipient {
            id: RecipientId::parse(id).expect("an id"),
            state: StateCode::parse(id),
            to: vec![Mailbox::parse(&address).expect("a mailbox")],
            cc: vec![],
            bcc: vec![],
            language: None,
            rank: Rank::default(),
            name: None,
            gender: None,
            attachments: vec![],
            verified_on: None,
            columns: BTreeMap::new(),
            line: 2,
        },
        state,
        addresses: vec![AddressRecord { address, field: Field::To, state, word: word_in(state) }],
        attempts: u32::from(attempted),
        message_id: attempted.then(|| format!("<{id}.1@coalition.example>")),
        date: attempted.then(|| at("2021-10-20T14:02:10Z")),
        digest: Digest::of(id.as_bytes()),
        edition: 1,
        not_before: (state == State::Deferred).then(|| at("2021-10-20T14:16:26Z")),
        last: word_in(state),
        note: (state == State::Suppressed).then(|| "asked not to be written to".into()),
    }
}

/// One delivery in each state; the failed one reached its copy.
pub(crate) fn of_every_state() -> Vec<DeliveryRecord> {
    let ids = ["AFG", "BRA", "CHN", "KEN", "DEU", "GBR", "MLI", "CIV"];
    let mut records: Vec<_> = ids.iter().zip(State::ALL).map(|(id, state)| record(id, state)).collect();
    records[5].addresses.push(AddressRecord {
        address: "deputy@missions.example".into(),
        field: Field::Cc,
        state: State::Accepted,
        word: word_in(State::Accepted),
    });
    records
}

pub(crate) fn counts(records: &[DeliveryRecord]) -> Counts {
    let mut counts = Counts::default();
    for record in records {
        counts.add(record.state, 1);
    }
    counts
}

/// The one attempt, in the sample's run, that made a record what it is.
fn tried(record: &DeliveryRecord) -> (String, Vec<AttemptRecord>) {
    let at = record.last.as_ref().expect("a word").at;
    let attempt = AttemptRecord {
        number: 1,
        run: 1,
        claimed_at: at,
        intent_at: Some(at),
        settled_at: Some(at),
        outcome: Some(record.state),
        word: record.last.clone(),
        addresses: record.addresses.clone(),
    };
    (record.id.to_string(), vec![attempt])
}

/// A report of these records, sent within ten minutes on the day before the event. The campaign means to reach their Member
/// States and those that are missing.
pub(crate) fn dossier(records: Vec<DeliveryRecord>, missing: &[&str]) -> Dossier {
    let is_meant = |code: &StateCode| {
        records.iter().any(|record| record.recipient.state == Some(*code)) || missing.contains(&code.state().name("en"))
    };
    let expected = Audience::MemberStates.states().into_iter().map(|state| state.code).filter(is_meant).collect();
    let settled = |(place, record): (usize, &DeliveryRecord)| {
        let minute = i64::try_from(place).expect("few");
        record.last.as_ref().map(|word| (word.at + jiff::SignedDuration::from_mins(minute), record.state))
    };
    Dossier {
        facts: Facts { runs: vec![run()], ..facts(missing) },
        counts: counts(&records),
        settled: records.iter().enumerate().filter_map(settled).collect(),
        attempts: records.iter().filter(|record| record.attempts > 0).map(tried).collect(),
        languages: records
            .iter()
            .map(|record| (record.id.to_string(), Language::parse("en").expect("a language")))
            .collect(),
        history: History::new(),
        records,
        remarks: std::collections::HashMap::new(),
        letters: vec![Sample {
            language: Language::parse("en").expect("a language"),
            edition: 1,
            count: 8,
            mission: "Kenya".into(),
            subject: "Open letter to Kenya".into(),
            text: "Excellency,\n\nText for the Republic of Kenya.\n".into(),
            attachments: vec!["annex.pdf".into()],
        }],
        sender: "Coalition Secretariat <letters@coalition.example>".into(),
        reply_to: None,
        event: Some(Event {
            name: "Security Council open debate".into(),
            at: at("2021-10-21T14:00:00Z"),
            zone: "America/New_York".into(),
        }),
        audience: "member-states".into(),
        expected,
        approvals_needed: 0,
    }
}

/// Given back, deferred, accepted.
pub(crate) fn attempts() -> Vec<AttemptRecord> {
    let of = |number, outcome: State, word: Option<LastWord>| AttemptRecord {
        number,
        run: i64::from(number),
        claimed_at: at("2021-10-20T14:02:10Z"),
        intent_at: (outcome == State::Accepted).then(|| at("2021-10-20T14:02:11Z")),
        settled_at: Some(at("2021-10-20T14:02:12Z")),
        outcome: Some(outcome),
        addresses: vec![AddressRecord {
            address: "ken@missions.example".into(),
            field: Field::To,
            state: outcome,
            word: word.clone().filter(|word| word.phase == Phase::Rcpt),
        }],
        word,
    };
    let closed = word(Phase::Connect, 0, "", "the server closed the connection");
    vec![
        of(1, State::Queued, Some(closed)),
        of(2, State::Deferred, word_in(State::Deferred)),
        of(3, State::Accepted, word_in(State::Accepted)),
    ]
}
