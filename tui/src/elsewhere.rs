//! What a submission takes along to a daemon on another computer: the files that it names here.

use std::path::{Path, PathBuf};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::document::children;
use fanlight_shared::host_path;
use fanlight_shared::problem::Problem;
use fanlight_shared::rpc::runs::{SentFile, Start};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;

use crate::node_types;

/// Returns a submission as the daemon gets it: unchanged if the daemon is on this computer.
///
/// # Errors
/// A file can't be read or sent.
pub(crate) async fn sent(client: &Client, workflow: &Workflow, start: Start) -> Result<Start, ClientError> {
    if !client.is_elsewhere() {
        return Ok(start);
    }
    start.sets.iter().try_for_each(|set| no_files(workflow, &set.params))?;
    let path = start.path.as_deref().filter(|path| host_path::split(path).is_none());
    let files = match path {
        Some(path) => children(client, workflow, Path::new(path)).await?,
        None => Vec::new(),
    };
    Ok(Start { path: start.path.as_deref().map(|path| client.path_there(path)), files, ..start })
}

/// Reads the files of the workflows that a workflow runs.
async fn children(client: &Client, workflow: &Workflow, path: &Path) -> Result<Vec<SentFile>, ClientError> {
    let mut files: Vec<SentFile> = Vec::new();
    let mut open = |asked: &Path| {
        let (path, document) = children::open(asked)?;
        let text = |path: &PathBuf| path.to_str().map(str::to_owned).ok_or("is not a path in UTF-8");
        let file =
            SentFile { name: text(&asked.to_owned())?, path: text(&path)?, document: document.clone() };
        if !files.iter().any(|it| it.name == file.name) {
            files.push(file);
        }
        Ok((path, document))
    };
    let types = node_types::of(Some(client)).await;
    let read = children::read(workflow, Some(path), &types, &mut open);
    read.map_err(|problems| {
        let first = problems.first().map(Problem::to_string).unwrap_or_default();
        RpcError {
            problems,
            ..RpcError::new(ErrorCode::InvalidWorkflow, format!("the workflow file has errors: {first}"))
        }
    })?;
    Ok(files)
}

/// Refuses params that name files of this computer.
pub(crate) fn no_files(workflow: &Workflow, params: &Values) -> Result<(), ClientError> {
    let takes_file = |name: &String| workflow.params.get(name).is_some_and(|param| param.ty.has_media());
    match params.keys().find(|name| takes_file(name)) {
        None => Ok(()),
        Some(name) => {
            let why = format!("param `{name}` takes a file, and files can't be sent to another computer yet");
            Err(RpcError::new(ErrorCode::BadParams, why).into())
        }
    }
}
