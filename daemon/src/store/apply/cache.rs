//! Writes and removes results that later nodes reuse.

use std::collections::HashSet;

use fanlight_shared::id::{BlobHash, RunId};
use fanlight_shared::time::Time;
use rusqlite::{Connection, OptionalExtension, params};

use super::stored::Stored;
use super::{Apply, Done, Work};
use crate::store::{CacheKey, NewEntry, code};

/// The bytes that an entry counts at least, besides its values.
const ENTRY_BYTES: u64 = 512;

impl Apply {
    /// Stores a result: copies the values of its node, by reference to their bytes. Then removes the least recently used
    /// results beyond the limit.
    pub(super) fn store_entry(&self, db: &Connection, work: &mut Work, new: &NewEntry) -> Done {
        self.drop_entry(db, work, new.key)?;
        let mut parts = new.parts.clone();
        new.damaged.iter().for_each(|earlier| parts.note_damaged(earlier));
        let size = parts.as_bytes().len() as u64;
        let bytes = new.bytes.saturating_add(size.max(ENTRY_BYTES));
        if bytes > new.limit {
            return Ok(());
        }
        let (origin, at) = (&new.origin, Time::now());
        let entry = db
            .prepare_cached(
                "INSERT INTO cache (key, type, run, name, node, item, bytes, created_at, used_at, parts) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?
            .insert(params![
                new.key.as_bytes(),
                new.node_type,
                origin.run_id.as_bytes(),
                origin.run,
                origin.node,
                code::item(origin.item),
                code::signed(bytes),
                at.0,
                next_use(db, at)?,
                parts.as_bytes()
            ])?;
        let run = self.key(db, origin.run_id)?.run;
        let rows = db
            .prepare_cached("SELECT port, body, large FROM value WHERE run = ?1 AND node = ?2 AND item = ?3")?
            .query_map(params![run, origin.node, code::item(origin.item)], |row| {
                Ok((row.get(0)?, Stored { body: row.get(1)?, large: row.get(2)? }))
            })?
            .collect::<Result<Vec<(String, Stored)>, _>>()?;
        // What failed attempts left is removed later in the batch.
        for (port, stored) in rows.into_iter().filter(|(port, _)| new.ports.contains(port)) {
            self.reference_stored(db, work, &stored)?;
            let media = self.value_with_media(db, &stored)?;
            for media in media.iter().flat_map(|value| value.media()).filter(|media| media.source.is_none()) {
                db.prepare_cached("INSERT OR IGNORE INTO cache_media (hash, entry) VALUES (?1, ?2)")?
                    .execute(params![media.hash.as_bytes(), entry])?;
            }
            db.prepare_cached("INSERT INTO cache_value (entry, port, body, large) VALUES (?1, ?2, ?3, ?4)")?
                .execute(params![entry, port, stored.body, stored.large])?;
        }
        self.count_cached(db, |all| all.saturating_add(bytes))?;
        self.evict_entries(db, work, new.limit)
    }

    /// Records that a result was reused.
    pub(super) fn entry_used(db: &Connection, key: CacheKey, at: Time) -> Done {
        db.prepare_cached("UPDATE cache SET used_at = ?2, uses = uses + 1 WHERE key = ?1")?
            .execute(params![key.as_bytes(), next_use(db, at)?])?;
        Ok(())
    }

    /// Removes the results that a deleted asset is a part of, or whose media it showed.
    pub(super) fn drop_entries_of(
        &self,
        db: &Connection,
        work: &mut Work,
        (run_key, run): (i64, RunId),
        (node, item): (&str, i64),
        media: &HashSet<BlobHash>,
    ) -> Done {
        // The list of a node with `each` is made of the results of its items. The entries may belong to other runs: this one
        // reused them, or a fresh one replaced them.
        let keys = db
            .prepare_cached(
                "SELECT DISTINCT cache_key FROM value \
                 WHERE run = ?1 AND node = ?2 AND (item = ?3 OR ?3 = -1) AND cache_key IS NOT NULL",
            )?
            .query_map(params![run_key, node, item], |row| row.get(0).map(CacheKey::from_bytes))?
            .collect::<Result<Vec<_>, _>>()?;
        keys.into_iter().try_for_each(|key| self.drop_entry(db, work, key))?;
        let mut entries: HashSet<i64> = db
            .prepare_cached(
                "SELECT entry FROM cache WHERE run = ?1 AND node = ?2 AND (item = ?3 OR ?3 = -1)",
            )?
            .query_map(params![run.as_bytes(), node, item], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for hash in media {
            let mut query = db.prepare_cached("SELECT entry FROM cache_media WHERE hash = ?1")?;
            for entry in query.query_map([hash.as_bytes()], |row| row.get(0))? {
                entries.insert(entry?);
            }
        }
        entries.into_iter().try_for_each(|entry| self.drop_row(db, work, entry))
    }

    pub(super) fn drop_entry(&self, db: &Connection, work: &mut Work, key: CacheKey) -> Done {
        let entry = db
            .prepare_cached("SELECT entry FROM cache WHERE key = ?1")?
            .query_row([key.as_bytes()], |row| row.get(0))
            .optional()?;
        entry.map_or(Ok(()), |entry| self.drop_row(db, work, entry))
    }

    fn drop_row(&self, db: &Connection, work: &mut Work, entry: i64) -> Done {
        let values = db
            .prepare_cached("DELETE FROM cache_value WHERE entry = ?1 RETURNING body, large")?
            .query_map([entry], |row| Ok(Stored { body: row.get(0)?, large: row.get(1)? }))?
            .collect::<Result<Vec<_>, _>>()?;
        for stored in values {
            self.release_stored(db, work, &stored)?;
        }
        db.prepare_cached("DELETE FROM cache_media WHERE entry = ?1")?.execute([entry])?;
        // The size is read before the row goes, if it was not known yet.
        self.count_cached(db, |all| all)?;
        let bytes: Option<i64> = db
            .prepare_cached("DELETE FROM cache WHERE entry = ?1 RETURNING bytes")?
            .query_row([entry], |row| row.get(0))
            .optional()?;
        work.committed.removed_entries += u64::from(bytes.is_some());
        self.count_cached(db, |all| all.saturating_sub(bytes.map_or(0, code::unsigned)))
    }

    /// Removes this many of the least recently used results.
    pub(super) fn drop_oldest(&self, db: &Connection, work: &mut Work, count: u32) -> Done {
        let entries = db
            .prepare_cached("SELECT entry FROM cache ORDER BY used_at, entry LIMIT ?1")?
            .query_map([count], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        entries.into_iter().try_for_each(|entry| self.drop_row(db, work, entry))
    }

    /// Removes the least recently used results beyond a limit, which may be lower than it was.
    pub(super) fn limit_entries(&self, db: &Connection, work: &mut Work, limit: u64) -> Done {
        self.count_cached(db, |all| all)?;
        self.evict_entries(db, work, limit)
    }

    /// Removes the least recently used results until all together have at most `limit` bytes.
    fn evict_entries(&self, db: &Connection, work: &mut Work, limit: u64) -> Done {
        while self.cache_bytes.get().is_some_and(|all| all > limit) {
            let oldest = db
                .prepare_cached("SELECT entry FROM cache ORDER BY used_at, entry LIMIT 1")?
                .query_row([], |row| row.get(0))
                .optional()?;
            let Some(entry) = oldest else { return Ok(()) };
            self.drop_row(db, work, entry)?;
        }
        Ok(())
    }

    /// Changes the size of all results.
    fn count_cached(&self, db: &Connection, change: impl FnOnce(u64) -> u64) -> Done {
        let all = match self.cache_bytes.get() {
            Some(all) => change(all),
            // The rows have changed already.
            None => code::unsigned(
                db.prepare_cached("SELECT coalesce(sum(bytes), 0) FROM cache")?
                    .query_row([], |row| row.get(0))?,
            ),
        };
        self.cache_bytes.set(Some(all));
        Ok(())
    }
}

/// Returns the time of a use, later than that of every other one, whatever the clock says.
fn next_use(db: &Connection, at: Time) -> rusqlite::Result<i64> {
    let last: Option<i64> =
        db.prepare_cached("SELECT max(used_at) FROM cache")?.query_row([], |row| row.get(0))?;
    Ok(last.map_or(at.0, |last| at.0.max(last.saturating_add(1))))
}
