//! One connection from banner to QUIT: reads commands in order, asks the script, replies.

use std::sync::Arc;

use tokio::net::TcpStream;

use super::body::first_line;
use super::command::{self, Command, Wrong};
use super::script::{Action, Cue, Step, code_of, code_of_text, steps, succeeds};
use super::transaction::Transaction;
use super::wire::{Over, Wire};
use super::{Security, Server};
use crate::domain::outcome::Phase;

/// Longest command line, in octets with its line end.
const LINE_MAX: usize = 2048;

/// The server's own reply: code, enhanced status code (or none), text with `\n` between lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Normal<'a>(pub(super) u16, pub(super) &'a str, pub(super) &'a str);

/// One connection.
pub(super) struct Session {
    pub(super) server: Arc<Server>,
    pub(super) wire: Wire,
    pub(super) connection: u64,
    pub(super) transaction: Option<Transaction>,
    pub(super) authenticated: bool,
    pub(super) tls: bool,
    pub(super) stage: Stage,
}

/// How far the client has been let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// The banner refused: only QUIT is served (RFC 5321 §3.1).
    Unwelcome,
    /// EHLO is due.
    Welcome,
    /// EHLO or HELO was answered.
    Greeted,
}

impl Session {
    pub(super) fn new(server: Arc<Server>, tcp: TcpStream, connection: u64) -> Self {
        Self {
            server,
            wire: Wire::new(tcp),
            connection,
            transaction: None,
            authenticated: false,
            tls: false,
            stage: Stage::Unwelcome,
        }
    }

    /// Serves until the connection is over.
    pub(super) async fn run(mut self) {
        // `Over` is how every session ends; what it left behind is in the truth.
        let _ = self.serve().await;
    }

    async fn serve(&mut self) -> Result<(), Over> {
        self.without_reply(Phase::Connect).await?;
        if let Security::Tls(config) = self.server.options.security.clone() {
            self.handshake(&config).await?;
        }
        let greeting = format!("{} ESMTP postbox", self.server.options.hostname);
        if self.answer(Phase::Banner, Normal(220, "", &greeting)).await? {
            self.stage = Stage::Welcome;
        }
        loop {
            let command = self.next_command().await?;
            self.obey(command).await?;
        }
    }

    /// Connect and Tls: anything but behaving ends the connection.
    pub(super) async fn without_reply(&mut self, phase: Phase) -> Result<(), Over> {
        for step in steps(self.ask(phase, None)) {
            match step {
                Step::Normal | Step::Silence => return Ok(()),
                Step::Alert if phase == Phase::Tls => self.wire.alert_before_handshake().await?,
                step => self.step(step, Normal(220, "", "")).await?,
            }
        }
        self.wire.close().await
    }

    /// What the script wants at this point.
    pub(super) fn ask(&self, phase: Phase, recipient: Option<&str>) -> Action {
        let script = &self.server.options.script;
        if script.behaves() {
            return Action::Behave;
        }
        let recipients = self.transaction.as_ref().map_or(&[][..], |transaction| &transaction.forward_paths);
        let first = || recipients.first().filter(|_| phase >= Phase::Data).map(String::as_str);
        let recipient = recipient.or_else(first);
        let (nth, tries) = self.server.counters.count(phase, recipient);
        script.decide(&Cue { phase, connection: self.connection, nth, recipient, recipients, tries })
    }

    /// Asks the script and replies; whether the phase succeeded by what was said.
    pub(super) async fn answer(&mut self, phase: Phase, normal: Normal<'_>) -> Result<bool, Over> {
        let action = self.ask(phase, None);
        self.perform(phase, action, normal).await
    }

    /// Does `action` in the place of the reply; whether the phase succeeded by what was said.
    pub(super) async fn perform(&mut self, phase: Phase, action: Action, normal: Normal<'_>) -> Result<bool, Over> {
        let steps = steps(action);
        let code = said(&steps, normal);
        for step in steps {
            self.step(step, normal).await?;
        }
        Ok(code.is_some_and(|code| succeeds(phase, code)))
    }

    /// Does one step of an action.
    pub(super) async fn step(&mut self, step: Step, normal: Normal<'_>) -> Result<(), Over> {
        match step {
            Step::Normal => self.say(normal),
            Step::Say(text) => {
                let output = self.wire.output();
                for line in text.lines() {
                    output.extend_from_slice(line.as_bytes());
                    output.extend_from_slice(b"\r\n");
                }
                if code_of_text(&text) == Some(421) {
                    self.wire.close().await?;
                }
            }
            Step::Raw(chunks) => self.wire.raw(&chunks).await?,
            Step::Inject(bytes) => self.wire.output().extend_from_slice(&bytes),
            Step::Silence | Step::Keep(_) => {}
            Step::Stall => self.wire.stall().await?,
            Step::Close | Step::CloseAfterBody(_) => self.wire.close().await?,
            Step::Reset => self.wire.reset().await?,
            Step::Alert => self.wire.alert().await?,
        }
        Ok(())
    }

    /// Puts a reply where the next flush takes it.
    pub(super) fn say(&mut self, Normal(code, enhanced, text): Normal<'_>) {
        let enhanced = if self.server.options.offers.enhanced_status_codes { enhanced } else { "" };
        let gap = if enhanced.is_empty() { "" } else { " " };
        let output = self.wire.output();
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let mark = if lines.peek().is_some() { "-" } else { " " };
            for part in [code.to_string().as_str(), mark, enhanced, gap, line, "\r\n"] {
                output.extend_from_slice(part.as_bytes());
            }
        }
    }

    /// The next line without its line end, at most 2 KiB with it; `None` for a longer one.
    pub(super) async fn line(&mut self) -> Result<Option<Vec<u8>>, Over> {
        let mut overlong = false;
        loop {
            let Some(line) = first_line(self.wire.buffered()) else {
                let waiting = self.wire.buffered().len();
                if waiting > LINE_MAX {
                    overlong = true;
                    self.wire.consume(waiting);
                }
                self.wire.fill().await?;
                continue;
            };
            let length = line.len();
            if overlong || length > LINE_MAX {
                self.wire.consume(length);
                return Ok(None);
            }
            let text = line.strip_suffix(b"\r\n").unwrap_or(&line[..length - 1]).to_vec();
            if text.len() + 2 != length || text.contains(&b'\r') {
                self.violated("a command line with a bare CR or LF");
            }
            self.wire.consume(length);
            return Ok(Some(text));
        }
    }

    async fn next_command(&mut self) -> Result<Result<Command, Wrong>, Over> {
        let Some(line) = self.line().await? else {
            self.server.truth.heard(self.connection, "(a line over 2 KiB)");
            return Ok(Err(Wrong::Unknown));
        };
        let command = command::parse(&line);
        let text = String::from_utf8_lossy(&line);
        match &command {
            Ok(Command::Auth { mechanism, initial: Some(_) }) => {
                self.server.truth.heard(self.connection, &format!("AUTH {mechanism} *"));
            }
            Err(_) if text.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case("AUTH")) => {
                self.server.truth.heard(self.connection, "AUTH *");
            }
            _ => self.server.truth.heard(self.connection, &text),
        }
        self.judge_pipelining(&command, &text);
        Ok(command)
    }

    /// Input behind a command is right only if PIPELINING was offered and the command may have others behind it (RFC 2920 §3.1).
    fn judge_pipelining(&self, command: &Result<Command, Wrong>, text: &str) {
        let may_be_followed = match command {
            Ok(Command::Bdat { .. }) => true,
            Ok(Command::Mail(_) | Command::Rcpt(_) | Command::Rset) | Err(_) => self.server.options.offers.pipelining,
            Ok(_) => false,
        };
        if !may_be_followed && !self.wire.buffered().is_empty() {
            let verb = text.split(' ').next().unwrap_or_default();
            self.violated(&format!("input behind {verb} before its reply"));
        }
    }

    pub(super) fn violated(&self, what: &str) {
        self.server.truth.violated(self.connection, what);
    }

    async fn obey(&mut self, command: Result<Command, Wrong>) -> Result<(), Over> {
        let command = match command {
            Ok(Command::Quit) => {
                self.say(Normal(221, "2.0.0", "bye"));
                return self.wire.goodbye().await;
            }
            _ if self.stage == Stage::Unwelcome => {
                self.say(Normal(503, "5.5.1", "no service here"));
                return Ok(());
            }
            Ok(command) => command,
            Err(wrong) => {
                self.say(match wrong {
                    Wrong::Unknown => Normal(500, "5.5.2", "no such command"),
                    Wrong::Syntax => Normal(501, "5.5.4", "that is not how it is written"),
                    Wrong::NotServed => Normal(502, "5.5.1", "not served here"),
                    Wrong::Parameter => Normal(555, "5.5.4", "a parameter that is not offered here"),
                });
                return Ok(());
            }
        };
        match command {
            Command::Hello { extended } => self.hello(extended).await,
            Command::StartTls => self.start_tls().await,
            Command::Auth { mechanism, initial } => self.auth(&mechanism, initial).await,
            Command::Mail(mail) if self.stage == Stage::Greeted => self.mail(mail).await,
            Command::Rcpt(path) => self.rcpt(path).await,
            Command::Data => self.data().await,
            Command::Bdat { size, last } => self.bdat(size, last).await,
            simple => {
                self.simple(&simple);
                Ok(())
            }
        }
    }

    fn simple(&mut self, command: &Command) {
        let reply = match command {
            Command::Mail(_) => Normal(503, "5.5.1", "EHLO first"),
            Command::Rset => {
                self.transaction = None;
                Normal(250, "2.0.0", "forgotten")
            }
            Command::Vrfy => Normal(252, "2.5.0", "send it and see"),
            Command::Help => Normal(214, "2.0.0", "RFC 5321"),
            _ => Normal(250, "2.0.0", "ok"),
        };
        self.say(reply);
    }
}

/// The code of the first thing that `steps` say, if it is a whole reply.
pub(super) fn said(steps: &[Step], normal: Normal<'_>) -> Option<u16> {
    steps.iter().find_map(|step| match step {
        // What is not said counts as the server's own reply all the same.
        Step::Normal | Step::Silence => Some(Some(normal.0)),
        Step::Say(text) => Some(code_of_text(text)),
        Step::Raw(chunks) => {
            let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.bytes.iter().copied()).collect();
            Some(code_of(&bytes))
        }
        _ => None,
    })?
}
