//! The server that takes the letters (RFC 6409): where it is, how the way to it is secured, who we are to it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// How the connection is secured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314), usually port 465.
    Tls,
    /// The STARTTLS command, required, usually port 587.
    StartTls,
    /// None: to loopback only.
    None,
}

impl Security {
    /// For people: what is true of the connection.
    #[must_use]
    pub fn described(self) -> &'static str {
        match self {
            Self::Tls => "TLS",
            Self::StartTls => "STARTTLS",
            Self::None => "not encrypted, on this machine",
        }
    }

    /// The config's word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Tls => "tls",
            Self::StartTls => "starttls",
            Self::None => "none",
        }
    }
}

/// Where the password comes from; it is read when the first session is opened, and never printed.
#[derive(Clone)]
pub enum PasswordSource {
    /// The first line that a command prints.
    Command(Vec<String>),
    /// An environment variable.
    Env(String),
    /// The first line of a file.
    File(PathBuf),
    /// In the config itself; warned about.
    Inline(SecretString),
}

impl fmt::Debug for PasswordSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // An argument may be a secret.
            Self::Command(words) => write!(f, "Command({:?}, …)", words.first().map_or("", String::as_str)),
            Self::Env(name) => write!(f, "Env({name:?})"),
            Self::File(path) => write!(f, "File({})", path.display()),
            Self::Inline(_) => f.write_str("Inline(…)"),
        }
    }
}

/// Who we are to the relay.
#[derive(Debug, Clone)]
pub struct Login {
    /// The account.
    pub username: String,
    /// Its password.
    pub password: PasswordSource,
}

/// How long each phase may take for a **whole** reply (RFC 5321 §4.5.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timeouts {
    /// Name look-up, TCP connection and TLS handshake, each.
    pub connect: Duration,
    /// Banner, EHLO, STARTTLS, AUTH, MAIL, RCPT, RSET.
    pub command: Duration,
    /// DATA.
    pub data: Duration,
    /// Each block of the message.
    pub block: Duration,
    /// The reply after the terminator.
    pub end_of_data: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            command: Duration::from_secs(300),
            data: Duration::from_secs(120),
            block: Duration::from_secs(180),
            end_of_data: Duration::from_secs(600),
        }
    }
}

/// One relay and what to do with it.
#[derive(Debug, Clone)]
pub struct Relay {
    /// A host name or an IP address.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// How the connection is secured.
    pub security: Security,
    /// Absent where the relay asks for none.
    pub login: Option<Login>,
    /// Sessions at a time, at least 1.
    pub connections: usize,
    /// A PEM file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// The name in EHLO (RFC 5321 §4.1.1.1): a domain or an address literal.
    pub ehlo_name: String,
    /// Letters in one session before QUIT, at least 1.
    pub messages_per_connection: u32,
    /// Deadlines.
    pub timeouts: Timeouts,
}

impl Relay {
    /// True if the host is this machine by its name or address: `localhost`, 127.0.0.0/8 or `::1`.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}
