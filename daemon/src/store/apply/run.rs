//! State events of a run, and the row that follows from them.

use fanlight_shared::event::{Numbered, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::run_state::Summary;
use fanlight_shared::time::Time;
use rusqlite::{Connection, OptionalExtension, params};

use super::{Apply, Done, Failure, Work};
use crate::store::{StoreError, code, event_row};

/// What the stored events of a run say.
pub(super) struct Told {
    summary: Summary,
    /// The number of the last one.
    seq: u64,
}

impl Apply {
    /// Stores a state event and folds it into the summary of its run. The row of the run is written once for all events of the
    /// batch.
    pub(super) fn store_event(&self, db: &Connection, work: &mut Work, run: RunId, event: &Numbered) -> Done {
        let key = self.key(db, run)?.run;
        let mut summaries = self.summaries.borrow_mut();
        let told = match summaries.get_mut(&run) {
            Some(told) => told,
            None => {
                let told = Told { summary: stored(db, key)?, seq: last_seq(db, key)? };
                summaries.entry(run).or_insert(told)
            }
        };
        if event.seq <= told.seq {
            let message = format!("event {} of the run {run} is stored already", event.seq);
            return Err(Failure::Batch(StoreError::Other(message)));
        }
        told.seq = event.seq;
        self.pending.borrow_mut().add_event(key, event.seq, &event.event)?;
        if told.summary.fold(&event.event) {
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
        let mut summaries = self.summaries.borrow_mut();
        match summaries.get_mut(&run) {
            Some(told) => told.summary = summary.clone(),
            None => {
                let told = Told { summary: summary.clone(), seq: last_seq(db, key)? };
                summaries.insert(run, told);
            }
        }
        drop(summaries);
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
            let Some(Told { summary, .. }) = summaries.get(&run) else { continue };
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

/// Returns the number of the last written event of a run.
fn last_seq(db: &Connection, key: i64) -> rusqlite::Result<u64> {
    let last = db
        .prepare_cached("SELECT seq, body FROM event WHERE run = ?1 ORDER BY seq DESC LIMIT 1")?
        .query_row([key], |row| {
            // What can't be read counts as one.
            let count = row.get_ref(1)?.as_str().map_or(1, event_row::count);
            Ok(code::unsigned(row.get(0)?) + count - 1)
        })
        .optional()?;
    Ok(last.unwrap_or(0))
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
