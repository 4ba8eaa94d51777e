//! Compresses what is written to a file, and shows how much that was.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Write as _};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;

use crate::output::amount::Amount;

/// How much archives are compressed: pictures and sounds hardly get smaller.
const LEVEL: i32 = 3;

/// A file that is being compressed. Writing blocks for as long as the disk, or who reads a pipe, takes.
pub(super) struct Compressed {
    encoder: zstd::stream::write::Encoder<'static, Counted>,
    total: Rc<Cell<u64>>,
    amount: Amount,
}

struct Counted {
    file: File,
    bytes: u64,
}

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Compressed {
    pub(super) fn new(file: File) -> io::Result<Self> {
        let mut encoder = zstd::stream::write::Encoder::new(Counted { file, bytes: 0 }, LEVEL)?;
        encoder.include_checksum(true)?;
        Ok(Self { encoder, total: Rc::default(), amount: Amount::new("exported") })
    }

    /// Returns where to set how many bytes will be written.
    pub(super) fn total(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.total)
    }

    /// Ends the file. Returns its size.
    pub(super) fn finish(self) -> io::Result<u64> {
        let mut counted = self.encoder.finish()?;
        counted.flush()?;
        Ok(counted.bytes)
    }
}

impl AsyncWrite for Compressed {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let total = self.total.get();
        self.amount.of(total);
        self.amount.add(bytes.len() as u64);
        Poll::Ready(self.encoder.write_all(bytes).map(|()| bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
