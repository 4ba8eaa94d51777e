//! The pure update: a model and a message give the next model and effects. One file per noun.

mod act;
mod keys;
mod lens;
mod mouse;
mod notification;
mod open;
mod response;

use std::path::PathBuf;

use crossterm::event::{KeyCode, KeyEvent};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::watch::Watch;

use super::action::Action;
use super::effect::{Effect, Topology};
use super::message::{Link, Message};
use super::model::Model;
use super::model::component::{Layer, Step};
use super::model::workflow::OpenWorkflow;
use super::pane::Pane;
use super::shell::component;
use act::act;

/// Applies a message to the model. Returns the effects that follow.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let before = place(model);
    let mut effects = match message {
        Message::Key(key) => keys::press(model, key),
        Message::Paste(text) => keys::paste(model, &text),
        Message::Mouse(mouse) => mouse::happened(model, mouse),
        Message::Resize(columns, rows) => {
            model.size = (columns, rows);
            Vec::new()
        }
        Message::Tick(now) => {
            model.now = now;
            model.beat = model.beat.wrapping_add(1);
            model.toasts.expire(now);
            Vec::new()
        }
        Message::Link(link) => linked(model, link),
        Message::Silence(since) => {
            model.silent_since = since;
            Vec::new()
        }
        Message::Notification(mut notification) => notification::notification(model, &mut notification),
        Message::Response(mut response) => response::response(model, &mut response),
        Message::Shown(areas) => {
            model.areas = *areas;
            shown(model)
        }
    };
    lens::settle(model);
    if place(model) != before {
        effects.extend(moved(model));
    }
    effects.extend(lens::follow(model));
    effects.extend(open::watch_file(model));
    effects.retain(|effect| match effect {
        Effect::Layout(Topology(workflow)) => model.laying.insert(workflow.version.clone()),
        _ => true,
    });
    effects
}

/// What is on screen.
#[derive(PartialEq)]
struct Place {
    /// The workflow, by its id and path.
    workflow: Option<(Option<WorkflowId>, Option<PathBuf>)>,
    run: Option<RunId>,
}

fn place(model: &Model) -> Place {
    let of = |open: &OpenWorkflow| (open.document.workflow_id, open.document.path.clone());
    Place { workflow: model.workflow.as_ref().map(of), run: model.shown.as_ref().map(|shown| shown.run) }
}

/// Returns what to do at the start, before anything happened.
pub fn begin(model: &mut Model) -> Vec<Effect> {
    let effects = open::home(model);
    model.options.mouse.then_some(Effect::Mouse(true)).into_iter().chain(effects).collect()
}

fn linked(model: &mut Model, link: Link) -> Vec<Effect> {
    let came_up = matches!(link, Link::Up(_)) && !model.is_up();
    if let Link::Up(hello) = &link {
        model.projection.connected(hello);
        // A new connection has no subscription yet.
        model.watching = Watch::default();
    }
    model.link = link;
    model.silent_since = None;
    if !came_up {
        return Vec::new();
    }
    model.pictures.try_again();
    model.toasts.back(model.now);
    let mut effects = std::mem::take(&mut model.unanswered);
    // It may have been checked before the daemon's node types were known.
    effects.extend(open::read_again(model));
    effects
}

/// Handles a change of the workflow on screen or of the run in focus.
fn moved(model: &mut Model) -> Vec<Effect> {
    Pane::ALL.iter().flat_map(|pane| component(*pane).moved(model)).collect()
}

fn shown(model: &mut Model) -> Vec<Effect> {
    let mut effects: Vec<Effect> = model.pictures.shown().into_iter().collect();
    for pane in Pane::ALL.iter().filter(|pane| model.areas.pane(**pane).is_some()).collect::<Vec<_>>() {
        effects.extend(component(*pane).shown(model));
    }
    with_layers(model, |layer, model| layer.shown(model), &mut effects);
    effects
}

/// Calls every layer from the bottom up; each is out of the stack during its call.
fn with_layers(
    model: &mut Model,
    mut each: impl FnMut(&mut Layer, &mut Model) -> Vec<Effect>,
    effects: &mut Vec<Effect>,
) {
    let mut layers = std::mem::take(&mut model.layers);
    for layer in &mut layers {
        effects.extend(each(layer, model));
    }
    // Layers that were opened meanwhile are on top.
    layers.append(&mut model.layers);
    model.layers = layers;
}

/// Passes a step to the topmost layer. Returns the effects and whether it passed the key on.
fn step_top(
    model: &mut Model,
    step: impl FnOnce(&mut Layer, &mut Model) -> Step,
) -> Option<(Vec<Effect>, bool)> {
    let mut layer = model.layers.pop()?;
    let depth = model.layers.len();
    let Step { mut effects, close, then, pass, choose } = step(&mut layer, model);
    if !close {
        model.layers.insert(depth.min(model.layers.len()), layer);
    }
    model.layers.extend(then);
    if let Some(action) = choose {
        effects.extend(self::choose(model, action));
    }
    Some((effects, pass))
}

/// Runs an action as if its key had been pressed: in the topmost layer, else in the shell.
fn choose(model: &mut Model, action: Action) -> Vec<Effect> {
    let key = KeyEvent::from(KeyCode::Null);
    match step_top(model, |layer, model| layer.key(model, key, Some(action))) {
        Some((effects, false)) => effects,
        Some((mut effects, true)) => {
            effects.extend(act(model, action));
            effects
        }
        None => act(model, action),
    }
}

#[cfg(test)]
mod tests;
