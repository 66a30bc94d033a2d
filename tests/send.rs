//! The main job from the outside: the real program, a real socket, real files.

mod support;

use std::fs;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Rule, Script};
use support::campaign::Campaign;
use support::server::{Server, row_of};

fn rule(phase: Phase, recipient: &str, times: Option<u64>, action: Action) -> Rule {
    Rule { phase, connection: None, recipient: Some(format!("{recipient}@missions.example")), times, action }
}

fn reply(text: &str) -> Action {
    Action::Reply(text.to_owned())
}

#[test]
fn every_row_arrives_once_and_a_second_send_sends_nothing() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 20);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 20);
    assert_eq!(server.violations(), Vec::<String>::new());
    let again = campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 20);
    assert!(again.stderr.contains("Nothing is waiting"), "{}", again.stderr);
}

#[test]
fn what_was_previewed_is_sent_byte_for_byte_but_for_message_id_and_date() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 10);
    let preview = campaign.run(&["preview", "--out", "look", "--json"]).expect_code(0).json();
    let digest = preview["digest"].as_str().expect("a digest").to_owned();
    campaign.run(&["send", "--approve", &digest]).expect_code(0);
    let without_stamp = |bytes: &[u8]| -> Vec<u8> {
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        let kept = text.split_inclusive("\r\n").filter(|l| !l.starts_with("Message-ID:") && !l.starts_with("Date:"));
        kept.collect::<String>().into_bytes()
    };
    let letters = server.letters();
    assert_eq!(letters.len(), 10);
    for letter in letters {
        let file = campaign.path(&format!("look/{}.eml", row_of(&letter)));
        let previewed = fs::read(&file).expect("a previewed letter");
        assert!(previewed.starts_with(b"From:") || previewed.windows(6).any(|w| w == b"\r\nFrom"), "a message");
        assert_eq!(without_stamp(&previewed), without_stamp(&letter.bytes), "{}", file.display());
    }
}

#[test]
fn a_batch_that_changed_since_it_was_approved_is_refused() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Other text");
    let campaign = campaign.template("letter.en.md", &letter);
    let refused = campaign.run(&["send", "--approve", &digest]).expect_code(65);
    assert!(refused.stderr.contains("not the batch that was approved"), "{}", refused.stderr);
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn nobody_is_asked_where_there_is_no_terminal() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    let refused = campaign.run(&["send"]).expect_code(64);
    assert!(refused.stderr.contains("--approve"), "{}", refused.stderr);
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn a_limit_and_a_choice_send_only_so_many_and_only_those() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 10);
    campaign.run(&["send", "--yes", "--limit", "3"]).expect_code(0);
    assert_eq!(server.letters().len(), 3);
    campaign.run(&["send", "--yes", "--only", "AND,arg"]).expect_code(0);
    assert!(server.ids().contains(&"ARG".to_owned()));
    let before = server.letters().len();
    assert!((4..=5).contains(&before));
    let unknown = campaign.run(&["send", "--yes", "--only", "XXX"]).expect_code(64);
    assert!(unknown.stderr.contains("XXX"), "{}", unknown.stderr);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 10);
}

#[test]
fn resend_takes_exactly_what_failed_and_a_corrected_address() {
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::Rcpt, "and", None, reply("550 5.1.1 no such user")),
        rule(Phase::Rcpt, "arg", Some(1), reply("550 5.7.1 policy")),
        rule(Phase::Rcpt, "afg", Some(1), reply("452 4.2.2 mailbox full")),
    ]));
    let campaign = Campaign::small(server.port(), 10);
    campaign.run(&["send", "--yes"]).expect_code(1);
    assert_eq!(server.letters().len(), 7);
    assert_eq!(campaign.state("AND"), "failed");
    assert_eq!(campaign.state("AFG"), "deferred");

    let held = campaign.run(&["resend", "--yes"]).expect_code(1);
    assert!(held.stdout.contains("AND"), "held back and named: {}", held.stdout);
    assert_eq!(server.letters().len(), 9);
    assert_eq!((campaign.state("ARG"), campaign.state("AFG")), ("accepted".into(), "accepted".into()));
    assert_eq!(campaign.state("AND"), "failed");

    let corrected = campaign.read("recipients.csv").replace("and@missions.example", "andorra@missions.example");
    let campaign = campaign.recipients(&corrected);
    campaign.run(&["resend", "--yes"]).expect_code(0);
    let letters = server.letters();
    assert_eq!(letters.len(), 10);
    assert_eq!(letters[9].forward_paths, ["andorra@missions.example"]);
    assert_eq!(campaign.state("AND"), "accepted");
    campaign.run(&["resend", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 10);
}

#[test]
fn resend_renders_the_letter_that_was_frozen() {
    let server = Server::scripted(Script::rules(vec![rule(Phase::Rcpt, "and", Some(1), reply("550 5.7.1 policy"))]));
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes"]).expect_code(1);
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Another letter");
    let campaign = campaign.template("letter.en.md", &letter);
    campaign.run(&["resend", "--yes"]).expect_code(0);
    let letters = server.letters();
    let last = String::from_utf8_lossy(&letters[4].bytes).into_owned();
    assert!(last.contains("Text for Andorra") && !last.contains("Another letter"), "{last}");
}

#[test]
fn a_lost_reply_is_uncertain_whatever_the_server_kept_and_is_never_sent_again_by_itself() {
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::EndOfData, "and", Some(1), Action::AcceptThen(Box::new(Action::Close))),
        rule(Phase::EndOfData, "arg", Some(1), Action::RejectThen(Box::new(Action::Close))),
    ]));
    let campaign = Campaign::small(server.port(), 10);
    campaign.run(&["send", "--yes"]).expect_code(2);
    assert_eq!((campaign.state("AND"), campaign.state("ARG")), ("uncertain".into(), "uncertain".into()));
    assert_eq!(server.letters().len(), 9);
    campaign.run(&["send", "--yes"]).expect_code(2);
    campaign.run(&["resend", "--yes"]).expect_code(2);
    assert_eq!(server.letters().len(), 9);

    campaign.run(&["resolve", "AND", "--sent", "--note", "the registry confirmed it"]).expect_code(0);
    campaign.run(&["resolve", "ARG", "--not-sent", "--note", "the registry has nothing"]).expect_code(0);
    campaign.run(&["resolve", "ALB", "--sent", "--note", "x"]).expect_code(64);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let letters = server.letters();
    assert_eq!(letters.len(), 10);
    assert_eq!(row_of(&letters[9]), "ARG");
    assert_eq!(server.ids().iter().filter(|id| *id == "AND").count(), 1);
}

/// A word may be about the wrong row. What a server answered no word takes back.
#[test]
fn a_word_on_an_uncertain_row_can_be_corrected_by_another_and_both_stay_on_record() {
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::EndOfData, "and", Some(1), Action::RejectThen(Box::new(Action::Close))),
        rule(Phase::EndOfData, "arg", Some(1), Action::AcceptThen(Box::new(Action::Close))),
    ]));
    let campaign = Campaign::small(server.port(), 10);
    campaign.run(&["send", "--yes"]).expect_code(2);
    let resolve = |id: &str, word: &str, note: &str| campaign.run(&["resolve", id, word, "--note", note, "--by", "A"]);
    resolve("AND", "--sent", "meant Argentina").expect_code(0);
    resolve("ARG", "--not-sent", "meant Andorra").expect_code(0);
    assert_eq!((campaign.state("AND"), campaign.state("ARG")), ("accepted".into(), "queued".into()));

    let asked = campaign.run(&["resolve", "AND"]).expect_code(64).stderr;
    assert!(asked.contains("AND Andorra is accepted on a person's word (recorded as arrived by A on "), "{asked}");
    assert!(asked.contains("demarche resolve AND --not-sent --note \"…\""), "{asked}");
    let twice = resolve("AND", "--sent", "again").expect_code(64).stderr;
    assert!(twice.contains("is accepted on a person's word"), "{twice}");
    resolve("ALB", "--not-sent", "a server took it").expect_code(64);

    let corrected = resolve("AND", "--not-sent", "it was Argentina").expect_code(0);
    assert!(corrected.stdout.contains("`demarche send` sends it again"), "{}", corrected.stdout);
    assert!(corrected.stdout.contains("stays on record: recorded as arrived by A on "), "{}", corrected.stdout);
    resolve("ARG", "--sent", "it was Andorra").expect_code(0);
    assert_eq!((campaign.state("AND"), campaign.state("ARG")), ("queued".into(), "accepted".into()));
    let log = campaign.run(&["log", "AND"]).expect_code(0).stdout;
    let (first, second) = (log.find("meant Argentina").expect("the first word"), log.find("it was Argentina"));
    assert!(second.is_some_and(|second| second > first), "{log}");

    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 10);
    assert_eq!(row_of(&server.letters()[9]), "AND");
    resolve("AND", "--not-sent", "too late: a server took it").expect_code(64);
    let status = campaign.run(&["status"]).expect_code(0).stdout;
    assert!(status.contains("Every letter was accepted: 10 of 10, 1 of them on a person's word"), "{status}");
}

#[test]
fn a_letter_sent_again_after_a_lost_reply_keeps_its_message_id_and_date() {
    let server = Server::scripted(Script::rules(vec![rule(
        Phase::EndOfData,
        "and",
        Some(1),
        Action::AcceptThen(Box::new(Action::Close)),
    )]));
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes"]).expect_code(2);
    campaign.run(&["resend", "--yes", "--uncertain"]).expect_code(0);
    let twice: Vec<Vec<u8>> =
        server.letters().into_iter().filter(|letter| row_of(letter) == "AND").map(|letter| letter.bytes).collect();
    assert_eq!(twice.len(), 2);
    assert_eq!(twice[0], twice[1]);
}

#[test]
fn each_try_says_that_the_mission_has_the_letter_where_only_a_further_address_lacks_it() {
    let later = || reply("450 4.2.0 later");
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::Rcpt, "desk", None, later()),
        rule(Phase::Rcpt, "second", None, reply("550 5.1.1 unknown")),
    ]));
    let campaign = Campaign::small(server.port(), 0)
        .recipients("state,to,cc\nKenya,ken@missions.example,desk@missions.example\nChad,second@missions.example;tcd@missions.example,\n");
    let sent = campaign.run(&["send", "--yes"]).stderr;
    let kenya = "KEN Kenya  deferred for a copy only, the mission has the letter: ";
    assert!(sent.contains(kenya), "{sent}");
    let again = campaign.run(&["resend", "--yes"]).stderr;
    assert!(again.contains(kenya), "the copy alone was tried: {again}");
    assert!(sent.contains("TCD Chad  failed for a further address only, the mission has the letter: "), "{sent}");
}

#[test]
fn a_copy_that_is_refused_fails_alone_and_is_all_that_is_sent_again() {
    let server = Server::scripted(Script::rules(vec![rule(Phase::Rcpt, "desk", Some(1), reply("550 5.7.1 not now"))]));
    let campaign = Campaign::small(server.port(), 0)
        .recipients("state,to,cc\nKenya,ken@missions.example,desk@missions.example\nChad,tcd@missions.example,\n");
    let sent = campaign.run(&["send", "--yes"]).expect_code(1);
    let line = "KEN Kenya  failed for a copy only, the mission has the letter: desk@missions.example (cc): 550 5.7.1 not now (at the address); taken for ken@missions.example";
    assert!(sent.stderr.contains(line), "{}", sent.stderr);
    let ending = "Of the 1 failed, 1 where the mission has the letter and only a copy was refused:\n  KEN Kenya: desk@missions.example (cc)\n";
    assert!(sent.stdout.contains(ending), "{}", sent.stdout);
    let status = campaign.run(&["status"]).expect_code(1).stdout;
    let said = status.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("1 failed (of them 1 where the mission has the letter and only a copy was refused)")
            && said.contains("Failed for a copy only: the mission itself has the letter (1) KEN Kenya")
            && said.contains("1 letter short of a copy only"),
        "{status}"
    );
    let kenya = campaign.run(&["status", "--json"]).json()["deliveries"][0].clone();
    assert_eq!((&kenya["state"], &kenya["mission_has_letter"]), (&"failed".into(), &true.into()));
    let again = campaign.run(&["resend", "--dry-run"]).expect_code(0).stdout;
    let only = "the mission has the letter, and is not sent it again; this goes only to\n    desk@missions.example";
    assert!(again.contains(only), "{again}");
    let log = campaign.run(&["log", "KEN"]).expect_code(0).stdout;
    assert!(log.contains("(KEN): failed\n  but the mission has the letter: only a copy was refused\n"), "{log}");
    campaign.run(&["report", "--csv", "report.csv"]).expect_code(0);
    let table = campaign.read("report.csv");
    assert!(table.contains("\"failed, but the mission has the letter: only a copy was refused\""), "{table}");
    assert_eq!(server.letters().len(), 2);
    let attempts =
        |campaign: &Campaign| campaign.run(&["status", "--json"]).json()["deliveries"][0]["attempts"].clone();
    assert_eq!(attempts(&campaign), 1);
    campaign.run(&["resend", "--yes"]).expect_code(0);
    assert_eq!(attempts(&campaign), 2, "attempts count over all resends");
    let letters = server.letters();
    assert_eq!(letters.len(), 3);
    assert_eq!(letters[2].forward_paths, ["desk@missions.example"]);
}

#[test]
fn a_refused_address_that_left_the_file_leaves_nothing_to_send_again_and_the_mission_counts_as_accepted() {
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::Rcpt, "desk", None, reply("550 5.7.1 not now")),
        rule(Phase::Rcpt, "tcd", Some(1), reply("550 5.7.1 not now")),
    ]));
    let rows = "state,to\nKenya,ken@missions.example;desk@missions.example\nChad,tcd@missions.example\n";
    let campaign = Campaign::small(server.port(), 0).recipients(rows);
    campaign.run(&["send", "--yes"]).expect_code(1);
    let campaign = campaign.recipients(&rows.replace(";desk@missions.example", ""));
    let looked = campaign.run(&["resend", "--dry-run"]).expect_code(0).stdout;
    let parts = ["To be sent again: 1 letter\n  TCD  Chad", "\nNothing left to send: 1 letter\n  KEN  Kenya\n"];
    assert!(parts.iter().all(|part| looked.contains(part)) && !looked.contains("this goes only to"), "{looked}");
    assert_eq!(campaign.state("KEN"), "failed", "a look changes nothing");
    campaign.run(&["resend", "--yes", "--only", "KEN"]).expect_code(0);
    assert_eq!((campaign.state("KEN"), campaign.state("TCD")), ("accepted".into(), "failed".into()));
    campaign.run(&["resend", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 2, "Kenya's letter is the first one");
    campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(0);
    campaign.run(&["report", "--verify", "evidence.zip"]).expect_code(0);
}

#[test]
fn resend_says_of_each_named_row_why_it_has_nothing_to_send_again() {
    let lost = Action::AcceptThen(Box::new(Action::Close));
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::EndOfData, "dza", Some(1), lost.clone()),
        rule(Phase::EndOfData, "and", Some(1), lost),
    ]));
    let campaign = Campaign::small(server.port(), 5).file("suppressed.csv", "address\nafg@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(2);
    let said = |only: &str, code| campaign.run(&["resend", "--yes", "--only", only]).expect_code(code).stderr;
    assert!(said("ALB,AFG", 0).contains(
        "AFG Afghanistan is suppressed: nothing is sent to it.\nALB Albania is accepted: nothing to send again.\n"
    ));
    assert!(said("dza", 2).contains("DZA Algeria is uncertain, and not touched without --uncertain"));
    let near = said("albanja", 64);
    assert!(
        near.contains("--only names rows that there are not: albanja") && near.contains("did you mean ALB Albania?"),
        "{near}"
    );
    let log = campaign.run(&["log", "Algerai"]).expect_code(64).stderr;
    assert!(log.contains("did you mean DZA Algeria?"), "{log}");
    let one = campaign.run(&["resend", "--yes", "--uncertain", "--only", "AND"]).expect_code(0).stderr;
    assert!(
        one.contains("Uncertain, and not chosen: DZA Algeria.") && one.contains("1 of these is uncertain"),
        "{one}"
    );
}

#[test]
fn a_relay_that_refuses_the_login_stops_the_run_and_blames_no_mission() {
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::Mail => Action::Reply("530 5.7.0 Authentication required".to_owned()),
        _ => Action::Behave,
    }));
    let campaign = Campaign::small(server.port(), 5);
    let run = campaign.run(&["send", "--yes"]).expect_code(69);
    assert!(run.stderr.contains("no mission was blamed"), "{}", run.stderr);
    assert_eq!(campaign.state("AND"), "queued");
}

#[test]
fn a_relay_that_is_away_stops_the_run_with_everything_still_queued() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5).set("retry.first", "\"300ms\"").set("retry.most", "\"1s\"");
    drop(server);
    campaign.run(&["send", "--yes"]).expect_code(69);
    assert_eq!(campaign.state("AND"), "queued");
}

#[test]
fn greylisted_letters_go_out_in_the_same_run_once_their_time_has_come() {
    let server =
        Server::scripted(Script::rules(vec![rule(Phase::Rcpt, "and", Some(1), reply("450 4.7.1 greylisted"))]));
    let campaign = Campaign::small(server.port(), 5)
        .set("retry.first", "\"1s\"")
        .set("retry.most", "\"2s\"")
        .set("retry.linger", "\"10s\"");
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 5);
    assert_eq!(campaign.state("AND"), "accepted");
}

#[test]
fn a_second_terminal_is_told_who_is_sending() {
    let server = Server::scripted(Script::new(|cue| match (cue.phase, cue.nth) {
        (Phase::EndOfData, 2) => Action::Stall,
        _ => Action::Behave,
    }));
    let mut campaign = Campaign::small(server.port(), 5).set("smtp.connections", "1");
    let mut first = campaign.spawn(&["send", "--yes"]);
    server.wait_for(1);
    let second = campaign.run(&["send", "--yes"]).expect_code(74);
    assert!(second.stderr.contains(&first.process_id().to_string()), "{}", second.stderr);
    campaign.run(&["status"]);
    assert!(!first.has_ended());
    first.kill();
}

#[test]
fn an_interrupted_send_finishes_what_is_in_flight_and_goes_on_later() {
    let server = Server::start();
    let mut campaign = Campaign::small(server.port(), 30).set("pace.rate", "\"20/s\"");
    let running = campaign.spawn(&["send", "--yes"]);
    server.wait_for(3);
    running.signal("INT");
    let run = running.wait().expect_code(75);
    assert!(run.stderr.contains("letters in flight are finished first"), "{}", run.stderr);
    let so_far = server.letters().len();
    assert!(so_far < 30);
    campaign.set("pace.rate", "\"1000/s\"").run(&["send", "--yes"]).expect_code(0);
    let mut ids = server.ids();
    ids.dedup();
    assert_eq!((ids.len(), server.letters().len()), (30, 30));
}

#[test]
fn test_letters_go_to_oneself_and_leave_no_record() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["test", "--to", "me@coalition.example"]).expect_code(0);
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].forward_paths, ["me@coalition.example"]);
    assert!(!campaign.path("ledger.db").exists());
}

#[test]
fn a_dry_run_sends_nothing_and_writes_the_letters() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--dry-run"]).expect_code(0);
    assert_eq!(server.letters().len(), 0);
    assert!(campaign.path("preview/index.html").exists() && campaign.path("preview/AND.eml").exists());
}

#[test]
fn a_daily_limit_is_kept_over_runs_and_says_when_it_goes_on() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 8).set("pace.rate", "[\"1000/s\", \"5/day\"]");
    let run = campaign.run(&["send", "--yes"]).expect_code(75);
    assert!(run.stderr.contains("daily limit"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 5);
    campaign.run(&["send", "--yes"]).expect_code(75);
    assert_eq!(server.letters().len(), 5, "the ledger remembers what went before");
    campaign.set("pace.rate", "\"8/day\"").run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 8);
}

#[test]
fn outside_its_hours_a_send_waits_says_so_and_can_be_stopped() {
    let server = Server::start();
    // A window of an hour, twelve hours away from now.
    let hour = (demarche::clock::now().as_second() / 3600 + 12) % 24;
    let hours = if hour == 23 { "\"00:00-01:00\"".to_owned() } else { format!("\"{hour:02}:00-{:02}:00\"", hour + 1) };
    let mut campaign = Campaign::small(server.port(), 5).set("pace.hours", &hours).set("pace.timezone", "\"UTC\"");
    let running = campaign.spawn(&["send", "--yes"]);
    let waits = || running.stderr().contains("outside the hours").then_some(());
    assert!(support::supervised::poll(std::time::Duration::from_secs(20), waits).is_some(), "{}", running.stderr());
    running.signal("TERM");
    running.wait().expect_code(75);
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn a_choice_that_has_nothing_to_send_says_why_and_how_many_others_wait() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5).file("suppressed.csv", "address\nafg@missions.example\n");
    let none = campaign.run(&["send", "--yes", "--only", "AFG"]).expect_code(0).stderr;
    let said = "AFG Afghanistan is suppressed: nothing is sent to it.\nNothing of the chosen is waiting to be sent; 4 others are waiting.\n";
    assert!(none.contains(said), "{none}");
    let none = campaign.run(&["send", "--yes", "--limit", "0"]).expect_code(75).stderr;
    assert!(none.contains("Nothing was chosen by --limit; 4 letters are waiting to be sent."), "{none}");
    campaign.run(&["send", "--yes", "--only", "ALB"]).expect_code(0);
    let none = campaign.run(&["send", "--yes", "--only", "ALB"]).expect_code(0).stderr;
    assert!(none.contains("ALB Albania has the letter.\nNothing of the chosen"), "{none}");
    assert_eq!(server.letters().len(), 1);
}
