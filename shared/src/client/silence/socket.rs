//! A socket whose traffic is a sign of life: a long message over a slow link takes longer than a silence may.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::UnixStream;

use super::Silence;

/// The fewest bytes that show that the other side reads: a request to a daemon that hangs finds room too.
const MIN_PROGRESS: usize = 1024;

/// A socket that reports its traffic.
#[derive(Debug)]
pub(in crate::client) struct LiveSocket {
    pub(in crate::client) socket: UnixStream,
    pub(in crate::client) silence: Arc<Silence>,
}

impl AsyncRead for LiveSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.socket).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.silence.heard();
        }
        polled
    }
}

impl AsyncWrite for LiveSocket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.socket).poll_write(context, bytes);
        if matches!(polled, Poll::Ready(Ok(written)) if written >= MIN_PROGRESS) {
            self.silence.heard();
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn bytes_are_a_sign_of_life_and_a_request_is_none() {
        let (socket, mut daemon) = UnixStream::pair().unwrap();
        let silence = Arc::new(Silence::new());
        let mut live = LiveSocket { socket, silence: Arc::clone(&silence) };
        let ask = || {
            silence.expects(Instant::now(), |state| state.responses = 1);
            silence.step(Instant::now() + Duration::from_secs(60));
            assert!(silence.is_pinged());
        };
        ask();
        live.write_all(&[1; 40]).await.unwrap();
        assert!(silence.is_pinged(), "a ping doesn't answer itself");
        live.write_all(&[1; 4096]).await.unwrap();
        assert!(!silence.is_pinged());
        ask();
        daemon.write_all(&[1]).await.unwrap();
        live.read_u8().await.unwrap();
        assert!(!silence.is_pinged());
    }
}
