//! The grid pane: the node grid of the run in focus. [`camera`] selects which drawing is shown, and which part of it.

pub mod camera;
pub mod update;
pub mod view;

use super::model::component::pane;

pane! {
    /// The grid pane.
    GridPane Grid
}
