//! Which asset or value stored bytes belong to, for messages.

use fanlight_shared::id::{AssetId, BlobHash};
use rusqlite::{Connection, OptionalExtension};

use crate::store::StoreError;

/// Returns what names these bytes, in words: an asset, else a value of a run. Looks through all of them, so it is for
/// errors alone.
pub(in crate::store) fn of(db: &Connection, hash: BlobHash) -> Result<Option<String>, StoreError> {
    let name = hash.to_string();
    if let Some(found) = asset(db, &name)? {
        return Ok(Some(found));
    }
    // A file of a folder is named by the folder's list of files.
    let folders = db
        .prepare_cached(
            "SELECT hash FROM blob WHERE folder = 1 AND inline IS NOT NULL AND instr(inline, ?1) > 0",
        )?
        .query_map([name.as_bytes()], |row| row.get(0).map(BlobHash::from_bytes))?
        .collect::<Result<Vec<_>, _>>()?;
    for folder in folders {
        if let Some(found) = asset(db, &folder.to_string())? {
            return Ok(Some(format!("a file of {found}")));
        }
    }
    Ok(db
        .prepare_cached(
            "SELECT w.slug || '#' || r.number, v.node, v.port FROM value v JOIN run r ON r.key = v.run \
             JOIN workflow w ON w.key = r.workflow WHERE v.large = ?1 OR instr(v.body, ?2) > 0 LIMIT 1",
        )?
        .query_row(rusqlite::params![hash.as_bytes(), name], |row| {
            let (run, node, port): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(format!("the value `{node}.{port}` of {run}"))
        })
        .optional()?)
}

fn asset(db: &Connection, hash: &str) -> Result<Option<String>, StoreError> {
    Ok(db
        .prepare_cached(
            "SELECT a.id, a.name, w.slug || '#' || r.number, a.node FROM asset a JOIN run r ON r.key = a.run \
             JOIN workflow w ON w.key = a.workflow WHERE instr(a.value, ?1) > 0 LIMIT 1",
        )?
        .query_row([hash], |row| {
            let id = AssetId::from_bytes(row.get(0)?);
            let (name, run, node): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(format!("the asset `{name}` ({id}) of {run}, node `{node}`"))
        })
        .optional()?)
}
