//! The state of the grid pane: the cursor, and which part of the graph is shown.

pub mod pictures;

use fanlight_shared::id::RunId;

use pictures::NodePictures;

use crate::ui::graph::Zoom;
use crate::ui::products::Products;

/// The state of the grid pane.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Grid {
    /// The node under the cursor.
    pub selected: Option<String>,
    /// The zoom level.
    pub zooming: Zooming,
    /// The cell of the drawing in the upper left corner.
    pub origin: (i32, i32),
    /// The user has panned: the view doesn't move by itself until another node is selected.
    pub panned: bool,
    /// The view follows running nodes.
    pub follow: bool,
    /// The user's choice of list or graph; by default it depends on the size.
    pub list: Option<bool>,
    /// Only nodes whose names match.
    pub filter: String,
    /// The run whose children were requested.
    pub children_of: Option<RunId>,
    /// The node to select when this run is shown again.
    pub back_to: Option<(RunId, String)>,
    /// The values of ports in every run.
    pub products: Products,
    /// The pictures that large cards show.
    pub pictures: NodePictures,
}

/// The zoom level.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Zooming {
    /// As near as everything fits, but never so far that names disappear.
    #[default]
    Auto,
    /// As near as everything fits.
    Fit,
    /// As the user chose.
    At(Zoom),
}
