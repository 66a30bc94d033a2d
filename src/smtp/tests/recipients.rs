//! What the server says to each recipient, in groups and in lock step, and what is left of the session.

use super::*;
use crate::domain::outcome::{End, RcptOutcome};

fn codes(handover: &Handover) -> Vec<Option<u16>> {
    let code = |outcome: &RcptOutcome| match outcome {
        RcptOutcome::Accepted(reply) | RcptOutcome::Refused(reply) => Some(reply.code()),
        RcptOutcome::Unanswered => None,
    };
    handover.recipients.iter().map(code).collect()
}

fn commands(seen: &Arc<Mutex<Seen>>) -> Vec<String> {
    let seen = seen.lock().expect("lock");
    seen.commands.iter().map(|line| line.split([' ', ':']).next().unwrap_or_default().to_owned()).collect()
}

const REFUSED: Act = Act::Say("550 5.1.1 unknown\r\n");

#[tokio::test]
async fn a_refused_recipient_does_not_end_the_letter_for_the_others() {
    for ehlo in [PIPELINING, LOCK_STEP] {
        let server = Server::new(ehlo).with_nth(Phase::Rcpt, 1, REFUSED);
        let (handover, _, seen) = hand_over_to(server, &[Field::To, Field::To, Field::Cc]).await;
        assert!(matches!(handover.end, End::Accepted(_)));
        assert!(handover.reusable);
        assert_eq!(codes(&handover), [Some(250), Some(550), Some(250)]);
        assert_eq!(seen.lock().expect("lock").messages.len(), 1);
    }
}

#[tokio::test]
async fn with_pipelining_a_354_without_recipient_is_ended_by_a_lone_dot_and_no_letter_counts() {
    let server = Server::new(PIPELINING)
        .with(Phase::Rcpt, REFUSED)
        .with(Phase::EndOfData, Act::Say("554 no valid recipients\r\n"));
    let (handover, mut session, seen) = hand_over(server).await;
    assert_eq!(handover.end, End::NoRecipient);
    assert_eq!(codes(&handover), [Some(550)]);
    assert!(handover.reusable);
    assert_eq!(session.letters(), 0);
    assert_eq!(seen.lock().expect("lock").messages, [Vec::<u8>::new()]);
    let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
    assert!(matches!(next.end, End::Accepted(_)), "{:?}", next.end);
    assert_eq!(session.letters(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_reply_to_the_lone_dot_costs_the_session_only() {
    for act in [Act::Drop, Act::Hang, Act::Say("what\r\n"), Act::Say("421 bye\r\n"), Act::Say("354 go\r\n")] {
        let server = Server::new(PIPELINING).with(Phase::Rcpt, REFUSED).with(Phase::EndOfData, act);
        let (handover, _, _) = hand_over(server).await;
        assert_eq!((&handover.end, handover.reusable), (&End::NoRecipient, false), "{act:?}");
        assert_eq!(codes(&handover), [Some(550)]);
    }
}

#[tokio::test]
async fn data_refused_for_want_of_recipients_is_no_fault() {
    let server =
        Server::new(PIPELINING).with(Phase::Rcpt, REFUSED).with(Phase::Data, Act::Say("503 no valid recipients\r\n"));
    let (handover, mut session, seen) = hand_over(server).await;
    assert_eq!((&handover.end, handover.reusable), (&End::NoRecipient, true));
    let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
    assert!(matches!(next.end, End::Accepted(_)));
    assert_eq!(commands(&seen), ["EHLO", "MAIL", "RCPT", "DATA", "RSET", "MAIL", "RCPT", "DATA"]);
}

#[tokio::test]
async fn an_accepted_copy_never_gets_an_empty_letter_because_its_to_was_refused() {
    for ehlo in [PIPELINING, LOCK_STEP] {
        let server = Server::new(ehlo).with_nth(Phase::Rcpt, 0, REFUSED);
        let (handover, mut session, seen) = hand_over_to(server, &[Field::To, Field::Cc]).await;
        assert_eq!((&handover.end, handover.reusable), (&End::NoRecipient, true));
        assert_eq!(codes(&handover), [Some(550), Some(250)]);
        assert!(!commands(&seen).contains(&"DATA".to_owned()), "DATA must wait for the replies to RCPT");
        let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert!(matches!(next.end, End::Accepted(_)));
        assert_eq!(commands(&seen), ["EHLO", "MAIL", "RCPT", "RCPT", "RSET", "MAIL", "RCPT", "DATA"]);
        assert_eq!(seen.lock().expect("lock").messages.len(), 1);
    }
}

#[tokio::test]
async fn copies_alone_go_out_to_whomever_is_accepted() {
    let server = Server::new(PIPELINING).with_nth(Phase::Rcpt, 0, REFUSED);
    let (handover, _, _) = hand_over_to(server, &[Field::Cc, Field::Bcc]).await;
    assert!(matches!(handover.end, End::Accepted(_)));
    assert_eq!(codes(&handover), [Some(550), Some(250)]);
}

#[tokio::test]
async fn after_a_refused_mail_the_session_takes_the_next_letter() {
    let refused = Act::Say("451 4.7.1 later\r\n");
    let bad_sequence = Act::Say("503 bad sequence\r\n");
    for ehlo in [PIPELINING, LOCK_STEP] {
        let mut server = Server::new(ehlo).with(Phase::Mail, refused);
        if ehlo == PIPELINING {
            server = server.with(Phase::Rcpt, bad_sequence).with(Phase::Data, bad_sequence);
        }
        let (handover, mut session, _) = hand_over(server).await;
        assert!(matches!(&handover.end, End::NotSent(fault) if fault.phase == Phase::Mail));
        assert_eq!(codes(&handover), [None], "a 503 after a refused MAIL is about no address");
        assert!(handover.reusable);
        let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert!(matches!(next.end, End::Accepted(_)), "{:?}", next.end);
    }
}

#[tokio::test]
async fn a_refusal_at_the_dot_leaves_the_session_usable_and_other_letters_unharmed() {
    for ehlo in [PIPELINING, LOCK_STEP] {
        let server = Server::new(ehlo).with(Phase::EndOfData, Act::Say("550 5.7.1 spam\r\n"));
        let (handover, mut session, seen) = hand_over(server).await;
        assert!(matches!(&handover.end, End::NotSent(fault) if fault.phase == Phase::EndOfData));
        assert!(handover.reusable);
        let next = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert!(matches!(next.end, End::Accepted(_)));
        assert_eq!(session.letters(), 2);
        assert_eq!(seen.lock().expect("lock").messages.len(), 2);
    }
}

#[tokio::test]
async fn a_group_larger_than_every_buffer_does_not_stand_still() {
    let many = vec![Field::To; 5000];
    let (handover, _, seen) = hand_over_to(Server::new(PIPELINING), &many).await;
    assert!(matches!(handover.end, End::Accepted(_)), "{:?}", handover.end);
    assert_eq!(commands(&seen).iter().filter(|verb| *verb == "RCPT").count(), 5000);
}
