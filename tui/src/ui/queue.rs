//! The queue pane: Running, Enqueued, Done, Cancelled. PLACEHOLDER.

pub mod update;
pub mod view;

/// What the queue pane knows of its own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Queue {}
