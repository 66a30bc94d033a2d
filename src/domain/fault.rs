//! Whose fault is it, and what follows? The one place that turns a phase and a trouble into what becomes of the letter
//! and of the run: the table of faults as a function.

use jiff::Timestamp;

use super::attempt::LastWord;
use super::delivery::Event;
use super::message::{Envelope, Field, ForwardPath};
use super::outcome::{End, Fault, Handover, Phase, RcptOutcome, Trouble};
use super::reply::Reply;

/// What a trouble in a phase means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Close the session and open another; nothing is charged to a mission.
    NewSession,
    /// As [`Self::NewSession`], but the third time in a row the run stops.
    NewSessionThrice,
    /// The account has to rest; then go on. Nothing is charged to a mission.
    Pause,
    /// Stop the run and say what to fix. Nothing is charged to a mission.
    Halt,
    /// The letter or address is refused for now.
    Defer,
    /// The letter or address is refused for good.
    Fail,
    /// Nobody can know.
    Uncertain,
}

/// What a trouble in a phase means (SMTP.md, "Faults and what they do").
#[must_use]
pub fn verdict(phase: Phase, trouble: &Trouble) -> Verdict {
    match trouble {
        Trouble::Refused(reply) => refused(phase, reply),
        Trouble::LetterNotTakeable(_) => Verdict::Fail,
        Trouble::NotOffered(_) | Trouble::Certificate(_) | Trouble::Injected | Trouble::Credentials(_) => Verdict::Halt,
        Trouble::NoIntent => Verdict::Halt,
        Trouble::Unexpected(_)
        | Trouble::Garbled(_)
        | Trouble::Unsolicited(_)
        | Trouble::Closed
        | Trouble::Broken(_)
        | Trouble::Tls(_)
        | Trouble::TimedOut(_) => no_valid_reply(phase, trouble),
    }
}

fn no_valid_reply(phase: Phase, trouble: &Trouble) -> Verdict {
    match phase {
        Phase::EndOfData => Verdict::Uncertain,
        Phase::Body => Verdict::Defer,
        Phase::Data if matches!(trouble, Trouble::Unsolicited(_)) => Verdict::Defer,
        Phase::StartTls if matches!(trouble, Trouble::Unsolicited(_)) => Verdict::Halt,
        _ => Verdict::NewSession,
    }
}

fn refused(phase: Phase, reply: &Reply) -> Verdict {
    if !phase.before_mail()
        && let Some(verdict) = account_wide(phase, reply)
    {
        return verdict;
    }
    match (phase, reply.code()) {
        (Phase::Connect | Phase::Tls | Phase::Banner | Phase::Ehlo, 550 | 554) => Verdict::NewSessionThrice,
        (_, 530 | 535) => Verdict::Halt,
        (Phase::Connect | Phase::Tls | Phase::Banner | Phase::Ehlo, _) => Verdict::NewSession,
        (Phase::StartTls | Phase::Auth, 400..=499) => Verdict::NewSession,
        (Phase::StartTls | Phase::Auth, _) => Verdict::Halt,
        (Phase::Mail, 421 | 450 | 452 | 454) => Verdict::Pause,
        (Phase::Mail, 400..=499) => Verdict::Defer,
        (Phase::Mail, 552) => Verdict::Fail,
        (Phase::Mail, _) => Verdict::Halt,
        (Phase::Rcpt | Phase::Data, 421) => Verdict::NewSession,
        (Phase::Rcpt, 552) => Verdict::Defer,
        (_, 400..=499) => Verdict::Defer,
        _ => Verdict::Fail,
    }
}

/// Refusals of the account, not of the mission, wherever they come. The providers' words are of November 2026.
fn account_wide(phase: Phase, reply: &Reply) -> Option<Verdict> {
    let enhanced = reply.enhanced().map(|code| (code.class, code.subject, code.detail));
    let text = reply.text().to_ascii_lowercase();
    let quota = ["quota", "limit", "too many", "throttl"].iter().any(|word| text.contains(word));
    match (reply.code(), enhanced) {
        // Microsoft 365: basic authentication is off.
        (550, Some((5, 7, 30))) => Some(Verdict::Halt),
        // Gmail: the daily limit, and too fast. Microsoft 365: too many connections.
        (550, Some((5, 4, 5))) | (450, Some((4, 2, 1))) | (432, _) => Some(Verdict::Pause),
        // Microsoft 365: the daily limit. 5.2.0 alone says nothing about the account (RFC 3463 §3.3).
        (554, Some((5, 2, 0))) if quota => Some(Verdict::Pause),
        // RFC 5321 §4.5.3.1.10 asks for 452 when there are too many recipients.
        (452, Some((4, 5, 3))) if phase == Phase::Rcpt => Some(Verdict::Pause),
        // A temporary authentication failure (RFC 4954 §6), and Amazon SES's throttling.
        (454, _) if phase != Phase::Body => Some(Verdict::Pause),
        (_, Some((4, 7, _))) if phase == Phase::Mail => Some(Verdict::Pause),
        (_, Some((5, 7, _))) if phase == Phase::Mail => Some(Verdict::Halt),
        (550, _) if phase == Phase::Mail && quota => Some(Verdict::Pause),
        _ => None,
    }
}

/// What becomes of the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// The next letter, please.
    GoOn,
    /// The account rests.
    Pause,
    /// The run stops.
    Halt,
}

/// What becomes of one address of the attempt's envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressJudgement {
    /// The forward path.
    pub address: String,
    /// What happens to it.
    pub event: Event,
    /// Why.
    pub word: LastWord,
}

/// What follows from one handover.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// One for each forward path of the attempt's envelope, in its order.
    pub addresses: Vec<AddressJudgement>,
    /// The last word on the delivery as a whole.
    pub last: LastWord,
    /// What becomes of the run.
    pub run: Run,
    /// False if the attempt was given back: no mission is to blame, and the try does not count.
    pub charged: bool,
    /// True for a refusal after the terminator, or a lost reply, that several times in a row means the relay and not the
    /// missions.
    pub breaker: bool,
}

/// A letter that was taken for some of its addresses and refused for others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The addresses that did not get it, and why.
    pub refused: Vec<(ForwardPath, LastWord)>,
    /// The addresses that it was taken for.
    pub taken: Vec<String>,
}

impl Judgement {
    /// What is missing though the mission has the letter: a main address took it now, or none was left to be sent to, which is so
    /// once one of them took it earlier.
    #[must_use]
    pub fn short_of(&self, envelope: &Envelope) -> Option<Short> {
        let is_main = |one: &&AddressJudgement| {
            envelope.forward_paths.iter().any(|path| path.field == Field::To && path.address == one.address)
        };
        let (main, copies): (Vec<_>, Vec<_>) = self.addresses.iter().partition(is_main);
        let lacks = |those: &[&AddressJudgement]| those.iter().any(|one| one.event != Event::Accept);
        let has_it = main.is_empty() || main.iter().any(|one| one.event == Event::Accept);
        match (has_it, lacks(&main), lacks(&copies)) {
            (true, true, _) => Some(Short::OfAddresses),
            (true, false, true) => Some(Short::OfCopies),
            _ => None,
        }
    }

    /// Who got the letter and who did not, where both happened: the last word on the whole is then the one that took it, and says
    /// nothing of a refusal.
    #[must_use]
    pub fn split(&self, envelope: &Envelope) -> Option<Split> {
        let (mut refused, mut taken) = (Vec::new(), Vec::new());
        for one in &self.addresses {
            match one.event {
                Event::Accept => taken.push(one.address.clone()),
                Event::Fail | Event::Defer => {
                    let path = envelope.forward_paths.iter().find(|path| path.address == one.address)?;
                    refused.push((path.clone(), one.word.clone()));
                }
                _ => return None,
            }
        }
        (!refused.is_empty() && !taken.is_empty()).then_some(Split { refused, taken })
    }
}

/// What of a letter did not arrive although its mission has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// Copies (Cc, Bcc) alone.
    OfCopies,
    /// A further main address (To).
    OfAddresses,
}

/// Judges one handover of a letter to `envelope`.
#[must_use]
pub fn judge(envelope: &Envelope, handover: &Handover, at: Timestamp) -> Judgement {
    match &handover.end {
        End::Accepted(reply) => accepted(envelope, handover, reply, at),
        End::NoRecipient => no_recipient(envelope, handover, at),
        End::NotSent(fault) => not_sent(envelope, handover, fault, at),
        End::Uncertain(fault) => {
            let last = LastWord::of_fault(fault, at);
            let addresses = each(envelope, handover, at, || (Event::LoseTrack, last.clone()));
            Judgement { addresses, last, run: Run::GoOn, charged: true, breaker: true }
        }
    }
}

fn accepted(envelope: &Envelope, handover: &Handover, reply: &Reply, at: Timestamp) -> Judgement {
    let last = LastWord::of_reply(Phase::EndOfData, reply, at);
    let addresses = each(envelope, handover, at, || (Event::Accept, last.clone()));
    let run = worst_rcpt(handover);
    Judgement { addresses, last, run, charged: true, breaker: false }
}

fn no_recipient(envelope: &Envelope, handover: &Handover, at: Timestamp) -> Judgement {
    let run = worst_rcpt(handover);
    let first_refusal = handover.recipients.iter().find_map(|outcome| match outcome {
        RcptOutcome::Refused(reply) => Some(LastWord::of_reply(Phase::Rcpt, reply, at)),
        _ => None,
    });
    let last = first_refusal.unwrap_or_else(|| LastWord {
        phase: Phase::Rcpt,
        code: None,
        enhanced: None,
        text: "no To address was accepted".to_owned(),
        at,
    });
    if run != Run::GoOn {
        return released(envelope, last, run);
    }
    // A copy follows the letter: it is tried again if any To address will be.
    let later = envelope
        .forward_paths
        .iter()
        .zip(&handover.recipients)
        .filter(|(path, _)| path.field == Field::To)
        .any(|(_, outcome)| rcpt_event(outcome) == Some(Event::Defer));
    let follow = if later { Event::Defer } else { Event::Fail };
    let word = LastWord {
        phase: Phase::Rcpt,
        code: None,
        enhanced: None,
        text: "not sent, because no To address of this mission was accepted".to_owned(),
        at,
    };
    let addresses = each(envelope, handover, at, || (follow, word.clone()));
    Judgement { addresses, last, run, charged: true, breaker: false }
}

fn not_sent(envelope: &Envelope, handover: &Handover, fault: &Fault, at: Timestamp) -> Judgement {
    let last = LastWord::of_fault(fault, at);
    let verdict = verdict(fault.phase, &fault.trouble);
    let event = match verdict {
        Verdict::Fail => Event::Fail,
        Verdict::Defer | Verdict::Uncertain => Event::Defer,
        Verdict::NewSession | Verdict::NewSessionThrice => return released(envelope, last, Run::GoOn),
        Verdict::Pause => return released(envelope, last, Run::Pause),
        Verdict::Halt => return released(envelope, last, Run::Halt),
    };
    let breaker = fault.phase == Phase::EndOfData && last.code == Some(554);
    let addresses = each(envelope, handover, at, || (event, last.clone()));
    Judgement { addresses, last, run: Run::GoOn, charged: true, breaker }
}

fn released(envelope: &Envelope, last: LastWord, run: Run) -> Judgement {
    let addresses = envelope
        .forward_paths
        .iter()
        .map(|path| AddressJudgement { address: path.address.clone(), event: Event::Release, word: last.clone() })
        .collect();
    Judgement { addresses, last, run, charged: false, breaker: false }
}

/// Addresses that RCPT refused get their own event; the others get what `rest` says.
fn each(
    envelope: &Envelope,
    handover: &Handover,
    at: Timestamp,
    rest: impl Fn() -> (Event, LastWord),
) -> Vec<AddressJudgement> {
    envelope
        .forward_paths
        .iter()
        .zip(&handover.recipients)
        .map(|(path, outcome)| {
            let (event, word) = match (rcpt_event(outcome), outcome) {
                (Some(event), RcptOutcome::Refused(reply)) => (event, LastWord::of_reply(Phase::Rcpt, reply, at)),
                _ => rest(),
            };
            AddressJudgement { address: path.address.clone(), event, word }
        })
        .collect()
}

fn rcpt_event(outcome: &RcptOutcome) -> Option<Event> {
    let RcptOutcome::Refused(reply) = outcome else { return None };
    match refused(Phase::Rcpt, reply) {
        Verdict::Fail => Some(Event::Fail),
        _ => Some(Event::Defer),
    }
}

fn worst_rcpt(handover: &Handover) -> Run {
    let verdicts = handover.recipients.iter().filter_map(|outcome| match outcome {
        RcptOutcome::Refused(reply) => Some(refused(Phase::Rcpt, reply)),
        _ => None,
    });
    verdicts.fold(Run::GoOn, |run, verdict| match (run, verdict) {
        (Run::Halt, _) | (_, Verdict::Halt) => Run::Halt,
        (_, Verdict::Pause) => Run::Pause,
        (run, _) => run,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(code: u16, text: &str) -> Reply {
        Reply::new(code, vec![text.as_bytes().to_vec()]).expect("a code")
    }

    fn of(phase: Phase, code: u16, text: &str) -> Verdict {
        verdict(phase, &Trouble::Refused(reply(code, text)))
    }

    /// The table of SMTP.md, a row for each refusal: banner, STARTTLS, AUTH, MAIL, RCPT, DATA, body, end of data.
    #[test]
    fn every_refusal_means_what_the_table_of_faults_says() {
        use Verdict::{Defer as D, Fail as F, Halt as H, NewSession as S, NewSessionThrice as T, Pause as P};
        let phases = [
            Phase::Banner,
            Phase::StartTls,
            Phase::Auth,
            Phase::Mail,
            Phase::Rcpt,
            Phase::Data,
            Phase::Body,
            Phase::EndOfData,
        ];
        let table = [
            (421, [S, S, S, P, S, S, D, D]),
            (450, [S, S, S, P, D, D, D, D]),
            (451, [S, S, S, D, D, D, D, D]),
            (452, [S, S, S, P, D, D, D, D]),
            (454, [S, S, S, P, P, P, D, P]),
            (535, [H, H, H, H, H, H, H, H]),
            (530, [H, H, H, H, H, H, H, H]),
            (550, [T, H, H, H, F, F, F, F]),
            (552, [S, H, H, F, D, F, F, F]),
            (554, [T, H, H, H, F, F, F, F]),
        ];
        for (code, row) in table {
            for (phase, expected) in phases.into_iter().zip(row) {
                assert_eq!(of(phase, code, "no"), expected, "{code} at {phase}");
            }
        }
    }

    #[test]
    fn every_lost_reply_means_what_the_table_of_faults_says() {
        use Verdict::{Defer as D, NewSession as S, Uncertain as U};
        let troubles = [
            Trouble::Closed,
            Trouble::Broken("reset".into()),
            Trouble::Tls("alert".into()),
            Trouble::TimedOut(std::time::Duration::from_secs(1)),
            Trouble::Garbled("x".into()),
            Trouble::Unexpected(reply(354, "go on")),
        ];
        for trouble in troubles {
            for (phase, expected) in [
                (Phase::Banner, S),
                (Phase::Auth, S),
                (Phase::Mail, S),
                (Phase::Rcpt, S),
                (Phase::Data, S),
                (Phase::Body, D),
                (Phase::EndOfData, U),
            ] {
                assert_eq!(verdict(phase, &trouble), expected, "{trouble:?} at {phase}");
            }
        }
    }

    #[test]
    fn a_refusal_of_the_account_blames_no_mission() {
        assert_eq!(of(Phase::Rcpt, 550, "5.4.5 Daily user sending limit exceeded"), Verdict::Pause);
        assert_eq!(of(Phase::EndOfData, 454, "Throttling failure: Maximum sending rate exceeded."), Verdict::Pause);
        assert_eq!(of(Phase::Rcpt, 452, "4.5.3 Too many recipients"), Verdict::Pause);
        assert_eq!(of(Phase::Mail, 550, "5.7.30 Basic authentication is not supported"), Verdict::Halt);
        assert_eq!(of(Phase::EndOfData, 554, "5.2.0 SubmissionQuotaExceeded"), Verdict::Pause);
        assert_eq!(of(Phase::EndOfData, 554, "5.2.0 mailbox is odd"), Verdict::Fail);
    }

    fn envelope() -> Envelope {
        let path = |address: &str, field| ForwardPath { address: address.into(), field };
        Envelope {
            reverse_path: "s@x.example".into(),
            forward_paths: vec![path("to@a.example", Field::To), path("cc@b.example", Field::Cc)],
        }
    }

    fn events(recipients: Vec<RcptOutcome>, end: End) -> Vec<Event> {
        let handover = Handover { recipients, end, reusable: true };
        judge(&envelope(), &handover, Timestamp::UNIX_EPOCH).addresses.into_iter().map(|a| a.event).collect()
    }

    #[test]
    fn a_refused_copy_is_a_failure_of_its_own() {
        let ok = || RcptOutcome::Accepted(reply(250, "ok"));
        let no = || RcptOutcome::Refused(reply(550, "5.1.1 unknown"));
        assert_eq!(events(vec![ok(), no()], End::Accepted(reply(250, "ok"))), [Event::Accept, Event::Fail]);
        let lost = End::Uncertain(Fault::new(Phase::EndOfData, Trouble::Closed));
        assert_eq!(events(vec![ok(), no()], lost), [Event::LoseTrack, Event::Fail]);
    }

    #[test]
    fn what_was_taken_and_what_was_refused_of_one_letter_are_told_apart() {
        let no = RcptOutcome::Refused(reply(550, "5.1.1 unknown"));
        let handover = |second| Handover {
            recipients: vec![RcptOutcome::Accepted(reply(250, "ok")), second],
            end: End::Accepted(reply(250, "queued")),
            reusable: true,
        };
        let judged = |second| judge(&envelope(), &handover(second), Timestamp::UNIX_EPOCH);
        let split = judged(no).split(&envelope()).expect("a copy was refused");
        assert_eq!(split.taken, ["to@a.example"]);
        assert_eq!(split.refused[0].0, ForwardPath { address: "cc@b.example".into(), field: Field::Cc });
        assert_eq!(split.refused[0].1.code, Some(550));
        assert_eq!(judged(RcptOutcome::Accepted(reply(250, "ok"))).split(&envelope()), None);
    }

    #[test]
    fn a_copy_waits_for_its_letter() {
        let ok = || RcptOutcome::Accepted(reply(250, "ok"));
        let later = RcptOutcome::Refused(reply(450, "4.2.0 greylisted"));
        let never = RcptOutcome::Refused(reply(550, "5.1.1 unknown"));
        assert_eq!(events(vec![later, ok()], End::NoRecipient), [Event::Defer, Event::Defer]);
        assert_eq!(events(vec![never, ok()], End::NoRecipient), [Event::Fail, Event::Fail]);
    }

    #[test]
    fn a_lost_session_before_the_terminator_gives_the_letter_back() {
        let gone = End::NotSent(Fault::new(Phase::Rcpt, Trouble::Closed));
        assert_eq!(
            events(vec![RcptOutcome::Unanswered, RcptOutcome::Unanswered], gone),
            [Event::Release, Event::Release]
        );
    }
}
