//! Letters in one round trip (PIPELINING, CHUNKING and enhanced codes) from the outside: the real program against the embedded server.

mod support;

use std::collections::BTreeMap;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Offers, Options, Rule, Script};
use support::campaign::Campaign;
use support::postfix::{Postfix, PostfixOptions};
use support::server::{Server, row_of};

fn chunking(script: Script) -> Server {
    let offers = Offers { chunking: true, ..Offers::default() };
    Server::with(Options { offers, script, ..Options::default() })
}

fn rule(phase: Phase, row: &str, action: Action) -> Rule {
    Rule { phase, connection: None, recipient: Some(format!("{row}@missions.example")), times: Some(1), action }
}

fn reply(text: &str) -> Action {
    Action::Reply(text.to_owned())
}

/// The state of each row in `status --json`.
fn states(campaign: &Campaign) -> BTreeMap<String, String> {
    let status = campaign.run(&["status", "--json"]).json();
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let deliveries = status["deliveries"].as_array().expect("deliveries");
    deliveries.iter().map(|row| (text(&row["id"]), text(&row["state"]))).collect()
}

/// Row id to the message without Message-ID and Date.
fn messages(server: &Server) -> BTreeMap<String, String> {
    let stamped = |line: &&str| line.starts_with("Message-ID:") || line.starts_with("Date:");
    let message = |bytes: &[u8]| -> String {
        let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
        text.split_inclusive("\r\n").filter(|line| !stamped(line)).collect()
    };
    server.letters().iter().map(|letter| (row_of(letter), message(&letter.bytes))).collect()
}

#[test]
fn every_row_arrives_once_in_one_group_each_and_with_the_bytes_that_data_would_have_brought() {
    let letter = "+++\nsubject = \"To {{ state.name }}\"\n+++\n\n.\n\n.hidden {{ state.running }}\n\n..\n";
    let by_chunk = chunking(Script::default());
    let campaign = Campaign::small(by_chunk.port(), 20).template("letter.en.md", letter);
    campaign.set("smtp.connections", "1").run(&["send", "--yes"]).expect_code(0);
    let by_data = Server::start();
    Campaign::small(by_data.port(), 20).template("letter.en.md", letter).run(&["send", "--yes"]).expect_code(0);
    assert_eq!((by_chunk.letters().len(), messages(&by_chunk).len()), (20, 20));
    assert_eq!(messages(&by_chunk), messages(&by_data));
    assert_eq!((by_chunk.violations(), by_data.violations()), (vec![], vec![]));

    // A wait for the server stands only behind EHLO, each BDAT, and QUIT: one for each letter.
    let heard = by_chunk.transcript(1);
    let verbs: Vec<&str> = heard.iter().filter_map(|line| line.split(' ').next()).collect();
    let expected = [vec!["EHLO"], ["MAIL", "RCPT", "BDAT"].repeat(20), vec!["QUIT"]].concat();
    assert_eq!(verbs, expected, "{heard:?}");
    assert!(heard.iter().filter(|line| line.starts_with("BDAT")).all(|line| line.ends_with(" LAST")));
}

#[test]
fn a_lost_reply_is_uncertain_whatever_the_server_kept_and_is_never_sent_again_by_itself() {
    let server = chunking(Script::rules(vec![
        rule(Phase::EndOfData, "and", Action::AcceptThen(Box::new(Action::Close))),
        rule(Phase::EndOfData, "arg", Action::RejectThen(Box::new(Action::Reset))),
    ]));
    let campaign = Campaign::small(server.port(), 10);
    campaign.run(&["send", "--yes"]).expect_code(2);
    let states = states(&campaign);
    assert_eq!((states["AND"].as_str(), states["ARG"].as_str()), ("uncertain", "uncertain"));
    assert_eq!(states.values().filter(|state| *state == "accepted").count(), 8);
    assert_eq!(server.letters().len(), 9);
    campaign.run(&["send", "--yes"]).expect_code(2);
    campaign.run(&["resend", "--yes"]).expect_code(2);
    assert_eq!(server.letters().len(), 9);
    campaign.run(&["resolve", "AND", "--sent", "--note", "confirmed"]).expect_code(0);
    campaign.run(&["resolve", "ARG", "--not-sent", "--note", "nothing came"]).expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!((server.letters().len(), server.ids().iter().filter(|id| *id == "AND").count()), (10, 1));
}

#[test]
fn a_connection_lost_at_rcpt_is_uncertain_because_the_chunk_was_on_its_way() {
    let server = chunking(Script::rules(vec![rule(Phase::Rcpt, "and", Action::Reset)]));
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes"]).expect_code(2);
    assert_eq!(states(&campaign)["AND"], "uncertain");
    assert_eq!(server.letters().len(), 4);
}

#[test]
fn refusals_are_proof_and_cost_no_other_letter_anything() {
    let server = chunking(Script::rules(vec![
        rule(Phase::Rcpt, "and", reply("550 5.1.1 no such user")),
        rule(Phase::Rcpt, "afg", reply("450 4.7.1 greylisted")),
        rule(Phase::EndOfData, "arg", reply("550 5.7.1 spam")),
        rule(Phase::EndOfData, "alb", reply("451 4.3.0 later")),
    ]));
    let campaign = Campaign::small(server.port(), 10).set("smtp.connections", "1");
    campaign.run(&["send", "--yes"]).expect_code(1);
    let states = states(&campaign);
    for (row, state) in [("AND", "failed"), ("AFG", "deferred"), ("ARG", "failed"), ("ALB", "deferred")] {
        assert_eq!(states[row], state, "{row}");
    }
    assert_eq!((server.letters().len(), server.violations()), (6, vec![]));
    assert!(server.transcript(2).is_empty(), "one session was enough");
}

#[test]
fn a_relay_that_refuses_mail_stops_the_run_and_every_row_stays_queued_though_its_intent_was_recorded() {
    let server = chunking(Script::new(|cue| match cue.phase {
        Phase::Mail => Action::Reply("530 5.7.0 Authentication required".to_owned()),
        _ => Action::Behave,
    }));
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes"]).expect_code(69);
    assert!(states(&campaign).values().all(|state| state == "queued"), "{:?}", states(&campaign));
}

#[test]
fn a_letter_with_a_copy_waits_for_the_replies_to_its_recipients() {
    let server = chunking(Script::default());
    let campaign =
        Campaign::small(server.port(), 0).recipients("state,to,cc\nKenya,ken@missions.example,desk@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters()[0].forward_paths.len(), 2);
    let heard = server.transcript(1);
    assert!(heard.contains(&"DATA".to_owned()) && !heard.iter().any(|line| line.starts_with("BDAT")), "{heard:?}");
}

#[test]
fn a_server_with_chunking_but_without_pipelining_or_without_enhanced_codes_gets_its_letters_by_data() {
    let all = Offers { chunking: true, ..Offers::default() };
    for offers in [Offers { pipelining: false, ..all }, Offers { enhanced_status_codes: false, ..all }] {
        let server = Server::with(Options { offers, ..Options::default() });
        let campaign = Campaign::small(server.port(), 3).set("smtp.connections", "1");
        campaign.run(&["send", "--yes"]).expect_code(0);
        let heard = server.transcript(1);
        let count = |verb: &str| heard.iter().filter(|line| line.split(' ').next() == Some(verb)).count();
        assert_eq!((count("DATA"), count("BDAT"), server.letters().len()), (3, 0, 3), "{offers:?}: {heard:?}");
        assert_eq!(server.violations(), Vec::<String>::new());
    }
}

#[test]
fn a_real_relay_takes_the_chunks_and_goes_on_after_a_refused_one() {
    if !support::real_servers_or_skip("sending chunks to a real relay") {
        return;
    }
    let reject = [("and@missions.example", "550 5.1.1 No such mailbox")];
    let relay = Postfix::start(&PostfixOptions { reject: &reject, ..PostfixOptions::default() });
    let campaign = Campaign::small(relay.port(), 10).config_for_postfix(&relay).set("smtp.connections", "1");
    let run = campaign.run(&["-vvv", "send", "--yes"]).expect_code(1);
    assert_eq!(relay.wait_for(9).len(), 9);
    let said = |what: &str| run.stderr.lines().filter(|line| line.contains(what)).count();
    assert_eq!((said("C: BDAT "), said("C: RSET"), said("C: DATA"), said("C: EHLO")), (10, 1, 0, 2), "{}", run.stderr);
}
