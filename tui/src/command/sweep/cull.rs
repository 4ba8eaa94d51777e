//! `fanlight sweep cull`: cancels the runs of a sweep that are not worth their time.

mod condition;
mod ranking;

use std::collections::HashMap;

use fanlight_shared::client::Client;
use fanlight_shared::id::RunId;
use fanlight_shared::metric::Goal;
use fanlight_shared::rpc::runs::Cancel;
use fanlight_shared::rpc::sweeps::Find;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::sanitise;

use crate::command::{cancel, choice};
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::{Cell, Table};
use crate::output::{self, Out, ask};
use crate::text;
use condition::Condition;
use ranking::{Measured, Ranking};

/// The arguments of `sweep cull`.
#[derive(clap::Args, Debug)]
#[command(group(clap::ArgGroup::new("which").required(true).multiple(true).args(["by", "matches"])))]
pub(super) struct Args {
    /// The sweep: its name, a workflow's name (its newest sweep), or `last`.
    #[arg(value_name = "SWEEP")]
    sweep: String,
    /// Keep this many runs: those with the best last values of the metric. Completed runs count; runs without a value stay.
    #[arg(long, value_name = "N", requires = "by")]
    keep: Option<usize>,
    /// The metric that says how good a run is.
    #[arg(long, value_name = "METRIC", requires = "keep")]
    by: Option<String>,
    /// Only the reports of this node.
    #[arg(long, requires = "by")]
    node: Option<String>,
    /// The smallest value is the best, unless the node says otherwise.
    #[arg(long, requires = "by")]
    minimize: bool,
    /// The largest value is the best, unless the node says otherwise.
    #[arg(long, requires = "by", conflicts_with = "minimize")]
    maximize: bool,
    /// Only cancel runs for which this is true, such as `params.rate > 0.5 and metrics.loss > 2`. It reads `params.NAME`,
    /// `metrics.NAME` (the last value), and `run.number`, `run.label` and `run.state`.
    #[arg(long = "where", value_name = "EXPRESSION")]
    matches: Option<String>,
    /// Print which runs would be cancelled, and cancel none.
    #[arg(long)]
    dry_run: bool,
    /// Don't ask for confirmation.
    #[arg(short, long)]
    yes: bool,
}

/// Runs `sweep cull`.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let condition = args.matches.as_deref().map(Condition::read).transpose()?;
    let name = client.call(Find { sweep: args.sweep }).await?.name;
    let shown = sanitise::line(&name);
    let runs = choice::of_sweep(client, name, &[]).await?;
    condition.as_ref().map_or(Ok(()), |condition| condition.check_params(&runs))?;
    let needed: Vec<&str> =
        args.by.as_deref().into_iter().chain(condition.iter().flat_map(Condition::metrics)).collect();
    let measured = ranking::measured(client, &runs, &needed, args.node.as_deref()).await?;
    let ranking = match (args.keep, &args.by) {
        (Some(keep), Some(metric)) => {
            let goal = match (args.minimize, args.maximize) {
                (true, _) => Some(Goal::Min),
                (_, true) => Some(Goal::Max),
                _ => None,
            };
            Some(Ranking::new(&runs, &measured, metric, goal, keep)?)
        }
        _ => None,
    };
    let mut worse = Vec::new();
    for run in runs.iter().rev().filter(|run| is_open(run)) {
        let is_worse = ranking.as_ref().is_none_or(|ranking| ranking.drops(run.id));
        let matches = || condition.as_ref().map_or(Ok(true), |it| it.holds(run, &measured));
        if is_worse && matches()? {
            worse.push(run);
        }
    }
    if let Some(ranking) = &ranking {
        let unknown = runs.iter().filter(|run| is_open(run) && !ranking.knows(run.id)).count();
        if unknown > 0 {
            let have = if unknown == 1 { "has" } else { "have" };
            output::note(&format!("{} {have} no value yet and stay", text::count(unknown, "run")));
        }
    }
    if worse.is_empty() {
        output::note("no run is cancelled");
        return Ok(());
    }
    let mut out = Out::new();
    table(&worse, args.by.as_deref(), &measured).print(&mut out)?;
    out.flush()?;
    if args.dry_run {
        output::note(&format!("{} would be cancelled", text::count(worse.len(), "run")));
        return Ok(());
    }
    ask::confirm(&format!("Cancel {} of `{shown}`?", text::count(worse.len(), "run")), args.yes).await?;
    let request = Cancel { runs: worse.iter().map(|run| run.id).collect(), ..Cancel::default() };
    let response = cancel::cancel(client, request).await?;
    let names: HashMap<RunId, String> = worse.iter().map(|run| (run.id, run.name())).collect();
    cancel::print(&mut out, &names, &response, true)?;
    out.flush()
}

/// Returns whether it may still be cancelled.
fn is_open(run: &Run) -> bool {
    !run.state.is_ended() && run.state != RunStatus::Cancelling
}

fn table(runs: &[&Run], metric: Option<&str>, measured: &Measured) -> Table {
    let by = metric.map(sanitise::line);
    let mut table = match &by {
        Some(metric) => Table::new(&["RUN", "STATE", metric, "STEP", "LABEL"]),
        None => Table::new(&["RUN", "STATE", "LABEL"]),
    };
    for run in runs {
        let mut row = vec![Cell::new(run.name(), Role::Strong), run.state.word().into()];
        if let Some(metric) = metric {
            let last = measured.last(run.id, metric);
            row.push(last.map(|point| point.value.to_string()).unwrap_or_default().into());
            row.push(last.map(|point| point.step.to_string()).unwrap_or_default().into());
        }
        row.push(sanitise::line(&run.label).into());
        table.row(row);
    }
    table
}
