//! The store: SQLite for rows and small bytes, and files named by their hash for large ones.
//!
//! One thread writes. It takes all waiting batches, commits them together in order of arrival, and then calls each
//! batch's `after`. Readers work in parallel.
//!
//! - [`blob`]: bytes; `database`: opening and migrations; `readers`: the pool that reads
//! - `op`: write operations; `writer`: the writing thread; `apply`: turns operations into rows
//! - `read`: queries; `cache`: results that later nodes reuse

mod apply;
mod attempt_key;
pub mod blob;
mod bodies;
mod cache;
mod code;
mod commit;
mod database;
mod event_row;
mod failure;
mod folder;
mod interruption;
mod op;
mod open_run;
mod read;
mod readers;
pub(crate) mod record;
mod space;
mod spending;
mod sweep;
#[cfg(test)]
pub(crate) mod tests;
mod writer;

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use fanlight_shared::home::Home;
use fanlight_shared::id::BlobHash;
use rusqlite::Connection;
use tokio::sync::watch;

use crate::file_error::FileError;
pub use attempt_key::AttemptKey;
pub(crate) use blob::BlobReader;
use blob::{Blobs, Registry};
pub use bodies::Bodies;
pub(crate) use bodies::{bodies, has_long_body};
pub use cache::{CacheKey, Cached, Lookup, Nearest, NewEntry, PartsDigest};
pub(crate) use op::StagedRun;
pub use op::{
    After, Batch, ChildFiles, ChildVersions, Committed, Finished, Import, Imported, ImportedRun, NewAsset,
    NewFile, NewRun, NewSweep, NewTrial, NewVersion, Numbers, Op, ResumeFrom, StoredSearch, StoredSweep,
    Submit, Submitted, SweepOf,
};
pub use open_run::{DamagedRun, OpenRun};
pub use read::{KnownSearch, StoredValue};
pub(crate) use read::{Prunable, page};
pub use spending::Spending;
pub use sweep::Unknown;
use writer::{Message, Writer};

/// The errors of the store.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No space, quota exceeded, or no permission to write.
    #[error("the disk that holds {0} is full; free some space and try again")]
    Full(PathBuf),
    /// The disk can't be written or read at the moment, for another reason; the sentence says what was being done.
    #[error("{0}")]
    Disk(String),
    /// Stored bytes are damaged.
    #[error(
        "the stored bytes of {owner} are damaged: {what}; run it again to make them again, restore the file from a backup, \
         or delete the asset"
    )]
    Damaged {
        /// The owner of the bytes.
        owner: String,
        /// The details.
        what: String,
    },
    /// A file of the user that media refers to has changed.
    #[error(
        "{path} has changed since this run first read it: {what}; restore it, or read it again with `fanlight resume`"
    )]
    SourceChanged {
        /// The file.
        path: PathBuf,
        /// The details.
        what: String,
    },
    /// The stored data of one run or asset can't be read; the sentence names it.
    #[error("{0}")]
    Unreadable(String),
    /// A newer Fanlight made this database.
    #[error(
        "the database {path} was made by a newer Fanlight (schema {found}, this one knows {known}); use that version"
    )]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its schema.
        found: u32,
        /// The newest schema that this program knows.
        known: u32,
    },
    /// Nothing has this name or id, which the sentence includes.
    #[error("{0}")]
    NotFound(String),
    /// A param of a request is wrong; the sentence names it.
    #[error("{0}")]
    BadParam(String),
    /// Anything else; the sentence says what was being done.
    #[error("{0}")]
    Other(String),
}

impl From<StoreError> for FileError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) => Self::Full(error.to_string()),
            other => Self::Other(other.to_string()),
        }
    }
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
    outage: watch::Receiver<Option<String>>,
    failure: watch::Sender<Option<String>>,
    unknown: watch::Sender<Unknown>,
    /// Held by an import from the check for what is here to its commit.
    importing: Mutex<()>,
    /// Folders that other users could enter when the store was opened.
    found_open: Vec<String>,
}

impl Store {
    /// Opens or creates the store of a home.
    ///
    /// # Errors
    /// The schema is newer, a folder can't be created or written, or the database file isn't one.
    pub fn open(home: &Home) -> Result<Self, StoreError> {
        let mut found_open = Vec::new();
        for folder in [&home.data, &home.blobs()] {
            if let Some(mode) = folder::prepare(folder)? {
                found_open.push(format!(
                    "other users could enter {path} (mode {mode:03o}) until the store was opened; it is private again",
                    path = folder.display()
                ));
            }
        }
        let db = database::open(&home.database())?;
        let (writer, inbox) = channel();
        let marks = marks(home, &db)?;
        // If nothing refers to the bytes, they go. Without a writer the next start finds the mark.
        let to = writer.clone();
        let released = move |hash, made| {
            let _ = to.send(Message::Released { hash, made });
        };
        let blobs = Blobs::open(home, Registry::new(released, marks.clone()))?;
        sweep::interrupted(&blobs, &db, &marks)?;
        let (banner, outage) = watch::channel(None);
        let failure = watch::Sender::new(None);
        let work = Writer::new(db, home.database(), blobs.clone(), inbox, banner, failure.clone());
        let failing = failure.clone();
        let thread = std::thread::Builder::new()
            .name("store".into())
            .spawn(move || {
                if std::panic::catch_unwind(AssertUnwindSafe(|| work.run())).is_err() {
                    fail(&failing, "the store's thread panicked");
                }
            })
            .map_err(|error| StoreError::Other(format!("the store's thread can't be started: {error}")))?;
        let unknown = watch::Sender::new(Unknown::default());
        sweep::start(blobs.clone(), writer.clone(), unknown.clone());
        let thread = Mutex::new(Some(thread));
        let inner = Inner {
            blobs,
            home: home.clone(),
            writer,
            thread,
            outage,
            failure,
            unknown,
            importing: Mutex::default(),
            found_open,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Sends a batch to the writer; never waits for the disk.
    pub fn write(&self, batch: Batch) {
        if let Err(refused) = self.inner.writer.send(Message::Batch(batch))
            && let Message::Batch(Batch { after: Some(after), .. }) = refused.0
        {
            after(Err(closed()));
        }
    }

    /// Waits until no other import adds runs, and keeps others from it until the guard is dropped. Blocks.
    pub(crate) fn importing(&self) -> MutexGuard<'_, ()> {
        self.inner.importing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the blob store.
    #[must_use]
    pub fn blobs(&self) -> &Blobs {
        &self.inner.blobs
    }

    /// Returns the reason why nothing can be written at the moment, for banners; `None` while writing works.
    #[must_use]
    pub fn outage(&self) -> watch::Receiver<Option<String>> {
        self.inner.outage.clone()
    }

    /// Returns the reason why attempts wait for disk space, for banners; `None` while none does.
    #[must_use]
    pub fn shortage(&self) -> watch::Receiver<Option<String>> {
        self.inner.blobs.space().shortage()
    }

    /// Returns the reason why the daemon can't continue, once it can't: the engine's state and the store have diverged,
    /// and only a new daemon can reconcile them.
    #[must_use]
    pub fn failure(&self) -> watch::Receiver<Option<String>> {
        self.inner.failure.subscribe()
    }

    /// Reports that the daemon can't continue. The first reason is kept.
    pub(crate) fn fail(&self, why: &str) {
        fail(&self.inner.failure, why);
    }

    /// Drops caches and returns memory to the system, when there is no work.
    pub(crate) fn release_memory(&self) {
        let _ = self.inner.writer.send(Message::ReleaseMemory);
    }

    /// Ends the writer after committing everything that waits. Blocks.
    pub fn close(&self) {
        self.inner.close();
    }

    /// Returns the home that this store belongs to.
    pub(crate) fn home(&self) -> &Home {
        &self.inner.home
    }

    /// Returns the folders that other users could enter when the store was opened, in words.
    pub(crate) fn found_open(&self) -> &[String] {
        &self.inner.found_open
    }

    /// Returns the files that the database did not know at the last count. They stay where they are.
    pub(crate) fn unknown(&self) -> watch::Receiver<Unknown> {
        self.inner.unknown.subscribe()
    }

    /// Counts the files that the database does not know, and updates [`Self::unknown`]. Blocks.
    pub(crate) fn count_unknown(&self) -> Result<Unknown, StoreError> {
        let counted = sweep::count_unknown(self.blobs())?;
        self.inner.unknown.send_replace(counted);
        Ok(counted)
    }

    /// Returns the owner of stored bytes, in words. Searches all assets and values. Blocks.
    pub(crate) fn owner_of(&self, hash: BlobHash) -> Result<Option<String>, StoreError> {
        self.read(|db| blob::owner::of(db, hash))
    }

    /// Calls `found` with each file that the database does not know. Blocks.
    pub(crate) fn for_each_unknown(&self, found: impl FnMut(BlobHash)) -> Result<(), StoreError> {
        sweep::for_each_unknown(self.blobs(), found)
    }

    /// Limits the size of the database, to simulate a full disk.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: u32) {
        let _ = self.inner.writer.send(Message::PageLimit(pages));
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
        // An `after` may hold the last handle, in which case this is the writer's own thread.
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

/// Reports that the daemon can't continue. The first reason is kept.
fn fail(failure: &watch::Sender<Option<String>>, why: &str) {
    failure.send_if_modified(|failure| {
        let first = failure.is_none();
        if first {
            tracing::error!("the daemon can't continue: {why}");
            *failure = Some(why.to_owned());
        }
        first
    });
}

/// Returns the folder in which this database marks the files that it is publishing.
fn marks(home: &Home, db: &Connection) -> Result<PathBuf, StoreError> {
    let publishing = home.blobs().join("publishing");
    let marks = publishing.join(database::id(db)?);
    for folder in [&home.blobs(), &publishing, &marks] {
        folder::prepare(folder)?;
    }
    Ok(marks)
}

fn closed() -> StoreError {
    StoreError::Other("the store is closed".into())
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::{ErrorCode, ffi};
        if let rusqlite::Error::FromSqlConversionFailure(..) | rusqlite::Error::InvalidColumnType(..) = &error
        {
            return Self::Unreadable(format!("what is stored can't be read: {error}"));
        }
        let full = match &error {
            rusqlite::Error::SqliteFailure(ffi, _) => {
                matches!(ffi.code, ErrorCode::DiskFull | ErrorCode::ReadOnly)
                    || matches!(ffi.extended_code, ffi::SQLITE_IOERR_WRITE | ffi::SQLITE_IOERR_SHMSIZE)
            }
            _ => false,
        };
        // A caller that knows the database fills in its path.
        if full { Self::Full(PathBuf::new()) } else { Self::Other(format!("the database says: {error}")) }
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::Unreadable(format!("stored JSON can't be read or written: {error}"))
    }
}
