//! The pool of read-only connections.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Connection;

use super::{StoreError, database};

/// The most simultaneous readers; others wait.
const MAX_CONNECTIONS: usize = 8;
/// The most idle connections that stay open.
const MAX_IDLE: usize = 2;
/// How long closing the store waits for readers.
const READ_TIMEOUT: Duration = Duration::from_secs(2);

/// A pool of read-only connections.
pub(super) struct Readers {
    database: PathBuf,
    pool: Mutex<Pool>,
    free: Condvar,
}

#[derive(Default)]
struct Pool {
    idle: Vec<Connection>,
    busy: usize,
    closed: bool,
}

impl Readers {
    pub(super) fn new(database: PathBuf) -> Self {
        Self { database, pool: Mutex::default(), free: Condvar::new() }
    }

    /// Reads within one transaction, so that all its queries see the same state. Blocks.
    pub(super) fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let idle = {
            let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
            while pool.busy >= MAX_CONNECTIONS && !pool.closed {
                pool = self.free.wait(pool).unwrap_or_else(PoisonError::into_inner);
            }
            if pool.closed {
                return Err(super::closed());
            }
            pool.busy += 1;
            pool.idle.pop()
        };
        let mut place = Place { readers: self, db: None };
        let db = match idle {
            Some(db) => db,
            None => match database::open_reader(&self.database) {
                Ok(db) => db,
                Err(error) => {
                    drop(place);
                    return Err(error);
                }
            },
        };
        let db = place.db.insert(db);
        let transaction = db.unchecked_transaction()?;
        query(&transaction)
    }

    /// Refuses new readers, and closes all connections once the last reader has finished. Blocks for a bounded time.
    pub(super) fn close(&self) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.closed = true;
        pool.idle.clear();
        self.free.notify_all();
        let _ = self.free.wait_timeout_while(pool, READ_TIMEOUT, |pool| pool.busy > 0);
    }
}

impl Readers {
    /// Empties the caches of idle connections.
    pub(super) fn release_memory(&self) {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner).idle.iter().for_each(database::shrink);
    }
}

/// A reader's place in the pool, which is returned even if the query panics.
struct Place<'a> {
    readers: &'a Readers,
    db: Option<Connection>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut pool = self.readers.pool.lock().unwrap_or_else(PoisonError::into_inner);
        pool.busy = pool.busy.saturating_sub(1);
        if let Some(db) = self.db.take()
            && !pool.closed
            && pool.idle.len() < MAX_IDLE
            && db.is_autocommit()
        {
            pool.idle.push(db);
        }
        let closed = pool.closed;
        drop(pool);
        if closed { self.readers.free.notify_all() } else { self.readers.free.notify_one() }
    }
}
