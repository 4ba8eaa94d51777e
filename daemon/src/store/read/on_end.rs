//! What is to be done because runs and sweeps have ended.

use fanlight_shared::on_end::{EndOf, OnEnd};
use fanlight_shared::time::Time;
use rusqlite::{Row, params};

use crate::on_end::{Due, DueRows, End};
use crate::store::{Store, StoreError, code};

impl Store {
    /// Returns what is to be done now, the oldest first, and at most this many of each thing to do. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn due_on_end(&self, now: Time, of_each: u32) -> Result<DueRows, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT key, id, what, kind, name, workflow, state, at, tries FROM \
                 (SELECT *, row_number() OVER (PARTITION BY what ORDER BY next_at, key) AS place FROM on_end \
                 WHERE next_at <= ?1) WHERE place <= ?2 ORDER BY next_at, key",
            )?;
            let mut rows = query.query(params![now.0, of_each])?;
            let mut found = DueRows::default();
            while let Some(row) = rows.next()? {
                let key = row.get(0)?;
                match due(key, row) {
                    Ok(due) => found.due.push(due),
                    Err(error) => found.unreadable.push((key, format!("its row can't be read: {error}"))),
                }
            }
            Ok(found)
        })
    }

    /// Returns when something is to be done that is not to be done yet. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn next_on_end(&self, now: Time) -> Result<Option<Time>, StoreError> {
        self.read(|db| {
            let next: Option<i64> = db
                .prepare_cached("SELECT min(next_at) FROM on_end WHERE next_at > ?1")?
                .query_row([now.0], |row| row.get(0))?;
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
                let what = code::json::<OnEnd>(row, 0)
                    .map_or_else(|_| "something unknown".to_owned(), |it| it.describe());
                let (name, tries, error): (String, u32, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
                let next: Option<i64> = row.get(4)?;
                let then = if next.is_some() { "it is tried again" } else { "it is not tried again" };
                let failed = match tries {
                    0 => "was not done".to_owned(),
                    1 => "failed once".to_owned(),
                    _ => format!("failed {tries} times"),
                };
                Ok(format!("{what} at the end of {name} {failed}: {error}; {then}"))
            })?;
            Ok(failed.collect::<Result<_, _>>()?)
        })
    }
}

fn due(key: i64, row: &Row<'_>) -> rusqlite::Result<Due> {
    let of = if row.get_ref(3)?.as_str()? == "sweep" { EndOf::Sweep } else { EndOf::Run };
    let end = End {
        of,
        name: row.get(4)?,
        workflow: row.get(5)?,
        state: code::status_from(row.get(6)?),
        at: Time(row.get(7)?),
    };
    Ok(Due { key, id: row.get(1)?, on_end: code::json(row, 2)?, end, tries: row.get(8)? })
}
