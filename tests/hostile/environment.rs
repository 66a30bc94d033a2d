//! What the program runs in: no terminal, files that are none, settings of the environment.

use insta::assert_snapshot;

use crate::attachments::fifo;
use crate::support::campaign::Campaign;
use crate::support::server::Server;
use crate::{campaign, check, read_by_a_person};

#[test]
fn without_a_terminal_and_without_a_word_nothing_is_sent() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 2).stdin("send\n");
    let asked = campaign.run(&["send"]).expect_code(64);
    let told = read_by_a_person(&campaign, &asked);
    assert_snapshot!(told.split_once("error").expect("an error").1, @r#"
    : there is no terminal to ask on, and no --yes or --approve DIGEST
     |
     = help: look at `demarche preview`, then pass --approve with the digest that it prints
    "#);
    campaign.run(&["--no-input", "send"]).expect_code(64);
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn a_fifo_or_a_device_in_place_of_a_file_is_refused_and_not_waited_for() {
    for name in ["recipients.csv", "suppressed.csv", "templates/letter.en.md", "config.toml"] {
        let campaign = Campaign::small(2525, 2);
        let _ = std::fs::remove_file(campaign.path(name));
        fifo(&campaign, name);
        let told = check(&campaign);
        assert!(told.contains("not a") && !told.starts_with("exit 0"), "{name}: {told}");
        let campaign = Campaign::small(2525, 2);
        let _ = std::fs::remove_file(campaign.path(name));
        std::os::unix::fs::symlink("/dev/zero", campaign.path(name)).expect("our own folder");
        let told = check(&campaign);
        assert!(told.contains("error") && !told.starts_with("exit 0"), "{name}: {told}");
    }
}

#[test]
fn a_password_without_end_is_refused_and_not_read_to_its_end() {
    let server = Server::start();
    for source in ["{ file = \"/dev/zero\" }", "{ command = [\"cat\", \"/dev/zero\"] }"] {
        let campaign = Campaign::small(server.port(), 1)
            .set("smtp.username", "\"letters@coalition.example\"")
            .set("smtp.password", source);
        let run = campaign.run(&["send", "--yes"]).expect_code(69);
        assert!(run.stderr.contains("longer than"), "{}", run.stderr);
    }
    assert_eq!(server.letters().len(), 0);
}

#[test]
fn the_logs_of_libraries_stay_shut_whatever_the_environment_says() {
    let server = Server::start();
    let quiet = Campaign::small(server.port(), 1).run(&["send", "--yes"]).expect_code(0);
    let campaign = Campaign::small(server.port(), 1)
        .env("RUST_LOG", "trace")
        .env("RUST_LOG_STYLE", "always")
        .env("RUST_BACKTRACE", "full");
    let run = campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(run.stderr, quiet.stderr);
}

#[test]
fn a_folder_for_the_preview_that_is_somebody_elses_is_left_alone() {
    let campaign = Campaign::small(2525, 2).file("mine/notes.txt", "mine");
    let run = campaign.run(&["preview", "--out", "mine"]).expect_code(73);
    assert_snapshot!(read_by_a_person(&campaign, &run), @r#"
    exit 73
    error: "mine" holds files that no preview made, so nothing was written: name a new or empty folder
    "#);
    assert_eq!(campaign.read("mine/notes.txt"), "mine");
}

#[test]
fn a_report_that_cannot_be_written_is_an_error() {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 1);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let run = campaign.run(&["report", "--html", "missing/report.html"]).expect_code(73);
    assert_snapshot!(read_by_a_person(&campaign, &run), @r#"
    exit 73
    error: missing/report.html cannot be written: No such file or directory (os error 2)
    "#);
}

#[test]
fn before_anything_was_sent_every_look_at_the_ledger_says_so() {
    let campaign = campaign().recipients("state,to\nKenya,ken@missions.example\n");
    let looks: [&[&str]; 5] = [
        &["status"],
        &["log"],
        &["report", "--json"],
        &["resend", "--yes"],
        &["resolve", "KEN", "--sent", "--note", "x"],
    ];
    let told = looks.map(|look| format!("== {}: {}", look[0], read_by_a_person(&campaign, &campaign.run(look))));
    assert_snapshot!(told.concat(), @r#"
    == status: exit 74
    error: there is no ledger at FOLDER/ledger.db: nothing was sent from here yet, or `ledger.file` names another place
    == log: exit 74
    error: there is no ledger at FOLDER/ledger.db: nothing was sent from here yet, or `ledger.file` names another place
    == report: exit 74
    error: there is no ledger at FOLDER/ledger.db: nothing was sent from here yet, or `ledger.file` names another place
    == resend: exit 74
    error: there is no ledger at FOLDER/ledger.db: nothing was sent from here yet, or `ledger.file` names another place
    == resolve: exit 74
    error: there is no ledger at FOLDER/ledger.db: nothing was sent from here yet, or `ledger.file` names another place
    "#);
}
