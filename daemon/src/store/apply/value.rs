//! The values of ports.

use fanlight_shared::id::BlobHash;
use fanlight_shared::value::Value;
use indexmap::IndexMap;
use rusqlite::{Connection, OptionalExtension, params};

use super::pending::{PendingValue, Place};
use super::stored::Stored;
use super::{Apply, Done, Failure, Work};
use crate::store::CacheKey;
use crate::store::blob::Published;

/// The node or item whose values are stored.
#[derive(Clone, Copy)]
pub(super) struct InstanceKey<'a> {
    /// The key of its run.
    pub(super) run: i64,
    pub(super) node: &'a str,
    pub(super) item: i64,
}

impl Apply {
    /// Stores the value of one port, replacing an existing one; its row is pending. `body`: its JSON, where that lies in a blob.
    /// `cache_key`: the result that it belongs to.
    pub(super) fn store_value(
        &self,
        db: &Connection,
        work: &mut Work,
        of: &InstanceKey<'_>,
        port: &str,
        (value, body): (&Value, Option<&Published>),
        cache_key: Option<CacheKey>,
    ) -> Done {
        let cache_key = cache_key.as_ref().map(CacheKey::as_bytes);
        let InstanceKey { run, node, item } = *of;
        let stored = match body {
            Some(published) => {
                self.store_blob(db, work, published)?;
                self.reference(db, work, published.hash, false)?;
                Stored { body: None, large: Some(*published.hash.as_bytes()) }
            }
            None => Stored { body: Some(serde_json::to_string(value)?), large: None },
        };
        self.reference_value(db, work, value)?;
        let value = PendingValue { stored, cache_key: cache_key.copied() };
        let place = (node.to_owned(), item, port.to_owned());
        let replaced = self.pending.borrow_mut().add_value(run, place, value);
        replaced.map_or(Ok(()), |old| self.release_stored(db, work, &old.stored))
    }

    /// Writes pending values of a run, replacing existing ones.
    pub(super) fn write_values(
        &self,
        db: &Connection,
        work: &mut Work,
        run: i64,
        values: IndexMap<Place, PendingValue>,
    ) -> Done {
        let mut insert = db.prepare_cached(
            "INSERT INTO value (run, node, item, port, body, large, cache_key) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING",
        )?;
        for ((node, item, port), PendingValue { stored, cache_key }) in values {
            if insert.execute(params![run, node, item, port, stored.body, stored.large, cache_key])? > 0 {
                continue;
            }
            let old = db
                .prepare_cached(
                    "SELECT body, large FROM value WHERE run = ?1 AND node = ?2 AND item = ?3 AND port = ?4",
                )?
                .query_row(params![run, node, item, port], |row| {
                    Ok(Stored { body: row.get(0)?, large: row.get(1)? })
                })?;
            self.release_stored(db, work, &old)?;
            db.prepare_cached(
                "UPDATE value SET body = ?5, large = ?6, cache_key = ?7 \
                 WHERE run = ?1 AND node = ?2 AND item = ?3 AND port = ?4",
            )?
            .execute(params![run, node, item, port, stored.body, stored.large, cache_key])?;
        }
        Ok(())
    }

    /// Removes the value of one port, if it has one.
    pub(super) fn drop_value(
        &self,
        db: &Connection,
        work: &mut Work,
        of: &InstanceKey<'_>,
        port: &str,
    ) -> Done {
        let InstanceKey { run, node, item } = *of;
        let old = db
            .prepare_cached(
                "DELETE FROM value WHERE run = ?1 AND node = ?2 AND item = ?3 AND port = ?4 RETURNING body, large",
            )?
            .query_row(params![run, node, item, port], |row| {
                Ok(Stored { body: row.get(0)?, large: row.get(1)? })
            })
            .optional()?;
        old.map_or(Ok(()), |old| self.release_stored(db, work, &old))
    }

    /// Adds references for a copy of a row.
    pub(super) fn reference_stored(&self, db: &Connection, work: &mut Work, stored: &Stored) -> Done {
        if let Some(value) = self.value_with_media(db, stored)? {
            self.reference_value(db, work, &value)?;
        }
        match stored.large {
            Some(hash) => self.reference(db, work, BlobHash::from_bytes(hash), false),
            None => Ok(()),
        }
    }

    /// Drops the references of a row's value.
    pub(super) fn release_stored(&self, db: &Connection, work: &mut Work, stored: &Stored) -> Done {
        match self.value_with_media(db, stored) {
            Ok(None) => {}
            Ok(Some(value)) => self.release_value(db, work, &value)?,
            // Its references can't be determined; the row is still deleted.
            Err(Failure::Batch(error)) => tracing::warn!("the bytes of a deleted value stay: {error}"),
            Err(error) => return Err(error),
        }
        match stored.large {
            Some(hash) => self.release(db, work, BlobHash::from_bytes(hash)),
            None => Ok(()),
        }
    }

    /// Returns the value of a row, if it may name media.
    pub(super) fn value_with_media(&self, db: &Connection, stored: &Stored) -> Done<Option<Value>> {
        let large;
        let body = match (&stored.body, stored.large) {
            (Some(body), _) => body.as_bytes(),
            (None, Some(hash)) => {
                large = self.bytes(db, BlobHash::from_bytes(hash))?;
                &large
            }
            (None, None) => return Ok(None),
        };
        const MARKS: [&[u8]; 2] = [b"\"$media\"", b"\"$large\""];
        if !body.windows(MARKS[0].len()).any(|part| MARKS.contains(&part)) {
            return Ok(None);
        }
        Ok(Some(serde_json::from_slice(body)?))
    }
}
