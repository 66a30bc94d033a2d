//! A handful of cells through the program itself: what a person reads, and the exit code.

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Chunk, Rule, Script};

use crate::support::campaign::{Campaign, Run};
use crate::support::server::Server;

const RECIPIENTS: &str = "state,to\nKenya,ken@missions.example\nChad,tcd@missions.example\nPeru,per@missions.example\n";

/// Sends three letters through one session to a server that does this for Chad; what the program said, and what arrived.
fn send(phase: Phase, action: Action) -> (Run, Vec<String>) {
    let recipient = (phase >= Phase::Rcpt).then(|| "tcd@missions.example".to_owned());
    let rule = Rule { phase, connection: None, recipient, times: None, action };
    let server = Server::scripted(Script::rules(vec![rule]));
    let campaign = Campaign::small(server.port(), 0)
        .recipients(RECIPIENTS)
        .set("smtp.connections", "1")
        .set("smtp.timeouts", "{ end_of_data = \"1s\" }")
        .set("retry.first", "\"300ms\"")
        .set("retry.most", "\"1s\"");
    (campaign.run(&["send", "--yes"]), server.ids())
}

fn reply(text: &str) -> Action {
    Action::Reply(text.to_owned())
}

fn raw(bytes: &[u8]) -> Action {
    Action::Raw(vec![Chunk { after: std::time::Duration::ZERO, bytes: bytes.to_vec() }])
}

#[track_caller]
fn reads(run: &Run, code: i32, words: &[&str]) {
    let run = run.clone().expect_code(code);
    for words in words {
        assert!(run.stderr.contains(words), "“{words}” is not in\n{}", run.stderr);
    }
}

#[test]
fn a_refusal_of_the_relay_stops_with_69_and_says_that_nobody_is_blamed() {
    for (phase, said) in [
        (Phase::Mail, "550 5.7.30 basic authentication is not supported"),
        (Phase::Rcpt, "535 5.7.8 wrong credentials"),
        (Phase::EndOfData, "530 5.7.0 authentication required"),
    ] {
        let (run, _) = send(phase, reply(said));
        let (code, text) = (&said[..3], said.splitn(3, ' ').nth(2).expect("a text"));
        reads(&run, 69, &["the relay refuses us", code, text, "no mission was blamed for it", "demarche send"]);
    }
}

#[test]
fn a_relay_that_greets_with_a_refusal_stops_with_69_after_three_sessions() {
    let (run, arrived) = send(Phase::Banner, reply("554 5.7.1 go away"));
    reads(&run, 69, &["the relay refused 3 sessions in a row", "go away", "no mission was blamed for it"]);
    assert!(arrived.is_empty());
}

#[test]
fn a_relay_that_breaks_every_session_stops_with_69_after_ten() {
    let rule = Rule { phase: Phase::Mail, connection: None, recipient: None, times: None, action: Action::Close };
    let server = Server::scripted(Script::rules(vec![rule]));
    let campaign = Campaign::small(server.port(), 5).set("retry.first", "\"300ms\"").set("retry.most", "\"1s\"");
    let run = campaign.run(&["send", "--yes"]);
    reads(&run, 69, &["10 sessions in a row failed without one letter settled", "the server closed the connection"]);
    assert!(server.ids().is_empty());
}

#[test]
fn a_refused_mission_is_named_with_the_servers_words_and_the_others_arrive() {
    let (run, arrived) = send(Phase::Rcpt, reply("550 5.1.1 no such user"));
    reads(&run, 1, &["TCD Chad", "failed: 550 5.1.1 no such user (at the address)"]);
    assert_eq!(arrived, ["KEN", "PER"]);
    let (run, arrived) = send(Phase::Rcpt, reply("450 4.2.0 greylisted"));
    reads(&run, 75, &["TCD Chad", "deferred: 450 4.2.0 greylisted (at the address); again in"]);
    assert_eq!(arrived, ["KEN", "PER"]);
}

#[test]
fn an_uncertain_mission_is_named_aloud_whatever_the_server_kept() {
    let lost = [
        (Action::Close, "the server closed the connection (after the letter)"),
        (Action::Stall, "no whole reply within 1 s (after the letter)"),
        (raw(b"354 go on\r\n"), "354 a reply that is not due here: go on (after the letter)"),
        (raw(b"250-one\r\n550 two\r\n"), "lines with the codes 250 and 550 in one reply (after the letter)"),
    ];
    for (action, words) in lost {
        for kept in [true, false] {
            let action = Box::new(action.clone());
            let action = if kept { Action::AcceptThen(action) } else { Action::RejectThen(action) };
            let (run, arrived) = send(Phase::EndOfData, action);
            reads(&run, 2, &["TCD Chad", "UNCERTAIN, will not be sent again by itself", words]);
            let expected: &[&str] = if kept { &["KEN", "PER", "TCD"] } else { &["KEN", "PER"] };
            assert_eq!(arrived, expected);
        }
    }
}

#[test]
fn an_account_that_has_to_rest_is_told_as_a_rest_and_not_as_a_refused_mission() {
    let rest = "450 4.2.1 receiving too fast";
    let rule = Rule { phase: Phase::Mail, connection: None, recipient: None, times: Some(1), action: reply(rest) };
    let server = Server::scripted(Script::rules(vec![rule]));
    let campaign = Campaign::small(server.port(), 3).set("retry.first", "\"300ms\"").set("retry.most", "\"1s\"");
    let run = campaign.run(&["send", "--yes"]);
    reads(
        &run,
        0,
        &["not sent, back in the queue: 450 4.2.1 receiving too fast (at the sender)", "the relay asked for a rest"],
    );
    assert_eq!(server.ids().len(), 3);
}

#[test]
fn five_letters_in_a_row_refused_after_the_dot_by_a_554_are_the_relays_matter() {
    let no = reply("554 5.0.0 no");
    let rule = Rule { phase: Phase::EndOfData, connection: None, recipient: None, times: None, action: no };
    let server = Server::scripted(Script::rules(vec![rule]));
    let campaign = Campaign::small(server.port(), 8).set("smtp.connections", "1");
    let run = campaign.run(&["send", "--yes"]);
    reads(&run, 69, &["the relay refused 5 letters in a row", "on record as failed", "demarche resend"]);
    assert!(!run.stderr.contains("no mission was blamed"), "five of them were: {}", run.stderr);
    let counts = campaign.run(&["status", "--json"]).json()["counts"].clone();
    assert_eq!((counts["failed"].as_u64(), counts["queued"].as_u64()), (Some(5), Some(3)));
}

#[test]
fn five_lost_answers_in_a_row_are_told_as_uncertain_and_not_as_failed() {
    for (other, words) in [
        (Action::Close, "the relay's answer to 5 letters in a row was lost: the server closed the connection"),
        (reply("554 5.0.0 no"), "of 5 letters in a row the relay refused 2, and its answer to 3 was lost"),
    ] {
        let rule = |times, action| Rule { phase: Phase::EndOfData, connection: None, recipient: None, times, action };
        let rules = vec![rule(Some(2), other.clone()), rule(None, Action::Close)];
        let server = Server::scripted(Script::rules(rules));
        let campaign = Campaign::small(server.port(), 8).set("smtp.connections", "1");
        let run = campaign.run(&["send", "--yes"]);
        reads(&run, 69, &[words, "as uncertain, because the relay may have taken them", "demarche resolve"]);
        assert_eq!(run.stderr.contains("failed"), other != Action::Close, "{}", run.stderr);
        let counts = campaign.run(&["status", "--json"]).json()["counts"].clone();
        assert_eq!(counts["uncertain"], if other == Action::Close { 5 } else { 3 });
    }
}
