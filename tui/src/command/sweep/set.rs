//! `fanlight sweep pause` and `fanlight sweep continue`

use fanlight_shared::client::Client;
use fanlight_shared::rpc::sweeps::{Set, SweepState};
use fanlight_shared::sanitise;

use crate::failure::Failure;
use crate::output::{Out, json};

/// The arguments of `sweep pause` and `sweep continue`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The sweep: its name, a workflow's name (its newest sweep), or `last`.
    #[arg(value_name = "SWEEP")]
    sweep: String,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Runs `sweep pause` or `sweep continue`.
pub(super) async fn run(client: &Client, args: Args, paused: bool, as_json: bool) -> Result<(), Failure> {
    let sweep = client.call(Set { sweep: args.sweep, paused }).await?;
    let mut out = Out::new();
    if as_json || args.json {
        json::print(&mut out, &json::sweep(&sweep))?;
    } else {
        // A limit may be reached already.
        let state = match (sweep.state, sweep.paused) {
            (SweepState::Paused, Some(pause)) if !paused => format!("paused: {pause}"),
            (SweepState::Active, _) => "continues".to_owned(),
            (state, _) => state.word().to_owned(),
        };
        out.line(&format!("{}\t{state}", sanitise::line(&sweep.name)))?;
    }
    out.flush()
}
