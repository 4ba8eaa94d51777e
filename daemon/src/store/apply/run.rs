//! The row of a run.

use rusqlite::{Connection, params};

use super::{Apply, Done};
use crate::store::{Op, code};

impl Apply {
    pub(super) fn update_run(&self, db: &Connection, op: &Op) -> Done {
        let Op::Run { run, status, started_at, start_order, ended_at, error, nodes_done } = op else {
            return Ok(());
        };
        let key = self.key(db, *run)?;
        db.prepare_cached(
            "UPDATE run SET status = ?2, started_at = ?3, start_order = ?4, ended_at = ?5, error = ?6, \
             nodes_done = ?7 WHERE key = ?1",
        )?
        .execute(params![
            key.run,
            code::status(*status),
            started_at.map(|at| at.0),
            start_order.map(code::signed),
            ended_at.map(|at| at.0),
            error,
            nodes_done,
        ])?;
        Ok(())
    }
}
