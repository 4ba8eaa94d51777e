//! Turns operations into rows, within the writer's transaction.

mod asset;
mod cache;
mod delete;
mod environment;
mod file;
mod flush;
mod import;
mod made_with;
mod on_end;
mod pending;
mod queue;
mod reference;
mod run;
mod search;
pub(super) mod series;
mod stored;
mod submit;
mod sweep;
mod value;
mod workflow;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use fanlight_shared::id::{BlobHash, IdMap, RunId};
use indexmap::IndexMap;
use rusqlite::{Connection, OptionalExtension, params};

use super::blob::{Blobs, Open};
use super::failure::Failure;
use super::{Batch, Committed, Op, StoreError, code};
use value::InstanceKey;

/// The most published blobs that wait for a reference.
const MAX_UNCLAIMED: usize = 1024;
/// The most keys of runs that are cached.
const MAX_KEYS: usize = 100_000;

type Done<T = ()> = Result<T, Failure>;

/// The key of a stored run.
#[derive(Clone, Copy)]
struct RunKey {
    run: i64,
    workflow: i64,
}

/// Applies batches, with caches.
pub(super) struct Apply {
    blobs: Blobs,
    keys: RefCell<IdMap<RunId, RunKey>>,
    /// How runs stand of which events were stored, until they end.
    summaries: RefCell<IdMap<RunId, run::Told>>,
    /// Rows that this transaction has not written yet.
    pending: RefCell<pending::Pending>,
    /// Blobs that were stored by one batch and are first referenced by a later one.
    unclaimed: RefCell<IndexMap<BlobHash, Arc<Open>>>,
    /// The size of all cached results in bytes, once it is known.
    cache_bytes: Cell<Option<u64>>,
    /// How many points of metrics are stored, by run.
    points: RefCell<HashMap<i64, u64>>,
    /// What to do at ends, and whom to notify of it.
    on_end: RefCell<Option<on_end::Wanted>>,
}

/// The effects of a transaction beyond its rows.
#[derive(Default)]
pub(super) struct Applied {
    /// For each batch, in order.
    pub(super) answers: Vec<Result<Committed, StoreError>>,
    /// Files to which no row refers.
    pub(super) unlink: Vec<BlobHash>,
    /// Bytes that got a reference.
    pub(super) claimed: HashSet<BlobHash>,
    /// Bytes that were stored.
    pub(super) published: Vec<(BlobHash, Arc<Open>)>,
    /// The batch that had to be stored and can't be; later batches were not applied.
    pub(super) failed: Option<Failed>,
}

/// An operation that had to be stored and can't be.
pub(super) struct Failed {
    pub(super) error: StoreError,
    /// The run that it is about.
    pub(super) run: Option<RunId>,
}

/// The effects of one batch beyond its rows.
#[derive(Default)]
struct Work {
    committed: Committed,
    unlink: Vec<BlobHash>,
    claimed: HashSet<BlobHash>,
    published: Vec<(BlobHash, Arc<Open>)>,
    /// Blobs that lost a reference and may have none left.
    loose: Vec<BlobHash>,
    /// Runs whose rows are to be written, and where these are.
    rows: IndexMap<RunId, i64>,
}

impl Applied {
    fn add(&mut self, mut work: Work) {
        self.unlink.append(&mut work.unlink);
        self.claimed.extend(work.claimed);
        self.published.append(&mut work.published);
    }
}

impl Apply {
    pub(super) fn new(blobs: Blobs) -> Self {
        Self {
            blobs,
            keys: RefCell::default(),
            summaries: RefCell::default(),
            pending: RefCell::default(),
            unclaimed: RefCell::default(),
            cache_bytes: Cell::default(),
            points: RefCell::default(),
            on_end: RefCell::default(),
        }
    }

    /// Applies one batch. Returns `false` if it failed without a savepoint, so that the transaction must be rolled
    /// back.
    pub(super) fn batch(
        &self,
        db: &Connection,
        batch: &Batch,
        careful: bool,
        applied: &mut Applied,
    ) -> Result<bool, StoreError> {
        let guarded = careful || batch.ops.iter().any(may_be_refused);
        if guarded {
            // What belongs to earlier batches is not undone with this one.
            if !self.finish(db, applied)? {
                return Ok(false);
            }
            db.prepare_cached("SAVEPOINT batch")?.execute([])?;
        }
        let mut work = Work::default();
        let mut run = None;
        let outcome = batch
            .ops
            .iter()
            .try_for_each(|op| {
                run = op.run();
                self.op(db, op, &mut work)?;
                // So that it is known which operation fails.
                if careful { self.flush(db, &mut work) } else { Ok(()) }
            })
            .and_then(|()| self.write_rows(db, &mut work, false))
            .and_then(|()| if guarded { self.flush(db, &mut work) } else { Ok(()) })
            .and_then(|()| self.drop_unreferenced(db, &mut work));
        match outcome {
            Ok(()) => {
                if guarded {
                    db.prepare_cached("RELEASE batch")?.execute([])?;
                }
                if batch.ops.iter().any(Op::deletes) {
                    work.committed.deleted_blobs.clone_from(&work.unlink);
                }
                applied.answers.push(Ok(std::mem::take(&mut work.committed)));
                applied.add(work);
                Ok(true)
            }
            Err(Failure::Store(error)) => Err(error),
            Err(Failure::Batch(error)) if guarded => {
                self.forget();
                db.prepare_cached("ROLLBACK TO batch")?.execute([])?;
                db.prepare_cached("RELEASE batch")?.execute([])?;
                if batch.must {
                    applied.failed = Some(Failed { error: error.clone(), run });
                }
                applied.answers.push(Err(error));
                Ok(true)
            }
            Err(Failure::Batch(_)) => Ok(false),
        }
    }

    /// Writes what is pending. Returns `false` if that failed without a savepoint, so that the transaction must be rolled back.
    pub(super) fn finish(&self, db: &Connection, applied: &mut Applied) -> Result<bool, StoreError> {
        let mut work = Work::default();
        match self.flush(db, &mut work).and_then(|()| self.drop_unreferenced(db, &mut work)) {
            Ok(()) => {
                applied.add(work);
                Ok(true)
            }
            Err(Failure::Store(error)) => Err(error),
            Err(Failure::Batch(_)) => Ok(false),
        }
    }

    fn op(&self, db: &Connection, op: &Op, work: &mut Work) -> Done {
        if !pending::leaves_pending(op) {
            self.flush(db, work)?;
        }
        match op {
            Op::Event { run, event } => self.store_event(db, work, *run, event),
            Op::Values { run, node, item, values, bodies, cache_key } => {
                let of = InstanceKey { run: self.key(db, *run)?.run, node, item: code::item(*item) };
                values.iter().try_for_each(|(port, value)| {
                    self.store_value(db, work, &of, port, (value, bodies.get(port)), *cache_key)
                })
            }
            Op::DropValues { run, node, item, ports } => {
                let of = InstanceKey { run: self.key(db, *run)?.run, node, item: code::item(*item) };
                ports.iter().try_for_each(|port| self.drop_value(db, work, &of, port))
            }
            Op::Points { run, node, item, attempt, series } => {
                let of = series::Reporter { run: *run, node, item: *item, attempt: *attempt };
                self.add_points(db, of, series)
            }
            Op::DropSeries { run, node, item } => {
                self.drop_series(db, self.key(db, *run)?.run, node, code::item(*item))
            }
            Op::Blob(published) => self.store_blob(db, work, published),
            Op::Row { run, summary } => self.set_row(db, work, *run, summary),
            Op::Submit(submit) => self.submit(db, work, submit),
            Op::Import(import) => self.import(db, work, import),
            Op::Asset(new) => self.store_asset(db, work, new),
            Op::Label { run, label } => {
                let key = self.key(db, *run)?;
                db.prepare_cached("UPDATE run SET label = ?2 WHERE key = ?1")?
                    .execute(params![key.run, label])?;
                Ok(())
            }
            Op::DeleteRun { run, assets } => {
                self.write_rows(db, work, true)?;
                self.delete_run(db, work, *run, *assets)
            }
            Op::PruneRuns { runs, assets } => {
                self.write_rows(db, work, true)?;
                self.prune_runs(db, work, runs, *assets)
            }
            Op::AttemptsRemoved(attempts) => Self::attempts_removed(db, attempts),
            Op::Star { assets, starred } => self.star(db, work, assets, *starred),
            Op::DeleteAssets(assets) => self.delete_assets(db, work, assets),
            Op::Evict { run, keep } => {
                self.write_rows(db, work, true)?;
                self.evict(db, *run, *keep)
            }
            Op::CacheEntry(new) => self.store_entry(db, work, new),
            Op::CacheRemove(keys) => keys.iter().try_for_each(|key| self.drop_entry(db, work, *key)),
            Op::CacheRemoveOldest(count) => self.drop_oldest(db, work, *count),
            Op::CacheLimit(limit) => self.limit_entries(db, work, *limit),
            Op::CacheUsed { key, at } => Self::entry_used(db, *key, *at),
            Op::Preview { asset, preview } => self.store_preview(db, work, *asset, preview.as_ref()),
            Op::Interrupted { run } => Ok(super::interruption::add(db, *run)?),
            Op::Spending { attempt, sums } => Ok(super::spending::set(db, *attempt, sums.as_deref())?),
            Op::AttemptKey { attempt, key } => Ok(super::attempt_key::set(db, *attempt, key.as_deref())?),
            Op::ClearAttemptKeys => Ok(super::attempt_key::clear(db)?),
            Op::Move { runs, to } => self.move_runs(db, runs, *to),
            Op::PauseSweep { name, paused, before } => sweep::pause(db, name, *paused, *before),
            Op::SweepEnded { name } => {
                self.write_rows(db, work, true)?;
                self.sweep_ended(db, name)
            }
            Op::OnEnd { all, added } => {
                *self.on_end.borrow_mut() = Some(on_end::Wanted::new(all, added));
                // Some of it may be left from before.
                added.notify_one();
                Ok(())
            }
            Op::OnEndDone { key } => Self::on_end_done(db, *key),
            Op::OnEndFailed { key, error, next } => Self::on_end_failed(db, *key, error, *next),
            Op::Observe { run, state, outputs } => search::observe(db, *run, *state, outputs),
            Op::Report { run, report, pruned } => search::add_report(db, *run, report, *pruned),
            Op::EndSearch { name } => search::end(db, name),
            Op::Setting { name, value } => {
                match value {
                    Some(value) => db
                        .prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
                        .execute(params![name, value])?,
                    None => db.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name])?,
                };
                Ok(())
            }
        }
    }

    /// Returns the key of a run that was not deleted.
    fn key(&self, db: &Connection, run: RunId) -> Done<RunKey> {
        if let Some(key) = self.keys.borrow().get(&run) {
            return Ok(*key);
        }
        let key = db
            .prepare_cached("SELECT key, workflow FROM run WHERE id = ?1 AND status <> 6")?
            .query_row([run.as_bytes()], |row| Ok(RunKey { run: row.get(0)?, workflow: row.get(1)? }))
            .optional()?
            .ok_or_else(|| StoreError::NotFound(format!("no run {run}")))?;
        self.remember(run, key);
        Ok(key)
    }

    fn remember(&self, run: RunId, key: RunKey) {
        let mut keys = self.keys.borrow_mut();
        if keys.len() >= MAX_KEYS {
            keys.clear();
        }
        keys.insert(run, key);
    }

    /// Clears caches of rows that may have been rolled back.
    pub(super) fn forget(&self) {
        self.keys.borrow_mut().clear();
        self.summaries.borrow_mut().clear();
        *self.pending.borrow_mut() = pending::Pending::default();
        self.cache_bytes.set(None);
        self.points.borrow_mut().clear();
    }

    /// Drops the caches.
    pub(super) fn release_memory(&self) {
        *self.keys.borrow_mut() = IdMap::default();
        *self.summaries.borrow_mut() = IdMap::default();
        *self.points.borrow_mut() = HashMap::new();
    }

    /// Keeps stored blobs without a reference after the commit, until something refers to them.
    pub(super) fn settle(&self, published: Vec<(BlobHash, Arc<Open>)>, claimed: &HashSet<BlobHash>) {
        let mut unclaimed = self.unclaimed.borrow_mut();
        for hash in claimed {
            unclaimed.swap_remove(hash);
        }
        for (hash, open) in published {
            if !claimed.contains(&hash) {
                unclaimed.insert(hash, open);
            }
        }
        while unclaimed.len() > MAX_UNCLAIMED {
            unclaimed.shift_remove_index(0);
        }
    }
}

/// Returns whether an operation is a request, which may be invalid in the present state.
fn may_be_refused(op: &Op) -> bool {
    matches!(
        op,
        Op::Submit(_)
            | Op::Import(_)
            | Op::Label { .. }
            | Op::DeleteRun { .. }
            | Op::PruneRuns { .. }
            | Op::Star { .. }
            | Op::DeleteAssets(_)
    )
}
