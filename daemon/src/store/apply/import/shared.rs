//! What imported runs share: versions, workflows and sweeps. Each is stored when the first run needs it.

use std::collections::{HashMap, HashSet};

use fanlight_shared::id::{RunId, Version, WorkflowId};
use rusqlite::{Connection, OptionalExtension, params};

use super::super::workflow::Workflow;
use super::super::{Done, Failure, file, sweep};
use crate::store::record::{SharedRecord, SweepRecord, WorkflowRecord};
use crate::store::{NewVersion, StoreError, code};

/// A run keeps its number if it is at most this far from the last one here: a wrong number must not use up all others.
const MAX_NUMBER_GAP: u32 = 1_000_000;

/// What the runs of an import share.
pub(super) struct Shared<'a> {
    versions: HashMap<&'a Version, &'a NewVersion>,
    workflows: HashMap<WorkflowId, &'a WorkflowRecord>,
    sweeps: HashMap<&'a str, &'a SweepRecord>,
    stored_versions: HashMap<&'a Version, i64>,
    /// The rows of workflows, by their ids in the archive: some may become one here.
    stored_workflows: HashMap<WorkflowId, i64>,
    rows: HashMap<i64, StoredWorkflow>,
    /// The runs of the archive that are here already, by their sweeps there.
    known: HashMap<&'a str, Vec<RunId>>,
    /// In the order in which they were stored.
    stored_sweeps: Vec<StoredSweep<'a>>,
}

struct StoredWorkflow {
    slug: String,
    /// The last number of a run before the import, and with it.
    before: u32,
    last: u32,
    /// The numbers of its imported runs.
    taken: HashSet<u32>,
}

struct StoredSweep<'a> {
    key: i64,
    record: &'a SweepRecord,
    name: String,
    /// The numbers of its imported runs in the other home and here.
    numbers: HashMap<u32, u32>,
    runs: HashMap<RunId, u32>,
}

fn missing(what: &str) -> Failure {
    Failure::Batch(StoreError::Other(format!("an import lacks {what}")))
}

impl<'a> Shared<'a> {
    pub(super) fn new(records: &'a [SharedRecord], known: &'a [(String, RunId)]) -> Self {
        let mut new = Self {
            versions: HashMap::new(),
            workflows: HashMap::new(),
            sweeps: HashMap::new(),
            stored_versions: HashMap::new(),
            stored_workflows: HashMap::new(),
            rows: HashMap::new(),
            known: HashMap::new(),
            stored_sweeps: Vec::new(),
        };
        for record in records {
            match record {
                SharedRecord::Version(version) => drop(new.versions.insert(&version.hash, version)),
                SharedRecord::Workflow(workflow) => drop(new.workflows.insert(workflow.id, workflow)),
                SharedRecord::Sweep(sweep) => drop(new.sweeps.insert(&sweep.name, sweep)),
            }
        }
        for (sweep, run) in known {
            new.known.entry(sweep).or_default().push(*run);
        }
        new
    }

    /// Returns the row of a version.
    pub(super) fn version(&mut self, db: &Connection, hash: &Version) -> Done<i64> {
        if let Some(key) = self.stored_versions.get(hash) {
            return Ok(*key);
        }
        let version = self.versions.get(hash).copied().ok_or_else(|| missing("a workflow file"))?;
        let key = file::version(db, version)?;
        self.stored_versions.insert(&version.hash, key);
        Ok(key)
    }

    /// Returns the row of a workflow and its slug here: by its id, else by its path, else a new one.
    pub(super) fn workflow(&mut self, db: &Connection, id: WorkflowId) -> Done<(i64, String)> {
        let key = match self.stored_workflows.get(&id) {
            Some(key) => *key,
            None => self.store_workflow(db, id)?,
        };
        let workflow = self.rows.get(&key).ok_or_else(|| missing("a workflow"))?;
        Ok((key, workflow.slug.clone()))
    }

    fn store_workflow(&mut self, db: &Connection, id: WorkflowId) -> Done<i64> {
        let record = self.workflows.get(&id).copied().ok_or_else(|| missing("a workflow"))?;
        let version = self.version(db, &record.version)?;
        let path = record.path.as_deref();
        let found = match Workflow::by_id(db, id)? {
            Some(found) => Some(found),
            // The row of another workflow of the archive stays that one's.
            None => Workflow::by_path(db, path)?.filter(|found| !self.workflows.contains_key(&found.id)),
        };
        let workflow = match found {
            Some(mut found) => {
                found.take_slug(db, &record.slug)?;
                found
            }
            None => Workflow::create(db, id, &record.slug, &record.title, path, version)?,
        };
        let Workflow { key, slug, last_number: last, .. } = workflow;
        self.stored_workflows.insert(id, key);
        let taken = HashSet::new();
        let new = StoredWorkflow { slug: String::new(), before: last, last, taken };
        self.rows.entry(key).or_insert(new).slug = slug;
        Ok(key)
    }

    /// Returns the number here of a run of a workflow, given by its row: the number that it has if that is free, or else the
    /// next one.
    pub(super) fn number(&mut self, workflow: i64, has: u32) -> Done<u32> {
        let row = self.rows.get_mut(&workflow).ok_or_else(|| missing("a workflow"))?;
        let is_near = has.saturating_sub(row.last) <= MAX_NUMBER_GAP + 1;
        let number = match row.last.checked_add(1) {
            _ if has > row.before && is_near && !row.taken.contains(&has) => has,
            Some(next) => next,
            None => {
                let why = format!("the workflow {} has no numbers left for new runs", row.slug);
                return Err(Failure::Batch(StoreError::Other(why)));
            }
        };
        row.taken.insert(number);
        row.last = row.last.max(number);
        Ok(number)
    }

    /// Returns the row of the sweep of a run, which gets another number here.
    pub(super) fn sweep(
        &mut self,
        db: &Connection,
        name: &str,
        run: RunId,
        (was, number): (u32, u32),
    ) -> Done<i64> {
        let at = match self.stored_sweeps.iter().position(|stored| stored.record.name == name) {
            Some(at) => at,
            None => {
                let record = self.sweeps.get(name).copied().ok_or_else(|| missing("a sweep"))?;
                let (key, name) = self.store_sweep(db, record)?;
                let (numbers, runs) = (HashMap::new(), HashMap::new());
                self.stored_sweeps.push(StoredSweep { key, record, name, numbers, runs });
                self.stored_sweeps.len() - 1
            }
        };
        let stored = &mut self.stored_sweeps[at];
        stored.numbers.insert(was, number);
        stored.runs.insert(run, number);
        Ok(stored.key)
    }

    /// Finds a sweep of which other runs were imported before, or adds it. Its name may be taken.
    fn store_sweep(&mut self, db: &Connection, record: &'a SweepRecord) -> Done<(i64, String)> {
        let (workflow, slug) = self.workflow(db, record.workflow)?;
        let version = self.version(db, &record.version)?;
        if let Some(known) = self.known_sweep(db, record, workflow, version)? {
            return Ok(known);
        }
        let name = match sweep::exists(db, &record.name)? {
            true => sweep::numbered(db, workflow, &slug)?,
            false => record.name.clone(),
        };
        let key = db
            .prepare_cached(
                "INSERT INTO sweep (name, workflow, version, swept, created_at, limits, paused, used_before, search, \
                 search_ended, id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, unhex(?11))",
            )?
            .insert(params![
                name,
                workflow,
                version,
                serde_json::to_string(&record.swept)?,
                record.created_at.0,
                record.limits.as_ref().map(serde_json::to_string).transpose()?,
                record.paused.as_ref().map(serde_json::to_string).transpose()?,
                record.used_before.as_ref().map(serde_json::to_string).transpose()?,
                record.search.as_ref().map(serde_json::to_string).transpose()?,
                // It proposes nothing here, where its daemon's decisions can't be continued.
                record.search.is_some(),
                record.id,
            ])?;
        Ok((key, name))
    }

    /// Returns the sweep with the id of this one, or from an archive without ids the sweep of an earlier import that has a run of
    /// this one, or its name. Sweeps may begin at the same time, so that is not enough.
    fn known_sweep(
        &self,
        db: &Connection,
        record: &SweepRecord,
        workflow: i64,
        version: i64,
    ) -> Done<Option<(i64, String)>> {
        let is_free = |key: i64| self.stored_sweeps.iter().all(|stored| stored.key != key);
        let with_id: Option<(i64, String)> = db
            .prepare_cached(
                "SELECT key, name FROM sweep WHERE id = unhex(?1) AND workflow = ?2 AND version = ?3 ORDER BY key",
            )?
            .query_row(params![record.id, workflow, version], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        if let Some(known) = with_id.filter(|(key, _)| is_free(*key)) {
            return Ok(Some(known));
        }
        let mut begun = db
            .prepare_cached(
                "SELECT key, name FROM sweep WHERE workflow = ?1 AND version = ?2 AND created_at = ?3",
            )?
            .query_map(params![workflow, version, record.created_at.0], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<Vec<(i64, String)>, _>>()?;
        begun.retain(|(key, _)| is_free(*key));
        for run in self.known.get(record.name.as_str()).into_iter().flatten() {
            let key: Option<i64> = db
                .prepare_cached("SELECT sweep FROM run WHERE id = ?1 AND sweep IS NOT NULL")?
                .query_row([run.as_bytes()], |row| row.get(0))
                .optional()?;
            if let Some(at) = begun.iter().position(|(known, _)| Some(*known) == key) {
                return Ok(Some(begun.swap_remove(at)));
            }
        }
        Ok(begun.into_iter().find(|(_, name)| *name == record.name))
    }

    /// Stores the searches, whose rows name the numbers of runs. Returns the sweeps that have another name here.
    pub(super) fn finish(self, db: &Connection) -> Done<Vec<(String, String)>> {
        let mut renamed = Vec::new();
        for stored in &self.stored_sweeps {
            stored.search(db)?;
            if stored.name != stored.record.name {
                renamed.push((stored.record.name.clone(), stored.name.clone()));
            }
        }
        Ok(renamed)
    }
}

impl StoredSweep<'_> {
    fn search(&self, db: &Connection) -> Done {
        let Self { key, record, numbers, runs, .. } = self;
        for trial in &record.trials {
            db.prepare_cached(
                "INSERT INTO trial (sweep, number, run, params, seen) VALUES (?1, ?2, ?3, ?4, ?5) \
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                key,
                trial.number,
                trial.run.as_bytes(),
                serde_json::to_string(&trial.params)?,
                trial.seen
            ])?;
        }
        for observation in &record.observations {
            db.prepare_cached(
                "INSERT INTO observation (sweep, place, run, number, params, outcome) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                key,
                observation.place,
                observation.run.as_bytes(),
                runs.get(&observation.run).unwrap_or(&observation.number),
                serde_json::to_string(&observation.params)?,
                serde_json::to_string(&observation.outcome)?,
            ])?;
        }
        for report in &record.reports {
            db.prepare_cached(
                "INSERT INTO report (sweep, place, number, step, value, pruned) VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![
                key,
                report.place,
                numbers.get(&report.number).unwrap_or(&report.number),
                code::signed(report.step),
                report.value.0,
                report.pruned,
            ])?;
        }
        Ok(())
    }
}
