//! What is to be done because a run or a sweep has ended.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;

use fanlight_shared::host_path;
use fanlight_shared::on_end::{EndOf, OnEnd, WantedBy};
use fanlight_shared::run::{Counts, RunStatus};
use fanlight_shared::time::Time;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::Notify;

use super::{Apply, Done};
use crate::on_end::End;
use crate::store::code;

/// The most rows that are kept of what failed too often, or was never tried.
const MAX_FAILED: u32 = 100;
/// The most ends for which one thing may wait to be done; those after them are recorded as failed.
const MAX_OPEN: u32 = 10_000;

/// What to do at ends, and whom to notify of it.
pub(super) struct Wanted {
    all: Arc<[OnEnd]>,
    added: Arc<Notify>,
    /// Whether there was no room for the last end, so that a series of them is one line of the log.
    full: Cell<bool>,
}

impl Wanted {
    pub(super) fn new(all: &Arc<[OnEnd]>, added: &Arc<Notify>) -> Self {
        Self { all: Arc::clone(all), added: Arc::clone(added), full: Cell::new(false) }
    }
}

impl Apply {
    /// Adds what is to be done because a run has ended. Runs that nodes started end with their parents.
    pub(super) fn run_ended(&self, db: &Connection, key: i64, state: RunStatus, at: Time) -> Done {
        if self.on_end.borrow().is_none() {
            return Ok(());
        }
        let (workflow, number, is_child, in_sweep, file): (String, u32, bool, bool, _) = db
            .prepare_cached(
                "SELECT w.slug, r.number, r.parent IS NOT NULL, r.sweep IS NOT NULL, v.on_end, r.path FROM run r \
                 CROSS JOIN workflow w ON w.key = r.workflow CROSS JOIN version v ON v.key = r.version WHERE r.key = ?1",
            )?
            .query_row([key], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, (row.get(4)?, row.get(5)?)))
            })?;
        if is_child {
            return Ok(());
        }
        let name = format!("{workflow}#{number}");
        self.add_end(db, &End { of: EndOf::Run, name, workflow, state, at }, in_sweep, file)
    }

    /// Adds what is to be done because all runs of a sweep have ended; their rows must be written.
    pub(super) fn sweep_ended(&self, db: &Connection, name: &str) -> Done {
        if self.on_end.borrow().is_none() {
            return Ok(());
        }
        let sweep: Option<(i64, String, _)> = db
            .prepare_cached(
                "SELECT s.key, w.slug, v.on_end, \
                 (SELECT r.path FROM run r INDEXED BY run_by_sweep WHERE r.sweep = s.key LIMIT 1) FROM sweep s \
                 CROSS JOIN workflow w ON w.key = s.workflow CROSS JOIN version v ON v.key = s.version WHERE s.name = ?1",
            )?
            .query_row([name], |row| Ok((row.get(0)?, row.get(1)?, (row.get(2)?, row.get(3)?))))
            .optional()?;
        // It may have been deleted with its last run.
        let Some((key, workflow, file)) = sweep else { return Ok(()) };
        let mut counts = Counts::default();
        let mut query = db.prepare_cached(
            "SELECT status, count(*) FROM run INDEXED BY run_by_sweep WHERE sweep = ?1 AND status <> 6 GROUP BY status",
        )?;
        let mut rows = query.query([key])?;
        while let Some(row) = rows.next()? {
            *counts.of(code::status_from(row.get(0)?)) = row.get(1)?;
        }
        let state = match () {
            () if counts.failed > 0 => RunStatus::Failed,
            () if counts.cancelled > 0 => RunStatus::Cancelled,
            () => RunStatus::Completed,
        };
        let end = End { of: EndOf::Sweep, name: name.to_owned(), workflow, state, at: Time::now() };
        self.add_end(db, &end, false, file)
    }

    /// `file`: `on_end:` of the file as it is stored, and its path.
    fn add_end(
        &self,
        db: &Connection,
        end: &End,
        in_sweep: bool,
        file: (Option<String>, Option<String>),
    ) -> Done {
        let settings = self.on_end.borrow();
        let Some(Wanted { all, added, full }) = settings.as_ref() else { return Ok(()) };
        let of = end.of.word();
        let of_file = of_file(file)?;
        for wanted in all.iter().chain(&of_file).filter(|it| it.wants(end.of, end.state, in_sweep)) {
            let what = serde_json::to_string(wanted)?;
            let has_room = has_room(db, &what)?;
            if !has_room && !full.get() {
                let what = wanted.describe();
                tracing::warn!("{what} waits to be done for {MAX_OPEN} ends, and is not done for later ones");
            }
            full.set(!has_room);
            db.prepare_cached(
                "INSERT INTO on_end (id, what, kind, name, workflow, state, at, next_at, error) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            )?
            .execute(params![
                uuid::Uuid::now_v7().to_string(),
                what,
                of,
                end.name,
                end.workflow,
                code::status(end.state),
                end.at.0,
                has_room.then_some(end.at.0),
                (!has_room).then(|| format!("it waited to be done for {MAX_OPEN} earlier ends")),
            ])?;
            if !has_room {
                forget_failed(db)?;
            }
            added.notify_one();
        }
        Ok(())
    }

    /// Removes what was done.
    pub(super) fn on_end_done(db: &Connection, key: i64) -> Done {
        db.prepare_cached("DELETE FROM on_end WHERE key = ?1")?.execute([key])?;
        Ok(())
    }

    /// Records that a try failed, and when the next one is. Of those without a next one only the newest are kept.
    pub(super) fn on_end_failed(db: &Connection, key: i64, error: &str, next: Option<Time>) -> Done {
        db.prepare_cached("UPDATE on_end SET tries = tries + 1, error = ?2, next_at = ?3 WHERE key = ?1")?
            .execute(params![key, error, next.map(|at| at.0)])?;
        if next.is_none() {
            forget_failed(db)?;
        }
        Ok(())
    }
}

/// Returns what a workflow file wants.
fn of_file((on_end, path): (Option<String>, Option<String>)) -> Done<Vec<OnEnd>> {
    let Some(on_end) = on_end else { return Ok(Vec::new()) };
    let mut all: Vec<OnEnd> = serde_json::from_str(&on_end)?;
    let path = path.filter(|path| host_path::split(path).is_none());
    let folder = path.as_deref().and_then(|path| Path::new(path).parent()).and_then(Path::to_str);
    for wanted in &mut all {
        wanted.wanted_by = WantedBy::File { folder: folder.map(str::to_owned) };
    }
    Ok(all)
}

/// Returns whether one more end may wait for this to be done.
fn has_room(db: &Connection, what: &str) -> Done<bool> {
    let open = |sql: &str, values: &[&dyn rusqlite::ToSql]| -> Done<u32> {
        Ok(db.prepare_cached(sql)?.query_row(values, |row| row.get(0))?)
    };
    // There is an index for all, but none for each.
    let all =
        open("SELECT count(*) FROM (SELECT 1 FROM on_end WHERE next_at IS NOT NULL LIMIT ?1)", &[&MAX_OPEN])?;
    Ok(all < MAX_OPEN
        || open("SELECT count(*) FROM on_end WHERE what = ?1 AND next_at IS NOT NULL", &[&what])? < MAX_OPEN)
}

/// Removes all but the newest of those that are not tried again.
fn forget_failed(db: &Connection) -> Done {
    db.prepare_cached(
        "DELETE FROM on_end WHERE next_at IS NULL AND key NOT IN \
         (SELECT key FROM on_end WHERE next_at IS NULL ORDER BY key DESC LIMIT ?1)",
    )?
    .execute([MAX_FAILED])?;
    Ok(())
}
