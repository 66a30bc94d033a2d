//! What each pattern of replies to a group with BDAT proves.

use super::chunking::{chunking, verbs};
use super::phases::{FAULTS, told};
use super::*;
use crate::domain::outcome::{End, RcptOutcome};

const REFUSED: Act = Act::Say("550 5.1.1 unknown\r\n");
const BAD_SEQUENCE: Act = Act::Say("503 5.5.1 bad sequence\r\n");

/// The code for each recipient, 0 where there is none.
fn codes(handover: &Handover) -> Vec<u16> {
    let code = |outcome: &RcptOutcome| match outcome {
        RcptOutcome::Accepted(reply) | RcptOutcome::Refused(reply) => reply.code(),
        RcptOutcome::Unanswered => 0,
    };
    handover.recipients.iter().map(code).collect()
}

/// Handed over to one To; the end in words, and whether the session can go on.
async fn end_of(server: Server) -> (String, bool) {
    let (handover, _, _) = hand_over(server).await;
    (told(&handover.end), handover.reusable)
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
async fn a_reply_about_an_address_in_the_place_of_the_chunks_is_one_that_was_moved_there() {
    let of = async |server, count: usize| {
        let (handover, _, _) = hand_over_to(server, &[Field::To; 3][..count]).await;
        (told(&handover.end), codes(&handover))
    };
    let at_end = |said| chunking().with(Phase::EndOfData, Act::Say(said));
    // The one before it came twice, and what the server says of the message comes later.
    for count in [1, 2] {
        let moved = of(at_end("250 2.1.5 recipient ok\r\n"), count).await;
        assert_eq!(moved, ("uncertain: end-of-data unexpected 250".to_owned(), vec![0; count]));
    }
    let moved = of(at_end("450 4.1.1 greylisted\r\n"), 2).await;
    assert_eq!(moved, ("uncertain: end-of-data unexpected 450".to_owned(), vec![0, 0]));
    // With one recipient it proves the same, whosever it is.
    let either = of(at_end("550 5.1.1 no such user\r\n"), 1).await;
    assert_eq!(either, ("not sent: end-of-data refused 550".to_owned(), vec![250]));
    let of_the_message = of(at_end("250 2.6.0 queued\r\n"), 2).await;
    assert_eq!(of_the_message, ("accepted 250".to_owned(), vec![250, 250]));
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
