//! `fanlight queue`: shows or changes the queue.

mod move_runs;

use fanlight_shared::rpc::queue;

use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Out, json};

/// The arguments of `queue`.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    action: Option<Action>,
    /// Set how many runs may run at once; running ones are never stopped.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max: Option<u32>,
    /// Don't start queued runs until `--continue`.
    #[arg(long)]
    pause: bool,
    /// Start queued runs again.
    #[arg(long = "continue", conflicts_with = "pause")]
    go_on: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Put waiting runs before all others.
    Next(move_runs::Args),
    /// Put waiting runs after all others, also after those that are submitted later.
    Later(move_runs::Args),
    /// Give waiting runs a priority: those of a higher one start first. Others have 0, unless they were started with another.
    Priority(move_runs::PriorityArgs),
}

/// Runs `queue`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    match args.action {
        Some(Action::Next(runs)) => return move_runs::run(&client, runs, queue::To::Next).await,
        Some(Action::Later(runs)) => return move_runs::run(&client, runs, queue::To::Later).await,
        Some(Action::Priority(args)) => {
            return move_runs::run(&client, args.runs, queue::To::Priority(args.priority)).await;
        }
        None => {}
    }
    let paused = match (args.pause, args.go_on) {
        (true, _) => Some(true),
        (_, true) => Some(false),
        _ => None,
    };
    let queue = if args.max.is_some() || paused.is_some() {
        client.call(queue::Set { max_concurrent_runs: args.max, paused }).await?
    } else {
        client.call(queue::Get {}).await?
    };
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &queue)?;
    } else {
        let paused = if queue.paused { ", paused" } else { "" };
        out.line(&format!(
            "{} running of at most {}, {} queued{paused}",
            queue.running, queue.max_concurrent_runs, queue.queued
        ))?;
    }
    out.flush()
}
