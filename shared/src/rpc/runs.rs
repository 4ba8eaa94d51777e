//! `runs.*`

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Done, Page, request};
use crate::environment::Environment;
use crate::event::EdgeActivity;
use crate::id::{RunId, WorkflowId};
use crate::item::ItemPath;
use crate::run::{Run, RunStatus};
use crate::run_state::{Instance, NodeState, RunState};
use crate::value::Value;

/// `runs.start`: one transaction for all its runs.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// The text of the workflow file.
    pub document: String,
    /// Its canonical path; without it identity needs `id:`, and `dir:` is an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The params of each run, those that are given; one empty set is one run with defaults.
    pub sets: Vec<ParamSet>,
    /// A label of the user's own, for all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// To the head of the queue.
    #[serde(default)]
    pub next: bool,
    /// Not in this version.
    #[serde(default)]
    pub fresh: bool,
    /// What the commands of these runs get from the submitter: `PATH`, the variables that the file names in `pass_env`, and
    /// those that a person passes. Stored with the runs, never sent back. Without `PATH` commands get the daemon's.
    #[serde(default, skip_serializing_if = "Environment::is_empty")]
    pub environment: Environment,
    /// The same key gives the same runs, however often it is sent.
    pub request_key: String,
}

/// The given params of one run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ParamSet {
    /// By name; a param of a media type is the path of a file, absolute.
    #[serde(default)]
    pub params: IndexMap<String, Value>,
    /// A run whose params are taken where none are given here: those that the workflow still has. So a run is submitted
    /// again whose params are too long to be in lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<RunId>,
    /// Which of several repetitions of the same params this is, for the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
}

/// `2 of 6`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// From 1.
    pub nth: u32,
    /// How many in all.
    pub of: u32,
}

/// Answer of `runs.start` and `runs.resume`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Started {
    /// The runs it made, queued or running, in the order of the sets: as many as fit into one message.
    pub runs: Vec<Run>,
    /// How many more it made; `runs.list` with this `request_key` has them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
    /// Things worth knowing, such as a moved file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hints: Vec<String>,
    /// Of `runs.resume`: what the new run takes over and what runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reuse: Option<Reuse>,
}

/// What a resumed run reuses, and what it runs again: as much of it as fits into one message.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Reuse {
    /// Nodes whose finished values are taken over, in the order of the file.
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

/// A node whose finished values are taken over.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ReusedNode {
    /// The node.
    pub node: String,
    /// Of a node with `each`: how many of its items are taken over.
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
    /// Whose label, workflow or number has this text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Where the page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows a page, at most 1,000; 100 if not said.
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

/// Answer of `runs.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Detail {
    /// The run.
    pub run: Run,
    /// What is known of it. Where `items_left` is not 0 it has only its first items; `runs.items` has them all. Where
    /// `nodes_left` or `edges_left` is not 0 it has only the first of these; `runs.nodes` has them all.
    pub state: RunState,
    /// The text of the workflow file that it was submitted with, or its beginning where `document_bytes` is there.
    pub document: String,
    /// How long that text is in bytes, where `document` has only its beginning: `workflows.read` has it whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_bytes: Option<u64>,
    /// The path of that file, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The names of the variables that it was submitted with; their values stay in the daemon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
}

/// `runs.nodes`: what is known of the nodes of a run, without their items, and of its edges, in the order of the file. Pages
/// that are asked for one after the other on one connection are of one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Nodes {
    /// The run.
    pub run_id: RunId,
    /// Where the page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Answer of `runs.nodes`: as many nodes and edges as fit into one message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodePage {
    /// The number of the last state event in it; a page with another one is of another moment.
    pub seq: u64,
    /// Nodes by name, without their items.
    pub nodes: IndexMap<String, NodeState>,
    /// Edges by name.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub edges: IndexMap<String, EdgeActivity>,
    /// Give this back to get the next page; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `runs.items`: what is known of the items of a node with `each`, by their index. Pages that are asked for one after the
/// other on one connection are of one moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Items {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// Where the page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// Answer of `runs.items`: as many items as fit into one message.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ItemPage {
    /// The number of the last state event in it; a page with another one is of another moment.
    pub seq: u64,
    /// The items, those that had an event.
    pub rows: Vec<Item>,
    /// Give this back to get the next page; `None` after the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// What is known of an item.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Item {
    /// Its place.
    pub item: ItemPath,
    /// What is known of it.
    #[serde(flatten)]
    pub instance: Instance,
}

/// `runs.cancel`: queued ones are gone at once, running ones end.
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
}

/// How many runs of each kind the response of `runs.cancel` names.
pub const CANCEL_LIMIT: usize = 8_000;

/// Response of `runs.cancel`: the first [`CANCEL_LIMIT`] runs of each kind by their ids, and how many more there are.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct CancelResponse {
    /// Those that are cancelled or are being cancelled because of this.
    pub cancelled: Vec<RunId>,
    /// Those of them that run and are being ended: they are cancelled once their last process is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cancelling: Vec<RunId>,
    /// Those that had ended before.
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

/// `runs.answer`: what a person says to the question of a node. The run goes on when it has a slot again.
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

/// `runs.resume`: a new run that takes over the finished values of an ended one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The ended run.
    pub run: RunId,
    /// Variables that take the place of those that the ended run was submitted with; the others stay.
    #[serde(default, skip_serializing_if = "Environment::is_empty")]
    pub environment: Environment,
    /// The same key gives the same run.
    pub request_key: String,
    /// The text of the workflow file as it is now: the new run has this version, and takes over what the change does not
    /// touch. Without it the new run has the version of the ended one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// Starts nothing: the answer has no runs and says what would be taken over.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// `runs.delete`: an ended run with its telemetry and its other values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The runs.
    pub runs: Vec<RunId>,
    /// Its assets too.
    #[serde(default)]
    pub assets: bool,
}

/// `runs.label`: a label of the user's own.
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
request!(Resume, "runs.resume", Started);
request!(Delete, "runs.delete", Done);
request!(Label, "runs.label", Done);
