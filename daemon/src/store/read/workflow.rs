//! Workflows.

use fanlight_shared::host_path;
use fanlight_shared::id::{Version, WorkflowId};
use fanlight_shared::preview;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::workflows::{Detail, WorkflowInfo};
use fanlight_shared::time::Time;
use rusqlite::types::{ToSqlOutput, Value as Sql};
use rusqlite::{OptionalExtension, Row, params};

use super::page;
use crate::store::{Store, StoreError};

const COLUMNS: &str = "w.id, w.slug, w.title, w.path, v.hash, w.runs, w.last_run_at, w.newest_run";

/// The most bytes of JSON of a workflow's title in lists.
const MAX_TITLE_BYTES: usize = 400;

impl Store {
    /// Returns a page of the workflows that have ever run, most recent first. Blocks.
    ///
    /// # Errors
    /// The cursor is invalid.
    pub fn workflows(&self, cursor: Option<&str>) -> Result<Page<WorkflowInfo>, StoreError> {
        const LIST: page::List = page::List("workflows.list");
        let before = LIST.before(cursor)?;
        let limit = page::limit(None);
        self.read(|db| {
            let rows = db
                .prepare_cached(&format!(
                    "SELECT {COLUMNS} FROM workflow w CROSS JOIN version v ON v.key = w.version \
                     WHERE w.newest_run < ?1 AND w.slug NOT LIKE '~%' ORDER BY w.newest_run DESC LIMIT ?2"
                ))?
                .query_map(params![before, limit as i64 + 1], info)?
                .collect::<Result<Vec<_>, _>>()?;
            let mut page = LIST.page(limit);
            for (key, mut info) in rows {
                preview::cut_text(&mut info.title, MAX_TITLE_BYTES);
                if !page.add(key, info) {
                    break;
                }
            }
            Ok(page.finish(i64::to_string))
        })
    }

    /// Returns one workflow by its id, slug or canonical path, with the text of its newest version. Blocks.
    ///
    /// # Errors
    /// There is no such workflow.
    pub fn workflow(&self, text: &str) -> Result<Detail, StoreError> {
        let (column, value) = match text.parse::<WorkflowId>() {
            Ok(id) => ("id", Sql::Blob(id.as_bytes().to_vec())),
            Err(_) if text.starts_with('/') || host_path::split(text).is_some() => {
                ("path", Sql::Text(text.to_owned()))
            }
            Err(_) => ("slug", Sql::Text(text.to_owned())),
        };
        let found = self.read(|db| {
            Ok(db
                .prepare_cached(&format!(
                    "SELECT {COLUMNS}, v.document FROM workflow w CROSS JOIN version v ON v.key = w.version \
                     WHERE w.{column} = ?1 AND w.slug NOT LIKE '~%' ORDER BY w.newest_run DESC LIMIT 1"
                ))?
                .query_row([ToSqlOutput::Owned(value)], |row| {
                    Ok(Detail { workflow: info(row)?.1, document: row.get(8)?, document_bytes: None })
                })
                .optional()?)
        })?;
        found.ok_or_else(|| {
            let text: String = text.chars().take(200).collect();
            StoreError::NotFound(format!("no workflow `{}` has run yet", text.escape_debug()))
        })
    }

    /// Checks that this is a workflow. Blocks.
    ///
    /// # Errors
    /// No run of it has ever been submitted.
    pub fn check_workflow(&self, id: WorkflowId) -> Result<(), StoreError> {
        let known = self.read(|db| {
            Ok(db.prepare_cached("SELECT 1 FROM workflow WHERE id = ?1")?.exists([id.as_bytes()])?)
        })?;
        if known { Ok(()) } else { Err(StoreError::NotFound(format!("no workflow has the id {id}"))) }
    }

    /// Returns the text of a version that was submitted before, if its runs are still known. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn known_version(&self, version: &Version) -> Result<Option<String>, StoreError> {
        self.read(|db| {
            Ok(db
                .prepare_cached("SELECT document FROM version WHERE hash = ?1")?
                .query_row([version.as_str()], |row| row.get(0))
                .optional()?)
        })
    }
}

fn info(row: &Row<'_>) -> rusqlite::Result<(i64, WorkflowInfo)> {
    let info = WorkflowInfo {
        id: WorkflowId::from_bytes(row.get(0)?),
        slug: row.get(1)?,
        title: row.get(2)?,
        path: row.get(3)?,
        version: Version::from_stored(row.get(4)?),
        runs: row.get(5)?,
        last_run_at: row.get::<_, Option<i64>>(6)?.map(Time),
    };
    Ok((row.get(7)?, info))
}
