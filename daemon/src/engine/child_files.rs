//! The files of the workflows that a run starts: read when it is submitted, and stored with it.

use std::path::Path;

use fanlight_shared::document::children::{self, ChildFile};
use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::workflow::Workflow;

use super::plan::Plan;
use super::submit;
use crate::config::Config;
use crate::node_type::NodeTypeSet;
use crate::store::NewFile;

/// Reads and checks the files that the nodes of a workflow run, itself or through others. Blocks.
pub(super) fn read(
    workflow: &Workflow,
    path: Option<&Path>,
    config: &Config,
    types: &NodeTypeSet,
) -> Result<Vec<NewFile>, RpcError> {
    let found = children::read(workflow, path, types.catalogue(), &mut children::open);
    let found = found.map_err(submit::invalid)?;
    found.into_iter().map(|file| prepared(file, config, types)).collect()
}

fn prepared(file: ChildFile, config: &Config, types: &NodeTypeSet) -> Result<NewFile, RpcError> {
    let ChildFile { reader, name, path, document, workflow } = file;
    let wrong = |why: String| RpcError::new(ErrorCode::InvalidWorkflow, format!("{path}: {why}"));
    submit::check_place(&workflow, Some(Path::new(&path)), config, types)
        .map_err(|error| wrong(error.message))?;
    let plan = Plan::new(workflow, types).map_err(wrong)?;
    Ok(NewFile { reader, name, path, version: plan.version(document) })
}
