//! What is to be done because runs and sweeps have ended.

use fanlight_shared::time::Time;
use rusqlite::params;

use crate::on_end::{Due, End, EndOf};
use crate::store::{Store, StoreError, code};

impl Store {
    /// Returns what is to be done now, the oldest first. Blocks.
    ///
    /// # Errors
    /// An error of SQLite, or a row can't be read.
    pub fn due_on_end(&self, now: Time, limit: u32) -> Result<Vec<Due>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT key, id, what, kind, name, workflow, state, at, tries FROM on_end \
                 WHERE next_at <= ?1 ORDER BY next_at, key LIMIT ?2",
            )?;
            let due = query.query_map(params![now.0, limit], |row| {
                let of = if row.get_ref(3)?.as_str()? == "sweep" { EndOf::Sweep } else { EndOf::Run };
                let end = End {
                    of,
                    name: row.get(4)?,
                    workflow: row.get(5)?,
                    state: code::status_from(row.get(6)?),
                    at: Time(row.get(7)?),
                };
                let (key, id, tries) = (row.get(0)?, row.get(1)?, row.get(8)?);
                Ok(Due { key, id, on_end: code::json(row, 2)?, end, tries })
            })?;
            Ok(due.collect::<Result<_, _>>()?)
        })
    }

    /// Returns when something is to be done next. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn next_on_end(&self) -> Result<Option<Time>, StoreError> {
        self.read(|db| {
            let next: Option<i64> = db.query_row("SELECT min(next_at) FROM on_end", [], |row| row.get(0))?;
            Ok(next.map(Time))
        })
    }

    /// Returns a sentence for each thing to do at an end that has failed, the newest first. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn failed_on_end(&self) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT what, name, tries, error, next_at FROM on_end WHERE error IS NOT NULL ORDER BY key DESC",
            )?;
            let failed = query.query_map([], |row| {
                let what = code::json::<crate::on_end::OnEnd>(row, 0)?.describe();
                let (name, tries, error): (String, u32, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
                let next: Option<i64> = row.get(4)?;
                let then = if next.is_some() { "it is tried again" } else { "it is not tried again" };
                let times = if tries == 1 { "once".to_owned() } else { format!("{tries} times") };
                Ok(format!("{what} at the end of {name} failed {times}: {error}; {then}"))
            })?;
            Ok(failed.collect::<Result<_, _>>()?)
        })
    }
}
