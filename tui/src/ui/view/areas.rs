//! The areas of a frame: what the mouse hits, when they change by themselves, and which notifications change them.

use fanlight_shared::event::LiveEvent;
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::rpc::watch::Notification;
use ratatui::layout::{Position, Rect};

use crate::ui::action::Action;
use crate::ui::model::Border;
use crate::ui::pane::Pane;

/// Something that can be clicked.
#[derive(Clone, PartialEq, Debug)]
pub enum Hit {
    /// A pane, where nothing else lies.
    Pane(Pane),
    /// A border that can be dragged.
    Border(Border),
    /// A hint: clicking does it.
    Action(Action),
    /// A node of the grid.
    Node(String),
    /// The badge of a node: the values of all runs.
    Values(String),
    /// A run.
    Run(RunId),
    /// The heading of a section, by its place.
    Section(usize),
    /// A product.
    Asset(AssetId),
    /// A row of a list in a layer.
    Row(usize),
    /// A tab of a layer.
    Tab(usize),
    /// A short message: clicking dismisses it.
    Toast(usize),
}

/// The areas of a frame.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Areas {
    /// The insides of the panes that are shown.
    pub panes: Vec<(Pane, Rect)>,
    /// The inside of the topmost layer, if there is one.
    pub layer: Option<Rect>,
    /// Where text is being written: the place of the terminal's cursor.
    pub caret: Option<Position>,
    /// What can be clicked; the later lies over the earlier.
    pub hits: Vec<(Rect, Hit)>,
    /// How many milliseconds later something shown moves by itself.
    pub tick: Option<u64>,
    /// Nodes that are shown with how far they are, what they say and what they made; chips and dots are not.
    pub nodes: Vec<String>,
    /// Whether it is shown what runs that run have made so far.
    pub interim_values: bool,
}

impl Areas {
    /// Marks something that can be clicked.
    pub fn hit(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
    }

    /// Whether what the daemon tells can change what this frame shows. Most of what a big workflow tells while it runs is of
    /// nodes out of view, or drawn too small for it.
    #[must_use]
    pub fn shows(&self, notification: &Notification) -> bool {
        let Notification::Live { event, .. } = notification else { return true };
        match event {
            LiveEvent::NodeProgress { node, .. }
            | LiveEvent::LogUpdate { node, .. }
            | LiveEvent::MetricUpdate { node, .. } => self.nodes.contains(node),
            LiveEvent::PreviewUpdate { node, .. } => self.interim_values || self.nodes.contains(node),
            LiveEvent::PlanningUpdate { source, .. }
            | LiveEvent::TaskUpdate { source, .. }
            | LiveEvent::ToolCallUpdate { source, .. }
            | LiveEvent::ToolResultUpdate { source, .. }
            | LiveEvent::Prediction { source, .. } => self.nodes.contains(&source.node),
            // Edges are drawn by the state of the node that they lead into.
            LiveEvent::EdgeUpdate { .. } => false,
        }
    }

    /// What lies there.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<&Hit> {
        self.hits.iter().rev().find(|(area, _)| area.contains(Position { x, y })).map(|(_, hit)| hit)
    }

    /// The pane that lies there.
    #[must_use]
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        let at = Position { x, y };
        self.panes.iter().find(|(_, area)| area.contains(at)).map(|(pane, _)| *pane)
    }

    /// The inside of a pane, if it is shown.
    #[must_use]
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(it, _)| *it == pane).map(|(_, area)| *area)
    }

    /// Something shown moves by itself after so many milliseconds.
    pub fn tick_in(&mut self, milliseconds: u64) {
        self.tick = Some(self.tick.map_or(milliseconds, |tick| tick.min(milliseconds)));
    }
}
