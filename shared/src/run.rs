//! Runs as lists show them, and the states of runs, nodes and attempts.

mod counts;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use counts::Counts;

use crate::id::{RunId, SubmissionId, Version, WorkflowId};
use crate::item::ItemPath;
use crate::preview;
use crate::spent::Spent;
use crate::sweep::Pause;
use crate::time::Time;
use crate::value::Value;

/// The state of a run.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Waits for a slot.
    Queued,
    /// Has a slot.
    Running,
    /// Waits for a person and holds no slot. Once the person has answered, it is the next to get one.
    Parked,
    /// Is being cancelled; some of its processes may still live.
    Cancelling,
    /// Every node has ended, and none has failed that must not.
    Completed,
    /// A node failed.
    Failed,
    /// A person cancelled it.
    Cancelled,
}

impl RunStatus {
    /// Returns whether it never changes again.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
    /// Returns whether it holds a slot.
    #[must_use]
    pub fn is_active(self) -> bool {
        matches!(self, Self::Running | Self::Cancelling)
    }
    /// Returns whether it has started and not ended, with a slot or parked.
    #[must_use]
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Running | Self::Parked | Self::Cancelling)
    }
    /// Returns whether a run in the other state was in this one before. States arrive in events, lists and snapshots;
    /// one that is behind is stale.
    #[must_use]
    pub fn is_behind(self, other: Self) -> bool {
        let step = |state| match state {
            Self::Queued => 0,
            // A run moves back and forth between these.
            Self::Running | Self::Parked => 1,
            Self::Cancelling => 2,
            Self::Completed | Self::Failed | Self::Cancelled => 3,
        };
        step(self) < step(other)
    }
    /// Returns the word used on the wire and on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Parked => "parked",
            Self::Cancelling => "cancelling",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The state of a node, or of one of its items.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NodeStatus {
    /// Its inputs are not available yet, or it waits before a retry.
    #[default]
    Waiting,
    /// Waits for a place in its pool; never stored.
    Ready,
    /// An attempt runs.
    Running,
    /// Ended well.
    Completed,
    /// Reuses an earlier value.
    Cached,
    /// Ended with an error, and no attempt follows.
    Failed,
    /// Did not have to run.
    Skipped,
    /// Its run was cancelled.
    Cancelled,
}

impl NodeStatus {
    /// Returns whether it never changes again.
    #[must_use]
    pub fn is_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Cached | Self::Failed | Self::Skipped | Self::Cancelled)
    }
    /// Returns whether its ports have values.
    #[must_use]
    pub fn has_values(self) -> bool {
        matches!(self, Self::Completed | Self::Cached)
    }
    /// Returns the word used on the wire and on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cached => "cached",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum AttemptEnd {
    /// Well.
    Completed,
    /// Badly.
    Failed,
    /// Ended because its run was cancelled.
    Cancelled,
    /// Nobody saw how.
    Lost,
    /// It asked a person a question; another attempt continues with the answer.
    Parked,
}

/// A run as lists show it. The fields up to `error` are the stable shape of `--json`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Run {
    /// Its id.
    pub id: RunId,
    /// The slug of its workflow.
    pub workflow: String,
    /// Its number within the workflow, from 1.
    pub number: u32,
    /// Distinguishes it from its siblings.
    pub label: String,
    /// Its state.
    pub state: RunStatus,
    /// All its params, defaults included.
    pub params: IndexMap<String, Value>,
    /// Whether `params` holds only previews: the beginnings of long values, and the first of very many values.
    /// `values.read` returns all of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub params_short: bool,
    /// When it was submitted.
    pub submitted_at: Time,
    /// When it left the queue.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it failed, with the names of all failed nodes.
    pub error: Option<String>,

    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// The title in the workflow's file.
    pub title: String,
    /// The version it was submitted with.
    pub version: Version,
    /// Its submission; the lens counts the runs of a submission as one start.
    pub submission: SubmissionId,
    /// Its place in that submission, from 0.
    pub index: u32,
    /// Its number among all starts in this home; orders runs by the moment they left the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_order: Option<u64>,
    /// The run whose finished values it reuses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resumed_from: Option<RunId>,
    /// The node that started it, for a run of `workflow.run`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Box<Parent>>,
    /// Nodes that ended, without those that were cancelled.
    #[serde(default)]
    pub nodes_done: u32,
    /// The cost and the tokens of its attempts that have ended.
    #[serde(default, skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
    /// Nodes in all.
    #[serde(default)]
    pub nodes: u32,
    /// Its position in the queue, from 1, while it waits there; set by lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<u32>,
    /// Its open question to a person; filled in by lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asks: Option<Box<Asks>>,
    /// What its nodes wait for, such as a place in the queue of a cluster, while it runs and none of them works; one line, safe
    /// to show; filled in by lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Why its sweep is paused, while it waits; filled in by lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Waiting runs of a higher priority start first; usually 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub priority: i32,
    /// `concurrency:` of its file: it waits while that many runs of its workflow are running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrency: Option<u32>,
    /// The name of its sweep.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
}

/// The highest priority of a run; the lowest is its negative.
pub const MAX_PRIORITY: i32 = 100;

/// Checks the priority of a run.
///
/// # Errors
/// A sentence that says what is allowed.
pub fn check_priority(priority: i32) -> Result<(), String> {
    if priority.unsigned_abs() > MAX_PRIORITY.unsigned_abs() {
        return Err(format!("a priority is a number from -{MAX_PRIORITY} to {MAX_PRIORITY}, not {priority}"));
    }
    Ok(())
}

fn is_zero(number: &i32) -> bool {
    *number == 0
}

/// The node of another run that started a run: `workflow.run`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Parent {
    /// The other run.
    pub run: RunId,
    /// Its name, such as `album#3`.
    pub name: String,
    /// The node.
    pub node: String,
    /// The item of that node.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
}

/// The open questions of a run, in short; `questions.list` has all of them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Asks {
    /// How many questions are open.
    pub count: u32,
    /// The node that asks the first of them.
    pub node: String,
    /// The item that asks it.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The beginning of that question, one line, safe to show.
    pub text: String,
}

/// The most bytes of JSON that all params together may have in lists without being shortened.
const MAX_PARAMS_BYTES: usize = 4096;
/// The most bytes of each value of shortened params.
pub(crate) const MAX_PARAM_BYTES: usize = 256;
/// The most bytes of JSON of the title and of the error of a run in lists.
const MAX_TITLE_BYTES: usize = 400;
const MAX_ERROR_BYTES: usize = 2048;

/// Shortens params for lists. Returns whether anything was left out.
pub(crate) fn shorten_params(params: &mut IndexMap<String, Value>) -> bool {
    if are_short(params) {
        return false;
    }
    let (short, same) = preview::distinguishable(params, MAX_PARAM_BYTES, MAX_PARAMS_BYTES);
    *params = short;
    !same
}

/// Returns whether params are shown whole in lists. The content of a large one is not in its handle.
fn are_short(params: &IndexMap<String, Value>) -> bool {
    preview::fits(params, MAX_PARAMS_BYTES) && !params.values().any(Value::has_large)
}

impl Run {
    /// Shortens it for lists and events, to a few kilobytes: params become previews, long texts are cut. A short run
    /// stays as it is.
    pub fn shorten(&mut self) {
        self.params_short |= shorten_params(&mut self.params);
        preview::cut_text(&mut self.title, MAX_TITLE_BYTES);
        if let Some(error) = &mut self.error {
            preview::cut_text(error, MAX_ERROR_BYTES);
        }
    }

    /// Returns whether [`Run::shorten`] would change nothing.
    #[must_use]
    pub fn is_short(&self) -> bool {
        are_short(&self.params)
            && preview::fits(&self.title, MAX_TITLE_BYTES)
            && preview::fits(&self.error, MAX_ERROR_BYTES)
    }

    /// Returns the name that a person types: `poster#12`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}#{}", self.workflow, self.number)
    }
}
