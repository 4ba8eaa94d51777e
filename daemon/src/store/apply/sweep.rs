//! Sweeps: created with their runs, removed with the last of them.

use fanlight_shared::sweep::{Pause, Used};
use fanlight_shared::time::Time;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Done, Failure, search};
use crate::store::{NewSweep, StoreError};

/// Creates a sweep of a workflow, given by key and slug. Returns its key and its name.
pub(super) fn create(
    db: &Connection,
    new: &NewSweep,
    (workflow, slug): (i64, &str),
    version: i64,
    at: Time,
) -> Done<(i64, String)> {
    let name = match &new.name {
        Some(name) if exists(db, name)? => {
            return Err(Failure::Batch(StoreError::BadParam(format!(
                "there is already a sweep `{name}`; choose another name, or delete its runs first"
            ))));
        }
        Some(name) => name.clone(),
        None => numbered(db, workflow, slug)?,
    };
    let swept = serde_json::to_string(&new.swept)?;
    let search = new.search.as_ref().map(serde_json::to_string).transpose()?;
    let limits = (!new.limits.are_none()).then(|| serde_json::to_string(&new.limits)).transpose()?;
    let key = db
        .prepare_cached(
            "INSERT INTO sweep (name, workflow, version, swept, created_at, limits, search, id) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, randomblob(16))",
        )?
        .insert(params![name, workflow, version, swept, at.0, limits, search])?;
    Ok((key, name))
}

/// Adds runs of this version of a workflow to a sweep. Returns its key.
pub(super) fn extend(
    db: &Connection,
    name: &str,
    swept: &[String],
    workflow: i64,
    version: i64,
) -> Done<i64> {
    let found: Option<(i64, i64, i64)> = db
        .prepare_cached("SELECT key, workflow, version FROM sweep WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .optional()?;
    let refused = |why: &str| Failure::Batch(StoreError::BadParam(format!("the sweep `{name}` {why}")));
    let Some((key, of, runs)) = found else { return Err(refused("is gone: its last run was deleted")) };
    if of != workflow {
        return Err(refused("is of another workflow"));
    }
    if runs != version {
        return Err(refused(
            "has another version of the workflow, so that its runs can't be compared with these",
        ));
    }
    let swept = serde_json::to_string(swept)?;
    db.prepare_cached("UPDATE sweep SET swept = ?2 WHERE key = ?1")?.execute(params![key, swept])?;
    Ok(key)
}

/// Pauses a sweep or lets it continue. One that was deleted meanwhile has nothing to pause.
pub(super) fn pause(db: &Connection, name: &str, paused: Option<Pause>, before: Option<Used>) -> Done {
    let paused = paused.map(|why| serde_json::to_string(&why)).transpose()?;
    let before = before.map(|used| serde_json::to_string(&used)).transpose()?;
    db.prepare_cached(
        "UPDATE sweep SET paused = ?2, used_before = coalesce(?3, used_before) WHERE name = ?1",
    )?
    .execute(params![name, paused, before])?;
    Ok(())
}

/// Returns the next name after the workflow. Another workflow may have had its slug, and still have a sweep of that name.
pub(super) fn numbered(db: &Connection, workflow: i64, slug: &str) -> Done<String> {
    loop {
        let number: i64 = db
            .prepare_cached(
                "UPDATE workflow SET last_sweep = last_sweep + 1 WHERE key = ?1 RETURNING last_sweep",
            )?
            .query_row([workflow], |row| row.get(0))?;
        let name = format!("{slug}/{number}");
        if !exists(db, &name)? {
            return Ok(name);
        }
    }
}

/// Returns the name of a sweep that gets another run.
pub(super) fn name(db: &Connection, key: i64) -> Done<String> {
    let name = db
        .prepare_cached("SELECT name FROM sweep WHERE key = ?1")?
        .query_row([key], |row| row.get(0))
        .optional()?;
    name.ok_or_else(|| Failure::Batch(StoreError::NotFound("the sweep was deleted".into())))
}

pub(super) fn exists(db: &Connection, name: &str) -> Done<bool> {
    Ok(db.prepare_cached("SELECT 1 FROM sweep WHERE name = ?1")?.exists([name])?)
}

/// Takes a deleted run out of its sweep, which is removed with its last one. Its row may stay for its assets. A search that has
/// more trials needs a run to propose them from: its last one can't be deleted.
pub(super) fn leave(db: &Connection, run: i64) -> Done {
    let sweep: Option<i64> = db
        .prepare_cached("SELECT sweep FROM run WHERE key = ?1 AND sweep IS NOT NULL")?
        .query_row([run], |row| row.get(0))
        .optional()?;
    let Some(sweep) = sweep else { return Ok(()) };
    db.prepare_cached("UPDATE run SET sweep = NULL WHERE key = ?1")?.execute([run])?;
    let has_others =
        db.prepare_cached("SELECT 1 FROM run INDEXED BY run_by_sweep WHERE sweep = ?1")?.exists([sweep])?;
    if has_others {
        return Ok(());
    }
    if let Some(name) = search::with_more(db, sweep)? {
        return Err(Failure::Batch(StoreError::BadParam(format!(
            "the search `{name}` has not ended, so its last run can't be deleted; cancel it first: \
             `fanlight cancel --sweep '{name}'`"
        ))));
    }
    db.prepare_cached("DELETE FROM sweep WHERE key = ?1")?.execute([sweep])?;
    search::forget(db, sweep)
}
