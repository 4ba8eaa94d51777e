//! `queue.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;
use crate::event::Queue;
use crate::id::RunId;

/// `queue.get`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Get {}

/// `queue.set`: changes only the given settings; they survive a restart of the daemon.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// How many runs may run at once, at least 1; lowering it stops nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_concurrent_runs: Option<u32>,
    /// Whether waiting runs stay where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// The most runs that one `queue.move` names.
pub const MOVE_LIMIT: usize = 10_000;

/// Where waiting runs go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum To {
    /// Before all others that wait.
    Next,
    /// After all others, also after those that are submitted later.
    Later,
    /// After those of this priority, from -100 to 100, and before those of a lower one. They keep it.
    Priority(i32),
}

/// `queue.move`: moves waiting runs, in the order in which they are named. Their places survive a restart of the daemon. Clients
/// that watch the registry get it again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// The runs, at most [`MOVE_LIMIT`].
    pub runs: Vec<RunId>,
    /// Where they go.
    pub to: To,
}

/// Response of `queue.move`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Moved {
    /// The runs that do not wait, so that they were not moved.
    pub left_out: Vec<RunId>,
}

request!(Move, "queue.move", Moved);
request!(Get, "queue.get", Queue);
request!(Set, "queue.set", Queue);
