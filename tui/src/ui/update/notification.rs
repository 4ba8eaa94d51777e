//! Notifications of the daemon: applied to the projection first, then passed to panes and layers.

use fanlight_shared::client::projection::Change;
use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::{Asks, Run};

use super::{lens, with_layers};
use crate::ui::action::Action;
use crate::ui::clean;
use crate::ui::effect::Effect;
use crate::ui::layer::questions::Questions;
use crate::ui::model::Model;
use crate::ui::pane::Pane;
use crate::ui::shell::component;
use crate::ui::toast::Tone;

pub(super) fn notification(model: &mut Model, notification: &mut Notification) -> Vec<Effect> {
    clean::notification(notification);
    let before = open_runs(model);
    let mut effects = Vec::new();
    if let Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } = notification {
        effects.extend(asks(model, run));
    }
    for change in model.projection.apply(notification) {
        match change {
            Change::Gap(run) => lens::gap(model, run),
            Change::Bye { reason, .. } => model.say(Tone::Note, format!("the daemon ends: {reason}")),
            Change::Updated(_) | Change::Moved(_) | Change::Deleted(_) | Change::Banners => {}
        }
    }
    match notification {
        Notification::Registry { .. } => effects.extend(missed(model)),
        Notification::Snapshot { run_id, .. } => effects.extend(lens::snapshot(model, *run_id)),
        Notification::Daemon { event, .. } => effects.extend(daemon(model, event, before)),
        _ => {}
    }
    for pane in Pane::ALL {
        effects.extend(component(*pane).notification(model, notification));
    }
    with_layers(model, |layer, model| layer.notification(model, notification), &mut effects);
    effects
}

/// Announces a new question of a run.
fn asks(model: &mut Model, run: &Run) -> Option<Effect> {
    let asks = run.asks.as_deref()?;
    let known = model.projection.run(run.id).and_then(|known| known.asks.as_deref());
    let first = |asks: &Asks| (asks.node.clone(), asks.item, asks.text.clone());
    let new = known.is_none_or(|known| asks.count > known.count || first(asks) != first(known));
    // The open layer of questions shows it already.
    if !new || model.layers.iter().any(|layer| layer.is::<Questions>()) {
        return None;
    }
    let key = model.keymap.keys(Action::Answer).into_iter().next().unwrap_or_default();
    let text = format!("{} asks: {}", run.name(), asks.text);
    model.say(Tone::Note, format!("{text} ({key} answers)"));
    model.options.bell.then_some(Effect::Notify(text))
}

/// Returns how many runs are running or queued.
fn open_runs(model: &Model) -> u32 {
    let queue = model.projection.queue();
    queue.running + queue.queued
}

/// Reads again whatever was read once. The daemon sends the registry with each connection, unless it still has all events
/// since the last one, and after events that it dropped because this client didn't read them.
fn missed(model: &mut Model) -> Vec<Effect> {
    let mut effects = vec![Effect::ListWorkflows];
    let missing: Vec<RunId> = model.projection.missing().collect();
    effects.extend((!missing.is_empty()).then_some(Effect::CheckRuns(missing)));
    for pane in Pane::ALL {
        effects.extend(component(*pane).missed(model));
    }
    with_layers(model, |layer, model| layer.missed(model), &mut effects);
    effects
}

fn daemon(model: &Model, event: &DaemonEvent, before: u32) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let DaemonEvent::RunUpdate { run } = event
        && !model.workflows.iter().any(|workflow| workflow.id == run.workflow_id)
    {
        effects.push(Effect::ListWorkflows);
    }
    if model.options.bell && before > 0 && open_runs(model) == 0 {
        effects.push(Effect::Notify("all runs ended".to_owned()));
    }
    effects
}
