//! What the program runs in: no terminal, files that are none, ledgers that cannot be used, a clock that jumps, settings of
//! the environment.

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
    assert_snapshot!(told.split_once("error").expect("an error").1, @"
    : there is no terminal to ask on, and no word was given beforehand; nothing was sent
     = help: look at `demarche preview`, then pass --approve with the digest that it prints; or --yes, if you know what goes out
    ");
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
    assert_snapshot!(told.concat(), @"
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
    ");
}

/// What a person reads of `send` where half of the batch went out already and `spoil` did something to the ledger.
fn spoilt(name: &str, spoil: impl Fn(&Campaign)) -> String {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 4);
    campaign.run(&["send", "--yes", "--limit", "2"]).expect_code(0);
    spoil(&campaign);
    let run = campaign.run(&["send", "--yes"]);
    assert_eq!(server.letters().len(), 2, "{name}: nothing more is sent");
    format!("== {name}: {}", read_by_a_person(&campaign, &run))
}

#[test]
fn every_ledger_that_cannot_be_used_is_told_with_what_to_do() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    let ledger = |campaign: &Campaign| campaign.path("ledger.db");
    let write = |campaign: &Campaign, bytes: &[u8]| fs::write(ledger(campaign), bytes).expect("our own file");
    let told = [
        spoilt("read-only", |campaign| {
            fs::set_permissions(ledger(campaign), fs::Permissions::from_mode(0o444)).expect("our own file");
        }),
        spoilt("a symlink", |campaign| {
            fs::rename(ledger(campaign), campaign.path("other.db")).expect("our own file");
            std::os::unix::fs::symlink("other.db", ledger(campaign)).expect("our own folder");
        }),
        spoilt("not ours", |campaign| write(campaign, &b"name,address\n".repeat(100))),
        spoilt("corrupt", |campaign| {
            let mut bytes = fs::read(ledger(campaign)).expect("the ledger");
            bytes[8192..8256].fill(0xa5);
            write(campaign, &bytes);
        }),
        spoilt("truncated", |campaign| {
            let bytes = fs::read(ledger(campaign)).expect("the ledger");
            write(campaign, &bytes[..8192]);
        }),
        spoilt("empty", |campaign| write(campaign, b"")),
        spoilt("newer", |campaign| {
            let database = rusqlite::Connection::open(ledger(campaign)).expect("the ledger");
            database.pragma_update(None, "user_version", 99).expect("a newer version");
        }),
        spoilt("another campaign's", |campaign| {
            let config = campaign.read("config.toml").replace("\"open-letter\"", "\"another-letter\"");
            fs::write(campaign.path("config.toml"), config).expect("our own file");
        }),
    ];
    let known = |text: String| {
        let version = format!("knows {}", version_of_this_program());
        text.replace(&version, "knows VERSION")
    };
    assert_snapshot!(known(told.concat()), @r#"
    == read-only: exit 74
    error: FOLDER/ledger.db cannot be written: make it, and the folder it is in, writable for you
    == a symlink: exit 74
    error: FOLDER/ledger.db is a symbolic link, and nothing is written through one: put the file itself there, or name another place in `ledger.file`
    == not ours: exit 74
    error: FOLDER/ledger.db is not a ledger of demarche, and was left as it is: name another file in `ledger.file`, or move this one away
    == corrupt: exit 74
    error: the ledger is damaged (Tree 3 page 3: btreeInitPage() returns error code 11), and was left as it is: restore a copy of it before you send anything more
    == truncated: exit 74
    error: the ledger is damaged (database disk image is malformed), and was left as it is: restore a copy of it before you send anything more
    == empty: exit 74
    error: FOLDER/ledger.db is empty; if it was a ledger, what was in it is lost: restore a copy of it before you send anything more; if nothing was ever sent from here, remove it
    == newer: exit 74
    error: the ledger was written by a newer demarche (its version is 99, this program knows VERSION): use the newer program
    == another campaign's: exit 74
    error: this ledger belongs to the campaign "open-letter", not to "another-letter": name another file in `ledger.file`
    "#);
}

/// The version of the ledgers that this program writes.
fn version_of_this_program() -> i64 {
    let server = Server::start();
    let campaign = Campaign::small(server.port(), 1);
    campaign.run(&["send", "--yes"]).expect_code(0);
    let database = rusqlite::Connection::open(campaign.path("ledger.db")).expect("the ledger");
    database.pragma_query_value(None, "user_version", |row| row.get(0)).expect("a number")
}

#[test]
fn a_clock_that_jumps_lets_no_row_go_early_and_loses_none() {
    use demarche::domain::outcome::Phase;
    use demarche::postbox::{Action, Rule, Script};
    /// Ten years.
    const JUMP: i64 = 10 * 365 * 86_400 * 1000;
    for (jump, sent_by_send) in [(JUMP, false), (-JUMP, true)] {
        let later = Rule {
            phase: Phase::Rcpt,
            connection: None,
            recipient: Some("alb@missions.example".to_owned()),
            times: Some(1),
            action: Action::Reply("451 4.7.1 greylisted".to_owned()),
        };
        let server = Server::scripted(Script::rules(vec![later]));
        let campaign = Campaign::small(server.port(), 3);
        campaign.run(&["send", "--yes"]).expect_code(75);
        assert_eq!(server.ids(), ["AFG", "DZA"]);
        // A clock that goes back by ten years, seen from the ledger, puts everything in it ten years ahead; and the other
        // way round.
        let database = rusqlite::Connection::open(campaign.path("ledger.db")).expect("the ledger");
        for change in [
            "UPDATE deliveries SET not_before = not_before + ?1 WHERE state = 'deferred'",
            "UPDATE attempts SET claimed_at = claimed_at + ?1, intent_at = intent_at + ?1, settled_at = settled_at + ?1",
            "UPDATE runs SET started_at = started_at + ?1, ended_at = ended_at + ?1",
        ] {
            database.execute(change, [jump]).expect("our own file");
        }
        drop(database);
        let run = campaign.run(&["send", "--yes"]);
        if sent_by_send {
            assert_eq!(run.code, Some(0), "{run:?}");
        } else {
            assert_eq!(run.code, Some(75), "{run:?}");
            assert_eq!(server.ids(), ["AFG", "DZA"], "not before its time");
            campaign.run(&["status"]).expect_code(75);
            campaign.run(&["resend", "--yes"]).expect_code(0);
        }
        assert_eq!(server.ids(), ["AFG", "ALB", "DZA"], "and not lost: once");
        campaign.run(&["send", "--yes"]).expect_code(0);
        assert_eq!(server.letters().len(), 3);
    }
}
