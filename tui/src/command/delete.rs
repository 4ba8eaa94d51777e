//! `fanlight delete`: deletes ended runs.

use fanlight_shared::rpc::runs;

use super::find_run;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Out, ask};
use crate::text;

/// The arguments of `delete`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The runs.
    #[arg(value_name = "RUN", required = true)]
    runs: Vec<String>,
    /// Also delete their assets for good; otherwise these are kept.
    #[arg(long)]
    assets: bool,
    /// Don't ask for confirmation.
    #[arg(short, long)]
    yes: bool,
}

/// Runs `delete`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let mut found = Vec::new();
    for name in &args.runs {
        let run = find_run(&client, name).await?.run;
        if !run.state.is_ended() {
            return Err(Failure::failed(format!("{} is {}", run.name(), run.state.word()))
                .hint(format!("cancel it first: `fanlight cancel '{}'`", run.name())));
        }
        if !found.iter().any(|(id, _)| *id == run.id) {
            found.push((run.id, run.name()));
        }
    }
    let what = match found.as_slice() {
        [(_, name)] => name.clone(),
        all => text::count(all.len(), "run"),
    };
    let and = if args.assets { " and every asset of it" } else { " (assets stay)" };
    ask::confirm(&format!("Delete {what}{and} for good?"), args.yes).await?;
    let ids = found.iter().map(|(id, _)| *id).collect();
    client.call(runs::Delete { runs: ids, assets: args.assets }).await?;
    let mut out = Out::new();
    for (_, name) in &found {
        out.line(&format!("{name}\tdeleted"))?;
    }
    out.flush()
}
