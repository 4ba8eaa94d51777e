//! What a workflow needs of the place where it runs: a path of its file, pools, secrets, engines and resources.

use std::collections::HashSet;
use std::path::Path;

use fanlight_shared::rpc::{ErrorCode, RpcError};
use fanlight_shared::value::cut;
use fanlight_shared::workflow::{Action, Dir, Node, Workflow};

use super::elsewhere::host_of;
use crate::command;
use crate::config::{Config, EngineSettings, Stage};
use crate::executor::Placement;
use crate::machine::Machine;
use crate::node_type::NodeTypeSet;

/// Checks what only the daemon knows: whether the file has a path, and which pools and secrets exist. Blocks.
/// `missing_secrets`: a node may need a secret that doesn't exist, and then fails.
pub(super) fn check(
    workflow: &Workflow,
    path: Option<&Path>,
    config: &Config,
    types: &NodeTypeSet,
    missing_secrets: bool,
) -> Result<(), RpcError> {
    if path.is_none() && workflow.id.is_none() {
        return Err(RpcError::new(
            ErrorCode::BadParams,
            "a document without a path needs an `id:`, so that it is recognised again",
        ));
    }
    for (name, node) in &workflow.nodes {
        if let (Some(host), Some(dir)) = (path.and_then(host_of), &node.dir) {
            return Err(RpcError::new(
                ErrorCode::BadParams,
                format!(
                    "node `{name}` has `dir: {}`, a folder on {host}, and runs on another computer; pass what it reads as a param of type `dir`",
                    cut(dir.source(), 60)
                ),
            ));
        }
        if path.is_none() && node.dir.is_some() {
            return Err(RpcError::new(
                ErrorCode::BadParams,
                format!("node `{name}` has `dir:`, which needs a path"),
            ));
        }
        check_remember(name, node, path)?;
        if let Some(Dir::Copy { exclude, .. }) = &node.dir {
            exclude.iter().try_for_each(|it| command::check_pattern(it)).map_err(|why| {
                let message = format!("node `{name}`: `exclude` of `dir`: {why}");
                RpcError::new(ErrorCode::InvalidWorkflow, message)
            })?;
        }
        let is_here = workflow.engine_of(node).is_none();
        if let Some(resources) = node.resources.as_ref().filter(|_| is_here) {
            let machine = Machine::of(&config.resources);
            if resources.0.iter().any(|(key, _)| *key == "gpus") {
                // They are found here, because it takes time, and not in the engine's loop. If that fails, the check says why.
                let _ = machine.find_gpus();
            }
            let checked = machine.check(&resources.fixed());
            checked
                .map_err(|why| RpcError::new(ErrorCode::InvalidWorkflow, format!("node `{name}`: {why}")))?;
        }
        let placed = match &node.action {
            Action::Uses(name) => types.get(name).and_then(|it| Placement::of(Some(it)).pool),
            _ => None,
        };
        let mut pools = node.pool.iter().chain(&placed);
        if let Some(pool) = pools.find(|pool| !config.pools.contains_key(*pool)) {
            let message = format!("node `{name}`: {}", config.unknown_pool(pool));
            return Err(RpcError::new(ErrorCode::InvalidWorkflow, message));
        }
        check_engine(name, node, workflow, config)?;
    }
    if missing_secrets {
        return Ok(());
    }
    let mut seen = HashSet::new();
    let secrets =
        workflow.nodes.iter().flat_map(|(node, it)| it.secrets().into_iter().map(move |it| (node, it)));
    for (node, secret) in secrets.filter(|(_, secret)| seen.insert(*secret)) {
        config
            .secrets
            .check(secret)
            .map_err(|why| RpcError::new(ErrorCode::InvalidWorkflow, format!("node `{node}`: {why}")))?;
    }
    Ok(())
}

/// Checks the engine of a node: its name, wherever it is, and that a command can be sent to it from here.
fn check_engine(name: &str, node: &Node, workflow: &Workflow, config: &Config) -> Result<(), RpcError> {
    let named = node.engine.as_deref().or(workflow.engine.as_deref());
    let known = named.map_or(Ok(()), |engine| config.check_engine(engine));
    let checked = known.and_then(|()| {
        let Some(engine) = workflow.engine_of(node) else { return Ok(()) };
        let Some(settings) = config.engines.get(engine) else { return Ok(()) };
        let checked = check_folder(node, settings).and_then(|()| command::check_installed(settings));
        checked.map_err(|why| format!("the engine `{engine}`: {why}"))
    });
    checked.map_err(|why| RpcError::new(ErrorCode::InvalidWorkflow, format!("node `{name}`: {why}")))
}

/// Checks that the folder of a node can be on its engine.
fn check_folder(node: &Node, settings: &EngineSettings) -> Result<(), String> {
    match &node.dir {
        Some(Dir::Shared(_) | Dir::Worktree { .. }) if settings.stage == Stage::Rsync => Err(format!(
            "`dir: {}` is a folder of this machine, and its engine shares none with it (`stage = \"rsync\"`); \
             write `dir: {{ copy: … }}`, or pass what it reads as a param of type `dir`",
            cut(node.dir.as_ref().map_or("", Dir::source), 60)
        )),
        _ => Ok(()),
    }
}

/// Checks the files that the result of a command depends on.
fn check_remember(name: &str, node: &Node, path: Option<&Path>) -> Result<(), RpcError> {
    let files = node.remember.iter().flat_map(|it| &it.files);
    let wrong = |why: String| {
        let message = format!("node `{name}`: `files` of `remember`: {why}");
        RpcError::new(ErrorCode::InvalidWorkflow, message)
    };
    for pattern in files {
        if let Some(host) = path.and_then(host_of) {
            return Err(wrong(format!(
                "`{pattern}` is on {host}, and the node runs on another computer; pass it as a param of type `file`"
            )));
        }
        if path.is_none() {
            return Err(wrong(
                "files are found relative to the workflow file, and this workflow has none".into(),
            ));
        }
        command::check_pattern(pattern).map_err(wrong)?;
    }
    Ok(())
}
