//! Selects the drawing and the part of it that is shown. The view and the update use the same functions, so that clicks
//! and keys match what is drawn.

use fanlight_shared::run::NodeStatus;
use ratatui::layout::Rect;

use crate::ui::graph::viewport::Viewport;
use crate::ui::graph::{Drawing, FlowDirection, Layout, Zoom};
use crate::ui::model::Model;
use crate::ui::model::grid::{Grid, Zooming};

/// Columns and rows below which the list is shown.
const MIN_SIZE: (u16, u16) = (56, 12);
/// Columns below which graphs that don't fit are drawn from top to bottom.
const NARROW_WIDTH: u16 = 100;

/// Returns whether the nodes are shown as a list.
#[must_use]
pub fn is_list(model: &Model, layout: &Layout, area: Rect) -> bool {
    let small = crate::ui::size::SizeClass::of(model.size) == crate::ui::size::SizeClass::Small;
    let little = small || area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1;
    layout.drawings.is_empty() || model.grid.list.unwrap_or(little)
}

/// Returns the drawing that the grid shows in an area. Cards are large only if some node has a picture or a sound, so that
/// no pane is full of empty cards.
#[must_use]
pub fn drawing<'a>(grid: &Grid, layout: &'a Layout, area: Rect) -> Option<&'a Drawing> {
    let largest = if grid.pictures.any() || grid.products.has_pictures() { Zoom::Large } else { Zoom::Card };
    drawing_up_to(largest, grid.zooming, layout, area)
}

/// Returns the drawing for an area with nodes of at most this size, unless the user chose another.
#[must_use]
pub fn drawing_up_to(largest: Zoom, zooming: Zooming, layout: &Layout, area: Rect) -> Option<&Drawing> {
    let holds = |it: &&Drawing| it.size.0 <= i32::from(area.width) && it.size.1 <= i32::from(area.height);
    let unfit = if area.width < NARROW_WIDTH { FlowDirection::Down } else { FlowDirection::Right };
    let at = |zoom: Zoom| layout.drawings_at(zoom).find(holds);
    // A drawing that doesn't fit anyway should be as small as possible.
    let least_room = |zoom: Zoom| layout.drawings_at(zoom).rfind(|it| it.flow == unfit);
    let least = match zooming {
        Zooming::At(zoom) => {
            // A graph of many nodes has no large cards.
            let smaller = Zoom::ALL.into_iter().filter(|it| *it <= zoom);
            return smaller.into_iter().find_map(|it| at(it).or_else(|| least_room(it)));
        }
        Zooming::Auto => Zoom::Chip,
        Zooming::Fit => Zoom::Dot,
    };
    let fits = Zoom::ALL.into_iter().filter(|zoom| (least..=largest).contains(zoom)).find_map(at);
    fits.or_else(|| least_room(least))
}

/// Returns the node that the view keeps visible: the running one while it follows, else the one under the cursor.
#[must_use]
pub fn target(model: &Model, layout: &Layout) -> Option<usize> {
    let running = || {
        let state = model.lens()?.state;
        let runs = |name: &String| {
            state.nodes.get(name).is_some_and(|node| node.whole.status == NodeStatus::Running)
        };
        layout.nodes.iter().rposition(runs)
    };
    let followed = if model.grid.follow { running() } else { None };
    followed.or_else(|| layout.index(model.grid.selected.as_ref()?))
}

/// Returns the part of a drawing that an area shows.
#[must_use]
pub fn viewport(grid: &Grid, drawing: &Drawing, target: Option<usize>, area: Rect) -> Viewport {
    let mut view = Viewport::new(drawing, grid.origin, area);
    if !grid.panned
        && let Some(place) = target.and_then(|node| drawing.placed.get(node))
    {
        view.show(*place, drawing);
    }
    view
}
