//! Which results running attempts compute: a daemon that is killed leaves it to the next one, which can't find it out. What the
//! keys were made from may have changed since.

use std::collections::HashMap;

use fanlight_shared::id::AttemptId;
use rusqlite::{Connection, params};

use super::{CacheKey, PartsDigest, Store, StoreError};

/// The result that an attempt computes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AttemptKey {
    /// Its key.
    pub key: CacheKey,
    /// The parts of its key.
    pub parts: PartsDigest,
    /// A hash of what it depends on besides its inputs, as it was before the attempt started.
    pub seen: Option<[u8; 32]>,
}

impl Store {
    /// Returns which results the attempts compute that ran when the last daemon ended, as far as it can be read. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub(crate) fn attempt_keys(&self) -> Result<HashMap<AttemptId, AttemptKey>, StoreError> {
        self.read(|db| {
            // A damaged row may hold something else than text and bytes.
            let mut rows = db.prepare(
                "SELECT CAST(attempt AS BLOB), CAST(key AS BLOB), CAST(parts AS BLOB), CAST(seen AS BLOB) \
                 FROM attempt_key",
            )?;
            let rows = rows.query_map([], |row| {
                let seen: Option<Vec<u8>> = row.get(3)?;
                Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?, row.get::<_, Vec<u8>>(2)?, seen))
            })?;
            let mut found = HashMap::new();
            for row in rows {
                let (attempt, key, parts, seen) = row?;
                let name = String::from_utf8_lossy(&attempt);
                match (name.parse(), read(&key, parts, seen.as_deref())) {
                    (Ok(attempt), Some(key)) => drop(found.insert(attempt, key)),
                    _ => tracing::warn!(
                        "the key of the result of the attempt `{}` can't be read, so no other node reuses the result",
                        name.escape_debug()
                    ),
                }
            }
            Ok(found)
        })
    }
}

/// Reads a row. What was seen is read whole or not at all: without it, nobody notices that files have changed.
fn read(key: &[u8], parts: Vec<u8>, seen: Option<&[u8]>) -> Option<AttemptKey> {
    let key = CacheKey::from_bytes(key.try_into().ok()?);
    let seen = seen.map(<[u8; 32]>::try_from).transpose().ok()?;
    Some(AttemptKey { key, parts: PartsDigest::from_bytes(parts), seen })
}

/// Stores which result an attempt computes, or forgets it because the attempt has ended.
pub(super) fn set(db: &Connection, attempt: AttemptId, key: Option<&AttemptKey>) -> Result<(), StoreError> {
    match key {
        Some(AttemptKey { key, parts, seen }) => db
            .prepare_cached(
                "INSERT OR REPLACE INTO attempt_key (attempt, key, parts, seen) VALUES (?1, ?2, ?3, ?4)",
            )?
            .execute(params![attempt.to_string(), key.as_bytes(), parts.as_bytes(), seen])?,
        None => {
            db.prepare_cached("DELETE FROM attempt_key WHERE attempt = ?1")?.execute([attempt.to_string()])?
        }
    };
    Ok(())
}

/// Forgets which results all attempts compute.
pub(super) fn clear(db: &Connection) -> Result<(), StoreError> {
    db.execute("DELETE FROM attempt_key", [])?;
    Ok(())
}
