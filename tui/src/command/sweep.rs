//! `fanlight sweep`: the sweeps, their runs, and their results.

mod cull;
mod extend;
mod list;
mod rm;
mod set;
mod show;

use fanlight_shared::rpc::sweeps::{Sweep, SweepState};
use fanlight_shared::run::Counts;
use fanlight_shared::time::human_duration;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::style::Role;
use crate::output::table::Cell;
use crate::text;

/// The arguments of `sweep`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON, one object per line.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// List the sweeps, newest first.
    #[command(visible_alias = "ls")]
    List(list::Args),
    /// Show one sweep: its params, its runs, what they cost, and the lowest and highest numbers among its outputs.
    Show(show::Args),
    /// Pause a sweep: its waiting runs stay where they are, while active ones and other runs continue.
    Pause(set::Args),
    /// Let a paused sweep continue. After a limit was reached, its limits count again from here.
    Continue(set::Args),
    /// Add runs to a sweep, with its version of the workflow and with the params that all of its runs share.
    Extend(Box<extend::Args>),
    /// Cancel the runs that are worse than the best, or those for which a condition is true.
    Cull(cull::Args),
    /// Delete a sweep: all of its runs.
    #[command(visible_alias = "remove")]
    Rm(rm::Args),
}

/// Runs `sweep`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    let client = context.connect().await?;
    match args.action {
        None => list::run(&client, list::Args::default(), args.json).await,
        Some(Action::List(list)) => list::run(&client, list, args.json).await,
        Some(Action::Show(show)) => show::run(&client, show, args.json).await,
        Some(Action::Pause(set)) => set::run(&client, set, true, args.json).await,
        Some(Action::Continue(set)) => set::run(&client, set, false, args.json).await,
        Some(Action::Extend(extend)) => extend::run(&context, client, *extend, args.json).await,
        Some(Action::Cull(cull)) => cull::run(&client, cull).await,
        Some(Action::Rm(rm)) => rm::run(&client, rm).await,
    }
}

/// Returns the counts that are not 0: `6 completed, 2 failed`.
fn counts(runs: &Counts) -> String {
    let Counts { queued, running, parked, cancelling, completed, failed, cancelled } = runs;
    let counts = [
        (running, "running"),
        (parked, "parked"),
        (cancelling, "cancelling"),
        (queued, "queued"),
        (completed, "completed"),
        (failed, "failed"),
        (cancelled, "cancelled"),
    ];
    let shown = counts.iter().filter(|(count, _)| **count > 0).map(|(count, word)| format!("{count} {word}"));
    shown.collect::<Vec<_>>().join(", ")
}

/// Returns the state of a sweep.
fn state(sweep: &Sweep) -> Cell {
    let role = match sweep.state {
        SweepState::Active => Role::Plain,
        SweepState::Paused => Role::Warning,
        SweepState::Ended => Role::Dim,
    };
    Cell::new(sweep.state.word(), role)
}

/// Returns the sum of the times of its runs.
fn time(sweep: &Sweep) -> String {
    human_duration(std::time::Duration::from_millis(sweep.time_ms))
}

/// Returns how many runs it has.
fn runs(sweep: &Sweep) -> String {
    text::count(sweep.runs.all() as usize, "run")
}
