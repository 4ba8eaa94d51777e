//! `fanlight run`: submits runs, follows them, and prints or saves their outputs.

mod files;
mod missing;
mod params;
mod report;
pub(super) mod save;
mod search;
mod source;
mod submission;

use fanlight_shared::rpc::runs;
use fanlight_shared::search::Search;
use fanlight_shared::sweep::{Limits, check_name};
use fanlight_shared::value::Values;

use super::read_workflow;
use crate::context::Context;
use crate::failure::Failure;
pub(super) use params::{ParamOptions, given, sets};
pub(super) use source::Source;
pub(super) use submission::{RunOptions, Submission};

/// The arguments of `run`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A workflow file, the name of a workflow that ran before, or an example.
    #[arg(value_name = "FILE|NAME")]
    workflow: String,
    #[command(flatten)]
    params: params::ParamOptions,
    #[command(flatten)]
    search: search::SearchArgs,
    /// Name the sweep; several runs without a name are `poster/1`, `poster/2` ….
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Pause the sweep when a run has failed; the runs that are running continue.
    #[arg(long, conflicts_with = "max_failures")]
    fail_fast: bool,
    /// Pause the sweep when this many of its runs have failed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_failures: Option<u32>,
    /// Pause the sweep when its runs have used this much: `cost=5usd,time=2h,tokens=2M`, or some of these. `time` is the sum of
    /// the times of its runs.
    #[arg(long, value_name = "BUDGET")]
    budget: Vec<String>,
    #[command(flatten)]
    runs: submission::RunOptions,
}

/// Runs `run`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    let source = source::find(&context, &args.workflow).await?;
    // An invalid file starts no daemon.
    let running = context.running().await?;
    let workflow = read_workflow(running.as_ref(), &source.shown, &source.document).await?;
    let sets = params::sets(&args.params, &workflow, Values::new())?;
    let given = sets.first().map(|set| set.params.clone()).unwrap_or_default();
    let search = args.search.search(&workflow, &given, args.params.seed)?;
    let sweep = sweep_options(&args, search).map_err(Failure::usage)?;
    let submission = Submission { source, workflow, sets, sweep, options: args.runs };
    submission.run(&context, running, &args.params).await
}

/// Returns the name and the limits of the sweep, if any of them is given.
fn sweep_options(args: &Args, search: Option<Search>) -> Result<Option<runs::SweepOptions>, String> {
    let max_failures = if args.fail_fast { Some(1) } else { args.max_failures };
    let mut limits = Limits { max_failures, ..Limits::default() };
    args.budget.iter().try_for_each(|budget| limits.add_budget(budget))?;
    args.name.as_deref().map_or(Ok(()), check_name)?;
    let given = args.name.is_some() || !limits.are_none() || search.is_some();
    Ok(given.then(|| runs::SweepOptions { name: args.name.clone(), limits, extends: None, search }))
}
