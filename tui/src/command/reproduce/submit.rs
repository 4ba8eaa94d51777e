//! Submits the run of a recipe: like the one that made the product, if this home still has it, else from the recipe alone.

use std::path::{Path, PathBuf};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::environment::Environment;
use fanlight_shared::id::Version;
use fanlight_shared::lineage::{Lineage, RunOf};
use fanlight_shared::origin::Fresh;
use fanlight_shared::rpc::runs;
use fanlight_shared::run::Run;
use fanlight_shared::sanitise;
use fanlight_shared::value::{Value, cut};
use fanlight_shared::workflow::Workflow;
use indexmap::IndexMap;

use super::Args;
use super::files::check_one;
use crate::command::{read_workflow, request_key};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{self, ask};
use crate::{elsewhere, environment};

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
        match like(client, of).await {
            Ok(run) => return Ok(run),
            Err(error) if error.is_unknown() => {}
            Err(error) => return Err(error.into()),
        }
    }
    let knows_run = !is_from_file || knows(client, of).await?;
    alone(client, of, knows_run, args).await
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
async fn like(client: &Client, of: &RunOf) -> Result<Run, ClientError> {
    let request = runs::Resume {
        run: of.id,
        request_key: request_key(),
        document: None,
        environment: Environment::default(),
        at: None,
        afresh: true,
        params: IndexMap::new(),
        dry_run: false,
    };
    first(client.call(request).await?)
}

fn first(started: runs::Started) -> Result<Run, ClientError> {
    started.runs.into_iter().next().ok_or_else(|| ClientError::BadResponse("no run was started".into()))
}

/// Submits a run from the recipe alone.
async fn alone(client: &Client, of: &RunOf, knows_run: bool, args: &Args) -> Result<Run, Failure> {
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
    if !is_known || !knows_run {
        ask::confirm(&question(of, &workflow, is_known), args.yes)?;
    }
    let params = params(of, &args.params)?;
    let path = match &of.path {
        // A recipe from elsewhere does not decide whose workflow it is.
        Some(path) if is_known && Path::new(&client.path_here(path)).is_file() => {
            Some(client.path_here(path))
        }
        _ if workflow.id.is_some() => None,
        _ => Some(stored_file(of, &document)?),
    };
    let environment = environment::submitted(&workflow, &[], client.is_elsewhere())?;
    let request = runs::Start {
        document,
        path,
        sets: vec![runs::ParamSet { params, ..runs::ParamSet::default() }],
        fresh: Fresh::All(true),
        environment,
        request_key: request_key(),
        ..runs::Start::default()
    };
    let started = client.start(elsewhere::sent(client, &workflow, request).await?).await?;
    started.hints.iter().for_each(|hint| output::note(&format!("hint: {}", sanitise::line(hint))));
    Ok(first(started)?)
}

/// Returns the question before a run that this home does not know: what it is and does, and with what.
fn question(of: &RunOf, workflow: &Workflow, is_known: bool) -> String {
    let title = sanitise::line(&of.title);
    let what = match is_known {
        false => format!("the workflow `{title}`"),
        true => format!("the run `{}` of the workflow `{title}`", sanitise::line(&of.name)),
    };
    let commands = workflow.nodes.values().filter(|node| node.action.is_command()).count();
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

/// Writes the workflow of a recipe to a file of this home, by which it is recognised again, and returns its path.
fn stored_file(of: &RunOf, document: &str) -> Result<String, Failure> {
    let slug: String = of.name.chars().take_while(|it| it.is_ascii_alphanumeric() || *it == '-').collect();
    let version: String = of.version.as_str().chars().filter(char::is_ascii_alphanumeric).take(16).collect();
    let folder: PathBuf = Context::from_env()?.home.state.join("recipes").join(version);
    let file = folder.join(format!("{}.yaml", if slug.is_empty() { "workflow" } else { &slug }));
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&file, document));
    written.map_err(|error| Failure::failed(format!("`{}` can't be written: {error}", file.display())))?;
    Ok(file.to_string_lossy().into_owned())
}
