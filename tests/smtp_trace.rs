//! What a trace of the session says of the login: nothing. Alone in its process, because a trace is the process's own.

use std::io::Write;
use std::sync::{Arc, Mutex};

use demarche::domain::outcome::{Fault, Phase, Trouble};
use demarche::domain::relay::{Login, PasswordSource, Relay, Security, Timeouts};
use demarche::smtp::Connector;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

/// `\0us@here.example\0hunter2` and `hunter2` in base64.
const PLAIN_RESPONSE: &str = "AHVzQGhlcmUuZXhhbXBsZQBodW50ZXIy";
const PASSWORD: &str = "aHVudGVyMg==";

#[derive(Clone, Default)]
struct Trace(Arc<Mutex<Vec<u8>>>);

impl Write for Trace {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A server that gives one answer to each line, whatever the line is, and the connector to it.
async fn server(answers: &'static [&'static str]) -> Connector {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        let (connection, _) = listener.accept().await.expect("a connection");
        let mut connection = BufReader::new(connection);
        connection.write_all(b"220 mx\r\n").await.expect("written");
        for answer in answers {
            let mut line = String::new();
            connection.read_line(&mut line).await.expect("a line");
            connection.write_all(answer.as_bytes()).await.expect("written");
        }
    });
    let password = PasswordSource::Inline("hunter2".to_owned().into());
    let relay = Relay {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        login: Some(Login { username: "us@here.example".to_owned(), password }),
        connections: 1,
        ca_file: None,
        ehlo_name: "client.example".to_owned(),
        messages_per_connection: 100,
        timeouts: Timeouts::default(),
    };
    Connector::new(relay).expect("settings")
}

#[tokio::test]
async fn no_secret_is_ever_traced_or_told_even_if_the_server_repeats_it() {
    let trace = Trace::default();
    let writer = trace.clone();
    tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || writer.clone()).init();
    let conversations: [&[&str]; 4] = [
        &["250-mx\r\n250 AUTH PLAIN\r\n", "500 what is AUTH PLAIN AHVzQGhlcmUuZXhhbXBsZQBodW50ZXIy hunter2?\r\n"],
        &["250-mx\r\n250 AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "535 no aHVudGVyMg==\r\n"],
        &["250-mx\r\n250 AUTH PLAIN\r\n", "AUTH PLAIN AHVzQGhlcmUuZXhhbXBsZQBodW50ZXIy: bad command\r\n"],
        &["250-mx\r\n250 AUTH PLAIN\r\n", "235 ok\r\n"],
    ];
    let mut told = String::new();
    for answers in conversations {
        let connector = server(answers).await;
        told = format!("{told}{connector:?}");
        match connector.open().await {
            Ok(session) => told = format!("{told}{session:?}"),
            Err(fault) => {
                let said = fault.trouble.reply().map(|reply| reply.lines().concat()).unwrap_or_default();
                told = format!("{told}{fault} {fault:?} {}", String::from_utf8_lossy(&said));
                let Fault { phase, trouble } = fault;
                assert_eq!(phase, Phase::Auth);
                assert!(matches!(trouble, Trouble::Refused(_) | Trouble::Garbled(_)), "{trouble:?}");
            }
        }
    }
    let traced = String::from_utf8(trace.0.lock().expect("lock").clone()).expect("UTF-8");
    assert!(traced.contains("C: EHLO client.example") && traced.contains("C: AUTH PLAIN [redacted]"), "{traced}");
    told.push_str(&traced);
    for secret in ["hunter2", PLAIN_RESPONSE, PASSWORD] {
        assert!(!told.contains(secret), "{secret} in {told}");
    }
}
