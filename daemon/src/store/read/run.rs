//! Reads runs with all their stored data.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fanlight_shared::environment::Environment;
use fanlight_shared::event::Numbered;
use fanlight_shared::id::{AttemptId, BlobHash, RunId, Version, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::{Fresh, Origin};
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use fanlight_shared::value::Value;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, params};

use super::events::{events, new_state};
use crate::store::{ChildVersions, DamagedRun, OpenRun, Store, StoreError, code, event_row};

/// Node, item, port, value (`None` if not kept).
type PortValue = (String, ItemPath, String, Option<Value>);

impl Store {
    /// Returns the runs that had not ended, in queue order (running ones first, by start). Unreadable data only damages
    /// its own run. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    // Both are of the same size, and damage is rare.
    #[allow(clippy::result_large_err)]
    pub fn open_runs(&self) -> Result<Vec<Result<OpenRun, DamagedRun>>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT id FROM run WHERE status IN (0, 1, 2, 7)")?;
            let ids = query
                .query_map([], |row| row.get(0).map(RunId::from_bytes))?
                .collect::<Result<Vec<_>, _>>()?;
            let mut shared = Environments::default();
            let mut runs = Vec::with_capacity(ids.len());
            for id in ids {
                let row = row(db, id)?;
                let place = match row.run.start_order {
                    Some(order) => (0, code::signed(order)),
                    None => (1, row.position),
                };
                let run = row.run.clone();
                runs.push((
                    place,
                    match self.opened(db, row, &mut shared) {
                        Ok(open) => Ok(open),
                        Err(StoreError::Unreadable(why)) => Err(DamagedRun { run, why }),
                        Err(error @ StoreError::Damaged { .. }) => {
                            Err(DamagedRun { run, why: error.to_string() })
                        }
                        Err(error) => return Err(error),
                    },
                ));
            }
            runs.sort_by_key(|(place, _)| *place);
            Ok(runs.into_iter().map(|(_, run)| run).collect())
        })
    }

    /// Returns one run with all its data, ended or not. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn run(&self, id: RunId) -> Result<OpenRun, StoreError> {
        self.read(|db| self.opened(db, row(db, id)?, &mut Environments::default()))
    }

    /// Returns the run of a workflow that left the queue last, whatever its state; runs that others started did not wait
    /// there. Blocks.
    pub(crate) fn newest_started(&self, workflow: WorkflowId) -> Result<Option<RunId>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached(
                    "SELECT r.id FROM workflow w JOIN run r ON r.workflow = w.key WHERE w.id = ?1 AND r.status <> 6 \
                     AND r.start_order IS NOT NULL AND r.parent IS NULL ORDER BY r.start_order DESC LIMIT 1",
                )?
                .query_row([workflow.as_bytes()], |row| row.get(0).map(RunId::from_bytes))
                .optional()?)
        })
    }

    /// Returns the state of a run: the fold of its events. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn run_state(&self, id: RunId) -> Result<RunState, StoreError> {
        self.read(|db| {
            let (key, mut state, name) = new_state(db, id)?;
            for event in events(db, key, &name)? {
                state.fold(&event);
            }
            Ok(state)
        })
    }

    /// Returns the text of the file that a run was submitted with, and its path, if there was one. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn document(&self, id: RunId) -> Result<(String, Option<String>), StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT v.document, r.path FROM run r JOIN version v ON v.key = r.version \
                 WHERE r.id = ?1 AND r.status <> 6",
            )?
            .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or_else(|| StoreError::NotFound(format!("no run {id}")))
        })
    }

    /// Returns the file that a node of a run names as a workflow to run, as it was when the run was submitted: its path and its
    /// text. Blocks.
    ///
    /// # Errors
    /// The run has no such file.
    pub fn child_file(&self, run: RunId, name: &str) -> Result<(String, String), StoreError> {
        self.read(|db| {
            db.prepare_cached(
                "SELECT f.path, v.document FROM run r JOIN run_file f ON f.run = r.key AND f.reader = r.path \
                 JOIN version v ON v.key = f.version WHERE r.id = ?1 AND r.status <> 6 AND f.name = ?2",
            )?
            .query_row(params![run.as_bytes(), name], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?
            .ok_or_else(|| StoreError::NotFound(format!("the run was submitted without the file {name}")))
        })
    }

    /// Returns the files of the workflows that a run starts, itself or through others. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn child_versions(&self, run: RunId) -> Result<ChildVersions, StoreError> {
        self.read(|db| {
            let key = db
                .prepare_cached("SELECT key FROM run WHERE id = ?1")?
                .query_row([run.as_bytes()], |row| row.get(0))
                .optional()?;
            Ok(key.map_or_else(|| Ok(ChildVersions::new()), |key| child_versions(db, key))?)
        })
    }

    /// Returns the runs that nodes of a run started, in the order of their submission. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn children(&self, run: RunId) -> Result<Vec<RunId>, StoreError> {
        self.read(|db| {
            let mut query =
                db.prepare_cached("SELECT id FROM run WHERE parent = ?1 AND status <> 6 ORDER BY key")?;
            let ids = query.query_map([run.as_bytes()], |row| row.get(0).map(RunId::from_bytes))?;
            Ok(ids.collect::<Result<_, _>>()?)
        })
    }

    /// Returns whether the values of an ended run were removed, because newer ones of its workflow have ended. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn is_evicted(&self, run: RunId) -> Result<bool, StoreError> {
        self.read(|db| {
            let evicted = db
                .prepare_cached("SELECT evicted FROM run WHERE id = ?1")?
                .query_row([run.as_bytes()], |row| row.get(0))
                .optional()?;
            Ok(evicted.unwrap_or(false))
        })
    }

    /// Returns the names of the variables that a run was submitted with. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
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

    /// Returns the state events of a run after one and up to another, in order. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn events(&self, id: RunId, after: u64, up_to: u64) -> Result<Vec<Numbered>, StoreError> {
        if after >= up_to {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let mut query = db.prepare_cached(
                // The first row may have earlier events too.
                "SELECT e.seq, e.body FROM run r JOIN event e ON e.run = r.key WHERE r.id = ?1 \
                 AND e.seq >= coalesce((SELECT max(seq) FROM event WHERE run = r.key AND seq <= ?2), 0) \
                 AND e.seq <= ?3 ORDER BY e.seq",
            )?;
            let mut rows = query.query(params![
                id.as_bytes(),
                code::signed(after.saturating_add(1)),
                code::signed(up_to)
            ])?;
            let mut events = Vec::new();
            while let Some(row) = rows.next()? {
                event_row::read(row, "the run", &mut events)?;
            }
            events.retain(|event| event.seq > after && event.seq <= up_to);
            Ok(events)
        })
    }

    /// Returns the attempts of deleted runs whose folders have not been removed yet. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn attempts_to_remove(&self) -> Result<Vec<AttemptId>, StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT attempt FROM going")?;
            let ids = query.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            Ok(ids.iter().filter_map(|id| id.parse().ok()).collect())
        })
    }

    /// Returns those of these attempts that belong to a run of this database. Blocks.
    pub(crate) fn known_attempts(&self, attempts: &[AttemptId]) -> Result<Vec<AttemptId>, StoreError> {
        let Some(first) = attempts.iter().min() else { return Ok(Vec::new()) };
        // The id of an attempt begins with the time of its creation, in milliseconds.
        let made = first.as_bytes()[..6].iter().fold(0_i64, |time, byte| time << 8 | i64::from(*byte));
        let wanted: HashSet<AttemptId> = attempts.iter().copied().collect();
        self.read(|db| {
            let mut query = db.prepare_cached(
                "SELECT e.body FROM run r JOIN event e ON e.run = r.key \
                 WHERE (r.ended_at IS NULL OR r.ended_at >= ?1) AND instr(e.body, '\"attempt_id\"') > 0",
            )?;
            let mut rows = query.query([made])?;
            let mut known = HashSet::new();
            while let Some(row) = rows.next()? {
                known.extend(event_row::attempts(row.get_ref(0)?.as_bytes().unwrap_or_default()));
            }
            Ok(wanted.intersection(&known).copied().collect())
        })
    }

    /// Reads all stored data of a run.
    fn opened(&self, db: &Connection, row: RunRow, shared: &mut Environments) -> Result<OpenRun, StoreError> {
        let RunRow { key, run, document, path, position, environment, fresh } = row;
        let name = run.name();
        let events = events(db, key, &name)?;
        let values = self.values_of(db, key).map_err(|error| match error {
            StoreError::Unreadable(why) => StoreError::Unreadable(format!("a value of {name}: {why}")),
            error => error,
        })?;
        let origins = match run.resumed_from {
            Some(_) => origins(db, key)?,
            None => HashMap::new(),
        };
        let environment = match environment {
            Some(key) => shared.of(db, key)?,
            None => Arc::default(),
        };
        let fresh = Arc::new(fresh);
        let (next, later) = (position < code::NEXT_POSITIONS, position >= code::LATER_POSITIONS);
        Ok(OpenRun { run, document, path, environment, events, values, origins, fresh, next, later })
    }

    fn values_of(&self, db: &Connection, run: i64) -> Result<Vec<PortValue>, StoreError> {
        db.prepare_cached("SELECT node, item, port, body, large FROM value WHERE run = ?1")?
            .query_map([run], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)))?
            .map(|row| {
                let (node, item, port, body, large) = row?;
                Ok((node, code::item_from(item), port, self.value(db, body, large)?))
            })
            .collect()
    }

    /// Returns a value from the columns of its row.
    pub(super) fn value(
        &self,
        db: &Connection,
        body: Option<String>,
        large: Option<[u8; 32]>,
    ) -> Result<Option<Value>, StoreError> {
        Ok(match (body, large) {
            (Some(body), _) => Some(serde_json::from_str(&body)?),
            // It may have been deleted since this transaction began.
            (None, Some(hash)) => match self.blobs().read_in(db, BlobHash::from_bytes(hash)) {
                Ok(json) => Some(serde_json::from_slice(&json)?),
                Err(StoreError::NotFound(_)) => None,
                Err(error) => return Err(error),
            },
            (None, None) => None,
        })
    }
}

/// Returns the files of the workflows that a run starts.
pub(super) fn child_versions(db: &Connection, run: i64) -> rusqlite::Result<ChildVersions> {
    let mut query = db.prepare_cached(
        "SELECT f.reader, f.name, v.hash FROM run_file f JOIN version v ON v.key = f.version WHERE f.run = ?1",
    )?;
    let files =
        query.query_map([run], |row| Ok((row.get(0)?, row.get(1)?, Version::from_stored(row.get(2)?))))?;
    files.collect()
}

/// Returns where the values of a run were computed that it took over from another one.
fn origins(db: &Connection, run: i64) -> Result<HashMap<(String, ItemPath), Origin>, StoreError> {
    db.prepare_cached("SELECT node, item, origin FROM value WHERE run = ?1 AND origin IS NOT NULL")?
        .query_map([run], |row| Ok(((row.get(0)?, code::item_from(row.get(1)?)), row.get(2)?)))?
        .map(|row| {
            let (place, origin): (_, String) = row?;
            Ok((place, serde_json::from_str(&origin)?))
        })
        .collect()
}

/// Environments that have been read, by row.
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

/// The row of a run, with its file and its position in the queue.
struct RunRow {
    key: i64,
    run: Run,
    document: String,
    path: Option<String>,
    position: i64,
    environment: Option<i64>,
    fresh: Fresh,
}

fn row(db: &Connection, id: RunId) -> Result<RunRow, StoreError> {
    let sql = format!(
        "SELECT {}, v.document, r.path, r.queue_position, r.environment, r.fresh FROM {} WHERE r.id = ?1 AND r.status <> {}",
        code::RUN,
        code::RUN_TABLES,
        code::DELETED
    );
    db.prepare_cached(&sql)?
        .query_row([id.as_bytes()], |row| {
            const MORE: usize = code::RUN_COLUMNS;
            let (key, run) = code::run(row)?;
            Ok(RunRow {
                key,
                run,
                document: row.get(MORE)?,
                path: row.get(MORE + 1)?,
                position: row.get(MORE + 2)?,
                environment: row.get(MORE + 3)?,
                fresh: match row.get_ref(MORE + 4)? {
                    ValueRef::Null => Fresh::default(),
                    _ => code::json(row, MORE + 4)?,
                },
            })
        })
        .optional()?
        .ok_or_else(|| StoreError::NotFound(format!("no run {id}")))
}
