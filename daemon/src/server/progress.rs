//! A stream that records when it last wrote something, to distinguish a slow reader from one that is gone.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// The last time when bytes left a stream.
#[derive(Clone, Debug)]
pub(super) struct Progress {
    begin: Instant,
    /// In milliseconds since `begin`.
    last: Arc<AtomicU64>,
}

impl Progress {
    fn note(&self) {
        let elapsed = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last.store(elapsed, Ordering::Relaxed);
    }

    fn last(&self) -> Instant {
        self.begin + Duration::from_millis(self.last.load(Ordering::Relaxed))
    }

    /// Waits for a send as long as bytes leave the stream. Returns `None` if none did for `patience`.
    pub(super) async fn watch<T>(&self, patience: Duration, send: impl Future<Output = T>) -> Option<T> {
        // Earlier writes say nothing about this send.
        self.note();
        tokio::pin!(send);
        loop {
            let last = self.last();
            tokio::select! {
                biased;
                sent = &mut send => return Some(sent),
                () = tokio::time::sleep_until(last + patience) => {
                    if self.last() == last {
                        return None;
                    }
                }
            }
        }
    }
}

/// A stream that records when bytes leave it.
#[derive(Debug)]
pub(super) struct Noted<S> {
    stream: S,
    progress: Progress,
}

impl<S> Noted<S> {
    /// Wraps a stream; also returns its progress.
    pub(super) fn new(stream: S) -> (Self, Progress) {
        let progress = Progress { begin: Instant::now(), last: Arc::default() };
        (Self { stream, progress: progress.clone() }, progress)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        if matches!(written, Poll::Ready(Ok(1..))) {
            self.progress.note();
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    const TIMEOUT: Duration = Duration::from_secs(30);

    /// Sends to a reader that reads a kilobyte from time to time. Returns whether the send completed.
    async fn send(every: Duration) -> bool {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let (mut stream, progress) = Noted::new(ours);
        let reading = tokio::spawn(async move {
            let mut part = [0; 1024];
            loop {
                tokio::time::sleep(every).await;
                if theirs.read(&mut part).await.unwrap_or(0) == 0 {
                    return;
                }
            }
        });
        let sent = progress.watch(TIMEOUT, stream.write_all(&vec![7; 300 * 1024])).await.is_some();
        reading.abort();
        sent
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_but_steady_reader_is_never_dropped() {
        let begin = Instant::now();
        assert!(send(Duration::from_secs(20)).await);
        assert!(begin.elapsed() > TIMEOUT * 100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_reads_nothing_is_dropped() {
        let begin = Instant::now();
        assert!(!send(Duration::from_secs(3600)).await);
        assert_eq!(begin.elapsed(), TIMEOUT);
    }
}
