//! Lists of runs.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::{Page, runs};
use fanlight_shared::run::{Counts, Run, RunStatus};
use rusqlite::{Connection, params_from_iter};

use super::page;
use crate::store::{Store, StoreError, code};

impl Store {
    /// Returns a run as lists show it. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn listed(&self, id: RunId) -> Result<Run, StoreError> {
        self.read(|db| {
            let keys = keys(db, "SELECT key FROM run WHERE id = ?1 AND status <> 6", &[id.as_bytes()])?;
            let found = rows(db, &keys)?.pop().map(|(_, run)| run);
            found.ok_or_else(|| StoreError::NotFound(format!("no run {id}")))
        })
    }

    /// Checks that there is, or was, a run of this id; assets outlast their run. Blocks.
    ///
    /// # Errors
    /// There is none.
    pub fn check_run(&self, id: RunId) -> Result<(), StoreError> {
        let known = self.read(|db| {
            Ok(db.prepare_cached("SELECT 1 FROM run WHERE id = ?1")?.exists([id.as_bytes()])?)
        })?;
        if known { Ok(()) } else { Err(StoreError::NotFound(format!("no run {id}"))) }
    }

    /// Returns a page of runs, newest first. Blocks.
    ///
    /// # Errors
    /// The cursor is invalid.
    pub fn runs(&self, list: &runs::List) -> Result<Page<Run>, StoreError> {
        const LIST: page::List = page::List("runs.list");
        let before = LIST.before(list.cursor.as_deref())?;
        let limit = page::limit(list.limit);
        self.read(|db| {
            let keys = newest_of_all(db, list, before, limit + 1)?;
            let mut page = LIST.page(limit);
            for key in keys {
                let Some((_, run)) = rows(db, &[key])?.pop() else { continue };
                if !page.add(key, run) {
                    break;
                }
            }
            Ok(page.finish(i64::to_string))
        })
    }

    /// Checks that these are runs. Blocks.
    ///
    /// # Errors
    /// One of them doesn't exist, or was deleted.
    pub fn check_runs(&self, ids: &[RunId]) -> Result<(), StoreError> {
        self.read(|db| {
            let mut query = db.prepare_cached("SELECT 1 FROM run WHERE id = ?1 AND status <> 6")?;
            for id in ids {
                if !query.exists([id.as_bytes()])? {
                    return Err(StoreError::NotFound(format!("no run has the id {id}")));
                }
            }
            Ok(())
        })
    }

    /// Returns the number of runs in each state. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn counts(&self) -> Result<Counts, StoreError> {
        self.read(|db| {
            let mut counts = Counts::default();
            let mut query =
                db.prepare_cached("SELECT status, count(*) FROM run WHERE status <> 6 GROUP BY status")?;
            let mut rows = query.query([])?;
            while let Some(row) = rows.next()? {
                *counts.of(code::status_from(row.get(0)?)) = row.get(1)?;
            }
            Ok(counts)
        })
    }

    /// Returns the greatest start order that a run has; 0 before the first start. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn last_start_order(&self) -> Result<u64, StoreError> {
        self.read(|db| {
            let last: Option<i64> = db.query_row("SELECT max(start_order) FROM run", [], |row| row.get(0))?;
            Ok(last.map_or(0, code::unsigned))
        })
    }
}

/// Returns the keys of the newest runs for a list.
pub(super) fn newest_of_all(
    db: &Connection,
    list: &runs::List,
    before: i64,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut keys = Vec::new();
    // The index of each state is in list order, so merging the newest of each state gives the newest of all.
    for (status, _) in code::STATUSES {
        if list.states.is_empty() || list.states.contains(&status) {
            keys.extend(newest(db, list, status, before, limit)?);
        }
    }
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.truncate(limit);
    Ok(keys)
}

/// Returns the keys of the newest runs in one state for a list.
fn newest(
    db: &Connection,
    list: &runs::List,
    status: RunStatus,
    before: i64,
    limit: usize,
) -> Result<Vec<i64>, StoreError> {
    let mut sql = String::from("SELECT r.key FROM run r");
    if list.sweep.is_some() {
        sql.push_str(" INDEXED BY run_by_sweep");
    }
    if list.text.is_some() {
        sql.push_str(" CROSS JOIN workflow w ON w.key = r.workflow");
    }
    sql.push_str(" WHERE r.status = ?1 AND r.key < ?2");
    if list.workflow_id.is_some() {
        sql.push_str(" AND r.workflow = (SELECT key FROM workflow WHERE id = ?4)");
    }
    if list.text.is_some() {
        sql.push_str(
            " AND (r.label LIKE ?5 ESCAPE '\\' OR w.title LIKE ?5 ESCAPE '\\' \
             OR w.slug || '#' || r.number LIKE ?5 ESCAPE '\\' \
             OR r.sweep IN (SELECT key FROM sweep WHERE name LIKE ?5 ESCAPE '\\'))",
        );
    }
    if list.request_key.is_some() {
        sql.push_str(
            " AND r.key >= (SELECT first_run FROM request WHERE key = ?6) \
             AND r.key < (SELECT first_run + runs FROM request WHERE key = ?6)",
        );
    }
    if list.sweep.is_some() {
        sql.push_str(" AND r.sweep = (SELECT key FROM sweep WHERE name = ?7)");
    }
    if !list.without_sweeps.is_empty() {
        sql.push_str(
            " AND (r.sweep IS NULL OR r.sweep NOT IN \
             (SELECT s.key FROM json_each(?9) name CROSS JOIN sweep s ON s.name = name.value))",
        );
    }
    if list.parent.is_some() {
        sql.push_str(" AND r.parent = ?8");
    }
    sql.push_str(" ORDER BY r.key DESC LIMIT ?3");
    let mut query = db.prepare_cached(&sql)?;
    query.raw_bind_parameter(1, code::status(status))?;
    query.raw_bind_parameter(2, before)?;
    query.raw_bind_parameter(3, limit as i64)?;
    if let Some(workflow) = &list.workflow_id {
        query.raw_bind_parameter(4, workflow.as_bytes())?;
    }
    if let Some(text) = &list.text {
        query.raw_bind_parameter(5, page::pattern(text))?;
    }
    if let Some(request_key) = &list.request_key {
        query.raw_bind_parameter(6, request_key)?;
    }
    if let Some(sweep) = &list.sweep {
        query.raw_bind_parameter(7, sweep)?;
    }
    if let Some(parent) = &list.parent {
        query.raw_bind_parameter(8, parent.as_bytes())?;
    }
    if !list.without_sweeps.is_empty() {
        let names = serde_json::to_string(&list.without_sweeps).unwrap_or_default();
        query.raw_bind_parameter(9, names)?;
    }
    let mut keys = Vec::new();
    let mut found = query.raw_query();
    while let Some(row) = found.next()? {
        keys.push(row.get(0)?);
    }
    Ok(keys)
}

/// Returns the runs with these keys as lists show them, in this order. The queue fills in the positions of waiting
/// ones.
pub(super) fn rows(db: &Connection, keys: &[i64]) -> Result<Vec<(i64, Run)>, StoreError> {
    let short = |key: &i64| {
        let mut run = whole(db, *key)?;
        run.shorten();
        Ok((*key, run))
    };
    keys.iter().map(short).collect()
}

/// Returns the run with this key, not shortened.
pub(super) fn whole(db: &Connection, key: i64) -> Result<Run, StoreError> {
    let sql = format!("SELECT {} FROM {} WHERE r.key = ?1", code::RUN, code::RUN_TABLES);
    let (_, run) = db.prepare_cached(&sql)?.query_row([key], code::run)?;
    Ok(run)
}

/// Returns the keys that a query selects.
pub(super) fn keys<P: rusqlite::ToSql>(
    db: &Connection,
    sql: &str,
    values: &[P],
) -> Result<Vec<i64>, StoreError> {
    let keys = db
        .prepare_cached(sql)?
        .query_map(params_from_iter(values), |row| row.get(0))?
        .collect::<Result<Vec<_>, _>>()?;
    Ok(keys)
}
