//! Keeps the screen and the subscription in step with the run in focus.

use std::sync::Arc;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::watch::{TelemetryOf, Watch};
use fanlight_shared::workflow::Workflow;

use crate::ui::effect::{Effect, Topology};
use crate::ui::gallery;
use crate::ui::model::Model;
use crate::ui::model::lens::Shown;

/// Synchronises the lens with the projection after a step.
pub(super) fn settle(model: &mut Model) {
    let busy = model.layers.iter().any(|layer| layer.holds_lens());
    model.projection.set_busy(busy);
    // No run, or a run of another workflow: it isn't shown even for a moment.
    let stale = model.lens().is_some_and(|lens| Some(lens.run.workflow_id) != model.workflow_id());
    if stale || model.focus().is_none() {
        model.shown = None;
    }
}

/// Synchronises the subscription with what is on screen after a step.
pub(super) fn follow(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let focus = model.focus();
    let shown = model.shown.as_ref().map(|shown| shown.run);
    model.projection.retain_states(|run| Some(run) == focus || Some(run) == shown);
    let layers = model.layers.iter().enumerate().rev();
    let metrics = layers.filter_map(|(at, layer)| Some((at, layer.metrics(model)?))).next();
    let watch = Watch {
        registry: true,
        products: gallery::update::products(model),
        telemetry: focus.map(|run_id| TelemetryOf { run_id, seq: None }).into_iter().collect(),
        follow: None,
        metrics: metrics.as_ref().map(|(_, metrics)| metrics.clone()),
        since: None,
    };
    if let Some(run) = focus
        && model.projection.confirm(run)
    {
        // A deleted run has no snapshot: the lens would wait for it for ever.
        effects.push(Effect::CheckRuns(vec![run]));
    }
    if let Some((at, metrics)) = metrics
        && model.watching.metrics.as_ref() != Some(&metrics)
    {
        model.layers[at].watched(model.now);
    }
    if watch != model.watching {
        model.watching = watch.clone();
        effects.push(Effect::Watch(model.projection.resume(watch)));
    }
    effects
}

/// Handles missing events of a run. If it is in focus, subscribes again, which brings a snapshot.
pub(super) fn gap(model: &mut Model, run: RunId) {
    if Some(run) == model.focus() {
        model.watching = Watch::default();
    }
}

/// Handles a snapshot of a run: from now on the run in focus is shown.
pub(super) fn snapshot(model: &mut Model, run: RunId) -> Vec<Effect> {
    if Some(run) != model.focus() {
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
    effects
}

/// Takes the workflow file that a run was submitted with.
pub(super) fn take_workflow(model: &mut Model, run: RunId, workflow: &Arc<Workflow>) -> Vec<Effect> {
    let shown = model.shown.as_mut().filter(|shown| shown.run == run && shown.workflow.is_none());
    let Some(shown) = shown else { return Vec::new() };
    shown.workflow = Some(workflow.clone());
    vec![Effect::Layout(Topology(workflow.clone()))]
}
