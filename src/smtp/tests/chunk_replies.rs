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
        // Where it was refused, the rest of the group is, too.
        let at_mail = chunking().with(Phase::Mail, act);
        let at_mail = if refused { at_mail.with(Phase::Rcpt, BAD_SEQUENCE) } else { at_mail };
        let (end, reusable) = end_of(at_mail.with(Phase::EndOfData, BAD_SEQUENCE)).await;
        let at = if refused { "mail" } else { "end-of-data" };
        let usable = expected == "refused 550";
        assert_eq!((end, reusable), (format!("{proof}: {at} {expected}"), usable), "{act:?} at MAIL");

        let (end, reusable) = end_of(chunking().with(Phase::Rcpt, act).with(Phase::EndOfData, BAD_SEQUENCE)).await;
        let end_at_rcpt = match expected {
            "refused 421" => "not sent: rcpt refused 421".to_owned(),
            "refused 550" => "no recipient".to_owned(),
            other => format!("uncertain: end-of-data {other}"),
        };
        assert_eq!((end, reusable), (end_at_rcpt, usable), "{act:?} at RCPT");

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
async fn of_several_recipients_a_refused_one_is_told_from_the_others_because_their_letter_goes_by_data() {
    let refused = || chunking().with_nth(Phase::Rcpt, 1, REFUSED);
    let (handover, _, seen) = hand_over_to(refused(), &[Field::To; 3]).await;
    assert_eq!((told(&handover.end).as_str(), handover.reusable), ("accepted 250", true));
    assert_eq!(codes(&handover), [250, 550, 250]);
    assert_eq!(verbs(&seen), ["EHLO", "MAIL", "RCPT", "RCPT", "RCPT", "DATA"]);

    for (act, expected) in [(Act::Drop, "lost"), (Act::Say("what?\r\n"), "garbled")] {
        let (handover, _, seen) = hand_over_to(refused().with(Phase::EndOfData, act), &[Field::To; 2]).await;
        assert_eq!(told(&handover.end), format!("uncertain: end-of-data {expected}"));
        assert_eq!(codes(&handover), [250, 550], "{act:?}: refused stays refused, the other is uncertain");
        assert_eq!(verbs(&seen).last().map(String::as_str), Some("DATA"));
    }
}

#[tokio::test]
async fn what_is_no_reply_makes_none_before_it_believed() {
    for (act, expected) in [(Act::Drop, vec![250]), (Act::Say("what?\r\n"), vec![0])] {
        let (handover, _, _) = hand_over(chunking().with(Phase::EndOfData, act)).await;
        assert_eq!(codes(&handover), expected, "{act:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_recipient_was_refused_nothing_was_delivered_unless_the_chunk_was_taken() {
    let acts = [
        (Act::Say("554 5.5.1 no valid recipients\r\n"), true),
        (Act::Say("503 5.5.1 bad sequence\r\n"), true),
        (Act::Say("354 go\r\n"), false),
        (Act::Say("421 bye\r\n"), false),
        (Act::Say("what?\r\n"), false),
        (Act::Drop, false),
        (Act::Hang, false),
    ];
    for (act, reusable) in acts {
        let (handover, mut session, seen) =
            hand_over(chunking().with(Phase::Rcpt, REFUSED).with(Phase::EndOfData, act)).await;
        assert_eq!((&handover.end, handover.reusable), (&End::NoRecipient, reusable), "{act:?}");
        assert_eq!((codes(&handover), session.letters()), (vec![550], 0), "{act:?}");
        if reusable {
            let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
            assert_eq!(told(&next.end), "accepted 250");
            assert!(verbs(&seen).contains(&"RSET".to_owned()));
        }
    }
    for refusal in ["550 5.1.1 unknown\r\n", "450 4.7.1 greylisted\r\n", "421 4.3.2 not now\r\n"] {
        let server = chunking().with(Phase::Rcpt, Act::Say(refusal));
        let (handover, session, seen) = hand_over(server).await;
        let told = (told(&handover.end), handover.reusable, codes(&handover));
        assert_eq!(told, ("uncertain: end-of-data unexpected 250".to_owned(), false, vec![0]), "{refusal:?}");
        assert_eq!((session.letters(), seen.lock().expect("lock").messages.len()), (1, 1));
    }
}

#[tokio::test]
async fn a_refusal_of_mail_proves_nothing_if_the_server_took_the_chunk_or_may_have() {
    let said = |mail, rcpt, chunk| async move {
        let server = chunking().with(Phase::Mail, Act::Say(mail));
        end_of(server.with(Phase::Rcpt, Act::Say(rcpt)).with(Phase::EndOfData, chunk)).await.0
    };
    let (ok, taken, no) = ("250 2.1.5 ok\r\n", Act::Say("250 2.0.0 queued\r\n"), "503 5.5.1 no\r\n");
    // Left over from the letter before, or a farewell after which the server stayed.
    for mail in ["550 5.7.1 spam\r\n", "451 4.3.0 later\r\n", "421 4.4.2 idle too long\r\n"] {
        for (rcpt, chunk) in [(ok, taken), (no, taken), ("354 go\r\n", taken)] {
            assert_eq!(said(mail, rcpt, chunk).await, "uncertain: end-of-data unexpected 250", "{mail:?} {rcpt:?}");
        }
        assert_eq!(said(mail, ok, Act::Drop).await, "uncertain: end-of-data unexpected 250", "{mail:?}");
        let odd = said(mail, no, Act::Say("503 5.5.1 no\r\n250 2.0.0 queued\r\n")).await;
        assert_eq!(odd, "uncertain: end-of-data unsolicited", "{mail:?}");
        // The chunk was refused, or nothing says that the refusal of MAIL was not meant.
        let code = &mail[..3];
        for (rcpt, chunk) in [(ok, Act::Say(no)), (no, Act::Drop), (no, Act::Say("503 5.5.1 no\r\n500 what\r\n"))] {
            assert_eq!(said(mail, rcpt, chunk).await, format!("not sent: mail refused {code}"), "{rcpt:?} {chunk:?}");
        }
    }
    // Every reply one place too late.
    let moved = "550 5.7.1 spam\r\n250 2.1.0 ok\r\n";
    for chunk in [taken, Act::Say(no), Act::Drop] {
        assert_eq!(said(moved, ok, chunk).await.split(':').next(), Some("uncertain"), "{chunk:?}");
    }
}

#[tokio::test]
async fn a_farewell_is_believed_only_while_nobody_was_accepted() {
    let farewell = Act::SayAndDrop("421 4.3.2 closing\r\n");
    let of = async |server| end_of(server).await.0;
    assert_eq!(of(chunking().with(Phase::Mail, farewell)).await, "not sent: mail refused 421");
    assert_eq!(of(chunking().with(Phase::Rcpt, farewell)).await, "not sent: rcpt refused 421");
    assert_eq!(of(chunking().with(Phase::EndOfData, farewell)).await, "not sent: end-of-data refused 421");
    assert_eq!(of(chunking().with(Phase::EndOfData, Act::Drop)).await, "uncertain: end-of-data lost");
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
    let of = async |said| {
        let (handover, _, _) = hand_over(chunking().with(Phase::EndOfData, Act::Say(said))).await;
        (told(&handover.end), codes(&handover))
    };
    // The one before it came twice, and what the server says of the message comes later.
    for said in ["250 2.1.5 recipient ok\r\n", "250  2.1.5 recipient ok\r\n", "250 2.1.0 sender ok\r\n"] {
        assert_eq!(of(said).await, ("uncertain: end-of-data unexpected 250".to_owned(), vec![0]), "{said:?}");
    }
    // A refusal proves the same, whichever it is.
    let either = of("550 5.1.1 no such user\r\n").await;
    assert_eq!(either, ("not sent: end-of-data refused 550".to_owned(), vec![250]));
    assert_eq!(of("250 2.6.0 queued\r\n").await, ("accepted 250".to_owned(), vec![250]));
}

#[tokio::test]
async fn with_a_reply_too_many_nobody_can_tell_which_was_meant() {
    // Matched by counting, the 250 for RCPT would be taken for the refused chunk's.
    let server = chunking()
        .with(Phase::Mail, Act::Say("250 ok\r\n250 ok\r\n"))
        .with(Phase::Rcpt, Act::Say("250 ok\r\n"))
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
