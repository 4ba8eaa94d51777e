//! The run in focus, and the subscription that follows from it. The projection has the rules of focus; this module
//! keeps the screen in step with them: the old run stays visible until the snapshot of the new one arrives.

use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::{TelemetryOf, Watch};
use fanlight_shared::workflow::Workflow;

use super::document::{Purpose, Source};
use super::effect::{Effect, Topology};
use super::gallery;
use super::model::{Model, Shown};
use super::update;

/// Returns the run in focus.
#[must_use]
pub fn focus(model: &Model) -> Option<RunId> {
    model.projection.focus(model.workflow_id()?)
}

/// Returns whether the lens stays where it is.
#[must_use]
pub fn is_pinned(model: &Model) -> bool {
    model.workflow_id().is_some_and(|workflow| model.projection.pinned(workflow).is_some())
}

/// Returns whether there is more than one run, so that the shown run must be named.
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
    // No run, or a run of another workflow: it isn't shown even for a moment.
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
        // A deleted run has no snapshot: the lens would wait for it for ever.
        effects.push(Effect::LookAfter(vec![run]));
    }
    if watch != model.watching {
        model.watching = watch.clone();
        effects.push(Effect::Watch(model.projection.resume(watch)));
    }
    effects
}

/// Handles missing events of a run. If it is in focus, subscribes again, which brings a snapshot.
pub(super) fn gap(model: &mut Model, run: RunId) {
    if Some(run) == focus(model) {
        model.watching = Watch::default();
    }
}

/// Handles a snapshot of a run: from now on the run in focus is shown.
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
    // Requested once while the run is under the lens, and again when it comes back, because a response in between was
    // dropped.
    if workflow.is_none() && !same {
        effects.push(Effect::GetRun(run));
    }
    model.shown = Some(Shown { run, workflow, layout });
    if !same {
        effects.extend(update::moved(model));
    }
    effects
}

/// Takes the workflow file that a run was submitted with.
pub(super) fn take_workflow(model: &mut Model, run: RunId, workflow: &Arc<Workflow>) -> Vec<Effect> {
    let shown = model.shown.as_mut().filter(|shown| shown.run == run && shown.workflow.is_none());
    let Some(shown) = shown else { return Vec::new() };
    shown.workflow = Some(workflow.clone());
    vec![Effect::Layout(Topology(workflow.clone()))]
}

/// Moves the lens to a run and pins it there; opens its workflow first if that is another one.
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
