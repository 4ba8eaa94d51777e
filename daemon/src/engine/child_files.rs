//! The files of the workflows that a run starts: read when it is submitted, and stored with it.

use std::path::{Path, PathBuf};

use fanlight_shared::document::children::{self, ChildFile};
use fanlight_shared::host_path;
use fanlight_shared::rpc::runs::SentFile;
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::workflow::Workflow;

use super::errors::invalid;
use super::plan::Plan;
use super::requirements;
use crate::config::Config;
use crate::node_type::NodeTypeSet;
use crate::store::{ChildVersions, NewFile};

/// Reads and checks the files that the nodes of a workflow run, itself or through others. Those that were `sent` are not read;
/// all of a workflow on another host must be among them. `missing_secrets`: as for [`requirements::check`]. Blocks.
pub(super) fn read(
    workflow: &Workflow,
    path: Option<&Path>,
    sent: &[SentFile],
    config: &Config,
    types: &NodeTypeSet,
    missing_secrets: bool,
) -> Result<Vec<NewFile>, RpcError> {
    let prepared = |file: ChildFile| prepared(file, config, types, missing_secrets);
    let sent = |asked: &Path| {
        let file = sent.iter().find(|file| Path::new(&file.name) == asked)?;
        Some((PathBuf::from(&file.path), file.document.clone()))
    };
    let there = path.and_then(Path::to_str).and_then(host_path::split);
    let Some((host, path)) = there else {
        let mut open = |asked: &Path| sent(asked).map_or_else(|| children::open(asked), Ok);
        let found = children::read(workflow, path, types.catalogue(), &mut open);
        return found.map_err(invalid)?.into_iter().map(prepared).collect();
    };
    let mut open = |asked: &Path| {
        let missing = || format!("is on {host}, and was not sent with the workflow; start it from there");
        sent(asked).ok_or_else(missing)
    };
    let found = children::read(workflow, Some(Path::new(path)), types.catalogue(), &mut open);
    let found = found.map_err(invalid)?;
    let named = |file: ChildFile| ChildFile {
        reader: host_path::on(host, &file.reader),
        path: host_path::on(host, &file.path),
        ..file
    };
    found.into_iter().map(|file| prepared(named(file))).collect()
}

/// Returns what tells files from other versions of them, as [`crate::store::Store::child_versions`] does for those of a run.
pub(super) fn versions(files: &[NewFile]) -> ChildVersions {
    files.iter().map(|it| (it.reader.clone(), it.name.clone(), it.version.hash.clone())).collect()
}

fn prepared(
    file: ChildFile,
    config: &Config,
    types: &NodeTypeSet,
    missing_secrets: bool,
) -> Result<NewFile, RpcError> {
    let ChildFile { reader, name, path, document, workflow } = file;
    let wrong = |why: String| RpcError::new(ErrorCode::InvalidWorkflow, format!("{path}: {why}"));
    requirements::check(&workflow, Some(Path::new(&path)), config, types, missing_secrets)
        .map_err(|error| wrong(error.message))?;
    let plan = Plan::new(workflow, types).map_err(wrong)?;
    Ok(NewFile { reader, name, path, version: plan.version(document) })
}
