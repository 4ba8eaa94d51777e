//! Runs with their outputs and metrics, as rows of a table.

use fanlight_shared::event::StateEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::metric::SYSTEM;
use fanlight_shared::preview;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::metrics::{MAX_RUNS, Series};
use fanlight_shared::rpc::runs::{self, Measured, TABLE_METRICS, Table, TableRow};
use fanlight_shared::value::Values;
use rusqlite::{Connection, OptionalExtension, params};

use super::{list, page, series};
use crate::store::{Store, StoreError, event_row};

const LIST: page::List = page::List("runs.table");

/// The most bytes of an output.
const MAX_OUTPUT_BYTES: usize = 240;

impl Store {
    /// Returns a page of a table, newest runs first. Blocks.
    ///
    /// # Errors
    /// Not exactly one set of runs is named, there is no such workflow, sweep or run, or the cursor is invalid.
    pub fn table(&self, table: &Table) -> Result<Page<TableRow>, StoreError> {
        let before = LIST.before(table.cursor.as_deref())?;
        let limit = page::limit(table.limit);
        let given = [table.workflow_id.is_some(), table.sweep.is_some(), !table.run_ids.is_empty()];
        if given.iter().filter(|given| **given).count() != 1 {
            let message = "exactly one of `workflow_id`, `sweep` and `run_ids` must be given".to_owned();
            return Err(StoreError::BadParam(message));
        }
        self.read(|db| {
            check(db, table)?;
            let keys = keys(db, table, before, limit + 1)?;
            let mut page = LIST.page(limit);
            for key in keys {
                let mut row = TableRow::of(list::whole(db, key)?);
                row.shorten();
                (row.metrics, row.metrics_left) = metrics(db, key, row.run.id)?;
                row.outputs = outputs(db, key)?;
                if !page.add(key, row) {
                    break;
                }
            }
            Ok(page.finish(i64::to_string))
        })
    }
}

/// Checks that the workflow or the sweep exists.
fn check(db: &Connection, table: &Table) -> Result<(), StoreError> {
    if let Some(id) = &table.workflow_id
        && !db.prepare_cached("SELECT 1 FROM workflow WHERE id = ?1")?.exists([id.as_bytes()])?
    {
        return Err(StoreError::NotFound(format!("no workflow has the id {id}")));
    }
    if let Some(name) = &table.sweep
        && !db.prepare_cached("SELECT 1 FROM sweep WHERE name = ?1")?.exists([name])?
    {
        let shown: String = name.chars().take(100).collect();
        return Err(StoreError::NotFound(format!("there is no sweep `{}`", shown.escape_debug())));
    }
    Ok(())
}

/// Returns the keys of the newest runs of a table.
fn keys(db: &Connection, table: &Table, before: i64, limit: usize) -> Result<Vec<i64>, StoreError> {
    if table.run_ids.is_empty() {
        let of = runs::List {
            workflow_id: table.workflow_id,
            sweep: table.sweep.clone(),
            ..runs::List::default()
        };
        return list::newest_of_all(db, &of, before, limit);
    }
    let mut keys = ids(db, &table.run_ids)?;
    keys.retain(|key| *key < before);
    keys.sort_unstable_by(|a, b| b.cmp(a));
    keys.dedup();
    Ok(keys)
}

fn ids(db: &Connection, runs: &[RunId]) -> Result<Vec<i64>, StoreError> {
    if runs.len() > MAX_RUNS {
        let message = format!("`run_ids` names {} runs, which is more than {MAX_RUNS}", runs.len());
        return Err(StoreError::BadParam(message));
    }
    let mut query = db.prepare_cached("SELECT key FROM run WHERE id = ?1 AND status <> 6")?;
    let mut keys = Vec::with_capacity(runs.len());
    for id in runs {
        let key = query.query_row([id.as_bytes()], |row| row.get(0)).optional()?;
        keys.push(key.ok_or_else(|| StoreError::NotFound(format!("no run has the id {id}")))?);
    }
    Ok(keys)
}

/// Returns the outputs of a run; none before it has ended.
fn outputs(db: &Connection, run: i64) -> Result<Values, StoreError> {
    // The last event of a run that has ended has its outputs.
    let last = db
        .prepare_cached(
            "SELECT body FROM event WHERE run = (SELECT key FROM run WHERE key = ?1 AND status IN (3, 4, 5)) \
             ORDER BY seq DESC LIMIT 1",
        )?
        // One that is damaged has none: `doctor` and the run itself say so, and the table shows the others.
        .query_row([run], |row| {
            Ok(row.get_ref(0)?.as_str().ok().and_then(|body| event_row::last(body).ok()?))
        })
        .optional()?;
    match last.flatten() {
        Some(StateEvent::RunUpdate(last)) => {
            let short = |(name, value)| (name, preview::value(&value, MAX_OUTPUT_BYTES));
            Ok(last.outputs.into_iter().map(short).collect())
        }
        _ => Ok(Values::new()),
    }
}

/// Returns the first metrics of the nodes of a run, and how many more there are.
fn metrics(db: &Connection, run: i64, id: RunId) -> Result<(Vec<Measured>, u32), StoreError> {
    let mut query = db.prepare_cached(&format!(
        "SELECT {} FROM series WHERE run = ?1 AND item = -1 AND last IS NOT NULL ORDER BY substr(name, 1, {}) = '{SYSTEM}', key",
        series::COLUMNS,
        SYSTEM.len()
    ))?;
    let mut rows = query.query(params![run])?;
    let (mut metrics, mut left) = (Vec::new(), 0_u32);
    while let Some(row) = rows.next()? {
        let series = series::series(db, row, id)?;
        if metrics.len() == TABLE_METRICS || series.damaged.is_some() {
            left = left.saturating_add(1);
            continue;
        }
        let best = series.best().map(|point| point.value);
        let Series { node, name, goal, last, .. } = series;
        metrics.push(Measured { node, name, last: last.value, goal, best });
    }
    Ok((metrics, left))
}
