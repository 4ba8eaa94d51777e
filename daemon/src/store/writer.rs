//! The one thread that writes: it commits whatever waits as soon as it is free.

mod checkpoint;
mod durability;
mod held;
mod outage;
mod transaction;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use fanlight_shared::id::BlobHash;
use rusqlite::Connection;
use tokio::sync::watch;

use super::apply::{Apply, Failed};
use super::blob::Blobs;
use super::{After, Batch, Committed, StoreError, database};
use checkpoint::Checkpoint;
use durability::Durability;
use outage::Outage;

/// Rows (roughly) that one transaction takes before it is committed.
const MAX_BATCH_ROWS: usize = 10_000;
/// Bytes (roughly) that one transaction takes before it is committed.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// A message to the writer's thread.
pub(super) enum Message {
    /// Commit this.
    Batch(Batch),
    /// The publication of these bytes has ended; they are removed unless something refers to them.
    Released {
        /// The bytes.
        hash: BlobHash,
        /// Whether they are in a file that this daemon wrote.
        made: bool,
    },
    /// The daemon is idle: free what can be allocated again.
    ReleaseMemory,
    /// Limits the number of pages of the database, like a full disk; for tests.
    #[cfg(test)]
    PageLimit(u32),
    /// End after the earlier messages.
    Close,
}

/// The messages of one turn.
#[derive(Default)]
struct Gathered {
    group: Vec<Batch>,
    released: Vec<(BlobHash, bool)>,
    release_memory: bool,
}

/// The writer's thread and all that it owns.
pub(super) struct Writer {
    db: Connection,
    database: PathBuf,
    blobs: Blobs,
    inbox: Receiver<Message>,
    apply: Apply,
    checkpoint: Checkpoint,
    durability: Durability,
    outage: Outage,
    failure: watch::Sender<Option<String>>,
    /// Decisions that wait until the store can be written again, oldest first.
    held: VecDeque<Batch>,
    closing: bool,
}

impl Writer {
    pub(super) fn new(
        db: Connection,
        database: PathBuf,
        blobs: Blobs,
        inbox: Receiver<Message>,
        banner: watch::Sender<Option<String>>,
        failure: watch::Sender<Option<String>>,
    ) -> Self {
        let apply = Apply::new(blobs.clone());
        Self {
            db,
            database,
            blobs,
            inbox,
            apply,
            checkpoint: Checkpoint::default(),
            durability: Durability::default(),
            outage: Outage::new(banner),
            failure,
            held: VecDeque::new(),
            closing: false,
        }
    }

    /// Runs until a message closes it. After a failure it only refuses: see [`Self::fail`].
    pub(super) fn run(mut self) {
        while !self.closing {
            if self.failure.borrow().is_some() {
                self.refuse_all();
            } else if self.outage.reason().is_none() {
                let Some(first) = self.next() else { break };
                let Gathered { group, released, release_memory } = self.gather(first);
                if self.failure.borrow().is_some() {
                    // It failed while this thread waited.
                    group.into_iter().for_each(|batch| answer(batch.after, Err(super::closed())));
                    continue;
                }
                self.commit(group);
                self.release(released);
                if release_memory {
                    self.release_memory();
                }
            } else {
                self.wait_for_space();
            }
        }
        for batch in self.held.drain(..) {
            let why = self.outage.reason().unwrap_or_else(super::closed);
            answer(batch.after, Err(why));
        }
        // Late batches are refused instead of being left waiting.
        while let Ok(message) = self.inbox.try_recv() {
            if let Message::Batch(batch) = message {
                answer(batch.after, Err(super::closed()));
            }
        }
        if let Err(error) = self.db.pragma_update(None, "optimize", 0x10002) {
            tracing::debug!("optimize: {error}");
        }
        // The last connection to close moves the write-ahead log into the database and removes it, if it may write.
        self.blobs.readers().close();
    }

    /// Returns the next message; makes a checkpoint during a long wait for it.
    fn next(&mut self) -> Option<Message> {
        // A checkpoint that fails could take along what is not on the disk yet.
        let delay = self.checkpoint.idle_delay().filter(|_| !self.durability.is_pending());
        if let Some(delay) = delay {
            match self.inbox.recv_timeout(delay) {
                Err(RecvTimeoutError::Timeout) => self.checkpoint.make(&self.db),
                other => return other.ok(),
            }
        }
        self.inbox.recv().ok()
    }

    /// Returns the first message and the waiting ones after it, up to the limits of one transaction.
    fn gather(&mut self, first: Message) -> Gathered {
        let Gathered { mut group, mut released, mut release_memory } = Gathered::default();
        let (mut rows, mut bytes) = (0, 0);
        let mut next = Some(first);
        while let Some(message) = next.take() {
            match message {
                Message::Batch(batch) => {
                    for op in &batch.ops {
                        let (more_rows, more_bytes) = op.weight();
                        rows += more_rows;
                        bytes += more_bytes;
                    }
                    group.push(batch);
                }
                Message::Released { hash, made } => released.push((hash, made)),
                Message::ReleaseMemory => release_memory = true,
                #[cfg(test)]
                Message::PageLimit(pages) => self.limit_pages(pages),
                Message::Close => {
                    self.closing = true;
                    break;
                }
            }
            if rows < MAX_BATCH_ROWS && bytes < MAX_BATCH_BYTES {
                next = self.inbox.try_recv().ok();
            }
        }
        Gathered { group, released, release_memory }
    }

    /// Empties caches and returns free memory to the system. This thread does it, because it is idle then and no other needs
    /// to wake.
    fn release_memory(&mut self) {
        self.apply.release_memory();
        database::shrink(&self.db);
        self.blobs.readers().release_memory();
        crate::memory::release();
    }

    /// Commits batches together and notifies their callers. What can't be written now is refused or held.
    fn commit(&mut self, group: Vec<Batch>) {
        if group.is_empty() {
            return;
        }
        match self.transaction(&group) {
            Ok(applied) => {
                self.outage.end();
                self.notify(group, applied);
                if !self.durability.is_pending() {
                    self.checkpoint.committed(&self.db);
                }
            }
            Err(error) => {
                let why = self.with_path(error);
                self.outage.start(&why);
                for batch in group {
                    self.hold_or_refuse(batch, &why);
                }
            }
        }
    }

    /// Asks the daemon to end, because a decision of the engine contradicts the stored data. The next daemon recovers from the
    /// stored data. The run that the decision was about counts as interrupted.
    fn fail(&self, failed: Failed) {
        let Failed { error, run } = failed;
        if let Some(run) = run
            && let Err(error) = super::interruption::add(&self.db, run)
        {
            tracing::warn!("the interruption of {run} is not counted: {error}");
        }
        super::fail(&self.failure, &format!("what was decided could not be stored: {error}"));
    }

    #[cfg(test)]
    fn limit_pages(&self, pages: u32) {
        self.db.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(())).unwrap();
    }

    /// Refuses everything until the store is closed.
    fn refuse_all(&mut self) {
        self.held.drain(..).for_each(|batch| answer(batch.after, Err(super::closed())));
        match self.inbox.recv() {
            Ok(Message::Batch(batch)) => answer(batch.after, Err(super::closed())),
            #[cfg(test)]
            Ok(Message::PageLimit(_)) => {}
            Ok(Message::Released { .. } | Message::ReleaseMemory) => {}
            Ok(Message::Close) | Err(_) => self.closing = true,
        }
    }

    /// Names the database in an error about missing space that SQLite reported without a path.
    fn with_path(&self, error: StoreError) -> StoreError {
        match error {
            StoreError::Full(path) if path.as_os_str().is_empty() => StoreError::Full(self.database.clone()),
            error => error,
        }
    }
}

fn answer(after: Option<After>, result: Result<Committed, StoreError>) {
    if let Some(after) = after {
        after(result);
    }
}
