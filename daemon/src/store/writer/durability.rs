//! When a commit is on the disk: at once, or with the next one.

use std::cell::Cell;

use rusqlite::Connection;

use crate::store::{StoreError, database};

/// Begins and ends transactions, and knows what may not be on the disk yet.
#[derive(Default)]
pub(super) struct Durability {
    /// Whether SQLite commits without waiting for the disk.
    relaxed: Cell<bool>,
    /// Whether an earlier commit may not be on the disk.
    pending: Cell<bool>,
}

impl Durability {
    /// Begins a transaction. The commit of an `early` one doesn't wait for the disk: the write-ahead log is a sequence, so
    /// the next commit that waits takes it along.
    pub(super) fn begin(&self, db: &Connection, early: bool) -> Result<(), StoreError> {
        if self.relaxed.get() != early {
            db.pragma_update(None, "synchronous", if early { "NORMAL" } else { "FULL" })?;
            self.relaxed.set(early);
        }
        db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    /// Commits the transaction.
    pub(super) fn commit(&self, db: &Connection) -> Result<(), StoreError> {
        if self.pending.get() && !self.relaxed.get() {
            // A transaction without changes would not wait for the disk.
            write_nothing(db)?;
        }
        db.prepare_cached("COMMIT")?.execute([])?;
        self.pending.set(self.relaxed.get());
        Ok(())
    }
}

/// Writes something that changes nothing.
pub(super) fn write_nothing(db: &Connection) -> Result<(), StoreError> {
    Ok(db.pragma_update(None, "user_version", database::known_schema())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a transaction. Returns whether it wrote to the log, and the level at which it was committed: 2 waits for the
    /// disk.
    fn transaction(of: &Durability, db: &Connection, early: bool, sql: &str) -> (bool, i64) {
        let log = |db: &Connection| {
            db.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get::<_, i64>(1)).unwrap()
        };
        let before = log(db);
        of.begin(db, early).unwrap();
        db.execute_batch(sql).unwrap();
        of.commit(db).unwrap();
        let level = db.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
        (log(db) > before, level)
    }

    #[test]
    fn an_early_commit_is_on_the_disk_with_the_next_one_whatever_that_changes() {
        let folder = tempfile::tempdir().unwrap();
        let db = database::open(&folder.path().join("fanlight.db")).unwrap();
        let of = Durability::default();
        assert_eq!(transaction(&of, &db, false, "CREATE TABLE t (a)"), (true, 2));
        assert_eq!(transaction(&of, &db, false, ""), (false, 2), "nothing to write, nothing that waits");
        assert_eq!(transaction(&of, &db, true, "INSERT INTO t VALUES (1)"), (true, 1));
        assert_eq!(transaction(&of, &db, true, "INSERT INTO t VALUES (2)"), (true, 1));
        assert_eq!(transaction(&of, &db, false, ""), (true, 2), "two early ones wait");
        assert_eq!(transaction(&of, &db, false, ""), (false, 2));
    }

    #[test]
    fn an_early_transaction_that_is_undone_leaves_the_next_one_waiting_for_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let db = database::open(&folder.path().join("fanlight.db")).unwrap();
        let of = Durability::default();
        of.begin(&db, true).unwrap();
        db.execute_batch("CREATE TABLE t (a); ROLLBACK").unwrap();
        assert_eq!(transaction(&of, &db, false, "CREATE TABLE t (a)"), (true, 2));
    }
}
