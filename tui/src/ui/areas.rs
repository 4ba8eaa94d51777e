//! The areas of a frame: targets of the mouse, the next animation step, and which notifications change them.

use fanlight_shared::event::LiveEvent;
use fanlight_shared::id::{AssetId, RunId};
use fanlight_shared::rpc::watch::Notification;
use ratatui::layout::{Position, Rect};

use crate::ui::action::Action;
use crate::ui::pane::Pane;

/// A border between panes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Border {
    /// Left of the queue.
    Queue,
    /// Above the gallery.
    Gallery,
}

/// A click target.
#[derive(Clone, PartialEq, Debug)]
pub enum Hit {
    /// A pane, where there is no other target.
    Pane(Pane),
    /// A border that can be dragged.
    Border(Border),
    /// A hint: a click runs the action.
    Action(Action),
    /// A node of the grid.
    Node(String),
    /// The badge of a node: the values of all runs.
    Values(String),
    /// A run.
    Run(RunId),
    /// A folded sweep of the queue.
    Sweep(u32),
    /// The heading of a section, by its index.
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
    /// The insides of the visible panes.
    pub panes: Vec<(Pane, Rect)>,
    /// The inside of the topmost layer, if there is one.
    pub layer: Option<Rect>,
    /// The position of the terminal's cursor in a text input.
    pub caret: Option<Position>,
    /// The click targets; later ones are above earlier ones.
    pub hits: Vec<(Rect, Hit)>,
    /// After how many milliseconds the next animation step is due.
    pub tick: Option<u64>,
    /// Nodes that are shown as cards, with their progress, message and value.
    pub nodes: Vec<String>,
    /// Whether intermediate values of running runs are shown.
    pub interim_values: bool,
}

impl Areas {
    /// Adds a click target.
    pub fn hit(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
    }

    /// Returns whether a notification can change this frame. Most notifications of a large running workflow are about
    /// nodes that are out of view or drawn too small to show them.
    #[must_use]
    pub fn shows(&self, notification: &Notification) -> bool {
        let Notification::Live { event, .. } = notification else { return true };
        match event {
            LiveEvent::NodeProgress { node, .. }
            | LiveEvent::WaitUpdate { node, .. }
            | LiveEvent::LogUpdate { node, .. }
            | LiveEvent::MetricUpdate { node, .. } => self.nodes.contains(node),
            LiveEvent::PreviewUpdate { node, .. } => self.interim_values || self.nodes.contains(node),
            LiveEvent::PlanningUpdate { source, .. }
            | LiveEvent::TaskUpdate { source, .. }
            | LiveEvent::ToolCallUpdate { source, .. }
            | LiveEvent::ToolResultUpdate { source, .. }
            | LiveEvent::LocationUpdate { source, .. }
            | LiveEvent::Prediction { source, .. } => self.nodes.contains(&source.node),
            // Edges are drawn by the state of their target node.
            LiveEvent::EdgeUpdate { .. } => false,
        }
    }

    /// Returns the click target at a position.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<&Hit> {
        self.hits.iter().rev().find(|(area, _)| area.contains(Position { x, y })).map(|(_, hit)| hit)
    }

    /// Returns the pane at a position.
    #[must_use]
    pub fn pane_at(&self, x: u16, y: u16) -> Option<Pane> {
        let at = Position { x, y };
        self.panes.iter().find(|(_, area)| area.contains(at)).map(|(pane, _)| *pane)
    }

    /// Returns the inside of a pane, if it is shown.
    #[must_use]
    pub fn pane(&self, pane: Pane) -> Option<Rect> {
        self.panes.iter().find(|(it, _)| *it == pane).map(|(_, area)| *area)
    }

    /// Schedules an animation step after this many milliseconds.
    pub fn tick_in(&mut self, milliseconds: u64) {
        self.tick = Some(self.tick.map_or(milliseconds, |tick| tick.min(milliseconds)));
    }
}
