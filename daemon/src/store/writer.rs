//! The one thread that writes: it commits whatever waits as soon as it is free.

mod checkpoint;
mod trouble;

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use fanlight_shared::id::BlobHash;
use rusqlite::{Connection, ErrorCode};
use tokio::sync::watch;

use super::apply::{Applied, Apply, Failed};
use super::blob::Blobs;
use super::{After, Batch, Committed, StoreError, database};
use checkpoint::Checkpoint;
use trouble::Trouble;

/// Rows (roughly) that one transaction takes before it is committed.
const MAX_BATCH_ROWS: usize = 10_000;
/// Bytes (roughly) that one transaction takes before it is committed.
const MAX_BATCH_BYTES: usize = 8 << 20;

/// A message to the writer's thread.
pub(super) enum Message {
    /// Commit this.
    Batch(Batch),
    /// Nobody publishes these bytes any more; if nothing refers to them either, they go.
    Released {
        /// The bytes.
        hash: BlobHash,
        /// Whether they lie in a file that this daemon wrote.
        made: bool,
    },
    /// The daemon is idle: free what can be allocated again.
    ReleaseMemory,
    /// The database may not grow beyond so many pages: a disk that is full, for tests.
    #[cfg(test)]
    PageLimit(u32),
    /// End, after what came before.
    Close,
}

/// Why an op could not be applied.
#[derive(Debug)]
pub(super) enum Failure {
    /// The batch is at fault; its neighbours are not.
    Batch(StoreError),
    /// The store can't be written at the moment, whoever asks.
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(
                ErrorCode::DiskFull
                | ErrorCode::ReadOnly
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::OutOfMemory,
            ) => Self::Store(StoreError::from(error)),
            _ => Self::Batch(StoreError::from(error)),
        }
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::Batch(StoreError::from(error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Full(_) | StoreError::Disk(_) => Self::Store(error),
            _ => Self::Batch(error),
        }
    }
}

/// What waited.
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
    trouble: Trouble,
    failure: watch::Sender<Option<String>>,
    /// What was decided and waits for the disk, oldest first; empty except while the store can't be written.
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
            trouble: Trouble::new(banner),
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
            } else if self.trouble.why().is_none() {
                let Some(first) = self.next() else { break };
                let Gathered { group, released, release_memory } = self.gather(first);
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
            let why = self.trouble.why().unwrap_or_else(super::closed);
            answer(batch.after, Err(why));
        }
        // What came too late is told so, rather than left waiting.
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

    /// The next message; a long wait for it is used.
    fn next(&mut self) -> Option<Message> {
        if let Some(patience) = self.checkpoint.patience() {
            match self.inbox.recv_timeout(patience) {
                Err(RecvTimeoutError::Timeout) => self.checkpoint.make(&self.db),
                other => return other.ok(),
            }
        }
        self.inbox.recv().ok()
    }

    /// The first message and whatever waits behind it, up to the limits of one transaction.
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

    /// Caches are emptied, and what is free thereby goes back to the system. On this thread, which is idle then and
    /// needs no waking of another.
    fn release_memory(&mut self) {
        self.apply.release_memory();
        database::shrink(&self.db);
        self.blobs.readers().release_memory();
        crate::memory::release();
    }

    /// Commits batches together and tells each; what can't be written for now is refused or held.
    fn commit(&mut self, group: Vec<Batch>) {
        if group.is_empty() {
            return;
        }
        match self.transaction(&group) {
            Ok(applied) => {
                self.trouble.over();
                self.notify(group, applied);
                self.checkpoint.committed(&self.db);
            }
            Err(error) => {
                let why = self.say(error);
                self.trouble.begin(&why);
                for batch in group {
                    self.hold_or_refuse(batch, &why);
                }
            }
        }
    }

    /// What the engine decided does not fit what is stored, so neither can be trusted to go on with. The daemon is asked to
    /// end, and the next one recovers from what is stored. The run that it was about counts as interrupted.
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

    fn hold_or_refuse(&mut self, batch: Batch, why: &StoreError) {
        if batch.must {
            self.held.push_back(batch);
        } else {
            answer(batch.after, Err(why.clone()));
        }
    }

    /// Refuses or holds what comes until it is time for another try; then tries what is held.
    fn wait_for_space(&mut self) {
        let until = self.trouble.next_try();
        loop {
            match self.inbox.recv_timeout(until.saturating_duration_since(std::time::Instant::now())) {
                Ok(Message::Batch(batch)) => {
                    let why = self.trouble.why().unwrap_or_else(|| StoreError::Full(self.database.clone()));
                    self.hold_or_refuse(batch, &why);
                }
                // Removing bytes that no row names needs no space, and makes some.
                Ok(Message::Released { hash, made }) => self.release(vec![(hash, made)]),
                Ok(Message::ReleaseMemory) => {}
                #[cfg(test)]
                Ok(Message::PageLimit(pages)) => self.limit_pages(pages),
                Ok(Message::Close) => {
                    self.closing = true;
                    break;
                }
                Err(_) => break,
            }
        }
        while !self.held.is_empty() {
            let (mut rows, mut bytes, mut count) = (0, 0, 0);
            for batch in &self.held {
                for op in &batch.ops {
                    let (more_rows, more_bytes) = op.weight();
                    rows += more_rows;
                    bytes += more_bytes;
                }
                count += 1;
                if rows >= MAX_BATCH_ROWS || bytes >= MAX_BATCH_BYTES {
                    break;
                }
            }
            self.held.make_contiguous();
            match self.transaction(&self.held.as_slices().0[..count]) {
                Ok(applied) => {
                    let done = applied.answers.len();
                    let failed = applied.failed.is_some();
                    let group = self.held.drain(..done).collect();
                    self.notify(group, applied);
                    if failed {
                        return;
                    }
                }
                Err(error) => {
                    let why = self.say(error);
                    self.trouble.begin(&why);
                    return;
                }
            }
        }
        match self.probe() {
            Ok(()) => self.trouble.over(),
            Err(error) => {
                self.undo();
                let why = self.say(error);
                self.trouble.begin(&why);
            }
        }
    }

    /// Writes something that changes nothing.
    fn probe(&self) -> Result<(), StoreError> {
        self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        self.db.pragma_update(None, "user_version", database::known_schema())?;
        self.db.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// One transaction. Most batches can't fail by themselves and get no savepoint; if one does, everything is undone and
    /// done again with one for each.
    fn transaction(&self, group: &[Batch]) -> Result<Applied, StoreError> {
        match self.attempt(group, false) {
            Ok(Some(applied)) => Ok(applied),
            Ok(None) => match self.attempt(group, true)? {
                Some(applied) => Ok(applied),
                None => Err(StoreError::Other("a batch could not be undone".into())),
            },
            Err(error) => Err(error),
        }
    }

    /// `None`: a batch without a savepoint failed by itself.
    fn attempt(&self, group: &[Batch], careful: bool) -> Result<Option<Applied>, StoreError> {
        let outcome = (|| {
            self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            let mut applied = Applied::default();
            for batch in group {
                if !self.apply.batch(&self.db, batch, careful, &mut applied)? {
                    return Ok(None);
                }
                if applied.failed.is_some() {
                    // What was decided after it builds on it.
                    break;
                }
            }
            self.db.prepare_cached("COMMIT")?.execute([])?;
            Ok(Some(applied))
        })();
        if !matches!(outcome, Ok(Some(_))) {
            self.undo();
        }
        outcome
    }

    fn undo(&self) {
        self.apply.forget();
        if !self.db.is_autocommit()
            && let Err(error) = self.db.execute_batch("ROLLBACK")
        {
            tracing::error!("a transaction can't be undone: {error}");
        }
    }

    /// After the commit: unlinks bytes, then notifies callers in order.
    fn notify(&self, group: Vec<Batch>, applied: Applied) {
        let Applied { answers, unlink, claimed, published, pinned, failed } = applied;
        for hash in &unlink {
            self.blobs.unlink(*hash);
        }
        self.apply.settle(published, &claimed);
        // Ops go before anybody is told, so that a caller who looks sees what the commit left, not what its batch held.
        let afters: Vec<Option<After>> = group.into_iter().map(|batch| batch.after).collect();
        drop(pinned);
        let mut answers = answers.into_iter();
        for after in afters {
            answer(after, answers.next().unwrap_or_else(|| Err(super::closed())));
        }
        if let Some(failed) = failed {
            self.fail(failed);
        }
    }

    /// Bytes that nobody publishes any more: without a reference they go.
    fn release(&self, released: Vec<(BlobHash, bool)>) {
        for (hash, made) in released {
            let outcome = (|| {
                if self.apply.is_referenced(&self.db, hash)? || self.blobs.registry().is_open(hash) {
                    return Ok(Vec::new());
                }
                self.db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
                let unlink = self.apply.sweep(&self.db, hash, made)?;
                self.db.prepare_cached("COMMIT")?.execute([])?;
                Ok::<_, StoreError>(unlink)
            })();
            match outcome {
                Ok(unlink) => {
                    unlink.into_iter().for_each(|hash| self.blobs.unlink(hash));
                    if made {
                        self.blobs.registry().unmark(hash);
                    }
                }
                Err(error) => {
                    self.undo();
                    // The next start finds its row or its mark.
                    tracing::debug!("a blob stays for now: {error}");
                }
            }
        }
    }

    /// The sentence for what SQLite said, with the place that has no space.
    fn say(&self, error: StoreError) -> StoreError {
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
