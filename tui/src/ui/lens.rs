//! Which run is in focus, and what the daemon is asked to tell because of it. The rules of focus are the projection's; this
//! keeps the picture in step with them: the old one stays until the snapshot of the new one is there.

use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::{TelemetryOf, Watch};
use fanlight_shared::workflow::Workflow;

use super::document::{Purpose, Source};
use super::effect::{Effect, Topology};
use super::gallery;
use super::model::{Model, Shown};
use super::update;

/// The run that is to be in focus.
#[must_use]
pub fn focus(model: &Model) -> Option<RunId> {
    model.projection.focus(model.workflow_id()?)
}

/// Whether the lens stays where it is.
#[must_use]
pub fn is_pinned(model: &Model) -> bool {
    model.workflow_id().is_some_and(|workflow| model.projection.pinned(workflow).is_some())
}

/// Whether there is more than one run in all, so that it is worth saying which one is shown.
#[must_use]
pub fn is_one_of_many(model: &Model) -> bool {
    model.projection.runs().nth(1).is_some()
}

/// Synchronises the lens and the subscription with the projection; called after every step.
pub(super) fn follow(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let busy = model.layers.iter().any(|layer| layer.holds_lens());
    model.projection.set_busy(busy);
    let focus = focus(model);
    // Nothing to look at, or a picture of another workflow: that is not shown even for a moment.
    let stale = model.lens().is_some_and(|lens| Some(lens.run.workflow_id) != model.workflow_id());
    if model.shown.is_some() && (focus.is_none() || stale) {
        model.shown = None;
        effects.extend(update::moved(model));
    }
    let shown = model.shown.as_ref().map(|shown| shown.run);
    model.projection.retain_states(|run| Some(run) == focus || Some(run) == shown);
    let watch = Watch {
        registry: true,
        products: gallery::update::products(model),
        telemetry: focus.map(|run_id| TelemetryOf { run_id, seq: None }).into_iter().collect(),
        follow: None,
        since: None,
    };
    if let Some(run) = focus
        && model.projection.confirm(run)
    {
        // One that is gone has no snapshot: the lens would wait for it for ever.
        effects.push(Effect::LookAfter(vec![run]));
    }
    if watch != model.watching {
        model.watching = watch.clone();
        effects.push(Effect::Watch(model.projection.resume(watch)));
    }
    effects
}

/// Events of a run are missing. Where it is in focus, it is asked for anew, and comes with a snapshot.
pub(super) fn gap(model: &mut Model, run: RunId) {
    if Some(run) == focus(model) {
        model.watching = Watch::default();
    }
}

/// The snapshot of a run came: the one in focus is shown from now on.
pub(super) fn snapshot(model: &mut Model, run: RunId) -> Vec<Effect> {
    if Some(run) != focus(model) {
        return Vec::new();
    }
    let Some((row, _)) = model.projection.watched(run) else { return Vec::new() };
    let version = row.version.clone();
    let same = model.shown.as_ref().is_some_and(|shown| shown.run == run);
    let (mut workflow, mut layout) = (None, None);
    if let Some(open) = model.workflow.as_ref()
        && let Some(of_file) = open.document.workflow.as_ref().filter(|it| it.version == version)
    {
        (workflow, layout) = (Some(of_file.clone()), open.layout.clone());
    } else if let Some(lens) = model.lens().filter(|lens| lens.run.version == version) {
        (workflow, layout) = (lens.workflow.cloned(), lens.layout.cloned());
    }
    let mut effects = Vec::new();
    // Asked for once while the run is under the lens, and anew when it comes back: an answer that came meanwhile had
    // nowhere to go.
    if workflow.is_none() && !same {
        effects.push(Effect::GetRun(run));
    }
    model.shown = Some(Shown { run, workflow, layout });
    if !same {
        effects.extend(update::moved(model));
    }
    effects
}

/// The file that a run was submitted with was read.
pub(super) fn take_workflow(model: &mut Model, run: RunId, workflow: &Arc<Workflow>) -> Vec<Effect> {
    let shown = model.shown.as_mut().filter(|shown| shown.run == run && shown.workflow.is_none());
    let Some(shown) = shown else { return Vec::new() };
    shown.workflow = Some(workflow.clone());
    vec![Effect::Layout(Topology(workflow.clone()))]
}

/// Moves the lens to a run and pins it there; goes to its workflow first where that is another.
pub fn pin(model: &mut Model, run: RunId) -> Vec<Effect> {
    let Some(workflow) = model.projection.run(run).map(|run| run.workflow_id) else {
        model.pinning = Some(run);
        return vec![Effect::GetRun(run)];
    };
    model.projection.pin(run);
    if model.workflow_id() == Some(workflow) {
        return Vec::new();
    }
    update::open(model, Source::Stored(workflow), Purpose::Open)
}
