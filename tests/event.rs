//! The event that the letters are written before: how long the batch takes and how much time is left, plans that come too
//! late, a date that moves, a start that is waited for, hours and holidays.

mod support;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, ZonedDateTime};
use support::campaign::{Campaign, Run};
use support::server::Server;

const LETTER: &str = "+++\nsubject = \"Open letter\"\n+++\n\n{{ salutation() }}\n\nBefore {{ event.date }}.\n";

fn now() -> ZonedDateTime {
    demarche::clock::now().to_zoned_datetime(TimeZone::get("America/New_York").expect("a zone"))
}

fn written(at: &ZonedDateTime) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S[%Q]").to_string()
}

fn event(campaign: Campaign, at: &ZonedDateTime) -> Campaign {
    campaign.set("campaign.event", &format!("{{ name = \"open debate\", at = \"{}\" }}", written(at)))
}

/// A campaign with an event so many hours from now, and one rate.
fn before(port: u16, rows: usize, hours: i64, rate: &str) -> Campaign {
    let campaign = Campaign::small(port, rows).template("letter.en.md", LETTER);
    event(campaign, &now().checked_add(hours.hours()).expect("a time")).set("pace.rate", &format!("\"{rate}\""))
}

fn code_of(run: &Run, kind: &str) -> Vec<String> {
    let json = run.json();
    json[kind].as_array().expect("a list").iter().map(|one| one["code"].as_str().expect("a code").to_owned()).collect()
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn check_says_how_long_the_letters_take_and_how_long_before_the_event_they_are_done() {
    let campaign = before(1, 193, 6 * 24 + 3, "30/min").set("pace.per_domain", "[]");
    let run = campaign.run(&["check"]).expect_code(0);
    let line = "193 letters at 30/min: 6 min 26 s; done 6 days before the open debate";
    assert!(words(&run.stdout).contains(line), "{}", run.stdout);
    let estimate = &campaign.run(&["check", "--json"]).json()["estimate"];
    assert_eq!((&estimate["seconds"], &estimate["words"]), (&386.into(), &line.into()));
}

#[test]
fn a_plan_that_cannot_finish_in_time_is_an_error_that_says_what_would() {
    let server = Server::start();
    let campaign = before(server.port(), 20, 2, "5/h");
    let run = campaign.run(&["check"]).expect_code(78);
    assert!(
        run.stderr.contains("error[event-missed]: the letters cannot all go out before the open debate"),
        "{run:?}"
    );
    let help = run.stderr.split("rate of at least \"").nth(1).expect("a rate that would do");
    let rate = help.split('"').next().expect("its end").to_owned();
    let json = campaign.run(&["check", "--json"]).expect_code(78);
    assert_eq!(code_of(&json, "errors"), ["event-missed"]);
    assert_eq!(json.json()["coverage"]["doubled"], serde_json::json!([]), "the rest is told all the same");
    // Nothing goes out, whatever was agreed to; with the rate that was named the plan is fine.
    for word in [&["send", "--yes"][..], &["send", "--late"]] {
        let run = campaign.run(word);
        assert!(run.code == Some(78) || run.code == Some(64), "{run:?}");
    }
    assert_eq!(server.letters().len(), 0);
    campaign.set("pace.rate", &format!("\"{rate}\"")).run(&["check"]).expect_code(0);
}

#[test]
fn a_person_may_send_though_it_is_too_late_and_is_told_so() {
    let server = Server::start();
    // One letter takes 4 hours at this rate; it goes at once all the same.
    let campaign = before(server.port(), 1, 2, "6/day").set("pace.rate", "\"6/day\"").set("pace.per_domain", "\"1/h\"");
    let campaign = event(campaign, &now().checked_add(30.minutes()).expect("a time"));
    campaign.run(&["send", "--yes"]).expect_code(78);
    let run = campaign.run(&["send", "--yes", "--late"]).expect_code(0);
    assert!(run.stderr.contains("cannot all go out before the open debate"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 1);
}

#[test]
fn a_few_letters_that_are_in_time_are_sent_though_all_would_not_be() {
    let server = Server::start();
    let campaign = before(server.port(), 20, 2, "120/h").set("pace.per_domain", "\"5/h\"");
    campaign.run(&["check"]).expect_code(78);
    let run = campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    assert_eq!(server.letters().len(), 1, "{run:?}");
}

#[test]
fn an_event_that_is_over_is_a_warning_at_check_and_a_question_at_send() {
    let server = Server::start();
    let campaign =
        before(server.port(), 1, -48, "100/s").set("sender.from", "\"a@b.ngo\"").set("sender.reply_to", "\"a@b.ngo\"");
    let run = campaign.run(&["check", "--json"]).expect_code(0);
    assert!(code_of(&run, "warnings").contains(&"event-past".to_owned()), "{}", run.stdout);
    let run = campaign.run(&["send"]).expect_code(64);
    assert!(
        run.stderr.contains("The event lies in the past. Send all the same?") || run.stderr.contains("--yes"),
        "{run:?}"
    );
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 1);
}

#[test]
fn a_date_that_moved_changes_the_digest_and_is_pointed_out_with_the_letters_that_say_the_old_one() {
    let server = Server::start();
    let zone = TimeZone::get("America/New_York").expect("a zone");
    let day = |day| jiff::civil::date(2097, 10, day).at(10, 0, 0, 0).to_zoned_datetime(zone.clone()).expect("a time");
    let campaign = event(Campaign::small(server.port(), 4).template("letter.en.md", LETTER), &day(28));
    let digest = |campaign: &Campaign| campaign.run(&["preview", "--json"]).json()["digest"].clone();
    let old = digest(&campaign);
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let campaign = event(campaign, &day(21));
    assert_ne!(digest(&campaign), old);
    let moved = "the event moved from 28 October 2097, 10:00 (America/New_York) to 21 October 2097, 10:00 \
                 (America/New_York) since this campaign's letters were frozen; 3 still to go differ from the files: ALB, DZA, \
                 AND; 1 that went out, or may have, differ from the files: AFG";
    let check = campaign.run(&["check"]).expect_code(0);
    assert!(words(&check.stderr).contains(moved), "{}", check.stderr);
    assert_eq!(code_of(&campaign.run(&["check", "--json"]), "warnings")[..], ["placeholders", "event-moved"]);
    assert!(words(&campaign.run(&["preview"]).stderr).contains(moved));
    // The old date does not go out by the usual word.
    let send = campaign.run(&["send", "--yes"]).expect_code(65);
    assert!(words(&send.stderr).contains(moved), "{}", send.stderr);
    let send = campaign.run(&["send", "--yes", "--refresh"]).expect_code(0);
    assert!(words(&send.stderr).contains(moved), "{}", send.stderr);
    let dates: Vec<bool> = server
        .letters()
        .iter()
        .map(|letter| String::from_utf8_lossy(&letter.bytes).contains("21 October 2097"))
        .collect();
    assert_eq!(dates, [false, true, true, true]);
    // Once it is said, it is the campaign's date: nothing more to point out.
    assert!(!campaign.run(&["check"]).stderr.contains("event moved"));
}

#[test]
fn a_start_is_waited_for_and_no_letter_goes_before() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    let start = now().checked_add(3.seconds()).expect("a time");
    let run = campaign.run(&["send", "--yes", "--at", &written(&start)]).expect_code(0);
    assert!(run.stderr.contains("Waiting until ") && run.stderr.contains("America/New_York"), "{}", run.stderr);
    assert!(run.stderr.contains("Ctrl-C is safe"), "{}", run.stderr);
    let log = campaign.run(&["log", "--json"]).stdout;
    let first =
        log.split("\"claimed_at\": \"").skip(1).filter_map(|rest| rest.split('"').next()).min().expect("a claim");
    // What was written has whole seconds.
    let start = Timestamp::from_second(start.timestamp().as_second()).expect("a time");
    assert!(first.parse::<Timestamp>().expect("a time") >= start, "{first} is before {start}");
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn a_wait_ends_at_a_signal_and_nothing_was_sent() {
    let server = Server::start();
    let mut campaign = Campaign::small(server.port(), 3);
    let start = now().checked_add(2.hours()).expect("a time");
    let running = campaign.spawn(&["send", "--yes", "--at", &written(&start)]);
    while !running.stderr().contains("Waiting until") {
        std::thread::yield_now();
    }
    running.signal("INT");
    let run = running.wait().expect_code(75);
    assert!(run.stderr.contains("Stopped."), "{}", run.stderr);
    assert_eq!(server.letters().len(), 0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn a_start_that_is_over_or_comes_too_late_for_the_event_is_refused_with_the_latest_that_does() {
    let server = Server::start();
    let campaign = before(server.port(), 20, 3, "20/h").set("pace.per_domain", "[]");
    let over = now().checked_sub(5.minutes()).expect("a time");
    let run = campaign.run(&["send", "--yes", "--at", &written(&over)]).expect_code(64);
    assert!(run.stderr.contains("was 5 min"), "{}", run.stderr);
    assert!(
        campaign.run(&["send", "--yes", "--at", "tomorrow"]).expect_code(64).stderr.contains("is no time with a zone")
    );
    for hours in [150, 200] {
        let late = now().checked_add(hours.minutes()).expect("a time");
        let run = campaign.run(&["send", "--yes", "--at", &written(&late)]).expect_code(78);
        assert!(run.stderr.contains("cannot all go out before the open debate"), "{}", run.stderr);
        let latest = now().checked_add(119.minutes()).expect("a time").strftime("%H:").to_string();
        let by = run
            .stderr
            .split("with a start by ")
            .nth(1)
            .expect("a latest start")
            .split('\n')
            .next()
            .expect("its end")
            .to_owned();
        assert!(
            by.contains(&latest)
                || by.contains(&now().checked_add(120.minutes()).expect("a time").strftime("%H:").to_string()),
            "{by}"
        );
    }
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn hours_days_and_holidays_count_in_the_estimate() {
    let today = now().date();
    let holidays: Vec<String> =
        (0..3).map(|ahead| format!("\"{}\"", today.checked_add(ahead.days()).expect("a date"))).collect();
    let campaign = before(1, 5, 24 * 20, "1000/s")
        .set("pace.timezone", "\"America/New_York\"")
        .set("pace.holidays", &format!("[{}]", holidays.join(", ")));
    let run = campaign.run(&["check", "--json"]).expect_code(0).json();
    let end: Timestamp = run["estimate"]["finishes_at"].as_str().expect("a time").parse().expect("a time");
    let opens =
        today.checked_add(3.days()).expect("a date").to_zoned_datetime(now().time_zone().clone()).expect("a time");
    assert_eq!(end.as_second(), opens.timestamp().as_second(), "the fourth day begins");
    let said = run["estimate"]["words"].as_str().expect("words");
    assert!(said.contains("except 3 holidays") && said.contains(&format!("nothing goes out on {today}")), "{said}");
    // A holiday that holds the letters back beyond the event is told, with what would do.
    let soon = event(campaign, &now().checked_add(20.hours()).expect("a time"));
    let run = soon.run(&["check"]).expect_code(78);
    assert!(run.stderr.contains("without hours, days and holidays"), "{}", run.stderr);
}

#[test]
fn the_dispatch_keeps_to_holidays_too() {
    let server = Server::start();
    let today = now().date();
    let campaign = Campaign::small(server.port(), 2)
        .set("pace.timezone", "\"America/New_York\"")
        .set("pace.holidays_file", "\"holidays.txt\"")
        .file(
            "holidays.txt",
            format!("# this year\n{today} a day off\n{} another\n", today.tomorrow().expect("a date")),
        );
    let mut campaign = campaign;
    let running = campaign.spawn(&["send", "--yes"]);
    while !running.stderr().contains("outside the hours of [pace]") {
        std::thread::yield_now();
    }
    running.signal("INT");
    running.wait().expect_code(75);
    assert_eq!(server.letters().len(), 0);
    campaign.file("holidays.txt", "2020-01-01\n").run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 2);
}

#[test]
fn a_list_of_holidays_that_is_none_is_told_with_its_line() {
    let campaign = Campaign::small(1, 1).set("pace.timezone", "\"UTC\"").set("pace.holidays_file", "\"holidays.txt\"");
    assert!(campaign.run(&["check"]).expect_code(78).stderr.contains("cannot be read"));
    let campaign = campaign.file("holidays.txt", "2097-10-11 a day off\n11.10.2097\n");
    assert!(campaign.run(&["check"]).expect_code(78).stderr.contains("whose line 2 does not begin with a date"));
    let campaign = campaign.file("holidays.txt", "2021-10-11\n");
    assert!(campaign.run(&["check"]).expect_code(0).stderr.contains("ends with 2021-10-11, which is over"));
    let campaign =
        campaign.set("pace.holidays", "[\"2097-10-11\", 2097-10-12, \"someday\"]").file("holidays.txt", "2097-10-13\n");
    assert!(campaign.run(&["check"]).expect_code(78).stderr.contains("is not a list of dates"));
}
