//! Sessions over plain TCP on loopback: what only a real socket does (resets, refused connections).

use std::time::Duration;

use demarche::domain::message::{Envelope, Field, ForwardPath};
use demarche::domain::outcome::{End, Fault, Phase, Trouble};
use demarche::domain::relay::{Relay, Security, Timeouts};
use demarche::smtp::Connector;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn relay(port: u16) -> Relay {
    Relay {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        login: None,
        connections: 1,
        ca_file: None,
        ehlo_name: "client.example".to_owned(),
        messages_per_connection: 100,
        timeouts: Timeouts { block: Duration::from_secs(20), ..Timeouts::default() },
    }
}

fn envelope() -> Envelope {
    Envelope {
        reverse_path: "us@here.example".into(),
        forward_paths: vec![ForwardPath { address: "ken@missions.example".into(), field: Field::To }],
    }
}

/// Reads until `until` has come.
async fn hear(connection: &mut TcpStream, until: &[u8]) {
    let mut heard = Vec::new();
    let mut space = [0; 1024];
    while !heard.ends_with(until) {
        let count = connection.read(&mut space).await.expect("read");
        assert!(count > 0, "the client went away");
        heard.extend_from_slice(&space[..count]);
    }
}

/// Leads the first session to the 354.
async fn up_to_354(listener: TcpListener) -> TcpStream {
    let (mut connection, _) = listener.accept().await.expect("a connection");
    connection.write_all(b"220 mx\r\n").await.expect("written");
    hear(&mut connection, b"EHLO client.example\r\n").await;
    connection.write_all(b"250-mx\r\n250 PIPELINING\r\n").await.expect("written");
    hear(&mut connection, b"DATA\r\n").await;
    connection.write_all(b"250 ok\r\n250 ok\r\n354 go\r\n").await.expect("written");
    connection
}

async fn listen() -> (TcpListener, Connector) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    (listener, Connector::new(relay(port)).expect("settings"))
}

#[tokio::test]
async fn a_reset_after_the_dot_is_uncertain() {
    let (listener, connector) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = up_to_354(listener).await;
        hear(&mut connection, b"\r\n.\r\n").await;
        connection.set_zero_linger().expect("a reset instead of a close");
    });
    let mut session = connector.open().await.expect("a session");
    let handover = session.hand_over(b"Subject: x\r\n\r\nbye\r\n", &envelope(), async { true }).await;
    assert!(
        matches!(&handover.end, End::Uncertain(Fault { phase: Phase::EndOfData, trouble: Trouble::Broken(_) })),
        "{:?}",
        handover.end
    );
    server.await.expect("the server");
}

#[tokio::test]
async fn a_server_that_refuses_early_and_closes_is_heard_before_the_broken_connection() {
    let (listener, connector) = listen().await;
    let server = tokio::spawn(async move {
        let mut connection = up_to_354(listener).await;
        // Some of the message is read; the rest is unread at the close, which makes it a reset.
        let mut some = [0; 1024];
        connection.read_exact(&mut some).await.expect("read");
        connection.write_all(b"552 5.3.4 too large\r\n").await.expect("written");
    });
    let mut session = connector.open().await.expect("a session");
    let large = b"0123456789012345678901234567890123456789\r\n".repeat(500_000);
    let handover = session.hand_over(&large, &envelope(), async { true }).await;
    assert!(
        matches!(&handover.end, End::NotSent(Fault { phase: Phase::Body, trouble: Trouble::Refused(reply) }) if reply.code() == 552),
        "{:?}",
        handover.end
    );
    assert!(!handover.reusable);
    server.await.expect("the server");
}

#[tokio::test]
async fn nobody_at_the_port_is_a_fault_of_the_connection() {
    let (listener, connector) = listen().await;
    drop(listener);
    let fault = connector.open().await.expect_err("nobody");
    assert!(matches!(&fault, Fault { phase: Phase::Connect, trouble: Trouble::Broken(_) }), "{fault:?}");
}

#[tokio::test]
async fn a_farewell_that_came_while_the_session_was_idle_is_seen_before_the_next_letter() {
    let (listener, connector) = listen().await;
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.expect("a connection");
        connection.write_all(b"220 mx\r\n").await.expect("written");
        hear(&mut connection, b"EHLO client.example\r\n").await;
        connection.write_all(b"250 mx\r\n").await.expect("written");
        connection
    });
    let mut session = connector.open().await.expect("a session");
    let mut connection = server.await.expect("the server");
    connection.write_all(b"421 4.4.2 idle too long\r\n").await.expect("written");
    drop(connection);
    let handover = session.hand_over(b"Subject: x\r\n\r\nbye\r\n", &envelope(), async { true }).await;
    let farewell = Trouble::Unsolicited("421 4.4.2 idle too long".to_owned());
    assert_eq!(handover.end, End::NotSent(Fault::new(Phase::Mail, farewell)));
    assert!(!handover.reusable);
}
