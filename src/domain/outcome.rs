//! What one SMTP transaction showed: the phase is in every outcome, because the phase decides what a failure proves.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::reply::Reply;

/// Where a session or transaction stood (RFC 5321 §3; SMTP.md's table has a column for each).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Name look-up and TCP connection.
    Connect,
    /// TLS handshake, at connect or after STARTTLS.
    Tls,
    /// The server's greeting.
    Banner,
    /// EHLO or HELO.
    Ehlo,
    /// The STARTTLS command (RFC 3207).
    StartTls,
    /// AUTH and its challenges (RFC 4954).
    Auth,
    /// MAIL FROM.
    Mail,
    /// RCPT TO.
    Rcpt,
    /// DATA, up to the 354.
    Data,
    /// The message, before the first byte of the terminator.
    Body,
    /// From the first byte of the terminator to the whole reply.
    EndOfData,
}

impl Phase {
    /// True while no letter is at stake: a failure here is the relay's matter.
    #[must_use]
    pub fn before_mail(self) -> bool {
        self < Self::Mail
    }

    /// The stable name used in the ledger and in `--json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Banner => "banner",
            Self::Ehlo => "ehlo",
            Self::StartTls => "starttls",
            Self::Auth => "auth",
            Self::Mail => "mail",
            Self::Rcpt => "rcpt",
            Self::Data => "data",
            Self::Body => "body",
            Self::EndOfData => "end-of-data",
        }
    }
}

impl Phase {
    /// Where a letter stood, for people who never read an RFC.
    #[must_use]
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Connect => "while connecting",
            Self::Tls => "while setting up TLS",
            Self::Banner | Self::Ehlo => "at the greeting",
            Self::StartTls => "at STARTTLS",
            Self::Auth => "at the login",
            Self::Mail => "at the sender",
            Self::Rcpt => "at the address",
            Self::Data => "before the letter",
            Self::Body => "within the letter",
            Self::EndOfData => "after the letter",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What went wrong in a phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// A whole, well-formed 4yz or 5yz reply.
    Refused(Reply),
    /// A whole, well-formed reply of a kind that is not due here (a 354 after the dot, a 2yz for a 3yz).
    Unexpected(Reply),
    /// Bytes that are no reply: what was wrong with them.
    Garbled(String),
    /// Bytes in the receive buffer when none were due.
    Unsolicited(String),
    /// Plain text that stood in the buffer at the upgrade to TLS (an injection).
    Injected,
    /// The peer closed the connection.
    Closed,
    /// The connection broke: the operating system's words.
    Broken(String),
    /// TLS failed: an alert, a handshake failure, a truncated record.
    Tls(String),
    /// The server's certificate does not prove that it is the server.
    Certificate(String),
    /// No whole reply in time.
    TimedOut(Duration),
    /// The server does not offer what this session needs (STARTTLS, an AUTH mechanism).
    NotOffered(String),
    /// The server does not offer what this one letter needs (SMTPUTF8, enough SIZE).
    LetterNotTakeable(String),
    /// Credentials could not be had (the password command failed, the file is missing).
    Credentials(String),
    /// The intent could not be made durable; the terminator was not sent.
    NoIntent,
}

impl Trouble {
    /// The reply, where there was a whole one.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        match self {
            Self::Refused(reply) | Self::Unexpected(reply) => Some(reply),
            _ => None,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(reply) => write!(f, "{reply}"),
            Self::Unexpected(reply) => write!(f, "a reply that is not due here: {reply}"),
            Self::Garbled(what) => write!(f, "an answer that is no SMTP reply: {what}"),
            Self::Unsolicited(what) => write!(f, "a reply that nobody asked for: {what}"),
            Self::Injected => f.write_str(
                "plain text was injected before the TLS handshake, so that somebody may stand between you and the server; \
                 nothing was sent: try another network, or security = \"tls\" with port 465, and tell who runs the server",
            ),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Broken(what) => write!(f, "the connection broke: {what}"),
            Self::Tls(what) => write!(f, "TLS failed: {what}"),
            Self::Certificate(what) => write!(f, "the server's certificate was not accepted: {what}"),
            Self::TimedOut(after) => write!(f, "no whole reply within {} s", after.as_secs_f64()),
            Self::NotOffered(what) | Self::LetterNotTakeable(what) | Self::Credentials(what) => f.write_str(what),
            Self::NoIntent => f.write_str("the ledger could not record the intent, so the letter was not finished"),
        }
    }
}

/// A trouble and the phase in which it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where.
    pub phase: Phase,
    /// What.
    pub trouble: Trouble,
}

impl Fault {
    /// A fault of `trouble` in `phase`.
    #[must_use]
    pub fn new(phase: Phase, trouble: Trouble) -> Self {
        Self { phase, trouble }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Phase::Connect, Trouble::Broken(what)) = (self.phase, &self.trouble) {
            return f.write_str(what);
        }
        write!(f, "{}: {}", self.phase.in_words(), self.trouble)?;
        if self.phase == Phase::StartTls && self.trouble.reply().is_some() {
            f.write_str(
                "; nothing is sent in clear: ask who runs the server, or try security = \"tls\" with port 465",
            )?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// What the server said to one RCPT TO.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RcptOutcome {
    /// 250 or 251.
    Accepted(Reply),
    /// A whole 4yz or 5yz.
    Refused(Reply),
    /// Never answered, or not asked: the transaction ended before.
    Unanswered,
}

/// How the transaction ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// A 2yz after the terminator: the server has the letter for every recipient that it accepted.
    Accepted(Reply),
    /// Provably not delivered to anyone.
    NotSent(Fault),
    /// Provably not delivered: the server refused every To address, so the letter was not sent.
    NoRecipient,
    /// The terminator may have left and no valid reply came: nobody can know (RFC 1047).
    Uncertain(Fault),
}

/// What one transaction showed, from MAIL to the reply after the terminator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handover {
    /// One for each forward path of the envelope, in its order.
    pub recipients: Vec<RcptOutcome>,
    /// How it ended.
    pub end: End,
    /// Whether the session can take another letter.
    pub reusable: bool,
}
