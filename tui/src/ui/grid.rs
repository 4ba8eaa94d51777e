//! The grid pane: the node grid of the run in focus.
//!
//! - [`camera`]: which drawing is shown, and which part of it
//! - [`node`]: what is known of a node, put together from file, run and products
//! - [`update`], [`view`]

pub mod camera;
pub mod node;
pub mod update;
pub mod view;

use super::graph::Zoom;
use super::pane::pane;
use super::products::Products;

pane! {
    /// The grid pane.
    GridPane Grid
}

/// The state of the grid pane.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Grid {
    /// The node under the cursor.
    pub selected: Option<String>,
    /// How near the nodes are.
    pub zooming: Zooming,
    /// The cell of the world in the upper left corner.
    pub origin: (i32, i32),
    /// The view was moved by hand: it does not move by itself until something else is selected.
    pub panned: bool,
    /// The view goes where nodes run.
    pub follow: bool,
    /// List or graph, where the user chose; else by size.
    pub list: Option<bool>,
    /// Only nodes whose names match.
    pub filter: String,
    /// The values of ports in every run.
    pub products: Products,
}

/// How near the nodes are.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zooming {
    /// As near as all fits, but never so far that names are lost.
    #[default]
    Auto,
    /// As near as all fits.
    Fit,
    /// As the user chose.
    At(Zoom),
}
