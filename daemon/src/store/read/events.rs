//! Reads the state events of runs.

use fanlight_shared::event::Numbered;
use fanlight_shared::id::RunId;
use fanlight_shared::run_state::{Edges, RunState};
use rusqlite::{Connection, OptionalExtension};

use crate::store::{StoreError, code, event_row};

/// Returns the key of a run, its state before any event, and its name.
pub(super) fn new_state(db: &Connection, id: RunId) -> Result<(i64, RunState, String), StoreError> {
    db.prepare_cached(
        "SELECT r.key, v.nodes, coalesce(v.edges, '[]'), w.slug || '#' || r.number \
         FROM run r JOIN version v ON v.key = r.version JOIN workflow w ON w.key = r.workflow \
         WHERE r.id = ?1 AND r.status <> 6",
    )?
    .query_row([id.as_bytes()], |row| {
        let (nodes, edges): (Vec<String>, Vec<String>) = (code::json(row, 1)?, code::json(row, 2)?);
        Ok((row.get(0)?, RunState::new(nodes).with_edges(&Edges::new(edges)), row.get(3)?))
    })
    .optional()?
    .ok_or_else(|| StoreError::NotFound(format!("no run {id}")))
}

/// Returns all state events of a run, in order and without gaps.
pub(super) fn events(db: &Connection, run: i64, name: &str) -> Result<Vec<Numbered>, StoreError> {
    match readable_events(db, run, name)? {
        (events, None) => Ok(events),
        (_, Some(damage)) => Err(damage),
    }
}

/// Returns the state events of a run up to the first one that is missing or can't be read, and what is wrong with that one.
pub(super) fn readable_events(
    db: &Connection,
    run: i64,
    name: &str,
) -> Result<(Vec<Numbered>, Option<StoreError>), StoreError> {
    let mut query = db.prepare_cached("SELECT seq, body FROM event WHERE run = ?1 ORDER BY seq")?;
    let mut rows = query.query([run])?;
    let mut events: Vec<Numbered> = Vec::new();
    while let Some(row) = rows.next()? {
        let expected = events.len() as u64 + 1;
        if code::unsigned(row.get(0)?) != expected {
            let damage = StoreError::Unreadable(format!("event {expected} of {name} is missing"));
            return Ok((events, Some(damage)));
        }
        match event_row::read(row, name, &mut events) {
            Ok(()) => {}
            Err(damage @ StoreError::Unreadable(_)) => return Ok((events, Some(damage))),
            Err(error) => return Err(error),
        }
    }
    Ok((events, None))
}
