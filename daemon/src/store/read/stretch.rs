//! The states of the runs of a sweep.

use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::sweeps::{Runs, Stretch};
use rusqlite::params;

use super::{page, sweep};
use crate::store::{Store, StoreError, code};

impl Store {
    /// Returns a page of the states of the runs of a sweep, in the order of their numbers. Blocks.
    ///
    /// # Errors
    /// There is no such sweep, or the cursor is invalid.
    pub fn sweep_runs(&self, runs: &Runs) -> Result<Page<Stretch>, StoreError> {
        const LIST: page::List = page::List("sweeps.runs");
        let after = LIST.parse(runs.cursor.as_deref(), |key| key.parse::<i64>().ok())?.unwrap_or(0);
        let limit = page::limit(runs.limit);
        self.read(|db| {
            let sweep = sweep::find(db, &runs.sweep)?;
            let mut query = db.prepare_cached(
                "SELECT key, number, status FROM run INDEXED BY run_by_sweep \
                 WHERE sweep = ?1 AND key > ?2 AND status <> 6 ORDER BY key",
            )?;
            let mut rows = query.query(params![sweep, after])?;
            let mut page = LIST.page(limit);
            // The key of its last run, and the stretch.
            let mut open: Option<(i64, Stretch)> = None;
            while let Some(row) = rows.next()? {
                let (key, number, state) = (row.get(0)?, row.get(1)?, code::status_from(row.get(2)?));
                match &mut open {
                    Some((last, it)) if it.state == state && number == it.first + it.count => {
                        *last = key;
                        it.count += 1;
                    }
                    _ => {
                        let next = (key, Stretch { first: number, count: 1, state });
                        if let Some((last, it)) = open.replace(next)
                            && !page.add(last, it)
                        {
                            return Ok(page.finish(i64::to_string));
                        }
                    }
                }
            }
            if let Some((last, it)) = open {
                page.add(last, it);
            }
            Ok(page.finish(i64::to_string))
        })
    }
}
