//! A connection that breaks under the terminator, with a reply in it that was said too early.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::phases::told;
use super::*;

/// Takes one write after the other, each with what is heard after it, until it breaks under the last.
struct Breaking {
    heard: Vec<u8>,
    after_writes: std::vec::IntoIter<&'static str>,
    broken: bool,
}

impl AsyncRead for Breaking {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.heard.is_empty() && !self.broken {
            return Poll::Pending;
        }
        buffer.put_slice(&std::mem::take(&mut self.heard));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Breaking {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let said = self.after_writes.next().expect("no write after the break");
        self.heard.extend_from_slice(said.as_bytes());
        self.broken = self.after_writes.len() == 0;
        Poll::Ready(if self.broken { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(bytes.len()) })
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn a_250_on_a_connection_that_did_not_take_the_terminator_is_no_acceptance() {
    for (said, expected) in [
        ("250 2.0.0 queued\r\n", "uncertain: end-of-data unexpected 250"),
        ("451 4.3.0 later\r\n", "not sent: end-of-data refused 451"),
        ("", "uncertain: end-of-data lost"),
    ] {
        // EHLO, MAIL, RCPT, DATA, the message, the terminator.
        let after_writes = vec![LOCK_STEP, "250 ok\r\n", "250 ok\r\n", "354 go\r\n", "", said].into_iter();
        let wire = Breaking { heard: b"220 mx.example\r\n".to_vec(), after_writes, broken: false };
        let connector = Connector::new(relay(Security::None)).expect("settings");
        let mut session = connector.begin(Box::new(wire)).await.expect("a session");
        let handover = session.hand_over(LETTER, &envelope(&[Field::To]), async { true }).await;
        assert_eq!((told(&handover.end).as_str(), handover.reusable), (expected, false), "{said:?}");
    }
}
