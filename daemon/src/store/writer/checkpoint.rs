//! Moves the pages of the write-ahead log into the database. SQLite does this within a commit, for which somebody waits;
//! here the writer does it when it is idle.

use std::time::Duration;

use rusqlite::Connection;

/// The number of pages from which an idle writer makes a checkpoint.
const MIN_PAGES: i64 = 1000;
/// The number of pages (64 MiB) from which a checkpoint is made even if the writer is not idle.
const MAX_PAGES: i64 = 16 * 1024;
/// How long the writer must have been idle: long enough that the next batch is probably not near.
const IDLE_DELAY: Duration = Duration::from_secs(1);

/// The state of the log.
#[derive(Default)]
pub(super) struct Checkpoint {
    /// The number of pages that are only in the log.
    pages: i64,
}

impl Checkpoint {
    /// Handles a commit whose callers were notified.
    pub(super) fn committed(&mut self, db: &Connection) {
        self.pages = pages(db, "PRAGMA wal_checkpoint(NOOP)");
        if self.pages >= MAX_PAGES {
            self.make(db);
        }
    }

    /// Returns how long to wait for the next batch before [`Checkpoint::make`]; `None` means any time.
    pub(super) fn idle_delay(&self) -> Option<Duration> {
        (self.pages >= MIN_PAGES).then_some(IDLE_DELAY)
    }

    /// Moves the pages that can be moved. Those that a reader still needs stay until a later checkpoint.
    pub(super) fn make(&mut self, db: &Connection) {
        pages(db, "PRAGMA wal_checkpoint(PASSIVE)");
        self.pages = 0;
    }
}

/// Runs a pragma and returns the number of pages that are then only in the log.
fn pages(db: &Connection, pragma: &str) -> i64 {
    let pages = db
        .prepare_cached(pragma)
        .and_then(|mut pragma| pragma.query_row([], |row| Ok(row.get::<_, i64>(1)? - row.get::<_, i64>(2)?)));
    pages.unwrap_or_else(|error| {
        // The log only grows, and the next commit says what is wrong with the disk.
        tracing::debug!("the write-ahead log: {error}");
        0
    })
}
