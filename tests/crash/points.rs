//! kill -9 at each durable write point: the plan, the claim, the intent, the outcome; and at every single write and sync.

use std::process::{Command, Stdio};

use demarche::domain::outcome::Phase;
use demarche::postbox::Action;
use rusqlite::Connection;

use crate::order::strace_or_skip;
use crate::stage::Stage;
use crate::support::campaign::Campaign;
use crate::support::server::Server;
use crate::truth::{Remains, Settled, check, remains};

const ROWS: usize = 8;
/// The letter, of eight, that is in flight at the kill.
const NTH: u32 = 4;

fn campaign(stage: &Stage) -> Campaign {
    Campaign::small(stage.server.port(), ROWS).set("smtp.connections", "1")
}

/// Kills the program at an event of the server, which then does `action`, and sends the rest.
fn killed_at(phase: Phase, action: Action) -> (Stage, Settled, Remains) {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    stage.hold(phase, NTH, action);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    running.kill();
    let left = remains(&campaign);
    stage.go_on();
    let rest = campaign.run(&["send", "--yes"]);
    assert!(matches!(rest.code, Some(0 | 2)), "{rest:?}");
    let settled = check(&campaign, &stage.server, ROWS, &format!("killed at {phase}"));
    (stage, settled, left)
}

/// Keeps everybody from writing to the ledger until dropped.
fn freeze(campaign: &Campaign) -> Connection {
    let connection = Connection::open(campaign.path("ledger.db")).expect("the ledger");
    connection.busy_timeout(std::time::Duration::from_secs(10)).expect("a timeout");
    connection.execute_batch("BEGIN IMMEDIATE").expect("the write lock");
    connection
}

/// Lets the program run into a frozen ledger and kills it once the server has seen `seen`.
fn killed_while_frozen(from: Phase, seen: Phase) -> (Stage, Campaign) {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    stage.hold(from, NTH, Action::Behave);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    let frozen = freeze(&campaign);
    stage.arm(seen, 1);
    stage.go_on();
    if seen == Phase::EndOfData {
        stage.server.wait_for(NTH as usize);
    } else {
        stage.expect(&mut running);
    }
    // The freeze must outlive the program, or its last write could still get through.
    running.kill();
    drop(frozen);
    (stage, campaign)
}

#[test]
fn killed_before_the_first_letter_nothing_is_lost_and_nothing_is_uncertain() {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    stage.hold(Phase::Connect, 1, Action::Behave);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    running.kill();
    stage.go_on();
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(check(&campaign, &stage.server, ROWS, "W0"), Settled { accepted: ROWS, uncertain: 0 });
}

#[test]
fn killed_between_claim_and_intent_a_letter_is_queued_again_and_arrives_once() {
    for phase in [Phase::Mail, Phase::Rcpt, Phase::Data] {
        let (_, settled, left) = killed_at(phase, Action::Behave);
        assert_eq!(settled, Settled { accepted: ROWS, uncertain: 0 }, "{phase}");
        assert_eq!((left.unsure, left.accepted), (0, NTH as usize - 1), "{phase}");
    }
}

#[test]
fn killed_with_the_body_on_its_way_and_no_intent_a_letter_is_queued_again_and_arrives_once() {
    let (stage, campaign) = killed_while_frozen(Phase::Data, Phase::Body);
    assert_eq!(remains(&campaign).unsure, 0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let settled = check(&campaign, &stage.server, ROWS, "body, no intent");
    assert_eq!(settled, Settled { accepted: ROWS, uncertain: 0 });
}

#[test]
fn killed_between_intent_and_reply_a_letter_is_uncertain_whatever_the_server_did_with_it() {
    let kept = Action::AcceptThen(Box::new(Action::Close));
    let thrown_away = Action::RejectThen(Box::new(Action::Close));
    for (action, held) in [(kept, ROWS), (thrown_away, ROWS - 1)] {
        let (stage, settled, left) = killed_at(Phase::EndOfData, action);
        assert_eq!(settled, Settled { accepted: ROWS - 1, uncertain: 1 });
        assert_eq!(left.unsure, 1);
        assert_eq!(stage.server.letters().len(), held);
    }
}

#[test]
fn killed_between_the_250_and_its_record_a_letter_is_uncertain_and_not_sent_again() {
    let (stage, campaign) = killed_while_frozen(Phase::EndOfData, Phase::EndOfData);
    assert_eq!(remains(&campaign).unsure, 1);
    campaign.run(&["send", "--yes"]).expect_code(2);
    let settled = check(&campaign, &stage.server, ROWS, "250, no outcome");
    assert_eq!(settled, Settled { accepted: ROWS - 1, uncertain: 1 });
    assert_eq!(stage.server.letters().len(), ROWS);
}

#[test]
fn killed_after_the_outcome_a_letter_is_accepted_for_good() {
    // With one session the next MAIL comes once the outcome of the letter before is on record.
    let (_, settled, left) = killed_at(Phase::Mail, Action::Behave);
    assert_eq!(left.accepted, NTH as usize - 1);
    assert_eq!(settled, Settled { accepted: ROWS, uncertain: 0 });
}

/// Sends to two rows, killed as it begins the `nth` call of `call` in a thread, and then to the end; false if there was no
/// such call.
fn killed_at_call(call: &str, nth: u32) -> bool {
    const FEW: usize = 2;
    let context = format!("killed at {call} {nth}");
    let server = Server::start();
    let campaign = Campaign::small(server.port(), FEW).set("smtp.connections", "1");
    // The file is made before: what is killed here is the plan (W0) and what follows it.
    campaign.run(&["send"]).expect_code(64);
    let program = campaign.command(&["send", "--yes"]);
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-e", &format!("trace={call}"), "-e", &format!("inject={call}:signal=KILL:when={nth}")]);
    traced.arg("-o").arg(campaign.path("home/trace")).arg(program.get_program()).args(["send", "--yes"]);
    traced.current_dir(campaign.path("")).env("HOME", campaign.path("home")).stdin(Stdio::null());
    let ended = traced.output().expect("strace starts").status;
    let before = server.letters().len();
    let rest = campaign.run(&["send", "--yes"]);
    assert!(matches!(rest.code, Some(0 | 2)), "{context}: {rest:?}");
    let settled = check(&campaign, &server, FEW, &context);
    assert_eq!(settled.accepted + settled.uncertain, FEW, "{context}");
    assert!(settled.uncertain <= 1, "{context}: one session, and {} letters uncertain", settled.uncertain);
    assert!(!ended.success() || before == FEW, "{context}: it ended well before its end");
    !ended.success()
}

#[test]
fn killed_at_every_single_write_and_sync_nothing_is_sent_twice_and_nothing_is_lost() {
    if !strace_or_skip("a kill at every write") {
        return;
    }
    for (call, least) in [("pwrite64", 12), ("fsync,fdatasync", 3)] {
        let mut kills = 0;
        while killed_at_call(call, kills + 1) {
            kills += 1;
            assert!(kills < 400, "{call}: there is no end to it");
        }
        say(call, kills);
        assert!(kills >= least, "{call}: only {kills} kills, fewer than plan, claims, intents and outcomes take");
    }
}

/// A line that `scripts/soak` collects.
#[expect(clippy::print_stderr, reason = "the figure is for people, and for scripts/soak")]
fn say(call: &str, kills: u32) {
    eprintln!("reliability: kills, one at each call of {call} in a send to two rows = {kills}");
}
