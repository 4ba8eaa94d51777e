//! Notifications of the daemon: applied to the registry first, then the lens, then the panes.

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::rpc::watch::Notification;

use super::{say, with_layers};
use crate::ui::effect::Effect;
use crate::ui::message::Link;
use crate::ui::model::Model;
use crate::ui::pane::Pane;
use crate::ui::toast::Tone;
use crate::ui::{clean, lens};

pub(super) fn notification(model: &mut Model, notification: &mut Notification) -> Vec<Effect> {
    clean::notification(notification);
    let mut effects = registry(model, notification);
    effects.extend(lens::notification(model, notification));
    for pane in Pane::ALL {
        effects.extend(pane.component().notification(model, notification));
    }
    with_layers(model, |layer, model| layer.notification(model, notification), &mut effects);
    effects
}

fn registry(model: &mut Model, notification: &Notification) -> Vec<Effect> {
    match notification {
        Notification::Registry { runs, queue, banners, .. } => {
            show_banners(model, banners);
            let lost = model.registry.snapshot(runs.clone(), *queue);
            let ended = model.registry.runs().filter(|run| run.state.is_ended());
            model.unconfirmed = ended.map(|run| run.id).collect();
            for run in &lost {
                model.unconfirmed.remove(run);
            }
            if lost.is_empty() { Vec::new() } else { vec![Effect::LookAfter(lost)] }
        }
        Notification::Daemon { event, .. } => daemon(model, event),
        Notification::Snapshot { run, .. } => {
            model.registry.add_history([(**run).clone()]);
            Vec::new()
        }
        Notification::Bye { reason } => {
            say(model, Tone::Note, format!("the daemon ends: {reason}"));
            Vec::new()
        }
        Notification::RegistryRuns { .. }
        | Notification::SnapshotNodes { .. }
        | Notification::SnapshotItems { .. }
        | Notification::State { .. }
        | Notification::Live { .. }
        | Notification::Lagged {} => Vec::new(),
    }
}

fn show_banners(model: &mut Model, banners: &[String]) {
    if let Link::Up(hello) = &mut model.link {
        hello.banners = banners.to_vec();
    }
}

fn daemon(model: &mut Model, event: &DaemonEvent) -> Vec<Effect> {
    let busy = |model: &Model| {
        let queue = model.registry.queue();
        queue.running + queue.queued
    };
    let before = busy(model);
    model.registry.apply(event);
    if let DaemonEvent::BannerUpdate { banners } = event {
        show_banners(model, banners);
    }
    let mut effects = Vec::new();
    if let DaemonEvent::RunUpdate { run } = event
        && !model.workflows.iter().any(|workflow| workflow.id == run.workflow_id)
    {
        effects.push(Effect::ListWorkflows);
    }
    if model.options.bell && before > 0 && busy(model) == 0 {
        effects.push(Effect::Notify("all runs ended".to_owned()));
    }
    effects
}
