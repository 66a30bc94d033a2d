//! Attempts to break "nobody gets it twice, nobody is silently missed, what was approved is what is sent" from the outside.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Rule, Script};
use support::campaign::{Campaign, Running};
use support::server::{Server, row_of};

fn refuse(recipient: &str, times: Option<u64>, text: &str) -> Rule {
    let recipient = Some(format!("{recipient}@missions.example"));
    Rule { phase: Phase::Rcpt, connection: None, recipient, times, action: Action::Reply(text.to_owned()) }
}

/// Looks again and again until it is so; a minute is for a machine that is busy with other things.
#[track_caller]
fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < deadline, "never came: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[track_caller]
fn ends_within(running: &mut Running, seconds: u64) {
    let deadline = Instant::now() + Duration::from_secs(seconds);
    while !running.has_ended() {
        assert!(Instant::now() < deadline, "it hangs: {}", running.stderr());
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A server that answers nothing at the end of letter `nth`, and a flag that tells when it is there.
fn stalls_at(nth: u64) -> (Server, Arc<AtomicBool>) {
    let there = Arc::new(AtomicBool::new(false));
    let told = Arc::clone(&there);
    let server = Server::scripted(Script::new(move |cue| {
        if cue.phase == Phase::EndOfData && cue.nth == nth {
            told.store(true, Ordering::SeqCst);
            return Action::Stall;
        }
        Action::Behave
    }));
    (server, there)
}

#[test]
fn a_ledger_of_another_campaign_is_refused_even_if_it_knows_every_row() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let campaign = campaign.set("campaign.id", "\"second-letter\"");
    for command in ["send", "resend"] {
        let run = campaign.run(&[command, "--yes"]);
        assert!(!matches!(run.code, Some(0)), "193 missions would be missed in silence: {run:?}");
        assert!(run.stderr.contains("belongs to the campaign \"open-letter\""), "{}", run.stderr);
    }
}

#[test]
fn an_address_suppressed_after_the_first_letters_went_out_gets_none() {
    let server = Server::scripted(Script::rules(vec![refuse("and", None, "451 4.3.0 later")]));
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes", "--only", "AND"]);
    let second = campaign.read("recipients.csv").lines().nth(1).expect("a row").to_owned();
    assert!(second.contains("afg@missions.example"), "{second}");
    let campaign = campaign.file("suppressed.csv", "address\nafg@missions.example\nand@missions.example\n");
    campaign.run(&["resend", "--yes", "--force"]);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(!server.ids().contains(&"AFG".to_owned()), "{:?}", server.ids());
    assert_eq!(campaign.state("AFG"), "suppressed");
    assert_eq!(campaign.state("AND"), "suppressed");
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn a_row_that_joins_with_refresh_gets_the_new_letter() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Newer text");
    let campaign = campaign.template("letter.en.md", &letter).sample(4);
    campaign.run(&["send", "--yes", "--refresh"]).expect_code(0);
    let letters = server.letters();
    assert_eq!(letters.len(), 4);
    assert!(String::from_utf8_lossy(&letters[3].bytes).contains("Newer text"));
}

#[test]
fn a_row_that_joins_gets_the_letter_that_was_frozen() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Newer text");
    let campaign = campaign.template("letter.en.md", &letter).sample(4);
    campaign.run(&["send", "--yes", "--frozen"]).expect_code(0);
    let letters = server.letters();
    assert_eq!(letters.len(), 4);
    assert!(!String::from_utf8_lossy(&letters[3].bytes).contains("Newer text"));
}

#[test]
fn an_unknown_address_is_held_back_although_an_archive_copy_was_to_go_with_it() {
    let server = Server::scripted(Script::rules(vec![refuse("alb", None, "550 5.1.1 no such user")]));
    let campaign = Campaign::small(server.port(), 3).set("sender.bcc", "[\"archive@coalition.example\"]");
    campaign.run(&["send", "--yes"]).expect_code(1);
    let before = campaign.run(&["log", "ALB", "--json"]).json()["attempts"].clone();
    let run = campaign.run(&["resend", "--yes"]);
    assert!(run.stdout.contains("Held back"), "{}", run.stdout);
    assert!(run.stdout.contains("the server does not know this address: alb@missions.example"), "{}", run.stdout);
    assert_eq!(campaign.run(&["log", "ALB", "--json"]).json()["attempts"], before);
}

#[test]
fn a_mission_whose_copy_was_refused_has_the_letter_on_the_page_and_is_failed_for_scripts() {
    let server = Server::scripted(Script::rules(vec![refuse("desk", None, "550 5.1.1 no such user")]));
    let campaign =
        Campaign::small(server.port(), 0).recipients("state,to,cc\nKenya,ken@missions.example,desk@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(1);
    assert_eq!(campaign.state("KEN"), "failed");
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    let page = campaign.read("report.html");
    for words in [
        "For <a href=\"#missions\"><strong>the one mission</strong></a> a mail server took the letter. A copy to a second address was \
         refused.",
        "For 1 mission the letter was taken, but not every copy",
        ">accepted, copy refused</span>",
        "1 of 2 addresses that were tried was refused",
        // The moment at which it was accepted is known although the delivery as a whole failed.
        "<dt>Taken by mail servers</dt>",
    ] {
        assert!(page.contains(words), "{words}\nin\n{page}");
    }
}

#[test]
fn a_second_signal_aborts_at_once_though_a_letter_is_in_flight() {
    let (server, there) = stalls_at(1);
    let mut campaign = Campaign::small(server.port(), 1).set("smtp.connections", "1");
    let mut running = campaign.spawn(&["send", "--yes"]);
    eventually("the stall", || there.load(Ordering::SeqCst));
    running.signal("INT");
    eventually("the first word", || running.stderr().contains("letters in flight are finished first"));
    running.signal("INT");
    ends_within(&mut running, 10);
    let run = running.wait().expect_code(2);
    assert!(run.stderr.contains("aborted"), "{}", run.stderr);
    assert_eq!(campaign.run(&["resend", "--yes"]).code, Some(2));
    assert_eq!(campaign.state("AFG"), "uncertain");
}

#[test]
fn a_signal_ends_a_wait_for_the_password_command() {
    let server = Server::start();
    let mut campaign = Campaign::small(server.port(), 2)
        .set("smtp.username", "\"me\"")
        .set("smtp.password", "{ command = [\"sh\", \"-c\", \"echo > asked; exec sleep 25 2> /dev/null\"] }");
    let mut running = campaign.spawn(&["send", "--yes"]);
    eventually("the password command", || campaign.path("asked").exists());
    running.signal("TERM");
    ends_within(&mut running, 10);
    running.wait().expect_code(75);
    assert_eq!(campaign.state("AFG"), "queued");
}

#[test]
fn signals_end_every_kind_of_wait() {
    let server = Server::start();
    let mut campaign = Campaign::small(server.port(), 5).set("pace.rate", "\"1/h\"").set("smtp.connections", "3");
    let mut running = campaign.spawn(&["send", "--yes"]);
    server.wait_for(1);
    running.signal("INT");
    ends_within(&mut running, 10);
    running.wait().expect_code(75);

    let mut running = campaign.spawn(&["send", "--yes", "--at", "2190-01-01T00:00:00Z"]);
    eventually("the wait", || running.stderr().contains("Waiting until"));
    running.signal("HUP");
    ends_within(&mut running, 10);
    running.wait().expect_code(75);

    // Days on which it is not: whatever today is, only one of the two is open.
    let today = demarche::clock::now().to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let day = if today.weekday().to_monday_zero_offset() < 3 { "Sat" } else { "Tue" };
    let mut campaign = campaign
        .set("pace.rate", "\"1000/s\"")
        .set("pace.hours", "\"10:00-10:01\"")
        .set("pace.days", &format!("\"{day}\""))
        .set("pace.timezone", "\"Etc/UTC\"");
    let mut running = campaign.spawn(&["send", "--yes"]);
    eventually("the wait", || running.stderr().contains("outside the hours"));
    running.signal("INT");
    ends_within(&mut running, 10);
    running.wait().expect_code(75);
    assert_eq!(server.letters().len(), 1);
}

#[test]
fn a_signal_ends_a_pause_and_a_wait_for_a_new_session() {
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::Mail => Action::Reply("450 4.2.1 too fast".to_owned()),
        _ => Action::Behave,
    }));
    let mut campaign = Campaign::small(server.port(), 5).set("smtp.connections", "3");
    let mut running = campaign.spawn(&["send", "--yes"]);
    eventually("the pause", || running.stderr().contains("asked for a rest"));
    running.signal("INT");
    ends_within(&mut running, 10);
    running.wait().expect_code(75);
    drop(server);
    let mut running = campaign.spawn(&["send", "--yes"]);
    eventually("the loss", || running.stderr().contains("no session with the mail server"));
    running.signal("INT");
    ends_within(&mut running, 10);
    running.wait().expect_code(75);
    assert_eq!(campaign.state("AFG"), "queued");
}

#[test]
fn a_daily_cap_is_used_up_and_not_passed() {
    let server = Server::start();
    let campaign =
        Campaign::small(server.port(), 10).set("pace.rate", "[\"2/s\", \"5/day\"]").set("smtp.connections", "4");
    campaign.run(&["send", "--yes"]).expect_code(75);
    assert_eq!(server.letters().len(), 5);
    let again = campaign.run(&["send", "--yes"]).expect_code(75);
    assert!(again.stderr.contains("the daily limit"), "{}", again.stderr);
    assert_eq!(server.letters().len(), 5);
}

#[test]
fn a_relay_that_loses_every_reply_stops_the_run_before_the_whole_batch_is_uncertain() {
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::EndOfData => Action::AcceptThen(Box::new(Action::Close)),
        _ => Action::Behave,
    }));
    let campaign = Campaign::small(server.port(), 40);
    let run = campaign.run(&["send", "--yes"]);
    assert_eq!(run.code, Some(69), "{}", run.stderr);
    assert!(server.letters().len() < 10, "{} letters whose fate nobody knows", server.letters().len());
}

#[test]
fn a_relay_that_drops_every_session_stops_the_run_even_if_few_letters_are_left() {
    let server = Server::scripted(Script::new(|cue| match cue.phase {
        Phase::Rcpt => Action::Close,
        _ => Action::Behave,
    }));
    let campaign = Campaign::small(server.port(), 2).set("retry.first", "\"300ms\"").set("retry.most", "\"1s\"");
    let campaign = campaign.set("retry.linger", "\"60s\"");
    campaign.run(&["send", "--yes"]).expect_code(69);
}

#[test]
fn resend_prints_nothing_but_json_where_json_was_asked_for() {
    let server = Server::scripted(Script::rules(vec![
        refuse("and", Some(1), "451 4.3.0 later"),
        refuse("alb", None, "550 5.1.1 unknown"),
    ]));
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes", "--json"]).json();
    campaign.run(&["resend", "--dry-run", "--json"]).json();
    campaign.run(&["resend", "--yes", "--json"]).json();
    campaign.run(&["resend", "--yes", "--json"]).json();
}

#[test]
fn an_interrupted_rehearsal_is_no_defect() {
    let server = Server::start();
    let mut campaign = Campaign::small(server.port(), 190);
    let mut running = campaign.spawn(&["rehearse", "-v"]);
    eventually("the first letter", || running.stderr().contains("accepted"));
    running.signal("INT");
    ends_within(&mut running, 20);
    let run = running.wait();
    assert!(!run.stderr.contains("disagree"), "{}", run.stderr);
    assert_eq!(run.code, Some(75), "{}", run.stderr);
}

#[test]
fn send_with_refresh_leaves_failed_rows_to_resend() {
    let server = Server::scripted(Script::rules(vec![refuse("and", Some(1), "550 5.7.1 policy")]));
    let campaign = Campaign::small(server.port(), 5);
    campaign.run(&["send", "--yes", "--limit", "4"]).expect_code(1);
    let corrected = campaign.read("recipients.csv").replace("and@missions.example", "andorra@missions.example");
    let campaign = campaign.recipients(&corrected);
    campaign.run(&["send", "--yes", "--refresh"]).expect_code(1);
    assert_eq!(campaign.state("AND"), "failed");
    assert_eq!(server.letters().len(), 4);
    campaign.run(&["resend", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 5);
}

#[test]
fn resend_and_resolve_say_what_a_run_that_died_left_uncertain() {
    let (server, there) = stalls_at(2);
    let mut campaign = Campaign::small(server.port(), 3).set("smtp.connections", "1");
    let running = campaign.spawn(&["send", "--yes"]);
    eventually("the stall", || there.load(Ordering::SeqCst));
    running.kill();
    let run = campaign.run(&["resend", "--yes"]).expect_code(2);
    assert!(
        run.stderr.contains("while 1 letter was being handed over; nobody can know whether they arrived"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_row_that_is_renamed_does_not_get_a_second_letter() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0)
        .recipients("state,id,to\nKenya,KEN,ken@missions.example\nChad,TCD,tcd@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(0);
    let campaign =
        campaign.recipients("state,id,to\nKenya,kenya,Ken@missions.example\nChad,TCD,tcd@missions.example\n");
    let run = campaign.run(&["send", "--yes"]).expect_code(65);
    assert!(run.stderr.contains("KEN") && run.stderr.contains("kenya"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 2);
}

#[test]
fn a_limit_is_not_spent_on_letters_that_are_not_due() {
    let server = Server::scripted(Script::rules(vec![
        refuse("afg", None, "451 4.3.0 later"),
        refuse("alb", None, "451 4.3.0 later"),
    ]));
    let campaign = Campaign::small(server.port(), 6);
    campaign.run(&["send", "--yes", "--limit", "2"]).expect_code(75);
    campaign.run(&["send", "--yes", "--limit", "2"]).expect_code(0);
    assert_eq!(server.letters().len(), 2);
}

#[test]
fn an_accepted_address_never_gets_it_again_when_the_refused_one_of_its_row_is_corrected() {
    let server = Server::scripted(Script::rules(vec![refuse("second", None, "550 5.1.1 unknown")]));
    let campaign =
        Campaign::small(server.port(), 0).recipients("state,to\nKenya,ken@missions.example; second@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(1);
    let campaign = campaign.recipients("state,to\nKenya,ken@missions.example; third@missions.example\n");
    campaign.run(&["resend", "--yes"]).expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let letters = server.letters();
    let paths: Vec<_> = letters.iter().map(|letter| letter.forward_paths.clone()).collect();
    assert_eq!(paths, [vec!["ken@missions.example".to_owned()], vec!["third@missions.example".to_owned()]]);
    assert_eq!(row_of(&letters[1]), "KEN");
}

#[test]
fn the_summary_names_the_sender_of_the_letters_that_go_out() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let campaign = campaign.set("sender.from", "\"Somebody Else <else@coalition.example>\"");
    let run = campaign.run(&["send", "--yes", "--frozen"]).expect_code(0);
    assert!(run.stderr.contains("From:     Coalition Secretariat"), "{}", run.stderr);
    assert!(server.letters().iter().all(|letter| letter.reverse_path == "letters@coalition.example"));
}

#[test]
fn a_row_is_found_by_its_id_in_any_case() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0).recipients("state,id,to\nKenya,Osg,ken@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(0);
    campaign.run(&["log", "oSG"]).expect_code(0);
    for name in ["Kenya", "kenya", "KEN"] {
        assert!(campaign.run(&["log", name]).expect_code(0).stdout.contains("Kenya (Osg)"), "{name}");
    }
    campaign.run(&["log", "Chad"]).expect_code(64);
}

#[test]
fn an_approval_does_not_cover_somebody_whose_suppression_was_lifted_since() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5).file("suppressed.csv", "afg@missions.example\n");
    let preview = campaign.run(&["preview", "--json"]).expect_code(0).json();
    assert_eq!(preview["letters"].as_array().map(Vec::len), Some(4), "who gets no letter is not shown as one who does");
    let digest = preview["digest"].as_str().expect("a digest").to_owned();
    let lifted = campaign.file("suppressed.csv", "");
    lifted.run(&["send", "--approve", &digest]).expect_code(65);
    assert_eq!(server.letters().len(), 0);
    let again = lifted.file("suppressed.csv", "afg@missions.example\n");
    again.run(&["send", "--approve", &digest]).expect_code(0);
    assert_eq!(server.letters().len(), 4);
}

#[test]
fn a_row_that_left_the_file_is_kept_and_gets_nothing_and_the_rest_can_still_be_approved() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 6);
    campaign.run(&["send", "--yes", "--limit", "2"]).expect_code(0);
    let without: String =
        campaign.read("recipients.csv").split_inclusive('\n').filter(|line| !line.contains("ago@")).collect();
    let campaign = campaign.recipients(&without);
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    let run = campaign.run(&["send", "--approve", &digest]);
    assert!(run.stderr.contains("AGO") && run.stderr.contains("no longer in the file"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 5);
    assert!(!server.ids().contains(&"AGO".to_owned()));
}

#[test]
fn a_refreshed_letter_can_be_approved_after_a_part_was_sent() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 6);
    campaign.run(&["send", "--yes", "--limit", "2"]).expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Better text");
    let campaign = campaign.template("letter.en.md", &letter);
    let digest = campaign.run(&["preview", "--json"]).json()["digest"].as_str().expect("a digest").to_owned();
    let refused = campaign.run(&["send", "--approve", &digest]).expect_code(65);
    assert!(refused.stderr.contains("--refresh"), "{}", refused.stderr);
    campaign.run(&["send", "--approve", &digest, "--refresh"]).expect_code(0);
    let better = server.letters().iter().filter(|l| String::from_utf8_lossy(&l.bytes).contains("Better text")).count();
    assert_eq!((better, server.letters().len()), (4, 6));
}

#[test]
fn an_unknown_address_beside_a_deferred_one_is_not_tried_again() {
    let server = Server::scripted(Script::rules(vec![
        refuse("unknown", None, "550 5.1.1 unknown"),
        refuse("full", Some(1), "452 4.2.2 full"),
    ]));
    let campaign = Campaign::small(server.port(), 0)
        .recipients("state,to\nKenya,unknown@missions.example; full@missions.example\n")
        .set("retry.attempts", "1");
    campaign.run(&["send", "--yes"]);
    campaign.run(&["resend", "--yes"]).expect_code(1);
    let paths: Vec<_> = server.letters().iter().map(|letter| letter.forward_paths.clone()).collect();
    assert_eq!(paths, [vec!["full@missions.example".to_owned()]]);
    let log = campaign.run(&["log", "KEN", "--json"]).json();
    let attempts = log["log"].as_array().expect("attempts");
    let last = attempts.last().expect("an attempt");
    assert_eq!(last["to"].as_array().map(Vec::len), Some(1), "{last}");
}

#[test]
fn a_row_whose_reader_was_replaced_in_the_file_is_held_back() {
    let server = Server::scripted(Script::rules(vec![refuse("second", None, "550 5.1.1 unknown")]));
    let campaign =
        Campaign::small(server.port(), 0).recipients("state,to\nKenya,ken@missions.example; second@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(1);
    let campaign = campaign.recipients("state,to\nKenya,kenya@missions.example; third@missions.example\n");
    let held = campaign.run(&["resend", "--yes"]).expect_code(1);
    assert!(held.stdout.contains("twice"), "{}", held.stdout);
    assert_eq!(server.letters().len(), 1);
}

#[test]
fn a_send_of_chosen_rows_that_have_it_speaks_of_those_rows() {
    let server = Server::scripted(Script::rules(vec![refuse("afg", None, "550 5.1.1 unknown")]));
    let campaign = Campaign::small(server.port(), 4);
    campaign.run(&["send", "--yes"]).expect_code(1);
    campaign.run(&["send", "--yes", "--only", "AND"]).expect_code(0);
}

#[test]
fn a_letter_that_was_corrected_is_not_sent_in_its_old_text_by_the_usual_word() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Better text");
    let campaign = campaign.template("letter.en.md", &letter);
    let refused = campaign.run(&["send", "--yes"]).expect_code(65);
    assert!(refused.stderr.contains("--refresh") && refused.stderr.contains("--frozen"), "{}", refused.stderr);
    assert_eq!(server.letters().len(), 1);
    let preview = campaign.run(&["preview"]).expect_code(0);
    assert!(
        preview.stderr.contains("2 would go now; 1 went out.") && preview.stderr.contains("2 still to go"),
        "{}",
        preview.stderr
    );
    campaign.run(&["send", "--yes", "--refresh"]).expect_code(0);
    let better = server.letters().iter().filter(|l| String::from_utf8_lossy(&l.bytes).contains("Better text")).count();
    assert_eq!((better, server.letters().len()), (2, 3));
}

#[test]
fn a_missing_password_is_told_before_anything_begins() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3)
        .set("smtp.username", "\"letters@coalition.example\"")
        .set("smtp.password", "{ env = \"DEMARCHE_TEST_NO_SUCH\" }");
    let run = campaign.run(&["send", "--yes"]);
    assert!(matches!(run.code, Some(65 | 78)), "{run:?}");
    assert!(run.stderr.contains("export DEMARCHE_TEST_NO_SUCH"), "{}", run.stderr);
    assert!(!campaign.path("ledger.db").exists() && server.letters().is_empty());
}

#[test]
fn a_run_that_waits_for_deferred_letters_says_so() {
    let server = Server::scripted(Script::rules(vec![refuse("afg", Some(1), "451 4.3.0 later")]));
    let campaign = Campaign::small(server.port(), 3).set("retry.first", "\"2s\"").set("retry.linger", "\"10s\"");
    let run = campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(run.stderr.contains("deferred letters are tried again"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn somebody_whose_suppression_is_lifted_after_the_plan_is_named_and_not_silently_missed() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 4).file("suppressed.csv", "afg@missions.example\n");
    campaign.run(&["send", "--yes"]).expect_code(0);
    let run = campaign.file("suppressed.csv", "").run(&["send", "--yes"]).expect_code(0);
    assert!(run.stderr.contains("AFG; they stay suppressed"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 3);
}
