//! What is in the files of a home, without a daemon.

use std::collections::HashMap;
use std::path::Path;

use fanlight_shared::id::{BlobHash, RunId};
use rusqlite::{Connection, OptionalExtension as _};
use serde_json::Value as Json;

use super::said::Fact;

/// Returns what is missing or damaged below the folder `data`.
pub(super) fn missing<'a>(data: &Path, facts: impl Iterator<Item = &'a Fact>) -> Result<(), String> {
    let path = data.join("fanlight.db");
    let facts: Vec<&Fact> = facts.collect();
    let length = std::fs::metadata(&path).map_or(0, |it| it.len());
    let log = data.join("fanlight.db-wal");
    if facts.is_empty() && length == 0 && !log.exists() {
        return Ok(());
    }
    if length == 0 && !path.exists() {
        return Err("there is no database".into());
    }
    let wrong = |error: rusqlite::Error| format!("the database can't be read: {error}");
    let db = Connection::open(&path).map_err(wrong)?;
    // What is read here is thrown away.
    db.pragma_update(None, "synchronous", "OFF").map_err(wrong)?;
    let sound: String = db.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(wrong)?;
    if sound != "ok" {
        return Err(format!("the database is damaged: {sound}"));
    }
    let tables: u32 =
        db.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0)).map_err(wrong)?;
    if tables == 0 {
        return if facts.is_empty() { Ok(()) } else { Err("the database is empty".into()) };
    }
    let version: u32 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(wrong)?;
    if version > 0 {
        events(&db, &facts)?;
        blobs(&db, data).map_err(wrong)??;
    }
    Ok(())
}

fn events(db: &Connection, facts: &[&Fact]) -> Result<(), String> {
    let wrong = |error: rusqlite::Error| error.to_string();
    let mut statement = db
        .prepare("SELECT r.id, e.seq, e.body FROM run r LEFT JOIN event e ON e.run = r.key")
        .map_err(wrong)?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, [u8; 16]>(0)?, row.get(1)?, row.get(2)?)));
    let mut runs: HashMap<String, HashMap<u64, Json>> = HashMap::new();
    for row in rows.map_err(wrong)? {
        let (id, seq, body): (_, Option<u64>, Option<String>) = row.map_err(wrong)?;
        let events = runs.entry(RunId::from_bytes(id).to_string()).or_default();
        if let (Some(seq), Some(body)) = (seq, body) {
            // One event, or consecutive ones.
            let several = match serde_json::from_str(&body).map_err(|error| error.to_string())? {
                Json::Array(several) => several,
                one => vec![one],
            };
            events.extend((seq..).zip(several));
        }
    }
    for (run, events) in &runs {
        let dense = (1..=events.len() as u64).all(|seq| events.contains_key(&seq));
        if !dense {
            return Err(format!("the events of {run} have a gap"));
        }
    }
    for fact in facts {
        let Some(events) = runs.get(fact.run()) else {
            return Err(format!("the run {} was acknowledged and is gone", fact.run()));
        };
        match fact {
            Fact::Event { run, seq, event } if events.get(seq) != Some(event) => {
                return Err(format!(
                    "event {seq} of {run} was sent: {event}\nstored is {:?}",
                    events.get(seq)
                ));
            }
            Fact::Row { run, ended: Some(state), .. } => {
                let ended = |it: &Json| it["type"] == "run_update" && it["status"] == **state;
                if !events.values().any(ended) {
                    return Err(format!("the run {run} was {state}"));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Checks that all bytes to which something refers are there.
fn blobs(db: &Connection, data: &Path) -> rusqlite::Result<Result<(), String>> {
    let table = db.query_row("SELECT 1 FROM sqlite_master WHERE name = 'blob'", [], |_| Ok(())).optional()?;
    if table.is_none() {
        return Ok(Ok(()));
    }
    let mut statement = db.prepare("SELECT hash, inline FROM blob WHERE refs > 0")?;
    let blobs =
        statement.query_map([], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Option<Vec<u8>>>(1)?)))?;
    for blob in blobs {
        let (hash, inline) = blob?;
        let name = BlobHash::from_bytes(hash).to_string();
        let path = data.join("blobs").join(&name[..2]).join(&name[2..]);
        let bytes = inline.map_or_else(|| std::fs::read(&path), Ok);
        if !bytes.is_ok_and(|bytes| BlobHash::of(&bytes).to_string() == name) {
            return Ok(Err(format!("the bytes {name}, to which something refers, are missing or damaged")));
        }
    }
    Ok(Ok(()))
}
