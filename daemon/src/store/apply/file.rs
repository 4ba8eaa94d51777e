//! The files of the workflows that a run starts.

use rusqlite::{Connection, OptionalExtension, params};

use super::{Apply, Done};
use crate::store::{ChildFiles, NewFile, NewVersion};

impl Apply {
    /// Stores the files of the workflows that a run starts.
    pub(super) fn store_files(&self, db: &Connection, run: i64, files: &ChildFiles) -> Done {
        match files {
            ChildFiles::Read(files) => files.iter().try_for_each(|file| store(db, run, file)),
            ChildFiles::Of(other) => {
                let other = self.key(db, *other)?.run;
                db.prepare_cached(
                    "INSERT INTO run_file (run, reader, name, path, version) \
                     SELECT ?1, reader, name, path, version FROM run_file WHERE run = ?2",
                )?
                .execute([run, other])?;
                Ok(())
            }
        }
    }

    /// Removes the files of a deleted run.
    pub(super) fn drop_files(db: &Connection, run: i64) -> Done {
        let versions = db
            .prepare_cached("SELECT DISTINCT version FROM run_file WHERE run = ?1")?
            .query_map([run], |row| row.get(0))?
            .collect::<Result<Vec<i64>, _>>()?;
        db.prepare_cached("DELETE FROM run_file WHERE run = ?1")?.execute([run])?;
        versions.into_iter().try_for_each(|version| drop_version(db, version))
    }
}

fn store(db: &Connection, run: i64, file: &NewFile) -> Done {
    let NewFile { reader, name, path, version } = file;
    let version = self::version(db, version)?;
    db.prepare_cached("INSERT INTO run_file (run, reader, name, path, version) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![run, reader, name, path, version])?;
    Ok(())
}

/// Returns the row of a version; its document is stored once.
pub(super) fn version(db: &Connection, version: &NewVersion) -> Done<i64> {
    let NewVersion { hash, document, nodes, edges, concurrency, on_end } = version;
    let on_end = (!on_end.is_empty()).then(|| serde_json::to_string(on_end)).transpose()?;
    let known = db
        .prepare_cached("SELECT key FROM version WHERE hash = ?1")?
        .query_row([hash.as_str()], |row| row.get(0))
        .optional()?;
    let edges = serde_json::to_string(edges)?;
    if let Some(key) = known {
        // An earlier version may have stored it without edges.
        db.prepare_cached("UPDATE version SET edges = ?2 WHERE key = ?1 AND edges IS NULL")?
            .execute(params![key, edges])?;
        if on_end.is_some() {
            // An import doesn't take it from the archive.
            db.prepare_cached("UPDATE version SET on_end = ?2 WHERE key = ?1 AND on_end IS NULL")?
                .execute(params![key, on_end])?;
        }
        return Ok(key);
    }
    let nodes = serde_json::to_string(nodes)?;
    Ok(db
        .prepare_cached(
            "INSERT INTO version (hash, document, nodes, edges, concurrency, on_end) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .insert(params![hash.as_str(), document, nodes, edges, concurrency, on_end])?)
}

/// Removes a version that nothing refers to.
pub(super) fn drop_version(db: &Connection, version: i64) -> Done {
    db.prepare_cached(
        "DELETE FROM version WHERE key = ?1 AND NOT EXISTS (SELECT 1 FROM run WHERE run.version = ?1) \
         AND NOT EXISTS (SELECT 1 FROM workflow WHERE workflow.version = ?1) \
         AND NOT EXISTS (SELECT 1 FROM run_file WHERE run_file.version = ?1)",
    )?
    .execute([version])?;
    Ok(())
}
