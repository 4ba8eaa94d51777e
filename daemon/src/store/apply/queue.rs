//! The positions of waiting runs.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::queue::To;
use rusqlite::{Connection, params};

use super::{Apply, Done};
use crate::store::code;

/// A place in the queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// Before all others.
    Next,
    /// After what waits already. The engine takes turns among these, the higher priorities first.
    Turn,
    /// After all others, also after those that are submitted later.
    Later,
}

/// Returns the first of `count` consecutive positions.
pub(super) fn positions(db: &Connection, place: Place, count: i64) -> Done<i64> {
    let (head, tail): (Option<i64>, Option<i64>) = (
        db.prepare_cached("SELECT min(queue_position) FROM run INDEXED BY run_in_queue WHERE status = 0")?
            .query_row([], |row| row.get(0))?,
        db.prepare_cached(
            "SELECT max(queue_position) FROM run INDEXED BY run_in_queue \
             WHERE status = 0 AND (?2 OR queue_position < ?1)",
        )?
        .query_row(params![code::LATER_POSITIONS, place == Place::Later], |row| row.get(0))?,
    );
    Ok(match place {
        Place::Next => head.unwrap_or(0).min(code::NEXT_POSITIONS) - count,
        Place::Turn => tail.unwrap_or(0).max(0) + 1,
        Place::Later => tail.unwrap_or(0).max(code::LATER_POSITIONS) + 1,
    })
}

impl Apply {
    /// Moves waiting runs; one that has started or was deleted meanwhile has no place.
    pub(super) fn move_runs(&self, db: &Connection, runs: &[RunId], to: To) -> Done {
        let place = match to {
            To::Next => Place::Next,
            To::Later => Place::Later,
            To::Priority(_) => Place::Turn,
        };
        let priority = match to {
            To::Priority(priority) => Some(priority),
            To::Next | To::Later => None,
        };
        let first = positions(db, place, runs.len() as i64)?;
        let mut update = db.prepare_cached(
            "UPDATE run SET queue_position = ?2, priority = coalesce(?3, priority) WHERE id = ?1 AND status = 0",
        )?;
        for (run, position) in runs.iter().zip(first..) {
            update.execute(params![run.as_bytes(), position, priority])?;
        }
        Ok(())
    }
}
