//! Which run is in focus, and what the daemon is asked to tell because of it. The rules of focus are the registry's; this
//! keeps the picture in step with them: the old one stays until the snapshot of the new one is there.

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::{Notification, TelemetryOf, Watch};
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{Folded, RunState};

use super::document::{Purpose, Source};
use super::effect::{Effect, Topology};
use super::gallery;
use super::model::{Lens, Model};
use super::update;

/// The run that is to be in focus.
#[must_use]
pub fn focus(model: &Model) -> Option<RunId> {
    model.registry.focus(model.workflow_id()?)
}

/// Whether the lens stays where it is.
#[must_use]
pub fn is_pinned(model: &Model) -> bool {
    model.workflow_id().is_some_and(|workflow| model.registry.pinned(workflow).is_some())
}

/// Whether there is more than one run in all, so that it is worth saying which one is shown.
#[must_use]
pub fn is_one_of_many(model: &Model) -> bool {
    model.registry.runs().nth(1).is_some()
}

/// Synchronises the lens and the subscription with the registry; called after every step.
pub(super) fn follow(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let busy = model.layers.iter().any(|layer| layer.holds_lens());
    model.registry.set_busy(busy);
    let focus = focus(model);
    let shown = model.lens.as_ref().map(|lens| lens.run.id);
    // Nothing to look at, or a picture of another workflow: that is not shown even for a moment.
    let stale = model.lens.as_ref().is_some_and(|lens| Some(lens.run.workflow_id) != model.workflow_id());
    if shown.is_some() && (focus.is_none() || stale) {
        model.lens = None;
        effects.extend(update::moved(model));
    }
    let watch = Watch {
        registry: true,
        products: gallery::update::products(model),
        telemetry: focus.map(|run_id| TelemetryOf { run_id, seq: None }).into_iter().collect(),
        follow: None,
        since: None,
    };
    if let Some(run) = focus
        && model.unconfirmed.remove(&run)
    {
        // One that is gone has no snapshot: the lens would wait for it for ever.
        effects.push(Effect::LookAfter(vec![run]));
    }
    if watch != model.watching {
        model.watching = watch.clone();
        effects.push(Effect::Watch(watch));
    }
    effects
}

/// Applies a notification about the focused run.
pub(super) fn notification(model: &mut Model, notification: &mut Notification) -> Vec<Effect> {
    match notification {
        Notification::Snapshot { run_id, run, state, .. } => {
            if Some(*run_id) != focus(model) {
                return Vec::new();
            }
            let state = std::mem::replace(&mut **state, RunState::new(Vec::<String>::new()));
            show(model, (**run).clone(), state)
        }
        Notification::SnapshotItems { run_id, seq, node, items, .. } => {
            let lens = model.lens.as_mut().filter(|lens| lens.run.id == *run_id);
            if let Some(lens) = lens.filter(|lens| lens.state.seq == *seq) {
                lens.state.take_items(node, std::mem::take(items));
            }
            Vec::new()
        }
        Notification::State { run_id, event, .. } => {
            let Some(lens) = model.lens.as_mut().filter(|lens| lens.run.id == *run_id) else {
                return Vec::new();
            };
            if lens.state.fold(event) == Folded::Gap {
                // Asked for anew, it comes with a snapshot.
                model.watching = Watch::default();
            }
            Vec::new()
        }
        Notification::Live { run_id, event, .. } => {
            if let Some(lens) = model.lens.as_mut().filter(|lens| lens.run.id == *run_id) {
                lens.state.fold_live(event);
            }
            Vec::new()
        }
        Notification::Daemon { event: DaemonEvent::RunUpdate { run }, .. } => {
            if let Some(lens) = model.lens.as_mut().filter(|lens| lens.run.id == run.id)
                && let Some(known) = model.registry.run(run.id)
            {
                lens.run.clone_from(known);
            }
            Vec::new()
        }
        Notification::Daemon { .. }
        | Notification::Registry { .. }
        | Notification::RegistryRuns { .. }
        | Notification::SnapshotNodes { .. }
        | Notification::Lagged {}
        | Notification::Bye { .. } => Vec::new(),
    }
}

/// Focuses a run.
fn show(model: &mut Model, run: Run, state: RunState) -> Vec<Effect> {
    let same = model.lens.as_ref().is_some_and(|lens| lens.run.id == run.id);
    let (mut workflow, mut layout) = (None, None);
    if let Some(open) = model.workflow.as_ref()
        && let Some(of_file) = open.document.workflow.as_ref().filter(|it| it.version == run.version)
    {
        (workflow, layout) = (Some(of_file.clone()), open.layout.clone());
    } else if let Some(lens) = model.lens.take_if(|lens| lens.run.version == run.version) {
        (workflow, layout) = (lens.workflow, lens.layout);
    }
    let mut effects = Vec::new();
    // Asked for once while the run is under the lens, and anew when it comes back: an answer that came meanwhile had
    // nowhere to go.
    if workflow.is_none() && !same {
        effects.push(Effect::GetRun(run.id));
    }
    // The registry may have been told of its end already.
    let newer = model.registry.run(run.id).filter(|known| run.state.is_behind(known.state));
    let run = newer.cloned().unwrap_or(run);
    model.lens = Some(Lens { run, state, workflow, layout });
    if !same {
        effects.extend(update::moved(model));
    }
    effects
}

/// The file that a run was submitted with was read.
pub(super) fn take_workflow(
    model: &mut Model,
    run: RunId,
    workflow: &std::sync::Arc<fanlight_shared::workflow::Workflow>,
) -> Vec<Effect> {
    let Some(lens) = model.lens.as_mut().filter(|lens| lens.run.id == run && lens.workflow.is_none()) else {
        return Vec::new();
    };
    lens.workflow = Some(workflow.clone());
    vec![Effect::Layout(Topology(workflow.clone()))]
}

/// Moves the lens to a run and pins it there; goes to its workflow first where that is another.
pub fn pin(model: &mut Model, run: RunId) -> Vec<Effect> {
    let Some(workflow) = model.registry.run(run).map(|run| run.workflow_id) else {
        model.pinning = Some(run);
        return vec![Effect::GetRun(run)];
    };
    model.registry.pin(run);
    if model.workflow_id() == Some(workflow) {
        return Vec::new();
    }
    update::open(model, Source::Stored(workflow), Purpose::Open)
}
