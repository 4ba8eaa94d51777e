//! `watch`: what a client subscribes to.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;
use crate::event::{DaemonEvent, EdgeActivity, LiveEvent, Numbered, Queue};
use crate::id::{RunId, WorkflowId};
use crate::run::Run;
use crate::run_state::{Items, NodeState, RunState, items_by_index};

/// How many runs one connection may watch in full; the registry tells of all.
pub const TELEMETRY_LIMIT: usize = 64;

/// `watch`: replaces what this connection watched before. Snapshots and events come as notifications.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The registry: active runs, the first 200 that wait, the queue, banners, and every change of them.
    #[serde(default)]
    pub registry: bool,
    /// Products of this workflow: outputs and assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<Products>,
    /// Telemetry, in full, of these runs: at most [`TELEMETRY_LIMIT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub telemetry: Vec<TelemetryOf>,
    /// Telemetry of the newest started run of this workflow, whichever that is; the daemon moves on by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<WorkflowId>,
    /// The last daemon-wide `seq` this client has, from a connection to the same daemon instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// Whose products to tell of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Products {
    /// This workflow's; `None` is everybody's.
    pub workflow_id: Option<WorkflowId>,
}

/// A run whose telemetry is wanted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TelemetryOf {
    /// The run.
    pub run_id: RunId,
    /// The last `seq` this client has of it: the rest follows, or a snapshot where that is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// Where a client was when it lost its connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// `instance` of `hello`.
    pub instance: String,
    /// The last daemon-wide `seq`.
    pub seq: u64,
}

/// Answer of `watch`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Watching {
    /// The daemon-wide `seq` at this moment: every later event of what is watched comes as a notification. Lists that
    /// are read from now on miss nothing.
    #[serde(default)]
    pub seq: u64,
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A notification: `method` is `event`, `params` is this.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "channel", rename_all = "snake_case")]
// Each is written out or folded at once, and nearly all are of the large variant.
#[allow(clippy::large_enum_variant)]
pub enum Notification {
    /// The registry as it is now; replaces what the client had.
    Registry {
        /// Daemon-wide.
        seq: u64,
        /// Runs that run, then the first 200 that wait, in order.
        runs: Vec<Run>,
        /// How many more follow as `registry_runs`, before anything else of the registry.
        #[serde(default, skip_serializing_if = "is_zero")]
        runs_left: u64,
        /// The queue.
        queue: Queue,
        /// What every client should show, as in `hello`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        banners: Vec<String>,
    },
    /// Runs that the `registry` before left out, in order.
    RegistryRuns {
        /// `seq` of the `registry` that they belong to.
        seq: u64,
        /// The runs.
        runs: Vec<Run>,
    },
    /// Something of the registry, the queue or the products changed.
    Daemon {
        /// Daemon-wide, growing; numbers that are missing belong to what this connection does not watch.
        seq: u64,
        /// What.
        #[serde(flatten)]
        event: DaemonEvent,
    },
    /// A run as it is now; replaces what the client had of it. Where `state.nodes_left` or `state.edges_left` is not 0, so
    /// many follow as `snapshot_nodes`, and where `state.items_left` is not 0, so many items as `snapshot_items`, before
    /// anything else of the run.
    Snapshot {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// The run as lists show it.
        run: Box<Run>,
        /// What is known of it.
        state: Box<RunState>,
    },
    /// Nodes and edges that the snapshot before left out, in the order of the file.
    SnapshotNodes {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// `seq` of the snapshot that they belong to.
        seq: u64,
        /// Nodes by name, without their items.
        nodes: IndexMap<String, NodeState>,
        /// Edges by name.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        edges: IndexMap<String, EdgeActivity>,
    },
    /// Items of a node that the snapshot before left out.
    SnapshotItems {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// `seq` of the snapshot that they belong to.
        seq: u64,
        /// The node.
        node: String,
        /// The items, by index.
        #[serde(deserialize_with = "items_by_index")]
        items: Items,
    },
    /// A state event of a run.
    State {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// The event.
        #[serde(flatten)]
        event: Numbered,
    },
    /// A live event of a run.
    Live {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// The event.
        #[serde(flatten)]
        event: LiveEvent,
    },
    /// The client did not read for too long: what it had is stale, snapshots follow.
    Lagged {},
    /// The daemon ends.
    Bye {
        /// Why.
        reason: String,
    },
}

request!(Watch, "watch", Watching);
