//! The bytes of an archive, made while they are read.

use std::collections::VecDeque;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

use fanlight_shared::id::BlobHash;

use super::logs::LogFile;
use super::place::Place;
use super::scratch::Scratch;
use crate::rooted::open_own;
use crate::store::{BlobReader, Store, StoreError};

/// The size of a block of a tar.
const BLOCK: u64 = 512;
/// How many bytes of a file are read at a time.
const PART: u64 = 256 << 10;

/// Where the bytes of a file come from.
pub(super) enum From {
    Memory(Vec<u8>),
    /// The lines that were written before.
    Lines(u64),
    Blob(BlobHash),
    Log(LogFile),
}

/// A file of an archive.
pub(super) struct Entry {
    pub(super) place: Place,
    pub(super) bytes: u64,
    pub(super) from: From,
}

/// A file that is being read.
enum Open {
    Memory(Vec<u8>),
    Lines(u64),
    Blob(Box<BlobReader>),
    Log(File),
}

/// An archive, which is made while it is read.
pub(crate) struct Archive {
    store: Store,
    attempts: PathBuf,
    lines: File,
    _scratch: Scratch,
    entries: VecDeque<Entry>,
    open: Option<(Place, Open, u64, u64)>,
    buffer: Vec<u8>,
    ended: bool,
    bytes: u64,
}

impl Archive {
    pub(super) fn new(
        store: Store,
        attempts: PathBuf,
        (scratch, lines): (Scratch, File),
        entries: Vec<Entry>,
    ) -> Self {
        let bytes =
            entries.iter().map(|entry| BLOCK + entry.bytes.next_multiple_of(BLOCK)).sum::<u64>() + 2 * BLOCK;
        Self {
            store,
            attempts,
            lines,
            _scratch: scratch,
            entries: entries.into(),
            open: None,
            buffer: Vec::new(),
            ended: false,
            bytes,
        }
    }

    /// Returns how many bytes it has in all.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns the next bytes, this many unless it ends before. Blocks.
    ///
    /// # Errors
    /// A file is gone or damaged.
    pub(crate) fn next(&mut self, want: u64) -> Result<Vec<u8>, StoreError> {
        let want = usize::try_from(want).unwrap_or(usize::MAX);
        while self.buffer.len() < want && self.advance()? {}
        let rest = self.buffer.split_off(want.min(self.buffer.len()));
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    /// Reads some more; returns `false` at the end.
    fn advance(&mut self) -> Result<bool, StoreError> {
        let Some((place, open, bytes, read)) = &mut self.open else {
            return match self.entries.pop_front() {
                Some(entry) => self.begin(entry).map(|()| true),
                None if self.ended => Ok(false),
                None => {
                    self.ended = true;
                    self.buffer.resize(self.buffer.len() + 2 * BLOCK as usize, 0);
                    Ok(true)
                }
            };
        };
        let left = *bytes - *read;
        if left == 0 {
            let padding = bytes.next_multiple_of(BLOCK) - *bytes;
            self.buffer.resize(self.buffer.len() + padding as usize, 0);
            self.open = None;
            return Ok(true);
        }
        let want = left.min(PART);
        let part = match open {
            Open::Memory(bytes) => std::mem::take(bytes),
            Open::Lines(offset) => {
                let mut part = vec![0; want as usize];
                self.lines
                    .read_exact_at(&mut part, *offset + *read)
                    .map_err(|error| changed(place, &error))?;
                part
            }
            Open::Blob(reader) => reader.next(want)?,
            Open::Log(file) => {
                let mut part = Vec::new();
                file.take(want).read_to_end(&mut part).map_err(|error| changed(place, &error))?;
                part
            }
        };
        if part.is_empty() || part.len() as u64 > left {
            return Err(changed(place, &"it has another size now"));
        }
        *read += part.len() as u64;
        self.buffer.extend_from_slice(&part);
        Ok(true)
    }

    fn begin(&mut self, entry: Entry) -> Result<(), StoreError> {
        let Entry { place, bytes, from } = entry;
        let mut header = tar::Header::new_gnu();
        header.set_path(place.to_string()).map_err(|error| changed(&place, &error))?;
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o600);
        header.set_size(bytes);
        header.set_cksum();
        self.buffer.extend_from_slice(header.as_bytes());
        let open = match from {
            From::Memory(bytes) => Open::Memory(bytes),
            From::Lines(offset) => Open::Lines(offset),
            From::Blob(hash) => Open::Blob(Box::new(self.store.blobs().open_blob(hash)?)),
            From::Log(log) => {
                let (folder, name) = log.place(&self.attempts);
                Open::Log(open_own(&folder, &name).map_err(|error| changed(&place, &error))?)
            }
        };
        self.open = Some((place, open, bytes, 0));
        Ok(())
    }
}

fn changed(place: &Place, why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Other(format!("`{place}` has changed while it was exported: {why}"))
}
