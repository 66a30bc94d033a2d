//! A session: one letter after another over one connection, and the polite end.

use std::fmt;
use std::time::Duration;

use super::capabilities::Capabilities;
use super::command::not_takeable;
use super::stream::Stream;
use super::transaction::{After, Transaction};
use crate::domain::message::Envelope;
use crate::domain::outcome::{End, Fault, Handover, Phase, RcptOutcome, Trouble};
use crate::domain::relay::Timeouts;

/// How long QUIT may take in all: nothing depends on it any more.
const FAREWELL: Duration = Duration::from_secs(5);

/// An open session, greeted, secured and logged in as the relay asks.
///
/// The connection belongs to the transaction while it runs and comes back only at its orderly end. So a `hand_over` that is
/// dropped half-way, or that failed, leaves a session without a connection, and no reply of one letter is ever read for another.
pub struct Session {
    stream: Option<Stream>,
    capabilities: Capabilities,
    timeouts: Timeouts,
    letters: u32,
    reset_due: bool,
}

impl Session {
    pub(super) fn new(stream: Stream, capabilities: Capabilities, timeouts: Timeouts) -> Self {
        Self { stream: Some(stream), capabilities, timeouts, letters: 0, reset_due: false }
    }

    /// What the server offers, by its last EHLO; enhanced codes only as long as its replies to RCPT have them.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// How many letters were handed over in this session: written to their end, whatever the reply was.
    #[must_use]
    pub fn letters(&self) -> u32 {
        self.letters
    }

    /// One transaction: MAIL, RCPT, DATA, the message, the terminator, the reply (RFC 5321 §3.3); or MAIL, RCPT and the
    /// message as one BDAT chunk in one group, where the server offers PIPELINING, CHUNKING and ENHANCEDSTATUSCODES, the only
    /// path is a To and the message has 1 MiB at most (RFC 3030).
    ///
    /// `bytes` is RFC 5322 with CRLF line ends, the last line ended, no bare CR or LF; anything else is refused, because
    /// only so a failure before the terminator proves that nothing was delivered. `intent` is first polled once the server
    /// has said 354, runs beside the writing of the message, and is awaited before the first octet of the terminator may
    /// leave; with BDAT it is awaited before anything is written. If it gives false, the connection is dropped without
    /// terminator and without QUIT.
    ///
    /// Where the envelope has To paths, the letter goes out only if at least one of them was accepted; an envelope of
    /// copies alone goes out to whomever is accepted.
    pub async fn hand_over<I>(&mut self, bytes: &[u8], envelope: &Envelope, intent: I) -> Handover
    where
        I: Future<Output = bool> + Send,
    {
        let unsent = |trouble, reusable| Handover {
            recipients: vec![RcptOutcome::Unanswered; envelope.forward_paths.len()],
            end: End::NotSent(Fault::new(Phase::Mail, trouble)),
            reusable,
        };
        if let Some(why) = not_takeable(bytes, envelope, &self.capabilities) {
            return unsent(Trouble::LetterNotTakeable(why), self.stream.is_some());
        }
        let Some(stream) = self.stream.take() else {
            let why = "an earlier letter was left half-way in this session, so it is not used again";
            return unsent(Trouble::Broken(why.to_owned()), false);
        };
        let mut transaction = Transaction::new(stream, &self.capabilities, &self.timeouts, envelope, self.reset_due);
        let end = transaction.run(bytes, intent).await;
        self.letters += u32::from(transaction.finished);
        self.reset_due = transaction.after == After::Reset;
        // Promised, and not kept: then nothing tells a reply to RCPT from one to a chunk, and letters go by DATA from now on.
        let kept =
            |outcome: &RcptOutcome| !matches!(outcome, RcptOutcome::Accepted(reply) if !reply.is_about_an_address());
        let codes_kept = transaction.recipients.iter().all(kept);
        let reusable = transaction.after != After::Unusable;
        if reusable {
            self.stream = Some(transaction.stream);
        }
        let recipients = transaction.recipients;
        self.capabilities.enhanced_status_codes &= codes_kept;
        Handover { recipients, end, reusable }
    }

    /// Ends the session by QUIT and closes the connection. Takes seconds at most and never fails: every letter is settled.
    pub async fn quit(mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        let within = FAREWELL.min(self.timeouts.command);
        if stream.quiet().await.is_ok() {
            tracing::trace!("C: QUIT");
            if stream.send(b"QUIT\r\n", within).await.is_ok() {
                // 221 or anything else: nothing follows from it.
                drop(stream.reply(within).await);
            }
        }
        stream.close(within).await;
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("usable", &self.stream.is_some())
            .field("capabilities", &self.capabilities)
            .field("letters", &self.letters)
            .finish_non_exhaustive()
    }
}
