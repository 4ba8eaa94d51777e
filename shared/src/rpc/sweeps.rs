//! `sweeps.*`

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, request};
use crate::id::{RunId, Version, WorkflowId};
use crate::run::{Counts, RunStatus};
use crate::search::{Outcome, Search};
use crate::spent::Spent;
use crate::sweep::{Limits, Pause};
use crate::time::Time;
use crate::value::Value;
use crate::value::float::Number;

/// `sweeps.list`: newest first.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Of this workflow only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// `sweeps.get`
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// Its name, a workflow's name (its newest sweep), or `last`.
    pub sweep: String,
}

/// `sweeps.runs`: the states of all runs of a sweep, in the order of their numbers.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Runs {
    /// As in `sweeps.get`.
    pub sweep: String,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Runs of a sweep with consecutive numbers that are in the same state.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Stretch {
    /// The number of the first run.
    pub first: u32,
    /// How many runs there are.
    pub count: u32,
    /// Their state.
    pub state: RunStatus,
}

/// `sweeps.trials`: the trials of a search and the other runs of its sweep, in the order in which they ended; then the trials that
/// have not ended. A sweep that is no search has none.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Trials {
    /// As in `sweeps.get`.
    pub sweep: String,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A trial of a search.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TrialRow {
    /// The run, such as `poster#12`. It may have been deleted.
    pub run: String,
    /// Its id.
    pub run_id: RunId,
    /// The params that the search chose.
    pub params: IndexMap<String, Value>,
    /// What came of it; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// `sweeps.find`
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Find {
    /// As in `sweeps.get`.
    pub sweep: String,
}

/// Response of `sweeps.find`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Found {
    /// Its whole name.
    pub name: String,
    /// Its workflow.
    pub workflow_id: WorkflowId,
}

/// `sweeps.set`: pauses a sweep or lets it continue; that survives a restart of the daemon. After a limit was reached, its
/// limits count again from the moment at which it continues.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// As in `sweeps.get`.
    pub sweep: String,
    /// Whether its waiting runs stay where they are.
    pub paused: bool,
}

/// A sweep as lists show it. Deleted runs don't count.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Sweep {
    /// Its name: `poster/3`, or the name that the user gave it.
    pub name: String,
    /// The slug of its workflow.
    pub workflow: String,
    /// Its workflow.
    pub workflow_id: WorkflowId,
    /// The version of the workflow that its runs have.
    pub version: Version,
    /// When it was submitted.
    pub created_at: Time,
    /// Its state.
    pub state: SweepState,
    /// Why it is paused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<Pause>,
    /// Its limits.
    #[serde(default, skip_serializing_if = "Limits::are_none")]
    pub limits: Limits,
    /// The params that were given several values, in the order of the submission.
    pub swept: Vec<String>,
    /// The number of its runs in each state.
    pub runs: Counts,
    /// The cost and the tokens of its runs.
    #[serde(default, skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
    /// The sum of the times of its runs from start to end, or until now, in milliseconds.
    pub time_ms: u64,
    /// How far its search is, if its runs are proposed by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Progress>,
}

/// How far a search is. All runs of its sweep count that have ended, also those that were deleted since.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Progress {
    /// How many trials it has in all.
    pub trials: u32,
    /// How many of them were proposed.
    pub proposed: u32,
    /// How many runs completed with a value.
    pub completed: u32,
    /// How many were ended early by its pruner.
    pub pruned: u32,
    /// How many failed.
    pub failed: u32,
    /// How many a person cancelled.
    pub cancelled: u32,
    /// How many completed without a value.
    pub unmeasured: u32,
}

/// The state of a sweep.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SweepState {
    /// Some of its runs wait or run.
    Active,
    /// Its waiting runs stay where they are; active ones continue.
    Paused,
    /// All of its runs have ended.
    Ended,
}

impl SweepState {
    /// Returns the word used on the wire and on screen.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Paused => "paused",
            Self::Ended => "ended",
        }
    }
}

/// Response of `sweeps.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Detail {
    /// The sweep.
    pub sweep: Sweep,
    /// The params whose values differ between its runs.
    pub params: IndexMap<String, Varied>,
    /// The outputs that are numbers, with the runs that have the lowest and the highest. Only completed runs count.
    pub best: IndexMap<String, Best>,
    /// The search that proposes its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchDetail>,
}

/// A search and what it found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct SearchDetail {
    /// The search.
    pub search: Search,
    /// The best run; with several objectives all that no other one beats in everything.
    pub best: Vec<BestTrial>,
    /// Why the last run that completed without a value has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unmeasured: Option<String>,
    /// How many decisions its pruner has made, to end a run or not.
    #[serde(default)]
    pub decisions: u64,
}

/// One of the best runs of a search.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct BestTrial {
    /// The run, such as `poster#12`.
    pub run: String,
    /// The params that the search chose.
    pub params: IndexMap<String, Value>,
    /// The value of each objective.
    pub values: Vec<Number>,
}

/// The most values of a param that a [`Varied`] names.
pub const VALUES_LIMIT: usize = 20;

/// The values of a param in a sweep.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Varied {
    /// How many different values there are.
    pub count: u32,
    /// The first [`VALUES_LIMIT`] of them, in the order of the runs, shortened.
    pub values: Vec<Value>,
}

/// The lowest and the highest value of an output.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Best {
    /// The lowest.
    pub lowest: Reached,
    /// The highest.
    pub highest: Reached,
}

/// A number that a run reached; of equal ones, the first run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Reached {
    /// The number.
    pub value: f64,
    /// The run, such as `poster#12`.
    pub run: String,
}

request!(List, "sweeps.list", Page<Sweep>);
request!(Get, "sweeps.get", Detail);
request!(Runs, "sweeps.runs", Page<Stretch>);
request!(Trials, "sweeps.trials", Page<TrialRow>);
request!(Find, "sweeps.find", Found);
request!(Set, "sweeps.set", Sweep);
