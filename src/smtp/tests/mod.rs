//! Sessions against scripted servers over a pipe: a server that is polite but for one act at one phase.

mod chunk_replies;
mod chunking;
mod opening;
mod phases;
mod promises;
mod recipients;
mod terminator;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::oneshot;

use super::{Connector, Session};
use crate::domain::message::{Envelope, Field, ForwardPath};
use crate::domain::outcome::{Fault, Handover, Phase};
use crate::domain::relay::{Login, PasswordSource, Relay, Security, Timeouts};

pub(super) const LETTER: &[u8] = b"Subject: x\r\n\r\n.hidden\r\nbye\r\n";

/// What the server does instead of its polite answer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act {
    /// These octets, and on as if it had answered politely.
    Say(&'static str),
    /// As `Say`, octets above 127 and all.
    Octets(&'static [u8]),
    /// Closes.
    Drop,
    /// Says this, then closes.
    SayAndDrop(&'static str),
    /// Never answers.
    Hang,
    /// One octet a minute, for ever.
    Drip,
}

/// What the server saw.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) commands: Vec<String>,
    /// Messages that were ended by a terminator, still dot-stuffed.
    pub(super) messages: Vec<Vec<u8>>,
    /// Every octet that was read, as it came.
    pub(super) received: Vec<u8>,
    /// How many octets of a message came before the server stopped reading, without terminator.
    pub(super) partial: Vec<u8>,
}

/// A polite server but for its acts.
pub(super) struct Server {
    pub(super) ehlo: &'static str,
    /// At a phase, on its n-th time (from 0), an act.
    pub(super) acts: Vec<(Phase, usize, Act)>,
    /// Told once an act of the body is done.
    pub(super) acted: Option<oneshot::Sender<()>>,
    pub(super) seen: Arc<Mutex<Seen>>,
}

pub(super) const PIPELINING: &str = "250-mx.example\r\n250-PIPELINING\r\n250-SIZE 1000000\r\n250 8BITMIME\r\n";
pub(super) const LOCK_STEP: &str = "250 mx.example\r\n";

impl Server {
    pub(super) fn new(ehlo: &'static str) -> Self {
        Self { ehlo, acts: Vec::new(), acted: None, seen: Arc::default() }
    }

    pub(super) fn with(mut self, phase: Phase, act: Act) -> Self {
        self.acts.push((phase, 0, act));
        self
    }

    pub(super) fn with_nth(mut self, phase: Phase, nth: usize, act: Act) -> Self {
        self.acts.push((phase, nth, act));
        self
    }

    pub(super) fn start(self) -> (DuplexStream, Arc<Mutex<Seen>>) {
        let (ours, theirs) = tokio::io::duplex(16 * 1024);
        let seen = Arc::clone(&self.seen);
        tokio::spawn(Serving { server: self, wire: theirs, input: Vec::new(), counts: Vec::new() }.run());
        (ours, seen)
    }
}

struct Serving {
    server: Server,
    wire: DuplexStream,
    input: Vec<u8>,
    counts: Vec<Phase>,
}

impl Serving {
    async fn run(mut self) {
        // A client that goes away ends the server.
        let _ = self.serve().await;
    }

    async fn serve(&mut self) -> Option<()> {
        self.answer(Phase::Banner, "220 mx.example\r\n").await?;
        loop {
            let line = self.line().await?;
            self.server.seen.lock().expect("lock").commands.push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" | "HELO" => self.answer(Phase::Ehlo, self.server.ehlo).await?,
                "STARTTLS" => self.answer(Phase::StartTls, "220 go\r\n").await?,
                "AUTH" => self.answer(Phase::Auth, "235 ok\r\n").await?,
                "MAIL" => self.answer(Phase::Mail, "250 ok\r\n").await?,
                "RCPT" => self.answer(Phase::Rcpt, "250 2.1.5 ok\r\n").await?,
                "DATA" => {
                    if self.answer(Phase::Data, "354 go\r\n").await? {
                        self.message().await?;
                        self.answer(Phase::EndOfData, "250 queued\r\n").await?
                    } else {
                        true
                    }
                }
                "BDAT" => {
                    self.chunk(&line).await?;
                    self.answer(Phase::EndOfData, "250 queued\r\n").await?
                }
                "QUIT" => {
                    self.say(b"221 bye\r\n").await;
                    return None;
                }
                _ => self.answer(Phase::Connect, "250 ok\r\n").await?,
            };
        }
    }

    /// True if the answer lets a DATA go on: the polite one, or any that begins with 354.
    async fn answer(&mut self, phase: Phase, polite: &str) -> Option<bool> {
        let nth = self.counts.iter().filter(|counted| **counted == phase).count();
        self.counts.push(phase);
        let act = self.server.acts.iter().find(|(at, n, _)| *at == phase && *n == nth).map(|(_, _, act)| *act);
        let Some(act) = act else {
            self.say(polite.as_bytes()).await;
            return Some(true);
        };
        self.act(act).await?;
        Some(matches!(act, Act::Say(said) if said.starts_with("354")))
    }

    async fn act(&mut self, act: Act) -> Option<()> {
        match act {
            Act::Say(said) => self.say(said.as_bytes()).await,
            Act::Octets(said) => self.say(said).await,
            Act::Drop => return None,
            Act::SayAndDrop(said) => {
                self.say(said.as_bytes()).await;
                return None;
            }
            Act::Hang => std::future::pending().await,
            Act::Drip => loop {
                self.say(b"2").await;
                tokio::time::sleep(Duration::from_secs(60)).await;
            },
        }
        Some(())
    }

    async fn say(&mut self, said: &[u8]) {
        // The client may have gone.
        let _ = self.wire.write_all(said).await;
    }

    async fn fill(&mut self) -> Option<()> {
        let mut space = [0; 4096];
        let count = self.wire.read(&mut space).await.ok()?;
        self.input.extend_from_slice(&space[..count]);
        self.server.seen.lock().expect("lock").received.extend_from_slice(&space[..count]);
        (count > 0).then_some(())
    }

    async fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..at + 2).collect();
                return Some(String::from_utf8_lossy(&line[..at]).into_owned());
            }
            self.fill().await?;
        }
    }

    /// The octets that `BDAT n LAST` announces.
    async fn chunk(&mut self, line: &str) -> Option<()> {
        let octets = line.strip_prefix("BDAT ").and_then(|rest| rest.strip_suffix(" LAST")).expect("one last chunk");
        let octets: usize = octets.parse().expect("a number");
        while self.input.len() < octets {
            self.fill().await?;
        }
        let message = self.input.drain(..octets).collect();
        self.server.seen.lock().expect("lock").messages.push(message);
        Some(())
    }

    async fn message(&mut self) -> Option<()> {
        let body = self.server.acts.iter().find(|(phase, _, _)| *phase == Phase::Body).map(|(_, _, act)| *act);
        if let Some(act) = body {
            while self.input.is_empty() {
                self.fill().await?;
            }
            let acted = self.server.acted.take();
            if let (Act::Hang, Some(acted)) = (act, acted) {
                acted.send(()).expect("the intent waits");
                std::future::pending::<()>().await;
            } else {
                // Dropping the sender with the server tells as well.
                self.act(act).await?;
                self.server.acted = None;
            }
        }
        loop {
            let found = self.input.windows(5).position(|five| five == b"\r\n.\r\n").map(|at| at + 2);
            if let Some(at) = found.or_else(|| self.input.starts_with(b".\r\n").then_some(0)) {
                let message: Vec<u8> = self.input.drain(..at + 3).take(at).collect();
                self.server.seen.lock().expect("lock").messages.push(message);
                return Some(());
            }
            if self.fill().await.is_none() {
                self.server.seen.lock().expect("lock").partial = std::mem::take(&mut self.input);
                return None;
            }
        }
    }
}

pub(super) fn relay(security: Security) -> Relay {
    Relay {
        host: "localhost".to_owned(),
        port: 25,
        security,
        login: None,
        connections: 1,
        ca_file: None,
        ehlo_name: "client.example".to_owned(),
        messages_per_connection: 100,
        timeouts: Timeouts::default(),
    }
}

pub(super) fn login() -> Login {
    let password = PasswordSource::Inline(SecretString::from("hunter2"));
    Login { username: "us@here.example".to_owned(), password }
}

pub(super) async fn open(server: Server) -> (Result<Session, Fault>, Arc<Mutex<Seen>>) {
    let (wire, seen) = server.start();
    let connector = Connector::new(relay(Security::None)).expect("settings");
    (connector.begin(Box::new(wire)).await, seen)
}

pub(super) fn envelope(fields: &[Field]) -> Envelope {
    let path =
        |(index, field): (usize, &Field)| ForwardPath { address: format!("r{index}@missions.example"), field: *field };
    Envelope {
        reverse_path: "us@here.example".to_owned(),
        forward_paths: fields.iter().enumerate().map(path).collect(),
    }
}

/// One letter to one To, in a new session.
pub(super) async fn hand_over(server: Server) -> (Handover, Session, Arc<Mutex<Seen>>) {
    hand_over_to(server, &[Field::To]).await
}

pub(super) async fn hand_over_to(server: Server, fields: &[Field]) -> (Handover, Session, Arc<Mutex<Seen>>) {
    let (session, seen) = open(server).await;
    let mut session = session.expect("a session");
    let handover = session.hand_over(LETTER, &envelope(fields), async { true }).await;
    (handover, session, seen)
}
