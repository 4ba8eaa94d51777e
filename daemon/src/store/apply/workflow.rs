//! Workflows: found by their id or their path, or created, each with a slug of its own.

use fanlight_shared::id::WorkflowId;
use rusqlite::{Connection, OptionalExtension, params};

use super::Done;

/// The prefix of a deleted workflow's slug after another workflow took the slug; no slug of a file begins with it.
const RELEASED_SLUG_PREFIX: char = '~';

/// The workflow of runs that are stored.
pub(super) struct Workflow {
    pub(super) key: i64,
    pub(super) id: WorkflowId,
    pub(super) slug: String,
    pub(super) last_number: u32,
    pub(super) moved_from: Option<String>,
}

impl Workflow {
    /// Returns the workflow with this id.
    pub(super) fn by_id(db: &Connection, id: WorkflowId) -> Done<Option<Self>> {
        Self::find(db, "id", id.as_bytes())
    }

    /// Returns the workflow with this path, the one that ran last if there are several.
    pub(super) fn by_path(db: &Connection, path: Option<&str>) -> Done<Option<Self>> {
        path.map_or(Ok(None), |path| Self::find(db, "path", &path))
    }

    fn find(db: &Connection, by: &str, value: &dyn rusqlite::ToSql) -> Done<Option<Self>> {
        Ok(db
            .prepare_cached(&format!(
                "SELECT key, id, slug, last_number FROM workflow WHERE {by} = ?1 ORDER BY newest_run DESC LIMIT 1"
            ))?
            .query_row([value], |row| {
                Ok(Self {
                    key: row.get(0)?,
                    id: WorkflowId::from_bytes(row.get(1)?),
                    slug: row.get(2)?,
                    last_number: row.get(3)?,
                    moved_from: None,
                })
            })
            .optional()?)
    }

    /// Adds a workflow whose slug begins with this one.
    pub(super) fn create(
        db: &Connection,
        id: WorkflowId,
        slug: &str,
        title: &str,
        path: Option<&str>,
        version: i64,
    ) -> Done<Self> {
        let slug = free_slug(db, slug)?;
        let key = db
            .prepare_cached(
                "INSERT INTO workflow (id, slug, title, path, version) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?
            .insert(params![id.as_bytes(), slug, title, path, version])?;
        Ok(Self { key, id, slug, last_number: 0, moved_from: None })
    }

    /// Gives it a slug again if another workflow took its own while it had no runs.
    pub(super) fn take_slug(&mut self, db: &Connection, slug: &str) -> Done {
        if self.slug.starts_with(RELEASED_SLUG_PREFIX) {
            self.slug = free_slug(db, slug)?;
            db.prepare_cached("UPDATE workflow SET slug = ?2 WHERE key = ?1")?
                .execute(params![self.key, self.slug])?;
        }
        Ok(())
    }
}

/// Returns `slug`, or with `-2`, `-3` … the first that no workflow has. A workflow whose runs and assets were all
/// deleted releases its slug; its row stays, so that its numbers are not reused if it returns.
fn free_slug(db: &Connection, slug: &str) -> Done<String> {
    let mut holder = db.prepare_cached(
        "SELECT key, EXISTS (SELECT 1 FROM run WHERE run.workflow = workflow.key) FROM workflow WHERE slug = ?1",
    )?;
    let mut candidate = slug.to_owned();
    let mut count = 1_u32;
    loop {
        let held: Option<(i64, bool)> =
            holder.query_row([&candidate], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        match held {
            None => return Ok(candidate),
            Some((key, false)) => {
                db.prepare_cached("UPDATE workflow SET slug = ?2 WHERE key = ?1")?
                    .execute(params![key, format!("{RELEASED_SLUG_PREFIX}{key}")])?;
                return Ok(candidate);
            }
            Some((_, true)) => {}
        }
        count += 1;
        candidate = format!("{slug}-{count}");
    }
}
