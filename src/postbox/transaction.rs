//! One mail transaction: MAIL, RCPT, DATA or BDAT, and what becomes of the letter at its end.

use super::body::{Body, Taken, field};
use super::command::MailFrom;
use super::script::{Step, steps};
use super::session::{Normal, Session, said};
use super::wire::Over;
use super::{Keep, Letter, keep};
use crate::clock;
use crate::domain::outcome::Phase;

/// Recipients of one letter; RFC 5321 §4.5.3.1.8 asks for 100 at least.
const RECIPIENTS_MAX: usize = 1_000;

/// What MAIL began.
pub(super) struct Transaction {
    reverse_path: String,
    /// The accepted recipients, in order.
    pub(super) forward_paths: Vec<String>,
    utf8: bool,
    /// The message so far, once a BDAT has come.
    chunks: Option<Body>,
}

impl Session {
    pub(super) async fn mail(&mut self, mail: MailFrom) -> Result<(), Over> {
        let offers = self.server.options.offers;
        let not_offered = (mail.utf8 && !offers.smtputf8)
            || (mail.eight_bit && !offers.eight_bit_mime)
            || (mail.size.is_some() && offers.size.is_none());
        let refusal = match () {
            () if self.login_is_due() => Some(Normal(530, "5.7.0", "AUTH first")),
            () if self.transaction.is_some() => Some(Normal(503, "5.5.1", "a transaction is open")),
            () if not_offered => Some(Normal(555, "5.5.4", "a parameter that is not offered here")),
            () if !mail.utf8 && !mail.path.is_ascii() => Some(Normal(553, "5.6.7", "SMTPUTF8 was not asked for")),
            () if mail.size.is_some_and(|size| size > self.server.size_limit()) => {
                Some(Normal(552, "5.3.4", "larger than this server takes"))
            }
            () => None,
        };
        if let Some(refusal) = refusal {
            self.say(refusal);
        } else if self.answer(Phase::Mail, Normal(250, "2.1.0", "ok")).await? {
            let MailFrom { path: reverse_path, utf8, .. } = mail;
            self.transaction = Some(Transaction { reverse_path, forward_paths: Vec::new(), utf8, chunks: None });
        }
        Ok(())
    }

    pub(super) async fn rcpt(&mut self, path: String) -> Result<(), Over> {
        let refusal = match &self.transaction {
            None => Some(Normal(503, "5.5.1", "MAIL first")),
            Some(open) if open.chunks.is_some() => Some(Normal(503, "5.5.1", "the message has begun")),
            Some(open) if !open.utf8 && !path.is_ascii() => Some(Normal(553, "5.6.7", "SMTPUTF8 was not asked for")),
            Some(open) if open.forward_paths.len() >= RECIPIENTS_MAX => {
                Some(Normal(452, "4.5.3", "no more recipients"))
            }
            Some(_) => None,
        };
        if let Some(refusal) = refusal {
            self.say(refusal);
            return Ok(());
        }
        let action = self.ask(Phase::Rcpt, Some(&path));
        if self.perform(Phase::Rcpt, action, Normal(250, "2.1.5", "ok")).await?
            && let Some(open) = &mut self.transaction
        {
            open.forward_paths.push(path);
        }
        Ok(())
    }

    pub(super) async fn data(&mut self) -> Result<(), Over> {
        let normal = match &self.transaction {
            None => {
                self.say(Normal(503, "5.5.1", "MAIL first"));
                return Ok(());
            }
            Some(open) if open.chunks.is_some() => {
                self.say(Normal(503, "5.5.1", "BDAT was begun"));
                return Ok(());
            }
            Some(open) if open.forward_paths.is_empty() => Normal(554, "5.5.1", "no valid recipients"),
            Some(_) => Normal(354, "", "go on, end with a dot"),
        };
        if self.answer(Phase::Data, normal).await? {
            let body = self.read_data().await?;
            self.finish(body).await?;
        }
        Ok(())
    }

    async fn read_data(&mut self) -> Result<Body, Over> {
        let mut body = self.new_body();
        // Until it is known whether anything stands before the terminator.
        while self.wire.buffered().len() < 3 && b".\r\n".starts_with(self.wire.buffered()) {
            self.wire.fill().await?;
        }
        let close_after = if self.wire.buffered().starts_with(b".\r\n") { None } else { self.body_begins().await? };
        let mut received = 0;
        loop {
            let (taken, end) = match body.data(self.wire.buffered()) {
                Taken::More(taken) => (taken, false),
                Taken::End(taken) => (taken, true),
            };
            self.wire.consume(taken);
            received += taken;
            let so_far = received + if end { 0 } else { self.wire.buffered().len() };
            if close_after.is_some_and(|octets| end || so_far >= octets) {
                self.wire.abandon().await?;
            }
            if end {
                return Ok(body);
            }
            self.wire.fill().await?;
        }
    }

    pub(super) async fn bdat(&mut self, size: usize, last: bool) -> Result<(), Over> {
        if !self.server.options.offers.chunking {
            self.say(Normal(502, "5.5.1", "no BDAT here"));
            return Ok(());
        }
        let begun = self.transaction.as_mut().and_then(|open| open.chunks.take());
        let first = begun.is_none();
        let mut body = begun.unwrap_or_else(|| self.new_body());
        let mut close_after = None;
        let mut left = size;
        while left > 0 {
            if self.wire.buffered().is_empty() {
                self.wire.fill().await?;
            }
            if first && left == size && self.transaction.is_some() {
                close_after = self.body_begins().await?;
            }
            let input = self.wire.buffered();
            let taken = left.min(input.len());
            body.chunk(&input[..taken]);
            self.wire.consume(taken);
            left -= taken;
            if close_after.is_some_and(|octets| left == 0 || size - left >= octets) {
                self.wire.abandon().await?;
            }
        }
        // The chunk is read before it is refused: its octets are no commands (RFC 3030 §2).
        let refusal = match &mut self.transaction {
            None => Normal(503, "5.5.1", "MAIL first"),
            Some(open) if open.forward_paths.is_empty() => Normal(554, "5.5.1", "no valid recipients"),
            Some(_) if last => return self.finish(body).await,
            Some(open) => {
                open.chunks = Some(body);
                Normal(250, "2.0.0", "go on")
            }
        };
        self.say(refusal);
        Ok(())
    }

    fn new_body(&self) -> Body {
        Body::new(self.server.size_limit(), self.server.options.keep != Keep::Nothing)
    }

    /// The cue at the first octets: after how many the connection shall be closed, if at all.
    async fn body_begins(&mut self) -> Result<Option<usize>, Over> {
        let mut close_after = None;
        for step in steps(self.ask(Phase::Body, None)) {
            match step {
                Step::Normal | Step::Silence => {}
                Step::Close => close_after = Some(0),
                Step::CloseAfterBody(octets) => close_after = Some(octets),
                Step::Say(text) => {
                    self.step(Step::Say(text), Normal(250, "", "")).await?;
                    self.wire.close().await?;
                }
                step => self.step(step, Normal(250, "", "")).await?,
            }
        }
        Ok(close_after)
    }

    /// The message is whole: the letter is kept or not, and that is recorded before anything is said.
    async fn finish(&mut self, body: Body) -> Result<(), Over> {
        body.violations().iter().for_each(|what| self.violated(what));
        let action = self.ask(Phase::EndOfData, None);
        let Some(open) = self.transaction.take() else { return Ok(()) };
        let takeable = !open.forward_paths.is_empty() && !body.too_big();
        let normal = match () {
            () if open.forward_paths.is_empty() => Normal(554, "5.5.1", "no valid recipients"),
            () if body.too_big() => Normal(552, "5.3.4", "larger than this server takes"),
            () => Normal(250, "2.0.0", ""),
        };
        let steps = steps(action);
        let taken = said(&steps, normal).is_some_and(|code| code / 100 == 2);
        let acknowledged = taken && !steps.contains(&Step::Silence);
        let told = steps.iter().find_map(|step| if let Step::Keep(keep) = step { Some(*keep) } else { None });
        let mut text = normal.2.to_owned();
        if takeable && told.unwrap_or(taken) {
            let sequence = self.server.truth.next_sequence();
            text = format!("kept as {sequence}");
            let letter = self.letter(sequence, open, body, acknowledged);
            if keep::keep(&self.server.options.keep, &self.server.truth, letter).await.is_err() {
                self.say(Normal(451, "4.3.0", "the letter could not be written to the folder"));
                return Ok(());
            }
        } else if takeable {
            text.push_str("not kept");
        }
        for step in steps {
            self.step(step, Normal(normal.0, normal.1, &text)).await?;
        }
        Ok(())
    }

    fn letter(&self, sequence: u64, open: Transaction, body: Body, acknowledged: bool) -> Letter {
        Letter {
            sequence,
            connection: self.connection,
            at: clock::now(),
            reverse_path: open.reverse_path,
            forward_paths: open.forward_paths,
            message_id: field(body.kept(), "Message-ID"),
            delivery: field(body.kept(), "X-Demarche-Delivery"),
            size: body.size(),
            bytes: body.into_bytes(),
            acknowledged,
            file: None,
        }
    }
}
