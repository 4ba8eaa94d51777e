//! `fanlight queue next`, `fanlight queue later` and `fanlight queue priority`

use fanlight_shared::client::Client;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::queue::{MOVE_LIMIT, Move, To};
use fanlight_shared::run::{Run, RunStatus};

use crate::command::{choice, priority};
use crate::failure::Failure;
use crate::output::{self, Out};
use crate::text;

/// The runs that are moved.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The runs, in the order in which they are to start.
    #[arg(value_name = "RUN", required_unless_present = "sweep")]
    runs: Vec<String>,
    /// Move the waiting runs of this sweep.
    #[arg(long, value_name = "SWEEP", conflicts_with = "runs")]
    sweep: Option<String>,
}

/// The arguments of `queue priority`.
#[derive(clap::Args, Debug)]
pub(super) struct PriorityArgs {
    /// The priority, from -100 to 100.
    #[arg(value_name = "N", value_parser = priority(), allow_negative_numbers = true)]
    pub(super) priority: i32,
    #[command(flatten)]
    pub(super) runs: Args,
}

/// Moves runs in the queue.
pub(super) async fn run(client: &Client, args: Args, to: To) -> Result<(), Failure> {
    let mut runs = match choice::sweep(client, args.sweep).await? {
        Some(sweep) => choice::of_sweep(client, sweep, &[RunStatus::Queued]).await?,
        None => choice::named(client, &args.runs).await?,
    };
    if args.runs.is_empty() {
        // The oldest first.
        runs.reverse();
    }
    let mut parts: Vec<&[Run]> = runs.chunks(MOVE_LIMIT).collect();
    if to == To::Next {
        // Each part goes before those that were moved before.
        parts.reverse();
    }
    let mut left_out: Vec<RunId> = Vec::new();
    for part in parts {
        let request = Move { runs: part.iter().map(|run| run.id).collect(), to };
        left_out.extend(client.call(request).await?.left_out);
    }
    let word = match to {
        To::Next => "next".to_owned(),
        To::Later => "later".to_owned(),
        To::Priority(priority) => format!("priority {priority}"),
    };
    let mut out = Out::new();
    for run in &runs {
        let said = if left_out.contains(&run.id) { "does not wait" } else { &word };
        out.line(&format!("{}\t{said}", run.name()))?;
    }
    out.flush()?;
    match left_out.len() {
        0 if runs.is_empty() => output::note("no run of the sweep waits"),
        0 => {}
        left if left == runs.len() => {
            let verb = if left == 1 { "does" } else { "do" };
            return Err(Failure::failed(format!("{} {verb} not wait", text::count(left, "run"))));
        }
        _ => {}
    }
    Ok(())
}
