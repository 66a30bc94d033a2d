//! Two terminals, and what a terminal does to a running send: the letters in flight are finished and recorded.

use std::io::Read as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use demarche::clock;
use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Offers};

use crate::stage::Stage;
use crate::support::campaign::Campaign;
use crate::truth::{Settled, check, remains};

/// Those that ask the program to stop.
const SIGNALS: [&str; 3] = ["INT", "TERM", "HUP"];
const ROWS: usize = 12;
const NTH: u32 = 3;

fn campaign(stage: &Stage) -> Campaign {
    Campaign::small(stage.server.port(), ROWS).set("smtp.connections", "1")
}

#[test]
fn a_signal_lets_the_letter_in_flight_finish_and_be_recorded_and_the_rest_waits() {
    // By DATA in the body, where nothing is decided yet; as a chunk at its end, where the relay has it already.
    let ways = [(false, Phase::Body), (true, Phase::EndOfData)];
    for (name, (chunking, phase)) in SIGNALS.into_iter().flat_map(|name| ways.map(|way| (name, way))) {
        let stage = Stage::offering(Offers { chunking, ..Offers::default() });
        let mut campaign = campaign(&stage);
        stage.hold(phase, NTH, Action::Behave);
        let mut running = campaign.spawn(&["send", "--yes"]);
        stage.expect(&mut running);
        running.signal(name);
        while !running.stderr().contains("letters in flight are finished first") {
            assert!(!running.has_ended(), "{name}: {}", running.stderr());
        }
        stage.go_on();
        let run = running.wait().expect_code(75);
        let signal = match name {
            "INT" => "Interrupted",
            "TERM" => "Told to terminate",
            _ => "The terminal is gone",
        };
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let told = format!("{signal}: stopping; letters in flight are finished first. Once more to abort.");
        assert!(said.contains(&told), "{name}: {}", run.stderr);
        let left = "Stopped. Everything so far is on record; `demarche send` goes on with the rest.";
        assert!(said.contains(left), "{name}: {}", run.stderr);
        assert_eq!(stage.server.letters().len(), NTH as usize, "{name}");
        let left = remains(&campaign);
        assert_eq!((left.accepted, left.unsure, left.claimed), (NTH as usize, 0, 0), "{name}");
        campaign.run(&["send", "--yes"]).expect_code(0);
        assert_eq!(check(&campaign, &stage.server, ROWS, name), Settled { accepted: ROWS, uncertain: 0 });
    }
}

#[test]
fn a_second_signal_aborts_at_once_and_the_letter_that_was_handed_over_is_uncertain() {
    // In the second case every letter is composed already, in the others some are left to compose.
    for (nth, (first, second)) in [(NTH, ("INT", "INT")), (12, ("TERM", "TERM")), (NTH, ("HUP", "INT"))] {
        let stage = Stage::new();
        let mut campaign = campaign(&stage);
        stage.hold(Phase::EndOfData, nth, Action::RejectThen(Box::new(Action::Close)));
        let mut running = campaign.spawn(&["send", "--yes"]);
        stage.expect(&mut running);
        running.signal(first);
        while !running.stderr().contains("Once more to abort") {
            assert!(!running.has_ended(), "{}", running.stderr());
        }
        running.signal(second);
        let asked = Instant::now();
        while !running.has_ended() {
            assert!(asked.elapsed() < Duration::from_secs(20), "letter {nth}: it does not end: {}", running.stderr());
            std::thread::yield_now();
        }
        let run = running.wait().expect_code(2);
        let letters = campaign.run(&["status", "--json"]).expect_code(2).json();
        let rows = letters["deliveries"].as_array().expect("deliveries").iter();
        let uncertain: Vec<&str> =
            rows.filter(|row| row["state"] == "uncertain").map(|row| row["id"].as_str().expect("an id")).collect();
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let [id] = uncertain[..] else { panic!("{uncertain:?}") };
        let state = demarche::domain::state::by_iso3(id).expect("a state").name("en");
        let told =
            format!("error: aborted while {id} {state} was being handed over: nobody can know whether it arrived");
        assert!(said.contains(&told), "{told}\n{}", run.stderr);
        stage.go_on();
        campaign.run(&["send", "--yes"]).expect_code(2);
        let settled = check(&campaign, &stage.server, ROWS, "aborted");
        assert_eq!(settled, Settled { accepted: ROWS - 1, uncertain: 1 });
    }
}

#[test]
fn who_looks_finds_a_letter_uncertain_once_the_run_that_handed_it_over_is_gone_and_not_before() {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    stage.hold(Phase::EndOfData, NTH, Action::RejectThen(Box::new(Action::Close)));
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    let during = campaign.run(&["status"]).expect_code(75).stdout;
    let during = during.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(!during.contains("Uncertain:") && !during.contains("uncertain"), "{during}");
    let at_work = format!("At work now: process {}, `demarche send`, since ", running.process_id());
    assert!(during.contains(&at_work), "{during}");
    let json = campaign.run(&["status", "--json"]).json();
    let handed_over = |json: &serde_json::Value, state: &str| {
        let rows = json["deliveries"].as_array().expect("deliveries");
        rows.iter().find(|row| row["state"] == state).map(|row| row["id"].as_str().expect("an id").to_owned())
    };
    let id = handed_over(&json, "sending").expect("the letter that is being handed over");
    let asked = campaign.run(&["resolve", &id]).expect_code(64).stderr;
    assert!(asked.contains("is being sent, by process "), "{asked}");
    running.kill();

    let before = std::fs::read(campaign.path("ledger.db-wal")).expect("the log");
    let after = campaign.run(&["status"]).expect_code(2).stdout;
    assert!(after.contains("2 of 12 letters accepted; 1 uncertain, 9 still to be sent"), "{after}");
    assert!(after.contains("Uncertain: no valid reply came") && !after.contains("At work now"), "{after}");
    assert_eq!(handed_over(&campaign.run(&["status", "--json"]).json(), "uncertain"), Some(id.clone()));
    let log = campaign.run(&["log", &id]).expect_code(0).stdout;
    let log = log.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(log.contains("the run ended before the server's answer was known"), "{log}");
    let evidence = campaign.run(&["resolve", &id]).expect_code(0).stdout;
    assert!(evidence.contains("ask the mission: "), "{evidence}");
    assert_eq!(std::fs::read(campaign.path("ledger.db-wal")).expect("the log"), before, "who looks writes nothing");
    stage.go_on();
    campaign.run(&["resolve", &id, "--not-sent", "--note", "their registry has nothing"]).expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(check(&campaign, &stage.server, ROWS, "killed"), Settled { accepted: ROWS, uncertain: 0 });
}

#[test]
fn who_looks_while_a_run_waits_for_its_time_is_told_until_when() {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    let later = clock::now() + jiff::SignedDuration::from_hours(2);
    let at = later.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let mut running = campaign.spawn(&["send", "--yes", "--at", &at.to_string()]);
    while !running.stderr().contains("Waiting until") {
        assert!(!running.has_ended(), "{}", running.stderr());
        std::thread::yield_now();
    }
    let status = campaign.run(&["status"]).expect_code(75).stdout;
    let until = at.strftime("waits until %-d %B %Y, %H:%M UTC.").to_string();
    let status = status.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(status.contains("At work now: process ") && status.contains(&until), "{until}\n{status}");
}

#[test]
fn a_signal_ends_a_run_that_only_waits_and_every_letter_is_where_it_was() {
    let later = clock::now() + jiff::SignedDuration::from_hours(2);
    // Two hours from now, in UTC: closed now, whenever that is.
    let opens = later.to_zoned_datetime(jiff::tz::TimeZone::UTC).hour();
    let hours = format!("\"{opens:02}:00-{opens:02}:59\"");
    let at = later.to_string();
    let deferring = || Campaign::small(0, ROWS).set("retry.linger", "\"1h\"");
    for name in SIGNALS {
        // For the time of deferred letters; for the hours; for the moment that was asked for.
        let stage = Stage::new();
        let port = stage.server.port().to_string();
        let waits: [(Campaign, &[&str], &str, usize); 3] = [
            (deferring(), &["send", "--yes"], "waiting ", ROWS - 1),
            (
                deferring().set("pace.hours", &hours).set("pace.timezone", "\"UTC\""),
                &["send", "--yes"],
                "outside the hours",
                0,
            ),
            (deferring(), &["send", "--yes", "--at", &at], "Waiting until", 0),
        ];
        for (campaign, command, words, accepted) in waits {
            let mut campaign = campaign.set("smtp.port", &port).set("smtp.connections", "1");
            let before = stage.server.letters().len();
            stage.hold(Phase::Rcpt, NTH, Action::Reply("450 4.2.0 not yet".to_owned()));
            let mut running = campaign.spawn(command);
            if accepted > 0 {
                stage.expect(&mut running);
                stage.go_on();
            }
            while !running.stderr().contains(words) {
                assert!(!running.has_ended(), "{name}: {}", running.stderr());
                std::thread::yield_now();
            }
            running.signal(name);
            let run = running.wait().expect_code(75);
            assert_eq!(stage.server.letters().len() - before, accepted, "{name}, {words}: {}", run.stderr);
            let left = remains(&campaign);
            assert_eq!((left.accepted, left.unsure, left.claimed), (accepted, 0, 0), "{name}, {words}");
        }
    }
}

#[test]
fn a_broken_pipes_signal_ends_nothing() {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    stage.hold(Phase::EndOfData, NTH, Action::Behave);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    running.signal("PIPE");
    stage.go_on();
    running.wait().expect_code(0);
    assert_eq!(check(&campaign, &stage.server, ROWS, "PIPE"), Settled { accepted: ROWS, uncertain: 0 });
}

#[test]
fn closed_pipes_are_no_reason_to_stop() {
    let stage = Stage::new();
    let campaign = campaign(&stage);
    let mut child = campaign
        .command(&["send", "--yes", "-v", "--json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stderr = child.stderr.take().expect("a pipe");
    let mut first = [0; 1];
    stderr.read_exact(&mut first).expect("it says something");
    // As `| head` does: both readers are gone while the letters go out.
    drop((child.stdout.take(), stderr));
    let status = child.wait().expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert_eq!(check(&campaign, &stage.server, ROWS, "closed pipes"), Settled { accepted: ROWS, uncertain: 0 });
}

#[test]
fn status_log_and_report_look_on_while_a_send_runs_and_a_second_send_names_the_first() {
    let stage = Stage::new();
    let mut campaign = campaign(&stage);
    stage.hold(Phase::EndOfData, NTH, Action::Behave);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    let counts = campaign.run(&["status", "--json"]).json()["counts"].clone();
    assert_eq!((&counts["accepted"], &counts["sending"]), (&2.into(), &1.into()), "{counts}");
    assert!(campaign.run(&["log"]).expect_code(0).stdout.contains("250"));
    campaign.run(&["report", "--csv", "report.csv"]).expect_code(0);
    for command in [&["send", "--yes"][..], &["resend", "--yes"], &["resolve", "AND", "--sent", "--note", "a call"]] {
        let refused = campaign.run(command).expect_code(74);
        let holder = format!("process {}, `demarche send`", running.process_id());
        let said = refused.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
        let from = format!("error: the ledger is in use by {holder}, since 2");
        let to = "Z: wait until it has finished, or stop it there; `status` and `log` can be used meanwhile";
        assert!(said.contains(&from) && said.ends_with(to), "{command:?}: {}", refused.stderr);
    }
    stage.go_on();
    running.wait().expect_code(0);
    assert_eq!(check(&campaign, &stage.server, ROWS, "looked at"), Settled { accepted: ROWS, uncertain: 0 });
}
