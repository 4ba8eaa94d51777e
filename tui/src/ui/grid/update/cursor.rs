//! The node under the cursor, and what moves it.

use fanlight_shared::run::NodeStatus;

use super::shown::{settle, shown_layout};
use crate::ui::action::Action;
use crate::ui::fuzzy;
use crate::ui::graph::{Drawing, Layout, Place};
use crate::ui::grid::camera;
use crate::ui::model::Model;

/// Keeps the cursor on its node; if that is gone, moves it to the first.
pub(super) fn keep_selection(model: &mut Model) {
    let Some((workflow, _)) = model.drawn() else { return };
    let shown = model.shown.as_ref().map(|shown| shown.run);
    let back = model.grid.back_to.clone().filter(|(run, _)| Some(*run) == shown);
    if let Some((_, node)) = back.filter(|(_, node)| workflow.nodes.contains_key(node)) {
        (model.grid.selected, model.grid.back_to) = (Some(node), None);
        return;
    }
    let there = model.grid.selected.as_ref().is_some_and(|name| workflow.nodes.contains_key(name));
    if !there {
        model.grid.selected = workflow.nodes.keys().next().cloned();
        model.grid.filter.clear();
        model.grid.panned = false;
    }
}

fn select(model: &mut Model, layout: &Layout, index: usize) {
    let Some(name) = layout.nodes.get_index(index) else { return };
    settle(model);
    model.grid.selected = Some(name.clone());
    model.grid.follow = false;
    model.grid.panned = false;
}

pub(super) fn step(model: &mut Model, action: Action) {
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
        (false, _) => camera::drawing(&model.grid, &layout, area).and_then(|it| beside(it, at, action)),
    };
    if let Some(next) = next {
        select(model, &layout, next);
    }
}

/// Returns the nodes of the list, from the top.
fn rows(model: &Model, layout: &Layout) -> Vec<usize> {
    let filter = &model.grid.filter;
    let shown = |node: &usize| filter.is_empty() || fuzzy::matches(filter, &layout.nodes[*node]).is_some();
    layout.lanes.iter().filter_map(|lane| lane.node).filter(shown).collect()
}

/// Returns the nearest node in a direction; distance across the direction counts more than along it.
fn beside(drawing: &Drawing, at: usize, action: Action) -> Option<usize> {
    let here = drawing.placed.get(at)?.middle();
    let distance = |(index, place): (usize, &Place)| {
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

/// Selects a node by its place in the list.
pub(super) fn jump(model: &mut Model, to: impl Fn(usize, usize) -> Option<usize>) {
    let Some((layout, _)) = shown_layout(model) else { return };
    let rows = rows(model, &layout);
    let at = model.grid.selected.as_ref().and_then(|name| layout.index(name));
    let at = at.and_then(|at| rows.iter().position(|node| *node == at)).unwrap_or(0);
    if let Some(node) = to(rows.len(), at).and_then(|row| rows.get(row)) {
        select(model, &layout, *node);
    }
}

pub(super) fn half(count: usize) -> usize {
    (count / 2).clamp(1, 10)
}

/// Returns the failed nodes of the focused run, in the order of the file.
pub(super) fn failed(model: &Model) -> impl Iterator<Item = &String> {
    let nodes = model.lens().into_iter().flat_map(|lens| &lens.state.nodes);
    nodes.filter(|(_, node)| node.whole.status == NodeStatus::Failed).map(|(name, _)| name)
}

pub(super) fn next_failed(model: &mut Model) {
    let names: Vec<String> = failed(model).cloned().collect();
    next_of(model, &names, true);
}

pub(super) fn next_match(model: &mut Model, forward: bool) {
    let Some((layout, _)) = shown_layout(model) else { return };
    if model.grid.filter.is_empty() {
        return;
    }
    let names: Vec<String> =
        rows(model, &layout).into_iter().map(|node| layout.nodes[node].clone()).collect();
    next_of(model, &names, forward);
}

/// Selects the next of these after the one under the cursor, wrapping around.
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
pub(super) fn select_match(model: &mut Model) {
    let Some((layout, _)) = shown_layout(model) else { return };
    let rows = rows(model, &layout);
    let at = model.grid.selected.as_ref().and_then(|name| layout.index(name));
    if let Some(first) = rows.first().filter(|_| at.is_none_or(|at| !rows.contains(&at))) {
        select(model, &layout, *first);
    }
}
