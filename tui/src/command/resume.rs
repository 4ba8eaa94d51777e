//! `fanlight resume`: a new run that takes over what finished in an ended one.

use fanlight_shared::rpc::runs;
use fanlight_shared::sanitise;

use super::{find_run, request_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out, json};

/// The arguments of `resume`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The ended run.
    #[arg(value_name = "RUN")]
    run: String,
    /// One JSON object: the new run.
    #[arg(long)]
    json: bool,
}

/// Runs `resume`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let ended = find_run(&client, &args.run).await?.run;
    let started = client.call(runs::Resume { run: ended.id, request_key: request_key() }).await?;
    for hint in &started.hints {
        output::note(&format!("hint: {}", sanitise::line(hint)));
    }
    let mut out = Out::new();
    for run in &started.runs {
        if args.json {
            json::print(&mut out, &json::run(run))?;
        } else {
            out.line(&run.name())?;
            output::note(&format!(
                "it goes on where {} ended; follow it with `fanlight watch '{}'`",
                ended.name(),
                run.name()
            ));
        }
    }
    out.flush()
}
