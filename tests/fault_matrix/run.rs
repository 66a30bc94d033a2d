//! One cell from the plan to the verdict: three letters, a ledger of their own, a server with one fault, and what came of it.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use demarche::clock;
use demarche::dispatch::{self, Compose, Ending, Job, Progress, RunError, Waiting};
use demarche::domain::delivery::State;
use demarche::domain::digest::Digest;
use demarche::domain::language::Language;
use demarche::domain::message::{Envelope, Field, ForwardPath, Message, Stamp};
use demarche::domain::outcome::Phase;
use demarche::domain::recipient::Recipient;
use demarche::domain::record::{AttemptRecord, DeliveryRecord};
use demarche::domain::retry::RetryPolicy;
use demarche::ledger::{DueDelivery, Edition, Ledger, NewDelivery};
use demarche::postbox::{Letter, Postbox};
use demarche::report::{self, Facts, Style};
use demarche::smtp::Connector;
use tokio::sync::watch;

use crate::cells::Cell;
use crate::expect::{ATTEMPTS, Expected, RunEnd, expected, words};
use crate::relay::{self, HIT, Stage};
use crate::table::{Fault, Meaning, Place, Way};

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
struct Found {
    ending: Ending,
    rows: Vec<DeliveryRecord>,
    attempts: Vec<Vec<AttemptRecord>>,
    letters: Vec<Letter>,
    sessions: u64,
    transcripts: Vec<Vec<String>>,
    violations: Vec<String>,
    hits: u64,
    rests: bool,
    /// All that a person could read while it ran.
    read: String,
    /// What `status` says afterwards.
    status: String,
    exit: u8,
}

/// Runs a cell; what is not as it has to be.
pub(crate) async fn run(cell: Cell) -> Vec<String> {
    match tokio::time::timeout(AT_MOST, play(&cell)).await {
        Ok(found) => compare(&cell, &found),
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
    let counts = reader.counts().expect("readable");
    let facts = Facts {
        campaign: "The fault matrix".to_owned(),
        digest: reader.batch_digest().expect("readable"),
        missing: Vec::new(),
        now: clock::now(),
        ledger: "ledger.db".to_owned(),
    };
    Found {
        status: report::status(&rows, &counts, &facts, &WIDE),
        exit: report::exit_code(&counts),
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
            Progress::Waiting { .. } | Progress::Connected | Progress::ClockJumped { .. } => continue,
        }
        read.push('\n');
    }
    (rests, read)
}

fn compare(cell: &Cell, found: &Found) -> Vec<String> {
    let expected = expected(cell);
    let mut wrong = Vec::new();
    let mut check = |right: bool, what: String| {
        if !right {
            wrong.push(what);
        }
    };
    check(found.hits > 0, "the fault never came".to_owned());
    check(found.violations.is_empty(), format!("violations: {:?}", found.violations));
    check(run_ended(&found.ending) == Some(expected.run), format!("the run ended as {:?}", found.ending));
    check(
        expected.sessions.contains(&found.sessions),
        format!("{} sessions, not {:?}", found.sessions, expected.sessions),
    );
    check(found.rests == expected.rests, format!("the account rests: {}", found.rests));
    let words = words(cell);
    let told = words.is_empty() || words.iter().any(|words| found.read.contains(words));
    check(told, format!("nobody reads one of {words:?}"));
    for (row, end) in found.rows.iter().zip(&expected.rows) {
        let told = format!("{} is {} after {} attempts, not {end:?}", row.id, row.state, row.attempts);
        check(end.states.contains(&row.state) && end.charged.contains(&row.attempts), told);
    }
    wrong.extend(held(&expected, found));
    wrong.extend(blamed(cell, found));
    wrong.extend(in_clear(cell, found));
    wrong.extend(other_way(cell, found));
    wrong.extend(status(cell, found));
    if !wrong.is_empty() {
        let lines: Vec<&str> = found.read.lines().take(12).collect();
        wrong.push(format!("what a person read first:\n{}\nstatus:\n{}", lines.join("\n"), found.status));
    }
    wrong
}

fn run_ended(ending: &Ending) -> Option<RunEnd> {
    match ending {
        Ending::Drained => Some(RunEnd::Drained),
        Ending::Halted(_) | Ending::Broken(_) => Some(RunEnd::Halted),
        Ending::Stopped | Ending::Capped(_) => None,
    }
}

/// What the server really holds, against what the ledger says of it.
fn held(expected: &Expected, found: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in &found.rows {
        let address = format!("{}@missions.example", row.id);
        let copies = found.letters.iter().filter(|letter| letter.forward_paths == [address.as_str()]).count();
        let right = match row.state {
            State::Accepted => copies == 1,
            State::Uncertain => copies <= 1,
            _ => copies == 0,
        };
        if !right || (address == HIT && copies != expected.held) {
            wrong.push(format!("{} is {}, and the server holds {copies} copies", row.id, row.state));
        }
    }
    if found.letters.iter().any(|letter| letter.delivery.is_none() || !letter.bytes.ends_with(b"\r\n")) {
        wrong.push("a letter did not come whole".to_owned());
    }
    wrong
}

/// The hit row's own record names the phase; nobody is blamed for what is the relay's.
fn blamed(cell: &Cell, found: &Found) -> Vec<String> {
    let mut wrong = Vec::new();
    let phase = phase_on_record(cell);
    let theirs = matches!(cell.meaning, Meaning::P | Meaning::D | Meaning::F | Meaning::U)
        || (cell.meaning == Meaning::H && !cell.place.opens());
    let first = found.attempts[1].first().and_then(|attempt| attempt.word.as_ref());
    if theirs && first.is_none_or(|word| word.phase != phase) && cell.fault != Fault::ExtraReply {
        wrong.push(format!("the first attempt on the second row does not name {phase}: {first:?}"));
    }
    let uncounted = matches!(cell.meaning, Meaning::S | Meaning::T | Meaning::P | Meaning::H);
    if uncounted && found.rows.iter().any(|row| matches!(row.state, State::Failed | State::Uncertain)) {
        wrong.push("a mission is blamed for what is the relay's".to_owned());
    }
    wrong
}

/// A chunk's body and end have one reply, and what it leaves uncertain is uncertain at its end.
fn phase_on_record(cell: &Cell) -> Phase {
    match (cell.way(), cell.place, cell.meaning) {
        (Way::Chunk, Place::Body, _) | (Way::Chunk, _, Meaning::U) => Phase::EndOfData,
        (_, place, _) => place.phase(),
    }
}

/// `status` names every row that somebody has to look at, with the words that the server or we had for it, and the
/// command that comes next; and what `send` would exit with follows from the same counts.
fn status(cell: &Cell, found: &Found) -> Vec<String> {
    let mut due = Vec::new();
    let accepted = found.rows.iter().filter(|row| row.state == State::Accepted).count();
    if accepted == ROWS.len() {
        due.extend(["Every letter was accepted: 3 of 3.".to_owned(), "Nothing is left to do.".to_owned()]);
    } else {
        due.push(format!("{accepted} of 3 letters accepted; "));
    }
    let mut exit = 0;
    for row in &found.rows {
        let id = &row.id;
        let (heading, command, code) = match row.state {
            State::Uncertain => ("Uncertain: no valid reply came", format!("demarche resolve {id} --sent"), 2),
            State::Failed => ("Failed: refused for good", "demarche resend".to_owned(), 1),
            State::Deferred => ("Deferred: refused for now", "demarche resend".to_owned(), 75),
            State::Queued => ("still to be sent", "demarche send".to_owned(), 75),
            _ => continue,
        };
        exit = if exit == 0 || code < exit && code != 1 || exit == 75 { code } else { exit };
        due.extend([heading.to_owned(), command]);
        if row.state != State::Queued {
            due.push(format!("  {id}  {id}"));
            due.push(format!("{id}@missions.example, {}", row.last.as_ref().map_or("?", |word| word.phase.name())));
        }
    }
    let mut wrong: Vec<String> = due
        .into_iter()
        .filter(|due| !found.status.contains(due))
        .map(|due| format!("status does not say {due:?}"))
        .collect();
    let settled = matches!(found.rows[1].state, State::Uncertain | State::Failed | State::Deferred);
    let words = words(cell);
    if settled && !words.is_empty() && !words.iter().any(|words| found.status.contains(words)) {
        wrong.push(format!("status says none of {words:?}"));
    }
    if found.exit != exit {
        wrong.push(format!("the exit code is {}, not {exit}", found.exit));
    }
    wrong
}

/// A letter went out as a chunk where that was due, and only there.
fn other_way(cell: &Cell, found: &Found) -> Option<String> {
    let heard = |verb: &str| found.transcripts.iter().flatten().any(|line| line.split(' ').next() == Some(verb));
    let letters = heard("MAIL");
    let right = match cell.way() {
        Way::Data => !heard("BDAT"),
        Way::Chunk => heard("BDAT") == letters && !heard("DATA"),
    };
    (!right).then(|| "the letters went another way".to_owned())
}

/// Where STARTTLS is asked for, no letter is so much as named before a second EHLO.
fn in_clear(cell: &Cell, found: &Found) -> Option<String> {
    let early = |lines: &Vec<String>| {
        let named = lines.iter().position(|line| line.starts_with("MAIL") || line.starts_with("AUTH"));
        let greeted = lines.iter().take(named.unwrap_or(0)).filter(|line| line.starts_with("EHLO")).count();
        named.is_some() && greeted < 2
    };
    (cell.place == Place::StartTls && found.transcripts.iter().any(early)).then(|| "a letter went in clear".to_owned())
}
