//! The model of the UI. Plain data: [`super::update`] changes it, [`super::view`] draws it.

pub mod component;
pub mod gallery;
pub mod grid;
pub mod lens;
pub mod pictures;
pub mod queue;
pub mod workflow;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::{RunId, Version, WorkflowId};
use fanlight_shared::rpc::watch::Watch;
use fanlight_shared::rpc::workflows::WorkflowInfo;
use fanlight_shared::run::RunStatus;
use fanlight_shared::time::Time;
use fanlight_shared::workflow::Workflow;

use super::areas::{Areas, Border};
use super::document::Source;
use super::effect::Effect;
use super::graph::Layout;
use super::keymap::{Key, Keymap};
use super::message::Link;
use super::pane::Pane;
use super::picture::PictureMode;
use super::picture::probe::Drawing;
use super::toast::{Toasts, Tone};
use component::Layer;
use gallery::Gallery;
use grid::Grid;
use lens::Shown;
use pictures::Pictures;
use queue::Queue;
use workflow::OpenWorkflow;

/// The options of the command line and the configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether edges and spinners are animated.
    pub motion: bool,
    /// Whether the mouse is used.
    pub mouse: bool,
    /// Whether colours are used; without them glyphs and weight show the states.
    pub colour: bool,
    /// Whether only ASCII is drawn.
    pub ascii: bool,
    /// Whether a bell or notification announces the end of the last run.
    pub bell: bool,
    /// Whether destructive actions ask first.
    pub confirm: bool,
    /// How pictures are drawn.
    pub pictures: PictureMode,
    /// The current folder.
    pub folder: PathBuf,
    /// The names of the workflows that are compiled in.
    pub examples: Vec<String>,
    /// The name of the computer with the home, if it is another one.
    pub host: Option<String>,
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
            pictures: PictureMode::Auto,
            folder: PathBuf::from("."),
            examples: Vec::new(),
            host: None,
        }
    }
}

/// The model of the UI.
#[derive(Debug)]
pub struct Model {
    /// The options.
    pub options: Options,
    /// The key bindings.
    pub keymap: Arc<Keymap>,
    /// The terminal's size in cells.
    pub size: (u16, u16),
    /// The time of the last step, which clocks on screen show.
    pub now: Time,
    /// Counts animation steps.
    pub beat: u64,
    /// The state of the connection.
    pub link: Link,
    /// Since when the daemon hasn't responded, while it doesn't.
    pub silent_since: Option<Time>,
    /// The state of runs, and the lens per workflow.
    pub projection: Projection,
    /// The workflows that have runs, most recent first, once read.
    pub workflows: Vec<WorkflowInfo>,
    /// The workflow on screen; `None` shows home.
    pub workflow: Option<OpenWorkflow>,
    /// The shown run: the one in focus, or the previous one until the snapshot arrives.
    pub shown: Option<Shown>,
    /// The last subscription.
    pub watching: Watch,
    /// Versions whose graphs are being laid out, so that each is requested once.
    pub laying: HashSet<Version>,
    /// The workflow that is being opened.
    pub opening: Option<Source>,
    /// The run that is being read so that the lens can be pinned to it.
    pub pinning: Option<RunId>,
    /// The file that is read whenever it changes.
    pub watched_file: Option<PathBuf>,
    /// Failed read requests; they are repeated by the user, or when the daemon is back.
    pub unanswered: Vec<Effect>,
    /// The focused pane.
    pub pane: Pane,
    /// Whether that pane has the whole screen.
    pub zoomed: bool,
    /// Columns of the queue pane and rows of the gallery pane, where the user dragged their borders.
    pub split: Split,
    /// The border that the mouse drags.
    pub dragging: Option<Border>,
    /// The grid pane.
    pub grid: Grid,
    /// The queue pane.
    pub queue: Queue,
    /// The gallery pane.
    pub gallery: Gallery,
    /// Pictures that are ready to be drawn.
    pub pictures: Pictures,
    /// The layers over the panes, the topmost last; it gets keys first.
    pub layers: Vec<Layer>,
    /// Short messages.
    pub toasts: Toasts,
    /// The keys of an incomplete sequence.
    pub pending: Vec<Key>,
    /// When the last of them was pressed; after a pause the possible continuations are shown.
    pub pending_since: Time,
    /// The areas of the last frame.
    pub areas: Areas,
}

/// Where the user dragged the borders between panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// Columns of the queue pane.
    pub queue: Option<u16>,
    /// Rows of the gallery pane.
    pub gallery: Option<u16>,
}

impl Model {
    /// Returns an empty model: no daemon, no workflow, no size.
    #[must_use]
    pub fn new(options: Options) -> Self {
        let pictures = Pictures::new(options.pictures, Drawing::default());
        Self {
            options,
            keymap: Arc::new(Keymap::default()),
            size: (80, 24),
            now: Time::default(),
            beat: 0,
            link: Link::Connecting,
            silent_since: None,
            projection: Projection::default(),
            workflows: Vec::new(),
            workflow: None,
            shown: None,
            watching: Watch::default(),
            laying: HashSet::new(),
            opening: None,
            pinning: None,
            watched_file: None,
            unanswered: Vec::new(),
            pane: Pane::default(),
            zoomed: false,
            split: Split::default(),
            dragging: None,
            grid: Grid::default(),
            queue: Queue::default(),
            gallery: Gallery::default(),
            pictures,
            layers: Vec::new(),
            toasts: Toasts::default(),
            pending: Vec::new(),
            pending_since: Time::default(),
            areas: Areas::default(),
        }
    }

    /// Returns the workflow on screen, as the daemon knows it; `None` before its first run.
    #[must_use]
    pub fn workflow_id(&self) -> Option<WorkflowId> {
        self.workflow.as_ref()?.document.workflow_id
    }

    /// Returns the file to draw: the focused run's, else the one on screen.
    #[must_use]
    pub fn drawn(&self) -> Option<(&Arc<Workflow>, Option<&Arc<Layout>>)> {
        if let Some(shown) = &self.shown
            && let Some(workflow) = &shown.workflow
        {
            return Some((workflow, shown.layout.as_ref()));
        }
        let open = self.workflow.as_ref()?;
        Some((open.document.workflow.as_ref()?, open.layout.as_ref()))
    }

    /// Shows a message.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.toasts.add(tone, text, self.now);
    }

    /// Returns whether the daemon should send something from time to time.
    #[must_use]
    pub fn expects_events(&self) -> bool {
        self.projection.active().any(|run| matches!(run.state, RunStatus::Running | RunStatus::Cancelling))
    }

    /// Returns whether the daemon can be asked.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.link, Link::Up(_))
    }
}
