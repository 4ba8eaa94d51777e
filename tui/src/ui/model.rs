//! All that the UI knows. Plain data: [`super::update`] changes it, [`super::view`] draws it.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::registry::Registry;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use fanlight_shared::time::Time;

use super::gallery::Gallery;
use super::graph::Layout;
use super::grid::Grid;
use super::layer::Layer;
use super::message::{Document, Link};
use super::queue::Queue;
use super::toast::Toasts;

/// What was asked for on the command line and in the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether things move that need not: edges, spinners.
    pub motion: bool,
    /// Whether the mouse is taken.
    pub mouse: bool,
    /// Whether colours are used; without them glyphs and weight must do.
    pub colour: bool,
    /// Whether only ASCII is drawn.
    pub ascii: bool,
    /// Whether the end of the last run is told by a bell or notice.
    pub bell: bool,
    /// Whether destructive actions ask first.
    pub confirm: bool,
    /// The current folder.
    pub folder: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            motion: true,
            mouse: true,
            colour: true,
            ascii: false,
            bell: false,
            confirm: true,
            folder: PathBuf::from("."),
        }
    }
}

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

/// All that the UI knows.
#[derive(Debug)]
pub struct Model {
    /// What was asked for.
    pub options: Options,
    /// The terminal's size in cells.
    pub size: (u16, u16),
    /// The time of the last step; what clocks on screen show.
    pub now: Time,
    /// Counts animation steps.
    pub beat: u64,
    /// How the connection stands.
    pub link: Link,
    /// The runs that are active or were seen, and the lens per workflow.
    pub registry: Registry,
    /// The workflow on screen; `None` shows home.
    pub workflow: Option<OpenWorkflow>,
    /// The run in focus with its telemetry; the old one stays until the new one's snapshot is there.
    pub lens: Option<Lens>,
    /// The pane that has the keys.
    pub pane: Pane,
    /// Whether that pane has the whole screen.
    pub zoomed: bool,
    /// Columns of the queue pane and rows of the gallery pane, where the user dragged their borders.
    pub split: Split,
    /// The grid pane.
    pub grid: Grid,
    /// The queue pane.
    pub queue: Queue,
    /// The gallery pane.
    pub gallery: Gallery,
    /// What lies over the panes, the topmost last; it gets keys first.
    pub layers: Vec<Layer>,
    /// Short messages.
    pub toasts: Toasts,
    /// Keys pressed so far of a sequence.
    pub pending: Vec<crossterm::event::KeyEvent>,
}

/// The workflow on screen.
#[derive(Debug)]
pub struct OpenWorkflow {
    /// Its file as it was read last; runs keep the version they were submitted with.
    pub document: Document,
    /// The layout of its graph, once computed.
    pub layout: Option<Arc<Layout>>,
}

/// The run in focus.
#[derive(Clone, Debug)]
pub struct Lens {
    /// As lists show it.
    pub run: Run,
    /// The fold of its events.
    pub state: RunState,
    /// The workflow file it was submitted with, once read.
    pub workflow: Option<Arc<fanlight_shared::workflow::Workflow>>,
}

/// Where the user dragged the borders between panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// Columns of the queue pane.
    pub queue: Option<u16>,
    /// Rows of the gallery pane.
    pub gallery: Option<u16>,
}
