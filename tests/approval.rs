//! Approval from the outside: who may say so, what it covers, and what is said when the batch is another one since.

mod support;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Rule, Script};
use support::campaign::{Campaign, Run};
use support::server::Server;

fn digest(campaign: &Campaign) -> String {
    campaign.run(&["preview", "--json"]).expect_code(0).json()["digest"].as_str().expect("a digest").to_owned()
}

fn approve(campaign: &Campaign, digest: &str, by: &str) -> Run {
    campaign.run(&["approve", digest, "--by", by, "--note", "read all six languages"])
}

#[test]
fn a_batch_that_needs_two_approvals_goes_out_with_two_people_and_not_with_one() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5).set("campaign.approvals", "2");
    let digest = digest(&campaign);
    let refused = campaign.run(&["send", "--yes"]).expect_code(65);
    assert!(
        refused.stderr.contains("asks for 2 people to approve exactly this batch, and nobody did"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains(&format!("demarche approve {digest}")), "{}", refused.stderr);

    let one = approve(&campaign, &digest, "The Chair").expect_code(0);
    assert!(one.stdout.contains("by The Chair (1 of 2 needed)"), "{}", one.stdout);
    assert!(one.stdout.contains("once one more person approved it"), "{}", one.stdout);
    let same = approve(&campaign, &digest, "  the  chair ").expect_code(0);
    assert!(same.stdout.contains("already; nothing more was recorded"), "{}", same.stdout);
    for arguments in [&["send", "--yes"][..], &["send", "--approve", &digest]] {
        let refused = campaign.run(arguments).expect_code(65);
        assert!(refused.stderr.contains("and The Chair did; nothing was sent"), "{}", refused.stderr);
    }
    assert_eq!(server.letters().len(), 0);

    approve(&campaign, &digest, "The Secretariat").expect_code(0);
    let sent = campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(sent.stderr.contains("Approved:  by The Chair, The Secretariat (2 of 2 needed)"), "{}", sent.stderr);
    assert_eq!(server.letters().len(), 5);
    let json = campaign.run(&["status", "--json"]).expect_code(0).json();
    let run = &json["runs"][0];
    assert_eq!((&run["digest"], &run["confirmed"], &run["command"]), (&json["digest"], &"yes".into(), &"send".into()));
    let by: Vec<_> = run["approvals"].as_array().expect("a list").iter().map(|one| one["by"].clone()).collect();
    assert_eq!(by, ["The Chair", "The Secretariat"]);
}

#[test]
fn the_record_says_of_each_run_what_was_confirmed_how_and_that_nobody_had_approved_it_by_then() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3).env("USER", "desk");
    let digest = digest(&campaign);
    let sent = campaign.run(&["send", "--approve", &digest]).expect_code(0);
    assert!(sent.stderr.contains(&format!("Digest:   {digest}")), "{}", sent.stderr);
    let run = campaign.run(&["status", "--json"]).json()["runs"][0].clone();
    assert_eq!(
        (&run["digest"], &run["confirmed"], &run["by"]),
        (&digest.as_str().into(), &"approve".into(), &"desk".into())
    );
    let time = |key: &str| run[key].as_str().and_then(|text| text.parse::<jiff::Timestamp>().ok()).expect("a time");
    assert!(run["host"].is_string() && time("confirmed_at") <= time("started_at"), "{run}");

    approve(&campaign, &digest, "The Chair").expect_code(0);
    for command in ["status", "log"] {
        let said = campaign.run(&[command]).expect_code(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(said.contains("NOT approved before it began; only afterwards, by The Chair"), "{said}");
    }
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    let page = campaign.read("report.html");
    assert!(page.contains("Not everything was approved before it went out:</strong> round 1 was not."), "{page}");
}

#[test]
fn a_resend_is_approved_by_those_who_approved_each_of_its_letters_in_whatever_batch() {
    let rule = |who: &str, text: &str| Rule {
        phase: Phase::Rcpt,
        connection: None,
        recipient: Some(format!("{who}@missions.example")),
        times: None,
        action: Action::Reply(text.to_owned()),
    };
    let server = Server::scripted(Script::rules(vec![rule("afg", "550 5.1.1 no such user")]));
    let campaign = Campaign::small(server.port(), 3);
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(1);
    let rows = campaign.read("recipients.csv").replace("afg@missions.example", "kabul@missions.example");
    let campaign = campaign.recipients(&rows);
    let corrected = digest(&campaign);
    approve(&campaign, &corrected, "The Secretariat").expect_code(0);
    let run = campaign.run(&["resend", "--yes"]).expect_code(0);
    assert!(run.stderr.contains(&format!("Digest:   {corrected}")), "{}", run.stderr);
    assert!(run.stderr.contains("Approved: each of these letters (The Secretariat)"), "{}", run.stderr);
    let runs = campaign.run(&["status", "--json"]).json()["runs"].clone();
    assert_eq!((&runs[1]["command"], &runs[1]["digest"]), (&"resend".into(), &corrected.as_str().into()));
    assert_eq!(
        (&runs[0]["approvals"][0]["by"], &runs[1]["approvals"][0]["by"]),
        (&"The Chair".into(), &"The Secretariat".into())
    );
    campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(0);
    campaign.run(&["report", "--verify", "evidence.zip"]).expect_code(0);
}

#[test]
fn an_approval_covers_the_very_digest_and_no_letter_changed_since() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 4).set("campaign.approvals", "1");
    let before = digest(&campaign);
    approve(&campaign, &before, "The Chair").expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text for", "Other words for");
    let rows = campaign.read("recipients.csv").replace("afg@missions.example", "kabul@missions.example");
    let campaign = campaign.template("letter.en.md", &letter).recipients(&rows);
    let refused = campaign.run(&["send", "--yes"]).expect_code(65);
    assert!(
        refused.stderr.contains("not as it is now; another batch was, by The Chair; 0 of 1 needed"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("- Text for Afghanistan."), "{}", refused.stderr);
    assert!(refused.stderr.contains("+ Other words for Afghanistan."), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("AFG: to kabul@missions.example (was afg@missions.example); text"),
        "{}",
        refused.stderr
    );
    let stale = approve(&campaign, &before, "The Secretariat").expect_code(65);
    assert!(
        stale.stderr.contains("another batch than the one to be approved; nothing was recorded"),
        "{}",
        stale.stderr
    );
    assert_eq!(server.letters().len(), 0);

    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 4);
}

#[test]
fn what_changed_since_an_approval_is_listed_letter_by_letter() {
    let campaign = Campaign::small(2525, 5);
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    let same = campaign.run(&["approve", "--list"]).expect_code(0);
    assert!(same.stdout.contains("Nothing has changed since the last approval."), "{}", same.stdout);

    let rows = campaign.read("recipients.csv");
    let rows: Vec<&str> = rows.lines().filter(|line| !line.contains("alb@missions.example")).collect();
    let rows = rows.join("\n").replace("dza@missions.example", "alger@missions.example");
    let campaign = campaign.recipients(&format!("{rows}\n")).file("annex.txt", "an annex");
    let json = campaign.run(&["approve", "--list", "--json"]).expect_code(0).json();
    assert_eq!(json["since_approval"]["left"], serde_json::json!(["ALB"]));
    assert_eq!(json["since_approval"]["joined"], serde_json::json!([]));
    assert_eq!(
        json["since_approval"]["changed"],
        serde_json::json!([{ "id": "DZA", "lines": [], "what": ["to alger@missions.example (was dza@missions.example)"] }])
    );

    let campaign = campaign.set("letter.attachments", "[\"annex.txt\"]");
    let listed = campaign.run(&["approve", "--list"]).expect_code(0);
    assert!(listed.stdout.contains("attachments: annex.txt (were none)"), "{}", listed.stdout);
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    let campaign = campaign.file("annex.txt", "another annex");
    let listed = campaign.run(&["approve", "--list"]).expect_code(0);
    assert!(listed.stdout.contains("AFG, AGO, AND, DZA: the content of annex.txt"), "{}", listed.stdout);
}

#[test]
fn a_withdrawn_approval_does_not_count_and_stays_on_record() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3).set("campaign.approvals", "1");
    let digest = digest(&campaign);
    approve(&campaign, &digest, "The Chair").expect_code(0);
    campaign.run(&["approve", "--withdraw", "--by", "Somebody Else"]).expect_code(64);
    campaign.run(&["approve", "--withdraw", "--by", "the chair", "--note", "a name is wrong"]).expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(65);
    let listed = campaign.run(&["approve", "--list"]).expect_code(0);
    assert!(listed.stdout.contains("WITHDRAWN") && listed.stdout.contains("a name is wrong"), "{}", listed.stdout);
    approve(&campaign, &digest, "The Chair").expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn an_approval_before_the_first_send_freezes_nothing() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    let status = campaign.run(&["status"]).expect_code(0);
    assert!(status.stdout.contains("No letter was planned or sent yet."), "{}", status.stdout);
    assert!(status.stdout.contains("The Chair"), "{}", status.stdout);
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Newer text");
    let campaign = campaign.template("letter.en.md", &letter);
    let sent = campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(sent.stderr.contains("changed since:\n  AFG"), "{}", sent.stderr);
    assert!(sent.stderr.contains("\n      + Newer text for Afghanistan.\n"), "{}", sent.stderr);
    assert!(!sent.stderr.contains("\\u{a}"), "{}", sent.stderr);
    assert!(server.letters().iter().all(|letter| String::from_utf8_lossy(&letter.bytes).contains("Newer text")));
    let json = campaign.run(&["status", "--json"]).json();
    assert_eq!(json["approvals"][0]["by"], "The Chair");
}

#[test]
fn a_corrected_address_needs_approval_before_it_is_resent_and_an_uncorrected_letter_does_not() {
    let rule = |who: &str, times, text: &str| Rule {
        phase: Phase::Rcpt,
        connection: None,
        recipient: Some(format!("{who}@missions.example")),
        times,
        action: Action::Reply(text.to_owned()),
    };
    let server = Server::scripted(Script::rules(vec![
        rule("afg", None, "550 5.1.1 no such user"),
        rule("and", Some(1), "451 4.3.0 later"),
    ]));
    let campaign = Campaign::small(server.port(), 5).set("campaign.approvals", "1");
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(1);
    campaign.run(&["resend", "--yes", "--only", "AND"]).expect_code(0);
    assert_eq!(server.letters().len(), 4);
    let rows = campaign.read("recipients.csv").replace("afg@missions.example", "kabul@missions.example");
    let campaign = campaign.recipients(&rows);
    let refused = campaign.run(&["resend", "--yes"]).expect_code(65);
    assert!(
        refused.stderr.contains("approve every letter as it goes out, and these were not: AFG"),
        "{}",
        refused.stderr
    );
    assert_eq!(server.letters().len(), 4);
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    campaign.run(&["resend", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 5);
}

#[test]
fn who_approves_is_told_and_never_guessed_in_silence() {
    let campaign = Campaign::small(2525, 3);
    let digest = digest(&campaign);
    let nobody = campaign.run(&["approve", &digest]).expect_code(64);
    assert!(nobody.stderr.contains("--by NAME"), "{}", nobody.stderr);
    let campaign = campaign.env("USER", "desk");
    let told = campaign.run(&["approve", &digest]).expect_code(0);
    assert!(told.stderr.contains("the name on record is \"desk\", that of this account"), "{}", told.stderr);
    let asks = campaign.run(&["approve", "--by", "The Chair"]).expect_code(64);
    assert!(asks.stderr.contains(&format!("demarche approve {digest} --by NAME")), "{}", asks.stderr);
    campaign.run(&["approve", "abc", "--by", "x"]).expect_code(64);
    let wrong = campaign.set("campaign.approvals", "-1").run(&["approve", "--list"]).expect_code(78);
    assert!(wrong.stderr.contains("campaign.approvals must be from 0 to 20"), "{}", wrong.stderr);
}

#[test]
fn check_and_preview_say_where_the_approval_stands() {
    let campaign = Campaign::small(2525, 3);
    assert!(!campaign.run(&["check"]).expect_code(0).stdout.contains("Approved"));
    let campaign = campaign.set("campaign.approvals", "2");
    assert!(campaign.run(&["check"]).expect_code(0).stdout.contains("Approved:  by nobody (0 of 2 needed)"));
    assert!(!campaign.path("ledger.db").exists(), "a look makes no ledger");
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    assert!(campaign.run(&["check"]).stdout.contains("Approved:  by The Chair (1 of 2 needed)"));
    let preview = campaign.run(&["preview"]);
    assert!(preview.stderr.contains("Approved: by The Chair (1 of 2 needed)"));
    assert_eq!(campaign.run(&["check", "--json"]).json()["approvals"]["by"][0], "The Chair");
}

/// A page with what is out of sight in its commands.
fn whole(page: &str) -> String {
    page.replace("<span class=\"middle\">", "").replace("</span>", "")
}

#[test]
fn a_preview_asks_for_the_approvals_that_are_missing_before_it_names_the_command_that_sends() {
    let campaign = Campaign::small(2525, 3);
    let without = campaign.run(&["preview"]).expect_code(0).stdout;
    assert!(
        without.contains("Then send exactly these, and nothing that changed since, with\n    demarche send --approve "),
        "{without}"
    );
    assert!(!without.contains("demarche approve") && !campaign.read("preview/index.html").contains("demarche approve"));

    let campaign = campaign.set("campaign.approvals", "2");
    let digest = digest(&campaign);
    let asks = format!("demarche approve {digest} --by NAME --note TEXT");
    let sends = format!("demarche send --approve {digest}");
    let told = |so_far: &str| {
        let screen = campaign.run(&["preview"]).expect_code(0).stdout;
        let page = whole(&campaign.read("preview/index.html"));
        for (text, so_far, then) in [
            (&screen, format!("{so_far}; each who approves runs"), "once both have"),
            (&page, format!("<b>{so_far}</b>"), "After both approvals"),
        ] {
            let at = |what: &str| text.find(what).unwrap_or_else(|| panic!("{what} not in:\n{text}"));
            assert!(at(&so_far) < at(&asks) && at(&asks) < at(then) && at(then) < at(&sends));
        }
    };
    told("0 of 2 approvals so far");
    approve(&campaign, &digest, "The Chair").expect_code(0);
    told("1 of 2 approvals so far (The Chair)");
    approve(&campaign, &digest, "The Secretariat").expect_code(0);
    let screen = campaign.run(&["preview"]).expect_code(0).stdout;
    assert!(screen.contains(&format!("changed since, with\n    {sends}\n")) && !screen.contains(&asks), "{screen}");
    let page = whole(&campaign.read("preview/index.html"));
    assert!(page.contains("Approved by The Chair, The Secretariat (2 of 2 needed)") && !page.contains(&asks));
    let json = campaign.run(&["preview", "--json"]).expect_code(0).json();
    assert_eq!(json["approvals"]["by"], serde_json::json!(["The Chair", "The Secretariat"]));
}

#[test]
fn a_resend_whose_letters_were_approved_by_different_people_counts_them_all_and_one_that_nobody_approved_counts_for_none()
 {
    let refused = |who: &str| Rule {
        phase: Phase::Rcpt,
        connection: None,
        recipient: Some(format!("{who}@missions.example")),
        times: None,
        action: Action::Reply("550 5.1.1 no such user".to_owned()),
    };
    let server = Server::scripted(Script::rules(vec![refused("afg"), refused("alb"), refused("dza")]));
    let campaign = Campaign::small(server.port(), 3);
    campaign.run(&["send", "--yes"]).expect_code(1);
    let correct = |campaign: Campaign, old: &str, new: &str| {
        let rows = campaign.read("recipients.csv").replace(&format!("{old}@missions"), &format!("{new}@missions"));
        campaign.recipients(&rows)
    };
    let campaign = correct(campaign, "afg", "kabul");
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    campaign.run(&["approve", "--withdraw", "--by", "The Chair"]).expect_code(0);
    let campaign = correct(campaign, "kabul", "kabul2");
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    let campaign = correct(correct(campaign, "kabul2", "kabul3"), "alb", "tirana");
    approve(&campaign, &digest(&campaign), "The Secretariat").expect_code(0);
    let campaign = correct(correct(campaign, "kabul3", "kabul2"), "dza", "alger");

    // Of Algeria's letter nobody knows: then nobody approved what goes out.
    let looked = campaign.run(&["resend", "--no-input"]);
    assert!(looked.stderr.contains("Approved: not every one of these letters as it is"), "{}", looked.stderr);
    let run = campaign.run(&["resend", "--yes", "--only", "AFG,ALB"]).expect_code(0);
    assert!(run.stderr.contains("Approved: each of these letters (The Chair, The Secretariat)"), "{}", run.stderr);
    let said = campaign.run(&["log", "AFG"]).expect_code(0).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let words =
        "each of its letters approved before it began, in this batch or another, by The Chair and The Secretariat";
    assert!(said.contains(words), "{said}");
    campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(0);
    campaign.run(&["report", "--verify", "evidence.zip"]).expect_code(0);
}

#[test]
fn of_a_frozen_campaign_whose_letter_was_corrected_every_digest_says_what_it_is_of() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 5);
    let first = digest(&campaign);
    approve(&campaign, &first, "The Chair").expect_code(0);
    campaign.run(&["send", "--yes", "--limit", "2"]).expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text for", "Other words for");
    let campaign = campaign.template("letter.en.md", &letter);
    let files = digest(&campaign);

    let refused = campaign.run(&["send", "--approve", &files]).expect_code(65).stderr;
    let digests = [
        format!("approved:      {files}"),
        format!("would be sent: {first} (frozen)"),
        format!("in the files:  {files}"),
    ];
    assert!(digests.iter().all(|line| refused.contains(line)) && refused.contains("pass --refresh too"), "{refused}");
    let wrong = files.replacen(&files[..1], if files.starts_with('0') { "1" } else { "0" }, 1);
    let refused = campaign.run(&["send", "--approve", &wrong]).expect_code(65).stderr;
    assert!(refused.contains("or a digit of it is wrong") && !refused.contains("--refresh"), "{refused}");
    let refused = campaign.run(&["send", "--approve", &first]).expect_code(65).stderr;
    assert!(refused.contains("that of the frozen letters: pass --frozen too"), "{refused}");
    let asked = campaign.run(&["send", "--frozen"]).expect_code(64).stderr;
    assert!(asked.contains("Approved:  by The Chair"), "{asked}");
    assert!(asked.contains("the files are no longer what was approved; what would go out is."), "{asked}");
    assert_eq!(server.letters().len(), 2);

    let approved = approve(&campaign, &files, "The Chair").expect_code(0).stdout;
    let command = format!("    demarche send --approve {files} --refresh\n");
    assert!(approved.contains(&command), "{approved}");
    assert!(campaign.run(&["preview"]).expect_code(0).stdout.contains(&command));
    campaign.run(&["send", "--frozen", "--approve", &first, "--limit", "1"]).expect_code(0);
    assert!(String::from_utf8_lossy(&server.letters()[2].bytes).contains("Text for"));
    campaign.run(&["send", "--approve", &files, "--refresh"]).expect_code(0);
    assert!(String::from_utf8_lossy(&server.letters()[4].bytes).contains("Other words for"));
}

#[test]
fn everybody_who_approved_an_earlier_batch_is_named() {
    let campaign = Campaign::small(2525, 3);
    let before = digest(&campaign);
    approve(&campaign, &before, "The Chair").expect_code(0);
    approve(&campaign, &before, "The Secretariat").expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text", "Newer text");
    let listed = campaign.template("letter.en.md", &letter).run(&["approve", "--list"]).expect_code(0).stdout;
    assert!(listed.contains("not as it is now; another batch was, by The Chair, The Secretariat\n"), "{listed}");
}

/// Two runs, each with a batch that two people had approved: a corrected letter, and somebody who opted out since.
#[test]
fn what_went_out_is_told_as_approved_before_its_run_though_no_batch_on_record_was_approved_as_a_whole() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 8)
        .set("campaign.approvals", "2")
        .set("recipients.audience", "\"member-states\"");
    let first = digest(&campaign);
    for by in ["The Chair", "Carol"] {
        approve(&campaign, &first, by).expect_code(0);
    }
    campaign.run(&["send", "--yes", "--limit", "3"]).expect_code(0);
    let letter = campaign.read("templates/letter.en.md").replace("Text for", "A better text for");
    let campaign = campaign.template("letter.en.md", &letter);
    let second = digest(&campaign);
    for by in ["The Chair", "Carol"] {
        approve(&campaign, &second, by).expect_code(0);
    }
    campaign.run(&["send", "--yes", "--refresh", "--limit", "4"]).expect_code(0);
    // The eighth opts out.
    let campaign = campaign.file("suppressed.csv", "address\narm@missions.example\n");
    let refused = campaign.run(&["send", "--yes"]);
    assert!(!refused.stderr.contains("left the batch"), "{}", refused.stderr);

    let status = campaign.run(&["status"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    let told = format!(
        "every letter that went out was approved before its run: 3 as {first}, 4 as {second}, by The Chair and Carol"
    );
    assert!(status.contains(&told), "{told}\n{status}");
    assert!(status.contains("of what is on record now: a letter keeps the text that it went out with"), "{status}");
    assert!(
        status.contains("Coverage: 7 of 193 have the letter; 1 left out on purpose (Armenia); 185 without a row"),
        "{status}"
    );

    let pack = campaign.run(&["report", "--pack", "evidence.zip"]).expect_code(0).stdout;
    let manifest =
        pack.lines().find_map(|line| line.strip_prefix("manifest: ")).expect("the manifest's digest").to_owned();
    let verdict = campaign.run(&["report", "--verify", "evidence.zip"]).expect_code(0).stdout;
    assert!(verdict.contains(&format!(", what is on record now; {told}\n")), "{verdict}");
    assert!(!verdict.contains("approved by nobody"), "{verdict}");
    campaign.run(&["report", "--verify", "evidence.zip", "--expect", &manifest]).expect_code(0);
    for (other, what) in [(&first, "of the batch of run 1"), (&second, "of the batch of run 2")] {
        let run = campaign.run(&["report", "--verify", "evidence.zip", "--expect", other]).expect_code(64);
        assert!(run.stderr.contains(&format!("that is the digest {what}, not the manifest's")), "{}", run.stderr);
        assert!(!run.stdout.contains("NOT in order"), "{}", run.stdout);
    }
    let unknown = campaign.run(&["report", "--verify", "evidence.zip", "--expect", &"0".repeat(64)]).expect_code(65);
    assert!(unknown.stdout.contains("MANIFEST.sha256: is not the one that was expected"), "{}", unknown.stdout);
}

#[test]
fn who_opts_out_makes_another_batch_and_it_is_said_that_every_other_letter_is_as_it_was_approved() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 4).set("campaign.approvals", "1");
    let all = digest(&campaign);
    approve(&campaign, &all, "The Chair").expect_code(0);
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let campaign = campaign.file("suppressed.csv", "address\nand@missions.example\n");
    let refused = campaign.run(&["send", "--yes"]).expect_code(65).stderr;
    let said = refused.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("1 row now suppressed: AND Every other letter is as it was approved."), "{refused}");
    assert_eq!(server.letters().len(), 1);
    approve(&campaign, &digest(&campaign), "The Chair").expect_code(0);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn a_ledger_without_letters_has_no_digest_to_show() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 4);
    campaign.run(&["send", "--no-input"]).expect_code(64);
    let status = campaign.run(&["status"]).expect_code(0).stdout;
    assert!(status.contains("No letter was planned") && !status.contains("digest"), "{status}");
}
