//! `fanlight fork`: new runs that take over what an ended one computed before one of its nodes.

use fanlight_shared::environment::Environment;
use fanlight_shared::rpc::runs;

use super::resume::{say_hints, sentence};
use super::run::given;
use super::{find_run, read_workflow, request_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out, json};

/// The arguments of `fork`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The ended run.
    #[arg(value_name = "RUN")]
    run: String,
    /// The node that computes its result again; nodes that read it follow.
    #[arg(long, value_name = "NODE")]
    at: String,
    /// Change a param; nodes that read it run again too.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// How many runs to start.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    times: u32,
    /// Print the new runs as JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `fork`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let client = Context::from_env()?.connect().await?;
    let from = find_run(&client, &args.run).await?.run;
    let document = client.document(&from.version).await?;
    let workflow = read_workflow(Some(&client), &from.name(), &document).await?;
    let request = runs::Resume {
        run: from.id,
        request_key: request_key(),
        document: None,
        environment: Environment::default(),
        at: Some(args.at),
        afresh: false,
        params: given(&args.params, &workflow)?,
        dry_run: false,
    };
    // The summary is printed before the first run starts.
    let planned = client.call(runs::Resume { dry_run: true, ..request.clone() }).await?;
    say_hints(&planned.hints);
    output::note(&format!("{}: {}", from.name(), sentence(&planned.reuse.unwrap_or_default())));
    let mut out = Out::new();
    for _ in 0..args.times {
        let started = client.call(runs::Resume { request_key: request_key(), ..request.clone() }).await?;
        for run in &started.runs {
            if args.json { json::print(&mut out, &json::run(run))? } else { out.line(&run.name())? }
        }
        out.flush()?;
    }
    Ok(())
}
