//! One letter in one round trip: MAIL, every RCPT and the whole message as one BDAT chunk, in one group (RFC 3030, RFC 2920).
//!
//! The chunk is on its way before the first reply, so a reply that is lost at MAIL or RCPT leaves open what became of the
//! letter: where lock step proves that nothing was delivered, here it is uncertain. Three things prove it still, each by
//! replies that were received: MAIL was refused, every RCPT was refused, or BDAT was refused. A fourth is a 421 with which
//! the server left before it had accepted anybody; and of course a connection that took nothing of the chunk.
//!
//! Replies are matched to commands by counting, and no 354 stands between them. So a reply too many that is seen makes none
//! of them believed: the letter is uncertain, although a valid 250 seems to have come for it. One whose like comes later,
//! because the server takes its time over the message, is told by the enhanced code of the reply that stands in the place of
//! the chunk's: X.1.X is about an address and never about a message (RFC 3463 §3.2). So only servers that give enhanced
//! codes are sent chunks.

use std::time::Duration;

use super::super::command::rcpt_command;
use super::{After, Transaction, is_refusal};
use crate::domain::message::Field;
use crate::domain::outcome::{End, Fault, Phase, RcptOutcome, Trouble};
use crate::domain::reply::{Reply, Severity};

/// The largest message that goes out as a chunk, in octets. A server that refuses MAIL or RCPT has to read the whole chunk
/// first (RFC 3030 §2), and one round trip is little beside the sending of a megabyte: larger ones wait for the 354.
pub(super) const CHUNK_MOST: usize = 1024 * 1024;
/// Octets to a write, each with a deadline of its own. Most letters are one.
const BLOCK: usize = 64 * 1024;

/// The group on its way, and what is known of it.
#[derive(Debug, Default)]
struct Progress {
    /// The connection took the first octet of BDAT, or may have.
    begun: bool,
    /// The connection took all of it.
    whole: bool,
    /// Why not all of the group was written.
    broken: Option<Trouble>,
    /// The last reply, if it was a farewell (421) to this command.
    farewell: Option<(Phase, Reply)>,
}

/// The replies as far as they decide anything.
enum Answer {
    /// MAIL was refused: there was no transaction that the chunk could have ended.
    MailRefused(Reply),
    /// To BDAT.
    Chunk(Reply),
}

impl Transaction<'_> {
    /// True if this letter goes out as a chunk. Copies keep it from that: if the To is refused, no copy may get the letter,
    /// and a chunk that is on its way cannot be called back.
    pub(super) fn goes_as_chunk(&self, bytes: &[u8]) -> bool {
        self.capabilities.pipelining
            && self.capabilities.chunking
            && self.capabilities.enhanced_status_codes
            && bytes.len() <= CHUNK_MOST
            && self.envelope.forward_paths.iter().all(|path| path.field == Field::To)
    }

    /// The whole transaction. The intent is awaited before anything is written, so that the group can be one write; without
    /// it nothing is.
    ///
    /// # Errors
    /// A failure before the first octet of BDAT.
    pub(super) async fn chunk<I>(&mut self, mail: &str, bytes: &[u8], intent: I) -> Result<End, Fault>
    where
        I: Future<Output = bool> + Send,
    {
        self.quiet(Phase::Mail).await?;
        if !intent.await {
            return Err(Fault::new(Phase::Body, Trouble::NoIntent));
        }
        // The intent took its time: the server may have left meanwhile.
        self.quiet(Phase::Mail).await?;
        let mut progress = self.write_chunk(mail, bytes).await;
        match self.answers(&mut progress).await {
            Ok(Answer::MailRefused(reply)) => Ok(self.mail_refused_before_chunk(reply, progress.whole).await),
            Ok(Answer::Chunk(reply)) => {
                let end = self.chunk_answered(reply);
                if progress.broken.is_some() {
                    self.after = After::Unusable;
                }
                Ok(self.unless_one_too_many(end).await)
            }
            Err(trouble) => Ok(self.answers_lost(progress, trouble)),
        }
    }

    async fn write_chunk(&mut self, mail: &str, bytes: &[u8]) -> Progress {
        let mut commands = vec![mail.to_owned()];
        if self.reset_due {
            commands.insert(0, "RSET".to_owned());
        }
        commands.extend(self.envelope.forward_paths.iter().map(rcpt_command));
        let before_chunk: usize = commands.iter().map(|command| command.len() + 2).sum();
        commands.push(format!("BDAT {} LAST", bytes.len()));
        for command in &commands {
            tracing::trace!("C: {command}");
        }
        commands.push(String::new());
        let mut group = commands.join("\r\n").into_bytes();
        group.extend_from_slice(bytes);
        let mut progress = Progress::default();
        let mut written = 0;
        for block in group.chunks(BLOCK) {
            let sent = self.stream.send_counted(block, self.timeouts.block, &mut written).await;
            progress.broken = sent.err();
            if progress.broken.is_some() {
                break;
            }
        }
        progress.begun = written > before_chunk;
        progress.whole = written == group.len();
        progress
    }

    /// Reads the replies one by one. An `Err` is the first that is none, or that cannot be meant.
    async fn answers(&mut self, progress: &mut Progress) -> Result<Answer, Trouble> {
        if self.reset_due {
            // Whatever it says, MAIL's own reply tells whether a transaction began.
            self.next_answer(Phase::Mail, progress).await?;
        }
        let mail = self.next_answer(Phase::Mail, progress).await?;
        if is_refusal(&mail) {
            return Ok(Answer::MailRefused(mail));
        }
        if mail.code() != 250 {
            return Err(Trouble::Unexpected(mail));
        }
        for index in 0..self.recipients.len() {
            let reply = self.next_answer(Phase::Rcpt, progress).await?;
            self.recipients[index] = match reply.code() {
                250 | 251 => RcptOutcome::Accepted(reply),
                _ if is_refusal(&reply) => RcptOutcome::Refused(reply),
                _ => return Err(Trouble::Unexpected(reply)),
            };
        }
        let chunk = self.next_answer(Phase::EndOfData, progress).await?;
        let about_another = self.is_about_an_address(&chunk);
        if !about_another && (progress.whole || is_refusal(&chunk)) {
            Ok(Answer::Chunk(chunk))
        } else {
            // It cannot be about the message, or not about one that the server does not have.
            Err(Trouble::Unexpected(chunk))
        }
    }

    /// True for a reply in the place of the chunk's that is a recipient's, moved there by one too many before it. A refusal
    /// may be both while the letter has one recipient: then nothing was delivered, whichever it is.
    fn is_about_an_address(&self, reply: &Reply) -> bool {
        let of_an_address = reply.enhanced().is_some_and(|code| code.subject == 1);
        let may_hide_an_acceptance = self.recipients.len() > 1 || !is_refusal(reply);
        of_an_address && may_hide_an_acceptance && self.has_recipient()
    }

    async fn next_answer(&mut self, phase: Phase, progress: &mut Progress) -> Result<Reply, Trouble> {
        let reply = match progress.broken {
            // The waiting was done while writing: what is in the buffer counts, and nothing more is waited for.
            Some(Trouble::TimedOut(_)) => self.stream.reply(Duration::ZERO).await,
            _ => self.stream.reply(self.deadline(phase)).await,
        }?;
        tracing::trace!("S: {reply}");
        progress.farewell = (reply.code() == 421).then(|| (phase, reply.clone()));
        Ok(reply)
    }

    /// The refused rest of the group is read, and then the state is unknown until RSET (RFC 3030 §2).
    async fn mail_refused_before_chunk(&mut self, mail: Reply, whole: bool) -> End {
        let mut after = if mail.code() == 421 || !whole { After::Unusable } else { After::Reset };
        let recipients = self.recipients.len();
        for phase in std::iter::repeat_n(Phase::Rcpt, recipients).chain([Phase::EndOfData]) {
            if after == After::Unusable {
                break;
            }
            after = match self.reply(phase).await {
                Ok(reply) if is_refusal(&reply) && reply.code() != 421 => After::Reset,
                _ => After::Unusable,
            };
        }
        let refused = End::NotSent(Fault::new(Phase::Mail, Trouble::Refused(mail)));
        self.conclude(Phase::Mail, after, refused).await
    }

    /// Every reply is there. The session's worth is put down as if nothing followed.
    fn chunk_answered(&mut self, reply: Reply) -> End {
        let code = reply.code();
        if !self.has_recipient() {
            // Nobody to deliver to, whatever the server says of the chunk; but if it did not refuse it, it is odd.
            if is_refusal(&reply) && code != 421 && self.farewell_to_a_recipient().is_none() {
                self.after = After::Reset;
            }
            return self.nobody_accepted();
        }
        self.finished = true;
        let end_of_data = |trouble| Fault::new(Phase::EndOfData, trouble);
        match reply.severity() {
            Severity::Completion => {
                self.after = After::Clean;
                End::Accepted(reply)
            }
            Severity::Transient | Severity::Permanent => {
                self.after = if code == 421 { After::Unusable } else { After::Reset };
                End::NotSent(end_of_data(Trouble::Refused(reply)))
            }
            Severity::Preliminary | Severity::Intermediate => End::Uncertain(end_of_data(Trouble::Unexpected(reply))),
        }
    }

    fn nobody_accepted(&self) -> End {
        match self.farewell_to_a_recipient() {
            // 421 is about the session, and says nothing of the address.
            Some(farewell) => End::NotSent(Fault::new(Phase::Rcpt, Trouble::Refused(farewell.clone()))),
            None => End::NoRecipient,
        }
    }

    fn farewell_to_a_recipient(&self) -> Option<&Reply> {
        self.recipients.iter().find_map(|outcome| match outcome {
            RcptOutcome::Refused(reply) if reply.code() == 421 => Some(reply),
            _ => None,
        })
    }

    /// A reply did not come, or is none, or cannot be meant.
    fn answers_lost(&mut self, progress: Progress, trouble: Trouble) -> End {
        let left = matches!(trouble, Trouble::Closed | Trouble::Broken(_) | Trouble::Tls(_));
        let stopped = left || matches!(trouble, Trouble::TimedOut(_));
        let trouble = if stopped { progress.broken.unwrap_or(trouble) } else { trouble };
        let any_accepted = self.recipients.iter().any(|outcome| matches!(outcome, RcptOutcome::Accepted(_)));
        if let Some((phase, farewell)) = progress.farewell
            && left
            && !any_accepted
        {
            return End::NotSent(Fault::new(phase, Trouble::Refused(farewell)));
        }
        if !progress.begun {
            return End::NotSent(Fault::new(Phase::Mail, trouble));
        }
        if self.recipients.iter().all(|outcome| matches!(outcome, RcptOutcome::Refused(_))) {
            return self.nobody_accepted();
        }
        if !stopped {
            // Where something else than replies came, nobody can tell what the ones before it were for.
            self.recipients.fill(RcptOutcome::Unanswered);
        }
        self.finished = true;
        End::Uncertain(Fault::new(Phase::EndOfData, trouble))
    }

    /// `end`, unless more replies came than were asked for. A farewell (421) is no such reply.
    async fn unless_one_too_many(&mut self, end: End) -> End {
        let Err(trouble) = self.stream.quiet().await else { return end };
        self.after = After::Unusable;
        match trouble {
            Trouble::Unsolicited(said) if !said.starts_with("421") => {
                self.recipients.fill(RcptOutcome::Unanswered);
                self.finished = true;
                End::Uncertain(Fault::new(Phase::EndOfData, Trouble::Unsolicited(said)))
            }
            _ => end,
        }
    }
}
