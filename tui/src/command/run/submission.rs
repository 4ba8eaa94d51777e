//! Submits runs, follows them, and prints or saves their outputs.

use std::path::PathBuf;

use fanlight_shared::client::projection::{Projection, Row};
use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::origin::Fresh;
use fanlight_shared::problem::no_node;
use fanlight_shared::rpc::runs;
use fanlight_shared::sanitise;
use fanlight_shared::workflow::Workflow;

use super::params::{self, ParamOptions};
use super::save::{self, Saver, Saving};
use super::source::Source;
use super::{missing, report, search};
use crate::command::follow::{Options, follow};
use crate::command::interrupt::Interrupt;
use crate::command::reconnect::Reconnects;
use crate::command::tail::failed_commands;
use crate::command::{priority, request_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::naming::{NameTemplate, OUTPUT_NAMES};
use crate::output::{self, Out, json};
use crate::{elsewhere, environment};

/// What happens with the runs.
#[derive(clap::Args, Debug)]
pub(in crate::command) struct RunOptions {
    /// Label all these runs.
    #[arg(long, value_name = "TEXT")]
    label: Option<String>,
    /// Pass an environment variable to the commands: `NAME=VALUE`, or `NAME` with its current value. It is stored with the runs.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// Run the commands on this engine of the config, or on this machine with `local`. Nodes with `engine: local` stay here.
    #[arg(long, value_name = "NAME")]
    engine: Option<String>,
    /// Put the runs at the head of the queue.
    #[arg(long)]
    next: bool,
    /// Start these runs before waiting ones of a lower priority; others have 0. Further runs of a sweep take that of its newest
    /// run.
    #[arg(long, value_name = "N", value_parser = priority(), allow_negative_numbers = true)]
    priority: Option<i32>,
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
    pub(in crate::command) json: bool,
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

/// Runs that are ready to be submitted.
pub(in crate::command) struct Submission {
    pub(in crate::command) source: Source,
    pub(in crate::command) workflow: Workflow,
    pub(in crate::command) sets: Vec<runs::ParamSet>,
    pub(in crate::command) sweep: Option<runs::SweepOptions>,
    pub(in crate::command) options: RunOptions,
}

impl Submission {
    /// Leaves out what is to be skipped, submits the others, and follows them to their end.
    pub(in crate::command) async fn run(
        self,
        context: &Context,
        mut running: Option<Client>,
        params: &ParamOptions,
    ) -> Result<(), Failure> {
        let Self { source, workflow, mut sets, sweep, options } = self;
        if params.missing {
            let client = match running.take() {
                Some(client) => client,
                None => context.connect().await?,
            };
            sets = missing::of(&client, &source, &workflow, sweep.as_ref(), sets).await?;
            running = Some(client);
        }
        if params.dry_run {
            return params::preview(&sets, options.json);
        }
        if sets.is_empty() {
            return Ok(());
        }
        if options.stream && sets.len() != 1 {
            let count = crate::text::count(sets.len(), "run");
            return Err(Failure::usage(format!(
                "`--stream` prints the text of one run, and this would start {count}"
            ))
            .hint("`fanlight logs RUN -f` follows one of several"));
        }
        let searches = sweep.as_ref().is_some_and(|sweep| sweep.search.is_some());
        let fresh = fresh(&options.fresh, &workflow)?;
        let mut environment = environment::submitted(&workflow, &options.variables, context.host.is_some())?;
        options.engine.iter().for_each(|engine| environment.choose_engine(engine));
        let names = options.name_as.as_deref().map(|text| names(text, &workflow)).transpose()?;
        let folder = options.out.as_deref().map(save::prepare).transpose()?;

        let mut interrupt = Interrupt::new()?;
        let mut client = match running {
            Some(client) => client,
            None => context.connect().await?,
        };
        let request = runs::Start {
            document: source.document,
            path: source.path,
            // Added where the daemon is on another computer.
            files: Vec::new(),
            sets,
            label: options.label.clone(),
            sweep,
            next: options.next,
            priority: options.priority,
            fresh,
            environment,
            missing_secrets: false,
            request_key: request_key(),
        };
        let mut reconnects = Reconnects::new();
        let started = loop {
            let answer = tokio::select! {
                answer = async { client.start(elsewhere::sent(&client, &workflow, request.clone()).await?).await } => answer,
                () = interrupt.reaches(2) => return Err(Failure::interrupted()),
            };
            match answer {
                // By the key the daemon recognises a request that it has committed already.
                Err(ClientError::Disconnected(_)) => {
                    output::note("the connection to the daemon was lost; connecting again");
                    client = reconnects.connect(context, &mut interrupt, 2, "last").await?;
                }
                answer => break answer?,
            }
        };
        for hint in &started.hints {
            output::note(&format!("hint: {}", sanitise::line(hint)));
        }
        let searched = started.runs.first().and_then(|run| run.sweep.clone()).filter(|_| searches);
        if options.detach {
            search::detached(searched.as_deref());
            return print_names(&started.runs, options.json);
        }

        let recipes = !options.no_recipe;
        let saver = folder.map(|folder| Saver::new(Saving { folder, names, recipes }));
        let mut hand_over = |client: &Client, row: Row<'_>| {
            if let Some(saver) = &saver {
                saver.save(client, row);
            }
        };
        let following = Options {
            json: options.json,
            stream: options.stream,
            cancels: true,
            no_wait: options.no_wait,
            search: searched.clone(),
            ended: &mut hand_over,
        };
        let projection = Projection::of(started.runs).with_sweep(searched.clone());
        let mut followed = follow(context, client, projection, &mut interrupt, following).await?;
        let found = match &searched {
            Some(sweep) => search::detail(&followed.client, sweep).await,
            None => None,
        };
        followed.pruned = found.as_ref().map_or(0, search::pruned);
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
        if options.json {
            report::json(&mut out, client, projection, saved.as_ref()).await?;
        } else if !options.stream || options.out.is_some() {
            report::lines(&mut out, client, projection, saved.as_ref()).await?;
        }
        out.flush()?;
        if !options.json {
            if let Some(absent) = report::absent(projection, workflow.outputs.keys()) {
                output::note(&absent);
            }
            failed_commands(client, projection).await;
        }
        let found = found.as_ref().map_or(Ok(()), search::verdict);
        followed.verdict(&interrupt)?;
        found?;
        match saved {
            Some(saved) if !saved.errors.is_empty() => Err(Failure::failed(saved.errors.join("\n"))),
            _ => Ok(()),
        }
    }
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
