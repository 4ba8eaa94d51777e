//! The pure update: a model and a message give the next model and effects. One file per noun.

mod act;
mod keys;
mod mouse;
mod notification;
mod open;
mod response;

use crossterm::event::{KeyCode, KeyEvent};
use fanlight_shared::rpc::watch::Watch;

use super::action::{Action, Scope};
use super::component::Step;
use super::effect::{Effect, Topology};
use super::layer::Layer;
use super::lens;
use super::message::{Link, Message};
use super::model::Model;
use super::pane::Pane;
use super::toast::Tone;

pub use act::{act, enabled};
pub use open::{open, show_document};

/// Applies a message to the model. Returns the effects that follow.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
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
        Message::Notification(mut notification) => notification::notification(model, &mut notification),
        Message::Response(mut response) => response::response(model, &mut response),
        Message::Shown(areas) => {
            model.areas = *areas;
            shown(model)
        }
    };
    effects.extend(follow(model));
    effects.retain(|effect| match effect {
        Effect::Layout(Topology(workflow)) => model.laying.insert(workflow.version.clone()),
        _ => true,
    });
    effects
}

/// Synchronises the subscription with what is on screen; called after every step.
pub(super) fn follow(model: &mut Model) -> Vec<Effect> {
    let mut effects = lens::follow(model);
    effects.extend(open::watch_file(model));
    effects
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
    if !came_up {
        return Vec::new();
    }
    model.pictures.try_again();
    let mut effects = std::mem::take(&mut model.unanswered);
    effects.retain(|it| *it != Effect::ListWorkflows);
    effects.push(Effect::ListWorkflows);
    effects
}

/// Handles a change of the workflow on screen or of the run in focus.
pub(super) fn moved(model: &mut Model) -> Vec<Effect> {
    Pane::ALL.iter().flat_map(|pane| pane.component().moved(model)).collect()
}

fn shown(model: &mut Model) -> Vec<Effect> {
    let mut effects: Vec<Effect> = model.pictures.shown().into_iter().collect();
    for pane in Pane::ALL.iter().filter(|pane| model.areas.pane(**pane).is_some()).collect::<Vec<_>>() {
        effects.extend(pane.component().shown(model));
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
    let Step { effects, close, then, pass } = step(&mut layer, model);
    if !close {
        model.layers.insert(depth.min(model.layers.len()), layer);
    }
    model.layers.extend(then);
    Some((effects, pass))
}

/// Runs an action as if its key had been pressed: in the topmost layer, else in the shell.
pub fn choose(model: &mut Model, action: Action) -> Vec<Effect> {
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

/// Returns the active scopes of keys, the innermost first.
#[must_use]
pub fn scopes(model: &Model) -> Vec<Scope> {
    match model.layers.last() {
        Some(layer) => layer.scope().into_iter().chain([Scope::All]).collect(),
        None => model.pane.component().scope().into_iter().chain([Scope::All]).collect(),
    }
}

/// Returns the enabled actions for the hint line.
#[must_use]
pub fn hints(model: &Model) -> Vec<Action> {
    if let Some(layer) = model.layers.last() {
        return layer.hints(model);
    }
    let mut hints = model.pane.component().hints(model);
    hints.splice(0..0, [Action::Retry, Action::Answer]);
    hints.extend([Action::NextPane, Action::Run, Action::Stop, Action::Pin, Action::Workflows]);
    hints.extend([Action::Search, Action::Palette, Action::Help, Action::Quit]);
    let mut seen = std::collections::HashSet::new();
    hints.retain(|action| seen.insert(*action) && enabled(model, *action));
    hints
}

/// Shows a message.
pub fn say(model: &mut Model, tone: Tone, text: impl Into<String>) {
    let now = model.now;
    model.toasts.add(tone, text, now);
}

#[cfg(test)]
mod tests;
