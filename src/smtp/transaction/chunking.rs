//! One letter to one recipient in one round trip: MAIL, RCPT and the whole message as one BDAT chunk, in one group
//! (RFC 3030, RFC 2920).
//!
//! The chunk is on its way before the first reply, so a reply that is lost at MAIL or RCPT leaves open what became of the
//! letter: where lock step proves that nothing was delivered, here it is uncertain. Three things prove it still, each by
//! replies that were received: MAIL was refused, RCPT was refused, or BDAT was refused. A fourth is a 421 with which the
//! server left before it had answered MAIL; and of course a connection that took nothing of the chunk. MAIL or RCPT refused
//! proves nothing once a later reply says that the chunk was taken: then one of them was not meant for its command.
//!
//! Replies are matched to commands by counting, and no 354 stands between them. So a reply too many that is seen makes none
//! of them believed: the letter is uncertain, although a valid 250 seems to have come for it. One whose like comes later,
//! because the server takes its time over the message, is told by the enhanced code of the reply that stands in the place of
//! the chunk's: X.1.X is about an address and never about a message (RFC 3463 §3.2). So only servers that give enhanced
//! codes are sent chunks, and only letters to one recipient: of two, one could be refused in the place of the chunk while
//! the other gets the letter.

use std::time::Duration;

use super::super::command::rcpt_command;
use super::{After, Transaction, is_completion, is_refusal};
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
    /// The last reply, if it was a farewell (421).
    farewell: Option<Reply>,
}

/// The replies as far as they decide anything.
enum Answer {
    /// MAIL was refused: there was no transaction that the chunk could have ended.
    MailRefused(Reply),
    /// To BDAT.
    Chunk(Reply),
}

impl Transaction<'_> {
    /// True if this letter goes out as a chunk: one to a single To. A second recipient keeps it from that: if a To is refused,
    /// no copy may get the letter, and a chunk that is on its way cannot be called back; and with several replies to RCPT
    /// one that came twice would make the last of them look like the answer to the chunk.
    pub(super) fn goes_as_chunk(&self, bytes: &[u8]) -> bool {
        self.capabilities.pipelining
            && self.capabilities.chunking
            && self.capabilities.enhanced_status_codes
            && bytes.len() <= CHUNK_MOST
            && matches!(&self.envelope.forward_paths[..], [only] if only.field == Field::To)
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
            Ok(Answer::MailRefused(reply)) => Ok(self.mail_refused_before_chunk(reply, progress).await),
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
        let rcpt = self.next_answer(Phase::Rcpt, progress).await?;
        self.recipients.fill(match rcpt.code() {
            250 | 251 => RcptOutcome::Accepted(rcpt),
            _ if is_refusal(&rcpt) => RcptOutcome::Refused(rcpt),
            _ => return Err(Trouble::Unexpected(rcpt)),
        });
        let chunk = self.next_answer(Phase::EndOfData, progress).await?;
        let acceptance = chunk.severity() == Severity::Completion && progress.whole && self.has_recipient();
        // About an address: it is the recipient's, moved here by one too many before it. A refusal may be that, too, but
        // then nothing was delivered, whichever it is.
        if is_refusal(&chunk) || acceptance && !chunk.is_about_an_address() {
            Ok(Answer::Chunk(chunk))
        } else {
            Err(Trouble::Unexpected(chunk))
        }
    }

    async fn next_answer(&mut self, phase: Phase, progress: &mut Progress) -> Result<Reply, Trouble> {
        let reply = match progress.broken {
            // The waiting was done while writing: what is in the buffer counts, and nothing more is waited for.
            Some(Trouble::TimedOut(_)) => self.stream.reply(Duration::ZERO).await,
            _ => self.stream.reply(self.deadline(phase)).await,
        }?;
        tracing::trace!("S: {reply}");
        progress.farewell = (reply.code() == 421).then(|| reply.clone());
        Ok(reply)
    }

    /// The refused rest of the group is read, and then the state is unknown until RSET (RFC 3030 §2). If it is not refused,
    /// the refusal may have been one too many, from before this letter, and only a refused chunk proves anything.
    async fn mail_refused_before_chunk(&mut self, mail: Reply, mut progress: Progress) -> End {
        let mut usable = mail.code() != 421 && progress.whole;
        let mut doubt = None;
        for phase in [Phase::Rcpt, Phase::EndOfData] {
            let Ok(reply) = self.next_answer(phase, &mut progress).await else {
                usable = false;
                break;
            };
            usable &= is_refusal(&reply) && reply.code() != 421;
            if !is_refusal(&reply) {
                doubt = Some(Trouble::Unexpected(reply));
            } else if phase == Phase::EndOfData {
                doubt = None;
            }
        }
        match self.stream.quiet().await {
            Ok(()) if usable => self.after = After::Reset,
            Err(Trouble::Unsolicited(said)) if is_completion(&said) => doubt = Some(Trouble::Unsolicited(said)),
            _ => {}
        }
        match doubt {
            Some(trouble) if progress.begun => self.uncertain(trouble),
            _ => End::NotSent(Fault::new(Phase::Mail, Trouble::Refused(mail))),
        }
    }

    /// Every reply is there. The session's worth is put down as if nothing followed.
    fn chunk_answered(&mut self, reply: Reply) -> End {
        let code = reply.code();
        if let Some(refused) = self.recipient_refused() {
            // Nobody to deliver to, whatever the refusal of the chunk says.
            let farewell = code == 421 || matches!(refused, End::NotSent(_));
            self.after = if farewell { After::Unusable } else { After::Reset };
            return refused;
        }
        self.finished = true;
        if is_refusal(&reply) {
            self.after = if code == 421 { After::Unusable } else { After::Reset };
            End::NotSent(Fault::new(Phase::EndOfData, Trouble::Refused(reply)))
        } else {
            self.after = After::Clean;
            End::Accepted(reply)
        }
    }

    /// What it proves that the recipient was refused, if it was.
    fn recipient_refused(&self) -> Option<End> {
        self.recipients.iter().find_map(|outcome| match outcome {
            // 421 is about the session, and says nothing of the address.
            RcptOutcome::Refused(reply) if reply.code() == 421 => {
                Some(End::NotSent(Fault::new(Phase::Rcpt, Trouble::Refused(reply.clone()))))
            }
            RcptOutcome::Refused(_) => Some(End::NoRecipient),
            _ => None,
        })
    }

    /// A reply did not come, or is none, or cannot be meant.
    fn answers_lost(&mut self, progress: Progress, trouble: Trouble) -> End {
        let left = matches!(trouble, Trouble::Closed | Trouble::Broken(_) | Trouble::Tls(_));
        let stopped = left || matches!(trouble, Trouble::TimedOut(_));
        let taken = matches!(&trouble, Trouble::Unexpected(reply) if reply.severity() == Severity::Completion);
        let trouble = if stopped { progress.broken.unwrap_or(trouble) } else { trouble };
        if let (Some(farewell), [RcptOutcome::Unanswered], true) = (progress.farewell, &self.recipients[..], left) {
            return End::NotSent(Fault::new(Phase::Mail, Trouble::Refused(farewell)));
        }
        if !progress.begun {
            return End::NotSent(Fault::new(Phase::Mail, trouble));
        }
        // A chunk that was taken although its recipient was refused: one of the two replies is not what it seems.
        if let Some(refused) = self.recipient_refused().filter(|_| !taken) {
            return refused;
        }
        if stopped {
            self.finished = true;
            return End::Uncertain(Fault::new(Phase::EndOfData, trouble));
        }
        self.uncertain(trouble)
    }

    /// Where something else came than was asked for, nobody can tell what the replies before it were for.
    fn uncertain(&mut self, trouble: Trouble) -> End {
        self.recipients.fill(RcptOutcome::Unanswered);
        self.finished = true;
        End::Uncertain(Fault::new(Phase::EndOfData, trouble))
    }

    /// `end`, unless more replies came than were asked for. A farewell (421) is no such reply.
    async fn unless_one_too_many(&mut self, end: End) -> End {
        let Err(trouble) = self.stream.quiet().await else { return end };
        self.after = After::Unusable;
        match trouble {
            Trouble::Unsolicited(said) if !said.starts_with("421") => self.uncertain(Trouble::Unsolicited(said)),
            _ => end,
        }
    }
}
