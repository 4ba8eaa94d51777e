//! The write-ahead log, and when its pages move into the database: not within a commit that somebody waits for, as SQLite
//! would have it by itself, but in a moment in which nobody asks for anything.

use std::time::Duration;

use rusqlite::Connection;

/// So many pages are worth a quiet moment.
const WORTH: i64 = 1000;
/// With so many (64 MiB) a quiet moment is not waited for any longer.
const MAX_PAGES: i64 = 16 * 1024;
/// How long nothing is to be written in a quiet moment: so long that what comes next is hardly near.
const QUIET: Duration = Duration::from_secs(1);

/// What is known of the log.
#[derive(Default)]
pub(super) struct Checkpoint {
    /// Pages that stand in the log alone.
    pages: i64,
}

impl Checkpoint {
    /// Something was committed, and its callers were notified.
    pub(super) fn committed(&mut self, db: &Connection) {
        self.pages = pages(db, "PRAGMA wal_checkpoint(NOOP)");
        if self.pages >= MAX_PAGES {
            self.make(db);
        }
    }

    /// How long to wait for something to write before [`Checkpoint::make`]; `None`: as long as it takes.
    pub(super) fn patience(&self) -> Option<Duration> {
        (self.pages >= WORTH).then_some(QUIET)
    }

    /// Moves what can be moved. What a reader still holds back is left to the time after the next commit.
    pub(super) fn make(&mut self, db: &Connection) {
        pages(db, "PRAGMA wal_checkpoint(PASSIVE)");
        self.pages = 0;
    }
}

/// Pages that stand in the log alone when this was done.
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
