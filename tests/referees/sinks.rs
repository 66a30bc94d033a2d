//! `smtp-sink` with each of its faults: what the ledger says of every address, and what the sink wrote down.

use serde_json::Value;

use crate::agreement::{Tally, agree};
use crate::batch::{self, LETTERS};
use crate::sink::Sink;
use crate::support::campaign::{Campaign, Run};
use crate::{figure, support};

/// Addresses of the batch.
const ADDRESSES: usize = batch::UNKNOWN.len() + batch::LATER.len() + batch::KNOWN.len();
/// Lost replies in a row that stop a run, and those that the other session may have met meanwhile.
const STOPPED: std::ops::RangeInclusive<usize> = 5..=6;

/// The whole batch, and the sink that it goes to.
struct Sent {
    sink: Sink,
    campaign: Campaign,
    run: Run,
}

/// Sends to a sink with these options, if smtp-sink is here.
fn send(options: &[&str], adjust: impl FnOnce(Campaign) -> Campaign) -> Option<Sent> {
    let what = format!("the batch against smtp-sink {}", options.join(" "));
    let missing: Vec<_> = support::program("smtp-sink").is_none().then_some("smtp-sink").into_iter().collect();
    if !support::all_here_or_skip(&what, "Postfix", &missing) {
        return None;
    }
    let sink = Sink::start(options);
    let campaign = batch::write(Campaign::new().config_for(sink.port()));
    // Lost sessions are opened again at once, and nothing is tried again by itself.
    let campaign = adjust(campaign.set("retry.first", "\"10ms\"").set("retry.attempts", "1"));
    let run = campaign.run(&["send", "--yes"]);
    Some(Sent { sink, campaign, run })
}

fn told(options: &[&str], tally: &Tally) {
    let fault = if options.is_empty() { "without a fault".to_owned() } else { options.join(" ") };
    let version = support::postfix::version();
    figure(&format!("smtp-sink ({version}) {fault}"), &format!("{}, 0 disagreements", tally.words()));
}

/// Every address's record.
fn addresses(campaign: &Campaign) -> Vec<Value> {
    let status = campaign.run(&["status", "--json"]).json();
    let deliveries = status["deliveries"].as_array().expect("a list").iter();
    deliveries.flat_map(|delivery| delivery["to"].as_array().expect("a list").clone()).collect()
}

/// The sink took nothing: every address has this outcome, for this code if it gave one, and the run this end. What the sink
/// wrote down before it refused is as much as `dumped`.
fn nothing_taken(options: &[&str], (outcome, code, exit): (&str, Option<u16>, i32), dumped: usize) {
    let Some(sent) = send(options, |campaign| campaign.set("smtp.connections", "10")) else { return };
    let run = sent.run.expect_code(exit);
    let tally = agree(&sent.campaign, &[]);
    assert_eq!(tally.of(outcome), ADDRESSES, "{options:?}: {}\n{}", tally.words(), run.stderr);
    let settled = outcome != "queued";
    for said in addresses(&sent.campaign).iter().filter(|_| settled) {
        assert_eq!(said["code"].as_u64(), code.map(u64::from), "{options:?}: {said}");
    }
    assert_eq!(sent.sink.dumped().len(), dumped, "{options:?}: the ends that the sink saw");
    told(options, &tally);
}

#[test]
fn a_sink_that_takes_everything_has_every_letter_once() {
    // The second takes a second for it.
    for options in [&[][..], &["-W", ".:1"]] {
        let Some(sent) = send(options, |campaign| campaign.set("smtp.connections", "10")) else { return };
        sent.run.expect_code(0);
        let tally = agree(&sent.campaign, &sent.sink.dumped());
        assert_eq!((tally.letters, tally.of("accepted")), (LETTERS, ADDRESSES), "{options:?}");
        told(options, &tally);
    }
}

/// The sink has every letter that was handed over, and its answer was lost.
fn answers_lost(options: &[&str], adjust: impl FnOnce(Campaign) -> Campaign) {
    let Some(sent) = send(options, adjust) else { return };
    let run = sent.run.expect_code(69);
    assert!(run.stderr.contains("uncertain") && !run.stderr.contains("failed"), "{}", run.stderr);
    let tally = agree(&sent.campaign, &sent.sink.dumped());
    let rows = |outcome: &str| {
        let counts = sent.campaign.run(&["status", "--json"]).json();
        usize::try_from(counts["counts"][outcome].as_u64().unwrap_or_default()).expect("few")
    };
    assert!(STOPPED.contains(&rows("uncertain")), "{options:?}: {}\n{}", tally.words(), run.stderr);
    // Called failed, they would have been sent twice.
    assert_eq!(tally.uncertain_and_held, tally.of("uncertain"), "{options:?}");
    assert_eq!(tally.of("uncertain") + tally.of("queued"), ADDRESSES, "{options:?}: {}", tally.words());
    // Sent again and again: the rest goes out, and nobody gets it twice.
    while rows("queued") > 0 {
        let before = rows("queued");
        sent.campaign.run(&["send", "--yes"]);
        assert!(rows("queued") < before, "{options:?}: a run takes some of them");
    }
    sent.campaign.run(&["send", "--yes"]).expect_code(2);
    let tally = agree(&sent.campaign, &sent.sink.dumped());
    assert_eq!((tally.of("uncertain"), tally.uncertain_and_held), (ADDRESSES, ADDRESSES), "{options:?}");
    told(options, &tally);
}

#[test]
fn a_sink_that_hangs_up_after_the_dot_leaves_uncertain_letters_that_are_not_sent_again() {
    answers_lost(&["-q", "."], |campaign| campaign);
}

#[test]
fn a_sink_that_answers_too_late_leaves_uncertain_letters_that_are_not_sent_again() {
    answers_lost(&["-W", ".:60"], |campaign| campaign.set("smtp.timeouts", "{ end_of_data = \"200ms\" }"));
}

#[test]
fn a_sink_that_refuses_after_the_dot_is_believed() {
    nothing_taken(&["-f", "."], ("failed", Some(500), 1), ADDRESSES);
    nothing_taken(&["-r", "."], ("deferred", Some(450), 75), ADDRESSES);
    nothing_taken(&["-Q", "."], ("deferred", Some(421), 75), ADDRESSES);
}

#[test]
fn a_sink_that_refuses_before_the_dot_is_believed() {
    for command in ["rcpt", "data"] {
        nothing_taken(&["-f", command], ("failed", Some(500), 1), 0);
        nothing_taken(&["-r", command], ("deferred", Some(450), 75), 0);
    }
}

#[test]
fn a_sink_that_refuses_early_and_reads_no_further_is_believed() {
    nothing_taken(&["-A", "0"], ("failed", Some(550), 1), 0);
    nothing_taken(&["-A", "1"], ("failed", Some(550), 1), 0);
}

#[test]
fn a_sink_that_takes_nobody_s_letters_blames_no_mission() {
    for command in ["connect", "ehlo", "mail", "rcpt", "data"] {
        nothing_taken(&["-q", command], ("queued", None, 69), 0);
        nothing_taken(&["-Q", command], ("queued", None, 69), 0);
    }
    nothing_taken(&["-f", "mail"], ("queued", None, 69), 0);
    nothing_taken(&["-r", "mail"], ("queued", None, 69), 0);
}
