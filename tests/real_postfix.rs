//! A real relay takes our letters: Postfix with STARTTLS and login, and Python's opinion of what arrived.

mod support;

use std::fs;
use std::path::Path;
use std::time::Duration;

use support::postfix::{Postfix, PostfixOptions};
use support::python::{Submission, Submitted, inspect, submit};
use support::supervised::{Supervised, poll, processes_of};

const GOOD: &str = "From: Coalition Secretariat <letters@coalition.example>\r
To: =?utf-8?q?Mission_de_la_C=C3=B4te_d=27Ivoire?= <civ@missions.example>\r
Subject: =?utf-8?q?Lettre_ouverte_=C3=A0_tous?=\r
Date: Wed, 20 Oct 2021 10:00:00 -0400\r
Message-ID: <1.civ@coalition.example>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r
Content-Language: fr\r
X-Demarche-Delivery: open-letter/CIV\r
\r
=C3=80 l'attention de la Mission.\r
";

/// A part that never ends, twice a subject, an address that is none, no date.
const BAD: &str = "From: letters@coalition.example\r
To: civ@@missions.example\r
Subject: One\r
Subject: Two\r
MIME-Version: 1.0\r
Content-Type: multipart/alternative; boundary=\"edge\"\r
\r
--edge\r
Content-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: base64\r
\r
YWJj!A\n\
";

fn order<'a>(relay: &'a Postfix, recipients: &[&'a str]) -> Submission<'a> {
    let letter =
        |recipient| Submitted { sender: "letters@coalition.example", recipients: vec![recipient], message: GOOD };
    Submission {
        port: relay.port(),
        ca_file: relay.ca_file(),
        username: relay.username(),
        password: relay.password(),
        letters: recipients.iter().copied().map(letter).collect(),
    }
}

#[test]
fn letters_handed_over_with_starttls_and_login_land_in_the_maildir_unharmed() {
    if !support::real_servers_or_skip("handing letters to a real relay") {
        return;
    }
    let relay = Postfix::start(&PostfixOptions::default());
    let said = submit(&order(&relay, &["civ@missions.example", "ken@missions.example"]));
    assert_eq!(said.login.code, 235);
    assert_eq!(said.letters.iter().map(|reply| reply.code).collect::<Vec<_>>(), [250, 250], "{said:?}");
    assert_eq!(relay.wait_for(2).len(), 2);
    assert!(poll(Duration::from_secs(10), || relay.queue_is_empty().then_some(())).is_some());

    let letters = inspect(&relay.maildir());
    let mut recipients: Vec<_> = letters.iter().filter_map(|letter| letter.original_to.as_deref()).collect();
    recipients.sort_unstable();
    assert_eq!(recipients, ["civ@missions.example", "ken@missions.example"]);
    for letter in &letters {
        assert_eq!(letter.defects, Vec::<String>::new());
        assert_eq!(letter.subject.as_deref(), Some("Lettre ouverte à tous"));
        assert_eq!(letter.to, ["Mission de la Côte d'Ivoire <civ@missions.example>"]);
        assert_eq!(letter.from, ["Coalition Secretariat <letters@coalition.example>"]);
        assert_eq!(letter.delivery.as_deref(), Some("open-letter/CIV"));
        assert_eq!(letter.content_language.as_deref(), Some("fr"));
        assert_eq!(letter.text("text/plain"), Some("À l'attention de la Mission.\n"));
    }
}

#[test]
fn a_wrong_password_is_refused_and_so_is_a_recipient_that_the_relay_does_not_want() {
    if !support::real_servers_or_skip("being refused by a real relay") {
        return;
    }
    let reject = [
        ("gone@missions.example", "550 5.1.1 No such mailbox"),
        ("later@missions.example", "450 4.2.0 Greylisted, come back later"),
    ];
    let relay = Postfix::start(&PostfixOptions { reject: &reject, ..PostfixOptions::default() });
    let addresses = ["gone@missions.example", "later@missions.example", "ken@missions.example"];

    let stranger = submit(&Submission { password: "wrong", ..order(&relay, &addresses) });
    assert_eq!(stranger.login.code, 535, "{stranger:?}");

    let said = submit(&order(&relay, &addresses));
    assert_eq!(said.letters.iter().map(|reply| reply.code).collect::<Vec<_>>(), [550, 450, 250], "{said:?}");
    assert!(said.letters[0].text.starts_with("5.1.1 "), "{said:?}");
    assert!(said.letters[0].text.contains("No such mailbox"), "{said:?}");
    relay.wait_for(1);
    assert_eq!(relay.letters().len(), 1);
    assert!(relay.log().contains("Greylisted"), "the refusal is in the log:\n{}", relay.log());
}

#[test]
fn the_servers_end_with_the_test_that_started_them_even_when_it_panics() {
    if !support::real_servers_or_skip("stopping a real relay") {
        return;
    }
    let relay = Postfix::start(&PostfixOptions::default());
    let (sessions, maildir) = (relay.sessions(), relay.maildir());
    assert!(sessions.iter().all(|session| processes_of(*session) > 1), "master and at least one service each");
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _relay = relay;
        std::panic::resume_unwind(Box::new("a failing test"));
    }));
    assert!(panicked.is_err());
    assert_eq!(sessions.map(processes_of), [0, 0]);
    assert!(!maildir.parent().and_then(Path::parent).expect("the relay's folder").exists());
}

#[test]
fn a_server_that_does_not_want_to_end_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let log = folder.path().join("log");
    let stubborn = "trap '' TERM; (while :; do sleep 60; done) & echo up; while :; do sleep 60; done";
    let server = Supervised::start(&["sh", "-c", stubborn], &log).with_patience(Duration::from_millis(100));
    let up = || fs::read(&log).ok().filter(|text| text == b"up\n");
    assert!(poll(Duration::from_secs(10), up).is_some(), "the server starts");
    let session = server.session();
    assert!(processes_of(session) > 1);
    drop(server);
    assert_eq!(processes_of(session), 0);
}

#[test]
fn the_second_reader_finds_nothing_in_a_good_message_and_the_faults_of_a_bad_one() {
    if !support::python_or_skip("a second reader of messages") {
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("a-good.eml"), GOOD).expect("our own folder");
    fs::write(folder.path().join("b-bad.eml"), BAD).expect("our own folder");
    let [good, bad] = <[_; 2]>::try_from(inspect(folder.path())).expect("two messages");

    assert_eq!(good.file, "a-good.eml");
    assert_eq!(good.defects, Vec::<String>::new());
    assert_eq!((good.bare_cr, good.bare_lf), (0, 0));
    assert_eq!(good.longest_line, "To: =?utf-8?q?Mission_de_la_C=C3=B4te_d=27Ivoire?= <civ@missions.example>".len());

    assert_eq!(bad.bare_lf, 1);
    for fault in ["Repeated: subject", "Missing: date", "To: Invalid", "CloseBoundaryNotFound", "InvalidBase64"] {
        assert!(bad.defects.iter().any(|defect| defect.starts_with(fault)), "{fault} is not in {:?}", bad.defects);
    }
}
