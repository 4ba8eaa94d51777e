//! `fanlight doctor`: checks the store.

use fanlight_shared::rpc::daemon;
use fanlight_shared::sanitise;

use crate::context::Context;
use crate::embedded;
use crate::failure::Failure;
use crate::output::style::{Paint, Role};
use crate::output::{Out, json};

/// The arguments of `doctor`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// Read all stored data and compare the hashes.
    #[arg(long)]
    deep: bool,
    /// Import files in the store that are missing in the database, as assets.
    #[arg(long)]
    repair: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `doctor` in the running daemon; without a daemon it checks the store itself, under the daemon's lock.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    let answer = match context.running().await? {
        Some(client) => client.call(daemon::Doctor { deep: args.deep, repair: args.repair }).await?,
        None => embedded::doctor(&context.home, args.deep, args.repair).await?,
    };
    let mut out = Out::new();
    if args.json {
        json::print(&mut out, &answer)?;
    } else {
        let paint = Paint::stdout();
        for line in &answer.checked {
            out.line(&format!("{} {}", paint.apply(Role::Completed, "✓"), sanitise::line(line)))?;
        }
        for line in &answer.problems {
            out.line(&format!("{} {}", paint.apply(Role::Failed, "✗"), sanitise::line(line)))?;
        }
    }
    out.flush()?;
    if answer.problems.is_empty() { Ok(()) } else { Err(Failure::run_failed()) }
}
