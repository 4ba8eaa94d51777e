//! The params with which a workflow has completed runs.

use std::collections::HashMap;

use fanlight_shared::id::{BlobHash, Version, WorkflowId};
use rusqlite::params;

use super::run::child_versions;
use crate::store::{ChildVersions, Store, StoreError};

impl Store {
    /// Returns how many runs of this version of a workflow, and of these versions of the workflows that it starts, have
    /// completed with the same params, by the hash of the params as they are stored. Runs that were started by others don't count. The workflow is found as for a submission: by its
    /// id, or else by its path. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn results(
        &self,
        id: Option<WorkflowId>,
        path: Option<&str>,
        version: &Version,
        children: &ChildVersions,
    ) -> Result<HashMap<BlobHash, u32>, StoreError> {
        self.read(|db| {
            let id = id.map(|id| id.as_bytes().to_vec());
            let mut query = db.prepare_cached(
                "SELECT params, key FROM run WHERE status = 3 AND parent IS NULL \
                 AND workflow = (SELECT key FROM workflow WHERE CASE WHEN ?1 IS NULL THEN path = ?2 ELSE id = ?1 END \
                                 ORDER BY newest_run DESC LIMIT 1) \
                 AND version = (SELECT key FROM version WHERE hash = ?3)",
            )?;
            let mut rows = query.query(params![id, path, version.as_str()])?;
            let mut results: HashMap<BlobHash, u32> = HashMap::new();
            while let Some(row) = rows.next()? {
                if child_versions(db, row.get(1)?)? != *children {
                    continue;
                }
                let text = row.get_ref(0)?.as_str().map_err(rusqlite::Error::from)?;
                *results.entry(BlobHash::of(text.as_bytes())).or_default() += 1;
            }
            Ok(results)
        })
    }
}
