//! An SMTP server on loopback that keeps the truth: for rehearsals, trials, tests and benchmarks.
//!
//! It does the server's side of RFC 5321 properly unless its [`Script`] says otherwise, outlives its clients, and its
//! [`Truth`] tells what really became of every letter, acknowledged or not. It never speaks to anything but 127.0.0.1.

mod body;
mod command;
mod faults;
mod hello;
mod keep;
mod login;
mod script;
mod session;
mod transaction;
mod truth;
mod wire;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

pub use faults::{Shares, seeded, seeded_for};
pub use script::{Action, Chunk, Cue, Rule, Script};
pub use truth::{Letter, Truth};

use script::Counters;
use session::Session;

/// The largest message taken where SIZE is not offered, and the SIZE offered by default, in octets.
const SIZE_MAX: u64 = 50 * 1024 * 1024;
/// The wait after a failed accept (too many open files), so as not to spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What the server offers, asks for, keeps, and does other than behave.
#[derive(Clone)]
pub struct Options {
    /// The port on 127.0.0.1; 0 for one that is free.
    pub port: u16,
    /// The name in the banner and in the EHLO reply.
    pub hostname: String,
    /// The extensions in the EHLO reply.
    pub offers: Offers,
    /// TLS.
    pub security: Security,
    /// User name and password: AUTH PLAIN and LOGIN are then offered (under [`Security::StartTls`] after the
    /// handshake) and required before MAIL.
    pub login: Option<(String, String)>,
    /// What is kept of the letters.
    pub keep: Keep,
    /// What the server does other than behave.
    pub script: Script,
}

impl Default for Options {
    /// A free port, no TLS, no login, every extension except CHUNKING, letters in memory, and good behaviour.
    fn default() -> Self {
        Self {
            port: 0,
            hostname: "postbox.invalid".to_owned(),
            offers: Offers::default(),
            security: Security::None,
            login: None,
            keep: Keep::Bytes,
            script: Script::default(),
        }
    }
}

/// The service extensions that the EHLO reply names, besides STARTTLS and AUTH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one extension, offered or not")]
pub struct Offers {
    /// PIPELINING (RFC 2920).
    pub pipelining: bool,
    /// CHUNKING (RFC 3030).
    pub chunking: bool,
    /// SMTPUTF8 (RFC 6531).
    pub smtputf8: bool,
    /// 8BITMIME (RFC 6152).
    pub eight_bit_mime: bool,
    /// ENHANCEDSTATUSCODES (RFC 2034); without it the replies carry none.
    pub enhanced_status_codes: bool,
    /// SIZE (RFC 1870), in octets. 50 MiB are the limit where it is not offered.
    pub size: Option<u64>,
}

impl Default for Offers {
    fn default() -> Self {
        Self {
            pipelining: true,
            chunking: false,
            smtputf8: true,
            eight_bit_mime: true,
            enhanced_status_codes: true,
            size: Some(SIZE_MAX),
        }
    }
}

/// How the server does TLS.
#[derive(Debug, Clone)]
pub enum Security {
    /// Not at all.
    None,
    /// After STARTTLS (RFC 3207).
    StartTls(Arc<ServerConfig>),
    /// From the first octet (RFC 8314).
    Tls(Arc<ServerConfig>),
}

/// What the server keeps of the letters that it accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keep {
    /// Their number, envelopes and ids.
    Nothing,
    /// Their bytes too, in memory.
    Bytes,
    /// One `<sequence>-<id>.eml` each in this folder, the exact bytes without dot-stuffing. The folder is made if it
    /// is not there; no file in it is overwritten.
    Folder(PathBuf),
}

/// What all sessions share.
struct Server {
    options: Options,
    truth: Truth,
    counters: Counters,
}

impl Server {
    fn size_limit(&self) -> u64 {
        self.options.offers.size.unwrap_or(SIZE_MAX)
    }
}

/// A running server. Dropping it ends it too, without waiting.
pub struct Postbox {
    address: SocketAddr,
    truth: Truth,
    running: watch::Sender<()>,
    accepting: JoinHandle<()>,
}

impl Postbox {
    /// Binds the port and serves on tasks of the present tokio runtime.
    ///
    /// # Errors
    /// The port cannot be bound; the folder for the letters cannot be made or read.
    pub async fn start(options: Options) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
        let address = listener.local_addr()?;
        let truth = Truth::after(keep::prepare(&options.keep)?);
        let server = Arc::new(Server { options, truth: truth.clone(), counters: Counters::default() });
        let (running, stopped) = watch::channel(());
        let accepting = tokio::spawn(accept(listener, server, stopped));
        Ok(Self { address, truth, running, accepting })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// A handle on what really happened, which outlives the server.
    #[must_use]
    pub fn truth(&self) -> Truth {
        self.truth.clone()
    }

    /// Closes the port and every connection, and waits until their tasks have ended.
    pub async fn stop(self) {
        drop(self.running);
        // A panic of the task has been reported by the panic hook; there is nothing left to stop.
        let _ = self.accepting.await;
    }
}

/// Accepts until the sender of `stopped` is gone.
async fn accept(listener: TcpListener, server: Arc<Server>, mut stopped: watch::Receiver<()>) {
    let mut sessions = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = sessions.join_next(), if !sessions.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((tcp, _)) => {
                    // Without it Nagle and delayed acknowledgements cost 40 ms a reply; a socket that refuses is slow, not wrong.
                    let _ = tcp.set_nodelay(true);
                    let connection = server.truth.connected();
                    sessions.spawn(Session::new(Arc::clone(&server), tcp, connection).run());
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    drop(listener);
    sessions.shutdown().await;
}
