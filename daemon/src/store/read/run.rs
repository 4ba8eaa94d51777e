//! Runs with everything that is kept of them.

use std::collections::HashMap;
use std::sync::Arc;

use fanlight_shared::environment::Environment;
use fanlight_shared::event::Numbered;
use fanlight_shared::id::{AttemptId, BlobHash, RunId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run_state::{Folded, RunState};
use fanlight_shared::value::Value;
use rusqlite::{Connection, OptionalExtension, params};

use crate::store::{OpenRun, Store, StoreError, code};

/// Node, item, port, value (`None` where not kept).
type PortValue = (String, ItemPath, String, Option<Value>);

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
            let mut shared = Environments::default();
            let mut runs = ids
                .into_iter()
                .map(|id| self.open_run(db, id, &mut shared))
                .collect::<Result<Vec<_>, _>>()?;
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
        self.read(|db| self.open_run(db, id, &mut Environments::default()).map(|(_, open)| open))
    }

    /// The state of a run: the fold of its events. Blocks.
    ///
    /// # Errors
    /// No such run.
    pub fn run_state(&self, id: RunId) -> Result<RunState, StoreError> {
        self.read(|db| {
            let found = db
                .prepare_cached(
                    "SELECT r.key, v.nodes FROM run r JOIN version v ON v.key = r.version \
                     WHERE r.id = ?1 AND r.status < 6",
                )?
                .query_row([id.as_bytes()], |row| Ok((row.get(0)?, code::json::<Vec<String>>(row, 1)?)))
                .optional()?;
            let Some((key, nodes)) = found else {
                return Err(StoreError::NotFound(format!("no run {id}")));
            };
            let mut state = RunState::new(nodes);
            for event in events(db, key)? {
                if state.fold(&event) == Folded::Gap {
                    return Err(StoreError::Other(format!(
                        "event {} of the run {id} is missing; `fanlight doctor` says more",
                        state.seq + 1
                    )));
                }
            }
            Ok(state)
        })
    }

    /// The text of the file that a run was submitted with, and the path of that file, where there was one. Blocks.
    ///
    /// # Errors
    /// No such run.
    pub fn document(&self, id: RunId) -> Result<(String, Option<String>), StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT v.document, r.path FROM run r JOIN version v ON v.key = r.version \
                 WHERE r.id = ?1 AND r.status < 6",
            )?
            .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or_else(|| StoreError::NotFound(format!("no run {id}")))
        })
    }

    /// Returns the names of the variables that a run was submitted with. Blocks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn environment_names(&self, id: RunId) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let environment: Option<Environment> = db
                .prepare_cached(
                    "SELECT e.body FROM run r JOIN environment e ON e.key = r.environment WHERE r.id = ?1",
                )?
                .query_row([id.as_bytes()], |row| code::json(row, 0))
                .optional()?;
            Ok(environment.iter().flat_map(Environment::names).map(str::to_owned).collect())
        })
    }

    /// The state events of a run after one and up to another, in order. Blocks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn events(&self, id: RunId, after: u64, up_to: u64) -> Result<Vec<Numbered>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT e.seq, e.body FROM run r JOIN event e ON e.run = r.key \
                 WHERE r.id = ?1 AND e.seq > ?2 AND e.seq <= ?3 ORDER BY e.seq",
            )?;
            let between = params![id.as_bytes(), code::signed(after), code::signed(up_to)];
            Ok(query.query_map(between, numbered)?.collect::<Result<_, _>>()?)
        })
    }

    /// The attempts of deleted runs whose folders are not removed yet. Blocks.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn going(&self) -> Result<Vec<AttemptId>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT attempt FROM going")?;
            let ids = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
        })
    }

    /// A run with its place in the queue.
    fn open_run(
        &self,
        db: &Connection,
        id: RunId,
        shared: &mut Environments,
    ) -> Result<(i64, OpenRun), StoreError> {
        let sql = format!(
            "SELECT {}, v.document, r.path, r.queue_position, r.environment FROM {} WHERE r.id = ?1 AND r.status <> {}",
            code::RUN,
            code::RUN_TABLES,
            code::DELETED
        );
        let found = db
            .prepare_cached(&sql)?
            .query_row([id.as_bytes()], |row| {
                Ok((code::run(row)?, row.get(21)?, row.get(22)?, row.get(23)?, row.get(24)?))
            })
            .optional()?;
        let Some(((key, run), document, path, position, environment)) = found else {
            return Err(StoreError::NotFound(format!("no run {id}")));
        };
        let environment = match environment {
            Some(key) => shared.of(db, key)?,
            None => Arc::default(),
        };
        let (events, values) = (events(db, key)?, self.values_of(db, key)?);
        Ok((position, OpenRun { run, document, path, environment, events, values }))
    }

    fn values_of(&self, db: &Connection, run: i64) -> Result<Vec<PortValue>, StoreError> {
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
            // It may have been evicted since this transaction began: then it is not kept.
            (None, Some(hash)) => match std::fs::read(self.blobs().path(BlobHash::from_bytes(hash))) {
                Ok(json) => Some(serde_json::from_slice(&json)?),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => {
                    return Err(StoreError::Other(format!("a stored value can't be read: {error}")));
                }
            },
            (None, None) => None,
        })
    }
}

/// Environments that were read, by their row.
#[derive(Default)]
struct Environments(HashMap<i64, Arc<Environment>>);

impl Environments {
    fn of(&mut self, db: &Connection, key: i64) -> Result<Arc<Environment>, StoreError> {
        if let Some(known) = self.0.get(&key) {
            return Ok(known.clone());
        }
        let read = db
            .prepare_cached("SELECT body FROM environment WHERE key = ?1")?
            .query_row([key], |row| code::json(row, 0))?;
        let read = Arc::new(read);
        self.0.insert(key, Arc::clone(&read));
        Ok(read)
    }
}

/// The state events of a run, in order.
pub(super) fn events(db: &Connection, run: i64) -> Result<Vec<Numbered>, StoreError> {
    let events = db
        .prepare_cached("SELECT seq, body FROM event WHERE run = ?1 ORDER BY seq")?
        .query_map(params![run], numbered)?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(events)
}

fn numbered(row: &rusqlite::Row<'_>) -> rusqlite::Result<Numbered> {
    Ok(Numbered { seq: code::unsigned(row.get(0)?), event: code::json(row, 1)? })
}
