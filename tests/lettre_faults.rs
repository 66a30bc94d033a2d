//! What a common SMTP transport gets wrong, as promises that the whole program keeps: a real process, a real socket.

mod support;

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use demarche::domain::outcome::Phase;
use demarche::postbox::{Action, Chunk, Offers, Options, Rule, Script, Security};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use support::authority::Authority;
use support::campaign::Campaign;
use support::server::{Server, row_of};

const THREE: &str = "state,to\nKenya,ken@missions.example\nChad,tcd@missions.example\nPeru,per@missions.example\n";

fn raw(bytes: &[u8]) -> Action {
    Action::Raw(vec![Chunk { after: Duration::ZERO, bytes: bytes.to_vec() }])
}

/// For this row, always.
fn rule(phase: Phase, row: &str, action: Action) -> Rule {
    Rule { phase, connection: None, recipient: Some(format!("{row}@missions.example")), times: None, action }
}

/// Three letters through one session.
fn three(server: &Server) -> Campaign {
    Campaign::small(server.port(), 0).recipients(THREE).set("smtp.connections", "1")
}

/// Each row and its state, in the order of the file.
fn states(campaign: &Campaign) -> Vec<String> {
    let status = campaign.run(&["status", "--json"]).json();
    let rows = status["deliveries"].as_array().expect("deliveries").clone();
    rows.iter().map(|row| row["state"].as_str().expect("a state").to_owned()).collect()
}

/// The header of a message, unfolded, a field each.
fn header(message: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(message);
    let header = text.split("\r\n\r\n").next().expect("a header").replace("\r\n ", " ").replace("\r\n\t", " ");
    header.split("\r\n").map(str::to_owned).collect()
}

#[test]
fn a_doubled_354_and_a_refusal_at_the_dot_are_never_an_acceptance() {
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::Data, "tcd", raw(b"354 go on\r\n354 go on\r\n")),
        rule(Phase::EndOfData, "tcd", Action::Reply("550 5.7.1 rejected".to_owned())),
    ]));
    let campaign = three(&server);
    campaign.run(&["send", "--yes"]).expect_code(75);
    assert_eq!(states(&campaign), ["accepted", "deferred", "accepted"]);
    assert_eq!(server.ids(), ["KEN", "PER"]);
}

#[test]
fn a_stale_reply_is_never_read_as_the_answer_to_the_next_letter() {
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::EndOfData, "ken", raw(b"250 2.0.0 kept\r\n250 2.0.0 kept\r\n354 go on\r\n")),
        rule(Phase::EndOfData, "tcd", Action::Reply("550 5.7.1 rejected".to_owned())),
    ]));
    let campaign = three(&server);
    campaign.run(&["send", "--yes"]).expect_code(1);
    assert_eq!(states(&campaign), ["accepted", "failed", "accepted"]);
    assert_eq!(server.ids(), ["KEN", "PER"]);
    let letters = server.letters();
    let stale = letters.iter().find(|letter| row_of(letter) == "KEN").expect("Kenya's letter");
    let after = letters.iter().filter(|letter| letter.sequence > stale.sequence);
    assert!(
        after.clone().all(|l| l.connection != stale.connection),
        "the session with the stale reply is not used again"
    );
}

#[test]
fn a_doubled_reply_before_a_chunk_is_refused_is_never_an_acceptance() {
    // Nothing but the codes tells the replies of one group apart, and the last of them takes its time.
    for doubled in [Phase::Mail, Phase::Rcpt] {
        let reply = if doubled == Phase::Mail { b"250 2.1.0 ok\r\n" } else { b"250 2.1.5 ok\r\n" };
        let late = Chunk { after: Duration::from_millis(300), bytes: b"550 5.7.1 rejected\r\n".to_vec() };
        let first = Rule { times: Some(1), ..rule(doubled, "tcd", raw(&reply.repeat(2))) };
        // MAIL names nobody: the one letter is the first.
        let first = if doubled == Phase::Mail { Rule { recipient: None, ..first } } else { first };
        let server = Server::with(Options {
            offers: Offers { chunking: true, ..Offers::default() },
            script: Script::rules(vec![first, rule(Phase::EndOfData, "tcd", Action::Raw(vec![late]))]),
            ..Options::default()
        });
        let campaign = three(&server).recipients("state,to\nChad,tcd@missions.example\n");
        campaign.run(&["send", "--yes"]).expect_code(2);
        assert_eq!((states(&campaign), server.letters().len()), (vec!["uncertain".to_owned()], 0), "{doubled}");
    }
}

#[test]
fn a_bare_250_a_latin_1_reply_and_an_lf_only_reply_are_acceptances() {
    let server = Server::scripted(Script::rules(vec![
        rule(Phase::EndOfData, "ken", raw(b"250\r\n")),
        rule(Phase::EndOfData, "tcd", raw(b"250 message accept\xe9\r\n")),
        rule(Phase::EndOfData, "per", raw(b"250 ok\n")),
    ]));
    let campaign = three(&server);
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(states(&campaign), ["accepted"; 3]);
    let connections: Vec<u64> = server.letters().iter().map(|letter| letter.connection).collect();
    assert_eq!(connections, [1, 1, 1], "no reason to give the session up");
}

#[test]
fn what_stands_in_the_buffer_at_starttls_is_never_believed_after_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = Authority::create(folder.path());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_file(&authority.certificate).expect("a certificate")],
            PrivateKeyDer::from_pem_file(&authority.key).expect("a key"),
        )
        .expect("a server");
    let injected = b"250-mx.example\r\n250 AUTH PLAIN LOGIN\r\n235 welcome\r\n".to_vec();
    let server = Server::with(Options {
        security: Security::StartTls(Arc::new(config)),
        login: Some(("letters@coalition.example".to_owned(), "hunter2".to_owned())),
        script: Script::rules(vec![Rule {
            phase: Phase::StartTls,
            connection: None,
            recipient: None,
            times: Some(1),
            action: Action::InjectThenTls(injected),
        }]),
        ..Options::default()
    });
    let campaign = three(&server)
        .file("ca.pem", fs::read(&authority.ca).expect("the authority"))
        .set("smtp.security", "\"starttls\"")
        .set("smtp.ca_file", "\"ca.pem\"")
        .set("smtp.username", "\"letters@coalition.example\"")
        .set("smtp.password", "{ env = \"DEMARCHE_TEST_PASSWORD\" }")
        .env("DEMARCHE_TEST_PASSWORD", "hunter2");
    let run = campaign.run(&["-vv", "send", "--yes"]).expect_code(69);
    assert!(run.stderr.contains("plain text was injected before the TLS handshake"), "{}", run.stderr);
    assert_eq!(states(&campaign), ["queued"; 3]);
    // Without the injection the same campaign goes out, and no word of the login is ever shown.
    let run = campaign.run(&["-vv", "send", "--yes"]).expect_code(0);
    assert_eq!(server.letters().len(), 3);
    for secret in ["hunter2", &STANDARD.encode("hunter2"), &STANDARD.encode("\0letters@coalition.example\0hunter2")] {
        assert!(!run.stderr.contains(secret), "{}", run.stderr);
    }
}

#[test]
fn a_slow_drip_ends_at_the_deadline_for_the_whole_reply() {
    let octet = Chunk { after: Duration::from_millis(200), bytes: b"2".to_vec() };
    let drip = Action::AcceptThen(Box::new(Action::Raw(vec![octet; 600])));
    let server = Server::scripted(Script::rules(vec![rule(Phase::EndOfData, "tcd", drip)]));
    let campaign = three(&server).set("smtp.timeouts", "{ end_of_data = \"1s\" }");
    let started = Instant::now();
    campaign.run(&["send", "--yes"]).expect_code(2);
    assert!(started.elapsed() < Duration::from_secs(60), "two minutes of drops");
    assert_eq!(states(&campaign), ["accepted", "uncertain", "accepted"]);
}

#[test]
fn one_refused_recipient_keeps_the_connection_for_the_others() {
    let server =
        Server::scripted(Script::rules(vec![rule(Phase::Rcpt, "tcd", Action::Reply("550 5.1.1 unknown".to_owned()))]));
    let campaign = three(&server);
    campaign.run(&["send", "--yes"]).expect_code(1);
    let connections: Vec<u64> = server.letters().iter().map(|letter| letter.connection).collect();
    assert_eq!(connections, [1, 1]);
}

#[test]
fn no_more_sessions_are_opened_than_are_configured() {
    let server = Server::start();
    Campaign::small(server.port(), 40).set("smtp.connections", "2").run(&["send", "--yes"]).expect_code(0);
    assert!(server.letters().iter().all(|letter| letter.connection <= 2));
    assert_eq!(server.letters().len(), 40);
}

#[test]
fn no_cell_of_the_file_puts_a_field_into_the_header() {
    let smuggled = [
        ("state,to\nKenya,\"Mission\r\nBcc: spy@elsewhere.example <ken@missions.example>\"\n", "An open letter"),
        ("state,to,topic\nKenya,ken@missions.example,\"Peace\r\nBcc: spy@elsewhere.example\"\n", "{{ row.topic }}"),
        ("state,to,topic\nKenya,ken@missions.example,\"Peace\nX-Odd: yes\n\nBody\"\n", "{{ row.topic }}"),
        ("id,to,name\nKEN,ken@missions.example,\"A\r\nBcc: spy@elsewhere.example\"\n", "To {{ row.name }}"),
    ];
    for (recipients, subject) in smuggled {
        let server = Server::start();
        let campaign = Campaign::small(server.port(), 0)
            .recipients(recipients)
            .template("letter.en.md", &format!("+++\nsubject = \"{subject}\"\n+++\n\nText.\n"));
        let run = campaign.run(&["send", "--yes"]);
        assert!(matches!(run.code, Some(0 | 65)), "{run:?}");
        assert_eq!(server.violations(), Vec::<String>::new());
        for letter in server.letters() {
            let fields = header(&letter.bytes);
            let foreign = fields.iter().find(|field| field.starts_with("Bcc") || field.starts_with("X-Odd"));
            assert_eq!(foreign, None, "{recipients:?}");
            assert_eq!(letter.forward_paths, ["ken@missions.example"]);
        }
    }
}

#[test]
fn a_line_end_in_a_display_name_of_ours_is_a_problem_at_its_place_and_no_panic() {
    let server = Server::start();
    let campaign =
        three(&server).set("sender.from", r#""Coalition\r\nBcc: spy@elsewhere.example <letters@coalition.example>""#);
    let run = campaign.run(&["send", "--yes"]).expect_code(78);
    assert!(run.stderr.contains("config.toml:") && !run.stderr.contains("panicked"), "{}", run.stderr);
    assert!(server.letters().is_empty());
}

#[test]
fn a_long_subject_is_folded_within_the_limits_and_reads_the_same() {
    for word in ["peace ", "Sécurité ", "和平 "] {
        let server = Server::start();
        let subject = word.repeat(990 / word.len());
        let campaign = three(&server)
            .template("letter.en.md", &format!("+++\nsubject = \"{}\"\n+++\n\nText.\n", subject.trim_end()));
        campaign.run(&["send", "--yes"]).expect_code(0);
        // A line over 998 octets would be one.
        assert_eq!(server.violations(), Vec::<String>::new());
        assert_eq!(server.letters().len(), 3);
        if word.is_ascii() {
            let expected = format!("Subject: {}", subject.trim_end());
            assert!(header(&server.letters()[0].bytes).contains(&expected), "unfolded it is the same");
        }
    }
}

#[test]
fn a_subject_over_the_limits_is_a_problem_at_its_place_and_nothing_is_sent() {
    for subject in ["peace ".repeat(300).trim_end().to_owned(), "x".repeat(1200), "x".repeat(995)] {
        let server = Server::start();
        let campaign =
            three(&server).template("letter.en.md", &format!("+++\nsubject = \"{subject}\"\n+++\n\nText.\n"));
        let run = campaign.run(&["send", "--yes"]);
        // One word just under the limit may also be encoded, and so folded.
        let encoded = subject.len() < 998 && run.code == Some(0);
        assert!(encoded || run.code == Some(65), "{run:?}");
        assert_eq!(server.letters().len(), if encoded { 3 } else { 0 });
        assert_eq!(server.violations(), Vec::<String>::new());
    }
}

#[test]
fn an_ascii_attachment_with_bare_lf_arrives_octet_for_octet() {
    let text = "one\ntwo\n.\n\nthree\rfour\r\nfive without an end";
    let server = Server::start();
    let campaign = three(&server).file("notes.txt", text).set("letter.attachments", "[\"notes.txt\"]");
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert_eq!(server.violations(), Vec::<String>::new(), "no bare CR or LF on the wire");
    for letter in server.letters() {
        let message = String::from_utf8(letter.bytes).expect("ASCII");
        let part = message.split("\r\n--").find(|part| part.contains("notes.txt")).expect("the attachment");
        let (head, body) = part.split_once("\r\n\r\n").expect("a header and a body");
        assert!(head.to_lowercase().contains("base64"), "{head}");
        let body: Vec<u8> = body.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
        assert_eq!(STANDARD.decode(body).expect("base64"), text.as_bytes());
    }
}

#[test]
fn a_large_attachment_of_short_lines_costs_no_more_than_its_size() {
    // Put right line by line, as it would be inside a text, this takes hours.
    let text = "a\n".repeat(2 * 1024 * 1024);
    let server = Server::start();
    let campaign = three(&server).file("lines.txt", &text).set("letter.attachments", "[\"lines.txt\"]");
    let started = Instant::now();
    campaign.run(&["send", "--yes"]).expect_code(0);
    assert!(started.elapsed() < Duration::from_secs(120), "it is not linear: {:?}", started.elapsed());
    assert_eq!((server.letters().len(), server.violations()), (3, Vec::<String>::new()));
}

#[test]
fn an_attachments_name_and_an_address_put_no_field_into_the_header() {
    let names = ["notes\r\nBcc: spy@elsewhere.example.txt", "notes\nX-Odd: yes.txt"];
    for name in names {
        let server = Server::start();
        let campaign = three(&server).file(name, "text").set("letter.attachments", &format!("[{name:?}]"));
        let run = campaign.run(&["send", "--yes"]);
        assert!(matches!(run.code, Some(0 | 65 | 78)), "{run:?}");
        for letter in server.letters() {
            let message = String::from_utf8_lossy(&letter.bytes).into_owned();
            let odd = message.lines().find(|line| line.starts_with("Bcc:") || line.starts_with("X-Odd:"));
            assert_eq!(odd, None, "{name:?}");
        }
        assert_eq!(server.violations(), Vec::<String>::new());
    }
    let server = Server::start();
    let smuggled = "state,to\nKenya,\"ken@missions.example>\r\nRCPT TO:<spy@elsewhere.example\"\n";
    three(&server).recipients(smuggled).run(&["send", "--yes"]).expect_code(65);
    assert!(server.transcript(1).is_empty(), "nobody was even asked");
}

#[test]
fn every_letter_has_one_message_id_and_one_date_of_its_own() {
    let server = Server::start();
    three(&server).run(&["send", "--yes"]).expect_code(0);
    let mut ids = Vec::new();
    for letter in server.letters() {
        let fields = header(&letter.bytes);
        for name in ["Message-ID:", "Date:", "From:", "Subject:", "MIME-Version:"] {
            let count = fields.iter().filter(|field| field.to_lowercase().starts_with(&name.to_lowercase())).count();
            assert_eq!(count, 1, "{name} for {}", row_of(&letter));
        }
        ids.push(letter.message_id.expect("a Message-ID"));
    }
    assert!(ids.iter().all(|id| id.starts_with('<') && id.ends_with("@coalition.example>")), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}
