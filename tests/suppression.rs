//! Who asks not to be written to while a run goes on gets no letter any more, however long ago the run was begun.

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Script};
use support::campaign::Campaign;
use support::server::Server;

/// Two rows, each with a copy; which of them goes first is chance.
const ROWS: &str = "state,id,to,cc
Kenya,KEN,ken@one.example,desk@one-copies.example
Chad,TCD,tcd@two.example,desk@two-copies.example
";

/// The row that did not go first, by the first address of the one that did.
fn other(first: &str) -> (&'static str, &'static str) {
    if first.contains("one") { ("TCD", "two") } else { ("KEN", "one") }
}

/// A server that does something to the campaign's `suppressed.csv` when the first letter is whole, before it answers: the second
/// is not claimed yet, because there is one session. What it does may depend on the first letter's address.
fn while_the_first_goes(
    before: Option<&str>,
    change: impl Fn(&PathBuf, &str) + Send + Sync + 'static,
) -> (Server, Campaign) {
    let path: Arc<OnceLock<PathBuf>> = Arc::default();
    let known = Arc::clone(&path);
    let server = Server::scripted(Script::new(move |cue| {
        if cue.phase == Phase::EndOfData && cue.nth == 1 {
            change(known.get().expect("set before anything is sent"), cue.recipient.expect("a letter has one"));
        }
        Action::Behave
    }));
    let mut campaign = Campaign::small(server.port(), 0).recipients(ROWS).set("smtp.connections", "1");
    if let Some(before) = before {
        campaign = campaign.file("suppressed.csv", before);
    }
    path.set(campaign.path("suppressed.csv")).expect("set once");
    (server, campaign)
}

/// The row of the only letter that the server took, and the other one.
#[track_caller]
fn only_one(server: &Server) -> (&'static str, &'static str) {
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    let other = other(&letters[0].forward_paths[0]).0;
    (if other == "TCD" { "KEN" } else { "TCD" }, other)
}

#[test]
fn whoever_is_added_to_the_list_while_a_run_goes_on_gets_no_letter_and_is_named() {
    let (server, campaign) = while_the_first_goes(None, |path, first| {
        let (id, place) = other(first);
        fs::write(path, format!("{}@{place}.example\n", id.to_lowercase())).expect("our own folder");
    });
    let run = campaign.run(&["send", "--yes"]).expect_code(0);
    let (first, second) = only_one(&server);
    assert!(run.stderr.contains(" is suppressed from now on: "), "{}", run.stderr);
    assert!(run.stderr.contains(&format!("\n{second} ")), "{}", run.stderr);
    assert_eq!((campaign.state(first).as_str(), campaign.state(second).as_str()), ("accepted", "suppressed"));
    let log = campaign.run(&["log", second]).expect_code(0).stdout;
    assert!(log.contains("left out from then on"), "{log}");
}

#[test]
fn a_whole_domain_counts_and_one_that_was_on_the_list_before_is_no_news() {
    let (server, campaign) = while_the_first_goes(Some("@far.example\n"), |path, first| {
        fs::write(path, format!("@far.example\n@{}.example\n", other(first).1)).expect("our own folder");
    });
    campaign.run(&["send", "--yes"]).expect_code(0);
    let (_, second) = only_one(&server);
    assert_eq!(campaign.state(second), "suppressed");
}

#[test]
fn whoever_is_added_while_a_resend_goes_on_gets_no_letter_either() {
    let path: Arc<OnceLock<PathBuf>> = Arc::default();
    let known = Arc::clone(&path);
    let server = Server::scripted(Script::new(move |cue| {
        if cue.phase == Phase::Rcpt && cue.tries == 1 {
            return Action::Reply("550 5.7.1 not now".to_owned());
        }
        if let (Phase::EndOfData, Some(first)) = (cue.phase, cue.recipient) {
            fs::write(known.get().expect("set"), format!("@{}.example\n", other(first).1)).expect("our own folder");
        }
        Action::Behave
    }));
    let campaign = Campaign::small(server.port(), 0).recipients(ROWS).set("smtp.connections", "1");
    path.set(campaign.path("suppressed.csv")).expect("set once");
    campaign.run(&["send", "--yes"]).expect_code(1);
    let again = campaign.run(&["resend", "--yes"]).expect_code(0);
    let (_, second) = only_one(&server);
    assert!(again.stderr.contains(" is suppressed from now on: "), "{}", again.stderr);
    assert_eq!(campaign.state(second), "suppressed");
}

/// What happens to the list, where it lies.
type Change = Box<dyn Fn(&PathBuf, &str) + Send + Sync>;

#[test]
fn a_list_that_cannot_be_read_any_more_stops_the_run_before_the_next_letter() {
    let garble: Change = Box::new(|path, _| fs::write(path, "tcd(at)missions.example\n").expect("our own folder"));
    let remove: Change = Box::new(|path, _| fs::remove_file(path).expect("it is there"));
    let block: Change = Box::new(|path, _| fs::create_dir(path).expect("our own folder"));
    for (before, change, says) in [
        (None, garble, "suppressed.csv:1: "),
        (Some("fji@far.example\n"), remove, "suppressed.csv was there when the run began, and is gone"),
        (None, block, "suppressed.csv is not a file"),
    ] {
        let (server, campaign) = while_the_first_goes(before, change);
        let run = campaign.run(&["send", "--yes"]).expect_code(65);
        assert!(run.stderr.contains(&format!("the run stopped before the next letter: {says}")), "{}", run.stderr);
        assert!(run.stderr.contains("put suppressed.csv right"), "{}", run.stderr);
        let (_, second) = only_one(&server);
        assert_eq!(campaign.state(second), "queued");
        let json = campaign.run(&["status", "--json"]).json();
        assert!(json["runs"][0]["ended_at"].is_string(), "{}", json["runs"]);
    }
}

#[test]
fn a_letter_that_would_still_copy_somebody_on_the_list_stops_the_run_and_refresh_sends_it_without() {
    let (server, campaign) = while_the_first_goes(None, |path, first| {
        fs::write(path, format!("desk@{}-copies.example\n", other(first).1)).expect("our own folder");
    });
    let run = campaign.run(&["send", "--yes"]).expect_code(65);
    let (_, second) = only_one(&server);
    let says = format!("the letter of {second} would go to desk@");
    assert!(run.stderr.contains(&says) && run.stderr.contains("which is in suppressed.csv now"), "{}", run.stderr);
    assert!(run.stderr.contains("`demarche send --refresh`"), "{}", run.stderr);
    assert_eq!(campaign.state(second), "queued");
    campaign.run(&["send", "--yes", "--refresh"]).expect_code(0);
    assert_eq!(server.letters()[1].forward_paths.len(), 1, "without the copy");
}

#[test]
fn whoever_is_added_while_a_send_waits_for_its_time_gets_no_letter() {
    let server = Server::start();
    let mut campaign = Campaign::small(server.port(), 0).recipients(ROWS);
    let at = (demarche::clock::now() + jiff::SignedDuration::from_secs(6)).to_string();
    let running = campaign.spawn(&["send", "--yes", "--at", &at]);
    while !running.stderr().contains("Waiting until") {
        std::thread::yield_now();
    }
    fs::write(campaign.path("suppressed.csv"), "tcd@two.example\n").expect("our own folder");
    let run = running.wait().expect_code(0);
    let named = "TCD Chad is suppressed from now on: tcd@two.example is in the list of suppressed addresses";
    assert!(run.stderr.contains(named), "{}", run.stderr);
    assert_eq!(only_one(&server), ("KEN", "TCD"));
}

/// Two letters whose answer never came, and a resend of both during which something happens to the list.
fn resend_of_uncertain_ones(change: &'static str) -> (Server, Campaign) {
    let path: Arc<OnceLock<PathBuf>> = Arc::default();
    let known = Arc::clone(&path);
    let server = Server::scripted(Script::new(move |cue| {
        if cue.phase != Phase::EndOfData {
            return Action::Behave;
        }
        if cue.tries == 1 {
            return Action::AcceptThen(Box::new(Action::Close));
        }
        let first = cue.recipient.expect("a letter has one");
        let list = change.replace("OTHER", other(first).1);
        fs::write(known.get().expect("set before anything is sent"), list).expect("our own folder");
        Action::Behave
    }));
    let campaign = Campaign::small(server.port(), 0).recipients(ROWS).set("smtp.connections", "1");
    path.set(campaign.path("suppressed.csv")).expect("set once");
    campaign.run(&["send", "--yes"]).expect_code(2);
    assert_eq!(server.letters().len(), 2);
    (server, campaign)
}

#[test]
fn a_letter_that_may_have_arrived_is_never_called_left_out_because_its_mission_asked_since() {
    let (server, campaign) = resend_of_uncertain_ones("@OTHER.example\n");
    let again = campaign.run(&["resend", "--uncertain", "--yes"]).expect_code(2);
    assert!(again.stderr.contains(" may have the letter, and is not written to again: "), "{}", again.stderr);
    assert_eq!(server.letters().len(), 3);
    let states = [campaign.state("KEN"), campaign.state("TCD")];
    assert!(states.contains(&"accepted".to_owned()) && states.contains(&"uncertain".to_owned()), "{states:?}");
    let status = campaign.run(&["status"]).expect_code(2).stdout;
    assert!(status.contains("Uncertain: "), "{status}");
}

#[test]
fn what_a_resend_of_uncertain_letters_did_not_come_to_is_uncertain_again_and_a_send_leaves_it_alone() {
    let (server, campaign) = resend_of_uncertain_ones("not an address\n");
    let again = campaign.run(&["resend", "--uncertain", "--yes"]).expect_code(65);
    assert!(again.stderr.contains("the run stopped before the next letter: suppressed.csv:1: "), "{}", again.stderr);
    fs::remove_file(campaign.path("suppressed.csv")).expect("it is there");
    campaign.run(&["send", "--yes"]).expect_code(2);
    assert_eq!(server.letters().len(), 3, "none without a person's word");
    let states = [campaign.state("KEN"), campaign.state("TCD")];
    assert!(states.contains(&"accepted".to_owned()) && states.contains(&"uncertain".to_owned()), "{states:?}");
    let log = campaign.run(&["log"]).expect_code(0).stdout;
    assert!(log.contains("to be sent again ") && log.contains(": resend --uncertain"), "{log}");
}
