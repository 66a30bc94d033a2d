//! Parts that each keep the promise, together: approvals, corrections, suppressions, rows that leave, and ledgers that move.

mod support;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Rule, Script};
use support::campaign::Campaign;
use support::server::Server;

fn rule(phase: Phase, recipient: &str, times: Option<u64>, action: Action) -> Rule {
    let recipient = Some(format!("{recipient}@missions.example"));
    Rule { phase, connection: None, recipient, times, action }
}

fn refuse(recipient: &str, times: Option<u64>, text: &str) -> Rule {
    rule(Phase::Rcpt, recipient, times, Action::Reply(text.to_owned()))
}

fn rows(text: &str) -> String {
    format!("state,id,to,cc\n{text}")
}

/// Every envelope address that the server took, in order.
fn addressed(server: &Server) -> Vec<String> {
    server.letters().iter().flat_map(|letter| letter.forward_paths.clone()).collect()
}

#[test]
fn an_uncertain_row_that_asked_not_to_be_written_to_since_is_not_sent_again_by_resend() {
    let lost = Action::RejectThen(Box::new(Action::Close));
    let server = Server::scripted(Script::new(move |cue| match cue.phase {
        Phase::EndOfData if cue.nth == 1 => lost.clone(),
        _ => Action::Behave,
    }));
    let campaign = Campaign::small(server.port(), 1);
    campaign.run(&["send", "--yes"]).expect_code(2);
    let campaign = campaign.file("suppressed.csv", "afg@missions.example\n");
    let again = campaign.run(&["resend", "--uncertain", "--yes"]);
    assert_eq!(server.letters().len(), 0, "{}", again.stdout);
    assert!(again.stdout.contains("Held back"), "{}", again.stdout);
    assert_eq!(campaign.state("AFG"), "uncertain");
}

#[test]
fn a_row_that_left_the_file_is_not_sent_again_by_resend_and_is_named() {
    let server = Server::scripted(Script::rules(vec![
        refuse("ken", Some(1), "550 5.7.1 policy"),
        refuse("tcd", Some(1), "451 4.3.0 later"),
    ]));
    let campaign = Campaign::small(server.port(), 0)
        .recipients(&rows("Kenya,KEN,ken@missions.example,\nChad,TCD,tcd@missions.example,\n"));
    campaign.run(&["send", "--yes"]);
    let campaign = campaign.recipients(&rows("Chad,TCD,tcd@missions.example,\n"));
    let again = campaign.run(&["resend", "--yes"]).expect_code(1);
    assert_eq!(addressed(&server), ["tcd@missions.example"]);
    assert!(again.stdout.contains("KEN") && again.stdout.contains("Held back"), "{}", again.stdout);
}

#[test]
fn a_failed_row_that_is_renamed_gets_one_letter_and_not_another_by_resend() {
    let server = Server::scripted(Script::rules(vec![refuse("ken", Some(1), "550 5.7.1 policy")]));
    let campaign = Campaign::small(server.port(), 0).recipients(&rows("Kenya,KEN,ken@missions.example,\n"));
    campaign.run(&["send", "--yes"]).expect_code(1);
    let campaign = campaign.recipients(&rows("Kenya,kenya,ken@missions.example,\n"));
    campaign.run(&["send", "--yes"]);
    campaign.run(&["resend", "--yes"]);
    assert_eq!(addressed(&server), ["ken@missions.example"]);
}

#[test]
fn a_failed_row_in_which_somebody_has_the_letter_cannot_be_renamed() {
    let server = Server::scripted(Script::rules(vec![refuse("second", None, "550 5.7.1 policy")]));
    let both = "ken@missions.example; second@missions.example";
    let campaign = Campaign::small(server.port(), 0).recipients(&rows(&format!("Kenya,KEN,{both},\n")));
    campaign.run(&["send", "--yes"]).expect_code(1);
    let campaign = campaign.recipients(&rows(&format!("Kenya,kenya,{both},\n")));
    let run = campaign.run(&["send", "--yes"]).expect_code(65);
    assert_eq!(addressed(&server), ["ken@missions.example"]);
    assert!(run.stderr.contains("KEN") && run.stderr.contains("kenya"), "{}", run.stderr);
}

#[test]
fn an_address_that_has_the_letter_and_moved_to_a_failed_row_is_held_back_by_resend() {
    let server = Server::scripted(Script::rules(vec![refuse("tcd", None, "550 5.1.1 unknown")]));
    let campaign = Campaign::small(server.port(), 0)
        .recipients(&rows("Kenya,1,ken@missions.example,\nChad,2,tcd@missions.example,\n"));
    campaign.run(&["send", "--yes"]).expect_code(1);
    let campaign = campaign.recipients(&rows("Kenya,1,nairobi@missions.example,\nChad,2,ken@missions.example,\n"));
    let held = campaign.run(&["resend", "--yes"]).expect_code(1);
    assert_eq!(addressed(&server), ["ken@missions.example"]);
    assert!(held.stdout.contains("that of another row"), "{}", held.stdout);
}

#[test]
fn a_refresh_does_not_write_to_the_successor_of_an_address_that_has_the_letter() {
    let server = Server::scripted(Script::rules(vec![refuse("second", Some(1), "452 4.2.2 full")]));
    let campaign = Campaign::small(server.port(), 0)
        .recipients(&rows("Kenya,KEN,ken@missions.example; second@missions.example,\n"))
        .set("retry.first", "\"1s\"");
    campaign.run(&["send", "--yes"]).expect_code(75);
    let campaign = campaign.recipients(&rows("Kenya,KEN,kenya@missions.example; second@missions.example,\n"));
    let run = campaign.run(&["send", "--yes", "--refresh"]);
    assert!(
        !addressed(&server).contains(&"kenya@missions.example".to_owned()),
        "{:?}\n{}",
        addressed(&server),
        run.stderr
    );
    assert!(run.stderr.contains("KEN"), "{}", run.stderr);
}

#[test]
fn an_address_that_was_replaced_and_suppressed_gets_no_letter_from_what_was_frozen() {
    let server = Server::start();
    let two = "Kenya,KEN,ken@missions.example,\nChad,TCD,tcd@missions.example,copy@missions.example\n";
    let campaign =
        Campaign::small(server.port(), 0).recipients(&rows(&format!("Mali,MLI,mli@missions.example,\n{two}")));
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let campaign = campaign
        .recipients(&rows(&format!("Mali,MLI,mli@missions.example,\n{}", two.replace("ken@", "kenya@"))))
        .file("suppressed.csv", "ken@missions.example\ncopy@missions.example\n");
    let run = campaign.run(&["send", "--yes", "--frozen"]);
    assert_eq!(addressed(&server), ["mli@missions.example"], "{}", run.stderr);
    assert!(run.stderr.contains("KEN") && run.stderr.contains("--refresh"), "{}", run.stderr);
    campaign.run(&["send", "--yes", "--refresh"]).expect_code(0);
    let mut all = addressed(&server);
    all.sort();
    assert_eq!(all, ["kenya@missions.example", "mli@missions.example", "tcd@missions.example"]);
}

#[test]
fn ids_that_slipped_against_their_addresses_bring_nobody_a_second_letter() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0)
        .recipients(&rows("Kenya,1,ken@missions.example,\nChad,2,tcd@missions.example,\n"));
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let campaign = campaign.recipients(&rows("Kenya,2,ken@missions.example,\nChad,1,tcd@missions.example,\n"));
    for word in ["--refresh", "--frozen"] {
        let run = campaign.run(&["send", "--yes", word]);
        let kenya = addressed(&server).iter().filter(|address| *address == "ken@missions.example").count();
        assert_eq!(kenya, 1, "{word}: {}", run.stderr);
    }
}

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

#[test]
fn a_folder_for_the_ledger_that_is_not_there_is_named_as_such() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 2).set("ledger.file", "\"records/ledger.db\"");
    let run = campaign.run(&["send", "--yes"]).expect_code(74);
    assert!(run.stderr.contains("there is no folder") && run.stderr.contains("records"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 0);
    let campaign = campaign.file("records/.keep", "");
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 2);
}

#[test]
fn what_is_traced_holds_no_escapes_where_there_is_no_terminal() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 1).env("NO_COLOR", "").env("TERM", "xterm-256color");
    let run = campaign.run(&["send", "--yes", "-vv"]).expect_code(0);
    assert!(run.stderr.contains("TRACE C: EHLO"), "{}", run.stderr);
    assert!(!run.stderr.contains('\u{1b}'), "{:?}", run.stderr);
}

#[test]
fn a_row_that_waits_and_left_the_file_is_named_and_holds_up_nobodys_exit_code() {
    let server = Server::scripted(Script::rules(vec![refuse("fji", None, "550 5.7.1 policy")]));
    let three = "Kenya,KEN,ken@missions.example,\nChad,TCD,tcd@missions.example,\nMalta,MLT,mlt@missions.example,\n";
    let campaign = Campaign::small(server.port(), 0).recipients(&rows(three));
    campaign.run(&["send", "--yes", "--only", "KEN"]).expect_code(0);
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    assert_eq!(campaign.state("MLT"), "queued");

    // Nothing is left to do: the row that waits is not in the file any more.
    let campaign = campaign.recipients(&rows("Kenya,KEN,ken@missions.example,\nChad,TCD,tcd@missions.example,\n"));
    let nothing = campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(
        nothing.stderr.contains("1 row is in the ledger and no longer in the file: MLT; it is kept"),
        "{}",
        nothing.stderr
    );
    assert_eq!(campaign.state("MLT"), "queued", "it is kept");

    // What became of the others decides, and what waits in the file counts.
    let more = "Kenya,KEN,ken@missions.example,\nChad,TCD,tcd@missions.example,\nFiji,FJI,fji@missions.example,\n";
    let campaign = campaign.recipients(&rows(more));
    campaign.run(&["send", "--yes"]).expect_code(1);
    let campaign = campaign.recipients(&rows(three));
    campaign.run(&["send", "--yes"]).expect_code(1);
    assert_eq!(campaign.state("MLT"), "accepted", "a row that came back into the file goes out");
    assert_eq!(addressed(&server), ["ken@missions.example", "tcd@missions.example", "mlt@missions.example"]);
}
