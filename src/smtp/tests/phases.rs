//! Each phase × each fault: where it failed and what that proves.

use super::*;
use crate::domain::outcome::{End, RcptOutcome, Trouble};

pub(super) fn kind(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Refused(reply) => format!("refused {}", reply.code()),
        Trouble::Unexpected(reply) => format!("unexpected {}", reply.code()),
        Trouble::Garbled(_) => "garbled".into(),
        Trouble::Unsolicited(_) => "unsolicited".into(),
        Trouble::Closed | Trouble::Broken(_) => "lost".into(),
        Trouble::TimedOut(_) => "timed out".into(),
        other => format!("{other:?}"),
    }
}

pub(super) fn told(end: &End) -> String {
    match end {
        End::Accepted(reply) => format!("accepted {}", reply.code()),
        End::NotSent(fault) => format!("not sent: {} {}", fault.phase, kind(&fault.trouble)),
        End::NoRecipient => "no recipient".into(),
        End::Uncertain(fault) => format!("uncertain: {} {}", fault.phase, kind(&fault.trouble)),
    }
}

pub(super) const FAULTS: [(Act, &str); 8] = [
    (Act::Say("421 4.3.2 closing\r\n"), "refused 421"),
    (Act::Say("550 5.0.0 no\r\n"), "refused 550"),
    (Act::Drop, "lost"),
    (Act::SayAndDrop("250 half"), "lost"),
    (Act::Say("what?\r\n"), "garbled"),
    (Act::Say("250-a\r\n550 b\r\n"), "garbled"),
    (Act::Hang, "timed out"),
    (Act::Drip, "timed out"),
];

#[tokio::test(start_paused = true)]
async fn before_mail_every_fault_names_its_phase() {
    for (act, expected) in FAULTS {
        for phase in [Phase::Banner, Phase::Ehlo] {
            // A drip of digits is too long for a line only after a day.
            let (session, _) = open(Server::new(LOCK_STEP).with(phase, act)).await;
            let fault = session.expect_err("a fault");
            assert_eq!((fault.phase, kind(&fault.trouble).as_str()), (phase, expected), "{act:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn before_the_terminator_every_fault_proves_that_nothing_was_delivered() {
    for (act, expected) in FAULTS {
        for ehlo in [PIPELINING, LOCK_STEP] {
            for phase in [Phase::Mail, Phase::Rcpt, Phase::Data] {
                let (handover, session, seen) = hand_over(Server::new(ehlo).with(phase, act)).await;
                let refused_address = phase == Phase::Rcpt && expected == "refused 550";
                let fault =
                    if refused_address { "no recipient".into() } else { format!("not sent: {phase} {expected}") };
                assert_eq!(told(&handover.end), fault, "{act:?} at {phase}");
                let usable = expected == "refused 550";
                // MAIL refused, yet the scripted server lets DATA of the same group through.
                let suspect = phase == Phase::Mail && ehlo == PIPELINING;
                assert_eq!(handover.reusable, usable && !suspect, "{act:?} at {phase}");
                assert_eq!(session.letters(), 0);
                assert!(seen.lock().expect("lock").messages.iter().all(Vec::is_empty), "{act:?} at {phase}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn in_the_body_every_fault_proves_that_nothing_was_delivered() {
    let expected = ["refused 421", "refused 550", "lost", "unsolicited", "unsolicited", "timed out"];
    let acts = [FAULTS[0].0, FAULTS[1].0, FAULTS[2].0, FAULTS[4].0, Act::Say("250 fine already\r\n"), Act::Hang];
    for (act, expected) in acts.into_iter().zip(expected) {
        for ehlo in [PIPELINING, LOCK_STEP] {
            let (acted, intent) = oneshot::channel();
            let mut server = Server::new(ehlo).with(Phase::Body, act);
            server.acted = Some(acted);
            let (session, seen) = open(server).await;
            let mut session = session.expect("a session");
            let line = [vec![b'x'; 76], b"\r\n".to_vec()].concat();
            let large = if matches!(act, Act::Hang) { line.repeat(3000) } else { line };
            let intent = async move {
                // Resolves when the server has acted, by a word or by being gone.
                let _ = intent.await;
                true
            };
            let handover = session.hand_over(&large, &envelope(&[Field::To]), intent).await;
            assert_eq!(told(&handover.end), format!("not sent: body {expected}"), "{act:?}");
            assert!(!handover.reusable, "{act:?}");
            assert!(seen.lock().expect("lock").messages.is_empty(), "{act:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_terminator_only_a_whole_valid_reply_is_believed() {
    for (act, expected) in FAULTS.into_iter().chain([(Act::Say("354 go on\r\n"), "unexpected 354")]) {
        for ehlo in [PIPELINING, LOCK_STEP] {
            let (handover, session, seen) = hand_over(Server::new(ehlo).with(Phase::EndOfData, act)).await;
            let proof = if expected.starts_with("refused") { "not sent" } else { "uncertain" };
            assert_eq!(told(&handover.end), format!("{proof}: end-of-data {expected}"), "{act:?}");
            assert_eq!(handover.reusable, expected == "refused 550", "{act:?}");
            assert_eq!(session.letters(), 1);
            assert!(matches!(handover.recipients[..], [RcptOutcome::Accepted(_)]));
            assert_eq!(seen.lock().expect("lock").messages.len(), 1);
        }
    }
}

#[tokio::test]
async fn exactly_the_code_that_is_due_is_taken() {
    let cases = [
        (Phase::Mail, "251 will do\r\n", "not sent: mail unexpected 251"),
        (Phase::Rcpt, "252 perhaps\r\n", "not sent: rcpt unexpected 252"),
        (Phase::Rcpt, "354 go\r\n", "not sent: rcpt unexpected 354"),
        (Phase::Data, "250 ok\r\n", "not sent: data unexpected 250"),
        (Phase::Data, "150 wait\r\n", "not sent: data unexpected 150"),
        (Phase::Rcpt, "251 forwarded\r\n", "accepted 250"),
        (Phase::EndOfData, "252 odd\r\n", "accepted 252"),
        (Phase::EndOfData, "150 wait\r\n", "uncertain: end-of-data unexpected 150"),
    ];
    for (phase, said, expected) in cases {
        for ehlo in [PIPELINING, LOCK_STEP] {
            let (handover, _, _) = hand_over(Server::new(ehlo).with(phase, Act::Say(said))).await;
            assert_eq!(told(&handover.end), expected, "{said:?} at {phase}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_deadline_is_for_the_whole_reply() {
    let start = tokio::time::Instant::now();
    let (handover, _, _) = hand_over(Server::new(LOCK_STEP).with(Phase::EndOfData, Act::Drip)).await;
    assert_eq!(told(&handover.end), "uncertain: end-of-data timed out");
    assert_eq!(start.elapsed().as_secs(), 600);
}
