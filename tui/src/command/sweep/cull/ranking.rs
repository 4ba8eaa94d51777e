//! Which runs are the best by the last value of a metric.

use std::collections::{BTreeSet, HashMap, HashSet};

use fanlight_shared::client::Client;
use fanlight_shared::id::RunId;
use fanlight_shared::metric::{Goal, Point};
use fanlight_shared::problem::near;
use fanlight_shared::rpc::metrics::{List, MAX_RUNS, Series};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::sanitise;

use crate::failure::Failure;

/// Rows per page.
const PAGE: u32 = 1000;

/// The last values of some metrics of the runs of a sweep.
#[derive(Debug, Default)]
pub(super) struct Measured {
    last: HashMap<(RunId, String), Point>,
    /// The directions in which a metric gets better, as its nodes say.
    goals: HashMap<String, Vec<Goal>>,
    /// The names of all metrics.
    names: BTreeSet<String>,
}

/// Reads the last values of these metrics.
///
/// # Errors
/// No run has reported one of them, or a run has several series of that name.
pub(super) async fn measured(
    client: &Client,
    runs: &[Run],
    metrics: &[&str],
    node: Option<&str>,
) -> Result<Measured, Failure> {
    let mut measured = Measured::default();
    if metrics.is_empty() {
        return Ok(measured);
    }
    for some in runs.chunks(MAX_RUNS) {
        let run_ids = some.iter().map(|run| run.id).collect();
        let mut list = List { run_ids, node: node.map(str::to_owned), limit: Some(PAGE), ..List::default() };
        loop {
            let page = client.call(list.clone()).await?;
            page.rows.into_iter().try_for_each(|series| measured.add(series, metrics, runs))?;
            match page.cursor {
                Some(cursor) => list.cursor = Some(cursor),
                None => break,
            }
        }
    }
    metrics.iter().try_for_each(|metric| measured.check(metric))?;
    Ok(measured)
}

impl Measured {
    /// Checks that a run has reported the metric.
    fn check(&self, metric: &str) -> Result<(), Failure> {
        if self.goals.contains_key(metric) {
            return Ok(());
        }
        let mut names = self.names.iter().map(String::as_str);
        let hint = match near(metric, names.clone()) {
            Some(near) => format!("did you mean `{}`?", sanitise::line(near)),
            None if self.names.is_empty() => "no run has reported a metric yet".into(),
            None => format!("one of them is `{}`", sanitise::line(names.next().unwrap_or_default())),
        };
        let shown = sanitise::line(metric);
        Err(Failure::failed(format!("no run has reported a metric `{shown}`")).hint(hint))
    }

    fn add(&mut self, series: Series, metrics: &[&str], runs: &[Run]) -> Result<(), Failure> {
        self.names.insert(series.name.clone());
        if !metrics.contains(&series.name.as_str()) {
            return Ok(());
        }
        let goals = self.goals.entry(series.name.clone()).or_default();
        goals.extend(series.goal.filter(|goal| !goals.contains(goal)));
        let before = self.last.insert((series.run_id, series.name.clone()), series.last);
        if before.is_none() {
            return Ok(());
        }
        let name = sanitise::line(&series.name);
        let run = runs.iter().find(|run| run.id == series.run_id).map(Run::name).unwrap_or_default();
        Err(Failure::failed(format!("{run} reports the metric `{name}` several times"))
            .hint("`--node NODE` chooses the node; a metric of several items can't be compared"))
    }

    /// Returns the last value of a metric.
    pub(super) fn last(&self, run: RunId, metric: &str) -> Option<Point> {
        self.last.get(&(run, metric.to_owned())).copied()
    }
}

/// The runs of a sweep that have a value, the best ones apart.
#[derive(Debug)]
pub(super) struct Ranking {
    known: HashSet<RunId>,
    dropped: HashSet<RunId>,
}

impl Ranking {
    /// Ranks runs, given newest first, and keeps the best ones.
    ///
    /// # Errors
    /// The direction of the metric is not known.
    pub(super) fn new(
        runs: &[Run],
        measured: &Measured,
        metric: &str,
        given: Option<Goal>,
        keep: usize,
    ) -> Result<Self, Failure> {
        let shown = sanitise::line(metric);
        let said = measured.goals.get(metric).map(Vec::as_slice).unwrap_or_default();
        let goal = match (given, said) {
            (Some(goal), _) => goal,
            (None, [goal]) => *goal,
            (None, _) => {
                return Err(Failure::usage(format!("it is not known whether a small `{shown}` is good"))
                    .hint("add `--minimize` or `--maximize`"));
            }
        };
        // Those that failed or were cancelled are nothing to keep.
        let counts = |run: &&Run| !matches!(run.state, RunStatus::Failed | RunStatus::Cancelled);
        let mut ranked: Vec<(RunId, f64)> = runs
            .iter()
            .rev()
            .filter(counts)
            .filter_map(|run| Some((run.id, measured.last(run.id, metric)?.value)))
            .collect();
        let known = ranked.iter().map(|(run, _)| *run).collect();
        let key = |value: f64| if goal == Goal::Min { value } else { -value };
        // NaN is the worst in both directions. Of equal ones the older is kept.
        ranked
            .sort_by(|(_, a), (_, b)| a.is_nan().cmp(&b.is_nan()).then_with(|| key(*a).total_cmp(&key(*b))));
        let dropped = ranked.into_iter().skip(keep).map(|(run, _)| run).collect();
        Ok(Self { known, dropped })
    }

    /// Returns whether a run has a value.
    pub(super) fn knows(&self, run: RunId) -> bool {
        self.known.contains(&run)
    }

    /// Returns whether a run is worse than those that are kept.
    pub(super) fn drops(&self, run: RunId) -> bool {
        self.dropped.contains(&run)
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::time::Time;

    use super::*;
    use crate::ui::testing::{run, run_id};

    fn measured(values: &[(u32, f64)], goal: Option<Goal>) -> Measured {
        let point = |value| Point { step: 1, at: Time(1), value };
        let last =
            values.iter().map(|(run, value)| ((run_id(*run), "loss".to_owned()), point(*value))).collect();
        let goals = HashMap::from([("loss".to_owned(), goal.into_iter().collect())]);
        Measured { last, goals, names: BTreeSet::from(["loss".to_owned()]) }
    }

    fn dropped(runs: &[Run], measured: &Measured, goal: Option<Goal>, keep: usize) -> Vec<u32> {
        let ranking = Ranking::new(runs, measured, "loss", goal, keep).unwrap();
        let mut dropped: Vec<u32> =
            runs.iter().filter(|run| ranking.drops(run.id)).map(|run| run.number).collect();
        dropped.sort_unstable();
        dropped
    }

    #[test]
    fn the_best_runs_are_kept_and_nan_is_the_worst() {
        let state = |number| if number == 2 { RunStatus::Failed } else { RunStatus::Running };
        let runs: Vec<Run> = (1..=6).rev().map(|number| run(number, state(number))).collect();
        let values = [(1, 0.5), (2, 0.1), (3, f64::NAN), (4, 0.5), (5, 0.2)];
        let measured = measured(&values, None);
        assert_eq!(dropped(&runs, &measured, Some(Goal::Min), 2), [3, 4], "run 2 failed, run 6 has no value");
        assert_eq!(dropped(&runs, &measured, Some(Goal::Max), 2), [3, 5]);
        assert_eq!(dropped(&runs, &measured, Some(Goal::Max), 0), [1, 3, 4, 5]);
    }

    #[test]
    fn the_direction_must_be_known() {
        let runs = [run(1, RunStatus::Running)];
        assert_eq!(dropped(&runs, &measured(&[(1, 1.0)], Some(Goal::Max)), None, 1), [0; 0]);
        let unknown = Ranking::new(&runs, &measured(&[(1, 1.0)], None), "loss", None, 1).unwrap_err();
        assert!(unknown.message().contains("whether a small `loss` is good"));
        let other = measured(&[(1, 1.0)], None).check("los").unwrap_err();
        assert!(format!("{other:?}").contains("did you mean `loss`?"));
    }
}
