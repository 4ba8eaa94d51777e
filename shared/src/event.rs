//! Events: what a run does, as it is stored, sent and folded.

mod activity;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use activity::{
    Activity, MAX_ENTRIES, MAX_MODELS, Prediction, Source, Task, TaskStatus, ToolCall, ToolResult,
};

use crate::asset::Asset;
use crate::id::{AssetId, AttemptId, RunId, WorkflowId};
use crate::item::ItemPath;
use crate::preview;
use crate::run::{AttemptEnd, NodeStatus, Run, RunStatus};
use crate::time::Time;
use crate::value::{Value, float};

/// A state event of a run: durable, numbered, sent after its commit. The stored list of them *is* the run's telemetry.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
// Nearly all events are of the large variant: a box would be one more allocation for each.
#[allow(clippy::large_enum_variant)]
pub enum StateEvent {
    /// The run changed.
    RunUpdate(RunUpdate),
    /// A node or an item of it changed.
    NodeUpdate(NodeUpdate),
}

/// How long the parts of an event are, in bytes of JSON: an event is shorter than a message.
mod limit {
    /// The error of a run, which names every node that failed.
    pub(super) const RUN_ERROR: usize = 16 * 1024;
    /// One output of a run, and all of them.
    pub(super) const RUN_OUTPUT: usize = 64 * 1024;
    pub(super) const RUN_OUTPUTS: usize = 256 * 1024;
    /// The error of a node.
    pub(super) const ERROR: usize = 2048;
    /// What one port of a node put out, and all of them; most are shorter, as the engine makes them.
    pub(super) const OUTPUT: usize = 8 * 1024;
    pub(super) const OUTPUTS: usize = 64 * 1024;
    /// A line of a log, a message.
    pub(super) const LINE: usize = 1024;
    /// The name of a number or of a unit.
    pub(super) const NAME: usize = 200;
    /// What a port will probably have.
    pub(super) const PREVIEW: usize = 2048;
    /// A plan.
    pub(super) const PLAN: usize = 4096;
    /// A task, what a tool was given, what it returned.
    pub(super) const ACTIVITY: usize = 300;
}

impl StateEvent {
    /// Makes it as short as events are: long texts are cut, values become previews. What is short stays as it is.
    pub fn shorten(&mut self) {
        match self {
            Self::RunUpdate(update) => {
                if let Some(error) = &mut update.error {
                    preview::cut_text(error, limit::RUN_ERROR);
                }
                shorten(&mut update.outputs, limit::RUN_OUTPUT, limit::RUN_OUTPUTS);
            }
            Self::NodeUpdate(update) => {
                if let Some(error) = &mut update.error {
                    preview::cut_text(&mut error.message, limit::ERROR);
                    if let Some(line) = &mut error.last_line {
                        preview::cut_text(line, limit::LINE);
                    }
                }
                shorten(&mut update.outputs, limit::OUTPUT, limit::OUTPUTS);
            }
        }
    }
}

fn shorten(values: &mut IndexMap<String, Value>, each: usize, all: usize) {
    if !values.is_empty() {
        *values = preview::values(values, each, all).0;
    }
}

/// A state event with its number within the run, from 1 without gaps.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Numbered {
    /// Its number within the run.
    pub seq: u64,
    /// What happened.
    #[serde(flatten)]
    pub event: StateEvent,
}

/// The run changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunUpdate {
    /// Its state.
    pub status: RunStatus,
    /// When that happened.
    pub at: Time,
    /// Its place among all starts, when it left the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_order: Option<u64>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The values of the workflow's outputs, once it ended; absent ones are left out.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Value>,
}

/// A node, or an item of it, changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodeUpdate {
    /// The node.
    pub node: String,
    /// The item; empty for the node itself.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// Its state.
    pub status: NodeStatus,
    /// When that happened.
    pub at: Time,
    /// The attempt that this is about, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Names that attempt in the supervisor and in the folders; only of attempts that left the daemon's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt_id: Option<AttemptId>,
    /// How that attempt ended, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<AttemptEnd>,
    /// When that attempt started, where no event of its own said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When the next attempt comes, after a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
    /// Of a node with `each`: how many items it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<u32>,
    /// What its ports put out, shortened for telemetry: the values themselves are products.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Value>,
    /// Ports whose files the command left as they were in a shared folder (`dir:`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unchanged: Vec<String>,
    /// What the attempt cost in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
    /// What it asks a person, while it waits for the answer; safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The answer to its question, with which the next attempt goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Value>,
    /// Of an attempt that ended: the last value of each number that it reported.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty", with = "float::by_name")]
    #[cfg_attr(feature = "schema", schemars(with = "IndexMap<String, float::Number>"))]
    pub metrics: IndexMap<String, f64>,
    /// Of an attempt that ended: where its log ends, in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_end: Option<u64>,
    /// Of an attempt that ended: the last line of its log, safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_line: Option<String>,
    /// Of an attempt that ended: its plan, tasks and calls, and what it took from models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity: Option<Box<Activity>>,
}

impl NodeUpdate {
    /// A change of state and nothing else.
    #[must_use]
    pub fn new(node: &str, item: ItemPath, status: NodeStatus, at: Time) -> Self {
        Self {
            node: node.to_owned(),
            item,
            status,
            at,
            attempt: None,
            attempt_id: None,
            ended: None,
            started_at: None,
            retry_at: None,
            error: None,
            items: None,
            outputs: IndexMap::new(),
            unchanged: Vec::new(),
            cost_usd: None,
            question: None,
            answer: None,
            metrics: IndexMap::new(),
            log_end: None,
            last_line: None,
            activity: None,
        }
    }
}

/// Why a node failed or was skipped.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodeError {
    /// One sentence.
    pub message: String,
    /// Of a command: its exit code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Of a command: the last line of stderr, already safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_line: Option<String>,
}

impl NodeError {
    /// An error that is only a sentence.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }
}

/// A live event of a run: not numbered, not stored, absolute, so that losing one does no harm. What it says holds until the
/// attempt that it is about ends; the event of that end has the last metrics, the end of the log and the
/// activity.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum LiveEvent {
    /// How far an attempt is.
    NodeProgress {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// How far, as the node says.
        progress: Progress,
    },
    /// An edge carries something, or did.
    EdgeUpdate {
        /// The edge's name: `sky.image>framed.image`.
        edge: String,
        /// What it does.
        #[serde(flatten)]
        activity: EdgeActivity,
    },
    /// A log grew.
    LogUpdate {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// The attempt, from 1.
        attempt: u32,
        /// Where the log ends now, in bytes from its beginning; read the new part with `logs.read`.
        end: u64,
        /// Its last line, safe to show.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        last_line: Option<String>,
    },
    /// A number that a node reports while it runs.
    MetricUpdate {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// Its name.
        name: String,
        /// Its newest value.
        #[serde(with = "float")]
        #[cfg_attr(feature = "schema", schemars(with = "float::Number"))]
        value: f64,
        /// Its unit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unit: Option<String>,
    },
    /// A value that a port will probably have, or a picture on the way to it.
    PreviewUpdate {
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// The port.
        port: String,
        /// What it is so far.
        value: Value,
    },
    /// What an attempt means to do.
    PlanningUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The whole plan as it is now, safe to show.
        plan: String,
    },
    /// A task was added or changed.
    TaskUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The task as it is now.
        #[serde(flatten)]
        task: Task,
    },
    /// A tool was called.
    ToolCallUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The call.
        #[serde(flatten)]
        call: ToolCall,
    },
    /// A tool returned.
    ToolResultUpdate {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// The number of the call.
        number: u32,
        /// What it returned.
        #[serde(flatten)]
        result: ToolResult,
    },
    /// A model predicted something.
    Prediction {
        /// The attempt.
        #[serde(flatten)]
        source: Source,
        /// What the attempt took from that model so far.
        #[serde(flatten)]
        prediction: Prediction,
    },
}

impl DaemonEvent {
    /// Makes it as short as events are.
    pub fn shorten(&mut self) {
        match self {
            Self::RunUpdate { run } => run.shorten(),
            Self::OutputUpdate { value, .. } => *value = preview::value(value, limit::OUTPUT),
            Self::AssetUpdate { asset } => asset.shorten(),
            _ => {}
        }
    }
}

impl LiveEvent {
    /// Makes it as short as events are.
    pub fn shorten(&mut self) {
        match self {
            Self::NodeProgress { progress: Progress { message: Some(line), .. }, .. }
            | Self::LogUpdate { last_line: Some(line), .. } => preview::cut_text(line, limit::LINE),
            Self::MetricUpdate { name, unit, .. } => {
                preview::cut_text(name, limit::NAME);
                if let Some(unit) = unit {
                    preview::cut_text(unit, limit::NAME);
                }
            }
            Self::PreviewUpdate { value, .. } => *value = preview::value(value, limit::PREVIEW),
            Self::PlanningUpdate { plan, .. } => preview::cut_text(plan, limit::PLAN),
            Self::TaskUpdate { task, .. } => preview::cut_text(&mut task.title, limit::ACTIVITY),
            Self::ToolCallUpdate { call, .. } => {
                preview::cut_text(&mut call.tool, limit::NAME);
                preview::cut_text(&mut call.arguments, limit::ACTIVITY);
                if let Some(result) = &mut call.result {
                    preview::cut_text(&mut result.text, limit::ACTIVITY);
                }
            }
            Self::ToolResultUpdate { result, .. } => preview::cut_text(&mut result.text, limit::ACTIVITY),
            Self::Prediction { prediction, .. } => {
                preview::cut_text(&mut prediction.provider, limit::NAME);
                preview::cut_text(&mut prediction.model, limit::NAME);
            }
            Self::NodeProgress { .. } | Self::LogUpdate { .. } | Self::EdgeUpdate { .. } => {}
        }
    }
}

/// How far an attempt is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Progress {
    /// Between 0 and 1; `None` while only movement is known.
    pub fraction: Option<f64>,
    /// What it is doing, safe to show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What an edge does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct EdgeActivity {
    /// Its reader runs on what it carried.
    pub active: bool,
    /// How many readers ended on what it carried.
    pub count: u32,
}

/// Something that belongs to the daemon as a whole: registry, queue and products. Numbered daemon-wide.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum DaemonEvent {
    /// A run was added or changed; `run_update` of the registry.
    RunUpdate {
        /// As lists show it.
        run: Box<Run>,
    },
    /// A run was deleted.
    RunDelete {
        /// Its workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
    },
    /// The queue changed.
    QueueUpdate {
        /// As it is now.
        queue: Queue,
    },
    /// What every client should show changed, such as a full disk; replaces what was said before, in `hello` too.
    BannerUpdate {
        /// All of it; empty when all is well.
        banners: Vec<String>,
    },
    /// A port of a run got a value.
    OutputUpdate {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The run.
        run_id: RunId,
        /// The node.
        node: String,
        /// The item.
        #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
        item: ItemPath,
        /// The port.
        port: String,
        /// The value, shortened.
        value: Value,
    },
    /// An asset was stored or changed (starred, preview made).
    AssetUpdate {
        /// As lists show it.
        asset: Box<Asset>,
    },
    /// An asset was deleted.
    AssetDelete {
        /// The workflow.
        workflow_id: WorkflowId,
        /// The asset.
        asset_id: AssetId,
    },
}

/// The queue as a whole.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Queue {
    /// How many runs may run at once.
    pub max_concurrent_runs: u32,
    /// Whether waiting runs stay where they are.
    pub paused: bool,
    /// Runs that run.
    pub running: u32,
    /// Runs that wait.
    pub queued: u32,
}
