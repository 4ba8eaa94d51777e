//! The native node types: a file each below `node_type/`, and this list. PLACEHOLDER list; signatures hold.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use fanlight_shared::node_type::{Catalogue, NodeTypeSpec};
use fanlight_shared::value::Values;

use crate::job::Attempt;
use crate::store::blob::{Blobs, Published};

/// A node type: what it is and what runs it.
#[derive(Clone)]
pub struct NodeType {
    /// As data.
    pub spec: NodeTypeSpec,
    /// What runs it.
    pub run: Runner,
}

/// The values a node made and the blobs they refer to.
pub type Made = Result<(Values, Vec<Published>), String>;

/// What runs a node type. Inputs are converted and checked against the spec, defaults filled in.
#[derive(Clone, Copy)]
pub enum Runner {
    /// At once, in the engine: pure and quick.
    Inline(fn(Values) -> Result<Values, String>),
    /// In the daemon, off its loop. Stops when the attempt's token is cancelled.
    Daemon(fn(DaemonJob) -> Pin<Box<dyn Future<Output = Made> + Send>>),
    /// In a worker process: see [`crate::worker`].
    Worker(fn(&mut crate::worker::Bench, Values) -> Result<Values, String>),
}

/// What a node that runs in the daemon is given.
pub struct DaemonJob {
    /// The attempt, for progress and cancel.
    pub attempt: Attempt,
    /// The inputs.
    pub inputs: Values,
    /// For reading and publishing bytes.
    pub blobs: Blobs,
    /// Folders that `file.write` may write below.
    pub writable: Vec<PathBuf>,
}

/// All node types, in the order of the docs.
#[must_use]
pub fn all() -> Vec<NodeType> {
    Vec::new()
}

/// All node types as data.
#[must_use]
pub fn catalogue() -> Catalogue {
    all().into_iter().map(|it| it.spec).collect()
}
