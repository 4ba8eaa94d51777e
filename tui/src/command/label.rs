//! `fanlight label`: gives a run a label of the user's own.

use fanlight_shared::rpc::runs;

use super::find_run;
use crate::context::Context;
use crate::failure::Failure;

/// The arguments of `label`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The run.
    #[arg(value_name = "RUN")]
    run: String,
    /// The label, at most 200 characters.
    #[arg(value_name = "TEXT")]
    label: String,
}

/// Runs `label`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let run = find_run(&client, &args.run).await?.run.id;
    client.call(runs::Label { run, label: args.label }).await?;
    Ok(())
}
