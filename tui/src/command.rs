//! The headless commands, one file per verb.

pub(crate) mod answer;
pub(crate) mod assets;
pub(crate) mod cache;
pub(crate) mod cancel;
pub(crate) mod check;
mod choice;
pub(crate) mod completions;
pub(crate) mod convert;
pub(crate) mod daemon;
pub(crate) mod delete;
pub(crate) mod docs;
pub(crate) mod doctor;
pub(crate) mod engine;
pub(crate) mod export;
mod follow;
mod followed;
pub(crate) mod fork;
pub(crate) mod help;
pub(crate) mod import;
mod imported;
pub(crate) mod interrupt;
pub(crate) mod label;
pub(crate) mod logs;
pub(crate) mod metrics;
pub(crate) mod models;
pub(crate) mod new;
pub(crate) mod nodes;
pub(crate) mod plugin;
pub(crate) mod prune;
pub(crate) mod ps;
pub(crate) mod queue;
mod reconnect;
pub(crate) mod report;
pub(crate) mod reproduce;
pub(crate) mod resume;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod secrets;
pub(crate) mod sheet;
pub(crate) mod show;
mod stream;
pub(crate) mod sweep;
pub(crate) mod table;
mod tail;
pub(crate) mod ui;
pub(crate) mod watch;
pub(crate) mod why;

use std::path::Path;

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::document::FILE_LIMIT;
use fanlight_shared::rpc::{runs, sweeps, workflows};
use fanlight_shared::run::{MAX_PRIORITY, Run};
use fanlight_shared::sanitise;
use fanlight_shared::workflow::Workflow;

use crate::failure::Failure;
use crate::{node_types, output, text_file};

/// Returns the run that a person named.
async fn find_run(client: &Client, name: &str) -> Result<runs::Detail, Failure> {
    match client.run(name).await {
        Err(error) if error.is_unknown() => {
            let sweep = client.call(sweeps::Find { sweep: name.to_owned() }).await.ok();
            let hint = sweep.map(|found| {
                let sweep = sanitise::line(&found.name);
                format!("`{sweep}` is a sweep: `fanlight sweep show {sweep}` shows it, and `fanlight table {sweep}` its runs")
            });
            Err(Failure::from(error).maybe_hint(hint))
        }
        found => Ok(found?),
    }
}

/// Reads the params of a run if they were shortened.
async fn find_params(client: &Client, run: &mut Run) -> Result<(), ClientError> {
    if run.params_short {
        run.params = client.params(run.id).await?;
        run.params_short = false;
    }
    Ok(())
}

/// Reads the items that the response about a run left out. In a run that still runs, they may be newer than the rest.
async fn find_items(client: &Client, detail: &mut runs::Detail) -> Result<(), Failure> {
    let state = &mut detail.state;
    let each = state.nodes.iter().filter(|(_, node)| node.item_count.is_some());
    let names: Vec<String> = each.map(|(name, _)| name.clone()).collect();
    for node in names {
        let mut list = runs::Items { run_id: detail.run.id, node, cursor: None };
        while !state.is_whole() {
            let page = client.call(list.clone()).await?;
            let items = page.rows.into_iter().filter_map(|row| Some((row.item.0?, row.instance)));
            state.take_items(&list.node, items);
            list.cursor = page.cursor;
            if list.cursor.is_none() {
                break;
            }
        }
    }
    Ok(())
}

/// Returns the workflow that a person named: an id, a slug, or the path of its file.
async fn find_workflow(client: &Client, name: &str) -> Result<workflows::Detail, Failure> {
    let workflow = match Path::new(name).canonicalize() {
        Ok(path) if is_path(name) && path.is_file() => client.path_there(&path.to_string_lossy()),
        _ => name.to_owned(),
    };
    Ok(client.workflow(&workflow).await?)
}

/// Returns whether the user means a file. Anything else is a name, even if there is a file or a folder called so.
fn is_path(what: &str) -> bool {
    what.contains('/') || names_workflow_file(what)
}

/// Returns whether it ends as the names of workflow files do.
pub(crate) fn names_workflow_file(what: &str) -> bool {
    [".yaml", ".yml", ".json"].iter().any(|ending| what.ends_with(ending))
}

/// Returns a key that makes a request happen once, however often it is sent.
fn request_key() -> String {
    fanlight_shared::id::SubmissionId::new().to_string()
}

/// Parses the priority of a run.
fn priority() -> clap::builder::RangedI64ValueParser<i32> {
    clap::value_parser!(i32).range(i64::from(-MAX_PRIORITY)..=i64::from(MAX_PRIORITY))
}

/// Checks the text of a workflow file and prints its problems on stderr; `name` is the file's name in messages.
async fn read_workflow(client: Option<&Client>, name: &str, document: &str) -> Result<Workflow, Failure> {
    match fanlight_shared::document::read(document, &node_types::of(client).await) {
        Ok(checked) => {
            output::problems(name, document, &checked.warnings);
            Ok(checked.workflow)
        }
        Err(problems) => {
            output::problems(name, document, &problems);
            Err(Failure::invalid_file())
        }
    }
}

/// Reads a workflow file.
fn read_document(path: &Path) -> Result<String, Failure> {
    text_file::read(path, FILE_LIMIT as u64).map_err(Failure::usage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths_are_distinguished() {
        assert!(is_path("a.yaml") && is_path("./a") && is_path("w/a.yml"));
        assert!(!is_path("poster"));
    }
}
