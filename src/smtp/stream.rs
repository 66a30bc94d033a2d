//! The socket with deadlines and a receive buffer that is known to be empty when it should be.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::timeout;

use super::reply::{ReplyParser, excerpt};
use super::tls;
use crate::domain::outcome::Trouble;
use crate::domain::reply::{Reply, Severity};

/// Received octets that are kept while a group of commands is being written; a server that sends more has to wait.
const INPUT_MOST: usize = 1024 * 1024;

/// What stands in place of words that repeat the credentials.
const WITHHELD: &str = "(the server repeated the credentials; its words are left out)";

/// A connection: TCP, TLS over it, or a test's pipe.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// What input means while we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OnInput {
    /// Replies to a group of commands: kept, so that neither side waits for the other with full buffers (RFC 2920 §3.1).
    Keep,
    /// No reply is due: writing stops.
    Stop,
}

/// A connection, what was received of it and not yet used, and how its receiving side ended.
pub(super) struct Stream {
    wire: Box<dyn Wire>,
    input: Vec<u8>,
    ended: Option<Trouble>,
    secrets: Vec<SecretString>,
}

impl Stream {
    pub(super) fn new(wire: Box<dyn Wire>) -> Self {
        Self { wire, input: Vec::new(), ended: None, secrets: Vec::new() }
    }

    /// The connection alone, for the upgrade to TLS. [`Self::quiet`] has to come first: what was received is thrown away.
    pub(super) fn into_wire(self) -> Box<dyn Wire> {
        self.wire
    }

    /// Lets none of these out of here from now on: words of the server that repeat one are left out.
    pub(super) fn keep_out(&mut self, secrets: Vec<SecretString>) {
        self.secrets = secrets.into_iter().filter(|secret| !secret.expose_secret().is_empty()).collect();
    }

    fn betrays(&self, said: &[u8]) -> bool {
        self.secrets.iter().any(|secret| {
            let secret = secret.expose_secret().as_bytes();
            said.windows(secret.len()).any(|window| window == secret)
        })
    }

    fn scrubbed(&self, reply: Reply) -> Reply {
        if reply.lines().iter().any(|line| self.betrays(line)) {
            Reply::new(reply.code(), vec![WITHHELD.as_bytes().to_vec()]).unwrap_or(reply)
        } else {
            reply
        }
    }

    /// The head of what was received, for a person. It is cut, so the whole is searched.
    fn head(&self) -> String {
        if self.betrays(&self.input) { WITHHELD.to_owned() } else { excerpt(&self.input) }
    }

    /// Reads one whole reply, within `within` from now on.
    pub(super) async fn reply(&mut self, within: Duration) -> Result<Reply, Trouble> {
        timeout(within, self.whole_reply()).await.unwrap_or(Err(Trouble::TimedOut(within)))
    }

    async fn whole_reply(&mut self) -> Result<Reply, Trouble> {
        let mut parser = ReplyParser::default();
        loop {
            let taken = parser.take(&self.input);
            let (used, reply) = taken.map_err(|garble| {
                let why = if self.betrays(&self.input) { WITHHELD.to_owned() } else { garble.to_string() };
                Trouble::Garbled(why)
            })?;
            self.input.drain(..used);
            if let Some(reply) = reply {
                return Ok(self.scrubbed(reply));
            }
            if let Some(trouble) = &self.ended {
                return Err(trouble.clone());
            }
            poll_fn(|cx| self.poll_fill(cx)).await;
        }
    }

    /// Writes a group of commands (or one) and flushes it. Replies that come meanwhile are kept.
    pub(super) async fn send(&mut self, bytes: &[u8], within: Duration) -> Result<(), Trouble> {
        self.send_counted(bytes, within, &mut 0).await
    }

    /// As [`Self::send`], and adds to `written` the octets that the connection has taken, also if it fails. Those that it has
    /// not taken never leave.
    pub(super) async fn send_counted(
        &mut self,
        bytes: &[u8],
        within: Duration,
        written: &mut usize,
    ) -> Result<(), Trouble> {
        let mut taken = 0;
        let writing = poll_fn_write(self, bytes, OnInput::Keep, &mut taken);
        let result = timeout(within, writing).await.unwrap_or(Err(Trouble::TimedOut(within)));
        *written += taken;
        result
    }

    /// Writes a block of the message and flushes it. What the server says meanwhile ends it: see [`Self::early`].
    pub(super) async fn send_block(&mut self, block: &[u8], within: Duration) -> Result<(), Trouble> {
        let mut written = 0;
        let writing = poll_fn_write(self, block, OnInput::Stop, &mut written);
        match timeout(within, writing).await {
            Ok(Ok(())) => Ok(()),
            // Servers that refuse early reply and then close: the reply says more than the broken connection.
            Ok(Err(broken)) => Err(match self.early(within).await {
                Trouble::Closed | Trouble::Broken(_) => broken,
                told => told,
            }),
            Err(_) => Err(Trouble::TimedOut(within)),
        }
    }

    /// What it means that something came, or the connection ended, while no reply was due: a whole 4yz or 5yz reply is a
    /// refusal.
    pub(super) async fn early(&mut self, within: Duration) -> Trouble {
        let head = self.head();
        match self.reply(within).await {
            Ok(reply) if matches!(reply.severity(), Severity::Transient | Severity::Permanent) => {
                Trouble::Refused(reply)
            }
            Ok(reply) => Trouble::Unsolicited(reply.to_string()),
            Err(Trouble::Garbled(_) | Trouble::TimedOut(_)) => Trouble::Unsolicited(head),
            Err(trouble) => trouble,
        }
    }

    /// Proves that nothing has been received that was not asked for, and that the connection is open, as far as this side
    /// can know without waiting.
    pub(super) async fn quiet(&mut self) -> Result<(), Trouble> {
        // The runtime learns what the socket has received only between tasks.
        tokio::task::yield_now().await;
        self.quiet_now().await
    }

    async fn quiet_now(&mut self) -> Result<(), Trouble> {
        if self.input.is_empty() {
            // Outside the runtime's budget: a task that has used its share would be told that nothing came.
            tokio::task::unconstrained(poll_fn(|cx| Poll::Ready(self.poll_fill(cx).is_ready()))).await;
        }
        if !self.input.is_empty() {
            return Err(Trouble::Unsolicited(self.head()));
        }
        self.ended.clone().map_or(Ok(()), Err)
    }

    /// Ends the connection politely (TLS `close_notify`, FIN), within `within`, and never fails.
    pub(super) async fn close(mut self, within: Duration) {
        // Whether the server hears it changes nothing for any letter.
        drop(timeout(within, self.wire.shutdown()).await);
    }

    /// Receives once. Ready as soon as there is more input or the end is known.
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.ended.is_some() {
            return Poll::Ready(());
        }
        let mut space = [0; 4096];
        let mut buffer = ReadBuf::new(&mut space);
        match Pin::new(&mut self.wire).poll_read(cx, &mut buffer) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(Err(error)) => self.ended = Some(tls::trouble(&error)),
            Poll::Ready(Ok(())) if buffer.filled().is_empty() => self.ended = Some(Trouble::Closed),
            Poll::Ready(Ok(())) => self.input.extend_from_slice(buffer.filled()),
        }
        Poll::Ready(())
    }

    /// One step of writing and flushing; `written` counts what the connection has taken.
    fn poll_write_all(&mut self, cx: &mut Context<'_>, bytes: &[u8], written: &mut usize) -> Poll<Result<(), Trouble>> {
        while *written < bytes.len() {
            match Pin::new(&mut self.wire).poll_write(cx, &bytes[*written..]) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(tls::trouble(&error))),
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Trouble::Closed)),
                Poll::Ready(Ok(count)) => *written += count,
            }
        }
        Pin::new(&mut self.wire).poll_flush(cx).map_err(|error| tls::trouble(&error))
    }
}

/// Writes all of `bytes` and, whenever the connection takes no more, looks at what came. `written` counts what the
/// connection has taken.
async fn poll_fn_write(
    stream: &mut Stream,
    bytes: &[u8],
    on_input: OnInput,
    written: &mut usize,
) -> Result<(), Trouble> {
    poll_fn(|cx| {
        if let Poll::Ready(result) = stream.poll_write_all(cx, bytes, written) {
            return Poll::Ready(result);
        }
        while stream.ended.is_none() && stream.input.len() < INPUT_MOST {
            if stream.poll_fill(cx).is_pending() {
                return Poll::Pending;
            }
            if on_input == OnInput::Stop {
                return Poll::Ready(Err(stream.ended.clone().unwrap_or(Trouble::Closed)));
            }
        }
        Poll::Pending
    })
    .await
}
