//! Which bytes are being published: what nothing refers to yet, but soon will.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use fanlight_shared::id::BlobHash;

use crate::store::writer::Message;

/// The open publications, shared by those who publish and by the writer, who alone unlinks.
pub(in crate::store) struct Registry {
    open: Mutex<HashMap<BlobHash, Entry>>,
    writer: Sender<Message>,
}

struct Entry {
    count: usize,
    /// Bytes that lie in no file; readable before their commit.
    inline: Option<Arc<Vec<u8>>>,
}

impl Registry {
    pub(in crate::store) fn new(writer: Sender<Message>) -> Arc<Self> {
        Arc::new(Self { open: Mutex::default(), writer })
    }

    pub(super) fn open(self: &Arc<Self>, hash: BlobHash, inline: Option<&[u8]>) -> Arc<Open> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.entry(hash)
            .or_insert_with(|| Entry { count: 0, inline: inline.map(|bytes| Arc::new(bytes.to_vec())) })
            .count += 1;
        Arc::new(Open { registry: self.clone(), hash })
    }

    pub(super) fn inline(&self, hash: BlobHash) -> Option<Arc<Vec<u8>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).get(&hash)?.inline.clone()
    }

    /// Whether a publication of these bytes is open.
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
        open.remove(&self.hash);
        drop(open);
        // If nothing refers to the bytes, they go. Without a writer the next start finds them.
        let _ = self.registry.writer.send(Message::Released(self.hash));
    }
}
