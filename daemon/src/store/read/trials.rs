//! The trials of a search.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::Page;
use fanlight_shared::rpc::sweeps::{TrialRow, Trials};
use rusqlite::{Row, params};

use super::{page, sweep};
use crate::store::{Store, StoreError, code};

/// The first place of a trial that has not ended: they follow all that have.
const OPEN: i64 = 1 << 40;

impl Store {
    /// Returns a page of the trials of a search and of the other runs of its sweep, in the order in which they ended; then the
    /// trials that have not ended. Blocks.
    ///
    /// # Errors
    /// There is no such sweep, or the cursor is invalid.
    pub fn trials(&self, trials: &Trials) -> Result<Page<TrialRow>, StoreError> {
        const LIST: page::List = page::List("sweeps.trials");
        let after = LIST.parse(trials.cursor.as_deref(), |key| key.parse::<i64>().ok())?.unwrap_or(0);
        let limit = page::limit(trials.limit);
        self.read(|db| {
            let sweep = sweep::find(db, &trials.sweep)?;
            let slug: String = db
                .prepare_cached(
                    "SELECT w.slug FROM sweep s JOIN workflow w ON w.key = s.workflow WHERE s.key = ?1",
                )?
                .query_row([sweep], |row| row.get(0))?;
            let trial = |row: &Row<'_>| {
                let number: u32 = row.get(2)?;
                let trial = TrialRow {
                    run: format!("{slug}#{number}"),
                    run_id: RunId::from_bytes(row.get(1)?),
                    params: code::json(row, 3)?,
                    outcome: match row.get_ref(4)? {
                        rusqlite::types::ValueRef::Null => None,
                        _ => Some(code::json(row, 4)?),
                    },
                };
                Ok::<_, rusqlite::Error>((row.get::<_, i64>(0)?, trial))
            };
            let mut page = LIST.page(limit);
            for query in [
                "SELECT place, run, number, params, outcome FROM observation WHERE sweep = ?1 AND place > ?2 ORDER BY place",
                "SELECT ?3 + t.number, t.run, r.number, t.params, NULL FROM trial t JOIN run r ON r.id = t.run \
                 WHERE t.sweep = ?1 AND ?3 + t.number > ?2 \
                 AND NOT EXISTS (SELECT 1 FROM observation o WHERE o.run = t.run) ORDER BY t.number",
            ] {
                let mut query = db.prepare_cached(query)?;
                let mut rows = if query.parameter_count() == 2 {
                    query.query(params![sweep, after])?
                } else {
                    query.query(params![sweep, after, OPEN])?
                };
                while let Some(row) = rows.next()? {
                    let (place, trial) = trial(row)?;
                    if !page.add(place, trial) {
                        return Ok(page.finish(i64::to_string));
                    }
                }
            }
            Ok(page.finish(i64::to_string))
        })
    }
}
