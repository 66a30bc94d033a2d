//! What is fuzzed: one function for each parser of foreign bytes, through the crate's public functions. None may panic, hang or
//! grow without bound. The fuzz targets call these, and so does a test, over the seeds in `corpus`.
#![allow(dead_code, unreachable_pub, reason = "each fuzz target takes one function of this file")]

use std::path::Path;

use demarche::config;
use demarche::domain::audience::Audience;
use demarche::domain::language::Language;
use demarche::domain::mailbox::Mailbox;
use demarche::domain::message::{Envelope, Field, ForwardPath};
use demarche::domain::relay::{Relay, Security, Timeouts};
use demarche::domain::settings::LetterSettings;
use demarche::letter::{Letter, SourceFile};
use demarche::roster::{self, Options};
use demarche::smtp::{Capabilities, Connector};
use jiff::Timestamp;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;

/// Everything that a server says, from its greeting on, while a letter is handed over.
pub fn reply(data: &[u8]) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = async {
            let (mut connection, _) = listener.accept().await.expect("a connection");
            let (mut from, mut to) = connection.split();
            // A client that has heard enough may be gone: that is what is tried here.
            let _ = to.write_all(data).await;
            let _ = to.shutdown().await;
            let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
        };
        let client = async {
            let Ok(connector) = Connector::new(relay(port)) else { return };
            let Ok(mut session) = connector.open().await else { return };
            let path = ForwardPath { address: "ken@missions.example".to_owned(), field: Field::To };
            let envelope = Envelope { reverse_path: "letters@coalition.example".to_owned(), forward_paths: vec![path] };
            let handover = session.hand_over(b"Subject: a\r\n\r\nb\r\n", &envelope, std::future::ready(true)).await;
            drop(format!("{handover:?}"));
            session.quit().await;
        };
        tokio::join!(server, client);
    });
}

fn relay(port: u16) -> Relay {
    Relay {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        login: None,
        connections: 1,
        ca_file: None,
        ehlo_name: "client.example".to_owned(),
        messages_per_connection: 10,
        timeouts: Timeouts::default(),
    }
}

/// The lines of a server's answer to EHLO.
pub fn ehlo(data: &[u8]) {
    let lines: Vec<Vec<u8>> = data.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    drop(format!("{:?}", Capabilities::parse(&lines)));
}

/// A recipients file, and a list of suppressed addresses.
pub fn csv(data: &[u8]) {
    let options = Options {
        file: "recipients.csv".to_owned(),
        sheet: None,
        hidden_rows: roster::HiddenRows::Refuse,
        encoding: None,
        delimiter: None,
        columns: std::collections::BTreeMap::new(),
        audience: Audience::MemberStates,
        stale_after: None,
        today: jiff::civil::date(2021, 10, 1),
        default_language: english(),
        languages: vec![english()],
        suppressed: Vec::new(),
        placeholders_allowed: true,
    };
    for problem in roster::read(data, &options).diagnostics {
        drop(problem.render(true));
    }
    for problem in roster::read_suppressed(data, "suppressed.csv").1 {
        drop(problem.render(true));
    }
}

/// A cell of addresses. What is understood is understood again as it is shown.
pub fn address(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (mailboxes, problems) = Mailbox::parse_list(text);
    for mailbox in mailboxes {
        let shown = mailbox.to_string();
        assert!(!shown.contains(['\r', '\n', '\0']), "{shown:?}");
        assert_eq!(Mailbox::parse(&shown).ok().as_ref(), Some(&mailbox), "{shown:?}");
    }
    for (range, ..) in problems {
        assert!(text.get(range).is_some());
    }
}

/// A letter: front matter, Markdown, templates.
pub fn front_matter(data: &[u8]) {
    let files = [SourceFile { name: "letter.en.md".to_owned(), bytes: data.to_vec() }];
    let settings = LetterSettings {
        campaign_id: "open-letter".to_owned(),
        campaign_name: "An open letter".to_owned(),
        event: None,
        vars: serde_json::Map::new(),
        from: Mailbox::parse("letters@coalition.example").expect("a mailbox"),
        reply_to: None,
        bcc: Vec::new(),
        list_unsubscribe: None,
        default_language: english(),
        attachments: Vec::new(),
    };
    for problem in Letter::load(&files, "templates", &settings).1 {
        drop(problem.render(true));
    }
}

/// A config file.
pub fn config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    for problem in config::parse(text, "config.toml", Path::new("."), Timestamp::UNIX_EPOCH).1 {
        drop(problem.render(true));
    }
}

fn english() -> Language {
    Language::parse("en").expect("a language")
}
