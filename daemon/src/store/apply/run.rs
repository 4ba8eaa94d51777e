//! State events of a run, and the row that follows from them.

use fanlight_shared::event::{Numbered, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::run_state::Summary;
use fanlight_shared::time::Time;
use rusqlite::{Connection, params};

use super::{Apply, Done, Work};
use crate::store::code;

impl Apply {
    /// Stores a state event and folds it into the summary of its run. The row is written once for all events of the batch.
    pub(super) fn store_event(&self, db: &Connection, work: &mut Work, run: RunId, event: &Numbered) -> Done {
        let key = self.key(db, run)?.run;
        let body = serde_json::to_string(&event.event)?;
        db.prepare_cached("INSERT INTO event (run, seq, body) VALUES (?1, ?2, ?3)")?.execute(params![
            key,
            code::signed(event.seq),
            body
        ])?;
        let mut summaries = self.summaries.borrow_mut();
        let summary = match summaries.get_mut(&run) {
            Some(summary) => summary,
            None => summaries.entry(run).or_insert(stored(db, key)?),
        };
        if summary.fold(&event.event) {
            work.rows.insert(run, key);
        }
        drop(summaries);
        match &event.event {
            StateEvent::RunUpdate(update) if update.status.is_ended() => {
                self.run_ended(db, key, update.status, update.at)
            }
            _ => Ok(()),
        }
    }

    /// Sets the row of a run.
    pub(super) fn set_row(&self, db: &Connection, work: &mut Work, run: RunId, summary: &Summary) -> Done {
        let key = self.key(db, run)?.run;
        work.rows.insert(run, key);
        self.summaries.borrow_mut().insert(run, summary.clone());
        if summary.status.is_ended() && !stored(db, key)?.status.is_ended() {
            // Its events can't be read, so none says that it ended.
            return self.run_ended(db, key, summary.status, summary.ended_at.unwrap_or_else(Time::now));
        }
        Ok(())
    }

    /// Writes the rows of runs that changed in this batch: all of them, or those of runs that ended.
    pub(super) fn write_rows(&self, db: &Connection, work: &mut Work, ended: bool) -> Done {
        let mut summaries = self.summaries.borrow_mut();
        let mut rest = Vec::new();
        for (run, key) in work.rows.drain(..) {
            let Some(summary) = summaries.get(&run) else { continue };
            if ended && !summary.status.is_ended() {
                rest.push((run, key));
                continue;
            }
            write(db, key, summary)?;
            if summary.status.is_ended() {
                // It changes no more.
                summaries.remove(&run);
            }
        }
        work.rows.extend(rest);
        Ok(())
    }
}

fn stored(db: &Connection, key: i64) -> rusqlite::Result<Summary> {
    db.prepare_cached(
        "SELECT status, started_at, start_order, ended_at, error, nodes_done, cost_usd, input_tokens, output_tokens, \
         unpriced FROM run WHERE key = ?1",
    )?
    .query_row([key], |row| {
        Ok(Summary {
            status: code::status_from(row.get(0)?),
            started_at: row.get::<_, Option<i64>>(1)?.map(Time),
            start_order: row.get::<_, Option<i64>>(2)?.map(code::unsigned),
            ended_at: row.get::<_, Option<i64>>(3)?.map(Time),
            error: row.get(4)?,
            nodes_done: row.get(5)?,
            spent: code::spent(row, 6, 9)?,
        })
    })
}

fn write(db: &Connection, key: i64, summary: &Summary) -> rusqlite::Result<()> {
    let Summary { status, started_at, start_order, ended_at, error, nodes_done, spent } = summary;
    db.prepare_cached(
        "UPDATE run SET status = ?2, started_at = ?3, start_order = ?4, ended_at = ?5, error = ?6, \
         nodes_done = ?7, cost_usd = ?8, input_tokens = ?9, output_tokens = ?10, \
         unpriced = ?11 WHERE key = ?1",
    )?
    .execute(params![
        key,
        code::status(*status),
        started_at.map(|at| at.0),
        start_order.map(code::signed),
        ended_at.map(|at| at.0),
        error,
        nodes_done,
        spent.cost_usd,
        code::signed(spent.input_tokens),
        code::signed(spent.output_tokens),
        spent.unpriced,
    ])?;
    Ok(())
}
