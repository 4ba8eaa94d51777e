//! `fanlight resume`: new runs that take over what finished in ended ones.

use std::collections::HashMap;
use std::path::Path;

use fanlight_shared::client::Client;
use fanlight_shared::environment::Environment;
use fanlight_shared::rpc::runs::{self, Reuse};
use fanlight_shared::rpc::sweeps::{Find, Found};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::sanitise;

use super::{choice, imported, read_document, read_workflow, request_key};
use crate::context::Context;
use crate::environment;
use crate::failure::Failure;
use crate::output::{Out, json};
use crate::{output, text};

/// The arguments of `resume`.
#[derive(clap::Args, Debug)]
pub(crate) struct Args {
    /// The ended runs.
    #[arg(value_name = "RUN")]
    runs: Vec<String>,
    /// Resume all failed runs that have not been resumed.
    #[arg(long, conflicts_with = "runs")]
    failed: bool,
    /// Resume all failed and cancelled runs of this workflow (its name, or the path of its file) that have not been
    /// resumed; with `--failed`, only failed ones.
    #[arg(short, long, value_name = "WORKFLOW", conflicts_with = "runs")]
    workflow: Option<String>,
    /// Resume all failed and cancelled runs of this sweep that have not been resumed; with `--failed`, only failed
    /// ones. The new runs are not part of the sweep.
    #[arg(long, value_name = "SWEEP", conflicts_with_all = ["runs", "workflow"])]
    sweep: Option<String>,
    /// Use the workflow file as it is now, and reuse what its changes don't affect.
    #[arg(long)]
    new_version: bool,
    /// Pass an environment variable to the commands, in place of the one that the ended run was submitted with:
    /// `NAME=VALUE`, or `NAME` with its current value.
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    variables: Vec<String>,
    /// Print the new runs as JSON, one object per line.
    #[arg(long)]
    json: bool,
}

/// Runs `resume`.
pub(crate) async fn run(args: Args) -> Result<(), Failure> {
    if args.runs.is_empty() && !args.failed && args.workflow.is_none() && args.sweep.is_none() {
        return Err(Failure::usage("no run is named").hint(
            "name ended runs, as in `fanlight resume poster#12`, or choose them by `--failed`, `--workflow` or `--sweep`",
        ));
    }
    let environment = environment::named(&args.variables)?;
    let client = Context::from_env()?.connect().await?;
    let ended = if args.runs.is_empty() {
        let states = [RunStatus::Failed, RunStatus::Cancelled];
        let states = if args.failed { &states[..1] } else { &states };
        match args.sweep {
            Some(sweep) => {
                let Found { name, workflow_id } = client.call(Find { sweep }).await?;
                let mut runs = choice::not_resumed(&client, Some(workflow_id), states).await?;
                runs.retain(|run| run.sweep.as_ref() == Some(&name));
                runs
            }
            None => {
                let workflow = choice::workflow(&client, args.workflow.as_deref()).await?;
                choice::not_resumed(&client, workflow, states).await?
            }
        }
    } else {
        choice::named(&client, &args.runs).await?
    };
    if ended.is_empty() {
        output::note("there is nothing to resume");
        return Ok(());
    }
    let mut requests = Vec::new();
    let mut files = Files::default();
    for run in &ended {
        let (document, mut variables) = match args.new_version {
            true => files.of(&client, run).await.map(|(document, asked_for)| (Some(document), asked_for))?,
            false => (None, imported::variables(&client, run).await?),
        };
        variables.extend(environment.clone());
        requests.push(runs::Resume {
            document,
            environment: variables,
            ..runs::Resume::of(run.id, request_key())
        });
    }
    if args.new_version {
        // The summary is printed before the first run starts. If one run can't be resumed, none starts.
        for (run, request) in ended.iter().zip(&requests) {
            let planned = client.call(runs::Resume { dry_run: true, ..request.clone() }).await?;
            say_hints(&planned.hints);
            output::note(&format!("{}: {}", run.name(), sentence(&planned.reuse.unwrap_or_default())));
        }
    }
    let mut out = Out::new();
    for (from, request) in ended.iter().zip(requests) {
        let started = client.call(request).await?;
        if !args.new_version {
            say_hints(&started.hints);
        }
        for run in &started.runs {
            if args.json {
                json::print(&mut out, &json::run(run))?;
                continue;
            }
            out.line(&run.name())?;
            out.flush()?;
            output::note(&format!("{} continues where {} ended", run.name(), from.name()));
            if let Some(reuse) = started.reuse.as_ref().filter(|_| !args.new_version) {
                output::note(&format!("it {}", sentence(reuse)));
            }
            if ended.len() == 1 {
                output::note(&format!("follow it with `fanlight watch '{}'`", run.name()));
            }
        }
    }
    out.flush()
}

pub(super) fn say_hints(hints: &[String]) {
    for hint in hints {
        output::note(&format!("hint: {}", sanitise::line(hint)));
    }
}

/// Returns `keeps slow, thumbs (7 of 9 items); runs step, report again`
pub(super) fn sentence(reuse: &Reuse) -> String {
    let kept = reuse.reused.iter().map(|kept| match (kept.items, kept.of) {
        (Some(items), Some(of)) if items < of => {
            format!("{} ({items} of {})", kept.node, text::count(of as usize, "item"))
        }
        _ => kept.node.clone(),
    });
    let (kept, again) =
        (listed(kept.collect(), reuse.reused_left), listed(reuse.rerun.clone(), reuse.rerun_left));
    format!("keeps {kept}; runs {again} again")
}

/// Returns the names with commas between them, and how many more there are.
fn listed(mut names: Vec<String>, left: u32) -> String {
    if left > 0 {
        names.push(format!("{left} more"));
    }
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

/// The current workflow files, each read once.
#[derive(Default)]
struct Files {
    /// By path: the text, and the variables that it asks for.
    read: HashMap<String, (String, Vec<String>)>,
}

impl Files {
    /// Returns the file of a run, and those variables that it asks for and that the run was submitted without.
    async fn of(&mut self, client: &Client, run: &Run) -> Result<(String, Environment), Failure> {
        let name = run.name();
        let detail = client.call(runs::Get { run: run.id.to_string() }).await?;
        let Some(path) = detail.path.map(|path| client.path_here(&path)) else {
            return Err(Failure::usage(format!("{name} was submitted without a file")).hint(format!(
                "without `--new-version` it continues with its own version: `fanlight resume '{name}'`"
            )));
        };
        if !self.read.contains_key(&path) {
            let document = read_document(Path::new(&path))?;
            let workflow = read_workflow(Some(client), &sanitise::line(&path), &document).await?;
            let asked_for = workflow.passed_variables().into_iter().map(str::to_owned).collect();
            self.read.insert(path.clone(), (document, asked_for));
        }
        let (document, asked_for) = self.read.get(&path).cloned().unwrap_or_default();
        if client.is_elsewhere() {
            return Ok((document, Environment::default()));
        }
        // An imported run has no `PATH`.
        let asked_for = std::iter::once("PATH").chain(asked_for.iter().map(String::as_str));
        let new = asked_for.filter(|name| !detail.environment.iter().any(|known| known == name));
        Ok((document, environment::asked_for(new)?))
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::rpc::runs::ReusedNode;

    use super::*;

    #[test]
    fn reused_nodes_are_listed_in_one_sentence() {
        let kept = |node: &str, items, of| ReusedNode { node: node.into(), items, of };
        let reuse = Reuse {
            reused: vec![
                kept("slow", None, None),
                kept("all", Some(3), Some(3)),
                kept("some", Some(7), Some(9)),
            ],
            rerun: vec!["some".into(), "report".into()],
            ..Reuse::default()
        };
        assert_eq!(sentence(&reuse), "keeps slow, all, some (7 of 9 items); runs some, report again");
        let reuse = Reuse { reused_left: 12, ..reuse };
        assert!(sentence(&reuse).starts_with("keeps slow, all, some (7 of 9 items), 12 more; runs some"));
        assert_eq!(sentence(&Reuse::default()), "keeps nothing; runs nothing again");
    }
}
