//! Why a result was not found: the earlier results of such a node, and in what their keys differ.

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Origin;
use fanlight_shared::time::Time;
use rusqlite::{Connection, OptionalExtension, params};

use super::{PartsDigest, origin};
use crate::store::{Store, StoreError, code};

/// How many earlier results are compared.
const MAX_COMPARED: i64 = 200;

/// The earlier results of a node like one that was computed.
#[derive(Debug)]
pub enum Nearest {
    /// Its own result is not stored, or the parts of its key are not known.
    NotStored,
    /// The one with the same key, which was found damaged.
    Damaged(Origin),
    /// No earlier result of a node with this name and type is stored.
    First,
    /// The one whose key has the fewest different parts, and these parts.
    Differs(Origin, Vec<String>),
}

impl Store {
    /// Compares the key of a result that a node or item computed with those of earlier results of nodes that have its name and
    /// type. `started`: when it began to compute. Blocks.
    ///
    /// # Errors
    /// An error of SQLite.
    pub fn nearest_result(
        &self,
        run: RunId,
        node: &str,
        item: ItemPath,
        started: Time,
    ) -> Result<Nearest, StoreError> {
        self.read(|db| {
            let Some(OwnEntry { entry, node_type, parts, is_made }) = own_entry(db, run, node, item)? else {
                return Ok(Nearest::NotStored);
            };
            if let Some(earlier) = parts.damaged().filter(|_| is_made) {
                return Ok(Nearest::Damaged(earlier));
            }
            let mut query = db.prepare_cached(
                "SELECT run, name, node, item, parts FROM cache WHERE node = ?1 AND type = ?2 AND entry <> ?3 \
                 AND created_at <= ?4 AND parts IS NOT NULL ORDER BY entry DESC LIMIT ?5",
            )?;
            let mut found = query.query(params![node, node_type, entry, started.0, MAX_COMPARED])?;
            let mut nearest: Option<(Origin, Vec<String>)> = None;
            while let Some(row) = found.next()? {
                let differs = parts.differences(&PartsDigest::from_bytes(row.get(4)?));
                if nearest.as_ref().is_none_or(|(_, fewest)| differs.len() < fewest.len()) {
                    nearest = Some((origin(row, 0)?, differs));
                }
            }
            Ok(nearest.map_or(Nearest::First, |(origin, differs)| Nearest::Differs(origin, differs)))
        })
    }
}

/// The entry that has the result of a node or item.
struct OwnEntry {
    entry: i64,
    node_type: String,
    parts: PartsDigest,
    /// Whether it is the one that this node or item made.
    is_made: bool,
}

/// Returns the entry that has the result of a node or item.
fn own_entry(
    db: &Connection,
    run: RunId,
    node: &str,
    item: ItemPath,
) -> Result<Option<OwnEntry>, StoreError> {
    // A fresh run may have replaced the entry of this one, with the same key.
    let found = db
        .prepare_cached(
            "SELECT c.entry, c.type, c.parts, c.run = r.id AND c.node = ?2 AND c.item = ?3 FROM run r \
             JOIN value v ON v.run = r.key AND v.node = ?2 AND v.item = ?3 AND v.cache_key IS NOT NULL \
             JOIN cache c ON c.key = v.cache_key WHERE r.id = ?1 AND c.parts IS NOT NULL LIMIT 1",
        )?
        .query_row(params![run.as_bytes(), node, code::item(item)], |row| {
            Ok(OwnEntry {
                entry: row.get(0)?,
                node_type: row.get(1)?,
                parts: PartsDigest::from_bytes(row.get(2)?),
                is_made: row.get(3)?,
            })
        })
        .optional()?;
    Ok(found.filter(|own| !own.parts.is_empty()))
}
