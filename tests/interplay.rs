//! Parts that each keep the promise, together: approvals, corrections, suppressions, rows that leave, and ledgers that move.

mod support;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Script};
use support::campaign::Campaign;
use support::server::Server;

#[test]
fn a_ledger_moved_away_without_its_write_ahead_log_does_not_come_back_as_the_new_one() {
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::EndOfData if cue.nth == 3 && cue.connection == 1 => Action::Stall,
        _ => Action::Behave,
    }));
    let mut campaign = Campaign::small(server.port(), 5).set("smtp.connections", "1");
    let running = campaign.spawn(&["send", "--yes"]);
    server.wait_for(2);
    running.kill();
    assert!(campaign.path("ledger.db-wal").exists(), "a run that was killed leaves its log");
    std::fs::rename(campaign.path("ledger.db"), campaign.path("trial.db")).expect("our own folder");
    let status = campaign.run(&["status"]);
    let run = campaign.run(&["send", "--yes"]);
    assert_eq!(run.code, Some(74), "{}{}\n{status:?}", run.stdout, run.stderr);
    assert!(run.stderr.contains("ledger.db-wal"), "{}", run.stderr);
    assert!(campaign.path("ledger.db-wal").exists() && !campaign.path("ledger.db").exists());
    for part in ["-wal", "-shm"] {
        std::fs::rename(campaign.path(&format!("ledger.db{part}")), campaign.path(&format!("trial.db{part}")))
            .expect("our own folder");
    }
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 2 + 5);
}

#[test]
fn a_second_name_of_the_same_ledger_is_no_second_ledger() {
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::EndOfData if cue.nth == 3 => Action::Stall,
        _ => Action::Behave,
    }));
    let mut campaign = Campaign::small(server.port(), 5).set("smtp.connections", "1");
    let running = campaign.spawn(&["send", "--yes"]);
    server.wait_for(2);
    std::fs::hard_link(campaign.path("ledger.db"), campaign.path("same.db")).expect("our own folder");
    let config = campaign.read("config.toml").replace("ledger.db", "same.db");
    let campaign = campaign.file("second.toml", config);
    for word in [&["send", "--yes"][..], &["send", "--yes", "--take-over"]] {
        let run = campaign.run(&[&["--config", "second.toml"], word].concat());
        assert_eq!(server.letters().len(), 2, "{word:?}: {}", run.stderr);
        assert!(run.stderr.contains("same.db"), "{}", run.stderr);
    }
    running.kill();
    let run = campaign.run(&["--config", "second.toml", "send", "--yes", "--take-over"]);
    assert_eq!(server.letters().len(), 2, "{}", run.stderr);
}

#[test]
fn a_ledger_that_holds_nothing_but_an_approval_serves_every_command() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3).set("campaign.approvals", "1");
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    campaign.run(&["approve", &digest, "--by", "Chair"]).expect_code(0);
    for command in [
        &["status"][..],
        &["status", "--json"],
        &["log"],
        &["log", "--json"],
        &["report", "--html", "report.html"],
        &["report", "--csv", "report.csv"],
        &["report", "--pack", "pack.zip"],
        &["report", "--verify", "pack.zip"],
        &["resend", "--yes"],
        &["preview"],
        &["check"],
    ] {
        let run = campaign.run(command);
        assert!(matches!(run.code, Some(0 | 75)), "{command:?}: {run:?}");
    }
    campaign.run(&["send", "--approve", &digest]).expect_code(0);
    assert_eq!(server.letters().len(), 3);
}
