//! The gallery pane: the products of all runs. PLACEHOLDER.

/// What the gallery pane knows of its own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gallery {}
