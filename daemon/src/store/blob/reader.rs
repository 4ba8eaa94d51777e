//! Reading bytes: verified on the way, so that what was damaged on the disk is an error and never a wrong result.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::id::BlobHash;
use rusqlite::{Connection, OptionalExtension};

use super::stamp::{self, Stamp};
use super::{Blobs, Published};
use crate::store::StoreError;

/// How much of a blob is hashed at a time.
const PART: u64 = 256 * 1024;
/// How many files are remembered as verified.
const VERIFIED_LIMIT: usize = 4096;

/// The bytes of a blob in order. Its size is verified when it is opened; the last bytes are returned only if all of them
/// together have the hash that names them.
pub(crate) struct BlobReader {
    blobs: Blobs,
    hash: BlobHash,
    source: Source,
    left: u64,
    /// `None` where the whole blob was verified before and only a part of it is read.
    hasher: Option<blake3::Hasher>,
}

pub(super) enum Source {
    Memory(io::Cursor<Arc<[u8]>>),
    File(File, PathBuf),
    /// A file of the user, which may change at any time.
    User(File, PathBuf),
}

/// A defect of stored bytes, before their owner is known.
pub(in crate::store) struct Damage {
    hash: BlobHash,
    what: String,
}

/// Why bytes can't be read.
pub(in crate::store) enum ReadError {
    Damaged(Damage),
    Store(StoreError),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl BlobReader {
    /// Returns the number of bytes left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Returns whether it reads the blob from its beginning to its end.
    pub(crate) fn is_whole(&self) -> bool {
        self.hasher.is_some()
    }

    /// Returns the next bytes, at most `limit`; none at the end. Blocks.
    ///
    /// # Errors
    /// The bytes are damaged, or can't be read.
    pub(crate) fn next(&mut self, limit: u64) -> Result<Vec<u8>, StoreError> {
        self.part(limit).map_err(|error| self.blobs.explain(error))
    }

    /// Returns the open file, if the blob is one.
    pub(super) fn file(&mut self) -> Option<&mut File> {
        match &mut self.source {
            Source::File(file, _) | Source::User(file, _) => Some(file),
            Source::Memory(_) => None,
        }
    }

    /// Verifies a copy that was made of the open file.
    pub(super) fn verify_copy(self, copy: File) -> Result<(), StoreError> {
        let blobs = self.blobs.clone();
        let source = match self.source {
            Source::File(_, path) => Source::File(copy, path),
            Source::User(_, path) => Source::User(copy, path),
            Source::Memory(_) => return Ok(()),
        };
        let mut of_copy = Self { source, ..self };
        of_copy.verify().map_err(|error| blobs.explain(error))
    }

    fn part(&mut self, limit: u64) -> Result<Vec<u8>, ReadError> {
        let want = self.left.min(limit);
        let mut part = vec![0; usize::try_from(want).unwrap_or(usize::MAX)];
        let read = match &mut self.source {
            Source::Memory(bytes) => bytes.read_exact(&mut part),
            Source::File(file, _) | Source::User(file, _) => file.read_exact(&mut part),
        };
        if let Err(error) = read {
            let early = error.kind() == io::ErrorKind::UnexpectedEof;
            return Err(match &self.source {
                Source::User(_, path) if early => stamp::changed(path, "it is shorter now").into(),
                Source::User(_, path) => stamp::unreadable(path, &error).into(),
                Source::File(_, path) if early => self.damaged(format!("{} ends too early", path.display())),
                Source::File(_, path) => self.damaged(format!("{} can't be read: {error}", path.display())),
                Source::Memory(_) => self.damaged(format!("its row can't be read: {error}")),
            });
        }
        self.left -= want;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(&part);
            if self.left == 0 && hasher.finalize().as_bytes() != self.hash.as_bytes() {
                return Err(match &self.source {
                    Source::User(_, path) => stamp::changed(path, "its content is different").into(),
                    Source::File(_, path) => self.damaged(format!("{} holds other bytes", path.display())),
                    Source::Memory(_) => self.damaged("the database holds other bytes".to_owned()),
                });
            }
        }
        Ok(part)
    }

    /// Reads everything that is left and returns it.
    fn all(&mut self) -> Result<Vec<u8>, ReadError> {
        self.part(u64::MAX)
    }

    /// Reads everything that is left only to verify it.
    pub(super) fn verify(&mut self) -> Result<(), ReadError> {
        while self.left > 0 {
            self.part(PART)?;
        }
        Ok(())
    }

    fn damaged(&self, what: String) -> ReadError {
        ReadError::Damaged(Damage { hash: self.hash, what })
    }
}

impl Blobs {
    /// Opens a blob. Blocks.
    ///
    /// # Errors
    /// The blob is gone, or its size is wrong.
    pub(crate) fn open_blob(&self, hash: BlobHash) -> Result<BlobReader, StoreError> {
        self.opened(None, hash).map_err(|error| self.explain(error))
    }

    /// Opens a part of a blob. A part can't be verified by itself, so the whole blob is read first, unless this daemon has
    /// verified the file before and it was not written since. Blocks.
    ///
    /// # Errors
    /// The blob is gone or damaged.
    pub(crate) fn open_part(
        &self,
        hash: BlobHash,
        offset: u64,
        limit: u64,
    ) -> Result<BlobReader, StoreError> {
        let mut reader = self.open_blob(hash)?;
        let whole = reader.left;
        if offset == 0 && limit >= whole {
            return Ok(reader);
        }
        let start = offset.min(whole);
        match &reader.source {
            Source::Memory(_) | Source::User(..) => reader.verify().map_err(|error| self.explain(error))?,
            Source::File(file, _) => {
                let stamp = Stamp::of(file).map_err(|error| self.failed("read", &error))?;
                if !self.inner.verified.has(hash, &stamp) {
                    reader.verify().map_err(|error| self.explain(error))?;
                    self.inner.verified.add(hash, stamp);
                }
            }
        }
        match &mut reader.source {
            Source::Memory(bytes) => bytes.set_position(start),
            Source::File(file, _) | Source::User(file, _) => {
                file.seek(SeekFrom::Start(start)).map_err(|error| self.failed("read", &error))?;
            }
        }
        reader.hasher = None;
        reader.left = limit.min(whole - start);
        Ok(reader)
    }

    /// Returns all bytes of a blob. Blocks.
    ///
    /// # Errors
    /// The blob is gone or damaged.
    pub fn read(&self, hash: BlobHash) -> Result<Vec<u8>, StoreError> {
        self.opened(None, hash).and_then(|mut reader| reader.all()).map_err(|error| self.explain(error))
    }

    /// Like [`Self::read`], within the caller's transaction.
    pub(in crate::store) fn read_in(&self, db: &Connection, hash: BlobHash) -> Result<Vec<u8>, StoreError> {
        self.opened(Some(db), hash).and_then(|mut reader| reader.all()).map_err(|error| explain_in(db, error))
    }

    /// Returns how many bytes a blob has. Blocks.
    ///
    /// # Errors
    /// The blob is gone, or its size is wrong.
    pub fn len(&self, hash: BlobHash) -> Result<u64, StoreError> {
        self.open_blob(hash).map(|reader| reader.left)
    }

    /// Reads a blob to its end and reports what is wrong with it. Blocks.
    ///
    /// # Errors
    /// The blob is gone or damaged.
    pub(crate) fn verify(&self, hash: BlobHash) -> Result<(), StoreError> {
        self.opened(None, hash).and_then(|mut reader| reader.verify()).map_err(|error| self.explain(error))
    }

    /// Publishes stored bytes again, so that they stay until something else refers to them. Returns `None` if they are gone or
    /// damaged. Blocks.
    ///
    /// # Errors
    /// The database can't be read.
    pub(crate) fn republish(&self, hash: BlobHash) -> Result<Option<Published>, StoreError> {
        let known = match self.inner.registry.published(hash) {
            Some(published) => Some(published),
            None => self.inner.readers.read(|db| row(db, hash))?,
        };
        let Some((bytes, inline)) = known else { return Ok(None) };
        if let Some(inline) = &inline {
            if inline.len() as u64 != bytes || BlobHash::of(inline) != hash {
                return Ok(None);
            }
            let inline = inline.to_vec();
            let open = self.inner.registry.open(hash, bytes, Some(&inline));
            return Ok(Some(Published { hash, bytes, inline: Some(inline), open }));
        }
        // From here on the file is not removed, if it is still there.
        let open = self.inner.registry.open(hash, bytes, None);
        let is_whole =
            |mut file: File| Ok(file.metadata()?.len() == bytes && self.is_undamaged(hash, &mut file)?);
        let whole = File::open(self.path(hash)).and_then(is_whole).unwrap_or(false);
        Ok(whole.then_some(Published { hash, bytes, inline: None, open }))
    }

    /// Returns whether the hash of a file is its name. Blocks.
    pub(super) fn is_undamaged(&self, hash: BlobHash, file: &mut File) -> io::Result<bool> {
        let stamp = Stamp::of(file)?;
        if self.inner.verified.has(hash, &stamp) {
            return Ok(true);
        }
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(file)?;
        let sound = hasher.finalize().as_bytes() == hash.as_bytes();
        if sound {
            self.inner.verified.add(hash, stamp);
        }
        Ok(sound)
    }

    fn opened(&self, db: Option<&Connection>, hash: BlobHash) -> Result<BlobReader, ReadError> {
        let (bytes, inline) = match self.inner.registry.published(hash) {
            // What is published but not committed yet is known only there.
            Some((bytes, inline)) => (bytes, inline),
            None => match db {
                Some(db) => row(db, hash)?,
                None => self.inner.readers.read(|db| row(db, hash))?,
            }
            .ok_or_else(|| deleted(hash))?,
        };
        let damaged = |what| ReadError::Damaged(Damage { hash, what });
        let source = match inline {
            Some(inline) if inline.len() as u64 == bytes => Source::Memory(io::Cursor::new(inline)),
            Some(inline) => {
                return Err(damaged(format!("the database holds {} bytes instead of {bytes}", inline.len())));
            }
            None => {
                let path = self.path(hash);
                let file = match File::open(&path) {
                    Ok(file) => file,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {
                        // It may have been deleted since its row was read.
                        let known = match db {
                            Some(db) => row(db, hash)?,
                            None => self.inner.readers.read(|db| row(db, hash))?,
                        };
                        return Err(match known {
                            Some(_) => damaged(format!("{} is missing", path.display())),
                            None => deleted(hash).into(),
                        });
                    }
                    Err(error) => return Err(self.failed("read", &error).into()),
                };
                let found = file.metadata().map_err(|error| self.failed("read", &error))?.len();
                if found != bytes {
                    return Err(damaged(format!("{} has {found} bytes instead of {bytes}", path.display())));
                }
                Source::File(file, path)
            }
        };
        Ok(self.reader(hash, source, bytes))
    }

    /// Reads what is said to be these bytes, from its beginning.
    pub(super) fn reader(&self, hash: BlobHash, source: Source, bytes: u64) -> BlobReader {
        BlobReader { blobs: self.clone(), hash, source, left: bytes, hasher: Some(blake3::Hasher::new()) }
    }

    /// Returns an error that names the owner of the bytes.
    pub(super) fn explain(&self, error: ReadError) -> StoreError {
        match error {
            ReadError::Store(error) => error,
            damaged => match self.inner.readers.read(|db| Ok(explain_in(db, damaged))) {
                Ok(error) | Err(error) => error,
            },
        }
    }
}

fn explain_in(db: &Connection, error: ReadError) -> StoreError {
    match error {
        ReadError::Store(error) => error,
        ReadError::Damaged(Damage { hash, what }) => {
            // Who names it only makes the sentence better.
            let owner = super::owner::of(db, hash).unwrap_or_default();
            StoreError::Damaged { owner: owner.unwrap_or_else(|| hash.to_string()), what }
        }
    }
}

/// How many bytes a blob has, and the bytes themselves where they lie in SQLite.
type Row = (u64, Option<Arc<[u8]>>);

fn row(db: &Connection, hash: BlobHash) -> Result<Option<Row>, StoreError> {
    Ok(db
        .prepare_cached("SELECT bytes, inline FROM blob WHERE hash = ?1")?
        .query_row([hash.as_bytes()], |row| {
            let bytes: i64 = row.get(0)?;
            let inline: Option<Vec<u8>> = row.get(1)?;
            Ok((u64::try_from(bytes).unwrap_or(0), inline.map(Arc::from)))
        })
        .optional()?)
}

fn deleted(hash: BlobHash) -> StoreError {
    StoreError::NotFound(format!("the bytes {} are gone: they were deleted", &hash.to_string()[..12]))
}

/// Files that were read to their end and found whole.
#[derive(Default)]
pub(super) struct Verified {
    files: Mutex<HashMap<BlobHash, Stamp>>,
}

impl Verified {
    fn has(&self, hash: BlobHash, stamp: &Stamp) -> bool {
        self.files.lock().unwrap_or_else(PoisonError::into_inner).get(&hash) == Some(stamp)
    }

    fn add(&self, hash: BlobHash, stamp: Stamp) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        if files.len() >= VERIFIED_LIMIT {
            files.clear();
        }
        files.insert(hash, stamp);
    }
}
