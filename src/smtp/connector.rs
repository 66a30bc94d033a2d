//! Opens sessions: connection, TLS or STARTTLS, greeting, EHLO, AUTH.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::net::{TcpStream, lookup_host};
use tokio::sync::OnceCell;
use tokio::time::timeout;

use super::auth;
use super::capabilities::Capabilities;
use super::password;
use super::session::Session;
use super::stream::{Stream, Wire};
use super::tls::{SetupError, Tls};
use crate::domain::outcome::{Fault, Phase, Trouble};
use crate::domain::relay::{Relay, Security};
use crate::domain::reply::{Reply, Severity};

/// Opens sessions to one relay. Clones share what was read once: the certificate authorities and the password.
#[derive(Clone)]
pub struct Connector {
    inner: Arc<Inner>,
}

struct Inner {
    relay: Relay,
    /// The relay's host in A-labels, or its address without brackets.
    host: String,
    tls: Option<Tls>,
    password: OnceCell<SecretString>,
}

impl Connector {
    /// Reads the certificate authorities and checks the host name. Connects to nothing and reads no password.
    ///
    /// # Errors
    /// No session can be opened with these settings: see [`SetupError`].
    pub fn new(relay: Relay) -> Result<Self, SetupError> {
        let bare = relay.host.trim_start_matches('[').trim_end_matches(']');
        let host = if bare.parse::<std::net::IpAddr>().is_ok() {
            bare.to_owned()
        } else {
            idna::domain_to_ascii(bare).map_err(|_| SetupError::HostName { host: relay.host.clone() })?
        };
        let tls = Tls::for_relay(&relay, &host)?;
        Ok(Self { inner: Arc::new(Inner { relay, host, tls, password: OnceCell::new() }) })
    }

    /// The relay that the sessions lead to.
    #[must_use]
    pub fn relay(&self) -> &Relay {
        &self.inner.relay
    }

    /// Opens a session: connects, secures the connection, greets, logs in. The first call reads the password.
    ///
    /// # Errors
    /// What failed and in which phase. No letter is touched by any of it.
    pub async fn open(&self) -> Result<Session, Fault> {
        self.check_clear_text()?;
        // Before the connection: a password command may ask a person, and the server would not wait so long.
        self.password().await?;
        let connection = self.connect().await?;
        self.begin(Box::new(connection)).await
    }

    async fn password(&self) -> Result<Option<(&str, &SecretString)>, Fault> {
        let Some(login) = &self.inner.relay.login else { return Ok(None) };
        let cell = &self.inner.password;
        let read = cell.get_or_try_init(|| password::read(&login.password)).await;
        let password = read.map_err(|trouble| Fault::new(Phase::Auth, trouble))?;
        if login.username.contains('\0') {
            let why = "the login's username holds a NUL character, which SMTP cannot carry".to_owned();
            return Err(Fault::new(Phase::Auth, Trouble::Credentials(why)));
        }
        Ok(Some((&login.username, password)))
    }

    fn check_clear_text(&self) -> Result<(), Fault> {
        if self.inner.relay.security == Security::None && !self.inner.relay.is_loopback() {
            return Err(clear_text_refused(&self.inner.host));
        }
        Ok(())
    }

    async fn connect(&self) -> Result<TcpStream, Fault> {
        let Relay { port, security, timeouts, .. } = &self.inner.relay;
        let host = self.inner.host.as_str();
        let failed = |trouble| Fault::new(Phase::Connect, trouble);
        let found = timeout(timeouts.connect, lookup_host((host, *port))).await;
        let found = found.map_err(|_| failed(Trouble::TimedOut(timeouts.connect)))?;
        let found = found.map_err(|error| failed(Trouble::Broken(format!("{host} was not found: {error}"))))?;
        let mut last = failed(Trouble::Broken(format!("{host} has no address")));
        for address in found {
            // The name may lead elsewhere than it says.
            if *security == Security::None && !address.ip().is_loopback() {
                return Err(clear_text_refused(&address.ip().to_string()));
            }
            match timeout(timeouts.connect, connect_to(address)).await {
                Ok(Ok(connection)) => return Ok(connection),
                // Somebody answered, and hung up before the greeting.
                Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                    let broken = Trouble::Broken(format!("{address} broke the connection at once: {error}"));
                    last = Fault::new(Phase::Banner, broken);
                }
                Ok(Err(error)) => last = failed(Trouble::Broken(format!("no connection to {address}: {error}"))),
                Err(_) => last = failed(Trouble::TimedOut(timeouts.connect)),
            }
        }
        Err(last)
    }

    /// Everything from the connection on, over any connection.
    pub(super) async fn begin(&self, wire: Box<dyn Wire>) -> Result<Session, Fault> {
        let Relay { security, timeouts, .. } = &self.inner.relay;
        let mut opening = match (&self.inner.tls, security) {
            (Some(tls), Security::Tls) => Opening::new(tls.secure(wire, timeouts.connect).await?, self.relay()),
            _ => Opening::new(Stream::new(wire), self.relay()),
        };
        opening.banner().await?;
        let mut capabilities = opening.greet().await?;
        if let (Some(tls), Security::StartTls) = (&self.inner.tls, security) {
            opening.start_tls(&capabilities).await?;
            opening.stream = tls.secure(opening.stream.into_wire(), timeouts.connect).await?;
            // What was said in clear is forgotten (RFC 3207 §4.2).
            capabilities = opening.greet().await?;
        }
        if let Some((username, password)) = self.password().await? {
            auth::authenticate(&mut opening.stream, &capabilities, username, password, timeouts.command)
                .await
                .map_err(|trouble| Fault::new(Phase::Auth, trouble))?;
        }
        opening.nothing_more().await?;
        Ok(Session::new(opening.stream, capabilities, timeouts.clone()))
    }
}

async fn connect_to(address: SocketAddr) -> std::io::Result<TcpStream> {
    let connection = TcpStream::connect(address).await?;
    // Commands are small and each waits for its reply: Nagle's algorithm would only add delay.
    connection.set_nodelay(true)?;
    Ok(connection)
}

fn clear_text_refused(whereto: &str) -> Fault {
    let why =
        format!("letters go in clear to this machine only, and {whereto} is another; set security to tls or starttls");
    Fault::new(Phase::Connect, Trouble::NotOffered(why))
}

/// A session that is being opened.
struct Opening<'a> {
    stream: Stream,
    relay: &'a Relay,
    /// Which reply came last: one more than was asked for belongs to it.
    heard: Phase,
}

impl<'a> Opening<'a> {
    fn new(stream: Stream, relay: &'a Relay) -> Self {
        Self { stream, relay, heard: Phase::Banner }
    }

    /// Nothing was said that was not asked for. That the connection is gone, the next command finds out.
    async fn nothing_more(&mut self) -> Result<(), Fault> {
        match self.stream.quiet().await {
            Err(unsolicited @ Trouble::Unsolicited(_)) => Err(Fault::new(self.heard, unsolicited)),
            _ => Ok(()),
        }
    }

    async fn banner(&mut self) -> Result<(), Fault> {
        let reply = self.reply(Phase::Banner).await?;
        expect(Phase::Banner, 220, reply).map(drop)
    }

    /// EHLO, or HELO for a server too old for it, where no extension is needed.
    async fn greet(&mut self) -> Result<Capabilities, Fault> {
        let name = &self.relay.ehlo_name;
        let reply = self.ask(Phase::Ehlo, &format!("EHLO {name}")).await?;
        let extensions_needed = self.relay.login.is_some() || self.relay.security == Security::StartTls;
        if matches!(reply.code(), 500..=502) && !extensions_needed {
            let reply = self.ask(Phase::Ehlo, &format!("HELO {name}")).await?;
            return expect(Phase::Ehlo, 250, reply).map(|_| Capabilities::default());
        }
        expect(Phase::Ehlo, 250, reply).map(|reply| Capabilities::parse(reply.lines()))
    }

    async fn start_tls(&mut self, offered: &Capabilities) -> Result<(), Fault> {
        let failed = |trouble| Fault::new(Phase::StartTls, trouble);
        if !offered.start_tls {
            let why = "the server does not offer STARTTLS, and nothing is sent in clear; try security = \"tls\" with port 465";
            return Err(failed(Trouble::NotOffered(why.to_owned())));
        }
        let reply = self.ask(Phase::StartTls, "STARTTLS").await?;
        expect(Phase::StartTls, 220, reply)?;
        // What stands here already was sent in clear by someone who wants it believed after the handshake.
        self.stream.quiet().await.map_err(|trouble| match trouble {
            Trouble::Unsolicited(_) => failed(Trouble::Injected),
            other => failed(other),
        })
    }

    async fn ask(&mut self, phase: Phase, command: &str) -> Result<Reply, Fault> {
        let within = self.relay.timeouts.command;
        self.nothing_more().await?;
        tracing::trace!("C: {command}");
        let line = format!("{command}\r\n");
        match self.stream.send(line.as_bytes(), within).await {
            Err(Trouble::TimedOut(after)) => Err(Fault::new(phase, Trouble::TimedOut(after))),
            // A connection that broke under the command may still hold the reply that says why.
            _ => self.reply(phase).await,
        }
    }

    async fn reply(&mut self, phase: Phase) -> Result<Reply, Fault> {
        let reply = self.stream.reply(self.relay.timeouts.command).await;
        let reply = reply.map_err(|trouble| Fault::new(phase, trouble))?;
        tracing::trace!("S: {reply}");
        self.heard = phase;
        Ok(reply)
    }
}

/// The reply if it has exactly the code that is due.
fn expect(phase: Phase, due: u16, reply: Reply) -> Result<Reply, Fault> {
    if reply.code() == due {
        return Ok(reply);
    }
    Err(Fault::new(
        phase,
        match reply.severity() {
            Severity::Transient | Severity::Permanent => Trouble::Refused(reply),
            _ => Trouble::Unexpected(reply),
        },
    ))
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("relay", &self.inner.relay).finish_non_exhaustive()
    }
}
