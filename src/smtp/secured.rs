//! A connection under TLS that gives what came before a break, and only then the break.

use std::io::{self, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::client::TlsStream;

use super::stream::Wire;

/// TLS over a connection. A fatal alert right behind a reply comes with it in one read; the library then tells of the alert
/// alone, and an accepted letter would be taken for an uncertain one.
pub(super) struct Secured {
    tls: TlsStream<Box<dyn Wire>>,
    broken: Option<io::Error>,
}

impl Secured {
    pub(super) fn new(tls: TlsStream<Box<dyn Wire>>) -> Self {
        Self { tls, broken: None }
    }
}

impl AsyncRead for Secured {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.broken.is_none() {
            match Pin::new(&mut this.tls).poll_read(cx, buffer) {
                Poll::Ready(Err(error)) => this.broken = Some(error),
                other => return other,
            }
        }
        let left = this.tls.get_mut().1.reader().read(buffer.initialize_unfilled()).unwrap_or(0);
        buffer.advance(left);
        Poll::Ready(match this.broken.take_if(|_| left == 0) {
            Some(error) => Err(error),
            None => Ok(()),
        })
    }
}

impl AsyncWrite for Secured {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().tls).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tls).poll_shutdown(cx)
    }
}
