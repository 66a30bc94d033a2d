//! One transaction (RFC 5321 §3.3): MAIL to the reply after the terminator, in groups where the server allows (RFC 2920).

mod chunking;

use std::time::Duration;

use super::body::write_beside;
use super::capabilities::Capabilities;
use super::command::{decides, mail_command, rcpt_command};
use super::stream::Stream;
use crate::domain::message::Envelope;
use crate::domain::outcome::{End, Fault, Phase, RcptOutcome, Trouble};
use crate::domain::relay::Timeouts;
use crate::domain::reply::{Reply, Severity};

/// The terminator after the line end of the last line (RFC 5321 §4.1.1.4).
const TERMINATOR: &[u8] = b".\r\n";

/// What the session is good for after the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Nothing: close it.
    Unusable,
    /// Another letter, after RSET.
    Reset,
    /// Another letter.
    Clean,
}

/// The transaction while it runs. It owns the connection.
pub(super) struct Transaction<'a> {
    pub(super) stream: Stream,
    /// One for each forward path.
    pub(super) recipients: Vec<RcptOutcome>,
    pub(super) after: After,
    /// The whole letter and its terminator were written, or may have been.
    pub(super) finished: bool,
    capabilities: &'a Capabilities,
    timeouts: &'a Timeouts,
    envelope: &'a Envelope,
    reset_due: bool,
    /// Which reply came last: one more than was asked for belongs to it.
    heard: Phase,
    /// Commands that were written in a group and whose replies are not read yet.
    ahead: usize,
}

impl<'a> Transaction<'a> {
    pub(super) fn new(
        stream: Stream,
        capabilities: &'a Capabilities,
        timeouts: &'a Timeouts,
        envelope: &'a Envelope,
        reset_due: bool,
    ) -> Self {
        let recipients = vec![RcptOutcome::Unanswered; envelope.forward_paths.len()];
        // Until an orderly end is reached.
        let after = After::Unusable;
        Self {
            stream,
            recipients,
            after,
            finished: false,
            capabilities,
            timeouts,
            envelope,
            reset_due,
            heard: Phase::Mail,
            ahead: 0,
        }
    }

    /// Runs it to its end; `after`, `recipients` and `finished` tell the rest.
    pub(super) async fn run<I: Future<Output = bool> + Send>(&mut self, bytes: &[u8], intent: I) -> End {
        match self.steps(bytes, intent).await {
            Ok(end) => end,
            Err(fault) => End::NotSent(fault),
        }
    }

    /// An `Err` is a failure before the terminator (or the chunk) that leaves the session unusable.
    async fn steps<I: Future<Output = bool> + Send>(&mut self, bytes: &[u8], intent: I) -> Result<End, Fault> {
        let mail = mail_command(self.envelope, self.capabilities, bytes);
        if self.goes_as_chunk(bytes) {
            return self.chunk(&mail, bytes, intent).await;
        }
        if self.capabilities.pipelining {
            self.send_group(&mail).await?;
        }
        if self.reset_due {
            let reply = self.ask(Phase::Mail, "RSET").await?;
            if reply.code() != 250 {
                return Err(Fault::new(Phase::Mail, Trouble::Unexpected(reply)));
            }
        }
        let mail = self.ask(Phase::Mail, &mail).await?;
        if let Standing::Refused(reply) = standing(Phase::Mail, mail, &[250])? {
            return Ok(self.mail_refused(reply).await);
        }
        self.ask_recipients().await?;
        if !self.has_recipient() {
            return Ok(self.no_recipient().await);
        }
        let data = self.ask(Phase::Data, "DATA").await?;
        if let Standing::Refused(reply) = standing(Phase::Data, data, &[354])? {
            let after = if reply.code() == 421 { After::Unusable } else { After::Reset };
            let refused = End::NotSent(Fault::new(Phase::Data, Trouble::Refused(reply)));
            return Ok(self.conclude(Phase::Data, after, refused).await);
        }
        self.message(bytes, intent).await.map_err(|trouble| Fault::new(Phase::Body, trouble))?;
        Ok(self.end_of_data().await)
    }

    /// MAIL and every RCPT in one write, and DATA too if every recipient is a To: then a 354 without an accepted To
    /// has nobody to deliver to, and a lone dot ends it. With copies in the envelope a lone dot could deliver an empty letter
    /// to a copy whose To was refused, so DATA waits until the RCPT replies are known.
    async fn send_group(&mut self, mail: &str) -> Result<(), Fault> {
        self.quiet(Phase::Mail).await?;
        let mut commands = Vec::with_capacity(self.envelope.forward_paths.len() + 3);
        if self.reset_due {
            commands.push("RSET".to_owned());
        }
        commands.push(mail.to_owned());
        commands.extend(self.envelope.forward_paths.iter().map(rcpt_command));
        if self.envelope.forward_paths.iter().all(|path| decides(self.envelope, path)) {
            commands.push("DATA".to_owned());
        }
        for command in &commands {
            tracing::trace!("C: {command}");
        }
        self.ahead = commands.len();
        commands.push(String::new());
        self.send(Phase::Mail, commands.join("\r\n").as_bytes()).await
    }

    /// The reply to `command`, which is sent now unless it went with the group.
    async fn ask(&mut self, phase: Phase, command: &str) -> Result<Reply, Fault> {
        if self.ahead > 0 {
            self.ahead -= 1;
        } else {
            self.stream.quiet().await.map_err(|trouble| match trouble {
                Trouble::Unsolicited(_) => Fault::new(self.heard, trouble),
                _ => Fault::new(phase, trouble),
            })?;
            tracing::trace!("C: {command}");
            self.send(phase, format!("{command}\r\n").as_bytes()).await?;
        }
        self.reply(phase).await
    }

    async fn send(&mut self, phase: Phase, bytes: &[u8]) -> Result<(), Fault> {
        match self.stream.send(bytes, self.deadline(phase)).await {
            Err(Trouble::TimedOut(after)) => Err(Fault::new(phase, Trouble::TimedOut(after))),
            // A connection that broke under the command may still hold the reply that says why; reading tells.
            _ => Ok(()),
        }
    }

    async fn reply(&mut self, phase: Phase) -> Result<Reply, Fault> {
        let reply = self.stream.reply(self.deadline(phase)).await;
        let reply = reply.map_err(|trouble| Fault::new(phase, trouble))?;
        tracing::trace!("S: {reply}");
        self.heard = phase;
        Ok(reply)
    }

    async fn quiet(&mut self, phase: Phase) -> Result<(), Fault> {
        self.stream.quiet().await.map_err(|trouble| Fault::new(phase, trouble))
    }

    fn deadline(&self, phase: Phase) -> Duration {
        match phase {
            Phase::Data => self.timeouts.data,
            Phase::Body => self.timeouts.block,
            Phase::EndOfData => self.timeouts.end_of_data,
            _ => self.timeouts.command,
        }
    }

    async fn ask_recipients(&mut self) -> Result<(), Fault> {
        for (index, path) in self.envelope.forward_paths.iter().enumerate() {
            let reply = self.ask(Phase::Rcpt, &rcpt_command(path)).await?;
            self.recipients[index] = match standing(Phase::Rcpt, reply.clone(), &[250, 251])? {
                Standing::Due => RcptOutcome::Accepted(reply),
                // 421 is about the session, and says nothing of the address.
                Standing::Refused(reply) if reply.code() == 421 => {
                    return Err(Fault::new(Phase::Rcpt, Trouble::Refused(reply)));
                }
                Standing::Refused(reply) => RcptOutcome::Refused(reply),
            };
        }
        Ok(())
    }

    fn has_recipient(&self) -> bool {
        let paths = self.envelope.forward_paths.iter().zip(&self.recipients);
        paths
            .into_iter()
            .any(|(path, outcome)| decides(self.envelope, path) && matches!(outcome, RcptOutcome::Accepted(_)))
    }

    /// The rest of a group after a refused MAIL was refused too; any other answer makes the session suspect.
    async fn mail_refused(&mut self, reply: Reply) -> End {
        let mut after = if reply.code() == 421 { After::Unusable } else { After::Clean };
        while self.ahead > 0 && after == After::Clean {
            after = match self.ask(Phase::Mail, "").await {
                Ok(reply) if is_refusal(&reply) && reply.code() != 421 => After::Clean,
                _ => After::Unusable,
            };
        }
        let refused = End::NotSent(Fault::new(Phase::Mail, Trouble::Refused(reply)));
        self.conclude(Phase::Mail, after, refused).await
    }

    /// No To was accepted. If DATA went with the group and was let through, a lone dot ends it (RFC 2920 §3.1).
    async fn no_recipient(&mut self) -> End {
        let after = if self.ahead > 0 { self.end_empty_data().await } else { After::Reset };
        self.conclude(Phase::Rcpt, after, End::NoRecipient).await
    }

    async fn end_empty_data(&mut self) -> After {
        let Ok(data) = self.ask(Phase::Data, "DATA").await else { return After::Unusable };
        let last = match data.code() {
            354 => {
                if self.quiet(Phase::Body).await.is_err() || self.send(Phase::EndOfData, TERMINATOR).await.is_err() {
                    return After::Unusable;
                }
                match self.reply(Phase::EndOfData).await {
                    Ok(reply) if is_refusal(&reply) || reply.severity() == Severity::Completion => reply,
                    _ => return After::Unusable,
                }
            }
            _ if is_refusal(&data) => data,
            _ => return After::Unusable,
        };
        if last.code() == 421 { After::Unusable } else { After::Reset }
    }

    /// `end`, unless something more came than was asked for. Within a group nobody can tell which of the replies was one too
    /// many, so that none of them is believed; a farewell (421) is no such reply.
    async fn conclude(&mut self, phase: Phase, after: After, end: End) -> End {
        if after == After::Unusable {
            // The rest of the group was not read, so that it proves nothing.
            return end;
        }
        match self.stream.quiet().await {
            Ok(()) => self.after = after,
            Err(Trouble::Unsolicited(said)) if self.capabilities.pipelining && !said.starts_with("421") => {
                self.recipients.fill(RcptOutcome::Unanswered);
                return End::NotSent(Fault::new(phase, Trouble::Unsolicited(said)));
            }
            Err(_) => {}
        }
        end
    }

    /// The message without its terminator, beside the intent; then proof that the server has not spoken yet.
    async fn message<I: Future<Output = bool> + Send>(&mut self, bytes: &[u8], intent: I) -> Result<(), Trouble> {
        let within = self.timeouts.block;
        self.quiet_body().await?;
        write_beside(&mut self.stream, bytes, within, intent).await?;
        self.quiet_body().await
    }

    async fn quiet_body(&mut self) -> Result<(), Trouble> {
        match self.stream.quiet().await {
            Err(Trouble::Unsolicited(_)) => Err(self.stream.early(self.timeouts.block).await),
            other => other,
        }
    }

    /// From here on, everything but a whole, valid reply is uncertain (RFC 1047).
    async fn end_of_data(&mut self) -> End {
        self.finished = true;
        let uncertain = |trouble| End::Uncertain(Fault::new(Phase::EndOfData, trouble));
        let sent = self.stream.send(TERMINATOR, self.timeouts.block).await;
        if let Err(Trouble::TimedOut(after)) = sent {
            return uncertain(Trouble::TimedOut(after));
        }
        let reply = match self.reply(Phase::EndOfData).await {
            Ok(reply) => reply,
            Err(fault) => return End::Uncertain(fault),
        };
        let code = reply.code();
        let end = match reply.severity() {
            // It came before the terminator could be sent, so that it is not the answer to it.
            Severity::Completion if sent.is_err() => return uncertain(Trouble::Unexpected(reply)),
            Severity::Completion => End::Accepted(reply),
            Severity::Transient | Severity::Permanent => {
                End::NotSent(Fault::new(Phase::EndOfData, Trouble::Refused(reply)))
            }
            Severity::Preliminary | Severity::Intermediate => return uncertain(Trouble::Unexpected(reply)),
        };
        match self.stream.quiet().await {
            Ok(()) if code != 421 => self.after = After::Clean,
            // Refused and taken: nobody can tell which.
            Err(Trouble::Unsolicited(said)) if is_completion(&said) && matches!(end, End::NotSent(_)) => {
                return uncertain(Trouble::Unsolicited(said));
            }
            // What comes after a 2yz takes nothing back, but the session is not trusted with another letter.
            _ => {}
        }
        end
    }
}

fn is_refusal(reply: &Reply) -> bool {
    matches!(reply.severity(), Severity::Transient | Severity::Permanent)
}

/// True for the head of what came unasked, if it is a 2yz reply.
fn is_completion(said: &str) -> bool {
    said.starts_with('2')
}

enum Standing {
    Due,
    Refused(Reply),
}

/// Due, refused, or else a fault: a reply of a kind that cannot be meant here.
fn standing(phase: Phase, reply: Reply, due: &[u16]) -> Result<Standing, Fault> {
    if due.contains(&reply.code()) {
        Ok(Standing::Due)
    } else if is_refusal(&reply) {
        Ok(Standing::Refused(reply))
    } else {
        Err(Fault::new(phase, Trouble::Unexpected(reply)))
    }
}
