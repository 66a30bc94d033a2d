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

#[test]
fn a_file_that_is_not_where_it_is_looked_for_is_found_nearby() {
    let campaign = Campaign::small(2525, 3);
    let moved = |from: &str, to: &str| std::fs::rename(campaign.path(from), campaign.path(to)).expect("it is there");
    moved("recipients.csv", "Missions 2021.csv");
    let list = campaign.run(&["check"]).expect_code(65).stderr;
    assert!(list.contains("the folder has Missions 2021.csv: name it under [recipients]"), "{list}");
    moved("Missions 2021.csv", "recipients.csv");
    moved("config.toml", "confg.toml");
    let config = campaign.run(&["check"]).expect_code(78).stderr;
    assert!(config.contains("confg.toml looks like one: rename it to config.toml, or pass --config"), "{config}");
    std::fs::create_dir(campaign.path("letter")).expect("a folder");
    moved("confg.toml", "letter/config.toml");
    let folder = campaign.run(&["status"]).expect_code(78).stderr;
    assert!(folder.contains("the campaign folder may be letter: go there with cd"), "{folder}");
    let nowhere = campaign.run(&["--config", "no/config.toml", "check"]).expect_code(78).stderr;
    assert!(nowhere.contains("there is no folder no"), "{nowhere}");
}

#[test]
fn what_an_office_program_leaves_in_the_folder_is_pointed_out() {
    let campaign = Campaign::small(2525, 3)
        .file(".~lock.recipients.csv#", ",somebody,")
        .file("templates/letter.fr.docx", b"PK\x03\x04")
        .file("templates/~$tter.fr.docx", b"x");
    let told = campaign.run(&["check"]).expect_code(0).stderr;
    assert!(told.contains("recipients.csv is open in a spreadsheet program: what is not saved"), "{told}");
    assert!(told.contains("templates/letter.fr.docx is not read: it is a document of an office program"), "{told}");
    assert!(!told.contains("~$tter"), "{told}");
    let named = campaign.set("recipients.file", "\"~$recipients.xlsx\"").run(&["check"]).expect_code(78).stderr;
    assert!(named.contains("names the file that Office keeps beside one that is open"), "{named}");
    let word = Campaign::small(2525, 3).file("templates/letter.en.md", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1");
    let told = word.run(&["check"]).expect_code(65).stderr;
    assert!(told.contains("letter.en.md is a document of an office program, whatever its name says"), "{told}");
}

#[test]
fn a_file_in_place_of_a_command_is_told_what_it_is_for() {
    let campaign = Campaign::new();
    let list = campaign.run(&["recipients.csv"]).expect_code(64).stderr;
    assert!(list.contains("demarche init DIR --from recipients.csv"), "{list}");
    let config = campaign.run(&["open-letter/config.toml"]).expect_code(64).stderr;
    assert!(config.contains("demarche --config open-letter/config.toml check"), "{config}");
    let cut = campaign.run(&["approve", "4b4b4b"]).expect_code(64).stderr;
    assert!(cut.contains("this one has 6: it was cut"), "{cut}");
}

#[test]
fn a_section_that_was_pasted_below_is_one_mistake_that_names_both_places() {
    let config = Campaign::small(2525, 3).read("config.toml");
    let twice = format!("{config}\n[smtp]\nhost = \"127.0.0.1\"\nport = 2525\nsecurity = \"none\"\n");
    let line = |text: &str, nth: usize| {
        1 + text.lines().enumerate().filter(|(_, line)| *line == "[smtp]").nth(nth).expect("it is there").0
    };
    let (first, second) = (line(&twice, 0), line(&twice, 1));
    let campaign = Campaign::small(2525, 3).config(&twice);
    assert_eq!(problems(&campaign, 78), [format!("config.toml:{second} table-twice")]);
    let told = campaign.run(&["check"]).expect_code(78).stderr;
    assert!(told.contains(&format!("[smtp] stands twice, in line {first} and in line {second}")), "{told}");
    assert!(told.contains("take out the second [smtp] with its lines"), "{told}");
}

#[test]
fn a_comma_for_a_dot_in_an_address_is_guessed() {
    let campaign = Campaign::small(2525, 0).recipients(
        "state,to,language\nKEN,ken@missions.example,en\nPER,per@missions,example,en\nTCD,a@b.example,en,x\n",
    );
    let told = campaign.run(&["check"]).expect_code(65).stderr;
    assert!(
        told.contains("did you mean per@missions.example? \"per@missions,example\" has a comma for a dot"),
        "{told}"
    );
    assert!(told.contains("put a cell that holds the separator into quotes"), "{told}");
}

#[test]
fn a_login_that_was_left_in_for_a_server_on_this_machine_is_a_mistake_of_the_config() {
    let campaign = Campaign::small(2525, 3)
        .set("smtp.username", "\"a@coalition.example\"")
        .set("smtp.password", "{ env = \"DEMARCHE_TEST_NO_SUCH\" }");
    let told = campaign.run(&["send", "--yes"]).expect_code(78).stderr;
    assert!(told.contains("a server on this machine needs none: take username and password out of [smtp]"), "{told}");
    let remote = campaign.set("smtp.host", "\"smtp.coalition.test\"").set("smtp.security", "\"tls\"");
    let told = remote.run(&["check"]).stderr;
    assert!(!told.contains("take username and password out"), "{told}");
}

#[test]
fn a_text_without_quotes_is_told_by_its_key_and_never_by_its_value() {
    let config = Campaign::small(2525, 3).read("config.toml");
    for (key, written, value) in
        [("host", "host = \"127.0.0.1\"", "127.0.0.1"), ("password", "security = \"none\"", "hunter2")]
    {
        let damaged = config.replace(written, &format!("{key} = {value}"));
        let told = Campaign::small(2525, 3).config(&damaged).run(&["check"]).expect_code(78).stderr;
        assert!(told.contains("this is not TOML: a text stands in quotes"), "{told}");
        assert!(told.contains(&format!("write {key} = \"…\"")) && !told.contains("hunter2"), "{told}");
    }
}

#[test]
fn several_campaign_folders_are_all_named() {
    let folder = Campaign::new().file("one/config.toml", "[campaign]\n").file("two/config.toml", "[campaign]\n");
    let told = folder.run(&["check"]).expect_code(78).stderr;
    assert!(told.contains("several campaign folders are here: one, two. Go into the one you mean with cd"), "{told}");
}
