//! Bytes that are published while they are made, however many.

use std::io::{self, Write};

use fanlight_shared::id::BlobHash;

use super::{Blobs, INLINE_LIMIT, Published, Temporary};
use crate::store::StoreError;

/// Takes bytes and publishes them at the end. Few stay in memory; more go to a file as they come.
pub struct Sink {
    blobs: Blobs,
    /// Bytes that were not written to the file yet.
    buffer: Vec<u8>,
    file: Option<(Temporary, Box<blake3::Hasher>)>,
    bytes: u64,
    head: Vec<u8>,
}

/// How many of the first bytes a sink remembers.
const HEAD_BYTES: usize = 256;

impl Blobs {
    /// Creates a sink for bytes to be published.
    #[must_use]
    pub fn sink(&self) -> Sink {
        Sink { blobs: self.clone(), buffer: Vec::new(), file: None, bytes: 0, head: Vec::new() }
    }
}

impl Sink {
    /// Returns the number of bytes written to it.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the first bytes written to it, a few hundred at most.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Publishes what it has taken. Blocks.
    ///
    /// # Errors
    /// A full disk.
    pub fn finish(mut self) -> Result<Published, StoreError> {
        if self.file.is_none() {
            return self.blobs.publish(std::mem::take(&mut self.buffer));
        }
        self.spill().map_err(|error| self.blobs.failed("write", &error))?;
        let Some((temporary, hasher)) = self.file.take() else {
            return Err(StoreError::Other("a blob has no file".into()));
        };
        let hash = BlobHash::from_bytes(*hasher.finalize().as_bytes());
        let open = self.blobs.inner.registry.open(hash, self.bytes, None);
        if !self.blobs.has_file(hash, self.bytes)? {
            self.blobs.settle(temporary, hash)?;
        }
        Ok(Published { hash, bytes: self.bytes, inline: None, open })
    }

    /// Moves what is in memory to the file, which is made if need be.
    fn spill(&mut self) -> io::Result<()> {
        let (temporary, hasher) = match &mut self.file {
            Some(file) => file,
            none => {
                let made = self.blobs.temporary().map_err(|error| match error {
                    StoreError::Full(_) => io::ErrorKind::StorageFull.into(),
                    other => io::Error::other(other),
                })?;
                none.insert((made, Box::default()))
            }
        };
        hasher.update(&self.buffer);
        temporary.file.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let missing = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        self.buffer.extend_from_slice(bytes);
        self.bytes += bytes.len() as u64;
        if self.buffer.len() as u64 > INLINE_LIMIT {
            self.spill()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
