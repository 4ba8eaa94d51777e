//! `runs.prune`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{RunId, WorkflowId};
use crate::rpc::request;
use crate::run::RunStatus;
use crate::time::Time;

/// `runs.prune`: deletes the ended runs to which all conditions apply, with the runs that they started. A run with a starred
/// asset stays, and so do the runs that started it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Prune {
    /// Of this workflow only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// That ended in one of these states only; empty is all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<RunStatus>,
    /// That ended before this time only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_before: Option<Time>,
    /// All but this many of the newest ended runs of each workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<u32>,
    /// The oldest ones, until everything that is stored has at most this many bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
    /// Whether their assets stay.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_assets: bool,
    /// Deletes nothing, and returns what would be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Prune {
    /// Returns whether it has a condition that limits what is deleted.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        !self.states.is_empty()
            || self.ended_before.is_some()
            || self.keep.is_some()
            || self.max_bytes.is_some()
    }
}

/// Response of `runs.prune`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Pruned {
    /// The first of the deleted runs, oldest first, without those that they started.
    pub runs: Vec<PrunedRun>,
    /// How many runs were deleted in all, with those that they started.
    pub count: u64,
    /// How many assets were deleted.
    pub assets: u64,
    /// How many bytes were freed. With `dry_run` it is the size of the assets, of which a part may be shared with others.
    pub bytes: u64,
}

/// A deleted run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct PrunedRun {
    /// Its id.
    pub id: RunId,
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: RunStatus,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// How many assets it has, with those of the runs that it started.
    pub assets: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

request!(Prune, "runs.prune", Pruned);
