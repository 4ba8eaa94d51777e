//! `fanlight run`: submits runs, follows them, and prints or saves their outputs.

mod files;
mod params;
mod report;
mod save;
mod source;

use std::path::PathBuf;

use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::rpc::runs;
use fanlight_shared::sanitise;

use super::follow::{Options, follow, verdict};
use super::interrupt::Interrupt;
use super::reconnect::Reconnects;
use super::tail::failed_commands;
use super::{read_workflow, request_key};
use crate::context::Context;
use crate::environment;
use crate::failure::Failure;
use crate::output::{self, Out, json};
use save::Saver;

/// The arguments of `run`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A workflow file, the name of a workflow that ran before, or an example.
    #[arg(value_name = "FILE|NAME")]
    workflow: String,
    /// Sets a param; `key=@file` takes its text from a file.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// One run for each value: `1..8`, `0..1/0.25`, `a,b,c` or `@file` (a value a line). Several combine.
    #[arg(long, value_name = "KEY=VALUES")]
    sweep: Vec<String>,
    /// Combines several sweeps first with first, second with second, instead of each with each.
    #[arg(long)]
    zip: bool,
    /// Runs each set of params so many times.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Takes the sweep that the file proposes under `matrix:`.
    #[arg(long)]
    matrix: bool,
    /// A label for all these runs.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Passes a variable to the commands: `NAME=VALUE`, or `NAME` with the value it has here. It is stored with the runs.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// To the head of the queue.
    #[arg(long)]
    next: bool,
    /// Takes nothing from earlier runs. Not in this version.
    #[arg(long, hide = true)]
    fresh: bool,
    /// Prints the names of the runs and leaves; they go on.
    #[arg(long, conflicts_with = "out")]
    detach: bool,
    /// Leaves with exit code 4 once only runs are left that wait for a person.
    #[arg(long, conflicts_with = "detach")]
    no_wait: bool,
    /// Prints the events, one JSON object a line, then the runs.
    #[arg(long)]
    json: bool,
    /// Saves what the runs put out below this folder: `DIR/poster-12/poster.png`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs `run`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if args.fresh {
        return Err(Failure::not_in_this_version("--fresh"));
    }
    let context = Context::from_env()?;
    let source = source::find(&context, &args.workflow).await?;
    let workflow = read_workflow(&source.shown, &source.document)?;
    let sets = params::sets(&args, &workflow)?;
    let environment = environment::submitted(&workflow, &args.variables)?;
    let folder = args.out.as_deref().map(save::prepare).transpose()?;

    let mut interrupt = Interrupt::new()?;
    let mut client = context.connect().await?;
    let request = runs::Start {
        document: source.document,
        path: Some(source.path),
        sets,
        label: args.label.clone(),
        next: args.next,
        fresh: false,
        environment,
        request_key: request_key(),
    };
    let mut reconnects = Reconnects::new();
    let started = loop {
        let answer = tokio::select! {
            answer = client.start(request.clone()) => answer,
            () = interrupt.reaches(2) => return Err(Failure::interrupted()),
        };
        match answer {
            // By the key the daemon recognises a request that it has committed already.
            Err(ClientError::Disconnected(_)) => {
                output::note("the connection to the daemon was lost; connecting again");
                client = reconnects.connect(&context, &mut interrupt, 2, "last").await?;
            }
            answer => break answer?,
        }
    };
    for hint in &started.hints {
        output::note(&format!("hint: {}", sanitise::line(hint)));
    }
    if args.detach {
        return print_names(&started.runs, args.json);
    }

    let saver = folder.map(Saver::new);
    let mut hand_over = |client: &Client, row: Row<'_>| {
        if let Some(saver) = &saver {
            saver.save(client, row);
        }
    };
    let options = Options { json: args.json, cancels: true, no_wait: args.no_wait, ended: &mut hand_over };
    let (projection, client) =
        follow(&context, client, Projection::of(started.runs), &mut interrupt, options).await?;
    let saved = match saver {
        None => None,
        Some(saver) => {
            let seen = u32::from(interrupt.received());
            tokio::select! {
                saved = saver.finish() => Some(saved),
                () = interrupt.reaches(seen + 1) => return Err(Failure::interrupted()),
            }
        }
    };
    let mut out = Out::new();
    if args.json {
        report::json(&mut out, &client, &projection, saved.as_ref()).await?;
    } else {
        report::lines(&mut out, &client, &projection, saved.as_ref()).await?;
    }
    out.flush()?;
    if !args.json {
        failed_commands(&client, &projection).await;
    }
    verdict(&projection, &interrupt)?;
    match saved {
        Some(saved) if !saved.errors.is_empty() => Err(Failure::failed(saved.errors.join("\n"))),
        _ => Ok(()),
    }
}

fn print_names(runs: &[fanlight_shared::run::Run], as_json: bool) -> Result<(), Failure> {
    let mut out = Out::new();
    for run in runs {
        if as_json {
            json::print(&mut out, &json::run(run))?;
        } else {
            out.line(&run.name())?;
        }
    }
    out.flush()
}
