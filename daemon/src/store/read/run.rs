//! Runs with everything that is kept of them.

use fanlight_shared::event::Numbered;
use fanlight_shared::id::{BlobHash, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::value::Value;
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{OpenRun, Store, StoreError, code};

impl Store {
    /// Runs that had not ended, in queue order (running ones first, by start). Blocks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn open_runs(&self) -> Result<Vec<OpenRun>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT id FROM run WHERE status IN (0, 1, 2)")?;
            let ids = query
                .query_map([], |row| row.get(0).map(RunId::from_bytes))?
                .collect::<Result<Vec<_>, _>>()?;
            let mut runs = ids.into_iter().map(|id| self.open_run(db, id)).collect::<Result<Vec<_>, _>>()?;
            runs.sort_by_key(|(position, open)| match open.run.start_order {
                Some(order) => (0, code::signed(order)),
                None => (1, *position),
            });
            Ok(runs.into_iter().map(|(_, open)| open).collect())
        })
    }

    /// One run with everything, ended or not. Blocks.
    ///
    /// # Errors
    /// No such run.
    pub fn run(&self, id: RunId) -> Result<OpenRun, StoreError> {
        self.read(|db| self.open_run(db, id).map(|(_, open)| open))
    }

    /// A run with its place in the queue.
    fn open_run(&self, db: &Connection, id: RunId) -> Result<(i64, OpenRun), StoreError> {
        let sql = format!(
            "SELECT {}, v.document, r.path, r.queue_position FROM {} WHERE r.id = ?1 AND r.status <> {}",
            code::RUN,
            code::RUN_TABLES,
            code::DELETED
        );
        let found = db
            .prepare_cached(&sql)?
            .query_row([id.as_bytes()], |row| Ok((code::run(row)?, row.get(20)?, row.get(21)?, row.get(22)?)))
            .optional()?;
        let Some(((key, run), document, path, position)) = found else {
            return Err(StoreError::NotFound(format!("no run {id}")));
        };
        let open =
            OpenRun { run, document, path, events: events(db, key)?, values: self.values_of(db, key)? };
        Ok((position, open))
    }

    fn values_of(
        &self,
        db: &Connection,
        run: i64,
    ) -> Result<Vec<(String, ItemPath, String, Option<Value>)>, StoreError> {
        db.prepare_cached("SELECT node, item, port, body, large FROM value WHERE run = ?1")?
            .query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
            .map(|row| {
                let (node, item, port, body, large) = row?;
                Ok((node, code::item_from(item), port, self.value(body, large)?))
            })
            .collect()
    }

    /// A value from the columns of its row.
    pub(super) fn value(
        &self,
        body: Option<String>,
        large: Option<[u8; 32]>,
    ) -> Result<Option<Value>, StoreError> {
        Ok(match (body, large) {
            (Some(body), _) => Some(serde_json::from_str(&body)?),
            (None, Some(hash)) => {
                Some(serde_json::from_slice(&self.blobs().read(BlobHash::from_bytes(hash))?)?)
            }
            (None, None) => None,
        })
    }
}

/// The state events of a run, in order.
pub(super) fn events(db: &Connection, run: i64) -> Result<Vec<Numbered>, StoreError> {
    let events = db
        .prepare_cached("SELECT seq, body FROM event WHERE run = ?1 ORDER BY seq")?
        .query_map(params![run], |row| {
            Ok(Numbered { seq: code::unsigned(row.get(0)?), event: code::json(row, 1)? })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(events)
}
