//! The versions that runs were submitted with. Each combination is stored once.

use fanlight_shared::lineage::MadeWith;
use rusqlite::{Connection, params};

use super::Done;

/// Returns the row of these versions.
pub(super) fn store(db: &Connection, made_with: &MadeWith) -> Done<i64> {
    let body = serde_json::to_string(made_with)?;
    let hash = blake3::hash(body.as_bytes());
    Ok(db
        .prepare_cached(
            "INSERT INTO made_with (hash, body) VALUES (?1, ?2) \
             ON CONFLICT (hash) DO UPDATE SET body = excluded.body RETURNING key",
        )?
        .query_row(params![hash.as_bytes(), body], |row| row.get(0))?)
}
