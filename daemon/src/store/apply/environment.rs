//! Environments of submissions. Each is stored once, however many runs have it.

use fanlight_shared::environment::Environment;
use rusqlite::{Connection, OptionalExtension, params};

use super::Done;

/// Adds `runs` references to an environment and returns its row; `None` for an empty one.
pub(super) fn hold(db: &Connection, environment: &Environment, runs: i64) -> Done<Option<i64>> {
    if environment.is_empty() {
        return Ok(None);
    }
    let body = serde_json::to_string(environment)?;
    let hash = blake3::hash(body.as_bytes());
    let key = db
        .prepare_cached(
            "INSERT INTO environment (hash, body, runs) VALUES (?1, ?2, ?3) \
             ON CONFLICT (hash) DO UPDATE SET runs = runs + excluded.runs RETURNING key",
        )?
        .query_row(params![hash.as_bytes(), body, runs], |row| row.get(0))?;
    Ok(Some(key))
}

/// Drops the reference of a deleted run to its environment.
pub(super) fn release(db: &Connection, run: i64) -> Done {
    let key: Option<i64> = db
        .prepare_cached("SELECT environment FROM run WHERE key = ?1")?
        .query_row([run], |row| row.get(0))
        .optional()?
        .flatten();
    let Some(key) = key else { return Ok(()) };
    db.prepare_cached("UPDATE run SET environment = NULL WHERE key = ?1")?.execute([run])?;
    db.prepare_cached("UPDATE environment SET runs = runs - 1 WHERE key = ?1")?.execute([key])?;
    db.prepare_cached("DELETE FROM environment WHERE key = ?1 AND runs <= 0")?.execute([key])?;
    Ok(())
}
