//! One cell from the plan to its end: three letters, a ledger of their own, a server with one fault, and what came of it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use demarche::clock;
use demarche::dispatch::{self, Compose, Ending, Job, Progress, RunError, Waiting};
use demarche::domain::digest::Digest;
use demarche::domain::language::Language;
use demarche::domain::message::{Envelope, Field, ForwardPath, Message, Stamp};
use demarche::domain::recipient::Recipient;
use demarche::domain::record::{AttemptRecord, DeliveryRecord};
use demarche::domain::retry::RetryPolicy;
use demarche::ledger::{DueDelivery, Edition, Ledger, NewDelivery, Reader, Start};
use demarche::postbox::{Letter, Postbox};
use demarche::report::{self, Facts, Style};
use demarche::smtp::Connector;
use tokio::sync::watch;

use crate::cells::Cell;
use crate::expect::ATTEMPTS;
use crate::relay::{self, Stage};
use crate::table::{Place, Way};
use crate::verdict;

/// The rows, in their order.
pub(crate) const ROWS: [&str; 3] = ["one", "two", "three"];
/// More than the sockets between the two ends hold while nobody reads, so that what is said in the body comes before its end.
const LARGE: usize = 8 * 1024 * 1024;
/// A screen on which nothing is wrapped.
const WIDE: Style = Style { width: 400, colour: false, unicode: true };
/// No cell takes longer, unless it hangs.
const AT_MOST: Duration = Duration::from_secs(60);

struct Letters {
    stage: Arc<Stage>,
    large: bool,
}

impl Letters {
    fn bytes(&self, row: &str, stamp: &Stamp) -> Vec<u8> {
        let mut text = format!(
            "From: letters@coalition.example\r\nTo: {row}@missions.example\r\nMessage-ID: {}\r\n\
             X-Demarche-Delivery: matrix/{row}\r\n\r\n.A line that begins with a dot.\r\n",
            stamp.message_id
        );
        if self.large && row == "two" {
            let line = format!("{}\r\n", "x".repeat(900));
            text.push_str(&line.repeat(LARGE / line.len()));
        }
        text.into_bytes()
    }
}

impl Compose for Letters {
    fn compose(&self, due: &DueDelivery) -> Result<(Stamp, Message), RunError> {
        let id = due.recipient.id.as_str();
        self.stage.wait_for_turn(ROWS.iter().position(|row| *row == id).expect("one of ours"));
        let stamp = Stamp { message_id: format!("<{id}@coalition.example>"), date: clock::now() };
        let message = Message {
            bytes: self.bytes(id, &stamp),
            envelope: Envelope { reverse_path: "letters@coalition.example".to_owned(), forward_paths: paths(id) },
            digest: Digest::of(id.as_bytes()),
            subject: "An open letter".to_owned(),
            language: Language::parse("en").expect("a language"),
        };
        Ok((stamp, message))
    }
}

fn paths(row: &str) -> Vec<ForwardPath> {
    vec![ForwardPath { address: format!("{row}@missions.example"), field: Field::To }]
}

fn plan(row: &str) -> NewDelivery {
    let recipient: Recipient =
        serde_json::from_value(serde_json::json!({ "id": row, "to": [format!("{row}@missions.example")] }))
            .expect("a recipient");
    NewDelivery { recipient, addresses: paths(row), digest: Digest::of(row.as_bytes()), suppressed: None }
}

/// What came of a cell.
pub(crate) struct Found {
    pub(crate) ending: Ending,
    pub(crate) rows: Vec<DeliveryRecord>,
    pub(crate) attempts: Vec<Vec<AttemptRecord>>,
    pub(crate) letters: Vec<Letter>,
    pub(crate) sessions: u64,
    pub(crate) transcripts: Vec<Vec<String>>,
    pub(crate) violations: Vec<String>,
    pub(crate) hits: u64,
    pub(crate) rests: bool,
    /// All that a person could read while it ran.
    pub(crate) read: String,
    /// What `status` says afterwards.
    pub(crate) status: String,
    pub(crate) exit: u8,
}

/// Runs a cell; what is not as it has to be.
pub(crate) async fn run(cell: Cell) -> Vec<String> {
    match tokio::time::timeout(AT_MOST, play(&cell)).await {
        Ok(found) => verdict::compare(&cell, &found),
        Err(_) => vec!["it hangs".to_owned()],
    }
}

async fn play(cell: &Cell) -> Found {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = Ledger::open(&relay::ledger_file(folder.path()), true, "send").expect("a new ledger");
    let edition = Edition { settings: "{}".to_owned(), sources: Vec::new() };
    ledger.enrol("matrix", &edition, ROWS.map(plan).to_vec()).expect("enrolled");
    let stage = Arc::new(Stage::default());
    let server = Postbox::start(relay::options(cell, &stage)).await.expect("a free port");
    let truth = server.truth();
    let (progress, events) = channel();
    let job = Job {
        ledger: ledger.clone(),
        start: Start {
            command: "send",
            digest: Digest::of(b"matrix"),
            confirmed: None,
            by: None,
            approvals: Vec::new(),
        },
        connector: Connector::new(relay::relay(cell, server.address().port())).expect("settings"),
        compose: Arc::new(Letters {
            stage: Arc::clone(&stage),
            large: cell.place == Place::Body && cell.way() == Way::Data,
        }),
        rates: Vec::new(),
        per_domain: Vec::new(),
        hours: None,
        retry: RetryPolicy {
            first: Duration::from_millis(150),
            factor: 1.0,
            most: Duration::from_millis(300),
            attempts: ATTEMPTS,
            linger: Duration::from_secs(5),
        },
        wishes: None,
        progress,
    };
    let (_stop, stopping) = watch::channel(false);
    let ending = dispatch::run(job, stopping).await.expect("the ledger holds");
    server.stop().await;
    let (rests, mut read) = retell(&events);
    if let Ending::Halted(why) = &ending {
        let _ = writeln!(read, "{why}");
    }
    let reader = ledger.reader().expect("a reader");
    let mut rows = Vec::new();
    reader.deliveries(&mut |record| rows.push(record)).expect("readable");
    let attempts = rows.iter().map(|row| reader.attempts(&row.id).expect("readable")).collect();
    let (status, exit) = screen(&reader, &rows);
    Found {
        status,
        exit,
        ending,
        rows,
        attempts,
        letters: truth.accepted(),
        sessions: truth.connections(),
        transcripts: (1..=truth.connections()).map(|connection| truth.transcript(connection)).collect(),
        violations: truth.violations(),
        hits: stage.hits(),
        rests,
        read,
    }
}

/// What `status` says, and the exit code that goes with it.
fn screen(reader: &Reader, rows: &[DeliveryRecord]) -> (String, u8) {
    let counts = reader.counts().expect("readable");
    let facts = Facts {
        campaign: "The fault matrix".to_owned(),
        digest: reader.batch_digest().expect("readable"),
        missing: Vec::new(),
        coverage: demarche::domain::coverage::Coverage::default(),
        now: clock::now(),
        ledger: "ledger.db".to_owned(),
        approvals: Vec::new(),
        resolved: Vec::new(),
        running: None,
        rehearsal: false,
        runs: Vec::new(),
        zone: jiff::tz::TimeZone::UTC,
    };
    (report::status(rows, &counts, &facts, &WIDE), report::exit_code(&counts))
}

fn retell(events: &Receiver<Progress>) -> (bool, String) {
    let (mut rests, mut read) = (false, String::new());
    for event in events.try_iter() {
        match event {
            Progress::SessionLost { why, .. } => read.push_str(&why),
            Progress::Settled { id, state, word, .. } => {
                let _ = write!(read, "{id} {state}: {:?} {} {}", word.code, word.phase, word.text);
            }
            Progress::GivenBack { id, word } => {
                let _ = write!(read, "{id} given back: {:?} {} {}", word.code, word.phase, word.text);
            }
            Progress::Waiting { why: Waiting::Pause, .. } => rests = true,
            Progress::Waiting { .. }
            | Progress::Connected
            | Progress::Suppressed { .. }
            | Progress::ClockJumped { .. } => continue,
        }
        read.push('\n');
    }
    (rests, read)
}
