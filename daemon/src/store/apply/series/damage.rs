//! Damage of a series concerns that series alone: it costs neither its neighbours nor the daemon.

use rusqlite::Connection;

use super::{Done, Failure};
use crate::store::StoreError;

/// Makes a change to a series, and undoes it if that fails because of what is stored of the series, which is the inner
/// error: it can't be read, or it contradicts itself.
pub(super) fn contain<T>(db: &Connection, change: impl FnOnce() -> Done<T>) -> Done<Result<T, StoreError>> {
    db.prepare_cached("SAVEPOINT one_series")?.execute([])?;
    let outcome = match change() {
        Ok(done) => Ok(done),
        Err(Failure::Batch(error @ StoreError::Unreadable(_))) => {
            db.prepare_cached("ROLLBACK TO one_series")?.execute([])?;
            Err(error)
        }
        // Then everything is undone.
        Err(other) => return Err(other),
    };
    db.prepare_cached("RELEASE one_series")?.execute([])?;
    Ok(outcome)
}
