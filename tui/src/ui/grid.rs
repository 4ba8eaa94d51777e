//! The grid pane: the node grid of the run in focus. PLACEHOLDER.

pub mod update;
pub mod view;

/// What the grid pane knows of its own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Grid {
    /// The node under the cursor.
    pub selected: Option<String>,
}
