//! Deletes runs, assets and other values, and the bytes that nothing else refers to.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use fanlight_shared::id::{AssetId, AttemptId, BlobHash, RunId, WorkflowId};
use fanlight_shared::media::Media;
use fanlight_shared::value::Value;
use indexmap::IndexMap;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::pending::Place;
use super::stored::Stored;
use super::{Apply, Done, Failure, Work, environment, file, sweep};
use crate::store::{StoreError, code, event_row};

/// The rows of `value v` that no asset of the same run shows.
const NOT_SHOWN: &str = "NOT EXISTS (SELECT 1 FROM asset a WHERE a.run = v.run AND a.node = v.node \
     AND a.item = v.item AND a.port = v.port)";

impl Apply {
    /// Deletes an ended run. While it has assets, its row stays for their recipes, but is never listed.
    pub(super) fn delete_run(&self, db: &Connection, work: &mut Work, run: RunId, assets: bool) -> Done {
        let key = self.key(db, run)?.run;
        let (status, number, slug, workflow): (i64, u32, String, i64) = db
            .prepare_cached(
                "SELECT r.status, r.number, w.slug, w.key FROM run r JOIN workflow w ON w.key = r.workflow \
                 WHERE r.key = ?1",
            )?
            .query_row([key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
        if !code::status_from(status).is_ended() {
            return Err(Failure::Batch(StoreError::Other(format!(
                "{slug}#{number} has not ended; cancel it before deleting it"
            ))));
        }
        db.prepare_cached("UPDATE run SET status = ?2 WHERE key = ?1")?
            .execute(params![key, code::DELETED])?;
        db.prepare_cached("UPDATE workflow SET runs = runs - 1 WHERE key = ?1")?.execute([workflow])?;
        let mut query =
            db.prepare_cached("SELECT body FROM event WHERE run = ?1 AND instr(body, '\"attempt_id\"') > 0")?;
        let mut rows = query.query([key])?;
        while let Some(row) = rows.next()? {
            for attempt in event_row::attempts(row.get_ref(0)?.as_bytes().unwrap_or_default()) {
                db.prepare_cached("INSERT OR IGNORE INTO going (attempt) VALUES (?1)")?
                    .execute([attempt.to_string()])?;
            }
        }
        db.prepare_cached("DELETE FROM event WHERE run = ?1")?.execute([key])?;
        self.drop_all_series(db, key)?;
        environment::release(db, key)?;
        sweep::leave(db, key)?;
        self.keys.borrow_mut().remove(&run);
        if assets {
            let ids = db
                .prepare_cached("SELECT id FROM asset WHERE run = ?1")?
                .query_map([key], |row| row.get(0).map(AssetId::from_bytes))?
                .collect::<Result<Vec<_>, _>>()?;
            for id in ids {
                self.delete_asset(db, work, id)?;
            }
        }
        self.release_rows(db, work, key, NOT_SHOWN)?;
        db.prepare_cached(&format!("DELETE FROM value AS v WHERE run = ?1 AND {NOT_SHOWN}"))?
            .execute([key])?;
        self.purge_if_unused(db, work, key)
    }

    /// Deletes ended runs, unless one of them has a starred asset.
    pub(super) fn prune_runs(&self, db: &Connection, work: &mut Work, runs: &[RunId], assets: bool) -> Done {
        for run in runs {
            let key = self.key(db, *run)?.run;
            let starred = db
                .prepare_cached("SELECT 1 FROM asset WHERE run = ?1 AND starred = 1 LIMIT 1")?
                .exists([key])?;
            if starred {
                return Err(Failure::Batch(StoreError::NotFound(format!("{run} has a starred asset"))));
            }
        }
        for run in runs {
            let key = self.key(db, *run)?.workflow;
            let workflow = db
                .prepare_cached("SELECT id FROM workflow WHERE key = ?1")?
                .query_row([key], |row| row.get(0).map(WorkflowId::from_bytes))?;
            self.delete_run(db, work, *run, assets)?;
            work.committed.deleted_runs.push((workflow, *run));
        }
        Ok(())
    }

    /// Records that the folders of these attempts have been removed.
    pub(super) fn attempts_removed(db: &Connection, attempts: &[AttemptId]) -> Done {
        let mut query = db.prepare_cached("DELETE FROM going WHERE attempt = ?1")?;
        for attempt in attempts {
            query.execute([attempt.to_string()])?;
        }
        Ok(())
    }

    /// Deletes assets, and the values of their runs with the same media.
    pub(super) fn delete_assets(&self, db: &Connection, work: &mut Work, assets: &[AssetId]) -> Done {
        let mut gone: BTreeMap<i64, (HashSet<Place>, HashSet<BlobHash>)> = BTreeMap::new();
        for id in assets {
            let Some(asset) = self.delete_asset(db, work, *id)? else { continue };
            let (places, hashes) = gone.entry(asset.run).or_default();
            hashes.extend(asset.value.media().iter().map(|media| media.hash));
            places.insert(asset.place);
        }
        if gone.is_empty() {
            let names: Vec<String> = assets.iter().map(AssetId::to_string).collect();
            return Err(Failure::Batch(StoreError::NotFound(format!("no asset {}", names.join(", ")))));
        }
        for (run, (places, hashes)) in gone {
            self.drop_values_with(db, work, run, &places, &hashes)?;
            self.purge_if_unused(db, work, run)?;
        }
        Ok(())
    }

    /// Deletes the row of one asset, with its preview.
    fn delete_asset(&self, db: &Connection, work: &mut Work, id: AssetId) -> Done<Option<GoneAsset>> {
        let found = db
            .prepare_cached(
                "SELECT a.key, a.run, a.node, a.item, a.port, a.value, r.status, r.number, w.slug, w.id, r.id, \
                 EXISTS (SELECT 1 FROM run p WHERE p.id = r.parent AND p.status IN (0, 1, 2, 7)) \
                 FROM asset a JOIN run r ON r.key = a.run JOIN workflow w ON w.key = a.workflow WHERE a.id = ?1",
            )?
            .query_row([id.as_bytes()], GoneAsset::read)
            .optional()?;
        let Some(asset) = found else { return Ok(None) };
        if asset.parent_is_open || !code::status_from(asset.status).is_ended() {
            let who = if asset.parent_is_open { "the run that started " } else { "" };
            return Err(Failure::Batch(StoreError::Other(format!(
                "{who}{} still needs its products; delete them when it has ended",
                asset.run_name
            ))));
        }
        db.prepare_cached("DELETE FROM preview WHERE asset = ?1")?.execute([asset.key])?;
        db.prepare_cached("DELETE FROM asset WHERE key = ?1")?.execute([asset.key])?;
        self.release_value(db, work, &asset.value)?;
        let media = asset.value.media().iter().map(|media| media.hash).collect();
        let (node, item, _) = &asset.place;
        self.drop_entries_of(db, work, (asset.run, asset.run_id), (node, *item), &media)?;
        work.committed.deleted_assets.push((asset.workflow, id));
        Ok(Some(asset))
    }

    /// Deletes the values of a run that an asset showed, or that contain its media.
    fn drop_values_with(
        &self,
        db: &Connection,
        work: &mut Work,
        run: i64,
        places: &HashSet<Place>,
        hashes: &HashSet<BlobHash>,
    ) -> Done {
        let rows = db
            .prepare_cached(
                "SELECT node, item, port, body, large FROM value \
                 WHERE run = ?1 AND (body IS NOT NULL OR large IS NOT NULL)",
            )?
            .query_map([run], |row| {
                let stored = Stored { body: row.get(3)?, large: row.get(4)? };
                Ok(((row.get(0)?, row.get(1)?, row.get(2)?), stored))
            })?
            .collect::<Result<Vec<(Place, Stored)>, _>>()?;
        for (place, stored) in rows {
            let goes = places.contains(&place)
                || self.value_with_media(db, &stored)?.is_some_and(|value| {
                    let own = |media: &&Media| media.source.is_none() && hashes.contains(&media.hash);
                    value.media().iter().any(own)
                });
            if goes {
                self.release_stored(db, work, &stored)?;
                db.prepare_cached(
                    "UPDATE value SET body = NULL, large = NULL WHERE run = ?1 AND node = ?2 AND item = ?3 AND port = ?4",
                )?
                .execute(params![run, place.0, place.1, place.2])?;
            }
        }
        Ok(())
    }

    /// Lets the other values of ended runs beyond the newest `keep` be deleted, of the workflows of a run and of those that it
    /// started: once for all runs of a transaction.
    pub(super) fn evict(&self, db: &Connection, run: RunId, keep: u32) -> Done {
        let mut workflows = BTreeSet::from([self.key(db, run)?.workflow]);
        let mut family = vec![run];
        // One look-up by index for each run: as a recursive query SQLite reads the whole table.
        let mut query = db.prepare_cached("SELECT id, workflow FROM run WHERE parent = ?1")?;
        while let Some(run) = family.pop() {
            let mut children = query.query([run.as_bytes()])?;
            while let Some(child) = children.next()? {
                family.push(RunId::from_bytes(child.get(0)?));
                workflows.insert(child.get(1)?);
            }
        }
        let mut pending = self.pending.borrow_mut();
        workflows.into_iter().for_each(|workflow| pending.evict(workflow, keep));
        Ok(())
    }

    /// Returns the older runs that lose their values. A run whose parent has not ended keeps them: the parent may still take
    /// them.
    pub(super) fn to_evict(&self, db: &Connection, workflow: i64, keep: u32) -> Done<Vec<i64>> {
        Ok(db
            .prepare_cached(
                "SELECT key FROM run INDEXED BY run_with_values \
                 WHERE workflow = ?1 AND evicted = 0 AND status >= 3 AND status <= 5 AND (parent IS NULL \
                 OR NOT EXISTS (SELECT 1 FROM run p WHERE p.id = run.parent AND (p.status < 3 OR p.status = 7))) \
                 ORDER BY key DESC LIMIT -1 OFFSET ?2",
            )?
            .query_map(params![workflow, keep], |row| row.get(0))?
            .collect::<Result<_, _>>()?)
    }

    pub(super) fn has_assets(db: &Connection, run: i64) -> Done<bool> {
        Ok(db.prepare_cached("SELECT 1 FROM asset WHERE run = ?1 LIMIT 1")?.exists([run])?)
    }

    /// Removes the written values of a run.
    pub(super) fn evict_run(&self, db: &Connection, work: &mut Work, run: i64) -> Done {
        let which = if Self::has_assets(db, run)? { NOT_SHOWN } else { "true" };
        self.release_rows(db, work, run, which)?;
        db.prepare_cached(&format!(
            "UPDATE value AS v SET body = NULL, large = NULL WHERE run = ?1 AND {which}"
        ))?
        .execute([run])?;
        db.prepare_cached("UPDATE run SET evicted = 1 WHERE key = ?1")?.execute([run])?;
        Ok(())
    }

    /// Drops the references of the values of a run that `which` selects.
    fn release_rows(&self, db: &Connection, work: &mut Work, run: i64, which: &str) -> Done {
        let rows = db
            .prepare_cached(&format!(
                "SELECT body, large FROM value v WHERE run = ?1 \
                 AND (large IS NOT NULL OR instr(body, '\"$media\"') > 0) AND {which}"
            ))?
            .query_map([run], |row| Ok(Stored { body: row.get(0)?, large: row.get(1)? }))?
            .collect::<Result<Vec<_>, _>>()?;
        rows.iter().try_for_each(|stored| self.release_stored(db, work, stored))
    }

    /// Removes a deleted run whose last asset is gone.
    fn purge_if_unused(&self, db: &Connection, work: &mut Work, run: i64) -> Done {
        let row: Option<(String, i64)> = db
            .prepare_cached(
                "SELECT params, version FROM run WHERE key = ?1 AND status = 6 \
                 AND NOT EXISTS (SELECT 1 FROM asset WHERE asset.run = run.key)",
            )?
            .query_row([run], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((params, version)) = row else { return Ok(()) };
        self.release_rows(db, work, run, "true")?;
        db.prepare_cached("DELETE FROM value WHERE run = ?1")?.execute([run])?;
        let params: IndexMap<String, Value> = serde_json::from_str(&params)?;
        for value in params.values() {
            self.release_value(db, work, value)?;
        }
        db.prepare_cached("DELETE FROM run WHERE key = ?1")?.execute([run])?;
        Self::drop_files(db, run)?;
        file::drop_version(db, version)
    }
}

/// A deleted asset.
struct GoneAsset {
    key: i64,
    run: i64,
    run_name: String,
    place: Place,
    value: Value,
    status: i64,
    workflow: WorkflowId,
    run_id: RunId,
    /// The run that started its run has not ended.
    parent_is_open: bool,
}

impl GoneAsset {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let (number, slug): (u32, String) = (row.get(7)?, row.get(8)?);
        Ok(Self {
            key: row.get(0)?,
            run: row.get(1)?,
            run_name: format!("{slug}#{number}"),
            place: (row.get(2)?, row.get(3)?, row.get(4)?),
            value: code::json(row, 5)?,
            status: row.get(6)?,
            workflow: WorkflowId::from_bytes(row.get(9)?),
            run_id: RunId::from_bytes(row.get(10)?),
            parent_is_open: row.get(11)?,
        })
    }
}
