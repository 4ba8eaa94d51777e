//! `fanlight sweep rm`

use fanlight_shared::client::Client;
use fanlight_shared::rpc::runs::Delete;
use fanlight_shared::rpc::sweeps::{Find, Get, SweepState};
use fanlight_shared::run::Run;
use fanlight_shared::sanitise;

use crate::command::choice;
use crate::failure::Failure;
use crate::output::{Out, ask};
use crate::text;

/// How many runs are deleted at once: each part is deleted whole or not at all.
const PART: usize = 500;

/// The arguments of `sweep rm`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The sweep: its name, a workflow's name (its newest sweep), or `last`.
    #[arg(value_name = "SWEEP")]
    sweep: String,
    /// Also delete the assets of its runs for good; otherwise these are kept.
    #[arg(long)]
    assets: bool,
    /// Don't ask for confirmation.
    #[arg(short, long)]
    yes: bool,
}

/// Runs `sweep rm`.
pub(super) async fn run(client: &Client, args: Args) -> Result<(), Failure> {
    let name = client.call(Find { sweep: args.sweep }).await?.name;
    let shown = sanitise::line(&name);
    let runs = choice::of_sweep(client, name.clone(), &[]).await?;
    let open = runs.iter().filter(|run| !run.state.is_ended()).count();
    if open > 0 {
        let verb = if open == 1 { "has" } else { "have" };
        let message = format!("{} of `{shown}` {verb} not ended", text::count(open, "run"));
        return Err(Failure::failed(message)
            .hint(format!("cancel them first: `fanlight cancel --sweep '{shown}' --wait`")));
    }
    // The runs of a paused search may all have ended, but it proposes more. One that is damaged can be deleted.
    let detail = client.call(Get { sweep: name.clone() }).await;
    if detail.is_ok_and(|it| it.sweep.state != SweepState::Ended) {
        return Err(Failure::failed(format!("the search `{shown}` has not ended"))
            .hint(format!("cancel it first: `fanlight cancel --sweep '{shown}'`")));
    }
    let and = if args.assets { " and every asset of them" } else { " (assets stay)" };
    ask::confirm(
        &format!("Delete the {} of `{shown}`{and} for good?", text::count(runs.len(), "run")),
        args.yes,
    )
    .await?;
    for part in runs.chunks(PART) {
        let ids = part.iter().map(|run: &Run| run.id).collect();
        client.call(Delete { runs: ids, assets: args.assets }).await?;
    }
    let mut out = Out::new();
    out.line(&format!("{shown}\tdeleted {}", text::count(runs.len(), "run")))?;
    out.flush()
}
