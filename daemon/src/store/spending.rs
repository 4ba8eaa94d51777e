//! What running attempts have spent so far: a daemon that is killed leaves it to the next one.

use std::collections::HashMap;

use fanlight_shared::event::Prediction;
use fanlight_shared::id::AttemptId;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::{Store, StoreError};

/// What an attempt has spent so far.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Spending {
    /// In US dollars, if a cost is known.
    pub cost_usd: Option<f64>,
    /// Its use of each model.
    pub predictions: Vec<Prediction>,
    /// Whether it may have cost more than that, and nobody knows how much.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unpriced: bool,
}

impl Store {
    /// Returns what the attempts have spent that ran when the last daemon ended. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn spending(&self) -> Result<HashMap<AttemptId, Spending>, StoreError> {
        self.read(|db| {
            // A damaged row may hold something else than text.
            let mut rows = db.prepare("SELECT CAST(attempt AS BLOB), CAST(sums AS BLOB) FROM spending")?;
            let rows =
                rows.query_map([], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))?;
            let mut found = HashMap::new();
            for row in rows {
                let (attempt, json) = row?;
                let name = String::from_utf8_lossy(&attempt);
                let Ok(attempt) = name.parse() else {
                    tracing::warn!("what an attempt has spent is lost: `{}` is no id", name.escape_debug());
                    continue;
                };
                found.insert(attempt, read(attempt, &json));
            }
            Ok(found)
        })
    }
}

/// Reads the sums of an attempt.
fn read(attempt: AttemptId, json: &[u8]) -> Spending {
    serde_json::from_slice(json).unwrap_or_else(|error| {
        tracing::warn!(%attempt, "what it has spent can't be read, so its cost is not known: {error}");
        Spending { unpriced: true, ..Spending::default() }
    })
}

/// Stores what an attempt has spent, or forgets it when the event of its end has it.
pub(super) fn set(
    db: &Connection,
    attempt: AttemptId,
    spending: Option<&Spending>,
) -> Result<(), StoreError> {
    match spending {
        Some(spending) => db
            .prepare_cached("INSERT OR REPLACE INTO spending (attempt, sums) VALUES (?1, ?2)")?
            .execute([attempt.to_string(), serde_json::to_string(spending)?])?,
        None => {
            db.prepare_cached("DELETE FROM spending WHERE attempt = ?1")?.execute([attempt.to_string()])?
        }
    };
    Ok(())
}
