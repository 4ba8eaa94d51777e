//! Pan and zoom.

use super::shown::shown_layout;
use crate::ui::action::Action;
use crate::ui::graph::Zoom;
use crate::ui::grid::camera;
use crate::ui::model::Model;
use crate::ui::model::grid::Zooming;

/// Cells per pan key: columns, rows.
pub(super) const PAN: (i32, i32) = (8, 3);

pub(super) fn pan(model: &mut Model, columns: i32, rows: i32) {
    let Some((layout, area)) = shown_layout(model) else { return };
    let Some(drawing) = camera::drawing(&model.grid, &layout, area) else { return };
    let mut view = camera::viewport(&model.grid, drawing, camera::target(model, &layout), area);
    view.pan(columns, rows, drawing);
    model.grid.origin = view.origin;
    model.grid.panned = true;
    model.grid.follow = false;
}

pub(super) fn zoom(model: &mut Model, by: i32) {
    let Some((layout, area)) = shown_layout(model) else { return };
    let Some(drawing) = camera::drawing(&model.grid, &layout, area) else { return };
    let zoom = match (drawing.zoom, by > 0) {
        (Zoom::Dot, true) | (Zoom::Card, false) => Zoom::Chip,
        (Zoom::Chip, true) | (Zoom::Large, false) => Zoom::Card,
        (_, true) => Zoom::Large,
        (_, false) => Zoom::Dot,
    };
    model.grid.zooming = Zooming::At(zoom);
    model.grid.panned = false;
    model.grid.list = Some(false);
}

pub(super) fn wheel(model: &mut Model, columns: i32, rows: i32) {
    match shown_layout(model) {
        Some((layout, area)) if camera::is_list(model, &layout, area) => {
            let action = if rows > 0 { Action::Down } else { Action::Up };
            super::cursor::step(model, action);
        }
        _ => pan(model, columns, rows),
    }
}
