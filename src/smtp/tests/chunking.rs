//! A letter in one group with BDAT: its octets, the order of intent and octets, and which letters go that way.

use super::phases::told;
use super::*;
use crate::domain::outcome::{End, Trouble};

pub(super) const CHUNKING: &str =
    "250-mx.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE 9000000\r\n";

pub(super) fn chunking() -> Server {
    Server::new(CHUNKING)
}

pub(super) fn verbs(seen: &Arc<Mutex<Seen>>) -> Vec<String> {
    let seen = seen.lock().expect("lock");
    seen.commands.iter().map(|line| line.split([' ', ':']).next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn the_group_is_mail_rcpt_bdat_and_the_very_octets_of_the_message() {
    let (handover, session, seen) = hand_over(chunking()).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("accepted 250", true));
    assert_eq!(session.letters(), 1);
    let expected = format!(
        "EHLO client.example\r\nMAIL FROM:<us@here.example> SIZE={0}\r\nRCPT TO:<r0@missions.example>\r\n\
         BDAT {0} LAST\r\n{1}",
        LETTER.len(),
        String::from_utf8_lossy(LETTER)
    );
    let seen = seen.lock().expect("lock");
    assert_eq!(String::from_utf8_lossy(&seen.received), expected);
    assert_eq!(seen.messages, [LETTER], "a dot at the head of a line is not doubled");
}

#[tokio::test]
async fn the_group_leaves_in_one_write_and_before_any_reply() {
    let (wire, mut server) = tokio::io::duplex(64 * 1024);
    let connector = Connector::new(relay(Security::None)).expect("settings");
    let serving = tokio::spawn(async move {
        let mut space = [0; 4096];
        server.write_all(b"220 mx\r\n").await.expect("written");
        assert!(server.read(&mut space).await.expect("EHLO") > 0);
        server.write_all(CHUNKING.as_bytes()).await.expect("written");
        // One read from a pipe takes what one write put there.
        let count = server.read(&mut space).await.expect("the group");
        server.write_all(b"250 ok\r\n250 ok\r\n250 queued\r\n").await.expect("written");
        space[..count].to_vec()
    });
    let mut session = connector.begin(Box::new(wire)).await.expect("a session");
    let handover = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
    assert_eq!(told(&handover.end), "accepted 250");
    let group = serving.await.expect("the server");
    assert!(group.starts_with(b"MAIL FROM:") && group.ends_with(LETTER));
}

#[tokio::test]
async fn no_octet_of_the_group_leaves_before_the_intent_is_durable() {
    let (session, seen) = open(chunking()).await;
    let mut session = session.expect("a session");
    let (release, released) = oneshot::channel();
    let greeted = seen.lock().expect("lock").received.clone();
    let to = envelope(&[Field::To]);
    let handing = session.hand_over(LETTER, &to, async { released.await.is_ok() });
    let watching = async {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(seen.lock().expect("lock").received, greeted, "something was written before the intent");
        release.send(()).expect("the intent waits");
    };
    let (handover, ()) = tokio::join!(handing, watching);
    assert_eq!(told(&handover.end), "accepted 250");
}

#[tokio::test]
async fn without_intent_nothing_is_written_and_the_connection_is_dropped() {
    let (session, seen) = open(chunking()).await;
    let mut session = session.expect("a session");
    let handover = session.hand_over(LETTER, &envelope(&[Field::To]), async { false }).await;
    assert_eq!(handover.end, End::NotSent(Fault::new(Phase::Body, Trouble::NoIntent)));
    assert!(!handover.reusable);
    session.quit().await;
    tokio::task::yield_now().await;
    assert_eq!(seen.lock().expect("lock").received, b"EHLO client.example\r\n");
}

#[tokio::test]
async fn a_server_that_leaves_during_the_intent_gets_nothing() {
    let (wire, mut server) = tokio::io::duplex(64 * 1024);
    let connector = Connector::new(relay(Security::None)).expect("settings");
    let greeting = async {
        let mut space = [0; b"EHLO client.example\r\n".len()];
        server.write_all(b"220 mx\r\n").await.expect("written");
        server.read_exact(&mut space).await.expect("EHLO");
        server.write_all(CHUNKING.as_bytes()).await.expect("written");
    };
    let (session, ()) = tokio::join!(connector.begin(Box::new(wire)), greeting);
    let mut session = session.expect("a session");
    let intent = async {
        server.write_all(b"421 4.4.2 idle too long\r\n").await.expect("written");
        true
    };
    let handover = session.hand_over(LETTER, &envelope(&[Field::To]), intent).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("not sent: mail unsolicited", false));
    drop(session);
    let mut heard = Vec::new();
    server.read_to_end(&mut heard).await.expect("read");
    assert_eq!(heard, b"");
}

#[tokio::test]
async fn a_letter_to_two_tos_never_uses_bdat_because_of_two_replies_one_could_pass_for_the_chunks() {
    for fields in [&[Field::To, Field::To][..], &[Field::To; 5]] {
        let (handover, mut session, seen) = hand_over_to(chunking(), fields).await;
        assert_eq!((told(&handover.end).as_str(), handover.reusable), ("accepted 250", true));
        let expected = [&["EHLO", "MAIL"][..], &vec!["RCPT"; fields.len()], &["DATA"]].concat();
        assert_eq!(verbs(&seen), expected);
        // It is the letter and not the server.
        let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert_eq!(told(&next.end), "accepted 250");
        assert_eq!(verbs(&seen)[expected.len()..], ["MAIL", "RCPT", "BDAT"]);
    }
}

#[tokio::test]
async fn a_server_that_does_not_keep_its_promise_of_enhanced_codes_gets_the_next_letters_by_data() {
    let (handover, mut session, seen) = hand_over(chunking().with(Phase::Rcpt, Act::Say("250 2.0.0 fine\r\n"))).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("accepted 250", true));
    for _ in 0..2 {
        let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert_eq!(told(&next.end), "accepted 250");
    }
    let by_data = ["MAIL", "RCPT", "DATA"];
    assert_eq!(verbs(&seen), [&["EHLO", "MAIL", "RCPT", "BDAT"][..], &by_data, &by_data].concat());
}

#[tokio::test]
async fn a_large_letter_a_copy_and_a_server_without_pipelining_take_the_way_of_data() {
    let large = b".a line of text that begins with a dot\r\n".repeat(26_500);
    let (session, seen) = open(chunking()).await;
    let mut session = session.expect("a session");
    let handover = session.hand_over(&large, &envelope(&[Field::To]), async { true }).await;
    assert_eq!(told(&handover.end), "accepted 250");
    assert_eq!(verbs(&seen), ["EHLO", "MAIL", "RCPT", "DATA"]);
    // Just under the limit, over a pipe that takes 16 KiB at a time.
    let most = &large[..1024 * 1024 / 40 * 40];
    let handover = session.hand_over(most, &envelope(&[Field::To]), async { true }).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("accepted 250", true));
    assert_eq!(verbs(&seen)[4..], ["MAIL", "RCPT", "BDAT"]);
    assert!(seen.lock().expect("lock").messages[1] == most, "octet for octet");

    let (_, _, seen) = hand_over_to(chunking(), &[Field::To, Field::Cc]).await;
    assert_eq!(verbs(&seen), ["EHLO", "MAIL", "RCPT", "RCPT", "DATA"]);
    let (handover, _, seen) = hand_over(Server::new("250-mx.example\r\n250 CHUNKING\r\n")).await;
    assert_eq!(told(&handover.end), "accepted 250");
    assert_eq!(verbs(&seen), ["EHLO", "MAIL", "RCPT", "DATA"]);
}

#[tokio::test]
async fn a_group_larger_than_every_buffer_does_not_stand_still() {
    let (session, seen) = open(chunking()).await;
    let letter = b"a line of text\r\n".repeat(60_000);
    let handover = session.expect("a session").hand_over(&letter, &envelope(&[Field::To]), async { true }).await;
    assert_eq!(told(&handover.end), "accepted 250");
    assert_eq!(verbs(&seen), ["EHLO", "MAIL", "RCPT", "BDAT"]);
    assert!(seen.lock().expect("lock").messages == [letter], "octet for octet");
}

/// A server behind a pipe that holds so many octets, greets, reads up to `octets` of the group, says `said` and reads nothing
/// more.
async fn stops_reading_after(octets: usize, said: &'static str, pipe: usize) -> String {
    let (wire, mut server) = tokio::io::duplex(pipe);
    let serving = tokio::spawn(async move {
        let mut greeted = [0; b"EHLO client.example\r\n".len()];
        let mut space = vec![0; octets];
        server.write_all(b"220 mx\r\n").await.expect("written");
        server.read_exact(&mut greeted).await.expect("EHLO");
        server.write_all(CHUNKING.as_bytes()).await.expect("written");
        server.read_exact(&mut space).await.expect("some of the group");
        server.write_all(said.as_bytes()).await.expect("written");
        std::future::pending::<()>().await;
    });
    let connector = Connector::new(relay(Security::None)).expect("settings");
    let mut session = connector.begin(Box::new(wire)).await.expect("a session");
    let letter = b"0123456789\r\n".repeat(4000);
    let handover = session.hand_over(&letter, &envelope(&[Field::To]), async { true }).await;
    assert!(!handover.reusable);
    serving.abort();
    told(&handover.end)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stops_reading_proves_something_only_by_what_it_said() {
    let of = async |said| stops_reading_after(3000, said, 1024).await;
    assert_eq!(of("").await, "uncertain: end-of-data timed out");
    assert_eq!(of("250 ok\r\n").await, "uncertain: end-of-data timed out");
    assert_eq!(of("552 5.3.4 too large\r\n").await, "not sent: mail refused 552");
    assert_eq!(of("250 ok\r\n250 ok\r\n250 queued\r\n").await, "uncertain: end-of-data unexpected 250");
    assert_eq!(of("250 ok\r\n250 ok\r\n552 5.3.4 too large\r\n").await, "not sent: end-of-data refused 552");
}

#[tokio::test(start_paused = true)]
async fn before_the_first_octet_of_bdat_a_failure_proves_that_nothing_was_delivered() {
    // MAIL and RCPT are longer than what was read and what the pipe holds.
    assert_eq!(stops_reading_after(10, "", 16).await, "not sent: mail timed out");
    assert_eq!(stops_reading_after(10, "250 ok\r\n", 16).await, "not sent: mail timed out");
    assert_eq!(stops_reading_after(10, "250 ok\r\n250 ok\r\n", 16).await, "not sent: mail timed out");
    assert_eq!(stops_reading_after(200, "", 16).await, "uncertain: end-of-data timed out");
}
