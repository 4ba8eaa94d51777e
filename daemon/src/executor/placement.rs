//! Where a node's attempts run.

pub(crate) use crate::config::ENGINE_PREFIX;
use crate::node_type::{NodeType, Runner};

/// The name of the executor of commands: processes under the supervisor.
pub(crate) const COMMANDS: &str = "local";
/// The name of the executor of native nodes that decode foreign bytes.
pub(crate) const WORKERS: &str = "workers";
/// The name of the executor of native nodes that wait or read files.
pub(crate) const NATIVE: &str = "daemon";
/// The name of the executor of node types of plugins.
pub(crate) const PLUGINS: &str = "plugins";

/// Where a node's attempts run: which executor, and in which pool they count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// The name of the executor.
    pub executor: String,
    /// The pool that its attempts count in, besides the one that the node names itself.
    pub pool: Option<String>,
    /// The limit of the executor itself: its name, and how many attempts may run at once.
    pub at_once: Option<(String, u32)>,
}

impl Placement {
    /// Returns the placement of a command on an engine of the config, whose name this is. The pool of that name is as large
    /// as its `max_in_flight`.
    pub(crate) fn on_engine(name: &str) -> Self {
        let executor = format!("{ENGINE_PREFIX}{name}");
        Self { pool: Some(executor.clone()), executor, at_once: None }
    }

    /// Returns the placement of a node of a native type, or of a command.
    pub(crate) fn of(native: Option<&NodeType>) -> Self {
        let (executor, pool, at_once) = match native.map(|native| &native.run) {
            None | Some(Runner::Command) => (COMMANDS, Some("process"), None),
            Some(Runner::Worker(_)) => (WORKERS, Some("cpu"), None),
            Some(Runner::Executor { name, pool, at_once }) => {
                (name.as_str(), pool.as_deref(), at_once.clone())
            }
            Some(Runner::Inline(_) | Runner::Handles(_) | Runner::Text(_) | Runner::Daemon(_)) => {
                (NATIVE, None, None)
            }
        };
        Self { executor: executor.to_owned(), pool: pool.map(str::to_owned), at_once }
    }
}
