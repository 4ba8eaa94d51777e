//! Which bytes are being published: what nothing refers to yet, but soon will.
//!
//! Before the file of a large blob gets its name, an empty file named by its hash is made in the store's folder of
//! publications. After a crash the next daemon finds there which files were written and perhaps never committed; a file
//! that it does not find there is not its own to remove.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::id::BlobHash;

use super::Published;
use crate::store::folder;

/// The open publications, shared by the publishers and the writer, which alone unlinks.
pub(in crate::store) struct Registry {
    open: Mutex<HashMap<BlobHash, Entry>>,
    /// Called with bytes whose publication has ended, and whether they are in a file that was written for it.
    released: Box<dyn Fn(BlobHash, bool) + Send + Sync>,
    /// Where publications of files are marked.
    marks: PathBuf,
}

struct Entry {
    count: usize,
    bytes: u64,
    /// The file was written by this publication; one that was there before is not removed with it.
    made: bool,
    /// Bytes that lie in no file; readable before their commit.
    inline: Option<Arc<[u8]>>,
}

impl Registry {
    pub(in crate::store) fn new(
        released: impl Fn(BlobHash, bool) + Send + Sync + 'static,
        marks: PathBuf,
    ) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), released: Box::new(released), marks })
    }

    pub(super) fn open(self: &Arc<Self>, hash: BlobHash, bytes: u64, inline: Option<&[u8]>) -> Arc<Open> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.entry(hash)
            .or_insert_with(|| Entry { count: 0, bytes, made: false, inline: inline.map(Arc::from) })
            .count += 1;
        Arc::new(Open { registry: self.clone(), hash })
    }

    /// Opens the publication of this hash once more, if it is open.
    pub(super) fn again(self: &Arc<Self>, hash: BlobHash) -> Option<Published> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = open.get_mut(&hash)?;
        entry.count += 1;
        let inline = entry.inline.as_ref().map(|it| it.to_vec());
        Some(Published {
            hash,
            bytes: entry.bytes,
            inline,
            open: Arc::new(Open { registry: self.clone(), hash }),
        })
    }

    /// Records that the file of a publication is about to get its name.
    pub(super) fn mark(&self, hash: BlobHash) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = open.get_mut(&hash).filter(|entry| !entry.made) {
            entry.made = true;
            // Without the mark a crash leaves a file that is never removed, which is the safe side.
            if let Err(error) = folder::create_file(&self.marks.join(hash.to_string())) {
                tracing::debug!("the publication of {hash} is not marked: {error}");
            }
        }
    }

    /// Returns the open publication of this hash: its size, and its bytes unless they are in a file.
    pub(super) fn published(&self, hash: BlobHash) -> Option<(u64, Option<Arc<[u8]>>)> {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&hash).map(|entry| (entry.bytes, entry.inline.clone()))
    }

    /// Returns whether a publication of these bytes is open.
    pub(in crate::store) fn is_open(&self, hash: BlobHash) -> bool {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&hash)
    }

    /// Does something while no publication of these bytes can begin, unless one is open.
    pub(super) fn unless_open(&self, hash: BlobHash, act: impl FnOnce()) {
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if !open.contains_key(&hash) {
            act();
        }
    }

    /// Records the end of the publication of a file: it is referenced, or was removed.
    pub(in crate::store) fn unmark(&self, hash: BlobHash) {
        self.unless_open(hash, || {
            let _ = std::fs::remove_file(self.marks.join(hash.to_string()));
        });
    }
}

/// An open publication.
pub(in crate::store) struct Open {
    registry: Arc<Registry>,
    hash: BlobHash,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Open({})", self.hash)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut open = self.registry.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(entry) = open.get_mut(&self.hash) else { return };
        entry.count -= 1;
        if entry.count > 0 {
            return;
        }
        let made = entry.made;
        open.remove(&self.hash);
        drop(open);
        (self.registry.released)(self.hash, made);
    }
}
