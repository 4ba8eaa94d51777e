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
    /// Whether that is so although the system was asked to write it.
    suspect: Cell<bool>,
}

impl Durability {
    /// Returns whether an earlier commit may not be on the disk.
    pub(super) fn is_pending(&self) -> bool {
        self.pending.get()
    }

    /// Begins a transaction. The commit of an `early` one doesn't wait for the disk: the write-ahead log is a sequence, so
    /// the next commit that waits takes it along.
    pub(super) fn begin(&self, db: &Connection, early: bool) -> Result<(), StoreError> {
        if self.suspect.get() {
            move_log(db)?;
            self.suspect.set(false);
            self.pending.set(false);
        }
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
        let committed = db.prepare_cached("COMMIT")?.execute([]);
        if committed.is_err() {
            // The system gives up on what it couldn't write: asked again, it says that nothing is left to write. This
            // transaction is written again, the earlier one is not.
            self.suspect.set(self.pending.get());
        }
        committed?;
        self.pending.set(self.relaxed.get());
        Ok(())
    }
}

/// Moves the whole log into the database, and waits for the disk.
fn move_log(db: &Connection) -> Result<(), StoreError> {
    let is_busy: bool = db.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get(0))?;
    if is_busy {
        return Err(StoreError::Disk("the database's log can't be moved while the database is read".into()));
    }
    Ok(())
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

    #[test]
    fn what_the_system_failed_to_write_is_moved_into_the_database_before_the_next_commit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("fanlight.db");
        let db = database::open(&path).unwrap();
        let of = Durability::default();
        transaction(&of, &db, true, "CREATE TABLE t (a); INSERT INTO t VALUES (1)");
        of.begin(&db, false).unwrap();
        // A commit that fails: there is no transaction any more.
        db.execute_batch("ROLLBACK").unwrap();
        assert!(of.commit(&db).is_err());
        transaction(&of, &db, false, "INSERT INTO t VALUES (2)");
        // Without the log, as after a power failure that took all of it.
        let copy = folder.path().join("copy.db");
        std::fs::copy(&path, &copy).unwrap();
        let copy = Connection::open(copy).unwrap();
        let values: i64 = copy.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
        assert_eq!(values, 1);
    }
}
