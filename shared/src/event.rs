//! Events: what a run does, as it is stored, sent and folded.

mod activity;
mod daemon;
mod live;
mod location;
mod state;

pub use activity::{
    Activity, MAX_ENTRIES, MAX_MODELS, Prediction, Source, Task, TaskStatus, ToolCall, ToolResult,
};
pub use daemon::{DaemonEvent, Queue};
pub use live::{EdgeActivity, LiveEvent, Progress};
pub use location::Location;
pub use state::{NodeError, NodeUpdate, Numbered, RunUpdate, StateEvent};

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
    /// A preview of a port.
    pub(super) const PREVIEW: usize = 2048;
    /// A plan.
    pub(super) const PLAN: usize = 4096;
    /// A task, what a tool was given, what it returned.
    pub(super) const ACTIVITY: usize = 300;
}
