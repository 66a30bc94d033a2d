//! A ledger that was copied: to another machine, from an older state, from an older version. Two copies at work would send
//! everything twice; a folder that is handed over shall be taken over by a word.

use std::fs;
use std::path::Path;

use demarche::domain::outcome::Phase;
use demarche::postbox::Action;
use rusqlite::Connection;

use crate::stage::Stage;
use crate::support::campaign::{Campaign, Run};
use crate::support::server::Server;

const ROWS: usize = 6;

/// A campaign of which half was sent on the first machine.
fn half_sent(server: &Server) -> Campaign {
    let campaign = Campaign::small(server.port(), ROWS);
    campaign.run(&["send", "--yes", "--limit", "3"]).expect_code(0);
    campaign
}

/// Runs the program on another machine: one with another home, and so another memory.
fn elsewhere(campaign: &Campaign, arguments: &[&str]) -> Run {
    let home = campaign.path("home-of-a-colleague");
    let output = campaign.command(arguments).env("HOME", home).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
    Run { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// The error alone, with the names of this machine and hour taken out.
fn told(run: &Run) -> String {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let from = run.stderr.find("error: ").unwrap_or_else(|| panic!("no error: {run:?}"));
    let mut text = run.stderr[from..].trim_end().replace(&host, "HOST");
    while let Some(at) = text.find(" UTC") {
        text.replace_range(at - "2026-01-01 10:00".len()..at + " UTC".len(), "TIME");
    }
    text
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).expect("our own file");
}

fn version(campaign: &Campaign) -> i64 {
    let ledger = Connection::open(campaign.path("ledger.db")).expect("the ledger");
    ledger.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number")
}

#[test]
fn a_ledger_copied_from_another_machine_sends_nothing_without_a_word_and_can_be_read() {
    let server = Server::start();
    let campaign = half_sent(&server);
    for command in [&["send", "--yes"][..], &["resend", "--yes"], &["send", "--yes", "--refresh"]] {
        let run = elsewhere(&campaign, command).expect_code(74);
        assert_eq!(
            told(&run),
            "error: the last run on this ledger was on another machine, or by another user (HOST, TIME); if letters went out \
             from both copies, missions would get them twice: go on there; or, if nothing is sent from there any more, go on \
             here with --take-over. `status`, `log` and `report` work without"
        );
    }
    assert_eq!(server.letters().len(), 3);
    elsewhere(&campaign, &["status"]).expect_code(75);
    elsewhere(&campaign, &["log"]).expect_code(0);
    elsewhere(&campaign, &["report", "--csv", "out.csv"]).expect_code(0);
    elsewhere(&campaign, &["rehearse"]).expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), ROWS);
}

#[test]
fn a_campaign_that_is_handed_over_goes_on_there_by_a_word_and_not_here_any_more() {
    let server = Server::start();
    let campaign = half_sent(&server);
    let taken = elsewhere(&campaign, &["send", "--yes", "--limit", "1", "--take-over"]).expect_code(0);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let said = format!(
        "warning: taken over from {host}, and recorded so: nothing may be sent from the other copy of this ledger any more\n"
    );
    assert!(taken.stderr.contains(&said), "{}", taken.stderr);
    elsewhere(&campaign, &["send", "--yes", "--limit", "1"]).expect_code(0);
    let refused = campaign.run(&["send", "--yes"]).expect_code(74);
    assert!(refused.stderr.contains("was on another machine"), "{}", refused.stderr);
    assert_eq!(server.letters().len(), 5);
    campaign.run(&["send", "--yes", "--take-over"]).expect_code(0);
    let mut ids = server.ids();
    ids.dedup();
    assert_eq!((server.letters().len(), ids.len()), (ROWS, ROWS));
    let ledger = Connection::open(campaign.path("ledger.db")).expect("the ledger");
    let homes: i64 = ledger.query_row("SELECT COUNT(*) FROM homes", [], |row| row.get(0)).expect("a number");
    assert_eq!(homes, 3, "every move is on record");
}

#[test]
fn a_folder_that_is_moved_or_renamed_on_its_machine_is_still_at_home() {
    let server = Server::start();
    let campaign = half_sent(&server);
    fs::create_dir(campaign.path("moved")).expect("our own folder");
    for name in ["config.toml", "recipients.csv", "ledger.db", "templates"] {
        fs::rename(campaign.path(name), campaign.path("moved").join(name)).expect("our own file");
    }
    campaign.run(&["--config", "moved/config.toml", "send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), ROWS);
}

#[test]
fn an_older_copy_of_the_ledger_put_back_sends_nothing_that_was_sent_since() {
    let server = Server::start();
    let campaign = half_sent(&server);
    copy(&campaign.path("ledger.db"), &campaign.path("backup.db"));
    campaign.run(&["send", "--yes", "--limit", "2"]).expect_code(0);
    copy(&campaign.path("ledger.db"), &campaign.path("newest.db"));
    copy(&campaign.path("backup.db"), &campaign.path("ledger.db"));
    for command in [&["send", "--yes"][..], &["resend", "--yes"]] {
        let run = campaign.run(command).expect_code(74);
        assert_eq!(
            told(&run),
            "error: this ledger is an older copy: a run on this machine (TIME) went on with a newer one, and 2 letters that \
             went out from that since would be sent again; put the newer one back; if it is lost, put whoever has the letter \
             (the relay's log tells) into suppressed.csv, and go on with --take-over"
        );
    }
    assert_eq!(server.letters().len(), 5);
    copy(&campaign.path("newest.db"), &campaign.path("ledger.db"));
    campaign.run(&["send", "--yes"]).expect_code(0);
    let mut ids = server.ids();
    ids.dedup();
    assert_eq!((server.letters().len(), ids.len()), (ROWS, ROWS));
}

#[test]
fn of_two_copies_on_one_machine_only_the_one_that_sent_last_goes_on() {
    let server = Server::start();
    let campaign = half_sent(&server);
    copy_folder(&campaign);
    campaign.run(&["--config", "copy/config.toml", "send", "--yes", "--limit", "1"]).expect_code(0);
    let refused = campaign.run(&["send", "--yes"]).expect_code(74);
    let copy = campaign.path("copy/ledger.db");
    let named = format!("with a newer one, {}, and 1 letter that went out from that since", copy.display());
    assert!(refused.stderr.contains(&named), "{}", refused.stderr);
    assert!(refused.stderr.contains("; go on with that one; if it is lost, "), "{}", refused.stderr);
    assert_eq!(server.letters().len(), 4);
}

/// The campaign as a copy of the folder in it.
fn copy_folder(campaign: &Campaign) {
    fs::create_dir(campaign.path("copy")).expect("our own folder");
    fs::create_dir(campaign.path("copy/templates")).expect("our own folder");
    for name in ["config.toml", "recipients.csv", "ledger.db", "templates/letter.en.md"] {
        copy(&campaign.path(name), &campaign.path("copy").join(name));
    }
}

#[test]
fn who_only_looks_in_a_copy_locks_nobody_out() {
    let server = Server::start();
    let campaign = half_sent(&server);
    copy_folder(&campaign);
    let copy = |command: &[&str]| campaign.run(&[&["--config", "copy/config.toml"], command].concat());
    // Nobody to ask, a digest that is not the batch's, nothing to send, a look at what would be sent again.
    copy(&["send", "--no-input"]).expect_code(64);
    copy(&["send", "--approve", &"0".repeat(64)]).expect_code(65);
    copy(&["send", "--yes", "--only", "AFG"]).expect_code(0);
    copy(&["resend", "--yes"]).expect_code(75);
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    copy(&["send", "--yes"]).expect_code(74);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), ROWS);
}

#[test]
fn of_two_copies_that_wait_for_one_moment_only_one_sends() {
    let server = Server::start();
    let mut campaign = half_sent(&server);
    copy_folder(&campaign);
    let at = (demarche::clock::now() + jiff::SignedDuration::from_secs(4)).to_string();
    let mut waiting = [
        campaign.spawn(&["send", "--yes", "--at", &at]),
        campaign.spawn(&["--config", "copy/config.toml", "send", "--yes", "--at", &at]),
    ];
    for one in &mut waiting {
        while !one.stderr().contains("Waiting until") {
            assert!(!one.has_ended(), "{}", one.stderr());
            std::thread::yield_now();
        }
    }
    let mut codes = waiting.map(|one| one.wait().code);
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(74)]);
    let mut ids = server.ids();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((server.letters().len(), ids.len()), (ROWS, ROWS));
}

/// What the machine remembers of a real relay's letters: those of the tests all go to this very machine.
fn as_if_sent_elsewhere(campaign: &Campaign) {
    let folder = campaign.path("home/.local/state/demarche/trails");
    for file in fs::read_dir(folder).expect("what is remembered") {
        let path = file.expect("a file").path();
        let mut trail: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(&path).expect("our own file")).expect("JSON");
        trail["elsewhere"] = trail["letters"].clone();
        if !trail["running"].is_null() {
            trail["running"]["elsewhere"] = true.into();
        }
        fs::write(&path, trail.to_string()).expect("our own file");
    }
}

#[test]
fn a_ledger_that_is_moved_or_misnamed_does_not_send_everything_again_without_a_word_of_its_own() {
    let server = Server::start();
    let campaign = half_sent(&server);
    as_if_sent_elsewhere(&campaign);
    let real = campaign.path("ledger.db");
    let campaign = campaign.set("ledger.file", "\"ledgr.db\"");
    let preview = campaign.run(&["preview", "--json"]).expect_code(0).json();
    let digest = preview["digest"].as_str().expect("a digest").to_owned();
    for command in [&["send", "--yes"][..], &["send", "--approve", &digest], &["send", "--yes", "--limit", "1"]] {
        let run = campaign.run(command).expect_code(74);
        let said = format!(
            "error: this starts a new record. On this machine 3 letters of campaign open-letter were accepted, or may have \
             been, under another one ({}, last used on ",
            real.display()
        );
        assert!(run.stderr.contains(&said), "{}", run.stderr);
        assert!(run.stderr.contains("--new-ledger says that a new record is meant"), "{}", run.stderr);
    }
    campaign.run(&["send", "--no-input"]).expect_code(64);
    assert_eq!(server.letters().len(), 3);

    // Moved away, it is remembered all the same, and by nobody else.
    fs::rename(&real, campaign.path("away.db")).expect("our own file");
    campaign.run(&["send", "--yes"]).expect_code(74);
    assert_eq!(server.letters().len(), 3);
    let other = campaign.set("campaign.id", "\"another\"").set("ledger.file", "\"another.db\"");
    other.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let campaign = other.set("campaign.id", "\"open-letter\"").set("ledger.file", "\"ledgr.db\"");
    let meant = campaign.run(&["send", "--yes", "--new-ledger"]).expect_code(0);
    assert!(meant.stderr.contains("warning: this starts a new record"), "{}", meant.stderr);
    assert_eq!(server.letters().len(), 4 + ROWS);
    let again = campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(!again.stderr.contains("new record"), "once it is begun, it is the record: {}", again.stderr);
}

#[test]
fn a_run_that_was_killed_is_remembered_too() {
    let (stage, mut campaign) = stalled(2);
    let mut running = campaign.spawn(&["send", "--yes"]);
    stage.expect(&mut running);
    running.kill();
    as_if_sent_elsewhere(&campaign);
    fs::rename(campaign.path("ledger.db"), campaign.path("away.db")).expect("our own file");
    let _ = fs::remove_file(campaign.path("ledger.db-wal"));
    let run = campaign.run(&["send", "--yes"]).expect_code(74);
    assert!(run.stderr.contains("0 letters, and perhaps 6 more, of campaign open-letter"), "{}", run.stderr);
}

#[test]
fn the_ledger_of_a_trial_on_this_machine_is_moved_away_without_fuss() {
    let server = Server::start();
    let campaign = half_sent(&server);
    fs::rename(campaign.path("ledger.db"), campaign.path("trial.db")).expect("our own file");
    let run = campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(run.stderr.matches("is taken for that of a trial").count(), 1, "{}", run.stderr);
    assert_eq!(server.letters().len(), 3 + ROWS);
}

/// A campaign whose letter of that number stays without an answer.
fn stalled(nth: u32) -> (Stage, Campaign) {
    let stage = Stage::new();
    let campaign = Campaign::small(stage.server.port(), ROWS).set("smtp.connections", "1");
    stage.hold(Phase::EndOfData, nth, Action::Behave);
    (stage, campaign)
}

#[test]
fn what_the_machine_remembers_is_needed_to_send_and_said_if_it_is_out_of_reach() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), ROWS).file("not-a-folder", "");
    let run = campaign.command(&["send", "--yes"]).env("XDG_STATE_HOME", campaign.path("not-a-folder")).output();
    let output = run.expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr).replace(campaign.path("").to_str().expect("UTF-8"), "FOLDER/");
    assert_eq!(output.status.code(), Some(74), "{stderr}");
    assert!(
        stderr.ends_with(
            "error: what this machine knows of its ledgers cannot be read or written (FOLDER/not-a-folder/demarche/machine: \
             Not a directory (os error 20)): see to that file, or name another folder by XDG_STATE_HOME\n"
        ),
        "{stderr}"
    );
    let output = campaign.command(&["send", "--yes"]).env_remove("HOME").output().expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(73), "{stderr}");
    assert!(stderr.contains("HOME is not set") && stderr.contains("XDG_STATE_HOME"), "{stderr}");
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn a_ledger_of_the_first_version_is_read_as_it_is_and_brought_forward_by_the_next_send() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    let first = Connection::open(campaign.path("ledger.db")).expect("a new file");
    first.execute_batch(include_str!("../fixtures/ledger_version_1.sql")).expect("a ledger of the first version");
    drop(first);
    let status = campaign.run(&["status", "--json"]).json();
    assert_eq!((&status["counts"]["accepted"], &status["counts"]["queued"]), (&3.into(), &2.into()), "{status}");
    assert_eq!(version(&campaign), 1, "a reader changes nothing");
    // The letters of that version had other bytes: a person's word takes those of the files.
    campaign.run(&["send", "--yes", "--refresh"]).expect_code(0);
    assert!(version(&campaign) >= 2);
    assert_eq!(server.ids(), ["AGO", "AND"], "whoever has the letter gets no second one");
    let log = campaign.run(&["log", "AFG"]).expect_code(0).stdout;
    assert!(log.contains("kept as 3"), "{log}");
    // From now on it has a home, and copies of the old file are older copies.
    assert_eq!(elsewhere(&campaign, &["send", "--yes"]).code, Some(74));
    fs::remove_file(campaign.path("ledger.db")).expect("the ledger");
    let again = Connection::open(campaign.path("ledger.db")).expect("a new file");
    again.execute_batch(include_str!("../fixtures/ledger_version_1.sql")).expect("a ledger of the first version");
    drop(again);
    let run = campaign.run(&["send", "--yes"]).expect_code(74);
    assert!(run.stderr.contains("is an older copy"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 2);
}
