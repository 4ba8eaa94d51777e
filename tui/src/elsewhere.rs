//! The files of this computer that a submission takes along to a daemon on another one.

mod uploads;

use std::path::{Path, PathBuf};

use fanlight_shared::client::{Client, ClientError};
use fanlight_shared::document::children;
use fanlight_shared::host_path;
use fanlight_shared::problem::Problem;
use fanlight_shared::rpc::runs::{Resume, SentFile, Start};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::value::Values;
use fanlight_shared::workflow::Workflow;

use crate::node_types;
use uploads::Uploads;

/// Returns a submission as the daemon gets it, after the files of its params were sent; unchanged if the daemon is on this
/// computer. It is only valid for this connection.
///
/// # Errors
/// A file can't be read or sent.
pub(crate) async fn sent(
    client: &Client,
    workflow: &Workflow,
    mut start: Start,
) -> Result<Start, ClientError> {
    if !client.is_elsewhere() {
        return Ok(start);
    }
    let path = start.path.as_deref().filter(|path| host_path::split(path).is_none());
    let folder = path.and_then(|path| Path::new(path).parent());
    let mut uploads = Uploads::new(client, workflow);
    for set in &mut start.sets {
        // Defaults are relative to the file, so they are here as well.
        if let Some(folder) = folder.filter(|_| set.like.is_none()) {
            uploads.fill_in(&mut set.params, folder);
        }
        uploads.send(&mut set.params).await?;
    }
    let files = match path {
        Some(path) if start.files.is_empty() => children(client, workflow, Path::new(path)).await?,
        _ => std::mem::take(&mut start.files),
    };
    Ok(Start { path: start.path.as_deref().map(|path| client.path_there(path)), files, ..start })
}

/// Returns a resumption as the daemon gets it, after the files of its params were sent.
///
/// # Errors
/// As [`sent`].
pub(crate) async fn sent_again(client: &Client, request: Resume) -> Result<Resume, ClientError> {
    let Resume { mut params, .. } = request.clone();
    if !client.is_elsewhere() || params.is_empty() {
        return Ok(request);
    }
    let detail = client.run(&request.run.to_string()).await?;
    let document = request.document.as_ref().unwrap_or(&detail.document);
    let checked = fanlight_shared::document::read(document, &node_types::of(Some(client)).await);
    let workflow = checked.map_err(invalid)?.workflow;
    send_params(client, &workflow, &mut params).await?;
    Ok(Resume { params, ..request })
}

async fn send_params(client: &Client, workflow: &Workflow, params: &mut Values) -> Result<(), ClientError> {
    Uploads::new(client, workflow).send(params).await
}

/// Reads the files of the workflows that a workflow runs.
async fn children(client: &Client, workflow: &Workflow, path: &Path) -> Result<Vec<SentFile>, ClientError> {
    let mut files: Vec<SentFile> = Vec::new();
    let mut open = |asked: &Path| {
        let (path, document) = children::open(asked)?;
        let text = |path: &Path| path.to_str().map(str::to_owned).ok_or("is not a path in UTF-8");
        let file = SentFile { name: text(asked)?, path: text(&path)?, document: document.clone() };
        if !files.iter().any(|it| it.name == file.name) {
            files.push(file);
        }
        Ok::<(PathBuf, String), String>((path, document))
    };
    let types = node_types::of(Some(client)).await;
    children::read(workflow, Some(path), &types, &mut open).map_err(invalid)?;
    Ok(files)
}

fn invalid(problems: Vec<Problem>) -> ClientError {
    let first = problems.first().map(Problem::to_string).unwrap_or_default();
    let message = format!("the workflow file has errors: {first}");
    RpcError { problems, ..RpcError::new(ErrorCode::InvalidWorkflow, message) }.into()
}
