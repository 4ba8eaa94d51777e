//! The mouse: clicks, the wheel, dragged borders.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::{choose, step_top};
use crate::ui::areas::{Border, Hit};
use crate::ui::effect::Effect;
use crate::ui::model::Model;
use crate::ui::shell::component;

pub(super) fn happened(model: &mut Model, mouse: MouseEvent) -> Vec<Effect> {
    if let Some(border) = model.dragging {
        match mouse.kind {
            MouseEventKind::Drag(_) => drag(model, border, mouse),
            MouseEventKind::Up(_) => model.dragging = None,
            _ => {}
        }
        return Vec::new();
    }
    let hit = model.areas.at(mouse.column, mouse.row).cloned();
    let pressed = mouse.kind == MouseEventKind::Down(MouseButton::Left);
    match &hit {
        Some(Hit::Toast(index)) if pressed => {
            model.toasts.dismiss(Some(*index));
            return Vec::new();
        }
        Some(Hit::Action(action)) if pressed => return choose(model, *action),
        _ => {}
    }
    if let Some((effects, _)) = step_top(model, |layer, model| layer.mouse(model, mouse, hit.as_ref())) {
        return effects;
    }
    match (&hit, mouse.kind) {
        (Some(Hit::Border(border)), MouseEventKind::Down(MouseButton::Left)) => {
            model.dragging = Some(*border);
            return Vec::new();
        }
        (Some(Hit::Pane(pane)), MouseEventKind::Down(_)) => model.pane = *pane,
        _ => {}
    }
    let Some(pane) = model.areas.pane_at(mouse.column, mouse.row) else { return Vec::new() };
    if matches!(mouse.kind, MouseEventKind::Down(_)) {
        model.pane = pane;
    }
    component(pane).mouse(model, mouse, hit.as_ref()).effects
}

fn drag(model: &mut Model, border: Border, mouse: MouseEvent) {
    let (columns, rows) = model.size;
    match border {
        Border::Queue => {
            let wanted = columns.saturating_sub(mouse.column);
            model.split.queue = Some(wanted.clamp(20, columns.saturating_sub(40).max(20)));
        }
        Border::Gallery => {
            // The last row is the hint line.
            let wanted = rows.saturating_sub(mouse.row + 1);
            model.split.gallery = Some(wanted.clamp(4, rows.saturating_sub(10).max(4)));
        }
    }
}
