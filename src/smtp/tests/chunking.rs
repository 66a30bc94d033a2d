//! A letter in one group with BDAT: the octets, the order of intent and octets, and what each pattern of replies proves.

use super::phases::{FAULTS, told};
use super::*;
use crate::domain::outcome::{End, RcptOutcome, Trouble};

const CHUNKING: &str = "250-mx.example\r\n250-PIPELINING\r\n250-CHUNKING\r\n250 SIZE 9000000\r\n";
const REFUSED: Act = Act::Say("550 5.1.1 unknown\r\n");
const BAD_SEQUENCE: Act = Act::Say("503 5.5.1 bad sequence\r\n");

fn chunking() -> Server {
    Server::new(CHUNKING)
}

/// The code for each recipient, 0 where there is none.
fn codes(handover: &Handover) -> Vec<u16> {
    let code = |outcome: &RcptOutcome| match outcome {
        RcptOutcome::Accepted(reply) | RcptOutcome::Refused(reply) => reply.code(),
        RcptOutcome::Unanswered => 0,
    };
    handover.recipients.iter().map(code).collect()
}

fn verbs(seen: &Arc<Mutex<Seen>>) -> Vec<String> {
    let seen = seen.lock().expect("lock");
    seen.commands.iter().map(|line| line.split([' ', ':']).next().unwrap_or_default().to_owned()).collect()
}

/// Handed over to one To; the end in words, and whether the session can go on.
async fn end_of(server: Server) -> (String, bool) {
    let (handover, _, _) = hand_over(server).await;
    (told(&handover.end), handover.reusable)
}

#[tokio::test]
async fn the_group_is_mail_rcpt_bdat_and_the_very_octets_of_the_message() {
    let (handover, session, seen) = hand_over_to(chunking(), &[Field::To, Field::To]).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("accepted 250", true));
    assert_eq!(session.letters(), 1);
    let expected = format!(
        "EHLO client.example\r\nMAIL FROM:<us@here.example> SIZE={0}\r\nRCPT TO:<r0@missions.example>\r\n\
         RCPT TO:<r1@missions.example>\r\nBDAT {0} LAST\r\n{1}",
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

#[tokio::test(start_paused = true)]
async fn every_fault_at_every_reply_is_uncertain_unless_a_reply_proves_otherwise() {
    for (act, expected) in FAULTS {
        let refused = expected.starts_with("refused");
        let proof = if refused { "not sent" } else { "uncertain" };
        let (end, reusable) = end_of(chunking().with(Phase::Mail, act)).await;
        let at = if refused { "mail" } else { "end-of-data" };
        // The scripted server goes on as if it had accepted, which makes it suspect.
        assert_eq!((end, reusable), (format!("{proof}: {at} {expected}"), false), "{act:?} at MAIL");

        let (end, reusable) = end_of(chunking().with(Phase::Rcpt, act)).await;
        let end_at_rcpt = match expected {
            "refused 421" => "not sent: rcpt refused 421".to_owned(),
            "refused 550" => "no recipient".to_owned(),
            other => format!("uncertain: end-of-data {other}"),
        };
        assert_eq!((end, reusable), (end_at_rcpt, false), "{act:?} at RCPT");

        let (handover, session, seen) = hand_over(chunking().with(Phase::EndOfData, act)).await;
        assert_eq!(told(&handover.end), format!("{proof}: end-of-data {expected}"), "{act:?} at BDAT");
        assert_eq!(handover.reusable, expected == "refused 550", "{act:?} at BDAT");
        assert_eq!((session.letters(), seen.lock().expect("lock").messages.len()), (1, 1));
    }
}

#[tokio::test]
async fn exactly_the_code_that_is_due_is_taken() {
    for (phase, said, expected) in [
        (Phase::Mail, "251 will do\r\n", "uncertain: end-of-data unexpected 251"),
        (Phase::Mail, "354 go\r\n", "uncertain: end-of-data unexpected 354"),
        (Phase::Rcpt, "252 perhaps\r\n", "uncertain: end-of-data unexpected 252"),
        (Phase::Rcpt, "150 wait\r\n", "uncertain: end-of-data unexpected 150"),
        (Phase::EndOfData, "354 go\r\n", "uncertain: end-of-data unexpected 354"),
        (Phase::EndOfData, "150 wait\r\n", "uncertain: end-of-data unexpected 150"),
    ] {
        assert_eq!(end_of(chunking().with(phase, Act::Say(said))).await, (expected.to_owned(), false), "{said:?}");
    }
    for (phase, said, expected) in
        [(Phase::Rcpt, "251 forwarded\r\n", "accepted 250"), (Phase::EndOfData, "252 odd\r\n", "accepted 252")]
    {
        assert_eq!(end_of(chunking().with(phase, Act::Say(said))).await, (expected.to_owned(), true), "{said:?}");
    }
}

#[tokio::test]
async fn after_a_refused_mail_the_rest_of_the_group_is_read_and_the_session_goes_on_after_rset() {
    let server = chunking()
        .with(Phase::Mail, Act::Say("451 4.7.1 later\r\n"))
        .with(Phase::Rcpt, BAD_SEQUENCE)
        .with(Phase::EndOfData, BAD_SEQUENCE);
    let (handover, mut session, seen) = hand_over(server).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("not sent: mail refused 451", true));
    assert_eq!((codes(&handover), session.letters()), (vec![0], 0));
    let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
    assert_eq!((told(&next.end).as_str(), next.reusable), ("accepted 250", true));
    assert_eq!(verbs(&seen), ["EHLO", "MAIL", "RCPT", "BDAT", "RSET", "MAIL", "RCPT", "BDAT"]);
}

#[tokio::test]
async fn a_refused_chunk_is_no_attempt_at_another_letter() {
    let server = chunking().with(Phase::EndOfData, Act::Say("554 5.7.1 spam\r\n"));
    let (handover, mut session, seen) = hand_over(server).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("not sent: end-of-data refused 554", true));
    for _ in 0..2 {
        let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert_eq!(told(&next.end), "accepted 250");
    }
    let group = ["MAIL", "RCPT", "BDAT"];
    assert_eq!(verbs(&seen), [&["EHLO"][..], &group, &["RSET"], &group, &group].concat());
    assert_eq!(session.letters(), 3);
}

#[tokio::test]
async fn a_refused_recipient_does_not_end_the_letter_for_the_others() {
    let server = chunking().with_nth(Phase::Rcpt, 1, REFUSED);
    let (handover, _, _) = hand_over_to(server, &[Field::To; 3]).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("accepted 250", true));
    assert_eq!(codes(&handover), [250, 550, 250]);
}

#[tokio::test]
async fn a_lost_reply_leaves_refused_addresses_refused_and_the_others_uncertain() {
    let server = chunking().with_nth(Phase::Rcpt, 0, REFUSED).with(Phase::EndOfData, Act::Drop);
    let (handover, _, _) = hand_over_to(server, &[Field::To; 2]).await;
    assert_eq!(told(&handover.end), "uncertain: end-of-data lost");
    assert_eq!(codes(&handover), [550, 250]);
    let server = chunking().with_nth(Phase::Rcpt, 0, REFUSED).with(Phase::EndOfData, Act::Say("what?\r\n"));
    let (handover, _, _) = hand_over_to(server, &[Field::To; 2]).await;
    assert_eq!((told(&handover.end).as_str(), codes(&handover)), ("uncertain: end-of-data garbled", vec![0, 0]));
}

#[tokio::test(start_paused = true)]
async fn where_every_recipient_was_refused_nothing_was_delivered_whatever_becomes_of_the_chunk() {
    let refused = || chunking().with_nth(Phase::Rcpt, 0, REFUSED).with_nth(Phase::Rcpt, 1, REFUSED);
    let acts = [
        (Act::Say("554 5.5.1 no valid recipients\r\n"), true),
        (Act::Say("503 5.5.1 bad sequence\r\n"), true),
        (Act::Say("250 queued\r\n"), false),
        (Act::Say("354 go\r\n"), false),
        (Act::Say("421 bye\r\n"), false),
        (Act::Say("what?\r\n"), false),
        (Act::Drop, false),
        (Act::Hang, false),
    ];
    for (act, reusable) in acts {
        let (handover, mut session, seen) =
            hand_over_to(refused().with(Phase::EndOfData, act), &[Field::To, Field::To]).await;
        assert_eq!((&handover.end, handover.reusable), (&End::NoRecipient, reusable), "{act:?}");
        assert_eq!(session.letters(), 0);
        if reusable {
            assert_eq!(codes(&handover), [550, 550]);
            let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
            assert_eq!(told(&next.end), "accepted 250");
            assert!(verbs(&seen).contains(&"RSET".to_owned()));
        }
    }
}

#[tokio::test]
async fn a_farewell_is_believed_only_while_nobody_was_accepted() {
    let farewell = Act::SayAndDrop("421 4.3.2 closing\r\n");
    let of = async |server, count: usize| told(&hand_over_to(server, &[Field::To; 3][..count]).await.0.end);
    assert_eq!(of(chunking().with(Phase::Mail, farewell), 1).await, "not sent: mail refused 421");
    assert_eq!(of(chunking().with(Phase::Rcpt, farewell), 1).await, "not sent: rcpt refused 421");
    assert_eq!(of(chunking().with(Phase::Rcpt, farewell), 3).await, "not sent: rcpt refused 421");
    let later = chunking().with_nth(Phase::Rcpt, 1, farewell);
    assert_eq!(of(later, 3).await, "uncertain: end-of-data lost");
    // A server that says 421 and stays has not left.
    let stays = chunking().with(Phase::Rcpt, Act::Say("421 4.3.2 not now\r\n")).with_nth(Phase::Rcpt, 1, Act::Drop);
    assert_eq!(of(stays, 2).await, "not sent: rcpt refused 421");
    let stays = chunking().with(Phase::Rcpt, Act::Say("421 4.3.2 not now\r\n"));
    let (handover, _, _) = hand_over_to(stays, &[Field::To; 2]).await;
    assert_eq!((told(&handover.end).as_str(), codes(&handover)), ("accepted 250", vec![421, 250]));
    assert_eq!(of(chunking().with(Phase::EndOfData, farewell), 1).await, "not sent: end-of-data refused 421");
}

#[tokio::test]
async fn a_farewell_in_the_place_of_the_reply_to_rset_is_one_too() {
    let server = chunking()
        .with(Phase::EndOfData, Act::Say("550 5.7.1 spam\r\n"))
        .with(Phase::Connect, Act::SayAndDrop("421 4.4.2 idle too long\r\n"));
    let (_, mut session, _) = hand_over(server).await;
    let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
    assert_eq!((told(&next.end).as_str(), next.reusable), ("not sent: mail refused 421", false));
}

#[tokio::test]
async fn with_a_reply_too_many_nobody_can_tell_which_was_meant() {
    // Matched by counting, the 250 for RCPT would be taken for the refused chunk's.
    let server = chunking()
        .with(Phase::Mail, Act::Say("250 ok\r\n250 ok\r\n"))
        .with(Phase::EndOfData, Act::Say("550 5.7.1 spam\r\n"));
    let (handover, _, _) = hand_over(server).await;
    assert_eq!(told(&handover.end), "uncertain: end-of-data unsolicited");
    assert_eq!((codes(&handover), handover.reusable), (vec![0], false));
    for said in ["250 queued\r\n250 queued\r\n", "550 no\r\n250 queued\r\n"] {
        let end = end_of(chunking().with(Phase::EndOfData, Act::Say(said))).await;
        assert_eq!(end, ("uncertain: end-of-data unsolicited".to_owned(), false), "{said:?}");
    }
    for act in [Act::Say("250 queued\r\n421 enough\r\n"), Act::SayAndDrop("250 queued\r\n")] {
        assert_eq!(end_of(chunking().with(Phase::EndOfData, act)).await, ("accepted 250".to_owned(), false), "{act:?}");
    }
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
    let (handover, _, seen) = hand_over_to(chunking(), &vec![Field::To; 5000]).await;
    assert_eq!(told(&handover.end), "accepted 250");
    assert_eq!(seen.lock().expect("lock").messages, [LETTER]);
}

/// A server that greets, reads up to `octets` of the group, says `said` and reads nothing more.
async fn stops_reading_after(octets: usize, said: &'static str) -> String {
    let (wire, mut server) = tokio::io::duplex(1024);
    let serving = tokio::spawn(async move {
        let mut space = vec![0; octets];
        server.write_all(b"220 mx\r\n").await.expect("written");
        server.read_exact(&mut space[..b"EHLO client.example\r\n".len()]).await.expect("EHLO");
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
    assert_eq!(stops_reading_after(3000, "").await, "uncertain: end-of-data timed out");
    assert_eq!(stops_reading_after(3000, "250 ok\r\n").await, "uncertain: end-of-data timed out");
    assert_eq!(stops_reading_after(3000, "552 5.3.4 too large\r\n").await, "not sent: mail refused 552");
    let all = "250 ok\r\n250 ok\r\n250 queued\r\n";
    assert_eq!(stops_reading_after(3000, all).await, "uncertain: end-of-data unexpected 250");
    let refused = "250 ok\r\n250 ok\r\n552 5.3.4 too large\r\n";
    assert_eq!(stops_reading_after(3000, refused).await, "not sent: end-of-data refused 552");
}
