//! Sweeps: lists of them, their totals, and their best results.

use std::collections::HashSet;

use fanlight_shared::event::StateEvent;
use fanlight_shared::id::{RunId, Version, WorkflowId};
use fanlight_shared::preview;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::sweeps::{
    Best, Detail, Found, List, Reached, Sweep, SweepState, VALUES_LIMIT, Varied,
};
use fanlight_shared::run::Counts;
use fanlight_shared::search::Search;
use fanlight_shared::spent::Spent;
use fanlight_shared::sweep::Used;
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use indexmap::IndexMap;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::{page, search};
use crate::store::{Store, StoreError, StoredSweep, code, event_row};

/// The columns that [`read`] reads, of `sweep s`, `workflow w` and `version v`.
const COLUMNS: &str = "s.key, s.name, w.slug, w.id, v.hash, s.created_at, s.swept, s.limits, s.paused, \
     s.search, s.search_ended";

/// The tables of [`COLUMNS`].
const TABLES: &str =
    "sweep s CROSS JOIN workflow w ON w.key = s.workflow CROSS JOIN version v ON v.key = s.version";

/// The most bytes of a value of a param.
const MAX_VALUE_BYTES: usize = 80;

impl Store {
    /// Returns a page of sweeps, newest first. Blocks.
    ///
    /// # Errors
    /// The cursor is invalid.
    pub fn sweeps(&self, list: &List) -> Result<Page<Sweep>, StoreError> {
        const LIST: page::List = page::List("sweeps.list");
        let before = LIST.before(list.cursor.as_deref())?;
        let limit = page::limit(list.limit);
        self.read(|db| {
            let of_workflow = match list.workflow_id {
                Some(_) => "s.workflow = (SELECT key FROM workflow WHERE id = ?3)",
                None => "?3 IS NULL",
            };
            let sql = format!(
                "SELECT {COLUMNS} FROM {TABLES} WHERE s.key < ?1 AND {of_workflow} ORDER BY s.key DESC LIMIT ?2"
            );
            let workflow = list.workflow_id.map(|id| id.as_bytes().to_vec());
            let found = db
                .prepare_cached(&sql)?
                .query_map(params![before, limit as i64 + 1, workflow], read)?
                .collect::<Result<Vec<_>, _>>()?;
            let mut page = LIST.page(limit);
            for (key, mut sweep, search) in found {
                add_totals(db, key, &mut sweep, search)?;
                if !page.add(key, sweep) {
                    break;
                }
            }
            Ok(page.finish(i64::to_string))
        })
    }

    /// Returns the sweep that a person names: its name, a workflow's name (its newest sweep), or `last`. Blocks.
    ///
    /// # Errors
    /// There is no such sweep.
    pub fn sweep(&self, name: &str) -> Result<Detail, StoreError> {
        self.read(|db| {
            let key = find(db, name)?;
            let sweep = row(db, key)?;
            let (params, best) = (varied(db, key)?, best(db, key, &sweep.workflow)?);
            let search = search::detail(db, key, &sweep.workflow)?;
            Ok(Detail { sweep, params, best, search })
        })
    }

    /// Returns the params of a sweep that have several values. Blocks.
    ///
    /// # Errors
    /// There is no sweep with this name.
    pub fn swept(&self, name: &str) -> Result<Vec<String>, StoreError> {
        self.read(|db| {
            let key = named(db, name)?.ok_or_else(|| unknown(name))?;
            let mut query = db.prepare_cached("SELECT swept FROM sweep WHERE key = ?1")?;
            Ok(query.query_row([key], |row| code::json(row, 0))?)
        })
    }

    /// Returns the first run of a sweep that was not deleted. Blocks.
    ///
    /// # Errors
    /// There is no sweep with this name.
    pub fn run_of_sweep(&self, name: &str) -> Result<RunId, StoreError> {
        self.read(|db| {
            let key = named(db, name)?.ok_or_else(|| unknown(name))?;
            let mut query = db.prepare_cached(
                "SELECT id FROM run INDEXED BY run_by_sweep WHERE sweep = ?1 AND status <> 6 ORDER BY key LIMIT 1",
            )?;
            let found = query.query_row([key], |row| row.get(0).map(RunId::from_bytes)).optional()?;
            found.ok_or_else(|| unknown(name))
        })
    }

    /// Returns a sweep as lists show it. Blocks.
    ///
    /// # Errors
    /// There is no such sweep.
    pub fn sweep_row(&self, name: &str) -> Result<Sweep, StoreError> {
        self.read(|db| row(db, find(db, name)?))
    }

    /// Returns the whole name of the sweep that a person names, and its workflow. Blocks.
    ///
    /// # Errors
    /// There is no such sweep.
    pub fn find_sweep(&self, name: &str) -> Result<Found, StoreError> {
        self.read(|db| {
            let key = find(db, name)?;
            let mut query = db.prepare_cached(
                "SELECT s.name, w.id FROM sweep s JOIN workflow w ON w.key = s.workflow WHERE s.key = ?1",
            )?;
            let found = |row: &Row<'_>| {
                Ok(Found { name: row.get(0)?, workflow_id: WorkflowId::from_bytes(row.get(1)?) })
            };
            Ok(query.query_row([key], found)?)
        })
    }

    /// Returns the sweeps with runs that have not ended, and those with trials that were not proposed yet. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn open_sweeps(&self) -> Result<Vec<StoredSweep>, StoreError> {
        self.read(|db| {
            let keys = db
                .prepare_cached(
                    "SELECT DISTINCT sweep FROM run INDEXED BY run_by_status \
                     WHERE status IN (0, 1, 2, 7) AND sweep IS NOT NULL",
                )?
                .query_map([], |row| row.get(0))?
                .collect::<Result<Vec<i64>, _>>()?;
            let mut all = keys.iter().map(|key| stored(db, *key)).collect::<Result<Vec<_>, _>>()?;
            let known: HashSet<i64> = keys.into_iter().collect();
            for key in search::open(db)?.0.into_iter().filter(|key| !known.contains(key)) {
                all.extend(Some(stored(db, key)?).filter(|sweep| sweep.search.is_some()));
            }
            Ok(all)
        })
    }

    /// Checks that there is a sweep with this name. Blocks.
    ///
    /// # Errors
    /// There is none.
    pub fn check_sweep(&self, name: &str) -> Result<(), StoreError> {
        self.read(|db| match named(db, name)? {
            Some(_) => Ok(()),
            None => Err(unknown(name)),
        })
    }
}

fn named(db: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    db.prepare_cached("SELECT key FROM sweep WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

pub(super) fn find(db: &Connection, name: &str) -> Result<i64, StoreError> {
    if let Some(key) = named(db, name)? {
        return Ok(key);
    }
    let newest: Option<i64> = if name == "last" {
        db.prepare_cached("SELECT max(key) FROM sweep")?.query_row([], |row| row.get(0))?
    } else {
        db.prepare_cached(
            "SELECT max(key) FROM sweep WHERE workflow = (SELECT key FROM workflow WHERE slug = ?1)",
        )?
        .query_row([name], |row| row.get(0))?
    };
    newest.ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> StoreError {
    let shown: String = name.chars().take(80).collect();
    StoreError::NotFound(format!(
        "there is no sweep `{}`; `fanlight sweep list` lists them",
        shown.escape_debug()
    ))
}

fn row(db: &Connection, key: i64) -> Result<Sweep, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE s.key = ?1");
    let (_, mut sweep, search) = db.prepare_cached(&sql)?.query_row([key], read)?;
    add_totals(db, key, &mut sweep, search)?;
    Ok(sweep)
}

/// The search of a sweep, and whether it has ended.
type Searched = Option<(Search, bool)>;

/// Returns a sweep without its totals, with its key and its search.
fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Sweep, Searched)> {
    let sweep = Sweep {
        name: row.get(1)?,
        workflow: row.get(2)?,
        workflow_id: WorkflowId::from_bytes(row.get(3)?),
        version: Version::from_stored(row.get(4)?),
        created_at: Time(row.get(5)?),
        state: SweepState::Active,
        paused: optional(row, 8)?,
        limits: optional(row, 7)?.unwrap_or_default(),
        swept: code::json(row, 6)?,
        runs: Counts::default(),
        spent: Spent::default(),
        time_ms: 0,
        search: None,
    };
    Ok((row.get(0)?, sweep, searched(row, 9)?))
}

/// Returns the search in two columns.
fn searched(row: &Row<'_>, column: usize) -> rusqlite::Result<Searched> {
    let ended = row.get(column + 1)?;
    Ok(optional(row, column)?.map(|search| (search, ended)))
}

/// Returns the JSON in a column that may be NULL.
fn optional<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => code::json(row, column).map(Some),
    }
}

/// The sums over the runs of a sweep that were not deleted.
#[derive(Default)]
struct Totals {
    runs: Counts,
    spent: Spent,
    time_ms: u64,
}

/// Adds up the runs of a sweep; the time of those that have not ended counts until `now`.
fn totals(db: &Connection, key: i64, now: Option<Time>) -> rusqlite::Result<Totals> {
    let mut query = db.prepare_cached(
        "SELECT status, cost_usd, input_tokens, output_tokens, started_at, ended_at, unpriced FROM run \
         INDEXED BY run_by_sweep WHERE sweep = ?1 AND status <> 6",
    )?;
    let mut rows = query.query([key])?;
    let mut totals = Totals::default();
    while let Some(row) = rows.next()? {
        *totals.runs.of(code::status_from(row.get(0)?)) += 1;
        totals.spent.add(&code::spent(row, 1, 6)?);
        let started = row.get::<_, Option<i64>>(4)?.map(Time);
        let ended = row.get::<_, Option<i64>>(5)?.map(Time).or(now);
        if let (Some(started), Some(ended)) = (started, ended) {
            let time = u64::try_from(ended.since(started).as_millis()).unwrap_or(u64::MAX);
            totals.time_ms = totals.time_ms.saturating_add(time);
        }
    }
    Ok(totals)
}

fn add_totals(db: &Connection, key: i64, sweep: &mut Sweep, search: Searched) -> rusqlite::Result<()> {
    let Totals { runs, spent, time_ms } = totals(db, key, Some(Time::now()))?;
    sweep.search = search.map(|(search, ended)| search::progress(db, key, &search, ended)).transpose()?;
    let has_more = sweep.search.is_some_and(|it| it.proposed < it.trials);
    sweep.state = match (runs.open(), sweep.paused) {
        (0, _) if !has_more => SweepState::Ended,
        (_, Some(_)) => SweepState::Paused,
        (_, None) => SweepState::Active,
    };
    (sweep.runs, sweep.spent, sweep.time_ms) = (runs, spent, time_ms);
    Ok(())
}

/// Returns a sweep as the engine needs it.
pub(in crate::store) fn stored(db: &Connection, key: i64) -> rusqlite::Result<StoredSweep> {
    let Totals { runs, spent, time_ms } = totals(db, key, None)?;
    let used = Used {
        failures: runs.failed,
        cost_usd: spent.cost_usd.unwrap_or_default(),
        time_ms,
        tokens: spent.input_tokens.saturating_add(spent.output_tokens),
    };
    db.prepare_cached(
        "SELECT name, limits, paused, used_before, search, search_ended FROM sweep WHERE key = ?1",
    )?
    .query_row([key], |row| {
        let name: String = row.get(0)?;
        let search = searched(row, 4).and_then(|found| {
            found.map(|(search, ended)| search::stored(db, key, search, ended)).transpose()
        });
        // The runs of the sweep continue.
        let search = search::readable(&name, search)?.flatten();
        Ok(StoredSweep {
            search,
            name,
            limits: optional(row, 1)?.unwrap_or_default(),
            paused: optional(row, 2)?,
            before: optional(row, 3)?.unwrap_or_default(),
            used,
        })
    })
}

/// Returns the params whose values differ between the runs of a sweep.
fn varied(db: &Connection, key: i64) -> Result<IndexMap<String, Varied>, StoreError> {
    let mut query = db.prepare_cached(
        "SELECT params FROM run INDEXED BY run_by_sweep WHERE sweep = ?1 AND status <> 6 ORDER BY key",
    )?;
    let mut rows = query.query([key])?;
    let mut seen: IndexMap<String, (HashSet<String>, Vec<Value>)> = IndexMap::new();
    while let Some(row) = rows.next()? {
        // A run whose params can't be read says so where it is listed.
        let Ok(params) = code::json::<Values>(row, 0) else { continue };
        for (name, value) in params {
            let (texts, values) = seen.entry(name).or_default();
            if texts.insert(serde_json::to_string(&value).unwrap_or_default()) && values.len() < VALUES_LIMIT
            {
                values.push(preview::value(&value, MAX_VALUE_BYTES));
            }
        }
    }
    let differ = seen.into_iter().filter(|(_, (texts, _))| texts.len() > 1);
    Ok(differ
        .map(|(name, (texts, values))| {
            (name, Varied { count: u32::try_from(texts.len()).unwrap_or(u32::MAX), values })
        })
        .collect())
}

/// Returns the lowest and the highest value of every output that is a number, among the completed runs of a sweep.
fn best(db: &Connection, key: i64, workflow: &str) -> Result<IndexMap<String, Best>, StoreError> {
    // The last event of a run that has ended has its outputs.
    let mut query = db.prepare_cached(
        "SELECT number, (SELECT body FROM event WHERE event.run = run.key ORDER BY seq DESC LIMIT 1) \
         FROM run INDEXED BY run_by_sweep WHERE sweep = ?1 AND status = 3 ORDER BY key",
    )?;
    let mut rows = query.query([key])?;
    let mut best: IndexMap<String, Best> = IndexMap::new();
    while let Some(row) = rows.next()? {
        let number: u32 = row.get(0)?;
        let last = row.get_ref(1)?.as_str().ok().and_then(|body| event_row::last(body).ok()?);
        let Some(StateEvent::RunUpdate(last)) = last else { continue };
        for (output, value) in last.outputs {
            let Some(value) = value.as_float().filter(|value| value.is_finite()) else { continue };
            let reached = || Reached { value, run: format!("{workflow}#{number}") };
            let known = best.entry(output).or_insert_with(|| Best { lowest: reached(), highest: reached() });
            if value < known.lowest.value {
                known.lowest = reached();
            }
            if value > known.highest.value {
                known.highest = reached();
            }
        }
    }
    Ok(best)
}
