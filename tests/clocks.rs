//! Clocks that are set, and a machine that sleeps, while the real program sends: no letter goes out early, none is lost.

mod support;

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Script};
use support::campaign::{Campaign, Running};
use support::clock::{WallClock, clock_or_skip};
use support::server::Server;

const DAY: i64 = 86_400;
const THREE: &str = "state,to\nKenya,ken@missions.example\nChad,tcd@missions.example\nPeru,per@missions.example\n";
/// How long a deferred letter waits.
const FIRST: Duration = Duration::from_secs(3);

/// A server that refuses Chad for now, once, and tells when it was asked for Chad.
fn refusing_chad() -> (Server, Receiver<Instant>) {
    let (tell, asked) = channel();
    let server = Server::scripted(Script::new(move |cue| match (cue.phase, cue.recipient) {
        (Phase::Rcpt, Some("tcd@missions.example")) => {
            // A test that has ended hears nothing.
            let _ = tell.send(Instant::now());
            if cue.tries == 1 { Action::Reply("450 4.2.0 not yet".to_owned()) } else { Action::Behave }
        }
        _ => Action::Behave,
    }));
    (server, asked)
}

/// Three letters through one session, tried again after [`FIRST`], with a clock of their own.
fn three(server: &Server) -> (WallClock, Campaign) {
    let campaign = Campaign::small(server.port(), 0)
        .recipients(THREE)
        .set("smtp.connections", "1")
        .set("retry.first", "\"3s\"")
        .set("retry.linger", "\"1min\"");
    WallClock::of(campaign)
}

/// Waits until the program has said it.
#[track_caller]
fn until_said(running: &mut Running, words: &str) {
    while !running.stderr().contains(words) {
        assert!(!running.has_ended(), "it ended without “{words}”:\n{}", running.stderr());
        std::thread::yield_now();
    }
}

#[test]
fn a_clock_that_jumps_a_day_ahead_releases_no_deferred_letter_early_and_a_new_session_is_opened() {
    if !clock_or_skip("a clock that jumps ahead") {
        return;
    }
    let (server, asked) = refusing_chad();
    let (clock, mut campaign) = three(&server);
    let mut running = campaign.spawn(&["-v", "send", "--yes"]);
    until_said(&mut running, "waiting ");
    let first = asked.recv().expect("Chad was tried");
    clock.set(DAY);
    let run = running.wait().expect_code(0);
    let second = asked.recv().expect("Chad was tried again");
    assert!(second.duration_since(first) >= FIRST, "too early, by the time that really passed");
    assert_eq!(server.ids(), ["KEN", "PER", "TCD"]);
    for words in ["the clock is 1 d ahead of where it was", "the wall clock jumped by"] {
        assert!(run.stderr.contains(words), "{}", run.stderr);
    }
    let connections: Vec<u64> = server.letters().iter().map(|letter| letter.connection).collect();
    assert_eq!(connections, [1, 1, 2], "the session from before the jump is not trusted");
}

#[test]
fn a_machine_that_slept_between_two_letters_gets_a_new_session_for_the_second() {
    if !clock_or_skip("a machine that slept") {
        return;
    }
    let (tell, taken) = channel();
    let (go_on, going_on) = channel();
    let going_on = std::sync::Mutex::new(going_on);
    let server = Server::scripted(Script::new(move |cue| {
        if cue.phase == Phase::EndOfData && cue.nth == 1 {
            let _ = tell.send(());
            let _ = going_on.lock().expect("nobody else").recv();
        }
        Action::Behave
    }));
    let (clock, mut campaign) = three(&server);
    let running = campaign.spawn(&["send", "--yes"]);
    taken.recv().expect("the first letter");
    // On Linux the monotonic clock stands still while the machine sleeps, so this is what a sleep of an hour looks like.
    clock.set(3600);
    go_on.send(()).expect("the server waits");
    let run = running.wait().expect_code(0);
    let connections: Vec<u64> = server.letters().iter().map(|letter| letter.connection).collect();
    assert_eq!(connections, [1, 2, 2]);
    assert!(run.stderr.contains("the clock is 1 h ahead of where it was: the machine slept"), "{}", run.stderr);
    assert!(server.transcript(1).contains(&"QUIT".to_owned()), "a server that is still there is told");
}

#[test]
fn a_clock_that_is_set_back_by_a_day_releases_nothing_early_and_the_deferred_letter_is_sent_in_the_end() {
    if !clock_or_skip("a clock that is set back") {
        return;
    }
    let (server, asked) = refusing_chad();
    let (clock, mut campaign) = three(&server);
    let mut running = campaign.spawn(&["send", "--yes"]);
    until_said(&mut running, "waiting ");
    clock.set(-DAY);
    // Its time is a day off now, which is longer than a run waits.
    running.wait().expect_code(75);
    assert_eq!((campaign.state("TCD").as_str(), server.letters().len()), ("deferred", 2));
    campaign.run(&["send", "--yes"]).expect_code(75);
    assert_eq!(server.letters().len(), 2, "not before its time");
    // The next day, or a clock put right.
    clock.set(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.ids(), ["KEN", "PER", "TCD"]);
    let tries: Vec<Instant> = asked.try_iter().collect();
    assert!(tries.len() == 2 && tries[1].duration_since(tries[0]) >= FIRST, "{tries:?}");
}

#[test]
fn a_person_can_send_what_waits_for_a_clock_that_was_set_back() {
    if !clock_or_skip("resend with a clock that was set back") {
        return;
    }
    let (server, _asked) = refusing_chad();
    let (clock, campaign) = three(&server);
    let campaign = campaign.set("retry.linger", "\"0s\"");
    campaign.run(&["send", "--yes"]).expect_code(75);
    clock.set(-DAY);
    let run = campaign.run(&["resend", "--yes"]).expect_code(0);
    assert!(run.stderr.contains("not due yet"), "{}", run.stderr);
    assert_eq!(server.ids(), ["KEN", "PER", "TCD"]);
}

#[test]
fn a_letter_deferred_while_the_clock_was_a_day_ahead_is_not_lost_when_it_is_put_right() {
    if !clock_or_skip("a letter deferred by a wrong clock") {
        return;
    }
    let (server, _asked) = refusing_chad();
    let (clock, campaign) = three(&server);
    let campaign = campaign.set("retry.linger", "\"0s\"");
    clock.set(DAY);
    campaign.run(&["send", "--yes"]).expect_code(75);
    clock.set(0);
    let run = campaign.run(&["send", "--yes"]).expect_code(75);
    assert_eq!(server.letters().len(), 2, "{}", run.stderr);
    assert_eq!(campaign.state("TCD"), "deferred");
    clock.set(DAY + 60);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.ids(), ["KEN", "PER", "TCD"]);
}

#[test]
fn a_daily_limit_admits_no_more_because_the_clock_was_set_while_it_ran() {
    if !clock_or_skip("a daily limit and a clock that is set") {
        return;
    }
    for step in [DAY, -DAY] {
        let (tell, taken) = channel();
        let (go_on, going_on) = channel();
        let going_on = std::sync::Mutex::new(going_on);
        let server = Server::scripted(Script::new(move |cue| {
            if cue.phase == Phase::EndOfData && cue.nth == 2 {
                let _ = tell.send(());
                let _ = going_on.lock().expect("nobody else").recv();
            }
            Action::Behave
        }));
        let campaign = Campaign::small(server.port(), 8).set("smtp.connections", "1").set("pace.rate", "\"3/day\"");
        let (clock, mut campaign) = WallClock::of(campaign);
        let running = campaign.spawn(&["send", "--yes"]);
        taken.recv().expect("the second letter");
        clock.set(step);
        go_on.send(()).expect("the server waits");
        let run = running.wait().expect_code(75);
        assert_eq!(server.letters().len(), 3, "{step}: {}", run.stderr);
        assert!(run.stderr.contains("the daily limit of [pace] is reached"), "{step}: {}", run.stderr);
        // A run that begins while the clock is back counts what is dated later, too.
        if step < 0 {
            campaign.run(&["send", "--yes"]).expect_code(75);
            assert_eq!(server.letters().len(), 3);
        }
    }
}

#[test]
fn hours_open_by_the_clock_on_the_wall_through_a_change_to_summer_time() {
    if !clock_or_skip("hours through a change to summer time") {
        return;
    }
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3)
        .set("pace.hours", "\"03:00-04:00\"")
        .set("pace.timezone", "\"America/New_York\"");
    let (clock, mut campaign) = WallClock::of(campaign);
    // Two seconds before 02:00 in New York on the morning on which 03:00 follows at once.
    let before: jiff::Timestamp = "2021-03-14T06:59:58Z".parse().expect("a time");
    clock.set(before.as_second() - real_now());
    let running = campaign.spawn(&["-v", "send", "--yes"]);
    let run = running.wait().expect_code(0);
    assert_eq!(server.letters().len(), 3);
    assert!(run.stderr.contains("outside the hours"), "it waited: {}", run.stderr);
    assert!(!run.stderr.contains("the clock"), "no clock jumped: {}", run.stderr);
    let opening: jiff::Timestamp = "2021-03-14T07:00:00Z".parse().expect("a time");
    let status = campaign.run(&["status", "--json"]).json();
    for row in status["deliveries"].as_array().expect("deliveries") {
        let at: jiff::Timestamp = row["last"]["at"].as_str().expect("a time").parse().expect("a time");
        assert!(at >= opening, "{at} is before the opening");
    }
}

/// The right time, in seconds.
fn real_now() -> i64 {
    demarche::clock::now().as_second()
}
