//! `preview` as it is run: samples, what was approved before, and the command that it names.

mod support;

use std::time::Duration;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Rule, Script};
use serde_json::{Value, json};
use support::campaign::Campaign;
use support::server::Server;
use support::supervised::poll;

/// A page with what is out of sight in its commands.
fn whole(page: &str) -> String {
    page.replace("<span class=\"middle\">", "").replace("</span>", "")
}

fn ids(json: &Value) -> Vec<&str> {
    json["letters"].as_array().expect("letters").iter().filter_map(|letter| letter["id"].as_str()).collect()
}

#[test]
fn a_sample_shows_each_kind_of_letter_and_keeps_the_digest_of_all() {
    let campaign = Campaign::small(2525, 30)
        .file("annex.pdf", "%PDF-1.4\n")
        .template("letter.fr.md", "+++\nsubject = \"Lettre\"\n+++\n\n{{ salutation() }}\n\nTexte.\n");
    let csv = campaign.read("recipients.csv");
    let rows: Vec<String> = csv
        .lines()
        .skip(1)
        .map(|line| {
            let cells: Vec<&str> = line.split(',').collect();
            let (language, rank, annex) = match cells[0] {
                "Benin" => ("fr", "", ""),
                "Bhutan" => ("", "vacant", ""),
                "Belize" | "Austria" => ("", "", "annex.pdf"),
                _ => ("", "", ""),
            };
            format!("{},{},{language},{rank},{annex}", cells[0], cells[1])
        })
        .collect();
    let campaign = campaign.recipients(&format!("state,to,language,rank,attachment\n{}\n", rows.join("\n")));
    let whole = campaign.run(&["preview", "--json"]).expect_code(0).json();
    let sample = campaign.run(&["preview", "--sample", "10", "--json"]).expect_code(0).json();
    assert_eq!(sample["digest"], whole["digest"]);
    assert_eq!((ids(&whole).len(), ids(&sample).len()), (30, 10));
    for id in ["BEN", "BTN", "BLZ", "AUT"] {
        assert!(ids(&sample).contains(&id), "{id}: {sample}");
    }
    let index = campaign.read("preview/index.html");
    assert!(index.contains("10 of them; the digest below stands for all 30"), "{index}");
    assert!(index.contains("nothing, every letter is the same to the byte"), "what is not shown is compared too");
    let small = campaign.run(&["preview", "--sample", "2"]).expect_code(0);
    assert!(small.stderr.contains("not in the sample: --sample"), "{}", small.stderr);
    assert!(small.stdout.contains("2 of 30 letters"), "{}", small.stdout);
    campaign.run(&["preview", "--sample", "0"]).expect_code(64);
}

#[test]
fn a_preview_tells_what_changed_since_the_campaign_began_and_who_has_the_letter() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 4);
    campaign.run(&["send", "--yes", "--limit", "1"]).expect_code(0);
    let csv = campaign.read("recipients.csv").replace("alb@", "new.alb@");
    let csv = csv.lines().filter(|line| !line.starts_with("Andorra")).collect::<Vec<_>>().join("\n");
    let campaign = campaign.recipients(&format!("{csv}\nKenya,ken@missions.example,,,,\n"));
    let shown = campaign.run(&["preview", "--json"]).expect_code(0).json();
    let standing = |id: &str| {
        let letters = shown["letters"].as_array().expect("letters");
        letters.iter().find(|letter| letter["id"] == id).expect("shown")["since_approval"].clone()
    };
    assert_eq!([standing("AFG"), standing("ALB"), standing("KEN")], [json!("same"), json!("changed"), json!("new")]);
    let index = campaign.read("preview/index.html");
    for said in [
        "<b>1 letter changed</b>; <b>1 letter is new</b> (<a",
        "<b>1 not there any more</b> (Andorra)",
        "<li>address in <a href=\"letters/ALB.html\"",
    ] {
        assert!(index.contains(said), "{said} not in {index}");
    }
    assert!(index.contains("1 letter of those shown went out already"), "{index}");
    let commands = whole(&index);
    assert!(commands.contains(shown["command"].as_str().expect("a command")) && index.contains(" --refresh</code>"));
    let letter = campaign.read("preview/letters/ALB.html");
    let aloud = letter.replace("<span class=\"unseen\">", "").replace("</span>", "");
    let address = "<del>[was: alb@missions.example]</del> <ins>[now: new.alb@missions.example]</ins>";
    assert!(aloud.contains(address), "{letter}");
    assert!(campaign.read("preview/letters/AFG.html").contains("went out already: it is not sent again"));
}

#[test]
fn a_preview_after_a_part_went_out_begins_with_what_would_go_now() {
    let rule = Rule {
        phase: Phase::Rcpt,
        connection: None,
        recipient: Some("afg@missions.example".to_owned()),
        times: None,
        action: Action::Reply("550 5.1.1 no such user".to_owned()),
    };
    let server = Server::scripted(Script::rules(vec![rule]));
    let campaign = Campaign::small(server.port(), 6);
    assert!(!campaign.run(&["preview"]).expect_code(0).stderr.contains("would go now"));
    assert!(!campaign.read("preview/index.html").contains("would go now"));
    campaign.run(&["send", "--yes", "--limit", "3"]);
    let told = campaign.run(&["preview"]).expect_code(0).stderr;
    assert!(told.starts_with("3 would go now; 2 went out; 1 failed (for `demarche resend`).\n"), "{told}");
    let index = campaign.read("preview/index.html");
    let said = "3 would go now; 2 went out; 1 failed (for <code>demarche resend</code>)";
    let at = |what: &str| index.find(what).unwrap_or_else(|| panic!("{what} not in:\n{index}"));
    assert!(at(said) < at("<dt>Letters</dt>"));
}

#[test]
fn the_command_that_a_preview_names_sends_what_it_shows() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 3);
    // A config of another name has to stand in the command, and a name that a shell would take apart in quotes.
    let config = campaign.read("config.toml");
    let campaign = campaign.file("the campaign's.toml", config);
    let shown = campaign.run(&["--config", "the campaign's.toml", "preview", "--json"]).expect_code(0).json();
    let command = shown["command"].as_str().expect("a command");
    let program = campaign.path("demarche");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_demarche"), program).expect("free");
    let status = std::process::Command::new("sh")
        .args(["-c", &format!("PATH=.:$PATH; {command} --no-input")])
        .current_dir(campaign.path("."))
        .status();
    assert!(status.expect("sh starts").success(), "{command}");
    assert_eq!(server.letters().len(), 3);
}

#[test]
fn a_preview_that_is_broken_off_says_so_and_the_next_one_is_whole() {
    let rows: Vec<String> = (0..3_000).map(|n| format!("row-{n},office-{n}@missions.example")).collect();
    let mut campaign = Campaign::small(2525, 0)
        .template("letter.en.md", "+++\nsubject = \"To {{ row.id }}\"\n+++\n\nText\n")
        .recipients(&format!("id,to\n{}\n", rows.join("\n")));
    campaign.run(&["preview", "--only", "row-1", "--out", "preview"]).expect_code(0);
    assert!(campaign.read("preview/index.html").contains("demarche send --approve"));
    let mut running = campaign.spawn(&["preview"]);
    let letters = campaign.path("preview/letters");
    let begun = || std::fs::read_dir(&letters).is_ok_and(|found| found.count() > 20).then_some(());
    assert!(poll(Duration::from_secs(60), begun).is_some(), "it writes as it goes");
    running.signal("STOP");
    assert!(!running.has_ended());
    let index = campaign.read("preview/index.html");
    assert!(index.contains("This preview is not finished") && !index.contains("--approve"), "{index}");
    let second = campaign.run(&["preview"]).expect_code(73);
    assert!(second.stderr.contains("another `demarche preview` is writing into"), "{}", second.stderr);
    running.signal("KILL");
    running.wait();
    assert!(campaign.read("preview/index.html").contains("This preview is not finished"));
    campaign.run(&["preview", "--only", "row-7", "--out", "preview"]).expect_code(0);
    assert!(campaign.read("preview/index.html").contains("demarche send --approve"));
    let left: Vec<_> =
        std::fs::read_dir(&letters).expect("a folder").map(|it| it.expect("a file").file_name()).collect();
    assert_eq!(left, ["row-7.html"], "nothing of the one that was broken off");
}

#[test]
fn what_goes_with_the_letters_opens_from_the_preview_and_a_new_version_is_told() {
    let campaign = Campaign::small(2525, 3)
        .set("letter.attachments", "[\"papers/annex.pdf\", \"page.html\"]")
        .file("papers/annex.pdf", "%PDF-1.4 one\n")
        .file("page.html", "<script>alert(1)</script>");
    campaign.run(&["preview"]).expect_code(0);
    let kept = |campaign: &Campaign| {
        let found = std::fs::read_dir(campaign.path("preview/files")).expect("a folder");
        let mut texts: Vec<_> =
            found.map(|it| std::fs::read_to_string(it.expect("a file").path()).expect("text")).collect();
        texts.sort();
        texts
    };
    assert_eq!(kept(&campaign), ["%PDF-1.4 one\n"], "one file, once, and no page that runs scripts");
    let letter = campaign.read("preview/letters/AFG.html");
    assert!(letter.contains("<a href=\"../files/annex-") && letter.contains("<li><bdi>page.html</bdi> "), "{letter}");
    let campaign = campaign.file("papers/annex.pdf", "%PDF-1.4 two\n");
    campaign.run(&["preview"]).expect_code(0);
    assert_eq!(kept(&campaign), ["%PDF-1.4 one\n", "%PDF-1.4 two\n"], "with the former version");
    let index = campaign.read("preview/index.html");
    assert!(
        index.contains("<b>3 letters changed</b>.") && index.contains("<li>In all 3 letters: the content of <a href"),
        "{index}"
    );
}

#[test]
fn a_remark_names_the_mission_and_not_the_line_of_a_file_that_the_reader_does_not_have() {
    let campaign = Campaign::small(2525, 0).letter().recipients(
        "state,to,verified_on\nKenya,ken@missions.example,2019-01-01\nNorway,ken@missions.example,\nFrance,fra@missions.example,2019-02-01\n",
    );
    campaign.run(&["preview"]).expect_code(0);
    let index = campaign.read("preview/index.html");
    let remarks =
        index.split("<h3 id=\"remarks\">").nth(1).and_then(|rest| rest.split("</ul>").next()).expect("remarks");
    for said in [
        "more than 60 days ago: <a href=\"letters/KEN.html\">Kenya</a> (2019-01-01, ",
        " days ago) and <a href=\"letters/FRA.html\">France</a> (2019-02-01, ",
        "<a href=\"letters/KEN.html\">Kenya</a> and <a href=\"letters/NOR.html\">Norway</a> have the same address, \
         ken@missions.example: both letters go there. Is one a copying mistake?",
    ] {
        assert!(remarks.contains(said), "{said} not in {remarks}");
    }
    assert!(!remarks.contains("line"), "{remarks}");
    // Each mission that it is about has it too, and in its own words.
    let says = |id: &str| campaign.read(&format!("preview/letters/{id}.html"));
    let shared = |other: &str| {
        format!(
            "This letter goes to ken@missions.example, which the list has for {other} too: two different letters go to it."
        )
    };
    assert!(says("KEN").contains(&shared("Norway")) && says("NOR").contains(&shared("Kenya")), "{}", says("KEN"));
    assert!(says("FRA").contains("The address was last verified on 2019-02-01, more than 60 days ago."));
    assert_eq!(index.matches("data-marks=\"warned").count(), 3, "all three are found by \"with remarks\"");
}

#[test]
fn a_preview_of_one_letter_leaves_that_of_all_alone_and_says_that_the_digest_is_of_all() {
    let campaign = Campaign::small(2525, 5);
    let all = campaign.run(&["preview"]).expect_code(0).stdout;
    assert!(!all.contains("stand for all"), "{all}");
    let one = campaign.run(&["preview", "--only", "AND"]).expect_code(0).stdout;
    let said =
        "The digest and the command below stand for all 5 letters, of which these are 1.\nThen send exactly these";
    assert!(one.contains(" 1 of 5 letters\n"), "{one}");
    assert!(one.contains(said) && one.contains("preview-only/index.html"), "{one}");
    assert_eq!(one.lines().last(), all.lines().last(), "one digest");
    assert!(campaign.path("preview/AFG.eml").exists() && campaign.path("preview-only/AND.eml").exists());
    assert!(!campaign.path("preview-only/AFG.eml").exists());
}
