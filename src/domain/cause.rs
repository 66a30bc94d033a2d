//! Why an address has not got the letter, sorted by the codes of a refusal (RFC 3463 §3, RFC 5321 §4.2.3) and by the phase, and
//! what a person can do about it. For people to read: what follows for the letter is decided in `fault`.

use super::attempt::LastWord;
use super::outcome::Phase;

/// A kind of cause; one advice fits all of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// The connection broke after the letter and before the answer.
    NoAnswer,
    /// There is no such mailbox (X.1.0, X.1.1, X.1.3, X.1.6).
    UnknownMailbox,
    /// The domain takes no mail, or there is none of that name (X.1.2, X.1.10, X.4.4).
    UnknownDomain,
    /// The mailbox is there and switched off (5.2.1).
    DisabledMailbox,
    /// The mailbox is full (X.2.2).
    FullMailbox,
    /// The letter is larger than is taken there (X.2.3, X.3.4, 552).
    TooLarge,
    /// The server could not make sure that the sender is who it says (X.7.20 to X.7.29).
    SenderNotProved,
    /// A refusal by policy: a filter, a list of senders, a reputation (5.7.X).
    Policy,
    /// Asked to come back later, as greylisting does (4.7.X).
    AskedToWait,
    /// The server or its network was busy or broken (4.3.X, 4.4.X, 421, 45X).
    Busy,
    /// Something in the message was not understood (X.5.X, X.6.X, 50X).
    NotUnderstood,
    /// The server that we hand letters to cannot take this one (no reply was needed for that).
    NotTakeable,
    /// A copy that stayed behind, because no To address of the mission was taken.
    FollowedTheLetter,
    /// Refused without a code that says why.
    Unexplained,
}

impl Cause {
    /// The cause behind the last word on an address that was refused, deferred or lost.
    #[must_use]
    pub fn of(word: &LastWord) -> Self {
        let Some(code) = word.code else {
            return match word.phase {
                Phase::EndOfData => Self::NoAnswer,
                Phase::Rcpt => Self::FollowedTheLetter,
                Phase::Mail => Self::NotTakeable,
                _ => Self::Busy,
            };
        };
        // A whole reply that was not due after the letter proves nothing.
        if word.phase == Phase::EndOfData && code < 400 {
            return Self::NoAnswer;
        }
        word.enhanced.as_deref().and_then(Self::of_enhanced).unwrap_or_else(|| Self::of_code(code))
    }

    fn of_enhanced(text: &str) -> Option<Self> {
        let code: super::reply::EnhancedStatusCode = text.parse().ok()?;
        Some(match (code.class, code.subject, code.detail) {
            (_, 1, 2 | 10) | (_, 4, 4) => Self::UnknownDomain,
            (_, 1, 0 | 1 | 3 | 6) => Self::UnknownMailbox,
            // Microsoft 365 says that of recipients that its directory does not hold (November 2026).
            (5, 4, 1) => Self::UnknownMailbox,
            (5, 2, 1) => Self::DisabledMailbox,
            (_, 2, 2) => Self::FullMailbox,
            (_, 2, 3) | (_, 3, 4) => Self::TooLarge,
            (_, 7, 20..=29) => Self::SenderNotProved,
            (4, 7, _) => Self::AskedToWait,
            (_, 7, _) => Self::Policy,
            // For good, these say little: the server's words may say more.
            (4, 2..=4, _) | (_, 5, 3) => Self::Busy,
            // X.5.0 is also what is said of a mailbox that is not there.
            (_, 5, 1..) | (_, 6, _) => Self::NotUnderstood,
            _ => return None,
        })
    }

    fn of_code(code: u16) -> Self {
        match code {
            552 => Self::TooLarge,
            500..=504 => Self::NotUnderstood,
            521 | 556 => Self::UnknownDomain,
            400..=499 => Self::Busy,
            _ => Self::Unexplained,
        }
    }

    /// What happened, in a sentence for people who know nothing of mail servers.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::NoAnswer => {
                "The connection broke, or no valid answer came, after the letter and before the receipt: it may or may not \
                 have arrived."
            }
            Self::UnknownMailbox => "There is no mailbox with that address.",
            Self::UnknownDomain => "The part after the “@” does not exist, or takes no mail.",
            Self::DisabledMailbox => "The mailbox exists and is switched off.",
            Self::FullMailbox => "The mailbox is full.",
            Self::TooLarge => "The letter, with what is attached, is larger than this server takes.",
            Self::SenderNotProved => "The server could not make sure that the letter comes from the sender’s domain.",
            Self::Policy => "A rule or a filter of the server refused the letter.",
            Self::AskedToWait => {
                "The server asked to come back later, as many do with senders that they do not know yet."
            }
            Self::Busy => "A server on the way was busy, or a connection did not hold.",
            Self::NotUnderstood => "The server did not understand a part of the message.",
            Self::NotTakeable => {
                "The server that takes our letters cannot carry this one: too large, or such an address."
            }
            Self::FollowedTheLetter => "A copy that was not sent, because no main address of the mission was taken.",
            Self::Unexplained => "The server refused and gave no code that says why; its words may.",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::NoAnswer => {
                "Ask the mission whether it has the letter, or look into the mail server’s log; then record the answer \
                 (`demarche resolve`). It is never sent again without that."
            }
            Self::UnknownMailbox | Self::UnknownDomain => {
                "Find the mission’s present address (its website, the protocol service’s list, a telephone call), correct it \
                 in the recipients file, and send again (`demarche resend`)."
            }
            Self::DisabledMailbox => {
                "Ask the mission for another address, correct it in the recipients file, and send again."
            }
            Self::FullMailbox => "Send again in a day or two; meanwhile ask the mission for a second address.",
            Self::TooLarge => "Make the attachments smaller, or link to them, and send again.",
            Self::SenderNotProved => {
                "Have whoever runs the sender’s domain look at its SPF, DKIM and DMARC records; then send again."
            }
            Self::Policy => {
                "Read the server’s words. Ask the mission’s IT to let the sender through, or write to another address of \
                 the mission; then send again."
            }
            Self::AskedToWait | Self::Busy => {
                "Nothing is wrong with the address: `demarche send` tries again when it is due, `demarche resend` at once."
            }
            Self::NotUnderstood => "Show the server’s words to whoever looks after the sending; then send again.",
            Self::NotTakeable => "Make the letter smaller, or use another server to send through; then send again.",
            Self::FollowedTheLetter => "See to the mission’s main address; the copy follows.",
            Self::Unexplained => "Read the server’s words, ask the mission for an address that works, and send again.",
        }
    }

    /// What it is and what to do, in a line among others.
    #[must_use]
    pub fn in_short(self) -> &'static str {
        match self {
            Self::NoAnswer => "nobody knows whether it arrived; ask the mission",
            Self::UnknownMailbox => "no such mailbox; correct the address in the recipients file",
            Self::UnknownDomain => "no such domain; correct the address in the recipients file",
            Self::DisabledMailbox => "the mailbox is switched off; take another address into the recipients file",
            Self::FullMailbox => "the mailbox is full; wait a day or two, or ask for a second address",
            Self::TooLarge => "too large for that server; make the attachments smaller",
            Self::SenderNotProved => "the sender could not be proved; have its SPF, DKIM and DMARC looked at",
            Self::Policy => "refused by a rule or filter; ask the mission's IT, or write to another address of it",
            Self::AskedToWait | Self::Busy => "nothing is wrong with the address; wait a while",
            Self::NotUnderstood => "the server did not understand it; show its words to who looks after the sending",
            Self::NotTakeable => "our mail server cannot carry it; make it smaller, or use another server",
            Self::FollowedTheLetter => "a copy that stayed behind with its letter; see to the main address",
            Self::Unexplained => "no reason given; read the server's words, ask the mission for another address",
        }
    }

    /// What it is, in a few words.
    #[must_use]
    pub fn in_a_word(self) -> &'static str {
        self.in_short().split_once(';').map_or(self.in_short(), |(what, _)| what)
    }

    /// The stable name used in `--json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::NoAnswer => "no-answer",
            Self::UnknownMailbox => "unknown-mailbox",
            Self::UnknownDomain => "unknown-domain",
            Self::DisabledMailbox => "disabled-mailbox",
            Self::FullMailbox => "full-mailbox",
            Self::TooLarge => "too-large",
            Self::SenderNotProved => "sender-not-proved",
            Self::Policy => "policy",
            Self::AskedToWait => "asked-to-wait",
            Self::Busy => "busy",
            Self::NotUnderstood => "not-understood",
            Self::NotTakeable => "not-takeable",
            Self::FollowedTheLetter => "followed-the-letter",
            Self::Unexplained => "unexplained",
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn of(phase: Phase, code: u16, enhanced: &str) -> Cause {
        Cause::of(&LastWord {
            phase,
            code: (code > 0).then_some(code),
            enhanced: (!enhanced.is_empty()).then(|| enhanced.to_owned()),
            text: "no such user, mailbox full, policy: words decide nothing".into(),
            at: Timestamp::UNIX_EPOCH,
        })
    }

    #[test]
    fn the_codes_decide_and_the_words_do_not() {
        for (phase, code, enhanced, cause) in [
            (Phase::Rcpt, 550, "5.1.1", Cause::UnknownMailbox),
            (Phase::Rcpt, 550, "5.1.2", Cause::UnknownDomain),
            (Phase::Rcpt, 556, "5.1.10", Cause::UnknownDomain),
            (Phase::Rcpt, 550, "5.2.1", Cause::DisabledMailbox),
            (Phase::Rcpt, 452, "4.2.2", Cause::FullMailbox),
            (Phase::EndOfData, 552, "5.3.4", Cause::TooLarge),
            (Phase::Mail, 552, "", Cause::TooLarge),
            (Phase::EndOfData, 550, "5.7.26", Cause::SenderNotProved),
            (Phase::EndOfData, 554, "5.7.1", Cause::Policy),
            (Phase::Rcpt, 451, "4.7.1", Cause::AskedToWait),
            (Phase::Rcpt, 450, "", Cause::Busy),
            (Phase::EndOfData, 451, "4.3.0", Cause::Busy),
            (Phase::Rcpt, 450, "4.2.1", Cause::Busy),
            (Phase::Rcpt, 452, "4.5.3", Cause::Busy),
            (Phase::Rcpt, 550, "5.4.1", Cause::UnknownMailbox),
            (Phase::Rcpt, 550, "5.5.0", Cause::Unexplained),
            (Phase::EndOfData, 554, "5.3.0", Cause::Unexplained),
            (Phase::EndOfData, 554, "5.6.0", Cause::NotUnderstood),
            (Phase::Rcpt, 550, "", Cause::Unexplained),
            (Phase::Rcpt, 550, "5.0.0", Cause::Unexplained),
        ] {
            assert_eq!(of(phase, code, enhanced), cause, "{phase} {code} {enhanced}");
        }
    }

    #[test]
    fn without_a_reply_the_phase_decides() {
        assert_eq!(of(Phase::EndOfData, 0, ""), Cause::NoAnswer);
        assert_eq!(of(Phase::EndOfData, 354, ""), Cause::NoAnswer);
        assert_eq!(of(Phase::Rcpt, 0, ""), Cause::FollowedTheLetter);
        assert_eq!(of(Phase::Mail, 0, ""), Cause::NotTakeable);
        assert_eq!(of(Phase::Body, 0, ""), Cause::Busy);
    }
}
