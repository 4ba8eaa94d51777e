//! The queue pane: Running, Enqueued, Done, Cancelled. PLACEHOLDER.

/// What the queue pane knows of its own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Queue {}
