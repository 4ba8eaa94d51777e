//! Writes what is pending.

use indexmap::IndexMap;
use rusqlite::{Connection, params};

use super::pending::Pending;
use super::{Apply, Done, Work};

impl Apply {
    /// Writes all pending rows.
    pub(super) fn flush(&self, db: &Connection, work: &mut Work) -> Done {
        let Pending { events, mut values, evict, .. } = std::mem::take(&mut *self.pending.borrow_mut());
        if !events.is_empty() {
            let mut insert = db.prepare_cached("INSERT INTO event (run, seq, body) VALUES (?1, ?2, ?3)")?;
            for (run, mut rows) in events {
                for row in &mut rows {
                    let (seq, body) = row.columns();
                    insert.execute(params![run, seq, body])?;
                }
            }
        }
        for (workflow, keep) in evict {
            for run in self.to_evict(db, workflow, keep)? {
                // Assets show some of them.
                if Self::has_assets(db, run)?
                    && let Some(values) = values.remove(&run)
                {
                    self.write_values(db, work, run, values)?;
                }
                for value in values.get_mut(&run).into_iter().flat_map(IndexMap::values_mut) {
                    let stored = std::mem::take(&mut value.stored);
                    self.release_stored(db, work, &stored)?;
                }
                self.evict_run(db, work, run)?;
            }
        }
        values.into_iter().try_for_each(|(run, values)| self.write_values(db, work, run, values))
    }
}
