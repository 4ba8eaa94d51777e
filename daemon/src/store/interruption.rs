//! Counts how often a daemon crashed on a run.

use std::collections::HashMap;

use fanlight_shared::id::RunId;
use rusqlite::{Connection, OptionalExtension};

use super::{Store, StoreError};

/// The setting that holds the counts: JSON by run.
const NAME: &str = "interruptions";

impl Store {
    /// Returns how often a daemon crashed on each run that had not ended. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn interruptions(&self) -> Result<HashMap<RunId, u32>, StoreError> {
        self.read(counts)
    }
}

/// Counts one more interruption of a run; runs that have ended are forgotten.
pub(super) fn add(db: &Connection, run: RunId) -> Result<(), StoreError> {
    let mut counts = counts(db)?;
    let mut open = db.prepare_cached("SELECT 1 FROM run WHERE id = ?1 AND status IN (0, 1, 2, 7)")?;
    let mut ended = Vec::new();
    for run in counts.keys() {
        if !open.exists([run.as_bytes()])? {
            ended.push(*run);
        }
    }
    for run in ended {
        counts.remove(&run);
    }
    *counts.entry(run).or_default() += 1;
    let json = serde_json::to_string(&counts)?;
    db.prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
        .execute([NAME, &json])?;
    Ok(())
}

fn counts(db: &Connection) -> Result<HashMap<RunId, u32>, StoreError> {
    let json: Option<String> = db
        .prepare_cached("SELECT value FROM setting WHERE name = ?1")?
        .query_row([NAME], |row| row.get(0))
        .optional()?;
    // An unreadable count starts from zero.
    Ok(json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default())
}
