//! All 193 letters through a real relay: Postfix with STARTTLS and login, and a second reader's opinion of what arrived.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use support::campaign::Campaign;
use support::postfix::{Postfix, PostfixOptions};
use support::python::inspect;

/// The shipped sample: its letter, its layout, its recipients, its settings but for the relay and the pace.
fn sample(relay: &Postfix) -> Campaign {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shipped = |name: &str| fs::read_to_string(root.join(name)).expect("the sample ships");
    let example: toml::Table = shipped("config.example.toml").parse().expect("the example is TOML");
    let mut config: toml::Table =
        Campaign::new().config_for_postfix(relay).read("config.toml").parse().expect("the config is TOML");
    for section in ["campaign", "vars", "sender", "recipients", "letter"] {
        config.insert(section.to_owned(), example[section].clone());
    }
    Campaign::new()
        .config_for_postfix(relay)
        .config(&config.to_string())
        .recipients(&shipped("recipients.csv"))
        .template("letter.en.md", &shipped("templates/letter.en.md"))
        .template("layout.html", &shipped("templates/layout.html"))
}

/// The words of a text, markup and layout aside.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// The words of an HTML body that a person sees.
fn seen(html: &str) -> Vec<String> {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let mut text = String::new();
    let mut inside = true;
    for c in body.chars() {
        match c {
            '<' => inside = true,
            '>' => {
                inside = false;
                text.push(' ');
            }
            c if !inside => text.push(c),
            _ => {}
        }
    }
    words(&text.replace("&amp;", "&").replace("&#39;", "'").replace("&quot;", "\"").replace("&#x27;", "'"))
}

#[test]
fn all_193_letters_reach_a_real_relay_intact_and_a_second_send_sends_nothing() {
    if !support::real_servers_or_skip("sending all 193 letters through a real relay") {
        return;
    }
    let relay = Postfix::start(&PostfixOptions::default());
    let campaign = sample(&relay);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(relay.wait_for(193).len(), 193);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(relay.letters().len(), 193, "a second send sends nothing");

    let status = campaign.run(&["status", "--json"]).expect_code(0).json();
    assert_eq!(status["counts"]["accepted"], 193);
    let letters = inspect(&relay.maildir());
    let recipients: BTreeSet<_> = letters.iter().filter_map(|letter| letter.original_to.clone()).collect();
    assert_eq!(recipients.len(), 193);
    let by_delivery: BTreeMap<_, _> =
        letters.iter().map(|letter| (letter.delivery.clone().expect("a delivery"), letter)).collect();
    for state in demarche::domain::state::all().iter().filter(|state| state.member) {
        let id = state.code.as_str();
        let letter = by_delivery[&format!("wps-open-letter-2021/{id}")];
        assert_eq!(letter.defects, Vec::<String>::new(), "{id}");
        assert!(letter.longest_line <= 998, "{id}");
        assert_eq!(letter.to, [format!("{}@missions.example", id.to_lowercase())]);
        assert_eq!(letter.from, ["Coalition Secretariat <letters@coalition.example>"]);
        assert_eq!(letter.reply_to, ["advocacy@coalition.example"]);
        assert_eq!(letter.content_language.as_deref(), Some("en"));
        let running = state.column("running_en");
        assert!(letter.subject.as_deref().is_some_and(|subject| subject.contains(running)), "{:?}", letter.subject);
        let (text, html) = (letter.text("text/plain").expect("text"), letter.text("text/html").expect("HTML"));
        assert!(
            words(text).windows(words(running).len()).any(|w| w == words(running)),
            "{id}: the text names {running}"
        );
        let (text, html) = (words(text), seen(html));
        let missing: Vec<_> =
            text.iter().filter(|word| !word.chars().all(char::is_numeric) && !html.contains(word)).collect();
        assert!(missing.is_empty(), "{id}: the HTML lacks {missing:?}");
        let in_text: BTreeSet<_> = text.iter().collect();
        let only_html: Vec<_> = html.iter().filter(|word| !in_text.contains(word)).collect();
        // The letterhead stands in the HTML alone.
        assert!(only_html.len() < 12, "{id}: the text lacks {only_html:?}");
    }
}

#[test]
fn what_a_real_relay_refuses_is_named_and_sent_again_alone() {
    if !support::real_servers_or_skip("being refused by a real relay during a send") {
        return;
    }
    let reject = [
        ("ken@missions.example", "550 5.1.1 No such mailbox"),
        ("tcd@missions.example", "450 4.2.0 Greylisted, come back later"),
    ];
    let relay = Postfix::start(&PostfixOptions { reject: &reject, ..PostfixOptions::default() });
    let campaign = sample(&relay);
    campaign.run(&["send", "--yes"]).expect_code(1);
    assert_eq!(relay.wait_for(191).len(), 191);
    let status = campaign.run(&["status"]).expect_code(1);
    assert!(status.stdout.contains("No such mailbox") && status.stdout.contains("Greylisted"), "{}", status.stdout);

    let corrected = campaign.read("recipients.csv").replace("ken@missions.example", "kenya@missions.example");
    let campaign = campaign.recipients(&corrected);
    campaign.run(&["resend", "--yes", "--only", "KEN"]).expect_code(0);
    assert_eq!(relay.wait_for(192).len(), 192);
    let log = campaign.run(&["log", "KEN"]).expect_code(0);
    assert!(log.stdout.contains("kenya@missions.example") && log.stdout.contains("5.1.1"), "{}", log.stdout);
}

#[test]
fn a_wrong_password_stops_the_run_and_is_never_shown() {
    if !support::real_servers_or_skip("a wrong password at a real relay") {
        return;
    }
    let relay = Postfix::start(&PostfixOptions::default());
    let campaign = sample(&relay).env("DEMARCHE_TEST_PASSWORD", "canary-8d1f");
    let run = campaign.run(&["-vv", "send", "--yes"]).expect_code(69);
    assert!(run.stderr.contains("535"), "{}", run.stderr);
    let told = format!("{}{}", run.stdout, run.stderr);
    // As it is, and as AUTH PLAIN and AUTH LOGIN write it.
    for secret in ["canary-8d1f", "Y2FuYXJ5LThkMW"] {
        assert!(!told.contains(secret), "{told}");
        let ledger = fs::read(campaign.path("ledger.db")).expect("a ledger");
        assert!(!ledger.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    assert_eq!(relay.letters().len(), 0);
}
