//! The page of a campaign that had a history, made by the real program from a real ledger: two rounds and a correction between
//! them, an approval for each version, a letter that nobody can know about and a person's word on it, an address of two missions.

mod support;

use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Rule, Script};
use support::campaign::Campaign;
use support::server::Server;

const ROWS: &str = "state,to,language
Benin,ben@missions.example,fr
Chad,tcd@missions.example,fr
Fiji,fji@missions.example,
Ireland,ury@missions.example,
Uruguay,ury@missions.example,
";

/// The page without its tags; times without what differs from run to run.
fn read(campaign: &Campaign) -> String {
    let page = campaign.read("report.html");
    let body = page.split_once("<main>").expect("a body").1;
    let mut text = String::new();
    for part in body.split('<') {
        text.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    text.replace('\u{a0}', " ").replace("&lt;", "<").replace("&gt;", ">")
}

fn approve(campaign: &Campaign, by: &str) {
    let preview = campaign.run(&["preview", "--json"]).expect_code(0).json();
    campaign.run(&["approve", preview["digest"].as_str().expect("a digest"), "--by", by]).expect_code(0);
}

fn when(phase: Phase, who: &str, action: Action) -> Rule {
    Rule { phase, connection: None, recipient: Some(format!("{who}@missions.example")), times: None, action }
}

/// Benin uncertain, Chad's mailbox full, Fiji's address unknown until it is corrected; then the second round.
fn story() -> (Server, Campaign) {
    let server = Server::scripted(Script::rules(vec![
        when(Phase::EndOfData, "ben", Action::AcceptThen(Box::new(Action::Close))),
        when(Phase::Rcpt, "tcd", Action::Reply("452 4.2.2 over quota".to_owned())),
        when(Phase::Rcpt, "fji", Action::Reply("550 5.1.1 unknown".to_owned())),
    ]));
    let french = "+++\nsubject = \"Lettre ouverte\"\n+++\n\n{{ salutation() }}\n\nTexte.\n";
    let campaign = Campaign::small(server.port(), 0)
        .set("recipients.audience", "[\"african-group\", \"asia-pacific-group\", \"weog\", \"grulac\"]")
        .set("campaign.approvals", "1")
        .template("letter.fr.md", french)
        .recipients(ROWS);
    approve(&campaign, "The Chair");
    campaign.run(&["send", "--yes", "--limit", "2"]);
    campaign.run(&["send", "--yes"]);
    campaign.run(&["resolve", "BEN", "--sent", "--by", "Officer", "--note", "ref 12"]).expect_code(0);
    let campaign = campaign.recipients(&ROWS.replace("fji@", "registry.fji@"));
    approve(&campaign, "The Chair");
    campaign.run(&["resend", "--yes"]);
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    (server, campaign)
}

#[test]
fn the_page_tells_each_try_each_version_and_each_round_as_the_ledger_has_them() {
    let (_server, campaign) = story();
    assert_eq!((campaign.state("BEN"), campaign.state("FJI")), ("accepted".to_owned(), "accepted".to_owned()));
    let page = read(&campaign);
    for words in [
        // The lead claims no more than is known.
        "a mail server took the letter; for 1 more a person confirms that it arrived.",
        "Of these, 2 share the address with another mission: check whose it is.",
        "1 address stands for two missions",
        "ury@missions.example — Ireland, Uruguay",
        // Rounds.
        "in 3 rounds: the first ended after 2 of 5 letters (the record does not say why); the second went on with the other 3; the third tried 2 again (Chad, Fiji).",
        "No letter was sent again after a server had taken it.",
        "7 tries at 5 letters: Chad and Fiji were tried twice, and every one of these tries is in it. What a person confirmed afterwards is no try: Benin stands in it by what its tries came to.",
        // Approvals, version by version.
        "Everything that went out was approved before the round that sent it began.",
        "Version 1, sent in rounds 1, 2: The Chair (",
        "Version 2, sent in round 3: The Chair (",
        "since version 1: Fiji: address",
        "Officer recorded that it arrived: “ref 12”",
        "2 in French, to Benin, Chad",
    ] {
        assert!(page.contains(words), "{words}\nin\n{page}");
    }
}

#[test]
fn a_mission_that_was_tried_more_than_once_shows_every_try_in_the_order_of_time() {
    let (_server, campaign) = story();
    let page = read(&campaign);
    let every = page.split_once("In the servers’ words").expect("every mission").1;
    let of = |name: &str, next: &str| {
        let rest = &every[every.find(name).unwrap_or_else(|| panic!("no {name}"))..];
        rest[..rest.find(next).unwrap_or(rest.len())].to_owned()
    };
    let in_order = |text: &str, words: &[&str]| {
        let mut rest = text;
        for word in words {
            rest = rest.split_once(word).unwrap_or_else(|| panic!("no {word} in its place in\n{text}")).1;
        }
    };
    let fiji = of("Fiji", "Ireland");
    in_order(
        &fiji,
        &["fji@missions.example", "refused", "550 5.1.1 unknown", "registry.fji@missions.example", "accepted", "250"],
    );
    let chad = of("Chad", "Comoros");
    in_order(&chad, &["put off", "over quota", "put off", "over quota"]);
    assert_eq!(chad.matches("put off").count(), 3, "at its head, and at each try: {chad}");
    let benin = of("Benin", "Botswana");
    in_order(
        &benin,
        &["ben@missions.example", "uncertain", "ben@missions.example", "on a person’s word", "Officer recorded"],
    );
    assert_eq!(of("Uruguay", "\n").matches("accepted").count(), 1);
}

#[test]
fn a_letter_whose_address_changed_counts_among_those_that_go_with_another_enclosure_too() {
    let server = Server::scripted(Script::rules(Vec::new()));
    let campaign = Campaign::small(server.port(), 3)
        .set("campaign.approvals", "1")
        .set("letter.attachments", "[\"signatories.pdf\"]")
        .file("signatories.pdf", "%PDF-1.4 old");
    approve(&campaign, "The Chair");
    let rows = campaign.read("recipients.csv");
    let (_, address) = rows.lines().nth(1).and_then(|row| row.split_once(',')).expect("a row");
    let address = address.split(',').next().expect("an address");
    let campaign = campaign
        .recipients(&rows.replacen(address, &format!("new-{address}"), 1))
        .file("signatories.pdf", "%PDF-1.4 another one");
    approve(&campaign, "The Chair");
    campaign.run(&["send", "--yes"]).expect_code(0);
    campaign.run(&["report", "--html", "report.html"]).expect_code(0);
    let page = read(&campaign);
    let since = page.split_once("since version 1: signatories.pdf; ").expect("what changed").1;
    let (rows, others) = since.split_once(": address; ").expect("the row");
    let others = others.split_once(": text or enclosures").expect("the enclosure").0;
    assert_eq!((rows.split(", ").count(), others.split(", ").count()), (1, 3), "{since}");
    assert!(others.contains(rows), "{others}");
}
