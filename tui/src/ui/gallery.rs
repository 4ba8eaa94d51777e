//! The gallery pane: the products of all runs. PLACEHOLDER.

pub mod update;
pub mod view;

/// What the gallery pane knows of its own.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Gallery {}
