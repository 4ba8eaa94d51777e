//! `watch`: the subscriptions of a client.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;
use crate::event::{DaemonEvent, EdgeActivity, LiveEvent, Numbered, Queue};
use crate::id::{RunId, WorkflowId};
use crate::item::ItemPath;
use crate::metric::NewPoints;
use crate::run::Run;
use crate::run_state::{Items, NodeState, RunState, items_by_index};
use crate::sweep::Pause;

/// The most runs that one connection may watch in full; the registry covers all of them.
pub const TELEMETRY_LIMIT: usize = 64;

/// `watch`: replaces the connection's earlier subscription. Snapshots and events arrive as notifications.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Watch {
    /// The registry: active runs, the first 200 waiting runs, the queue, banners, and every change to them.
    #[serde(default)]
    pub registry: bool,
    /// Products of this workflow: outputs and assets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub products: Option<Products>,
    /// Full telemetry of these runs, at most [`TELEMETRY_LIMIT`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub telemetry: Vec<TelemetryOf>,
    /// Telemetry of the newest started run of this workflow; when a newer one starts, the daemon switches to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<WorkflowId>,
    /// New points of metrics, as they are reported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metrics: Option<Metrics>,
    /// The last daemon-wide `seq` that this client has, from a connection to the same daemon instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
}

/// The products to watch.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Products {
    /// Of this workflow; `None` for all workflows.
    pub workflow_id: Option<WorkflowId>,
}

/// The metrics to watch.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Metrics {
    /// Of these runs, at most 1,000.
    pub run_ids: Vec<RunId>,
    /// Only those of this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only those of this item; empty for those of nodes as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemPath>,
}

/// A run whose telemetry is watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TelemetryOf {
    /// The run.
    pub run_id: RunId,
    /// The last `seq` of the run that this client has: later events follow, or a snapshot if they are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// The position of a client when it lost its connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// `instance` of `hello`.
    pub instance: String,
    /// The last daemon-wide `seq`.
    pub seq: u64,
}

/// Response of `watch`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Watching {
    /// The current daemon-wide `seq`: every later event of what is watched arrives as a notification, so lists that are
    /// read from now on miss nothing.
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
// Each is serialised or folded immediately, and nearly all are of the large variant.
#[allow(clippy::large_enum_variant)]
pub enum Notification {
    /// A snapshot of the registry, which replaces the client's copy.
    Registry {
        /// Daemon-wide.
        seq: u64,
        /// The running runs, then the first 200 waiting ones, in order.
        runs: Vec<Run>,
        /// How many more runs follow as `registry_runs`, before anything else about the registry.
        #[serde(default, skip_serializing_if = "is_zero")]
        runs_left: u64,
        /// The queue.
        queue: Queue,
        /// The sweeps that are paused, by name.
        #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
        paused: IndexMap<String, Pause>,
        /// The banners, as in `hello`.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        banners: Vec<String>,
    },
    /// Runs that the preceding `registry` left out, in order.
    RegistryRuns {
        /// `seq` of the `registry` that they belong to.
        seq: u64,
        /// The runs.
        runs: Vec<Run>,
    },
    /// The registry, the queue or the products changed.
    Daemon {
        /// Daemon-wide and increasing; missing numbers belong to events that this connection does not watch.
        seq: u64,
        /// What.
        #[serde(flatten)]
        event: DaemonEvent,
    },
    /// A snapshot of a run, which replaces the client's copy. If `state.nodes_left` or `state.edges_left` is not 0,
    /// that many nodes or edges follow as `snapshot_nodes`, and if `state.items_left` is not 0, that many items as
    /// `snapshot_items`, before anything else about the run.
    Snapshot {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// The run as lists show it.
        run: Box<Run>,
        /// Its state.
        state: Box<RunState>,
    },
    /// Nodes and edges that the preceding snapshot left out, in the order of the file.
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
    /// Items of a node that the preceding snapshot left out.
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
    /// New points of a series, at most 30 times a second. `metrics.read` returns those before them.
    Points {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// The attempt that reported them, from 1.
        attempt: u32,
        /// The points.
        #[serde(flatten)]
        new: NewPoints,
    },
    /// The client did not read for too long, so new points were left out: its curves are stale.
    PointsLost {},
    /// The client did not read for too long: its copies are stale, and snapshots follow.
    Lagged {},
    /// The daemon ends.
    Bye {
        /// Why.
        reason: String,
        /// Whether its home was removed or moved away: what it stored can't be reached by the next daemon.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        home_gone: bool,
    },
}

request!(Watch, "watch", Watching);
