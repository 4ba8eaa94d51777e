//! What running attempts have spent so far: a daemon that is killed leaves it to the next one.

use std::collections::HashMap;

use fanlight_shared::event::Prediction;
use fanlight_shared::id::AttemptId;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

/// The beginning of the names of the settings that hold it: JSON by attempt.
const PREFIX: &str = "spending ";

/// What an attempt has spent so far.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Spending {
    /// In US dollars, if a cost is known.
    pub cost_usd: Option<f64>,
    /// Its use of each model.
    pub predictions: Vec<Prediction>,
}

impl Store {
    /// Returns what the attempts have spent that ran when the last daemon ended. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn spending(&self) -> Result<HashMap<AttemptId, Spending>, StoreError> {
        self.read(|db| {
            let mut rows = db.prepare("SELECT name, value FROM setting WHERE name GLOB ?1")?;
            let rows = rows.query_map([format!("{PREFIX}*")], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
            })?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            let read = rows.into_iter().filter_map(|(name, json)| {
                Some((name.strip_prefix(PREFIX)?.parse().ok()?, serde_json::from_str(&json).ok()?))
            });
            Ok(read.collect())
        })
    }
}

/// Stores what an attempt has spent, or forgets it when the event of its end has it.
pub(super) fn set(
    db: &Connection,
    attempt: AttemptId,
    spending: Option<&Spending>,
) -> Result<(), StoreError> {
    let name = format!("{PREFIX}{attempt}");
    match spending {
        Some(spending) => db
            .prepare_cached("INSERT OR REPLACE INTO setting (name, value) VALUES (?1, ?2)")?
            .execute([name, serde_json::to_string(spending)?])?,
        None => db.prepare_cached("DELETE FROM setting WHERE name = ?1")?.execute([name])?,
    };
    Ok(())
}
