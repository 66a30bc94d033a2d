//! The server's end of one connection: buffered input, batched output, the upgrade to TLS, and the ways to end it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::script::Chunk;

/// Octets asked of the socket at a time.
const READ: usize = 64 * 1024;
/// How long what a client still sends is thrown away after a FIN, so that no RST overtakes what was said.
const LINGER: Duration = Duration::from_secs(5);
/// A fatal `handshake_failure` in the clear (RFC 8446 §6).
const PLAIN_ALERT: [u8; 7] = [21, 3, 3, 0, 2, 2, 40];

/// The connection is over: closed by either side, or by the script.
#[derive(Debug)]
pub(super) struct Over;

impl From<io::Error> for Over {
    fn from(_: io::Error) -> Self {
        Self
    }
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
    Gone,
}

/// One connection with its buffers.
pub(super) struct Wire {
    stream: Stream,
    input: Vec<u8>,
    read: usize,
    output: Vec<u8>,
}

impl Wire {
    pub(super) fn new(tcp: TcpStream) -> Self {
        Self { stream: Stream::Plain(tcp), input: Vec::new(), read: 0, output: Vec::new() }
    }

    /// Octets that came and were not consumed.
    pub(super) fn buffered(&self) -> &[u8] {
        &self.input[self.read..]
    }

    /// Takes `octets` off the buffered input.
    pub(super) fn consume(&mut self, octets: usize) {
        self.read += octets;
    }

    /// Throws away what is buffered.
    pub(super) fn discard(&mut self) {
        self.read = self.input.len();
    }

    /// Writes out what is waiting, then reads more.
    pub(super) async fn fill(&mut self) -> Result<(), Over> {
        self.flush().await?;
        self.input.drain(..self.read);
        self.read = 0;
        self.input.reserve(READ);
        let octets = match &mut self.stream {
            Stream::Plain(tcp) => tcp.read_buf(&mut self.input).await?,
            Stream::Tls(tls) => tls.read_buf(&mut self.input).await?,
            Stream::Gone => 0,
        };
        if octets == 0 { Err(Over) } else { Ok(()) }
    }

    /// Where to put what shall go out with the next flush.
    pub(super) fn output(&mut self) -> &mut Vec<u8> {
        &mut self.output
    }

    pub(super) async fn flush(&mut self) -> Result<(), Over> {
        if self.output.is_empty() {
            return Ok(());
        }
        match &mut self.stream {
            Stream::Plain(tcp) => tcp.write_all(&self.output).await?,
            Stream::Tls(tls) => {
                tls.write_all(&self.output).await?;
                tls.flush().await?;
            }
            Stream::Gone => return Err(Over),
        }
        self.output.clear();
        Ok(())
    }

    /// Writes chunks as they are, each after its delay, in a write of its own.
    pub(super) async fn raw(&mut self, chunks: &[Chunk]) -> Result<(), Over> {
        for chunk in chunks {
            self.flush().await?;
            if !chunk.after.is_zero() {
                tokio::time::sleep(chunk.after).await;
            }
            self.output.extend_from_slice(&chunk.bytes);
        }
        self.flush().await
    }

    /// Serves the handshake: what was buffered before it is not believed after it (RFC 3207 §4.2).
    pub(super) async fn upgrade(&mut self, config: &Arc<ServerConfig>) -> Result<(), Over> {
        self.flush().await?;
        self.discard();
        let Stream::Plain(tcp) = std::mem::replace(&mut self.stream, Stream::Gone) else { return Err(Over) };
        let tls = TlsAcceptor::from(Arc::clone(config)).accept(tcp).await?;
        self.stream = Stream::Tls(Box::new(tls));
        Ok(())
    }

    fn tcp(&mut self) -> Result<&mut TcpStream, Over> {
        match &mut self.stream {
            Stream::Plain(tcp) => Ok(tcp),
            Stream::Tls(tls) => Ok(tls.get_mut().0),
            Stream::Gone => Err(Over),
        }
    }

    /// Ends as the protocol has it: `close_notify` under TLS, then FIN.
    pub(super) async fn goodbye(&mut self) -> Result<(), Over> {
        self.flush().await?;
        if let Stream::Tls(tls) = &mut self.stream {
            tls.shutdown().await?;
        }
        self.close().await
    }

    /// FIN and nothing before it; then reads and forgets until the client leaves.
    pub(super) async fn close(&mut self) -> Result<(), Over> {
        self.flush().await?;
        let tcp = self.tcp()?;
        tcp.shutdown().await?;
        let mut sink = vec![0; READ];
        let drained = async { while tcp.read(&mut sink).await.is_ok_and(|octets| octets > 0) {} };
        let _ = tokio::time::timeout(LINGER, drained).await;
        Err(Over)
    }

    /// FIN, and whatever the client sends after it meets a closed socket.
    pub(super) async fn abandon(&mut self) -> Result<(), Over> {
        self.flush().await?;
        self.tcp()?.shutdown().await?;
        Err(Over)
    }

    /// RST: the socket is closed with `SO_LINGER` 0 when it is dropped.
    pub(super) async fn reset(&mut self) -> Result<(), Over> {
        self.flush().await?;
        self.tcp()?.set_zero_linger()?;
        self.stream = Stream::Gone;
        Err(Over)
    }

    /// A fatal TLS alert, then FIN; without TLS a reset.
    pub(super) async fn alert(&mut self) -> Result<(), Over> {
        self.flush().await?;
        let Stream::Tls(tls) = &mut self.stream else { return self.reset().await };
        let (tcp, session) = tls.get_mut();
        // A server cannot ask rustls for an alert; a record that does not decrypt makes it send one. The record is
        // repeated because the client's own next record may have come in part.
        let mut garbage = vec![0; 4096];
        garbage[..5].copy_from_slice(&[23, 3, 3, 0x0f, 0xfb]);
        for _ in 0..8 {
            if session.read_tls(&mut garbage.as_slice()).is_err() || session.process_new_packets().is_err() {
                break;
            }
        }
        let mut alert = Vec::new();
        while session.wants_write() {
            session.write_tls(&mut alert)?;
        }
        tcp.write_all(&alert).await?;
        self.close().await
    }

    /// A fatal alert in answer to the first octets of the handshake: before them it would be plain text behind a reply.
    pub(super) async fn alert_before_handshake(&mut self) -> Result<(), Over> {
        self.fill().await?;
        self.output.extend_from_slice(&PLAIN_ALERT);
        self.close().await
    }

    /// Says and reads nothing until the client leaves.
    pub(super) async fn stall(&mut self) -> Result<(), Over> {
        self.flush().await?;
        let tcp = self.tcp()?;
        loop {
            let ready = tcp.ready(Interest::READABLE).await?;
            if ready.is_read_closed() {
                return Err(Over);
            }
            // Input is left where it is: only the next event on the socket shall wake this task.
            let _ = tcp.try_io(Interest::READABLE, || Err::<(), _>(io::ErrorKind::WouldBlock.into()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn pair() -> (Wire, TcpStream) {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Wire::new(listener.accept().await.unwrap().0), client)
    }

    #[tokio::test]
    async fn a_stall_ends_when_the_client_leaves_and_not_when_it_writes() {
        let (mut wire, mut client) = pair().await;
        client.write_all(b"NOOP\r\n").await.unwrap();
        let stalled = tokio::time::timeout(Duration::from_millis(20), wire.stall()).await;
        assert!(stalled.is_err(), "what the client writes does not end it");
        drop(client);
        assert!(wire.stall().await.is_err());
    }

    #[tokio::test]
    async fn what_was_written_comes_before_the_fin_and_late_input_does_not_turn_it_into_a_reset() {
        let (mut wire, mut client) = pair().await;
        client.write_all(&vec![b'x'; 200_000]).await.unwrap();
        wire.output().extend_from_slice(b"421 bye\r\n");
        let closing = tokio::spawn(async move { wire.close().await.is_err() });
        let mut said = Vec::new();
        client.read_to_end(&mut said).await.unwrap();
        assert_eq!(said, b"421 bye\r\n");
        client.write_all(b"late").await.unwrap();
        drop(client);
        assert!(closing.await.unwrap());
    }
}
