//! Submits the run of a recipe: like the one that made the product, if this home still has it, else from the recipe alone.

use std::path::{Path, PathBuf};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::id::Version;
use fanlight_shared::lineage::{Lineage, RunOf, UNKNOWN_ACTION};
use fanlight_shared::origin::Fresh;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::Run;
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, cut};
use indexmap::IndexMap;

use super::files::check_one;
use super::{Args, children};
use crate::command::{read_workflow, request_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, ask};
use crate::{elsewhere, environment, node_types};

/// How much of a param is shown in a question, in characters.
const MAX_PARAM: usize = 200;

/// Submits the run. The recipe of a file may be anybody's; that of an asset is from this home.
pub(super) async fn submit(
    client: &Client,
    lineage: &Lineage,
    is_from_file: bool,
    args: &Args,
) -> Result<Run, Failure> {
    let Some(of) = lineage.runs.first() else {
        return Err(Failure::failed("the recipe names no run"));
    };
    // A run that another one started has no submission of its own.
    if of.parent.is_none() && args.params.is_empty() {
        match like(client, of, missing_secrets(lineage)).await {
            Ok(run) => return Ok(run),
            Err(error) if error.is_unknown() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let knows_run = !is_from_file || knows(client, of).await?;
    alone(client, lineage, of, knows_run, args).await
}

/// Returns whether the run may start without secrets: nodes that have nothing to do with the product need them.
fn missing_secrets(lineage: &Lineage) -> bool {
    !lineage.cut && lineage.steps.iter().all(|step| step.secrets.is_empty() && step.action != UNKNOWN_ACTION)
}

/// Returns whether this home has a run.
async fn knows(client: &Client, of: &RunOf) -> Result<bool, ClientError> {
    match client.call(runs::Get { run: of.id.to_string() }).await {
        Ok(_) => Ok(true),
        Err(error) if error.is_unknown() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Submits a run like one that this home has: with its files, variables and params.
async fn like(client: &Client, of: &RunOf, missing_secrets: bool) -> Result<Run, ClientError> {
    let request = runs::Resume { afresh: true, missing_secrets, ..runs::Resume::of(of.id, request_key()) };
    first(client.call(request).await?)
}

fn first(started: runs::Started) -> Result<Run, ClientError> {
    started.runs.into_iter().next().ok_or_else(|| ClientError::BadResponse("no run was started".into()))
}

/// Submits a run from the recipe alone.
async fn alone(
    client: &Client,
    lineage: &Lineage,
    of: &RunOf,
    knows_run: bool,
    args: &Args,
) -> Result<Run, Failure> {
    let (document, is_known) = match (client.document(&of.version).await, &of.document) {
        (Ok(document), _) => (document, true),
        (Err(error), Some(document)) if error.is_unknown() => {
            if Version::of(document) != of.version {
                return Err(Failure::failed(
                    "the recipe is damaged: its workflow is not the one that it names",
                ));
            }
            (document.clone(), false)
        }
        (Err(error), None) if error.is_unknown() => {
            return Err(Failure::failed(format!(
                "this home does not know the workflow of {}, and its file is too long for the recipe",
                of.name
            )));
        }
        (Err(error), _) => return Err(error.into()),
    };
    if of.params_short {
        return Err(Failure::failed(format!(
            "{} is gone, and its params are too long for the recipe",
            of.name
        )));
    }
    let workflow = read_workflow(Some(client), &of.name, &document).await?;
    let known_path = of
        .path
        .as_ref()
        .map(|path| client.path_here(path))
        .filter(|path| is_known && Path::new(path).is_file());
    let stored = stored_path(of)?;
    // A recipe from elsewhere does not decide whose workflow it is.
    let place = known_path.as_deref().map_or(stored.as_path(), Path::new);
    let types = node_types::of(Some(client)).await;
    let children = children::find(&workflow, place, of, &lineage.children, &types)?;
    let is_known = is_known && know_all(client, &children.of_recipe).await?;
    if !is_known || !knows_run {
        let commands = children::commands(&workflow) + children.commands;
        ask::confirm(&question(of, commands, is_known), args.yes).await?;
    }
    let params = params(of, &args.params)?;
    let path = match known_path {
        Some(path) => Some(path),
        None if workflow.id.is_some() && children.sent.is_empty() => None,
        None => Some(store(&stored, &document)?),
    };
    let environment = environment::submitted(&workflow, &[], client.is_elsewhere())?;
    let request = runs::Start {
        document,
        path,
        sets: vec![runs::ParamSet { params, ..runs::ParamSet::default() }],
        fresh: Fresh::All(true),
        files: children.sent,
        missing_secrets: missing_secrets(lineage),
        environment,
        request_key: request_key(),
        ..runs::Start::default()
    };
    let started = client.start(elsewhere::sent(client, &workflow, request).await?).await?;
    started.hints.iter().for_each(|hint| output::note(&format!("hint: {}", sanitise::line(hint))));
    Ok(first(started)?)
}

/// Returns the question before a run that this home does not know: what it is and does, and with what.
fn question(of: &RunOf, commands: usize, is_known: bool) -> String {
    let title = sanitise::line(&of.title);
    let what = match is_known {
        false => format!("the workflow `{title}`"),
        true => format!("the run `{}` of the workflow `{title}`", sanitise::line(&of.name)),
    };
    let does = match commands {
        0 => "no commands".to_owned(),
        count => crate::text::count(count, "command"),
    };
    let param = |(name, value): (&String, &Value)| {
        cut(&sanitise::line(&format!("{name}={}", crate::text::value_line(value))), MAX_PARAM)
    };
    let params: Vec<String> = of.params.iter().filter(|(_, it)| **it != Value::None).map(param).collect();
    let with = match params.len() {
        0 => String::new(),
        _ => format!(" Its params: {}.", params.join(", ")),
    };
    format!("This home does not know {what}, which runs {does}.{with} Run it?")
}

/// Returns the params of the recipe, with the files that the user names for those that take files.
fn params(of: &RunOf, given: &[String]) -> Result<IndexMap<String, Value>, Failure> {
    let mut files: IndexMap<&str, &str> = IndexMap::new();
    for text in given {
        let (name, path) = text.split_once('=').ok_or_else(|| {
            Failure::usage(format!("`-p {text}` doesn't name a file")).hint("write `-p key=FILE`")
        })?;
        match of.params.get(name) {
            Some(value) if value.has_media() => files.insert(name, path),
            Some(_) => {
                let message = format!("the recipe has its own value of `{name}`");
                return Err(Failure::usage(message).hint("`-p` is for params that take files"));
            }
            None => return Err(Failure::usage(format!("the recipe has no param `{name}`"))),
        };
    }
    let mut params = IndexMap::new();
    for (name, value) in of.params.iter().filter(|(_, value)| **value != Value::None) {
        let value = match value {
            Value::Media(media) => {
                let Some(path) = files.get(name.as_str()) else {
                    let message =
                        format!("the recipe needs the file `{}` for the param `{name}`", media.name);
                    return Err(Failure::failed(sanitise::line(&message)).hint(format!(
                        "give it with `-p {name}=FILE`; its hash begins with {}",
                        &media.hash.to_string()[..16]
                    )));
                };
                check_one(Path::new(path), media.hash).map_err(|why| {
                    Failure::failed(format!("`{path}` {why}"))
                        .hint(format!("`{name}` takes the same file again"))
                })?;
                let path =
                    Path::new(path).canonicalize().map_err(|error| Failure::failed(error.to_string()))?;
                Value::from(path.to_string_lossy().into_owned())
            }
            value if value.has_media() => {
                return Err(Failure::failed(format!(
                    "the param `{name}` has several files, and {} is gone",
                    of.name
                )));
            }
            value => value.clone(),
        };
        params.insert(name.clone(), value);
    }
    Ok(params)
}

/// Returns whether this home knows all these files.
async fn know_all(client: &Client, documents: &[String]) -> Result<bool, ClientError> {
    for document in documents {
        match client.document(&Version::of(document)).await {
            Ok(_) => {}
            Err(error) if error.is_unknown() => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Returns the path of the file of this home for the workflow of a recipe, by which it is recognised again.
fn stored_path(of: &RunOf) -> Result<PathBuf, Failure> {
    let slug: String = of.name.chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
    let version: String = of.version.as_str().chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let folder = Context::from_env()?.home.state.join("recipes").join(version);
    Ok(folder.join(format!("{}.yaml", if slug.is_empty() { "workflow" } else { &slug })))
}

/// Writes the workflow of a recipe to its file.
fn store(file: &Path, document: &str) -> Result<String, Failure> {
    let made = file.parent().map_or(Ok(()), std::fs::create_dir_all);
    let written = made.and_then(|()| std::fs::write(file, document));
    written.map_err(|error| Failure::failed(format!("`{}` can't be written: {error}", file.display())))?;
    Ok(file.to_string_lossy().into_owned())
}
