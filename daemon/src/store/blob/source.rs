//! Files of the user that media refers to: hashed where they are, and verified whenever they are read.

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{Media, SourceFile};
use rustix::fs::{Mode, OFlags};

use super::reader::Source;
use super::stamp::{Stamp, changed, unreadable};
use super::{BlobReader, Blobs, Published};
use crate::store::StoreError;

/// How many files are remembered with their hash.
const HASHED_LIMIT: usize = 16_384;
/// A file that was written less long ago may be written once more without looking different.
const SETTLE_TIME: Duration = Duration::from_secs(2);

/// The content of a file of the user.
pub(crate) struct Referred {
    pub(crate) hash: BlobHash,
    pub(crate) bytes: u64,
    pub(crate) source: SourceFile,
}

impl Blobs {
    /// Hashes an open regular file of the user, so that media can refer to it. Nothing is copied. Blocks.
    ///
    /// # Errors
    /// It can't be read, or is written meanwhile.
    pub(crate) fn refer(&self, mut file: &File, path: &str) -> Result<Referred, StoreError> {
        let unreadable = |error: io::Error| unreadable(Path::new(path), &error);
        let meta = file.metadata().map_err(unreadable)?;
        let stamp = Stamp::from(&meta);
        let hash = match self.inner.hashed.get(&stamp) {
            Some(hash) => hash,
            None => {
                let mut hasher = blake3::Hasher::new();
                io::copy(&mut file, &mut hasher).map_err(unreadable)?;
                if hasher.count() != meta.len() || Stamp::of(file).map_err(unreadable)? != stamp {
                    let why = format!("{path} is being written; start this again when it is whole");
                    return Err(StoreError::Other(why));
                }
                let hash = BlobHash::from_bytes(*hasher.finalize().as_bytes());
                if is_settled(&meta) {
                    self.inner.hashed.add(stamp, hash);
                }
                hash
            }
        };
        let (modified_us, changed_us) = times(&meta);
        let source = SourceFile { path: path.to_owned(), modified_us, changed_us };
        Ok(Referred { hash, bytes: meta.len(), source })
    }

    /// Opens the bytes of media that is no folder: those of the store, else the file of the user that it refers to.
    /// Blocks.
    ///
    /// # Errors
    /// The bytes are gone, or are not what they were.
    pub(crate) fn open_media(&self, media: &Media) -> Result<BlobReader, StoreError> {
        match (&media.source, self.open_blob(media.hash)) {
            (Some(source), Err(_)) => self.open_source(media, source),
            (_, opened) => opened,
        }
    }

    /// Copies the file of the user that media refers to into the store. Blocks.
    ///
    /// # Errors
    /// The file is not what it was, the disk is full.
    pub(crate) fn copy_source(&self, media: &Media, source: &SourceFile) -> Result<Published, StoreError> {
        let mut reader = self.open_source(media, source)?;
        let path = Path::new(&source.path);
        let file = reader.file().map(|file| file.try_clone()).transpose();
        let file = file.map_err(|error| unreadable(path, &error))?;
        let file = file.ok_or_else(|| changed(path, "it is not a file"))?;
        let published = self.publish_file(file)?;
        if published.hash != media.hash {
            return Err(changed(path, "its content is different"));
        }
        Ok(published)
    }

    /// Returns whether the file of the user that media refers to still holds the same bytes. Blocks: reads it if it
    /// looks different.
    pub(crate) fn is_unchanged(&self, media: &Media, source: &SourceFile) -> bool {
        let looks_the_same = std::fs::symlink_metadata(&source.path).is_ok_and(|meta| {
            meta.is_file()
                && meta.len() == media.bytes
                && times(&meta) == (source.modified_us, source.changed_us)
        });
        looks_the_same || self.open_source(media, source).is_ok_and(|mut reader| reader.verify().is_ok())
    }

    fn open_source(&self, media: &Media, source: &SourceFile) -> Result<BlobReader, StoreError> {
        let path = PathBuf::from(&source.path);
        // Waits for nobody, and follows no link that was put in its place.
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
        let file = match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(file) => File::from(file),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => {
                return Err(changed(&path, "it no longer exists"));
            }
            Err(rustix::io::Errno::LOOP | rustix::io::Errno::MLINK) => {
                return Err(changed(&path, "it is a link now"));
            }
            Err(rustix::io::Errno::NXIO) => return Err(changed(&path, "it is no longer a regular file")),
            Err(error) => return Err(unreadable(&path, &error.into())),
        };
        let meta = file.metadata().map_err(|error| unreadable(&path, &error))?;
        if !meta.is_file() {
            return Err(changed(&path, "it is no longer a regular file"));
        }
        if meta.len() != media.bytes {
            let what = format!("it has {} bytes instead of {}", meta.len(), media.bytes);
            return Err(changed(&path, &what));
        }
        Ok(self.reader(media.hash, Source::User(file, path), media.bytes))
    }
}

/// Returns the times of the last write and of the last change of a file, in microseconds.
fn times(meta: &Metadata) -> (i64, i64) {
    let micros = |seconds: i64, nanos: i64| seconds.saturating_mul(1_000_000).saturating_add(nanos / 1000);
    (micros(meta.mtime(), meta.mtime_nsec()), micros(meta.ctime(), meta.ctime_nsec()))
}

/// Returns whether the last change of a file is so old that another one would change its times.
fn is_settled(meta: &Metadata) -> bool {
    let (_, changed_us) = times(meta);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let changed = Duration::from_micros(u64::try_from(changed_us).unwrap_or(0));
    now.saturating_sub(changed) > SETTLE_TIME
}

/// The hashes of files by what changes whenever one is written or replaced.
#[derive(Default)]
pub(super) struct Hashed(Mutex<HashMap<Stamp, BlobHash>>);

impl Hashed {
    fn get(&self, stamp: &Stamp) -> Option<BlobHash> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(stamp).copied()
    }

    fn add(&self, stamp: Stamp, hash: BlobHash) {
        let mut hashed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if hashed.len() >= HASHED_LIMIT {
            hashed.clear();
        }
        hashed.insert(stamp, hash);
    }
}
