//! Bytes: up to 64 KiB in SQLite, larger ones as files named by their BLAKE3 hash. PLACEHOLDER bodies; signatures hold.

use std::path::{Path, PathBuf};

use fanlight_shared::home::Home;
use fanlight_shared::id::BlobHash;
use fanlight_shared::media::Media;

use super::StoreError;

/// Blobs up to this many bytes lie in SQLite.
pub const INLINE_LIMIT: u64 = 64 * 1024;

/// Bytes that are (or are about to be) in the store. While it lives, the writer does not unlink the hash.
#[derive(Debug)]
pub struct Published {
    /// Names the bytes.
    pub hash: BlobHash,
    /// How many.
    pub bytes: u64,
    /// The bytes themselves, where they are to lie in SQLite; a large blob is already a synced file.
    pub inline: Option<Vec<u8>>,
}

/// The blobs of a home: cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    folder: PathBuf,
}

impl Blobs {
    pub(super) fn open(home: &Home) -> Result<Self, StoreError> {
        Ok(Self { folder: home.blobs() })
    }
    /// Publishes bytes. Blocks: hashes, writes, syncs.
    ///
    /// # Errors
    /// A full disk.
    pub fn publish(&self, bytes: Vec<u8>) -> Result<Published, StoreError> {
        Ok(Published { hash: BlobHash::of(&bytes), bytes: bytes.len() as u64, inline: Some(bytes) })
    }
    /// Publishes the bytes of an open regular file, which may be larger than memory. Blocks.
    ///
    /// # Errors
    /// A full disk, a file that can't be read.
    pub fn publish_file(&self, file: std::fs::File) -> Result<Published, StoreError> {
        let _ = file;
        Err(StoreError::Other(format!("not at {}", self.folder.display())))
    }
    /// Writes the bytes of media to `target`, a new file (of a folder: a new folder); a private copy, so that whatever
    /// happens to it harms nothing stored. Blocks.
    ///
    /// # Errors
    /// The blob is gone, the disk is full.
    pub fn materialise(&self, media: &Media, target: &Path) -> Result<(), StoreError> {
        let _ = (media, target);
        Ok(())
    }
    /// At most `limit` bytes of a blob. Blocks.
    ///
    /// # Errors
    /// The blob is gone.
    pub fn read_at(&self, hash: BlobHash, offset: u64, limit: u64) -> Result<Vec<u8>, StoreError> {
        let _ = (offset, limit);
        Err(StoreError::NotFound(format!("no blob {hash}")))
    }
    /// How many bytes a blob has. Blocks.
    ///
    /// # Errors
    /// The blob is gone.
    pub fn len(&self, hash: BlobHash) -> Result<u64, StoreError> {
        Err(StoreError::NotFound(format!("no blob {hash}")))
    }
    /// All bytes of a blob. Blocks.
    ///
    /// # Errors
    /// The blob is gone.
    pub fn read(&self, hash: BlobHash) -> Result<Vec<u8>, StoreError> {
        Err(StoreError::NotFound(format!("no blob {hash}")))
    }
}
