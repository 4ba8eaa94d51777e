//! Stores the runs of one submission: workflow, version, numbers and rows, all or none.

use std::collections::HashMap;

use fanlight_shared::id::WorkflowId;
use fanlight_shared::run::{Run, RunStatus};
use rusqlite::{Connection, OptionalExtension, params};

use super::queue::{self, Place};
use super::stored::Stored;
use super::workflow::Workflow;
use super::{Apply, Done, Failure, RunKey, Work, environment, file, made_with, search, sweep};
use crate::store::read::stored_sweep as stored;
use crate::store::{Finished, ResumeFrom, StoreError, Submit, Submitted, SweepOf, code};

impl Apply {
    pub(super) fn submit(&self, db: &Connection, work: &mut Work, submit: &Submit) -> Done {
        if let Some(runs) = repeated(db, submit)? {
            work.committed.submitted =
                Some(Submitted { runs, sweep: None, repeated: true, moved_from: None });
            return Ok(());
        }
        for published in &submit.blobs {
            self.store_blob(db, work, published)?;
        }
        let version = file::version(db, &submit.version)?;
        let nodes = submit.version.nodes.len() as u32;
        let workflow = workflow(db, submit, version)?;
        let count = submit.runs.len() as i64;
        let place = if submit.next { Place::Next } else { Place::Turn };
        let first_position = queue::positions(db, place, count)?;
        let environment = environment::hold(db, &submit.environment, count)?;
        let made_with = made_with::store(db, &submit.made_with)?;
        let sweep = match (&submit.sweep, submit.trial.as_ref().and_then(|trial| trial.sweep)) {
            (Some(SweepOf::New(new)), _) => {
                Some(sweep::create(db, new, (workflow.key, &workflow.slug), version, submit.at)?)
            }
            (Some(SweepOf::Extended { name, swept }), _) => {
                Some((sweep::extend(db, name, swept, workflow.key, version)?, name.clone()))
            }
            (None, Some(key)) => Some((key, sweep::name(db, key)?)),
            (None, None) => None,
        };
        let priority = priority(db, submit.priority, sweep.as_ref().map(|(key, _)| *key))?;
        let fresh = (!submit.fresh.is_none()).then(|| serde_json::to_string(&submit.fresh)).transpose()?;
        let parent = submit.parent.as_ref();
        let resumed = submit.resume.as_ref().map(|resume| resume.run.as_bytes());
        let mut runs = Vec::with_capacity(submit.runs.len());
        let mut first_key = None;
        let mut number = workflow.last_number;
        for (place, new) in submit.runs.iter().enumerate() {
            number = number.checked_add(1).ok_or_else(|| {
                StoreError::Other(format!("the workflow {} has no numbers left for new runs", workflow.slug))
            })?;
            let params = serde_json::to_string(&new.params)?;
            let key = db
                .prepare_cached(
                    "INSERT INTO run (id, workflow, version, number, label, params, path, submission, place, status, \
                     submitted_at, nodes, resumed_from, queue_position, environment, fresh, sweep, parent, \
                     parent_name, parent_node, parent_item, made_with, priority) \
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, \
                     ?20, ?21, ?22)",
                )?
                .insert(params![
                    new.id.as_bytes(),
                    workflow.key,
                    version,
                    number,
                    new.label,
                    params,
                    submit.path,
                    submit.submission.as_bytes(),
                    place as i64,
                    submit.at.0,
                    nodes,
                    resumed,
                    first_position + place as i64,
                    environment,
                    fresh,
                    sweep.as_ref().map(|(key, _)| *key),
                    parent.map(|parent| parent.run.as_bytes()),
                    parent.map(|parent| &parent.name),
                    parent.map(|parent| &parent.node),
                    parent.map(|parent| code::item(parent.item)),
                    made_with,
                    priority,
                ])?;
            self.store_files(db, key, &submit.files)?;
            first_key.get_or_insert(key);
            if let (Some(trial), Some((sweep, _))) = (&submit.trial, &sweep) {
                search::add_trial(db, *sweep, trial, new.id)?;
            }
            for value in new.params.values() {
                self.reference_value(db, work, value)?;
            }
            if let Some(resume) = &submit.resume {
                self.take_over(db, work, resume, key)?;
            }
            self.remember(new.id, RunKey { run: key, workflow: workflow.key });
            runs.push(Run {
                id: new.id,
                workflow: workflow.slug.clone(),
                number,
                label: new.label.clone(),
                state: RunStatus::Queued,
                params: new.params.clone(),
                params_short: false,
                submitted_at: submit.at,
                started_at: None,
                ended_at: None,
                error: None,
                workflow_id: workflow.id,
                title: submit.title.clone(),
                version: submit.version.hash.clone(),
                submission: submit.submission,
                index: place as u32,
                start_order: None,
                resumed_from: submit.resume.as_ref().map(|resume| resume.run),
                parent: submit.parent.clone().map(Box::new),
                nodes_done: 0,
                spent: fanlight_shared::spent::Spent::default(),
                nodes,
                position: None,
                asks: None,
                waits_for: None,
                paused: None,
                priority,
                concurrency: submit.version.concurrency,
                sweep: sweep.as_ref().map(|(_, name)| name.clone()),
            });
        }
        let Some(first_key) = first_key else {
            return Err(Failure::Batch(StoreError::Other("a submission needs at least one run".into())));
        };
        db.prepare_cached(
            "UPDATE workflow SET last_number = ?2, runs = runs + ?3, newest_run = ?4, last_run_at = ?5 WHERE key = ?1",
        )?
        .execute(params![workflow.key, number, count, first_key + count - 1, submit.at.0])?;
        db.prepare_cached("INSERT INTO request (key, first_run, runs, digest) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![submit.request_key, first_key, count, submit.digest.as_bytes()])?;
        let sweep = sweep.map(|(key, _)| stored(db, key).map(Box::new)).transpose()?;
        let moved_from = workflow.moved_from;
        work.committed.submitted = Some(Submitted { runs, sweep, repeated: false, moved_from });
        Ok(())
    }

    /// Copies the finished values of an ended run, by reference to their bytes.
    fn take_over(&self, db: &Connection, work: &mut Work, resume: &ResumeFrom, to: i64) -> Done {
        let from = self.key(db, resume.run)?;
        let mut finished = HashMap::new();
        for Finished { node, item, origin } in &resume.finished {
            finished.insert((node.as_str(), code::item(*item)), serde_json::to_string(origin)?);
        }
        let mut query =
            db.prepare_cached("SELECT node, item, port, body, large, cache_key FROM value WHERE run = ?1")?;
        let rows = query
            .query_map([from.run], |row| {
                Ok((
                    row.get::<_, String>(0)?,
                    row.get::<_, i64>(1)?,
                    row.get::<_, String>(2)?,
                    Stored { body: row.get(3)?, large: row.get(4)? },
                    row.get::<_, Option<[u8; 32]>>(5)?,
                ))
            })?
            .collect::<Result<Vec<_>, _>>()?;
        Self::copy_series(db, from.run, to, |node, item| finished.contains_key(&(node, item)))?;
        for (node, item, port, stored, cache_key) in rows {
            let Some(origin) = finished.get(&(node.as_str(), item)) else { continue };
            self.reference_stored(db, work, &stored)?;
            db.prepare_cached(
                "INSERT INTO value (run, node, item, port, body, large, origin, cache_key) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            )?
            .execute(params![
                to,
                node,
                item,
                port,
                stored.body,
                stored.large,
                origin,
                cache_key
            ])?;
        }
        Ok(())
    }
}

/// Returns the priority of new runs: the given one, else that of the newest run of their sweep.
fn priority(db: &Connection, given: Option<i32>, sweep: Option<i64>) -> Done<i32> {
    if let Some(given) = given {
        return Ok(given);
    }
    let newest = db
        .prepare_cached("SELECT priority FROM run WHERE sweep = ?1 ORDER BY key DESC LIMIT 1")?
        .query_row([sweep], |row| row.get(0))
        .optional()?;
    Ok(newest.unwrap_or_default())
}

/// Returns the runs of an earlier submission with this key.
fn repeated(db: &Connection, submit: &Submit) -> Done<Option<Vec<Run>>> {
    let made: Option<(i64, i64, Option<[u8; 32]>)> = db
        .prepare_cached("SELECT first_run, runs, digest FROM request WHERE key = ?1")?
        .query_row([&submit.request_key], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let Some((first, count, digest)) = made else { return Ok(None) };
    if digest.is_some_and(|digest| digest != *submit.digest.as_bytes()) {
        return Err(Failure::Batch(StoreError::BadParam(
            "`request_key`: a different request was made with this key; use a new key".into(),
        )));
    }
    let sql = format!(
        "SELECT {} FROM {} WHERE r.key >= ?1 AND r.key < ?2 AND r.status <> {} ORDER BY r.key",
        code::RUN,
        code::RUN_TABLES,
        code::DELETED
    );
    let runs = db
        .prepare_cached(&sql)?
        .query_map([first, first + count], |row| code::run(row).map(|(_, run)| run))?
        .collect::<Result<Vec<_>, _>>()?;
    if runs.is_empty() {
        return Err(Failure::Batch(StoreError::NotFound(
            "the runs of this request were made before and have been deleted since; start them with a new key".into(),
        )));
    }
    Ok(Some(runs))
}

/// Returns the workflow by its id, else by its path, else a new one.
fn workflow(db: &Connection, submit: &Submit, version: i64) -> Done<Workflow> {
    if submit.workflow_id.is_none() && submit.path.is_none() {
        return Err(Failure::Batch(StoreError::Other(
            "a workflow without a file needs an `id:`, so that its runs belong together".into(),
        )));
    }
    let found = match submit.workflow_id {
        Some(id) => Workflow::by_id(db, id)?,
        None => Workflow::by_path(db, submit.path.as_deref())?,
    };
    if let Some(mut found) = found {
        if !repeats_version(db, submit, found.key, version)? {
            db.prepare_cached(
                "UPDATE workflow SET title = ?2, path = coalesce(?3, path), version = ?4 WHERE key = ?1",
            )?
            .execute(params![found.key, submit.title, submit.path, version])?;
        }
        found.take_slug(db, &submit.slug)?;
        return Ok(found);
    }
    let moved_from = match submit.workflow_id {
        Some(_) => None,
        None => db
            .prepare_cached(
                "SELECT path FROM run WHERE version = ?1 AND path IS NOT NULL AND path <> ?2 \
                 ORDER BY key DESC LIMIT 1",
            )?
            .query_row(params![version, submit.path], |row| row.get(0))
            .optional()?,
    };
    let id = submit.workflow_id.unwrap_or_else(WorkflowId::new);
    let new = Workflow::create(db, id, &submit.slug, &submit.title, submit.path.as_deref(), version)?;
    Ok(Workflow { moved_from, ..new })
}

/// Returns whether a submission has the file as it was for an earlier one, so that a person may have run a newer one since:
/// a child has that of its parent's submission, other runs of a sweep that of the sweep, a resumed run often its own.
fn repeats_version(db: &Connection, submit: &Submit, workflow: i64, version: i64) -> Done<bool> {
    let of_sweep = matches!(submit.sweep, Some(SweepOf::Extended { .. }))
        || submit.trial.as_ref().is_some_and(|trial| trial.sweep.is_some());
    if submit.parent.is_some() || of_sweep {
        return Ok(true);
    }
    if submit.resume.is_none() {
        return Ok(false);
    }
    let known = db
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM run WHERE version = ?1 AND +workflow = ?2)")?
        .query_row([version, workflow], |row| row.get(0))?;
    Ok(known)
}
