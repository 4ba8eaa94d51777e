//! The pure picture of a model: where panes, layers and lines lie. What each draws stands in its own file.

mod banner;
mod frame;
mod header;
mod hints;
mod size;
mod toasts;
mod which_key;

use fanlight_shared::id::{AssetId, RunId};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::action::Action;
use super::model::{Border, Model, Pane};
use super::theme::Theme;
use super::{gallery, grid, queue};
pub use frame::{popup, screen};
pub use size::SizeClass;

/// How often clocks on screen change.
const CLOCK: u64 = 1_000;

/// Draws everything. Answers what lies where.
#[must_use]
pub fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Areas {
    let mut areas = Areas::default();
    let class = SizeClass::of((area.width, area.height));
    if class == SizeClass::TooSmall {
        let words = format!("too small: {}×{}, at least 40×10 is needed", area.width, area.height);
        Line::styled(words, theme.warning).render(area, buffer);
        return areas;
    }
    buffer.set_style(area, theme.text);
    let row = |y: u16| Rect { y, height: 1, ..area };
    header::view(model, theme, class, row(area.y), buffer, &mut areas);
    let mut top = area.y + 1;
    if class == SizeClass::Small && model.layers.is_empty() {
        header::strip(model, theme, row(top), buffer, &mut areas);
        top += 1;
    }
    if let Some(banner) = banner::words(model) {
        banner::view(&banner, theme, row(top), buffer);
        top += 1;
    }
    let body = Rect { y: top, height: area.bottom().saturating_sub(1).saturating_sub(top), ..area };
    panes(model, theme, class, body, buffer, &mut areas);
    for (depth, layer) in model.layers.iter().enumerate() {
        if depth + 1 == model.layers.len() {
            // What lies below the topmost can't be clicked.
            areas.hits.clear();
            areas.layer = None;
        }
        layer.view(model, theme, body, buffer, &mut areas);
    }
    which_key::view(model, theme, body, buffer, &mut areas);
    toasts::view(model, theme, body, buffer, &mut areas);
    hints::view(model, theme, row(area.bottom() - 1), buffer, &mut areas);
    if model.registry.runs().any(|run| run.state.is_active()) {
        areas.tick_in(CLOCK);
    }
    areas
}

/// The panes that fit, each in its frame.
fn panes(
    model: &Model,
    theme: &Theme,
    class: SizeClass,
    body: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    if model.workflow.is_none() {
        return;
    }
    if class == SizeClass::Small {
        return pane(model, theme, model.pane, body, buffer, areas);
    }
    if model.zoomed {
        return framed(model, theme, model.pane, body, buffer, areas);
    }
    let gallery_below = class == SizeClass::Large;
    let wanted = model.split.gallery.unwrap_or(body.height / 3).clamp(4, body.height.saturating_sub(10).max(4));
    let below = if gallery_below { wanted } else { 0 };
    let upper = Rect { height: body.height - below, ..body };
    let most = upper.width.saturating_sub(40).max(20);
    let beside = model.split.queue.unwrap_or(if gallery_below { 48 } else { 40 }).clamp(20, most);
    let left = Rect { width: upper.width - beside, ..upper };
    let right = Rect { x: left.right(), width: beside, ..upper };
    let main = if model.pane == Pane::Gallery && !gallery_below { Pane::Gallery } else { Pane::Grid };
    framed(model, theme, main, left, buffer, areas);
    framed(model, theme, Pane::Queue, right, buffer, areas);
    areas.hit(Rect { width: 1, ..right }, Hit::Border(Border::Queue));
    if gallery_below {
        let lower = Rect { y: upper.bottom(), height: below, ..body };
        framed(model, theme, Pane::Gallery, lower, buffer, areas);
        areas.hit(Rect { height: 1, ..lower }, Hit::Border(Border::Gallery));
    }
}

fn framed(model: &Model, theme: &Theme, which: Pane, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let titles = match which {
        Pane::Grid => grid::view::title(model),
        Pane::Queue => queue::view::title(model),
        Pane::Gallery => gallery::view::title(model),
    };
    let inside = frame::pane(model, theme, which, &titles, area, buffer);
    areas.hit(area, Hit::Pane(which));
    pane(model, theme, which, inside, buffer, areas);
}

fn pane(model: &Model, theme: &Theme, which: Pane, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    areas.hit(area, Hit::Pane(which));
    match which {
        Pane::Grid => {
            areas.grid = Some(area);
            grid::view::view(model, theme, area, buffer, areas);
        }
        Pane::Queue => {
            areas.queue = Some(area);
            queue::view::view(model, theme, area, buffer, areas);
        }
        Pane::Gallery => {
            areas.gallery = Some(area);
            gallery::view::view(model, theme, area, buffer, areas);
        }
    }
}

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

/// What a frame showed where.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Areas {
    /// The inside of the grid pane, if it is shown.
    pub grid: Option<Rect>,
    /// The inside of the queue pane, if it is shown.
    pub queue: Option<Rect>,
    /// The inside of the gallery pane, if it is shown.
    pub gallery: Option<Rect>,
    /// The inside of the topmost layer, if there is one.
    pub layer: Option<Rect>,
    /// What can be clicked; the later lies over the earlier.
    pub hits: Vec<(Rect, Hit)>,
    /// How many milliseconds later something shown moves by itself.
    pub tick: Option<u64>,
}

impl Areas {
    /// Marks something that can be clicked.
    pub fn hit(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
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
        [(Pane::Grid, self.grid), (Pane::Queue, self.queue), (Pane::Gallery, self.gallery)]
            .into_iter()
            .find(|(_, area)| area.is_some_and(|area| area.contains(at)))
            .map(|(pane, _)| pane)
    }

    /// Something shown moves by itself after so many milliseconds.
    pub fn tick_in(&mut self, milliseconds: u64) {
        self.tick = Some(self.tick.map_or(milliseconds, |tick| tick.min(milliseconds)));
    }
}
