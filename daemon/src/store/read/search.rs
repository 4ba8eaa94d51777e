//! Searches: what they know, and how far they are.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::sweeps::{BestTrial, Progress, SearchDetail};
use fanlight_shared::search::{Outcome, Report, Search, Trial};
use fanlight_shared::value::Values;
use rusqlite::{Connection, OptionalExtension};

use crate::store::{Store, StoreError, StoredSearch, code};

/// What a search knows when it proposes a trial.
#[derive(Debug)]
pub struct KnownSearch {
    /// The key of its sweep.
    pub key: i64,
    /// The search.
    pub search: Search,
    /// How many trials it has proposed.
    pub proposed: u32,
    /// How many runs have ended.
    pub seen: u32,
    /// What came of these, in the order of their ends; then the open trials, in the order of their proposals.
    pub trials: Vec<Trial>,
    /// A run of the search: further ones are like it in all that the search doesn't choose.
    pub like: RunId,
}

impl Store {
    /// Returns what a search knows. Blocks.
    ///
    /// # Errors
    /// There is no such search, or it is damaged.
    pub fn known_search(&self, name: &str) -> Result<KnownSearch, StoreError> {
        self.read(|db| {
            let gone = || StoreError::NotFound(format!("the search `{name}` was deleted"));
            let (key, search): (i64, Search) = db
                .prepare_cached("SELECT key, search FROM sweep WHERE name = ?1 AND search IS NOT NULL")?
                .query_row([name], |row| Ok((row.get(0)?, code::json(row, 1)?)))
                .optional()?
                .ok_or_else(gone)?;
            // A trial rather than a run that a person added: that may differ in other params.
            let like = db
                .prepare_cached(
                    "SELECT r.id FROM run r LEFT JOIN trial t ON t.run = r.id WHERE r.sweep = ?1 AND r.status <> 6 \
                     ORDER BY t.number IS NULL, t.number LIMIT 1",
                )?
                .query_row([key], |row| row.get(0).map(RunId::from_bytes))
                .optional()?
                .ok_or_else(gone)?;
            let (observed, ended) = observed(db, key)?;
            let seen = u32::try_from(observed.len()).unwrap_or(u32::MAX);
            let mut trials: Vec<Trial> = observed.into_iter().map(|(_, trial)| trial).collect();
            let mut query =
                db.prepare_cached("SELECT run, params FROM trial WHERE sweep = ?1 ORDER BY number")?;
            let mut rows = query.query([key])?;
            let mut proposed = 0;
            while let Some(row) = rows.next()? {
                proposed += 1;
                if !ended.contains(row.get_ref(0)?.as_blob().unwrap_or_default()) {
                    trials.push(Trial { params: code::json(row, 1)?, outcome: None });
                }
            }
            Ok(KnownSearch { key, search, proposed, seen, trials, like })
        })
    }
}

/// The runs that have ended, by number, and their ids.
type Observed = (Vec<(u32, Trial)>, HashSet<Vec<u8>>);

/// Returns what came of the runs of a search, in the order of their ends.
fn observed(db: &Connection, key: i64) -> rusqlite::Result<Observed> {
    let mut query = db.prepare_cached(
        "SELECT run, number, params, outcome FROM observation WHERE sweep = ?1 ORDER BY place",
    )?;
    let mut rows = query.query([key])?;
    let (mut all, mut ids) = (Vec::new(), HashSet::new());
    while let Some(row) = rows.next()? {
        ids.insert(row.get(0)?);
        let trial = Trial { params: code::json(row, 2)?, outcome: Some(code::json(row, 3)?) };
        all.push((row.get(1)?, trial));
    }
    Ok((all, ids))
}

/// Returns how many trials a search has proposed, and how many it has in all.
fn trials(db: &Connection, key: i64, search: &Search, ended: bool) -> rusqlite::Result<(u32, u32)> {
    let proposed: u32 = db
        .prepare_cached("SELECT count(*) FROM trial WHERE sweep = ?1")?
        .query_row([key], |row| row.get(0))?;
    Ok((proposed, if ended { proposed } else { search.length() }))
}

/// Returns a search as the engine needs it.
pub(super) fn stored(
    db: &Connection,
    key: i64,
    search: Search,
    ended: bool,
) -> rusqlite::Result<StoredSearch> {
    let (proposed, length) = trials(db, key, &search, ended)?;
    let reports = db
        .prepare_cached("SELECT number, step, value FROM report WHERE sweep = ?1 ORDER BY place")?
        .query_map([key], |row| {
            Ok(Report { trial: row.get(0)?, step: code::unsigned(row.get(1)?), value: row.get(2)? })
        })?
        .collect::<Result<_, _>>()?;
    Ok(StoredSearch { length, proposed, search: Arc::new(search), reports })
}

/// Returns what was read of a search; `None` if it is damaged, which is no reason to end the daemon.
pub(super) fn readable<T>(name: &str, read: rusqlite::Result<T>) -> rusqlite::Result<Option<T>> {
    use rusqlite::Error::{FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType};
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error @ (FromSqlConversionFailure(..) | IntegralValueOutOfRange(..) | InvalidColumnType(..))) => {
            tracing::error!("the search {name} proposes no more runs, because it is damaged: {error}");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Returns the keys of the sweeps with trials that were not proposed yet, and of those whose search can't be read.
pub(super) fn open(db: &Connection) -> rusqlite::Result<(Vec<i64>, Vec<i64>)> {
    let mut query = db.prepare_cached(
        "SELECT key, name, search FROM sweep WHERE search IS NOT NULL AND search_ended = 0",
    )?;
    let mut rows = query.query([])?;
    let (mut open, mut damaged) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let (key, name): (i64, String) = (row.get(0)?, row.get(1)?);
        let Some(search) = readable(&name, code::json::<Search>(row, 2))? else {
            damaged.push(key);
            continue;
        };
        let (proposed, length) = trials(db, key, &search, false)?;
        if proposed < length {
            open.push(key);
        }
    }
    Ok((open, damaged))
}

/// Returns how far a search is.
pub(super) fn progress(
    db: &Connection,
    key: i64,
    search: &Search,
    ended: bool,
) -> rusqlite::Result<Progress> {
    let (proposed, length) = trials(db, key, search, ended)?;
    let mut progress = Progress { trials: length, proposed, ..Progress::default() };
    let mut query = db.prepare_cached("SELECT outcome FROM observation WHERE sweep = ?1")?;
    let mut rows = query.query([key])?;
    while let Some(row) = rows.next()? {
        let count = match code::json(row, 0)? {
            Outcome::Completed { .. } => &mut progress.completed,
            Outcome::Pruned { .. } => &mut progress.pruned,
            Outcome::Failed => &mut progress.failed,
            Outcome::Cancelled => &mut progress.cancelled,
            Outcome::Unmeasured { .. } => &mut progress.unmeasured,
        };
        *count += 1;
    }
    Ok(progress)
}

/// Returns what a search found.
pub(super) fn detail(db: &Connection, key: i64, workflow: &str) -> rusqlite::Result<Option<SearchDetail>> {
    let search: Option<Search> = db
        .prepare_cached("SELECT search FROM sweep WHERE key = ?1 AND search IS NOT NULL")?
        .query_row([key], |row| code::json(row, 0))
        .optional()?;
    let Some(search) = search else { return Ok(None) };
    let (runs, trials): (Vec<u32>, Vec<Trial>) = observed(db, key)?.0.into_iter().unzip();
    let best = search.best(&trials).into_iter().filter_map(|at| {
        let Some(Outcome::Completed { values }) = &trials[at].outcome else { return None };
        let params: Values = trials[at].params.clone();
        Some(BestTrial { run: format!("{workflow}#{}", runs[at]), params, values: values.clone() })
    });
    let best = best.collect();
    let why = trials.iter().rev().find_map(|trial| match &trial.outcome {
        Some(Outcome::Unmeasured { why }) => Some(why.clone()),
        _ => None,
    });
    let decisions = db
        .prepare_cached("SELECT count(*) FROM report WHERE sweep = ?1")?
        .query_row([key], |row| row.get(0).map(code::unsigned))?;
    Ok(Some(SearchDetail { search, best, unmeasured: why, decisions }))
}
