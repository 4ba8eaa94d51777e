//! Checks references to bytes against the stored bytes.

use std::collections::HashMap;

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::DirManifest;
use fanlight_shared::value::Value;
use rusqlite::Connection;

use super::Report;
use crate::store::{Store, StoreError};

/// How often something is referenced, and its first reference.
struct Named {
    count: i64,
    by: String,
}

#[derive(Default)]
struct Names {
    of: HashMap<BlobHash, Named>,
    folders: HashMap<BlobHash, String>,
}

impl Names {
    fn add(&mut self, hash: BlobHash, by: &str) {
        self.of.entry(hash).or_insert_with(|| Named { count: 0, by: by.to_owned() }).count += 1;
    }

    fn add_value(&mut self, value: &Value, by: &str) {
        for (hash, folder) in value.blobs() {
            self.add(hash, by);
            if folder {
                self.folders.entry(hash).or_insert_with(|| by.to_owned());
            }
        }
    }
}

/// Checks that the bytes of every value, asset and param exist, and that their reference counts are right.
pub(super) fn check(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    // One transaction, so that counts and references are consistent.
    let found = store.read(|db| {
        let mut names = Names::default();
        let mut found = Vec::new();
        collect(store, db, &mut names, &mut found)?;
        compare(db, &names, &mut found)?;
        report.checked(format!("references to stored bytes: {}", names.of.len()));
        Ok(found)
    })?;
    report.problems(found, "wrong references");
    Ok(())
}

fn collect(
    store: &Store,
    db: &Connection,
    names: &mut Names,
    found: &mut Vec<String>,
) -> Result<(), StoreError> {
    let sources = [
        "SELECT w.slug || '#' || r.number || ', node ' || v.node || ', port ' || v.port, v.body, v.large \
         FROM value v JOIN run r ON r.key = v.run JOIN workflow w ON w.key = r.workflow \
         WHERE v.large IS NOT NULL OR instr(v.body, '\"$media\"') > 0 OR instr(v.body, '\"$large\"') > 0",
        "SELECT 'the asset ' || a.name || ' of ' || w.slug || '#' || r.number, a.value, NULL \
         FROM asset a JOIN run r ON r.key = a.run JOIN workflow w ON w.key = r.workflow \
         WHERE instr(a.value, '\"$media\"') > 0 OR instr(a.value, '\"$large\"') > 0",
        "SELECT 'the cached result of ' || c.name || ', node ' || c.node || ', port ' || v.port, v.body, v.large \
         FROM cache c JOIN cache_value v ON v.entry = c.entry \
         WHERE v.large IS NOT NULL OR instr(v.body, '\"$media\"') > 0 OR instr(v.body, '\"$large\"') > 0",
    ];
    for sql in sources {
        let mut query = db.prepare_cached(sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let by: String = row.get(0)?;
            let (body, large): (Option<String>, Option<[u8; 32]>) = (row.get(1)?, row.get(2)?);
            let large = large.map(BlobHash::from_bytes);
            let json = match (body, large) {
                (Some(body), _) => body.into_bytes(),
                (None, Some(hash)) => {
                    names.add(hash, &by);
                    // A missing file is reported with the stored bytes.
                    std::fs::read(store.blobs().path(hash)).unwrap_or_default()
                }
                (None, None) => continue,
            };
            match serde_json::from_slice::<Value>(&json) {
                Ok(value) => names.add_value(&value, &by),
                Err(_) if large.is_some() => {}
                Err(error) => found.push(format!("{by}: its value can't be read ({error}); delete it")),
            }
        }
    }
    let mut query = db.prepare_cached(
        "SELECT 'the params of ' || w.slug || '#' || r.number, r.params FROM run r \
         JOIN workflow w ON w.key = r.workflow WHERE instr(r.params, '\"$media\"') > 0 OR instr(r.params, '\"$large\"') > 0",
    )?;
    let mut rows = query.query([])?;
    while let Some(row) = rows.next()? {
        let (by, params): (String, String) = (row.get(0)?, row.get(1)?);
        match serde_json::from_str::<HashMap<String, Value>>(&params) {
            Ok(params) => params.values().for_each(|value| names.add_value(value, &by)),
            Err(error) => found.push(format!("{by} can't be read ({error}); delete the run")),
        }
    }
    for (hash, by) in std::mem::take(&mut names.folders) {
        let inline: Option<Vec<u8>> = db
            .prepare_cached("SELECT inline FROM blob WHERE hash = ?1")?
            .query_row([hash.as_bytes()], |row| row.get(0))
            .unwrap_or_default();
        let json = inline.unwrap_or_else(|| std::fs::read(store.blobs().path(hash)).unwrap_or_default());
        match serde_json::from_slice::<DirManifest>(&json) {
            Ok(manifest) => manifest.files.iter().for_each(|entry| names.add(entry.hash, &by)),
            Err(error) => {
                found.push(format!("{by}: the list of files of a folder can't be read ({error}); delete it"))
            }
        }
    }
    Ok(())
}

fn compare(db: &Connection, names: &Names, found: &mut Vec<String>) -> Result<(), StoreError> {
    let counted: HashMap<BlobHash, i64> = db
        .prepare_cached("SELECT hash, refs FROM blob")?
        .query_map([], |row| Ok((BlobHash::from_bytes(row.get(0)?), row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (hash, named) in &names.of {
        match counted.get(hash) {
            None => found.push(format!("{} refers to the bytes {hash}, which are not stored; delete it", named.by)),
            Some(refs) if *refs != named.count => found.push(format!(
                "the bytes {hash} are counted {refs} times but referenced {} times, by {} among others; report this as a bug in Fanlight",
                named.count, named.by
            )),
            Some(_) => {}
        }
    }
    for (hash, refs) in &counted {
        if *refs > 0 && !names.of.contains_key(hash) {
            found.push(format!(
                "the bytes {hash} are counted {refs} times but never referenced; report this as a bug in Fanlight"
            ));
        }
    }
    Ok(())
}
