//! The list of panes, from which keys and frames are generated. The shell has the component of each.

use super::action::Action;

/// A pane.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Pane {
    /// The node grid of the run in focus.
    #[default]
    Grid,
    /// The runs.
    Queue,
    /// The products.
    Gallery,
}

impl Pane {
    /// All, in the order of their numbers.
    pub const ALL: &'static [Self] = &[Self::Grid, Self::Queue, Self::Gallery];

    /// Returns its title.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Grid => "Grid",
            Self::Queue => "Queue",
            Self::Gallery => "Gallery",
        }
    }

    /// Returns the action that focuses it.
    #[must_use]
    pub fn action(self) -> Action {
        match self {
            Self::Grid => Action::GridPane,
            Self::Queue => Action::QueuePane,
            Self::Gallery => Action::GalleryPane,
        }
    }
}
