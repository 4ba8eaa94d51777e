//! `runs.why`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;
use crate::id::RunId;
use crate::run::Run;
use crate::time::Time;

/// The most reasons in a response.
pub const REASON_LIMIT: usize = 200;

/// The most holders that a reason names.
pub const HOLDER_LIMIT: usize = 3;

/// `runs.why`: what a run waits for at the moment.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Why {
    /// The run.
    pub run: RunId,
    /// Only this node. Without it the response names what runs or could run, and counts the nodes that wait for others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
}

/// What a run waits for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Explanation {
    /// The run.
    pub run: Run,
    /// At least one: first what holds up the whole run, then its nodes in the order of the file, at most 200.
    pub reasons: Vec<Reason>,
    /// How many more reasons there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub reasons_left: u32,
    /// How many nodes only wait for those of the reasons; 0 if a node was asked for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nodes_after: u32,
}

/// What a run, a node or some items of a node wait for.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Reason {
    /// The node; none for the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// The number of its items for which this holds; 0 for the node itself.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items: u32,
    /// What it is about, for programs.
    pub kind: ReasonKind,
    /// A phrase that continues the name of the run or node.
    pub text: String,
    /// Who has what it waits for, at most 3: runs as a person types them, each with its node where that holds it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holders: Vec<String>,
    /// Since when it is so, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// When it continues, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Time>,
}

/// What a reason is about.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// The run or node has ended.
    Ended,
    /// The disk of the daemon can't be written, or is nearly full.
    Storage,
    /// The queue is paused.
    Paused,
    /// Its sweep is paused.
    Sweep,
    /// All slots are taken.
    Slots,
    /// The workflow has as many runs as its `concurrency:` allows.
    Concurrency,
    /// It starts in a moment.
    Starting,
    /// It runs.
    Running,
    /// Its attempts are being stopped.
    Cancelling,
    /// It waits for the answer of a person.
    Person,
    /// It waits for other nodes of its run.
    Upstream,
    /// It waits for a place in a pool.
    Pool,
    /// It waits for CPUs or memory.
    Resources,
    /// It waits for a lock.
    Lock,
    /// The rate of a provider is reached, or the provider asked for a pause.
    Rate,
    /// It waits on its engine, such as in the queue of a cluster.
    Engine,
    /// It failed and is tried again later.
    Retry,
    /// Another node computes the same result.
    Result,
}

impl ReasonKind {
    /// Returns its word, as it is on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::Storage => "storage",
            Self::Paused => "paused",
            Self::Sweep => "sweep",
            Self::Slots => "slots",
            Self::Concurrency => "concurrency",
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Person => "person",
            Self::Upstream => "upstream",
            Self::Pool => "pool",
            Self::Resources => "resources",
            Self::Lock => "lock",
            Self::Rate => "rate",
            Self::Engine => "engine",
            Self::Retry => "retry",
            Self::Result => "result",
        }
    }
}

impl Reason {
    /// Returns a reason of a whole run.
    #[must_use]
    pub fn new(kind: ReasonKind, text: impl Into<String>) -> Self {
        Self { node: None, items: 0, kind, text: text.into(), holders: Vec::new(), since: None, until: None }
    }
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

request!(Why, "runs.why", Explanation);
