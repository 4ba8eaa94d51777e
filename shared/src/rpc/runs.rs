//! `runs.*`

mod archive;
mod missing;
mod prune;
mod resume;
mod sets;
mod table;
mod totals;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use archive::{Export, Exported, Import, Imported, ImportedRun, Renamed};
pub use missing::{Missing, MissingResponse, Places};
pub use prune::{Prune, Pruned, PrunedRun};
pub use resume::Resume;
pub use sets::{ParamSet, Repeat, SentFile, SweepOptions};
pub use table::{Measured, TABLE_METRICS, Table, TableRow};
pub use totals::{Total, Totals, TotalsResponse};

use super::{Done, Page, request};
use crate::environment::Environment;
use crate::event::EdgeActivity;
use crate::id::{RunId, WorkflowId};
use crate::item::ItemPath;
use crate::origin::Fresh;
use crate::run::{Run, RunStatus};
use crate::run_state::{InstanceState, NodeState, RunState};
use crate::value::Value;

/// `runs.start`: one transaction for all its runs.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The text of the workflow file.
    pub document: String,
    /// Its canonical path; without it the file must have an `id:`, and `dir:` is an error. The path of a file on another
    /// computer is `HOST:/path`: it identifies the workflow, and nothing is read from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The files of the workflows that nodes of this one run, if it is on another computer, or if they are not where it names
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SentFile>,
    /// The given params of each run; one empty set is one run with defaults.
    pub sets: Vec<ParamSet>,
    /// The user's own label, for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Makes them a sweep, even if there is only one. Several runs are always a sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<SweepOptions>,
    /// Whether they go to the head of the queue.
    #[serde(default)]
    pub next: bool,
    /// Their priority, from -100 to 100; without one, that of the newest run of the sweep that they extend, else 0. Waiting runs
    /// of a higher priority start first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    /// Nodes that reuse no result of earlier runs: `true` for all, or their names.
    #[serde(default)]
    pub fresh: Fresh,
    /// Starts although a secret that a node needs doesn't exist: that node fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing_secrets: bool,
    /// The environment that the commands of these runs get from the submitter: `PATH`, the variables that the file
    /// names in `pass_env`, and those that the user passes. It is stored with the runs and never sent back. Without
    /// `PATH`, commands get the daemon's.
    #[serde(default, skip_serializing_if = "Environment::is_empty")]
    pub environment: Environment,
    /// The same key gives the same runs, however often it is sent.
    pub request_key: String,
}

/// Response of `runs.start` and `runs.resume`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Started {
    /// The runs that were created, queued or running, in the order of the sets: as many as fit into one message.
    pub runs: Vec<Run>,
    /// How many more were created; `runs.list` with this `request_key` returns them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
    /// Things worth knowing, such as a moved file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Of `runs.resume`: the nodes that are reused and those that run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<Reuse>,
}

/// The nodes that a resumed run reuses and runs again, as far as they fit into one message.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Reuse {
    /// Nodes whose finished values are reused, in the order of the file.
    pub reused: Vec<ReusedNode>,
    /// Nodes that run again, or at least some of their items.
    pub rerun: Vec<String>,
    /// How many more nodes are taken over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reused_left: u32,
    /// How many more nodes run again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rerun_left: u32,
}

/// A node whose finished values are reused.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ReusedNode {
    /// The node.
    pub node: String,
    /// Of a node with `each`: how many of its items are reused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// Of a node with `each`: how many items it had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u32>,
}

fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// `runs.list`: newest first. A page ends where it is full, which may be before `limit` rows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Of this workflow only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// In these states only; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<RunStatus>,
    /// Of the submission with this `request_key` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_key: Option<String>,
    /// Of the sweep with this name only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
    /// Without the runs of the sweeps with these names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without_sweeps: Vec<String>,
    /// Started by nodes of this run only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<RunId>,
    /// Only runs whose label, workflow or number contains this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `runs.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// `poster#12`, `poster:12`, a workflow's name (its newest run), `last`, an id or a unique prefix of one.
    pub run: String,
}

/// Response of `runs.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Detail {
    /// The run.
    pub run: Run,
    /// Its state. If `items_left` is not 0, it holds only the first items; `runs.items` returns all. If `nodes_left` or
    /// `edges_left` is not 0, it holds only the first nodes or edges; `runs.nodes` returns all.
    pub state: RunState,
    /// The text of the workflow file that it was submitted with, or only its beginning if `document_bytes` is present.
    pub document: String,
    /// The length of that text in bytes, if `document` is only its beginning; `workflows.read` returns all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_bytes: Option<u64>,
    /// The path of that file, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The names of the variables that it was submitted with; their values stay in the daemon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
}

/// `runs.nodes`: the nodes of a run, without their items, and its edges, in the order of the file. Pages that are
/// requested in sequence on one connection belong to one snapshot.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// The run.
    pub run_id: RunId,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Response of `runs.nodes`: as many nodes and edges as fit into one message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodePage {
    /// The number of the last state event in it; a page with another number belongs to another snapshot.
    pub seq: u64,
    /// Nodes by name, without their items.
    pub nodes: IndexMap<String, NodeState>,
    /// Edges by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub edges: IndexMap<String, EdgeActivity>,
    /// The cursor of the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `runs.items`: the items of a node with `each`, by index. Pages that are requested in sequence on one connection
/// belong to one snapshot.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Response of `runs.items`: as many items as fit into one message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ItemPage {
    /// The number of the last state event in it; a page with another number belongs to another snapshot.
    pub seq: u64,
    /// The items that have had an event.
    pub rows: Vec<Item>,
    /// The cursor of the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The state of an item.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Item {
    /// Its place.
    pub item: ItemPath,
    /// Its state.
    #[serde(flatten)]
    pub instance: InstanceState,
}

/// `runs.cancel`: queued runs are removed immediately, running ones are ended.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Cancel {
    /// Exactly these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runs: Vec<RunId>,
    /// All that wait.
    #[serde(default)]
    pub queued: bool,
    /// All that run.
    #[serde(default)]
    pub running: bool,
    /// All of the sweep with this name that have not ended. Its search proposes no more runs; with `queued` and `running` no
    /// search does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
}

/// How many runs of each kind the response of `runs.cancel` names.
pub const CANCEL_LIMIT: usize = 8_000;

/// Response of `runs.cancel`: the first [`CANCEL_LIMIT`] runs of each kind by their ids, and how many more there are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct CancelResponse {
    /// The runs that this request cancels, including those still being cancelled.
    pub cancelled: Vec<RunId>,
    /// Those of them that are still running: they are cancelled once their last process is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancelling: Vec<RunId>,
    /// The runs that had already ended.
    pub ended: Vec<RunId>,
    /// How many more are cancelled or are being cancelled.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cancelled_left: u32,
    /// How many more of them run and are being ended.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cancelling_left: u32,
    /// How many more had ended before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub ended_left: u32,
}

/// `runs.answer`: the answer of a person to the question of a node. The run continues when it has a slot again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The run.
    pub run_id: RunId,
    /// The node that asks.
    pub node: String,
    /// The item that asks; empty for the node itself.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The attempt whose question is answered: a later question of the same node is then left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// The answer: a bool, a value of the type, or a choice by its place from 0 or its text.
    pub value: Value,
    /// The same key gives the same answer, however often it is sent.
    pub request_key: String,
}

/// `runs.delete`: deletes ended runs with their telemetry and values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The runs.
    pub runs: Vec<RunId>,
    /// Whether to delete their assets too.
    #[serde(default)]
    pub assets: bool,
}

/// `runs.label`: sets the user's own label.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The run.
    pub run: RunId,
    /// The label, at most 200 characters.
    pub label: String,
}

request!(Start, "runs.start", Started);
request!(List, "runs.list", Page<Run>);
request!(Get, "runs.get", Detail);
request!(Nodes, "runs.nodes", NodePage);
request!(Items, "runs.items", ItemPage);
request!(Cancel, "runs.cancel", CancelResponse);
request!(Answer, "runs.answer", Done);
request!(Delete, "runs.delete", Done);
request!(Label, "runs.label", Done);
