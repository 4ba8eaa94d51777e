//! `fanlight fork`: new runs that take over what an ended one computed before one of its nodes.

use std::io::Write as _;

use fanlight_shared::client::Client;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::Run;
use tempfile::NamedTempFile;

use super::resume::{say_hints, sentence};
use super::run::given;
use super::{find_run, imported, read_document, read_workflow, request_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, Out, json};
use crate::{editor, elsewhere};

/// The arguments of `fork`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The ended run.
    #[arg(value_name = "RUN")]
    run: String,
    /// The node that computes its result again; nodes that read it follow.
    #[arg(long, value_name = "NODE", required_unless_present = "edit")]
    at: Option<String>,
    /// Change a param; nodes that read it run again too.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// Open the workflow file as it was in that run in `$VISUAL` or `$EDITOR`, and run the result. Nodes that the changes
    /// affect run again.
    #[arg(long)]
    edit: bool,
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
    if !args.edit {
        return start(&client, &args, &from, document, false).await;
    }
    let file = in_editor(&from.workflow, &document).await?;
    let edited = read_document(file.path())?;
    if edited == document {
        if args.at.is_none() && args.params.is_empty() {
            output::note("the file is as it was; nothing was started");
            return Ok(());
        }
        output::note("the file is as it was");
        return start(&client, &args, &from, document, false).await;
    }
    let started = start(&client, &args, &from, edited, true).await;
    if started.is_err()
        && let Ok((_, path)) = file.keep()
    {
        output::note(&format!("your version of the file is in {}", path.display()));
    }
    started
}

/// Starts the runs. `is_new`: the document is not the one that the run was submitted with.
async fn start(
    client: &Client,
    args: &Args,
    from: &Run,
    document: String,
    is_new: bool,
) -> Result<(), Failure> {
    let workflow = read_workflow(Some(client), &from.name(), &document).await?;
    let params = given(&args.params, &workflow)?;
    let request = runs::Resume {
        document: is_new.then_some(document),
        environment: imported::variables(client, from).await?,
        at: args.at.clone(),
        params,
        ..runs::Resume::of(from.id, request_key())
    };
    let request = elsewhere::sent_again(client, request).await?;
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

/// Opens a copy of a workflow file in the user's editor, and returns it.
async fn in_editor(slug: &str, document: &str) -> Result<NamedTempFile, Failure> {
    let cant_write = |error: std::io::Error| Failure::failed(format!("the file can't be written: {error}"));
    let prefix = format!("{slug}-");
    let mut file = tempfile::Builder::new().prefix(&prefix).suffix(".yaml").tempfile().map_err(cant_write)?;
    file.write_all(document.as_bytes()).map_err(cant_write)?;
    editor::edit(file.path()).await.map_err(Failure::usage)?;
    Ok(file)
}
