//! Reads runs as records.

use std::collections::BTreeSet;

use fanlight_shared::id::{AssetId, BlobHash, RunId, Version, WorkflowId};
use fanlight_shared::run::Run;
use fanlight_shared::time::Time;
use fanlight_shared::value::float::Number;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::de::DeserializeOwned;

use super::events::events;
use crate::store::record::{
    FileRecord, ObservationRecord, PointsRecord, ReportRecord, RunPart, RunRecord, SeriesRecord,
    SharedRecord, SweepRecord, TrialRecord, ValueRecord, WorkflowRecord, forget_start,
};
use crate::store::{NewAsset, NewVersion, Store, StoreError, code};

/// Takes the parts of a run.
type TakePart<'a> = dyn FnMut(RunPart) -> Result<(), StoreError> + 'a;

/// The keys of the rows that runs share.
#[derive(Default)]
struct Keys {
    workflows: BTreeSet<i64>,
    versions: BTreeSet<i64>,
    sweeps: BTreeSet<i64>,
}

impl Store {
    /// Passes on the parts of runs, one run after the other, and then what they share: versions first, then workflows, then
    /// sweeps. All of it is of one moment. Blocks.
    ///
    /// # Errors
    /// There is no such run, what is stored of it can't be read, or the error of a callback.
    pub(crate) fn records(
        &self,
        runs: &[RunId],
        mut part: impl FnMut(RunPart) -> Result<(), StoreError>,
        mut shared: impl FnMut(SharedRecord) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.read(|db| {
            let mut keys = Keys::default();
            for run in runs {
                one(db, *run, &mut keys, &mut part)?;
            }
            for key in &keys.sweeps {
                keys.versions.insert(db.query_row(
                    "SELECT version FROM sweep WHERE key = ?1",
                    [key],
                    |row| row.get(0),
                )?);
            }
            for key in &keys.workflows {
                keys.versions.insert(db.query_row(
                    "SELECT version FROM workflow WHERE key = ?1",
                    [key],
                    |row| row.get(0),
                )?);
            }
            keys.versions.iter().try_for_each(|key| shared(SharedRecord::Version(version(db, *key)?)))?;
            keys.workflows.iter().try_for_each(|key| shared(SharedRecord::Workflow(workflow(db, *key)?)))?;
            keys.sweeps.iter().try_for_each(|key| shared(SharedRecord::Sweep(sweep(db, *key)?.into())))
        })
    }

    /// Returns one run as a record, with its whole params. Blocks.
    ///
    /// # Errors
    /// There is no such run, or it can't be read.
    pub(crate) fn run_record(&self, id: RunId) -> Result<RunRecord, StoreError> {
        self.read(|db| Ok(head(db, id, &mut Keys::default())?.1))
    }

    /// Returns the size of a blob; `None` if there is none. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn blob_size(&self, hash: BlobHash) -> Result<Option<u64>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT bytes FROM blob WHERE hash = ?1")?
                .query_row([hash.as_bytes()], |row| row.get(0).map(code::unsigned))
                .optional()?)
        })
    }

    /// Returns whether a run was deleted while its assets stayed. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn is_deleted(&self, id: RunId) -> Result<bool, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT 1 FROM run WHERE id = ?1 AND status = ?2")?
                .exists(params![id.as_bytes(), code::DELETED])?)
        })
    }

    /// Returns whether an asset has this id. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn has_asset(&self, asset: AssetId) -> Result<bool, StoreError> {
        self.read(|db| {
            Ok(db.prepare_cached("SELECT 1 FROM asset WHERE id = ?1")?.exists([asset.as_bytes()])?)
        })
    }
}

/// Reads the JSON in a column that may be empty.
fn optional<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<T>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => code::json(row, column).map(Some),
    }
}

/// Reads the row of a run. Returns it with its key.
fn head(db: &Connection, id: RunId, keys: &mut Keys) -> Result<(i64, RunRecord), StoreError> {
    let sql = format!(
        "SELECT {}, r.path, r.evicted, r.fresh, m.body, r.workflow, r.version, r.sweep FROM {} \
         LEFT JOIN made_with m ON m.key = r.made_with WHERE r.id = ?1 AND r.status <> {}",
        code::RUN,
        code::RUN_TABLES,
        code::DELETED
    );
    let found = db
        .prepare_cached(&sql)?
        .query_row([id.as_bytes()], |row| {
            const MORE: usize = code::RUN_COLUMNS;
            let (key, mut run) = code::run(row)?;
            // The list of a run whose params can't be read is not enough here.
            run.params = code::json(row, 5)?;
            run.start_order = run.start_order.map(|_| 0);
            let record = RunRecord {
                run,
                path: row.get(MORE)?,
                evicted: row.get(MORE + 1)?,
                fresh: optional(row, MORE + 2)?,
                made_with: optional(row, MORE + 3)?,
            };
            keys.workflows.insert(row.get(MORE + 4)?);
            keys.versions.insert(row.get(MORE + 5)?);
            keys.sweeps.extend(row.get::<_, Option<i64>>(MORE + 6)?);
            Ok((key, record))
        })
        .optional()?;
    found.ok_or_else(|| StoreError::NotFound(format!("no run {id}")))
}

fn one(db: &Connection, id: RunId, keys: &mut Keys, part: &mut TakePart<'_>) -> Result<(), StoreError> {
    let (key, record) = head(db, id, keys)?;
    let run = record.run.clone();
    let name = run.name();
    part(RunPart::Run(record.into()))?;
    for mut event in events(db, key, &name)? {
        forget_start(&mut event.event);
        part(RunPart::Event(event.into()))?;
    }
    files(db, key, keys, part)?;
    values(db, key, part)?;
    assets(db, key, &run, part)?;
    series(db, key, part)
}

fn files(db: &Connection, run: i64, keys: &mut Keys, part: &mut TakePart<'_>) -> Result<(), StoreError> {
    let mut query = db.prepare_cached(
        "SELECT f.reader, f.name, f.path, v.hash, v.key FROM run_file f JOIN version v ON v.key = f.version \
         WHERE f.run = ?1 ORDER BY f.reader, f.name",
    )?;
    let mut rows = query.query([run])?;
    while let Some(row) = rows.next()? {
        keys.versions.insert(row.get(4)?);
        let version = Version::from_stored(row.get(3)?);
        let (reader, name, path) = (row.get(0)?, row.get(1)?, row.get(2)?);
        part(RunPart::File(FileRecord { reader, name, path, version }))?;
    }
    Ok(())
}

fn values(db: &Connection, run: i64, part: &mut TakePart<'_>) -> Result<(), StoreError> {
    let mut query = db.prepare_cached(
        "SELECT node, item, port, body, large, origin FROM value WHERE run = ?1 ORDER BY node, item, port",
    )?;
    let mut rows = query.query([run])?;
    while let Some(row) = rows.next()? {
        part(RunPart::Value(ValueRecord {
            node: row.get(0)?,
            item: code::item_from(row.get(1)?),
            port: row.get(2)?,
            value: optional(row, 3)?,
            large: row.get::<_, Option<[u8; 32]>>(4)?.map(BlobHash::from_bytes),
            origin: optional(row, 5)?,
        }))?;
    }
    Ok(())
}

fn assets(db: &Connection, key: i64, run: &Run, part: &mut TakePart<'_>) -> Result<(), StoreError> {
    let sql = format!(
        "SELECT {}, a.attempt, a.duration_ms, a.cost_usd FROM {} WHERE a.run = ?1 ORDER BY a.key",
        code::ASSET,
        code::ASSET_TABLES
    );
    let mut query = db.prepare_cached(&sql)?;
    let mut rows = query.query([key])?;
    while let Some(row) = rows.next()? {
        let (_, mut asset) = code::asset(row)?;
        asset.value = code::json(row, 15)?;
        asset.preview = fanlight_shared::asset::PreviewState::None;
        asset.run = run.name();
        part(RunPart::Asset(Box::new(NewAsset {
            asset,
            attempt: row.get(18)?,
            duration_ms: code::unsigned(row.get(19)?),
            cost_usd: row.get(20)?,
        })))?;
    }
    Ok(())
}

fn series(db: &Connection, run: i64, part: &mut TakePart<'_>) -> Result<(), StoreError> {
    let mut query = db.prepare_cached(
        "SELECT key, node, item, name, attempt, unit, goal, reported, count, stored, replaced, first_step, last, min, max \
         FROM series WHERE run = ?1 ORDER BY key",
    )?;
    let mut rows = query.query([run])?;
    while let Some(row) = rows.next()? {
        let key: i64 = row.get(0)?;
        part(RunPart::Series(SeriesRecord {
            node: row.get(1)?,
            item: code::item_from(row.get(2)?),
            name: row.get(3)?,
            attempt: row.get(4)?,
            unit: row.get(5)?,
            goal: row.get::<_, Option<i64>>(6)?.map(code::goal_from),
            reported: code::unsigned(row.get(7)?),
            count: code::unsigned(row.get(8)?),
            stored: code::unsigned(row.get(9)?),
            replaced: code::unsigned(row.get(10)?),
            first_step: row.get::<_, Option<i64>>(11)?.map(code::unsigned),
            last: code::point(row, 12)?,
            min: code::point(row, 13)?,
            max: code::point(row, 14)?,
        }))?;
        let mut chunks = db
            .prepare_cached("SELECT level, count, body FROM series_chunk WHERE series = ?1 ORDER BY first")?;
        let mut chunks = chunks.query([key])?;
        while let Some(row) = chunks.next()? {
            let (level, count) = (row.get(0)?, code::unsigned(row.get(1)?));
            part(RunPart::Points(PointsRecord { level, count, points: code::points(row, 2)? }))?;
        }
    }
    Ok(())
}

fn version(db: &Connection, key: i64) -> Result<NewVersion, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT hash, document, nodes, coalesce(edges, '[]'), concurrency FROM version WHERE key = ?1",
        )?
        .query_row([key], |row| {
            Ok(NewVersion {
                hash: Version::from_stored(row.get(0)?),
                document: row.get(1)?,
                nodes: code::json(row, 2)?,
                edges: code::json(row, 3)?,
                concurrency: row.get(4)?,
                on_end: Vec::new(),
            })
        })?)
}

fn workflow(db: &Connection, key: i64) -> Result<WorkflowRecord, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT w.id, w.slug, w.title, w.path, v.hash FROM workflow w JOIN version v ON v.key = w.version \
             WHERE w.key = ?1",
        )?
        .query_row([key], |row| {
            Ok(WorkflowRecord {
                id: WorkflowId::from_bytes(row.get(0)?),
                slug: row.get(1)?,
                title: row.get(2)?,
                path: row.get(3)?,
                version: Version::from_stored(row.get(4)?),
            })
        })?)
}

fn sweep(db: &Connection, key: i64) -> Result<SweepRecord, StoreError> {
    let mut record = db
        .prepare_cached(
            "SELECT s.name, w.id, v.hash, s.swept, s.created_at, s.limits, s.paused, s.used_before, s.search, lower(hex(s.id)) \
             FROM sweep s JOIN workflow w ON w.key = s.workflow JOIN version v ON v.key = s.version WHERE s.key = ?1",
        )?
        .query_row([key], |row| {
            Ok(SweepRecord {
                id: row.get::<_, Option<String>>(9)?.filter(|id| !id.is_empty()),
                name: row.get(0)?,
                workflow: WorkflowId::from_bytes(row.get(1)?),
                version: Version::from_stored(row.get(2)?),
                swept: code::json(row, 3)?,
                created_at: Time(row.get(4)?),
                limits: optional(row, 5)?,
                paused: optional(row, 6)?,
                used_before: optional(row, 7)?,
                search: optional(row, 8)?,
                trials: Vec::new(),
                observations: Vec::new(),
                reports: Vec::new(),
            })
        })?;
    record.trials = db
        .prepare_cached("SELECT number, run, params, seen FROM trial WHERE sweep = ?1 ORDER BY number")?
        .query_map([key], |row| {
            Ok(TrialRecord {
                number: row.get(0)?,
                run: RunId::from_bytes(row.get(1)?),
                params: code::json(row, 2)?,
                seen: row.get(3)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    record.observations = db
        .prepare_cached(
            "SELECT place, run, number, params, outcome FROM observation WHERE sweep = ?1 ORDER BY place",
        )?
        .query_map([key], |row| {
            Ok(ObservationRecord {
                place: row.get(0)?,
                run: RunId::from_bytes(row.get(1)?),
                number: row.get(2)?,
                params: code::json(row, 3)?,
                outcome: code::json(row, 4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    record.reports = db
        .prepare_cached(
            "SELECT place, number, step, value, pruned FROM report WHERE sweep = ?1 ORDER BY place",
        )?
        .query_map(params![key], |row| {
            Ok(ReportRecord {
                place: row.get(0)?,
                number: row.get(1)?,
                step: code::unsigned(row.get(2)?),
                value: Number(row.get(3)?),
                pruned: row.get(4)?,
            })
        })?
        .collect::<Result<_, _>>()?;
    Ok(record)
}
