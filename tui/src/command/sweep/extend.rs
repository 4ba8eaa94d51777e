//! `fanlight sweep extend`: adds runs to a sweep.

use std::path::Path;

use fanlight_shared::client::Client;
use fanlight_shared::id::Version;
use fanlight_shared::rpc::runs::{self, SweepOptions};
use fanlight_shared::rpc::sweeps::{Detail, Get};
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::Workflow;

use crate::command::reproduce::check_one;
use crate::command::run::{ParamOptions, RunOptions, Source, Submission, sets};
use crate::command::{read_document, read_workflow};
use crate::context::Context;
use crate::failure::Failure;
use crate::output;

/// The arguments of `sweep extend`.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The sweep: its name, a workflow's name (its newest sweep), or `last`.
    #[arg(value_name = "SWEEP")]
    name: String,
    #[command(flatten)]
    params: ParamOptions,
    #[command(flatten)]
    runs: RunOptions,
}

/// Runs `sweep extend`.
pub(super) async fn run(
    context: &Context,
    client: Client,
    mut args: Args,
    as_json: bool,
) -> Result<(), Failure> {
    if args.params.are_none() {
        return Err(Failure::usage("no new runs were given")
            .hint("add `--sweep key=1..6`, `--rows FILE`, `-p key=value` or `--repeat N`"));
    }
    args.runs.json |= as_json;
    let detail = client.call(Get { sweep: args.name.clone() }).await?;
    let sweep = &detail.sweep;
    let name = sanitise::line(&sweep.name);
    let list = runs::List { sweep: Some(sweep.name.clone()), limit: Some(1), ..runs::List::default() };
    let Some(run) = client.call(list).await?.rows.pop() else {
        return Err(Failure::failed(format!("the runs of `{name}` have been deleted")));
    };
    let path =
        client.call(runs::Get { run: run.id.to_string() }).await?.path.map(|path| client.path_here(&path));
    let document = client.document(&sweep.version).await?;
    let shown = sanitise::line(path.as_deref().unwrap_or(&sweep.workflow));
    let workflow = read_workflow(Some(&client), &shown, &document).await?;
    if path.as_deref().is_some_and(|path| is_changed(Path::new(path), &sweep.version)) {
        output::note(&format!("hint: {shown} has changed since; the new runs have the version of `{name}`"));
    }
    let earlier = Earlier { sweep: &detail, workflow: &workflow, path: path.as_deref(), client: &client };
    let base = earlier.constant(client.params(run.id).await?, &args.params);
    let sets = sets(&args.params, &workflow, base)?;
    let options = SweepOptions { extends: Some(sweep.name.clone()), ..SweepOptions::default() };
    let source = Source { shown, document, path };
    let submission = Submission { source, workflow, sets, sweep: Some(options), options: args.runs };
    submission.run(context, Some(client), &args.params).await
}

/// Returns whether a file no longer has this version. One that can't be read is not told apart from an unchanged one.
fn is_changed(path: &Path, version: &Version) -> bool {
    read_document(path).is_ok_and(|document| Version::of(&document) != *version)
}

/// What the new runs have in common with the earlier ones.
struct Earlier<'a> {
    sweep: &'a Detail,
    workflow: &'a Workflow,
    /// The path of the workflow file.
    path: Option<&'a str>,
    client: &'a Client,
}

impl Earlier<'_> {
    /// Returns the params that are the same in all runs of the sweep and differ from their defaults. The daemon has the content of
    /// their files.
    fn constant(&self, params: Values, given: &ParamOptions) -> Values {
        let mut constant = Values::new();
        for (name, value) in params {
            let Some(param) = self.workflow.params.get(&name) else { continue };
            if self.sweep.params.contains_key(&name)
                || param.default.as_ref().is_some_and(|default| self.is_default(default, &value))
                || given.gives(&name)
            {
                continue;
            }
            constant.insert(name, value);
        }
        constant
    }

    /// Returns whether the files that a default names hold the same as those of an earlier run.
    fn is_default(&self, default: &Value, value: &Value) -> bool {
        match (default, value) {
            (Value::List(all), Value::List(others)) => {
                all.len() == others.len()
                    && all.iter().zip(others).all(|(one, other)| self.is_default(one, other))
            }
            (Value::Text(file), Value::Media(media)) if !self.client.is_elsewhere() => {
                let folder = self.path.map(Path::new).and_then(Path::parent);
                folder.is_some_and(|folder| check_one(&folder.join(file), media.hash).is_ok())
            }
            (default, value) => default == value,
        }
    }
}
