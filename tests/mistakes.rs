//! Ten mistakes at once: all are reported, each at its place, and nothing is sent. The real program, as a person runs it.

mod support;

use support::campaign::Campaign;
use support::server::Server;

/// Each problem of `check --json` as `file:line code`.
fn problems(campaign: &Campaign, code: i32) -> Vec<String> {
    let report = campaign.run(&["check", "--json"]).expect_code(code).json();
    let errors = report["errors"].as_array().expect("errors");
    errors
        .iter()
        .map(|e| format!("{}:{} {}", e["file"].as_str().unwrap_or("-"), e["line"], e["code"].as_str().expect("a code")))
        .collect()
}

const CONFIG: &str = r#"[campaign]
id = "open letter!"
name = "An open letter"
event = { name = "the debate", at = "2031-10-21T10:00" }

[sender]
form = "letters@coalition.example"

[recipients]
file = "/etc/recipients.csv"
audience = "members"

[smtp]
host = "127.0.0.1"
port = 70000
security = "ssl"

[pace]
rate = "0/min"
hours = "18:00-09:00"

[retry]
attempts = 0
"#;

#[test]
fn a_config_with_ten_mistakes_reports_all_ten_each_at_its_line() {
    let campaign = Campaign::new().config(CONFIG).letter().sample(3);
    let found = problems(&campaign, 78);
    for line in [2, 4, 7, 10, 11, 15, 16, 19, 20, 23] {
        let place = format!("config.toml:{line} ");
        assert!(found.iter().any(|problem| problem.starts_with(&place)), "no problem at line {line} in {found:#?}");
    }
    let shown = campaign.run(&["check"]).expect_code(78).stderr;
    for drawn in ["config.toml:19:8", "^^^^^^^", "help:", "nothing was sent"] {
        assert!(shown.contains(drawn), "{drawn} is not in\n{shown}");
    }
}

const RECIPIENTS: &str = "state,to,language,rank,gender,verified_on,id
Kenya,ken@missions,en,,,,
Atlantis,atl@missions.example,en,,,,ATL
Korea,kor@missions.example,en,,,,KR1
Chad,,en,,,,
Peru,per @missions.example,en,,,,
Fiji,fji@missions.example,xx,,,,
Mali,mli@missions.example,en,king,,,
Oman,omn@missions.example,en,,q,,
Togo,tgo@missions.example,en,,,yesterday,
Cuba,cub@missions.example,en
Niue,niu@missions.example,en,,,,a b
";

#[test]
fn a_recipients_file_with_ten_mistakes_reports_all_of_them_and_nothing_is_sent() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 0).recipients(RECIPIENTS);
    let found = problems(&campaign, 65);
    for line in 2..=12 {
        let place = format!("recipients.csv:{line} ");
        assert!(found.iter().any(|problem| problem.starts_with(&place)), "no problem at line {line} in {found:#?}");
    }
    let run = campaign.run(&["send", "--yes"]).expect_code(65);
    assert!(run.stderr.contains("nothing was sent"), "{}", run.stderr);
    assert_eq!(server.letters().len(), 0);
    assert!(!campaign.path("ledger.db").exists(), "a batch with errors leaves no ledger");
}

#[test]
fn mistakes_in_config_recipients_and_templates_are_reported_in_one_run() {
    let campaign = Campaign::small(2525, 0)
        .set("pace.rate", "\"0/min\"")
        .recipients("state,to\nKenya,nobody\nChad,tcd@missions.example\n")
        .template("letter.en.md", "+++\nsubject = \"{{ state.nmae }}\"\n+++\n\n{{ vars.missing }}\n");
    let shown = campaign.run(&["check"]).expect_code(78).stderr;
    for place in ["config.toml:", "recipients.csv:2", "templates/letter.en.md:2", "templates/letter.en.md:5"] {
        assert!(shown.contains(place), "{place} is not in\n{shown}");
    }
}

#[test]
fn placeholder_addresses_are_refused_by_send_unless_the_relay_is_this_machine() {
    let campaign =
        Campaign::small(465, 3).set("smtp.host", "\"mail.coalition.example\"").set("smtp.security", "\"tls\"");
    let run = campaign.run(&["send", "--yes"]);
    assert!(matches!(run.code, Some(65 | 78)), "{run:?}");
    assert!(run.stderr.contains("placeholder"), "{}", run.stderr);
}
