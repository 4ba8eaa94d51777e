//! `fanlight cancel`: ends runs.

use std::collections::HashMap;

use fanlight_shared::rpc::runs;

use super::find_run;
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out, text};

/// The arguments of `cancel`.
#[derive(clap::Args, Debug)]
#[group(required = true, multiple = false)]
pub(crate) struct Args {
    /// The runs.
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    /// All that wait.
    #[arg(long)]
    queued: bool,
    /// All that wait or run.
    #[arg(long)]
    all: bool,
}

/// Runs `cancel`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let mut names = HashMap::new();
    let mut ids = Vec::new();
    // All are looked up before one is cancelled: a slip in one name cancels nothing.
    for name in &args.runs {
        let run = find_run(&client, name).await?.run;
        if names.insert(run.id, run.name()).is_none() {
            ids.push(run.id);
        }
    }
    let cancel = runs::Cancel { runs: ids, queued: args.queued || args.all, running: args.all };
    let answer = client.call(cancel).await?;
    let mut out = Out::new();
    if args.runs.is_empty() {
        output::note(&format!("cancelled {}", text::count(answer.cancelled.len(), "run")));
    }
    for name in answer.cancelled.iter().filter_map(|id| names.get(id)) {
        out.line(&format!("{name}\tcancelled"))?;
    }
    for name in answer.ended.iter().filter_map(|id| names.get(id)) {
        out.line(&format!("{name}\thad ended before"))?;
    }
    out.flush()
}
