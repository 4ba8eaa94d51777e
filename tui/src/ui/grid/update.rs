//! What the grid pane does.

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::NodeStatus;
use ratatui::layout::Rect;

use super::{Zooming, camera, node};
use crate::ui::action::Action;
use crate::ui::effect::Effect;
use crate::ui::fuzzy;
use crate::ui::graph::{Drawing, Layout, Zoom};
use crate::ui::layer::inspector::Inspector;
use crate::ui::layer::prompt::Prompt;
use crate::ui::layer::values::ValuesOfRuns;
use crate::ui::message::Came;
use crate::ui::model::Model;
use crate::ui::products::Made;
use crate::ui::view::Hit;

/// Cells that a key pans: columns, rows.
const PAN: (i32, i32) = (8, 3);
/// Requests for the values of older runs that one frame may make.
const REQUESTS: usize = 8;

/// Carries out an action of this pane, or one that works everywhere and moves in the pane that has the keys.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Left | Action::Right | Action::Up | Action::Down => step(model, action),
        Action::First => jump(model, |count, _| (count > 0).then_some(0)),
        Action::Last => jump(model, |count, _| count.checked_sub(1)),
        Action::HalfPageDown => jump(model, |count, at| Some((at + half(count)).min(count.checked_sub(1)?))),
        Action::HalfPageUp => jump(model, |count, at| Some(at.saturating_sub(half(count)))),
        Action::PanLeft => pan(model, -PAN.0, 0),
        Action::PanRight => pan(model, PAN.0, 0),
        Action::PanUp => pan(model, 0, -PAN.1),
        Action::PanDown => pan(model, 0, PAN.1),
        Action::ZoomIn => zoom(model, 1),
        Action::ZoomOut => zoom(model, -1),
        Action::Fit => {
            model.grid.zooming = Zooming::Fit;
            model.grid.panned = false;
        }
        Action::Follow => {
            model.grid.follow = !model.grid.follow;
            model.grid.panned = false;
        }
        Action::List => {
            if let Some((layout, area)) = shown_layout(model) {
                model.grid.list = Some(!camera::is_list(model, &layout, area));
            }
        }
        Action::NextFailed => next_failed(model),
        Action::NextMatch => next_match(model, true),
        Action::PreviousMatch => next_match(model, false),
        Action::Search => {
            let set = |model: &mut Model, text: &str| {
                model.grid.filter = text.trim().to_owned();
                if !model.grid.filter.is_empty() {
                    select_match(model);
                }
                Vec::new()
            };
            let before = model.grid.filter.clone();
            let prompt = Prompt::new("Filter nodes", before, move |model, text| Ok(set(model, text)));
            model.layers.push(prompt.hint("part of a name; esc in the grid takes it back").live(set).into());
        }
        Action::Inspect | Action::Open => return inspect(model),
        Action::Values => return values(model),
        Action::Copy => {
            let text = model.grid.selected.as_ref().map(|name| copied(model, name));
            return text.map(Effect::Copy).into_iter().collect();
        }
        _ => {}
    }
    Vec::new()
}

fn half(count: usize) -> usize {
    (count / 2).clamp(1, 10)
}

/// What `y` copies of a node: what it made, as text; else its name.
fn copied(model: &Model, name: &str) -> String {
    let whole = model.lens.as_ref().and_then(|lens| lens.state.nodes.get(name)).map(|node| &node.whole);
    let value = whole.and_then(|whole| whole.outputs.get(node::ports(model, name).first()?)?.to_text().ok());
    value.unwrap_or_else(|| name.to_owned())
}

/// One step back inside the pane (a filter, marks); `false` if there is nothing to go back from.
pub fn back(model: &mut Model) -> bool {
    let grid = &mut model.grid;
    if !grid.filter.is_empty() {
        grid.filter.clear();
        return true;
    }
    std::mem::take(&mut grid.panned)
}

/// Whether an action of this pane does something now; hints, help and palette go by it.
#[must_use]
pub fn enabled(model: &Model, action: Action) -> bool {
    match action {
        Action::NextFailed => failed(model).next().is_some(),
        Action::Follow => model.lens.is_some(),
        Action::Inspect | Action::Values => model.grid.selected.is_some(),
        _ => model.drawn().is_some(),
    }
}

/// The actions for the hint line, the most useful first; those that are not enabled are left out by the caller.
#[must_use]
pub fn hints(_model: &Model) -> Vec<Action> {
    vec![Action::Inspect, Action::NextFailed, Action::Values, Action::Follow, Action::List, Action::Fit]
}

/// Takes an answer it waits for.
pub fn came(model: &mut Model, came: &mut Came) -> Vec<Effect> {
    match came {
        Came::Values(of, page) => model.grid.products.take(of, page),
        Came::Graph(..) | Came::Document(_) => keep_selection(model),
        _ => {}
    }
    Vec::new()
}

/// Hears what the daemon told, after registry and lens heard it.
pub fn told(model: &mut Model, told: &Notification) -> Vec<Effect> {
    let workflow = model.workflow_id();
    model.grid.products.of(workflow);
    match told {
        Notification::Daemon {
            event: DaemonEvent::OutputUpdate { workflow_id, run_id, node, item, port, value },
            ..
        } if Some(*workflow_id) == workflow && item.is_whole() => {
            let number = model.registry.run(*run_id).map(|run| run.number);
            model.grid.products.put(node, port, *run_id, Made { number, value: Some(value.clone()) });
        }
        Notification::Daemon { event: DaemonEvent::RunDelete { run_id, .. }, .. } => {
            model.grid.products.forget(*run_id);
        }
        _ => {}
    }
    Vec::new()
}

/// The workflow on screen or the run in focus is another one now.
pub fn moved(model: &mut Model) -> Vec<Effect> {
    let workflow = model.workflow_id();
    model.grid.products.of(workflow);
    keep_selection(model);
    Vec::new()
}

/// The cursor stays on its node; where that is gone, it goes to the first.
fn keep_selection(model: &mut Model) {
    let Some((workflow, _)) = model.drawn() else { return };
    let there = model.grid.selected.as_ref().is_some_and(|name| workflow.nodes.contains_key(name));
    if !there {
        model.grid.selected = workflow.nodes.keys().next().cloned();
        model.grid.filter.clear();
        model.grid.panned = false;
    }
}

/// A frame was painted: what older runs made is wanted for the nodes that are shown with what they made.
pub fn shown(model: &mut Model) -> Vec<Effect> {
    if model.grid.selected.is_none() {
        keep_selection(model);
    }
    let of = model.workflow_id();
    if !model.is_up() || of.is_none() {
        return Vec::new();
    }
    model.grid.products.of(of);
    let Some((_, Some(layout))) = model.drawn() else { return Vec::new() };
    let layout = layout.clone();
    let Model { areas, grid, lens, .. } = model;
    let mut effects = Vec::new();
    for name in &areas.nodes {
        let named = layout.index(name).map_or(&[][..], |node| &layout.ports[node]);
        let instance = lens.as_ref().and_then(|lens| lens.state.nodes.get(name)).map(|node| &node.whole);
        let port = node::port(named, name, instance, &grid.products);
        // Mostly it was asked for after an earlier frame.
        let unasked = port.filter(|port| !grid.products.is_asked(name, port)).map(str::to_owned);
        let Some(port) = unasked else { continue };
        effects.extend(grid.products.ask(name, &port).map(Effect::ListValues));
        if effects.len() >= REQUESTS {
            break;
        }
    }
    effects
}

/// Handles the mouse over this pane: clicks, wheel. `hit` is what lies there, as the view marked it.
pub fn mouse(model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Vec<Effect> {
    match (mouse.kind, hit) {
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Values(name))) => {
            model.grid.selected = Some(name.clone());
            return values(model);
        }
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Node(name))) => {
            if model.grid.selected.as_ref() == Some(name) {
                return inspect(model);
            }
            model.grid.selected = Some(name.clone());
        }
        (MouseEventKind::ScrollDown, _) => wheel(model, 0, PAN.1),
        (MouseEventKind::ScrollUp, _) => wheel(model, 0, -PAN.1),
        (MouseEventKind::ScrollRight, _) => wheel(model, PAN.0, 0),
        (MouseEventKind::ScrollLeft, _) => wheel(model, -PAN.0, 0),
        _ => {}
    }
    Vec::new()
}

fn wheel(model: &mut Model, columns: i32, rows: i32) {
    match shown_layout(model) {
        Some((layout, area)) if camera::is_list(model, &layout, area) => {
            let action = if rows > 0 { Action::Down } else { Action::Up };
            step(model, action);
        }
        _ => pan(model, columns, rows),
    }
}

fn inspect(model: &mut Model) -> Vec<Effect> {
    let Some(name) = model.grid.selected.clone() else { return Vec::new() };
    let (inspector, effects) = Inspector::open(model, name);
    model.layers.push(inspector.into());
    effects
}

fn values(model: &mut Model) -> Vec<Effect> {
    let Some(name) = model.grid.selected.clone() else { return Vec::new() };
    let Some((layer, effects)) = ValuesOfRuns::open(model, &name) else { return Vec::new() };
    model.layers.push(layer.into());
    effects
}

/// The layout that is drawn and the area it was drawn in.
fn shown_layout(model: &Model) -> Option<(std::sync::Arc<Layout>, Rect)> {
    let (_, layout) = model.drawn()?;
    let mut area = model.areas.grid?;
    // A failure has a line of its own above.
    if node::first_failed(model).is_some() && area.height >= 4 {
        area = Rect { y: area.y + 1, height: area.height - 1, ..area };
    }
    Some((layout?.clone(), area))
}

fn select(model: &mut Model, layout: &Layout, index: usize) {
    let Some(name) = layout.nodes.get_index(index) else { return };
    settle(model);
    model.grid.selected = Some(name.clone());
    model.grid.follow = false;
    model.grid.panned = false;
}

/// Keeps the part in view where the view moved by itself, so that the next step begins there.
fn settle(model: &mut Model) {
    if let Some((layout, area)) = shown_layout(model)
        && let Some(drawing) = camera::drawing(model.grid.zooming, &layout, area)
    {
        let target = camera::target(model, &layout);
        model.grid.origin = camera::viewport(&model.grid, drawing, target, area).origin;
    }
}

fn step(model: &mut Model, action: Action) {
    let Some((layout, area)) = shown_layout(model) else { return };
    let Some(at) = model.grid.selected.as_ref().and_then(|name| layout.index(name)) else {
        return select(model, &layout, 0);
    };
    let list = camera::is_list(model, &layout, area);
    let next = match (list, action) {
        (true, Action::Left) => layout.links.iter().find(|(_, to)| *to == at).map(|(from, _)| *from),
        (true, Action::Right) => layout.links.iter().find(|(from, _)| *from == at).map(|(_, to)| *to),
        (true, _) => {
            let rows = rows(model, &layout);
            let row = rows.iter().position(|node| *node == at).unwrap_or(0);
            let row = if action == Action::Down { row + 1 } else { row.saturating_sub(1) };
            rows.get(row).copied()
        }
        (false, _) => {
            camera::drawing(model.grid.zooming, &layout, area).and_then(|it| beside(it, at, action))
        }
    };
    if let Some(next) = next {
        select(model, &layout, next);
    }
}

/// The nodes of the list, from the top.
fn rows(model: &Model, layout: &Layout) -> Vec<usize> {
    let filter = &model.grid.filter;
    let shown = |node: &usize| filter.is_empty() || fuzzy::matches(filter, &layout.nodes[*node]).is_some();
    layout.lanes.iter().filter_map(|lane| lane.node).filter(shown).collect()
}

/// The nearest node in a direction: what lies across counts more than what lies along.
fn beside(drawing: &Drawing, at: usize, action: Action) -> Option<usize> {
    let here = drawing.placed.get(at)?.middle();
    let distance = |(index, place): (usize, &crate::ui::graph::Place)| {
        let there = place.middle();
        // A row is about as high as two columns are wide.
        let (x, y) = (there.0 - here.0, 2 * (there.1 - here.1));
        let (along, across) = match action {
            Action::Left => (-x, y),
            Action::Right => (x, y),
            Action::Up => (-y, x),
            _ => (y, x),
        };
        (index != at && along > 0 && along * 4 >= across.abs())
            .then_some((i64::from(along) + 3 * i64::from(across.abs()), index))
    };
    drawing.placed.iter().enumerate().filter_map(distance).min().map(|(_, index)| index)
}

/// Selects by the place in the order of the list.
fn jump(model: &mut Model, to: impl Fn(usize, usize) -> Option<usize>) {
    let Some((layout, _)) = shown_layout(model) else { return };
    let rows = rows(model, &layout);
    let at = model.grid.selected.as_ref().and_then(|name| layout.index(name));
    let at = at.and_then(|at| rows.iter().position(|node| *node == at)).unwrap_or(0);
    if let Some(node) = to(rows.len(), at).and_then(|row| rows.get(row)) {
        select(model, &layout, *node);
    }
}

fn pan(model: &mut Model, columns: i32, rows: i32) {
    let Some((layout, area)) = shown_layout(model) else { return };
    let Some(drawing) = camera::drawing(model.grid.zooming, &layout, area) else { return };
    let mut view = camera::viewport(&model.grid, drawing, camera::target(model, &layout), area);
    view.pan(columns, rows, drawing);
    model.grid.origin = view.origin;
    model.grid.panned = true;
    model.grid.follow = false;
}

fn zoom(model: &mut Model, by: i32) {
    let Some((layout, area)) = shown_layout(model) else { return };
    let Some(drawing) = camera::drawing(model.grid.zooming, &layout, area) else { return };
    let zoom = match (drawing.zoom, by > 0) {
        (Zoom::Dot, true) | (Zoom::Card, false) => Zoom::Chip,
        (_, true) => Zoom::Card,
        (_, false) => Zoom::Dot,
    };
    model.grid.zooming = Zooming::At(zoom);
    model.grid.panned = false;
    model.grid.list = Some(false);
}

/// The failed nodes of the focused run, in the order of the file.
fn failed(model: &Model) -> impl Iterator<Item = &String> {
    let nodes = model.lens.iter().flat_map(|lens| &lens.state.nodes);
    nodes.filter(|(_, node)| node.whole.status == NodeStatus::Failed).map(|(name, _)| name)
}

fn next_failed(model: &mut Model) {
    let names: Vec<String> = failed(model).cloned().collect();
    next_of(model, &names, true);
}

fn next_match(model: &mut Model, forward: bool) {
    let Some((layout, _)) = shown_layout(model) else { return };
    if model.grid.filter.is_empty() {
        return;
    }
    let names: Vec<String> =
        rows(model, &layout).into_iter().map(|node| layout.nodes[node].clone()).collect();
    next_of(model, &names, forward);
}

/// Selects the next of these after the one under the cursor, from the beginning again after the last.
fn next_of(model: &mut Model, names: &[String], forward: bool) {
    let Some((layout, _)) = shown_layout(model) else { return };
    let at = model.grid.selected.as_ref().and_then(|name| names.iter().position(|it| it == name));
    let next = match (at, forward) {
        (None, _) => 0,
        (Some(at), true) => (at + 1) % names.len(),
        (Some(at), false) => (at + names.len() - 1) % names.len(),
    };
    if let Some(index) = names.get(next).and_then(|name| layout.index(name)) {
        select(model, &layout, index);
    }
}

/// Selects the best match of the filter, unless the cursor is on one.
fn select_match(model: &mut Model) {
    let Some((layout, _)) = shown_layout(model) else { return };
    let rows = rows(model, &layout);
    let at = model.grid.selected.as_ref().and_then(|name| layout.index(name));
    if let Some(first) = rows.first().filter(|_| at.is_none_or(|at| !rows.contains(&at))) {
        select(model, &layout, *first);
    }
}

#[cfg(test)]
mod tests;
