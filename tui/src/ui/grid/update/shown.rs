//! What is drawn at the moment.

use std::sync::Arc;

use ratatui::layout::Rect;

use crate::ui::graph::Layout;
use crate::ui::grid::camera;
use crate::ui::model::Model;
use crate::ui::node;
use crate::ui::pane::Pane;

/// Returns the layout that is drawn and the area it was drawn in.
pub(super) fn shown_layout(model: &Model) -> Option<(Arc<Layout>, Rect)> {
    let (_, layout) = model.drawn()?;
    let mut area = model.areas.pane(Pane::Grid)?;
    // A failure takes one line above.
    if node::first_failed(model).is_some() && area.height >= 4 {
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    Some((layout?.clone(), area))
}

/// Stores the position to which the view has moved by itself, so that the next step starts from there.
pub(super) fn settle(model: &mut Model) {
    if let Some((layout, area)) = shown_layout(model)
        && let Some(drawing) = camera::drawing(&model.grid, &layout, area)
    {
        let target = camera::target(model, &layout);
        model.grid.origin = camera::viewport(&model.grid, drawing, target, area).origin;
    }
}
