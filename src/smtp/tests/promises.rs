//! What other transports get wrong, and what a session promises about one letter.

use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::domain::outcome::{End, RcptOutcome, Trouble};

#[tokio::test]
async fn a_doubled_354_and_then_a_refusal_is_not_a_success() {
    let server = Server::new(LOCK_STEP)
        .with(Phase::Data, Act::Say("354 go\r\n354 go\r\n"))
        .with(Phase::EndOfData, Act::Say("550 rejected\r\n"));
    let (handover, _, seen) = hand_over(server).await;
    let End::NotSent(fault) = handover.end else { panic!("{:?}", handover.end) };
    assert_eq!(fault, Fault::new(Phase::Body, Trouble::Unsolicited("354 go".into())));
    assert!(!handover.reusable);
    assert!(seen.lock().expect("lock").messages.is_empty());
}

#[tokio::test]
async fn a_bare_250_latin_1_text_and_an_lf_only_reply_after_the_dot_are_acceptances() {
    let acts =
        [Act::Say("250\r\n"), Act::Octets(b"250 accept\xe9\r\n"), Act::Say("250 ok\n"), Act::Say("250-a\n250\n")];
    for act in acts {
        let (handover, _, _) = hand_over(Server::new(PIPELINING).with(Phase::EndOfData, act)).await;
        assert!(matches!(handover.end, End::Accepted(_)), "{act:?}: {:?}", handover.end);
        assert!(handover.reusable, "{act:?}");
    }
}

#[tokio::test]
async fn after_a_valid_250_nothing_takes_it_back_but_the_session_is_not_trusted() {
    for act in
        [Act::Say("250 ok\r\n550 no after all\r\n"), Act::SayAndDrop("250 ok\r\n"), Act::Say("250 ok\r\n421 bye\r\n")]
    {
        let (handover, mut session, _) = hand_over(Server::new(PIPELINING).with(Phase::EndOfData, act)).await;
        assert!(matches!(&handover.end, End::Accepted(reply) if reply.code() == 250), "{act:?}");
        assert!(!handover.reusable, "{act:?}");
        let again = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert!(matches!(&again.end, End::NotSent(fault) if fault.phase == Phase::Mail), "{:?}", again.end);
        assert!(!again.reusable);
    }
}

#[tokio::test]
async fn a_refusal_with_an_acceptance_right_behind_it_is_neither() {
    for ehlo in [PIPELINING, LOCK_STEP] {
        for said in ["451 4.3.0 later\r\n250 2.0.0 queued\r\n", "554 5.7.1 no\r\n250 queued\r\n"] {
            let (handover, _, _) = hand_over(Server::new(ehlo).with(Phase::EndOfData, Act::Say(said))).await;
            let unsolicited = matches!(&handover.end, End::Uncertain(Fault { trouble: Trouble::Unsolicited(_), .. }));
            assert!(unsolicited && !handover.reusable, "{said:?}: {:?}", handover.end);
        }
        for said in ["451 4.3.0 later\r\n421 bye\r\n", "554 5.7.1 no\r\n554 5.7.1 no\r\n"] {
            let (handover, _, _) = hand_over(Server::new(ehlo).with(Phase::EndOfData, Act::Say(said))).await;
            assert!(matches!(handover.end, End::NotSent(_)) && !handover.reusable, "{said:?}: {:?}", handover.end);
        }
    }
}

#[tokio::test]
async fn a_reply_left_by_a_cancelled_letter_is_never_read_for_the_next() {
    let (session, seen) = open(Server::new(PIPELINING)).await;
    let mut session = session.expect("a session");
    let to = envelope(&[Field::To]);
    let stuck = session.hand_over(LETTER, &to, std::future::pending());
    // Dropped while it waits for its intent: the message is written, the terminator is not.
    assert!(tokio::time::timeout(Duration::from_millis(20), stuck).await.is_err());
    let next = session.hand_over(LETTER, &to, async { true }).await;
    assert!(matches!(&next.end, End::NotSent(fault) if fault.phase == Phase::Mail), "{:?}", next.end);
    assert!(!next.reusable);
    session.quit().await;
    tokio::task::yield_now().await;
    let seen = seen.lock().expect("lock");
    assert!(seen.messages.is_empty());
    assert_eq!(seen.commands.iter().filter(|line| line.starts_with("MAIL")).count(), 1);
    assert!(!seen.commands.iter().any(|line| line == "QUIT"));
}

#[tokio::test]
async fn an_unsolicited_reply_before_the_first_letter_closes_the_session_without_a_word() {
    for (said, expected) in
        [(Act::Say("250-a\r\n250 b\r\n250 stale\r\n"), "250 stale"), (Act::Say("250 a\r\n421 idle\r\n"), "421 idle")]
    {
        let (session, seen) = open(Server::new(LOCK_STEP).with(Phase::Ehlo, said)).await;
        let fault = session.expect_err("no session");
        assert_eq!(fault, Fault::new(Phase::Ehlo, Trouble::Unsolicited(expected.into())));
        assert_eq!(seen.lock().expect("lock").commands, ["EHLO client.example"]);
    }
}

#[tokio::test]
async fn a_connection_closed_between_letters_is_seen_before_the_next() {
    let (session, _) = open(Server::new(PIPELINING).with(Phase::Ehlo, Act::SayAndDrop("250 hi\r\n"))).await;
    let handover = session.expect("a session").hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
    assert_eq!(handover.end, End::NotSent(Fault::new(Phase::Mail, Trouble::Closed)));
}

#[tokio::test]
async fn an_extra_reply_within_a_group_makes_none_of_them_believed() {
    let server = Server::new(PIPELINING)
        .with(Phase::Mail, Act::Say("250 ok\r\n250 ok\r\n"))
        .with(Phase::Rcpt, Act::Say("550 no\r\n"))
        .with(Phase::Data, Act::Say("503 no recipient\r\n"));
    let (handover, _, _) = hand_over(server).await;
    assert!(
        matches!(&handover.end, End::NotSent(Fault { phase: Phase::Data, trouble: Trouble::Unsolicited(_) })),
        "{:?}",
        handover.end
    );
    assert_eq!(handover.recipients, [RcptOutcome::Unanswered]);
    assert!(!handover.reusable);
}

#[tokio::test]
async fn no_octet_of_the_terminator_leaves_before_the_intent_is_durable() {
    let (session, seen) = open(Server::new(PIPELINING)).await;
    let mut session = session.expect("a session");
    let durable = AtomicBool::new(false);
    let (release, released) = oneshot::channel();
    let intent = async {
        released.await.expect("released");
        durable.store(true, Ordering::SeqCst);
        true
    };
    let to = envelope(&[Field::To]);
    let handing = session.hand_over(LETTER, &to, intent);
    let watching = async {
        while !seen.lock().expect("lock").commands.iter().any(|line| line == "DATA") {
            tokio::task::yield_now().await;
        }
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(seen.lock().expect("lock").messages.is_empty(), "ended before the intent");
        release.send(()).expect("the intent waits");
    };
    let (handover, ()) = tokio::join!(handing, watching);
    assert!(matches!(handover.end, End::Accepted(_)));
    assert!(durable.load(Ordering::SeqCst));
    assert_eq!(seen.lock().expect("lock").messages.len(), 1);
}

#[tokio::test]
async fn without_intent_the_connection_is_dropped_without_terminator_and_without_quit() {
    let (session, seen) = open(Server::new(PIPELINING)).await;
    let mut session = session.expect("a session");
    let handover = session.hand_over(LETTER, &envelope(&[Field::To]), async { false }).await;
    assert_eq!(handover.end, End::NotSent(Fault::new(Phase::Body, Trouble::NoIntent)));
    assert!(!handover.reusable);
    session.quit().await;
    while seen.lock().expect("lock").partial.is_empty() {
        tokio::task::yield_now().await;
    }
    let seen = seen.lock().expect("lock");
    assert!(seen.messages.is_empty());
    assert!(LETTER.len() + 1 >= seen.partial.len() && !seen.partial.ends_with(b"\r\n.\r\n"));
    assert_eq!(seen.commands.last().map(String::as_str), Some("DATA"));
}

#[tokio::test]
async fn the_intent_is_not_asked_for_a_letter_that_does_not_get_so_far() {
    let (session, _) = open(Server::new(PIPELINING).with(Phase::Data, Act::Say("451 later\r\n"))).await;
    let asked = AtomicBool::new(false);
    let intent = async {
        asked.store(true, Ordering::SeqCst);
        true
    };
    let handover = session.expect("a session").hand_over(LETTER, &envelope(&[Field::To]), intent).await;
    assert!(matches!(handover.end, End::NotSent(Fault { phase: Phase::Data, .. })));
    assert!(!asked.load(Ordering::SeqCst));
}

#[tokio::test]
async fn the_letter_arrives_octet_for_octet_and_dot_stuffed() {
    let (handover, session, seen) = hand_over(Server::new(PIPELINING)).await;
    assert!(matches!(handover.end, End::Accepted(_)) && handover.reusable);
    assert_eq!(session.letters(), 1);
    session.quit().await;
    let seen = seen.lock().expect("lock");
    assert_eq!(seen.messages, [b"Subject: x\r\n\r\n..hidden\r\nbye\r\n".to_vec()]);
    let size = format!("MAIL FROM:<us@here.example> SIZE={}", LETTER.len());
    let expected = ["EHLO client.example", &size, "RCPT TO:<r0@missions.example>", "DATA", "QUIT"];
    assert_eq!(seen.commands, expected);
}

#[tokio::test]
async fn a_large_letter_arrives_whole_over_a_narrow_pipe() {
    let (session, seen) = open(Server::new(PIPELINING)).await;
    let letter = b".a line of text that begins with a dot\r\n".repeat(10_000);
    let handover = session.expect("a session").hand_over(&letter, &envelope(&[Field::To]), async { true }).await;
    assert!(matches!(handover.end, End::Accepted(_)), "{:?}", handover.end);
    assert_eq!(seen.lock().expect("lock").messages, [b"..a line of text that begins with a dot\r\n".repeat(10_000)]);
}

#[tokio::test]
async fn a_letter_that_the_server_cannot_take_costs_nothing_and_leaves_the_session_usable() {
    let (session, seen) = open(Server::new(PIPELINING)).await;
    let mut session = session.expect("a session");
    let large = b"0123456789\r\n".repeat(100_000);
    let handover = session.hand_over(&large, &envelope(&[Field::To]), async { true }).await;
    assert!(
        matches!(&handover.end, End::NotSent(Fault { phase: Phase::Mail, trouble: Trouble::LetterNotTakeable(_) })),
        "{:?}",
        handover.end
    );
    assert!(handover.reusable);
    let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
    assert!(matches!(next.end, End::Accepted(_)));
    assert_eq!(seen.lock().expect("lock").commands.iter().filter(|line| line.starts_with("MAIL")).count(), 1);
}
