//! What is kept: SQLite for rows and small bytes, files named by their hash for large ones.
//!
//! One thread writes. It takes whatever batches wait, commits them together in the order in which they came, and then
//! calls each batch's `after`. Readers work beside it.
//!
//! - [`blob`]: bytes; `database`: opening and migrations; `readers`: the pool that reads
//! - `op`: what can be written; `writer`: the thread; `apply`: ops become rows
//! - `read`: what can be asked

mod apply;
pub mod blob;
mod code;
mod database;
mod folder;
mod op;
mod read;
mod readers;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use fanlight_shared::environment::Environment;
use fanlight_shared::event::Numbered;
use fanlight_shared::home::Home;
use fanlight_shared::id::BlobHash;
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::Run;
use fanlight_shared::value::Value;
use rusqlite::Connection;
use tokio::sync::watch;

use blob::{Blobs, Registry};
pub use op::{After, Batch, Committed, NewAsset, NewRun, Op, ResumeFrom, Submit, Submitted};
pub use read::Counts;
use writer::{Message, Writer};

/// Why the store refused.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No space, no quota, or no permission to write.
    #[error("the disk that holds {0} is full; free some space and try again")]
    Full(PathBuf),
    /// A newer Fanlight made this database.
    #[error(
        "the database {path} was made by a newer Fanlight (schema {found}, this one knows {known}); use that version"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest this program knows.
        known: u32,
    },
    /// Nothing has this name or id; the sentence says what was looked for.
    #[error("{0}")]
    NotFound(String),
    /// The rest; the sentence says what was being done.
    #[error("{0}")]
    Other(String),
}

/// A run that had not ended when the daemon did.
#[derive(Debug)]
pub struct OpenRun {
    /// As lists show it.
    pub run: Run,
    /// The text of the file it was submitted with.
    pub document: String,
    /// The path of that file.
    pub path: Option<String>,
    /// What its commands get from the submitter; runs of one submission share it.
    pub environment: Arc<Environment>,
    /// Its state events, in order.
    pub events: Vec<Numbered>,
    /// Its values: node, item, port, value (`None` where not kept).
    pub values: Vec<(String, ItemPath, String, Option<Value>)>,
}

/// The store: cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    blobs: Blobs,
    home: Home,
    writer: Sender<Message>,
    thread: Mutex<Option<JoinHandle<()>>>,
    trouble: watch::Receiver<Option<String>>,
}

impl Store {
    /// Opens or makes the store of a home.
    ///
    /// # Errors
    /// A newer schema, a folder that can't be made or written, a database that is none.
    pub fn open(home: &Home) -> Result<Self, StoreError> {
        folder::prepare(&home.data)?;
        let db = database::open(&home.database())?;
        let (writer, inbox) = channel();
        let blobs = Blobs::open(home, Registry::new(writer.clone()))?;
        sweep::temporary(&blobs);
        let (banner, trouble) = watch::channel(None);
        let work = Writer::new(db, home.database(), blobs.clone(), inbox, banner);
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || work.run())
            .map_err(|error| StoreError::Other(format!("the store's thread can't be started: {error}")))?;
        sweep::start(blobs.clone(), writer.clone());
        let inner = Inner { blobs, home: home.clone(), writer, thread: Mutex::new(Some(thread)), trouble };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Hands a batch to the writer; never waits for the disk.
    pub fn write(&self, batch: Batch) {
        if let Err(refused) = self.inner.writer.send(Message::Batch(batch))
            && let Message::Batch(Batch { after: Some(after), .. }) = refused.0
        {
            after(Err(closed()));
        }
    }

    /// Writes ops as one request and waits for the commit.
    ///
    /// # Errors
    /// What the writer says.
    pub async fn commit(&self, ops: Vec<Op>) -> Result<Committed, StoreError> {
        let (send, receive) = tokio::sync::oneshot::channel();
        let after: After = Box::new(move |answer| {
            let _ = send.send(answer);
        });
        self.write(Batch { ops, must: false, after: Some(after) });
        receive.await.unwrap_or_else(|_| Err(closed()))
    }

    /// Where bytes lie.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Why nothing can be written at the moment, for banners; `None` while all is well.
    #[must_use]
    pub fn trouble(&self) -> watch::Receiver<Option<String>> {
        self.inner.trouble.clone()
    }

    /// There is nothing to hurry for: what only makes the store quick is given up, and memory goes back to the system.
    pub(crate) fn rest(&self) {
        let _ = self.inner.writer.send(Message::Rest);
    }

    /// Ends the writer after what waits is committed. Blocks.
    pub fn close(&self) {
        self.inner.close();
    }

    /// The home that this store belongs to.
    pub(crate) fn home(&self) -> &Home {
        &self.inner.home
    }

    /// Files that no row names and nobody publishes. Blocks.
    pub(crate) fn orphans(&self, found: impl FnMut(BlobHash)) -> Result<(), StoreError> {
        sweep::orphans(self.blobs(), found)
    }

    /// Removes bytes, unless something names them or they are being published.
    pub(crate) fn release(&self, hash: BlobHash) {
        let _ = self.inner.writer.send(Message::Released(hash));
    }

    /// Reads within one transaction. Blocks.
    pub(crate) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.inner.blobs.readers().read(query)
    }
}

impl Inner {
    fn close(&self) {
        let _ = self.writer.send(Message::Close);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        // An `after` may hold the last handle, and then this is the writer's own thread.
        if let Some(thread) = thread
            && thread.thread().id() != std::thread::current().id()
            && thread.join().is_err()
        {
            tracing::error!("the store's thread panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

fn closed() -> StoreError {
    StoreError::Other("the store is closed".into())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        let full = match &error {
            rusqlite::Error::SqliteFailure(ffi, _) => {
                matches!(ffi.code, ErrorCode::DiskFull | ErrorCode::ReadOnly)
                    || matches!(ffi.extended_code, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE)
            }
            _ => false,
        };
        // Who knows the database fills in its path.
        if full { Self::Full(PathBuf::new()) } else { Self::Other(format!("the database says: {error}")) }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Other(format!("stored JSON can't be read or written: {error}"))
    }
}
