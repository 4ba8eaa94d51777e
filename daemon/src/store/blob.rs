//! Bytes: up to 64 KiB in SQLite, larger ones as files named by their BLAKE3 hash.
//!
//! A large blob is written to a temporary name, synced and renamed before any row refers to it. While a [`Published`]
//! of a hash lives, the writer neither forgets nor unlinks it.

mod materialise;
pub(super) mod owner;
mod reader;
mod registry;
mod sink;
mod source;
mod stamp;

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use fanlight_shared::home::Home;
use fanlight_shared::id::BlobHash;
use fanlight_shared::media::Media;

use super::readers::Readers;
use super::space::{Space, check_space};

pub(crate) use super::space::Reserved;
use super::{StoreError, folder};
use crate::file_error::{FileError, is_full};
pub(crate) use reader::BlobReader;
use reader::Verified;
pub(super) use registry::{Open, Registry};
pub use sink::Sink;
use source::Hashed;
pub(crate) use source::Referred;

/// Blobs up to this many bytes lie in SQLite.
pub const INLINE_LIMIT: u64 = 64 * 1024;

/// Bytes that are (or are about to be) in the store. While it lives, the writer does not unlink the hash.
#[derive(Clone, Debug)]
pub struct Published {
    /// Names the bytes.
    pub hash: BlobHash,
    /// How many.
    pub bytes: u64,
    /// The bytes, if they are stored in SQLite; a large blob is already a synced file.
    pub inline: Option<Vec<u8>>,
    /// Keeps the writer from unlinking them.
    open: Arc<Open>,
}

impl Published {
    /// Returns the publication that keeps the bytes while nothing refers to them.
    pub(super) fn guard(&self) -> Arc<Open> {
        self.open.clone()
    }
}

/// The blobs of a home: cheap to clone.
#[derive(Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

struct Inner {
    folder: PathBuf,
    /// Where the folders of attempts lie.
    attempts: PathBuf,
    readers: Readers,
    registry: Arc<Registry>,
    verified: Verified,
    hashed: Hashed,
    space: Space,
    /// A disk that is full, for tests.
    #[cfg(test)]
    full: std::sync::atomic::AtomicBool,
}

impl std::fmt::Debug for Blobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blobs").field("folder", &self.inner.folder).finish_non_exhaustive()
    }
}

impl Blobs {
    pub(super) fn open(home: &Home, registry: Arc<Registry>) -> Result<Self, StoreError> {
        let folder = home.blobs();
        folder::prepare(&folder)?;
        folder::prepare(&folder.join("tmp"))?;
        let readers = Readers::new(home.database());
        let inner = Inner {
            folder,
            attempts: home.attempts(),
            readers,
            registry,
            verified: Verified::default(),
            hashed: Hashed::default(),
            space: Space::default(),
            #[cfg(test)]
            full: std::sync::atomic::AtomicBool::new(false),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Publishes bytes. Blocks: hashes, writes, syncs.
    ///
    /// # Errors
    /// A full disk.
    pub fn publish(&self, bytes: Vec<u8>) -> Result<Published, StoreError> {
        let hash = BlobHash::of(&bytes);
        let length = bytes.len() as u64;
        if length <= INLINE_LIMIT {
            let open = self.inner.registry.open(hash, length, Some(&bytes));
            return Ok(Published { hash, bytes: length, inline: Some(bytes), open });
        }
        let open = self.inner.registry.open(hash, length, None);
        if !self.has_file(hash, length)? {
            let mut temporary = self.temporary()?;
            temporary.file.write_all(&bytes).map_err(|error| self.failed("write", &error))?;
            self.settle(temporary, hash)?;
        }
        Ok(Published { hash, bytes: length, inline: None, open })
    }

    /// Publishes the bytes of an open regular file, which may be larger than memory. Blocks.
    ///
    /// # Errors
    /// A full disk, a file that can't be read.
    pub fn publish_file(&self, mut file: File) -> Result<Published, StoreError> {
        let unreadable = |error: io::Error| StoreError::Other(format!("a file can't be read: {error}"));
        if !file.metadata().map_err(unreadable)?.is_file() {
            return Err(StoreError::Other("only regular files can be stored".into()));
        }
        let mut start = Vec::new();
        (&mut file).take(INLINE_LIMIT + 1).read_to_end(&mut start).map_err(unreadable)?;
        if start.len() as u64 <= INLINE_LIMIT {
            return self.publish(start);
        }
        let mut temporary = self.temporary()?;
        let mut hasher = blake3::Hasher::new();
        let mut buffer = start;
        let mut bytes = 0;
        while !buffer.is_empty() {
            hasher.update(&buffer);
            temporary.file.write_all(&buffer).map_err(|error| self.failed("write", &error))?;
            bytes += buffer.len() as u64;
            buffer.clear();
            (&mut file).take(4 * INLINE_LIMIT).read_to_end(&mut buffer).map_err(unreadable)?;
        }
        let hash = BlobHash::from_bytes(*hasher.finalize().as_bytes());
        let open = self.inner.registry.open(hash, bytes, None);
        if !self.has_file(hash, bytes)? {
            self.settle(temporary, hash)?;
        }
        Ok(Published { hash, bytes, inline: None, open })
    }

    /// Publishes bytes that are being published, once more. Returns `None` if they are not.
    pub(crate) fn published(&self, hash: BlobHash) -> Option<Published> {
        self.inner.registry.again(hash)
    }

    /// Publishes the bytes of a large blob once more. Returns `None` if they are not stored, or damaged. Blocks.
    ///
    /// # Errors
    /// The disk fails.
    pub(crate) fn publish_again(&self, hash: BlobHash, bytes: u64) -> Result<Option<Published>, StoreError> {
        if bytes <= INLINE_LIMIT || !self.has_file(hash, bytes)? {
            return Ok(None);
        }
        let open = self.inner.registry.open(hash, bytes, None);
        // It may have been removed before that.
        let known = self.has_file(hash, bytes)?;
        Ok(known.then_some(Published { hash, bytes, inline: None, open }))
    }

    /// Publishes a file in the place of a blob that the database does not know, after verifying its bytes. It stays there if
    /// the publication is dropped. Blocks.
    ///
    /// # Errors
    /// It can't be read, or its name is not the hash of its bytes.
    pub(crate) fn adopt(&self, hash: BlobHash) -> Result<Published, StoreError> {
        let unreadable = |error: io::Error| StoreError::Disk(format!("it can't be read: {error}"));
        let mut file = File::open(self.path(hash)).map_err(unreadable)?;
        let meta = file.metadata().map_err(unreadable)?;
        if !meta.is_file() || !self.is_undamaged(hash, &mut file).map_err(unreadable)? {
            return Err(StoreError::Other("its name is not the hash of its bytes".into()));
        }
        let open = self.inner.registry.open(hash, meta.len(), None);
        Ok(Published { hash, bytes: meta.len(), inline: None, open })
    }

    /// Writes the bytes of media to `target`, a new file (of a folder: a new folder); a private copy, so that whatever
    /// happens to it harms nothing stored. Blocks.
    ///
    /// # Errors
    /// The blob is gone or damaged, the disk is full.
    pub fn materialise(&self, media: &Media, target: &Path) -> Result<(), StoreError> {
        #[cfg(test)]
        self.check_full()?;
        materialise::media(self, media, target)
    }

    /// Returns the path of a large blob.
    pub(crate) fn path(&self, hash: BlobHash) -> PathBuf {
        let name = hash.to_string();
        self.inner.folder.join(&name[..2]).join(&name[2..])
    }

    /// Returns the folder of the large blobs.
    pub(super) fn folder(&self) -> &Path {
        &self.inner.folder
    }

    /// Returns the folder of temporary files.
    pub(crate) fn temporary_folder(&self) -> PathBuf {
        self.inner.folder.join("tmp")
    }

    /// Checks that the disks of the home have room for another attempt. Blocks.
    ///
    /// # Errors
    /// [`FileError::Full`].
    pub(crate) fn check_reserve(&self) -> Result<(), FileError> {
        #[cfg(test)]
        self.check_full()?;
        check_space(&self.inner.folder, 0, 0).and_then(|()| check_space(&self.inner.attempts, 0, 0))
    }

    /// Sets space on the disks of the home aside for another command, until it ends. Blocks.
    ///
    /// # Errors
    /// [`FileError::Full`].
    pub(crate) fn reserve(&self) -> Result<Reserved, FileError> {
        #[cfg(test)]
        self.check_full()?;
        self.inner.space.reserve([&self.inner.folder, &self.inner.attempts])
    }

    /// Checks that the disk of the attempts has space for this many more bytes. Blocks.
    ///
    /// # Errors
    /// [`FileError::Full`]; another error if the whole disk would not be enough.
    pub(crate) fn check_space(&self, bytes: u64) -> Result<(), FileError> {
        check_space(&self.inner.attempts, bytes, 0)
    }

    /// Returns the folders of Fanlight that hold blobs and attempts.
    pub(crate) fn own_folders(&self) -> [&Path; 2] {
        [&self.inner.folder, &self.inner.attempts].map(|folder| folder.parent().unwrap_or(folder))
    }

    /// Returns the disk space, for which attempts may have to wait.
    pub(crate) fn space(&self) -> &Space {
        &self.inner.space
    }

    /// Makes the writing of files fail, like a full disk, or work again.
    #[cfg(test)]
    pub(crate) fn set_full(&self, full: bool) {
        self.inner.full.store(full, std::sync::atomic::Ordering::SeqCst);
    }

    /// Fails where a test asks for a full disk.
    #[cfg(test)]
    fn check_full(&self) -> Result<(), StoreError> {
        if self.inner.full.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(StoreError::Full(self.inner.folder.clone()));
        }
        Ok(())
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.inner.readers
    }

    pub(super) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Removes the file of a blob that no row refers to, unless it is being published again.
    pub(super) fn unlink(&self, hash: BlobHash) {
        self.inner.registry.unless_open(hash, || {
            let path = self.path(hash);
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => tracing::warn!("{} can't be removed: {error}", path.display()),
            }
        });
    }

    /// Syncs the folders of removed files. Returns the first error. Blocks.
    pub(super) fn sync_unlinked(&self, hashes: &[BlobHash]) -> io::Result<()> {
        let paths: Vec<PathBuf> = hashes.iter().map(|hash| self.path(*hash)).collect();
        let folders: BTreeSet<&Path> = paths.iter().filter_map(|path| path.parent()).collect();
        folders.into_iter().map(folder::settle_existing).fold(Ok(()), io::Result::and)
    }

    /// Returns whether the file exists and is undamaged; a damaged one is written again. Another thread may have renamed it
    /// and not have synced its folder yet, so that is done here too.
    fn has_file(&self, hash: BlobHash, bytes: u64) -> Result<bool, StoreError> {
        let path = self.path(hash);
        if !std::fs::symlink_metadata(&path).is_ok_and(|meta| meta.is_file() && meta.len() == bytes) {
            return Ok(false);
        }
        let sound = File::open(&path).and_then(|mut file| self.is_undamaged(hash, &mut file));
        if !sound.unwrap_or(false) {
            return Ok(false);
        }
        let folder = path.parent().unwrap_or(&self.inner.folder);
        folder::sync(folder).map_err(|error| self.failed("write", &error))?;
        Ok(true)
    }

    fn temporary(&self) -> Result<Temporary, StoreError> {
        #[cfg(test)]
        self.check_full()?;
        let path = self.temporary_folder().join(uuid::Uuid::now_v7().to_string());
        let file = folder::create_file(&path).map_err(|error| self.failed("write", &error))?;
        Ok(Temporary { path, file })
    }

    /// Moves a complete temporary file to its place as a blob.
    fn settle(&self, temporary: Temporary, hash: BlobHash) -> Result<(), StoreError> {
        let path = self.path(hash);
        let settle = || {
            temporary.file.sync_all()?;
            let folder = path.parent().unwrap_or(&self.inner.folder);
            if folder::create(folder)? {
                folder::sync(&self.inner.folder)?;
            }
            self.inner.registry.mark(hash);
            std::fs::rename(&temporary.path, &path)?;
            folder::sync(folder)
        };
        settle().map_err(|error: io::Error| self.failed("write", &error))
    }

    fn failed(&self, what: &str, error: &io::Error) -> StoreError {
        if is_full(error) {
            return StoreError::Full(self.inner.folder.clone());
        }
        StoreError::Disk(format!("can't {what} a blob below {}: {error}", self.inner.folder.display()))
    }
}

/// A file that is being written; removed unless it was renamed.
struct Temporary {
    path: PathBuf,
    file: File,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // After the rename the name is gone, which is how it should be.
        let _ = std::fs::remove_file(&self.path);
    }
}
