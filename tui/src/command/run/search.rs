//! `run --search`: from the command line and `search:` of the file to a search.

use fanlight_shared::client::Client;
use fanlight_shared::document;
use fanlight_shared::metric::Goal;
use fanlight_shared::rpc::sweeps::{BestTrial, Detail};
use fanlight_shared::search::{Objective, Pruner, Sampler, Search};
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;
use fanlight_shared::{sanitise, sweep::Pause};

use super::params::{bad, param, split};
use crate::failure::Failure;
use crate::output;
use crate::trial;

/// The arguments of a search.
#[derive(clap::Args, Debug, Default)]
pub(super) struct SearchArgs {
    /// Search for the best value of a param, proposing each run from the results of those before: `1e-5..1e-1`,
    /// `log:1e-5..1e-1`, `2..8` or `a,b,c`. Without a param: the search under `search:` in the file.
    #[arg(long, value_name = "KEY=VALUES", num_args = 0..=1, default_missing_value = "", group = "seeded",
        conflicts_with_all = ["sweep", "zip", "repeat", "matrix", "rows", "sample", "missing", "dry_run", "label", "stream"])]
    search: Vec<String>,
    /// How many runs the search has.
    #[arg(long, value_name = "N", requires = "search", value_parser = clap::value_parser!(u32).range(1..))]
    trials: Option<u32>,
    /// Search for the largest value of this output or metric; of a metric the last value counts.
    #[arg(long, value_name = "NAME", requires = "search")]
    maximize: Vec<String>,
    /// Search for the smallest value of this output or metric. With several objectives, a run is among the
    /// best if no other run is better in one of them and at least as good in all others.
    #[arg(long, value_name = "NAME", requires = "search")]
    minimize: Vec<String>,
    /// How values are chosen: `tpe` (learns from the results), `sobol`, `random` or `grid`.
    #[arg(long, value_name = "SAMPLER", requires = "search")]
    sampler: Option<Sampler>,
    /// End runs early that are not promising at the steps of the metric: `asha` or `median`; `asha:10` decides from step 10 on.
    #[arg(long, value_name = "PRUNER", requires = "search")]
    pruner: Option<Pruner>,
    /// How many runs of the search wait or run at once; as many as the queue allows by default.
    #[arg(long, value_name = "N", requires = "search", value_parser = clap::value_parser!(u32).range(1..))]
    parallel: Option<u32>,
}

impl SearchArgs {
    /// Returns the search, if there is to be one. A param that is given is not searched.
    pub(super) fn search(
        &self,
        workflow: &Workflow,
        given: &Values,
        seed: Option<i64>,
    ) -> Result<Option<Search>, Failure> {
        if self.search.is_empty() {
            return Ok(None);
        }
        let mut search = workflow.search.clone().unwrap_or_default();
        if workflow.search.is_none() && self.search.iter().all(String::is_empty) {
            return Err(Failure::usage("the file has no `search:`, so `--search` has nothing to search")
                .hint("write `--search lr=log:1e-5..1e-1`, or add `search:` to the file"));
        }
        search.space.retain(|name, _| !given.contains_key(name));
        let mut named: Vec<&str> = Vec::new();
        for text in self.search.iter().filter(|text| !text.is_empty()) {
            let (key, values) = split("--search", text)?;
            if given.contains_key(key) || named.contains(&key) {
                return Err(Failure::usage(format!("the param `{key}` is given twice"))
                    .hint("a param has one `-p` or one `--search`"));
            }
            named.push(key);
            let range = document::search::range(values, param(workflow, key)?);
            search.space.insert(key.to_owned(), range.map_err(|error| bad(key, &error))?);
        }
        let objective = |goal| move |name: &String| Objective { name: name.clone(), goal };
        let objectives: Vec<Objective> = (self.maximize.iter().map(objective(Goal::Max)))
            .chain(self.minimize.iter().map(objective(Goal::Min)))
            .collect();
        if !objectives.is_empty() {
            search.objectives = objectives;
        }
        search.trials = self.trials.or(search.trials);
        search.sampler = self.sampler.unwrap_or(search.sampler);
        search.pruner = self.pruner.or(search.pruner);
        search.seed = seed.unwrap_or(search.seed);
        search.parallel = self.parallel.or(search.parallel);
        document::search::check(&search, workflow).map_err(Failure::usage)?;
        Ok(Some(search))
    }
}

/// Says what the search found, and whether it found anything.
pub(super) fn verdict(detail: &Detail) -> Result<(), Failure> {
    let Some(search) = &detail.search else { return Ok(()) };
    let name = sanitise::line(&detail.sweep.name);
    if let Some(pause) = detail.sweep.paused.filter(Pause::is_limit) {
        let why = search.unmeasured.as_deref().map(|why| format!(": {}", sanitise::line(why)));
        let message = format!("the sweep `{name}` is paused: {pause}{}", why.unwrap_or_default());
        return Err(Failure::failed(message)
            .hint(format!("`fanlight sweep continue '{name}'` lets its search continue")));
    }
    if let (true, Some(why)) = (search.best.is_empty(), &search.unmeasured) {
        return Err(Failure::failed(format!("the search found nothing: {}", sanitise::line(why))));
    }
    if let Some(why) = trial::idle_pruner(search, detail.sweep.search.as_ref()) {
        output::note(&why);
    }
    if search.best.is_empty() && detail.sweep.search.as_ref().is_some_and(|it| it.completed > 0) {
        return Err(Failure::failed(trial::found_nothing(&search.search)));
    }
    let best = search.best.iter().map(|best: &BestTrial| trial::line(&search.search, best));
    best.for_each(|line| output::note(&format!("best: {line}")));
    output::note(&format!("`fanlight sweep show '{name}'` says more"));
    Ok(())
}

/// Returns how many runs its pruner has ended.
pub(super) fn pruned(detail: &Detail) -> usize {
    detail.sweep.search.map_or(0, |progress| progress.pruned as usize)
}

/// Says that a detached search continues.
pub(super) fn detached(sweep: Option<&str>) {
    if let Some(name) = sweep.map(sanitise::line) {
        output::note(&format!(
            "the search `{name}` continues; `fanlight sweep show '{name}'` says what it has found"
        ));
    }
}

/// Reads what a search found. `None` if it was deleted.
pub(super) async fn detail(client: &Client, sweep: &str) -> Option<Detail> {
    client.call(fanlight_shared::rpc::sweeps::Get { sweep: sweep.to_owned() }).await.ok()
}
