//! What several runs spent in all.

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs::{Total, TotalsResponse};
use fanlight_shared::run_state::Spent;
use rusqlite::{Connection, OptionalExtension, Row};

use crate::store::{Store, StoreError, code};

impl Store {
    /// Returns what the runs of a run's submission, and those of its workflow, spent in all. Blocks.
    ///
    /// # Errors
    /// There is no such run.
    pub fn totals(&self, id: RunId) -> Result<TotalsResponse, StoreError> {
        self.read(|db| {
            let of = db
                .prepare_cached(
                    "SELECT key - place, submission, workflow FROM run WHERE id = ?1 AND status <> 6",
                )?
                .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
                .optional()?;
            let Some((first, submission, workflow)) = of else {
                return Err(StoreError::NotFound(format!("no run has the id {id}")));
            };
            Ok(TotalsResponse {
                submission: of_submission(db, first, submission)?,
                workflow: of_workflow(db, workflow)?,
            })
        })
    }
}

/// The runs of a submission have consecutive keys.
fn of_submission(db: &Connection, first: i64, submission: [u8; 16]) -> rusqlite::Result<Total> {
    let mut query = db.prepare_cached(
        "SELECT submission, status, cost_usd, input_tokens, output_tokens FROM run WHERE key >= ?1 ORDER BY key",
    )?;
    let mut rows = query.query([first])?;
    let mut total = Total::default();
    while let Some(row) = rows.next()? {
        if row.get::<_, [u8; 16]>(0)? != submission {
            break;
        }
        if row.get::<_, i64>(1)? != code::DELETED {
            total.runs += 1;
            total.spent.add(&code::spent(row, 2)?);
        }
    }
    Ok(total)
}

fn of_workflow(db: &Connection, workflow: i64) -> rusqlite::Result<Total> {
    db.prepare_cached(
        "SELECT count(*), sum(cost_usd), total(input_tokens), total(output_tokens) FROM run \
         WHERE workflow = ?1 AND status <> 6",
    )?
    .query_row([workflow], |row| {
        let spent =
            Spent { cost_usd: row.get(1)?, input_tokens: tokens(row, 2)?, output_tokens: tokens(row, 3)? };
        Ok(Total { runs: row.get(0)?, spent })
    })
}

/// A sum of tokens is read as a float: no number of them makes it fail.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn tokens(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    Ok(row.get::<_, f64>(column)? as u64)
}
