//! Searches: the trials that they propose, and what comes of the runs of their sweeps.

use fanlight_shared::id::RunId;
use fanlight_shared::problem::near;
use fanlight_shared::run::RunStatus;
use fanlight_shared::search::{Objective, Outcome, Report, Search};
use fanlight_shared::value::Values;
use fanlight_shared::value::float::Number;
use rusqlite::{Connection, OptionalExtension, params};

use super::Done;
use crate::store::{NewTrial, Numbers, code};

/// The most metrics that a sentence names.
const MAX_SHOWN: usize = 8;

/// Records that a search proposed a run.
pub(super) fn add_trial(db: &Connection, sweep: i64, trial: &NewTrial, run: RunId) -> Done {
    let params = serde_json::to_string(&trial.params)?;
    db.prepare_cached("INSERT INTO trial (sweep, number, run, params, seen) VALUES (?1, ?2, ?3, ?4, ?5)")?
        .execute(params![sweep, trial.number, run.as_bytes(), params, trial.seen])?;
    Ok(())
}

/// Ends a search before its last trial.
pub(super) fn end(db: &Connection, name: &str) -> Done {
    db.prepare_cached("UPDATE sweep SET search_ended = 1 WHERE name = ?1")?.execute([name])?;
    Ok(())
}

/// Returns the name of a sweep whose search has trials that were not proposed yet. A search that can't be read proposes none.
pub(super) fn with_more(db: &Connection, sweep: i64) -> Done<Option<String>> {
    let found = db
        .prepare_cached(
            "SELECT name, search, (SELECT count(*) FROM trial WHERE trial.sweep = sweep.key) FROM sweep \
             WHERE key = ?1 AND search IS NOT NULL AND search_ended = 0",
        )?
        .query_row([sweep], |row| {
            let (name, proposed): (String, u32) = (row.get(0)?, row.get(2)?);
            let search = code::json::<Search>(row, 1).ok();
            Ok(search.filter(|search| proposed < search.length()).map(|_| name))
        })
        .optional()?;
    Ok(found.flatten())
}

/// Forgets a search whose sweep is removed.
pub(super) fn forget(db: &Connection, sweep: i64) -> Done {
    db.prepare_cached("DELETE FROM trial WHERE sweep = ?1")?.execute([sweep])?;
    db.prepare_cached("DELETE FROM observation WHERE sweep = ?1")?.execute([sweep])?;
    db.prepare_cached("DELETE FROM report WHERE sweep = ?1")?.execute([sweep])?;
    Ok(())
}

/// A run of a search that has ended.
struct Ended {
    key: i64,
    sweep: i64,
    number: u32,
    name: String,
    params: Values,
    search: Search,
}

/// Records what came of a run, if its sweep is a search. The same run is recorded once.
pub(super) fn observe(db: &Connection, run: RunId, state: RunStatus, outputs: &Numbers) -> Done {
    let found = db
        .prepare_cached(
            "SELECT r.key, r.sweep, r.number, w.slug, r.params, s.search FROM run r JOIN sweep s ON s.key = r.sweep \
             JOIN workflow w ON w.key = r.workflow WHERE r.id = ?1 AND s.search IS NOT NULL",
        )?
        .query_row([run.as_bytes()], |row| {
            let (number, slug): (u32, String) = (row.get(2)?, row.get(3)?);
            Ok(Ended {
                key: row.get(0)?,
                sweep: row.get(1)?,
                number,
                name: format!("{slug}#{number}"),
                params: code::json(row, 4)?,
                search: code::json(row, 5)?,
            })
        })
        .optional();
    let mut ended = match found {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(()),
        // It counts as open from now on. A damaged run is no reason to end the daemon.
        Err(error @ rusqlite::Error::FromSqlConversionFailure(..)) => {
            tracing::error!(
                "the search of the run {run} learns nothing from it, because it is damaged: {error}"
            );
            return Ok(());
        }
        Err(error) => return Err(error.into()),
    };
    let outcome = match state {
        RunStatus::Completed => ended.measured(db, outputs)?,
        RunStatus::Cancelled => pruned(db, &ended)?.unwrap_or(Outcome::Cancelled),
        _ => Outcome::Failed,
    };
    ended.params.retain(|name, _| ended.search.space.contains_key(name));
    let (params, outcome) = (serde_json::to_string(&ended.params)?, serde_json::to_string(&outcome)?);
    db.prepare_cached(
        "INSERT INTO observation (sweep, place, run, number, params, outcome) \
         SELECT ?1, coalesce(max(place), 0) + 1, ?2, ?3, ?4, ?5 FROM observation WHERE sweep = ?1 ON CONFLICT DO NOTHING",
    )?
    .execute(params![ended.sweep, run.as_bytes(), ended.number, params, outcome])?;
    Ok(())
}

/// Records a decision of a pruner.
pub(super) fn add_report(db: &Connection, run: RunId, report: &Report, pruned: bool) -> Done {
    db.prepare_cached(
        "INSERT INTO report (sweep, place, number, step, value, pruned) SELECT r.sweep, \
         (SELECT coalesce(max(place), 0) + 1 FROM report WHERE sweep = r.sweep), ?2, ?3, ?4, ?5 \
         FROM run r WHERE r.id = ?1 AND r.sweep IS NOT NULL",
    )?
    .execute(params![run.as_bytes(), report.trial, report.step as i64, report.value, pruned])?;
    Ok(())
}

/// Returns how a run was pruned, if it was.
fn pruned(db: &Connection, ended: &Ended) -> Done<Option<Outcome>> {
    let found = db
        .prepare_cached("SELECT step, value FROM report WHERE sweep = ?1 AND number = ?2 AND pruned")?
        .query_row(params![ended.sweep, ended.number], |row| {
            Ok(Outcome::Pruned { step: code::unsigned(row.get(0)?), value: Number(row.get(1)?) })
        })
        .optional()?;
    Ok(found)
}

impl Ended {
    /// Returns the values of all objectives.
    fn measured(&self, db: &Connection, outputs: &Numbers) -> Done<Outcome> {
        let mut values = Vec::with_capacity(self.search.objectives.len());
        for objective in &self.search.objectives {
            let value = match outputs.get(&objective.name) {
                Some(Ok(value)) => Ok(*value),
                // A metric of that name is something else.
                Some(Err(why)) => Err(format!("the output `{}` of {} {why}", objective.name, self.name)),
                None => self.metric(db, objective)?,
            };
            match value {
                Ok(value) => values.push(Number(value)),
                Err(why) => return Ok(Outcome::Unmeasured { why }),
            }
        }
        Ok(Outcome::Completed { values })
    }

    /// Returns the last value of a metric, or a sentence about what is missing.
    fn metric(&self, db: &Connection, objective: &Objective) -> Done<Result<f64, String>> {
        let mut query = db.prepare_cached(
            "SELECT node, name, last FROM series WHERE run = ?1 AND last IS NOT NULL ORDER BY key",
        )?;
        let mut rows = query.query([self.key])?;
        let (mut found, mut others) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let (node, metric): (String, String) = (row.get(0)?, row.get(1)?);
            if objective.is_metric(&node, &metric) {
                found.push((node, code::point(row, 2).ok().flatten().map(|point| point.value)));
            } else if !others.contains(&metric) {
                others.push(metric);
            }
        }
        let (name, run) = (&objective.name, &self.name);
        let near = near(name, others.iter().map(String::as_str));
        let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        others.truncate(MAX_SHOWN);
        Ok(match found.as_slice() {
            [(_, Some(value))] => Ok(*value),
            [(_, None)] => Err(format!("the metric `{name}` of {run} is damaged")),
            [] if others.is_empty() => Err(format!("{run} has no output `{name}`, and no metrics")),
            [] => Err(format!(
                "{run} has no output and no metric `{name}`; it has the metrics {}{hint}",
                others.join(", ")
            )),
            [(node, _), (other, _), ..] if node != other => Err(format!(
                "{run} has the metric `{name}` of several nodes; name one: `{node}.{name}` or `{other}.{name}`"
            )),
            _ => {
                Err(format!("{run} has the metric `{name}` of several items, of which no one is the result"))
            }
        })
    }
}
