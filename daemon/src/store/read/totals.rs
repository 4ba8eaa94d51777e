//! The cost and the tokens of several runs.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs::{Total, TotalsResponse};
use rusqlite::{Connection, OptionalExtension, Row};

use crate::store::{Store, StoreError, code};

impl Store {
    /// Returns the sums over the runs of a run's submission, and over those of its workflow. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn totals(&self, id: RunId) -> Result<TotalsResponse, StoreError> {
        self.read(|db| {
            let run = db
                .prepare_cached(
                    "SELECT key - place, submission, workflow FROM run WHERE id = ?1 AND status <> 6",
                )?
                .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((first, submission, workflow)) = run else {
                return Err(StoreError::NotFound(format!("no run has the id {id}")));
            };
            Ok(TotalsResponse {
                submission: of_submission(db, first, submission)?,
                workflow: of_workflow(db, workflow)?,
            })
        })
    }
}

/// The columns that [`add`] reads.
const COLUMNS: &str = "status, cost_usd, input_tokens, output_tokens, submission, unpriced";

/// Reads the rows from the first run of the submission on, because the runs of a submission have consecutive keys.
fn of_submission(db: &Connection, first: i64, submission: [u8; 16]) -> rusqlite::Result<Total> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM run WHERE key >= ?1 ORDER BY key"))?;
    let mut rows = query.query([first])?;
    let mut total = Total::default();
    while let Some(row) = rows.next()?
        && row.get::<_, [u8; 16]>(4)? == submission
    {
        add(&mut total, row)?;
    }
    Ok(total)
}

fn of_workflow(db: &Connection, workflow: i64) -> rusqlite::Result<Total> {
    let mut query = db.prepare_cached(&format!("SELECT {COLUMNS} FROM run WHERE workflow = ?1"))?;
    let mut rows = query.query([workflow])?;
    let mut total = Total::default();
    while let Some(row) = rows.next()? {
        add(&mut total, row)?;
    }
    Ok(total)
}

/// Adds a run, unless it was deleted.
fn add(total: &mut Total, row: &Row<'_>) -> rusqlite::Result<()> {
    if row.get::<_, i64>(0)? != code::DELETED {
        total.runs += 1;
        total.spent.add(&code::spent(row, 1, 5)?);
    }
    Ok(())
}
