//! Opens the database: version of SQLite, modes, pragmas, migrations.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{StoreError, folder};
use crate::file_error::is_full;

/// The oldest SQLite without the bug that corrupts a database when its write-ahead log is reset.
const OLDEST_SQLITE: i32 = 3_051_003;

/// The migrations from one schema to the next; only ever appended to.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_start.sql"),
    include_str!("migrations/0002_going.sql"),
    include_str!("migrations/0003_environment.sql"),
    include_str!("migrations/0004_requests.sql"),
    include_str!("migrations/0005_spent.sql"),
    include_str!("migrations/0006_cache.sql"),
    include_str!("migrations/0007_sweeps.sql"),
    include_str!("migrations/0008_series.sql"),
    include_str!("migrations/0009_sweep_limits.sql"),
    include_str!("migrations/0010_children.sql"),
    include_str!("migrations/0011_origins.sql"),
    include_str!("migrations/0012_key_parts.sql"),
    include_str!("migrations/0013_made_with.sql"),
    include_str!("migrations/0014_on_end.sql"),
    include_str!("migrations/0015_searches.sql"),
    include_str!("migrations/0016_run_with_values.sql"),
    include_str!("migrations/0017_priority_on_end_and_sweep_id.sql"),
    include_str!("migrations/0018_unpriced.sql"),
    include_str!("migrations/0019_spending.sql"),
    include_str!("migrations/0020_attempt_key.sql"),
    include_str!("migrations/0021_event_rows.sql"),
];

/// Returns the schema that this program writes.
pub(super) fn known_schema() -> u32 {
    MIGRATIONS.len() as u32
}

/// Opens or creates the database for the writer.
pub(super) fn open(path: &Path) -> Result<Connection, StoreError> {
    open_up_to(path, MIGRATIONS.len())
}

/// Opens or creates the database with the first `count` migrations.
pub(super) fn open_up_to(path: &Path, count: usize) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < OLDEST_SQLITE {
        return Err(StoreError::Other(format!(
            "SQLite {} can damage a database under load; build Fanlight with 3.51.3 or newer",
            rusqlite::version()
        )));
    }
    // SQLite gives its companion files the mode of the database, so create the database first.
    match folder::create_file(path) {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) if is_full(&error) => return Err(StoreError::Full(path.to_owned())),
        Err(error) => {
            return Err(StoreError::Other(format!(
                "the database {} can't be created: {error}; set FANLIGHT_HOME to a folder that can be written",
                path.display()
            )));
        }
    }
    let mut db = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )
    .map_err(|error| cannot_open(path, &error))?;
    prepare(&mut db, path, count).map_err(|error| match error {
        Opening::Sqlite(error) => cannot_open(path, &error),
        Opening::Store(error) => error,
    })?;
    Ok(db)
}

/// Returns the id of a database: it distinguishes the files of this database from those of an earlier one in the same
/// place.
pub(super) fn id(db: &Connection) -> Result<String, StoreError> {
    db.execute(
        "INSERT OR IGNORE INTO setting (name, value) VALUES ('database_id', lower(hex(randomblob(16))))",
        [],
    )?;
    Ok(db.query_row("SELECT value FROM setting WHERE name = 'database_id'", [], |row| row.get(0))?)
}

enum Opening {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Opening {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn prepare(db: &mut Connection, path: &Path, count: usize) -> Result<(), Opening> {
    db.busy_timeout(Duration::from_secs(5))?;
    // Refuse a database of a newer version before touching anything in it, including its journal mode.
    let found: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known_schema() {
        return Err(Opening::Store(StoreError::Newer {
            path: path.to_owned(),
            found,
            known: known_schema(),
        }));
    }
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.pragma_update(None, "temp_store", "MEMORY")?;
    // The writer triggers checkpoints itself.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    db.pragma_update(None, "journal_size_limit", 64 << 20)?;
    db.pragma_update(None, "cache_size", -8192)?;
    keep_plans(db)?;
    db.set_prepared_statement_cache_capacity(128);
    for (index, migration) in MIGRATIONS[..count].iter().enumerate().skip(found as usize) {
        let step = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        step.execute_batch(migration)?;
        step.pragma_update(None, "user_version", index as u32 + 1)?;
        step.commit()?;
    }
    Ok(())
}

/// Opens the database for reading.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let db = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_update(None, "temp_store", "MEMORY")?;
        keep_plans(&db)?;
        db.set_prepared_statement_cache_capacity(64);
        Ok(db)
    };
    open().map_err(|error| cannot_open(path, &error))
}

/// Lets a cached statement keep its plan. Otherwise SQLite looks at the bound values when it compares a condition with that
/// of a partial index, and therefore prepares every statement on such a table again whenever its bindings change: 100
/// times for a page of 100 runs.
fn keep_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Empties the page cache of a connection.
pub(super) fn shrink(db: &Connection) {
    if let Err(error) = db.execute_batch("PRAGMA shrink_memory") {
        tracing::debug!("a connection keeps its memory: {error}");
    }
}

fn cannot_open(path: &Path, error: &rusqlite::Error) -> StoreError {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreError::Full(path.to_owned()),
        Some(ErrorCode::NotADatabase) => StoreError::Other(format!(
            "{} is not a Fanlight database; move it away, or set FANLIGHT_HOME to another folder",
            path.display()
        )),
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => StoreError::Other(format!(
            "the database {} can't be written ({error}); set FANLIGHT_HOME to a folder that can be written",
            path.display()
        )),
        _ => StoreError::Other(format!(
            "the database {} can't be opened: {error}; `fanlight doctor` says more",
            path.display()
        )),
    }
}
