//! Where a node's attempts run.

use fanlight_shared::node_type::Place;

use crate::node_type::NodeType;

/// The name of the executor of commands: processes under the supervisor.
pub(crate) const COMMANDS: &str = "local";
/// The name of the executor of native nodes that decode foreign bytes.
pub(crate) const WORKERS: &str = "workers";
/// The name of the executor of native nodes that wait or read files.
pub(crate) const NATIVE: &str = "daemon";

/// Where a node's attempts run: which executor, and in which pool they count.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placement {
    /// The name of the executor.
    pub executor: String,
    /// The pool that its attempts count in, besides the one that the node names itself.
    pub pool: Option<&'static str>,
}

impl Placement {
    /// The placement of a node of a native type, or of a command.
    pub(crate) fn of(native: Option<&NodeType>) -> Self {
        let (executor, pool) = match native.map(|native| native.spec.place) {
            None => (COMMANDS, Some("process")),
            Some(Place::Worker) => (WORKERS, Some("cpu")),
            Some(Place::Daemon | Place::Inline) => (NATIVE, None),
        };
        Self { executor: executor.to_owned(), pool }
    }
}
