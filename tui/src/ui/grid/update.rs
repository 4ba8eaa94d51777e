//! Update of the grid pane.

mod canvas;
mod cursor;
mod pictures;
mod shown;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::watch::Notification;

use canvas::{PAN, pan, wheel, zoom};
use cursor::{failed, half, jump, keep_selection, next_failed, next_match, select_match, step};
use shown::shown_layout;

use crate::ui::action::Action;
use crate::ui::address::Address;
use crate::ui::areas::Hit;
use crate::ui::children;
use crate::ui::effect::Effect;
use crate::ui::grid::camera;
use crate::ui::layer::form::Form;
use crate::ui::layer::inspector::Inspector;
use crate::ui::layer::prompt::Prompt;
use crate::ui::layer::values::ValuesOfRuns;
use crate::ui::message::Response;
use crate::ui::model::Model;
use crate::ui::model::grid::Zooming;
use crate::ui::node;
use crate::ui::products::Made;

/// The maximum number of requests for values of older runs per frame.
const MAX_REQUESTS: usize = 8;

/// Carries out an action of this pane, or a movement in the pane that has the focus.
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
        Action::Inspect | Action::Open => return enter(model),
        Action::InspectAlways => return inspect(model),
        Action::Values => return values(model),
        Action::Fork => return fork(model),
        Action::Copy => {
            let text = model.grid.selected.as_ref().map(|name| copied(model, name));
            return text.map(Effect::Copy).into_iter().collect();
        }
        _ => {}
    }
    Vec::new()
}

/// Returns what `y` copies of a node: its products as text; else its name.
fn copied(model: &Model, name: &str) -> String {
    let whole = model.lens().and_then(|lens| lens.state.nodes.get(name)).map(|node| &node.whole);
    let value = whole.and_then(|whole| whole.outputs.get(node::ports(model, name).first()?)?.to_text().ok());
    value.unwrap_or_else(|| name.to_owned())
}

/// Goes one step back inside the pane (clears a filter or marks). Returns `false` if there is nothing to undo.
pub fn back(model: &mut Model) -> bool {
    let grid = &mut model.grid;
    if !grid.filter.is_empty() {
        grid.filter.clear();
        return true;
    }
    std::mem::take(&mut grid.panned)
}

/// Returns whether an action of this pane is enabled; hints, help and palette use it.
#[must_use]
pub fn enabled(model: &Model, action: Action) -> bool {
    if model.workflow.is_none() {
        return false;
    }
    match action {
        Action::NextFailed => failed(model).next().is_some(),
        Action::Follow => model.lens().is_some(),
        Action::Inspect | Action::InspectAlways | Action::Values => model.grid.selected.is_some(),
        Action::Fork => {
            model.grid.selected.is_some() && model.lens().is_some_and(|lens| lens.run.state.is_ended())
        }
        _ => model.drawn().is_some(),
    }
}

/// Returns the actions for the hint line, the most useful first; those that are not enabled are left out by the caller.
#[must_use]
pub fn hints(_model: &Model) -> Vec<Action> {
    vec![
        Action::Inspect,
        Action::NextFailed,
        Action::Values,
        Action::Follow,
        Action::List,
        Action::Fit,
        Action::Fork,
    ]
}

/// Takes a response that it requested.
pub fn response(model: &mut Model, response: &mut Response) -> Vec<Effect> {
    match response {
        Response::Values(of, page) => model.grid.products.take(of, page),
        Response::Assets { to: Address::Cards(number), page } => model.grid.pictures.take(*number, page),
        Response::Graph(..) | Response::Document { .. } => keep_selection(model),
        _ => {}
    }
    Vec::new()
}

/// Handles a notification, after the projection has applied it.
pub fn notification(model: &mut Model, notification: &Notification) -> Vec<Effect> {
    let workflow = model.workflow_id();
    model.grid.products.of(workflow);
    model.grid.pictures.of(workflow);
    match notification {
        Notification::Daemon {
            event: DaemonEvent::OutputUpdate { workflow_id, run_id, node, item, port, value },
            ..
        } if Some(*workflow_id) == workflow && item.is_whole() => {
            let number = model.projection.run(*run_id).map(|run| run.number);
            model.grid.products.put(node, port, *run_id, Made { number, value: Some(value.clone()) });
        }
        Notification::Daemon { event: DaemonEvent::AssetUpdate { asset }, .. } => {
            model.grid.pictures.stored(asset);
        }
        Notification::Daemon { event: DaemonEvent::AssetDelete { asset_id, .. }, .. } => {
            model.grid.pictures.deleted(*asset_id);
        }
        Notification::Daemon { event: DaemonEvent::RunDelete { run_id, .. }, .. } => {
            model.grid.products.forget(*run_id);
        }
        _ => {}
    }
    Vec::new()
}

/// Reads the values and pictures of the nodes in view again, after the next frame.
pub fn missed(model: &mut Model) -> Vec<Effect> {
    model.grid.products.missed();
    model.grid.pictures.missed();
    model.grid.children_of = None;
    Vec::new()
}

/// Handles a change of the workflow on screen or of the run in focus.
pub fn moved(model: &mut Model) -> Vec<Effect> {
    let workflow = model.workflow_id();
    model.grid.products.of(workflow);
    model.grid.pictures.of(workflow);
    keep_selection(model);
    Vec::new()
}

/// Called after each frame: requests the values of older runs for the nodes in view.
pub fn shown(model: &mut Model) -> Vec<Effect> {
    if model.grid.selected.is_none() {
        keep_selection(model);
    }
    let of = model.workflow_id();
    if !model.is_up() || of.is_none() {
        return Vec::new();
    }
    model.grid.products.of(of);
    model.grid.pictures.of(of);
    let mut effects: Vec<Effect> = children::shown(model).into_iter().collect();
    let Some((_, Some(layout))) = model.drawn() else { return effects };
    let layout = layout.clone();
    let Model { areas, grid, shown, projection, .. } = model;
    let state = shown.as_ref().and_then(|shown| projection.watched(shown.run)).map(|(_, state)| state);
    for name in &areas.nodes {
        let named = layout.index(name).map_or(&[][..], |node| &layout.ports[node]);
        let instance = state.and_then(|state| state.nodes.get(name)).map(|node| &node.whole);
        let port = node::port(named, name, instance, &grid.products);
        // Usually an earlier frame has requested it.
        let unasked = port.filter(|port| !grid.products.is_asked(name, port)).map(str::to_owned);
        let Some(port) = unasked else { continue };
        effects.extend(grid.products.ask(name, &port).map(Effect::ListValues));
        if effects.len() >= MAX_REQUESTS {
            break;
        }
    }
    effects.extend(pictures::shown(model));
    effects
}

/// Handles clicks and the wheel over this pane. `hit` is the marked area under the mouse.
pub fn mouse(model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Vec<Effect> {
    match (mouse.kind, hit) {
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Values(name))) => {
            model.grid.selected = Some(name.clone());
            return values(model);
        }
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Node(name))) => {
            if model.grid.selected.as_ref() == Some(name) {
                return enter(model);
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

/// Moves into the run that the node started, or inspects the node: also if its items started several.
fn enter(model: &mut Model) -> Vec<Effect> {
    let Some(name) = model.grid.selected.clone() else { return Vec::new() };
    match children::enter(model, &name, ItemPath::WHOLE) {
        Some(effects) => effects,
        None => inspect(model),
    }
}

fn inspect(model: &mut Model) -> Vec<Effect> {
    let Some(name) = model.grid.selected.clone() else { return Vec::new() };
    let (inspector, effects) = Inspector::open(model, name);
    model.layers.push(inspector.into());
    effects
}

fn fork(model: &mut Model) -> Vec<Effect> {
    let Some(name) = model.grid.selected.clone() else { return Vec::new() };
    let Some((form, effect)) = Form::fork(model, name) else { return Vec::new() };
    model.layers.push(form.into());
    effect.into_iter().collect()
}

fn values(model: &mut Model) -> Vec<Effect> {
    let Some(name) = model.grid.selected.clone() else { return Vec::new() };
    let Some((layer, effects)) = ValuesOfRuns::open(model, &name) else { return Vec::new() };
    model.layers.push(layer.into());
    effects
}

#[cfg(test)]
mod tests;
