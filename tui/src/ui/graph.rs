//! The graph of a workflow laid out in layers, in cells. Depends on topology and the width of labels only: computed once
//! per version, off the loop.
//!
//! - [`mod@layout`]: where nodes and edges lie; the only file that names the layout library
//! - `straight`: bends that nobody needs, taken out of the edges
//! - [`mod@lanes`]: the same graph as a list with lanes; the only file that names that library
//! - [`mod@ports`]: which ports of its nodes the file names
//! - [`route`]: edges as cells, merged where they meet
//! - [`viewport`]: which part of it is in view

pub mod lanes;
pub mod layout;
pub mod ports;
pub mod route;
mod straight;
#[cfg(test)]
mod tests;
pub mod viewport;

pub use lanes::Lane;
pub use layout::layout;
pub use ports::ports;

use indexmap::IndexSet;

/// The level of detail of a node.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Zoom {
    /// One cell.
    Dot,
    /// One row: its state and name.
    Chip,
    /// Four rows: state, name, time or progress, value.
    Card,
    /// A card with room for a picture, a sound or a text.
    Large,
}

impl Zoom {
    /// All, most detailed first.
    pub const ALL: [Self; 4] = [Self::Large, Self::Card, Self::Chip, Self::Dot];

    /// Returns whether nodes are drawn as cards, with their progress and value.
    #[must_use]
    pub fn is_card(self) -> bool {
        self >= Self::Card
    }
}

/// Where edges lead.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum FlowDirection {
    /// From left to right.
    Right,
    /// From top to bottom.
    Down,
}

/// An area of a drawing, in cells. Relative to a view, areas beyond its left or upper edge have negative positions.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Place {
    /// Left edge.
    pub x: i32,
    /// Upper edge.
    pub y: i32,
    /// Columns.
    pub width: i32,
    /// Rows.
    pub height: i32,
}

impl Place {
    /// Returns the column after the last.
    #[must_use]
    pub fn right(self) -> i32 {
        self.x + self.width
    }
    /// Returns the row below the last.
    #[must_use]
    pub fn bottom(self) -> i32 {
        self.y + self.height
    }
    /// Returns its centre, doubled so that it is a whole number.
    #[must_use]
    pub fn middle(self) -> (i32, i32) {
        (2 * self.x + self.width, 2 * self.y + self.height)
    }
    /// Returns whether the two share a cell.
    #[must_use]
    pub fn meets(self, other: Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }
}

/// An edge: the node it leaves, the node it enters, and the corners between, in order. Both ends are on the borders of
/// the nodes; the cells between belong to the edge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Route {
    /// The node it leaves.
    pub from: usize,
    /// The node it enters.
    pub to: usize,
    /// Its ends and corners; consecutive points share a column or a row.
    pub points: Vec<(i32, i32)>,
}

/// The positions of everything at one zoom.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Drawing {
    /// The level of detail of its nodes.
    pub zoom: Zoom,
    /// Where edges lead.
    pub flow: FlowDirection,
    /// Columns and rows in all.
    pub size: (i32, i32),
    /// The nodes, by their place in the file.
    pub placed: Vec<Place>,
    /// The edges.
    pub routes: Vec<Route>,
}

/// The graph of one version of a workflow, laid out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Layout {
    /// The names of the nodes, in the order of the file.
    pub nodes: IndexSet<String>,
    /// The ports of each node that the file names, the most important first.
    pub ports: Vec<Vec<String>>,
    /// The dependencies between nodes, each pair once: from, to.
    pub links: Vec<(usize, usize)>,
    /// The drawings for each zoom and direction, the largest cards first; none if the graph is too large to draw, and
    /// no large cards if there are too many nodes.
    pub drawings: Vec<Drawing>,
    /// The nodes from sources to readers, with lanes beside them.
    pub lanes: Vec<Lane>,
}

impl Layout {
    /// Returns the drawings of a zoom, the largest first.
    pub fn drawings_at(&self, zoom: Zoom) -> impl DoubleEndedIterator<Item = &Drawing> {
        self.drawings.iter().filter(move |it| it.zoom == zoom)
    }

    /// Returns the place of a node in the file.
    #[must_use]
    pub fn index(&self, node: &str) -> Option<usize> {
        self.nodes.get_index_of(node)
    }
}
