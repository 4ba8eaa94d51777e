//! The model of the UI. Plain data: [`super::update`] changes it, [`super::view`] draws it.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::{RunId, Version, WorkflowId};
use fanlight_shared::rpc::watch::Watch;
use fanlight_shared::rpc::workflows::WorkflowInfo;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use fanlight_shared::time::Time;
use fanlight_shared::workflow::Workflow;

use super::document::{Document, Source};
use super::effect::Effect;
use super::gallery::Gallery;
use super::graph::Layout;
use super::grid::Grid;
use super::keymap::{Key, Keymap};
use super::layer::Layer;
use super::message::Link;
use super::pane::Pane;
use super::picture::Pictures;
use super::picture::probe::Drawing;
use super::queue::Queue;
use super::toast::Toasts;
use super::view::Areas;

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
        }
    }
}

/// How pictures are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum PictureMode {
    /// As the terminal supports it.
    #[default]
    Auto,
    /// By kitty's protocol.
    Kitty,
    /// By sixels.
    Sixel,
    /// By iTerm2's protocol.
    Iterm,
    /// By half blocks, which every terminal with colours has.
    Blocks,
    /// Not at all; names and sizes are shown instead.
    Off,
}

impl PictureMode {
    /// All, by their names.
    pub const NAMES: [(&str, Self); 6] = [
        ("auto", Self::Auto),
        ("kitty", Self::Kitty),
        ("sixel", Self::Sixel),
        ("iterm", Self::Iterm),
        ("blocks", Self::Blocks),
        ("off", Self::Off),
    ];

    /// Returns the one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(it, _)| *it == name).map(|(_, mode)| *mode)
    }
}

/// The model of the UI.
#[derive(Debug)]
pub struct Model {
    /// The request.
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

/// The workflow on screen.
#[derive(Clone, Debug)]
pub struct OpenWorkflow {
    /// Its file as last read; runs keep the version they were submitted with.
    pub document: Document,
    /// The layout of its graph, once computed.
    pub layout: Option<Arc<Layout>>,
}

/// The shown run. Its state is in the projection.
#[derive(Clone, Debug)]
pub struct Shown {
    /// The run.
    pub run: RunId,
    /// The workflow file it was submitted with, once read.
    pub workflow: Option<Arc<Workflow>>,
    /// The layout of that file's graph, once computed.
    pub layout: Option<Arc<Layout>>,
}

/// The shown run, with its state.
#[derive(Clone, Copy, Debug)]
pub struct Lens<'a> {
    /// As lists show it.
    pub run: &'a Run,
    /// The fold of its events.
    pub state: &'a RunState,
    /// The workflow file it was submitted with, once read.
    pub workflow: Option<&'a Arc<Workflow>>,
    /// The layout of that file's graph, once computed.
    pub layout: Option<&'a Arc<Layout>>,
}

impl Lens<'_> {
    /// Returns whether the run asks a person something.
    #[must_use]
    pub fn asks(&self) -> bool {
        self.run.asks.is_some()
    }
}

/// Where the user dragged the borders between panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Split {
    /// Columns of the queue pane.
    pub queue: Option<u16>,
    /// Rows of the gallery pane.
    pub gallery: Option<u16>,
}

/// A border between panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Border {
    /// Left of the queue.
    Queue,
    /// Above the gallery.
    Gallery,
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

    /// Returns the shown run, with its telemetry.
    #[must_use]
    pub fn lens(&self) -> Option<Lens<'_>> {
        let shown = self.shown.as_ref()?;
        let (run, state) = self.projection.watched(shown.run)?;
        Some(Lens { run, state, workflow: shown.workflow.as_ref(), layout: shown.layout.as_ref() })
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

    /// Returns whether the daemon can be asked.
    #[must_use]
    pub fn is_up(&self) -> bool {
        matches!(self.link, Link::Up(_))
    }
}
