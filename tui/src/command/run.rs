//! `fanlight run`: submits runs, follows them, and prints or saves their outputs.

mod files;
mod params;
mod report;
pub(super) mod save;
mod source;

use std::path::PathBuf;

use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::origin::Fresh;
use fanlight_shared::problem::no_node;
use fanlight_shared::rpc::runs;
use fanlight_shared::sanitise;
use fanlight_shared::sweep::{Limits, check_name};
use fanlight_shared::workflow::Workflow;

use super::follow::{Options, follow};
use super::interrupt::Interrupt;
use super::reconnect::Reconnects;
use super::tail::failed_commands;
use super::{read_workflow, request_key};
use crate::context::Context;
use crate::environment;
use crate::failure::Failure;
use crate::naming::{NameTemplate, OUTPUT_NAMES};
use crate::output::{self, Out, json};
pub(super) use params::given;
use save::{Saver, Saving};

/// The arguments of `run`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// A workflow file, the name of a workflow that ran before, or an example.
    #[arg(value_name = "FILE|NAME")]
    workflow: String,
    /// Set a param; `key=@file` reads its text from a file.
    #[arg(short, long = "param", value_name = "KEY=VALUE")]
    params: Vec<String>,
    /// Start a run for each value: `1..8`, `0..1/0.25`, `a,b,c` or `@file` (a value per line). Several sweeps are combined.
    #[arg(long, value_name = "KEY=VALUES")]
    sweep: Vec<String>,
    /// Combine sweeps pairwise (first with first, second with second) instead of each with each.
    #[arg(long)]
    zip: bool,
    /// Run each set of params this many times.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    repeat: Option<u32>,
    /// Use the sweep under `matrix:` in the file.
    #[arg(long)]
    matrix: bool,
    /// Name the sweep; several runs without a name are `poster/1`, `poster/2` ….
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Pause the sweep when a run has failed; the runs that are running continue.
    #[arg(long, conflicts_with = "max_failures")]
    fail_fast: bool,
    /// Pause the sweep when this many of its runs have failed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_failures: Option<u32>,
    /// Pause the sweep when its runs have used this much: `cost=5usd,time=2h,tokens=2M`, or some of these. `time` is the sum of
    /// the times of its runs.
    #[arg(long, value_name = "BUDGET")]
    budget: Vec<String>,
    /// Label all these runs.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Pass an environment variable to the commands: `NAME=VALUE`, or `NAME` with its current value. It is stored with the runs.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// Put the runs at the head of the queue.
    #[arg(long)]
    next: bool,
    /// Compute the results of all nodes, or of this one, even if an earlier run computed the same.
    #[arg(long, value_name = "NODE", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    fresh: Vec<String>,
    /// Print the names of the runs and exit; the runs continue.
    #[arg(long, conflicts_with = "out")]
    detach: bool,
    /// Exit with code 4 once all runs that have not ended wait for a person.
    #[arg(long, conflicts_with = "detach")]
    no_wait: bool,
    /// Print the text that nodes write while they write it, instead of the outputs; for one run.
    #[arg(long, conflicts_with_all = ["detach", "json"])]
    stream: bool,
    /// Print the events as JSON, one object per line, then the runs.
    #[arg(long)]
    json: bool,
    /// Save the outputs of the runs in this folder, such as `DIR/poster-12/poster.png`.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name saved files by a template, such as `{seed}-{place}` for `DIR/7-Hove.png`: params, and {workflow}, {run}, {label},
    /// {output}, {index} and {name}. A name that exists gets a number.
    #[arg(long = "as", value_name = "NAME", requires = "out")]
    name_as: Option<String>,
    /// Don't write the recipe into saved PNG, JPEG, WAV and FLAC files: how each was made.
    #[arg(long, requires = "out")]
    no_recipe: bool,
}

/// Runs `run`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    let context = Context::from_env()?;
    let source = source::find(&context, &args.workflow).await?;
    // An invalid file starts no daemon.
    let running = context.running().await?;
    let workflow = read_workflow(running.as_ref(), &source.shown, &source.document).await?;
    let sets = params::sets(&args, &workflow)?;
    let sweep = sweep_options(&args).map_err(Failure::usage)?;
    if args.stream && sets.len() != 1 {
        let count = crate::text::count(sets.len(), "run");
        return Err(Failure::usage(format!("`--stream` prints the text of one run, and these are {count}"))
            .hint("`fanlight logs RUN -f` follows one of several"));
    }
    let fresh = fresh(&args.fresh, &workflow)?;
    let environment = environment::submitted(&workflow, &args.variables)?;
    let names = args.name_as.as_deref().map(|text| names(text, &workflow)).transpose()?;
    let folder = args.out.as_deref().map(save::prepare).transpose()?;

    let mut interrupt = Interrupt::new()?;
    let mut client = match running {
        Some(client) => client,
        None => context.connect().await?,
    };
    let request = runs::Start {
        document: source.document,
        path: Some(source.path),
        sets,
        label: args.label.clone(),
        sweep,
        next: args.next,
        fresh,
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

    let saver = folder.map(|folder| Saver::new(Saving { folder, names, recipes: !args.no_recipe }));
    let mut hand_over = |client: &Client, row: Row<'_>| {
        if let Some(saver) = &saver {
            saver.save(client, row);
        }
    };
    let options = Options {
        json: args.json,
        stream: args.stream,
        cancels: true,
        no_wait: args.no_wait,
        ended: &mut hand_over,
    };
    let followed = follow(&context, client, Projection::of(started.runs), &mut interrupt, options).await?;
    let (projection, client) = (&followed.projection, &followed.client);
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
    saved.iter().flat_map(|saved| &saved.notes).for_each(|note| output::note(note));
    let mut out = Out::new();
    if args.json {
        report::json(&mut out, client, projection, saved.as_ref()).await?;
    } else if !args.stream || args.out.is_some() {
        report::lines(&mut out, client, projection, saved.as_ref()).await?;
    }
    out.flush()?;
    if !args.json {
        failed_commands(client, projection).await;
    }
    followed.verdict(&interrupt)?;
    match saved {
        Some(saved) if !saved.errors.is_empty() => Err(Failure::failed(saved.errors.join("\n"))),
        _ => Ok(()),
    }
}

/// Returns the name and the limits of the sweep, if any of them is given.
fn sweep_options(args: &Args) -> Result<Option<runs::SweepOptions>, String> {
    let max_failures = if args.fail_fast { Some(1) } else { args.max_failures };
    let mut limits = Limits { max_failures, ..Limits::default() };
    args.budget.iter().try_for_each(|budget| limits.add_budget(budget))?;
    args.name.as_deref().map_or(Ok(()), check_name)?;
    let given = args.name.is_some() || !limits.are_none();
    Ok(given.then(|| runs::SweepOptions { name: args.name.clone(), limits }))
}

/// Returns the nodes that reuse no results: all, if one `--fresh` names none.
fn fresh(given: &[String], workflow: &Workflow) -> Result<Fresh, Failure> {
    if given.iter().any(String::is_empty) {
        return Ok(Fresh::All(true));
    }
    if let Some(unknown) = given.iter().find(|name| !workflow.nodes.contains_key(*name)) {
        let (message, hint) = no_node("the workflow", unknown, workflow.nodes.keys().map(String::as_str));
        return Err(Failure::usage(message).maybe_hint(hint));
    }
    Ok(Fresh::Nodes(given.to_vec()))
}

/// Reads the template of file names and checks it before anything runs.
fn names(template: &str, workflow: &Workflow) -> Result<NameTemplate, Failure> {
    let names = NameTemplate::read(template).map_err(Failure::usage)?;
    let checked = names.check(workflow.params.keys().map(String::as_str), &OUTPUT_NAMES);
    checked.map_err(|(message, hint)| Failure::usage(message).hint(hint))?;
    Ok(names)
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
