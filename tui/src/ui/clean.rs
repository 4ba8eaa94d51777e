//! Sanitises data from runs before it enters the model.

use fanlight_shared::event::{Activity, DaemonEvent, LiveEvent, NodeError, StateEvent, ToolCall};
use fanlight_shared::origin::Origin;
use fanlight_shared::question::{Answer, Question, QuestionKind};
use fanlight_shared::resources::GpuSlot;
use fanlight_shared::rpc::sweeps::TrialRow;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::sanitise;
use fanlight_shared::search::Outcome;
use fanlight_shared::value::Value;
use indexmap::IndexMap;

use crate::ui::message::SearchRead;

fn line(text: &mut String) {
    *text = sanitise::line(text);
}

fn maybe(text: &mut Option<String>) {
    if let Some(text) = text {
        line(text);
    }
}

/// Sanitises every text in a value.
pub fn value(value: &mut Value) {
    match value {
        Value::Text(text) => *text = sanitise::plain(text),
        Value::List(items) => items.iter_mut().for_each(self::value),
        Value::Object(map) => map.values_mut().for_each(self::value),
        Value::Media(media) => {
            line(&mut media.name);
            if let Some(source) = &mut media.source {
                line(&mut source.path);
            }
        }
        Value::Large(large) => large.head = sanitise::plain(&large.head),
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {}
    }
}

/// Returns whether [`value`] would change nothing.
fn is_clean(value: &Value) -> bool {
    match value {
        Value::Text(text) => sanitise::plain(text) == *text,
        Value::List(items) => items.iter().all(is_clean),
        Value::Object(map) => map.values().all(is_clean),
        // Media and large values are never submitted again.
        _ => true,
    }
}

/// Sanitises a run.
pub fn run(run: &mut Run) {
    line(&mut run.workflow);
    line(&mut run.label);
    line(&mut run.title);
    if let Some(error) = &mut run.error {
        *error = sanitise::plain(error);
    }
    // A param that was changed must not be submitted again.
    run.params_short |= !run.params.values().all(is_clean);
    run.params.values_mut().for_each(value);
    if let Some(asks) = &mut run.asks {
        line(&mut asks.text);
    }
    run.waits_for.iter_mut().for_each(line);
}

/// Sanitises a search and its best runs.
pub fn search(read: &mut SearchRead) {
    read.detail.search.objectives.iter_mut().for_each(|objective| line(&mut objective.name));
    maybe(&mut read.detail.unmeasured);
    for best in &mut read.detail.best {
        line(&mut best.run);
        params(&mut best.params);
    }
}

/// Sanitises a trial.
pub fn trial(trial: &mut TrialRow) {
    line(&mut trial.run);
    params(&mut trial.params);
    if let Some(Outcome::Unmeasured { why }) = &mut trial.outcome {
        line(why);
    }
}

fn params(params: &mut IndexMap<String, Value>) {
    for (mut name, mut made) in std::mem::take(params) {
        line(&mut name);
        value(&mut made);
        params.insert(name, made);
    }
}

/// Sanitises a question.
pub fn question(question: &mut Question) {
    question.text = sanitise::plain(&question.text);
    question.show.iter_mut().for_each(value);
    if let QuestionKind::Choice { choices, .. } = &mut question.kind {
        choices.iter_mut().for_each(value);
    }
    question.default.iter_mut().for_each(value);
}

fn answer(answer: &mut Option<Box<Answer>>) {
    answer.iter_mut().filter_map(|answer| answer.value.as_mut()).for_each(value);
}

/// Sanitises the state of a run.
pub fn state(state: &mut RunState) {
    if let Some(error) = &mut state.error {
        *error = sanitise::plain(error);
    }
    state.outputs.values_mut().for_each(value);
    for node in state.nodes.values_mut() {
        instance(&mut node.whole);
        for item in node.item_errors.iter_mut().chain(&mut node.item_skips) {
            item.error.message = sanitise::plain(&item.error.message);
            maybe(&mut item.error.last_line);
        }
        node.items.values_mut().for_each(instance);
    }
}

fn instance(instance: &mut InstanceState) {
    node_error(&mut instance.error);
    for attempt in &mut instance.attempts {
        node_error(&mut attempt.error);
        attempt.location.iter_mut().flat_map(|it| it.texts_mut()).for_each(line);
        maybe(&mut attempt.question);
        maybe(&mut attempt.said);
        attempt.gpus.iter_mut().for_each(gpu);
        answer(&mut attempt.answer);
    }
    instance.question.iter_mut().for_each(|it| question(it));
    answer(&mut instance.answer);
    instance.outputs.values_mut().for_each(value);
    instance.previews.values_mut().for_each(value);
    maybe(&mut instance.last_line);
    activity(&mut instance.activity);
    origin(&mut instance.origin);
    if let Some(progress) = &mut instance.progress {
        maybe(&mut progress.message);
    }
}

fn origin(origin: &mut Option<Box<Origin>>) {
    if let Some(origin) = origin {
        line(&mut origin.run);
        line(&mut origin.node);
    }
}

fn node_error(error: &mut Option<NodeError>) {
    if let Some(error) = error {
        error.message = sanitise::plain(&error.message);
        maybe(&mut error.last_line);
    }
}

/// Sanitises a notification of the daemon.
pub fn notification(notification: &mut Notification) {
    match notification {
        Notification::Registry { runs, banners, .. } => {
            runs.iter_mut().for_each(run);
            banners.iter_mut().for_each(line);
        }
        Notification::Daemon { event, .. } => match event {
            DaemonEvent::RunUpdate { run: it } => run(it),
            DaemonEvent::OutputUpdate { value: it, .. } => value(it),
            DaemonEvent::AssetUpdate { asset } => {
                line(&mut asset.name);
                value(&mut asset.value);
            }
            DaemonEvent::BannerUpdate { banners } => banners.iter_mut().for_each(line),
            DaemonEvent::RunDelete { .. }
            | DaemonEvent::QueueUpdate { .. }
            | DaemonEvent::SweepUpdate { .. }
            | DaemonEvent::AssetDelete { .. } => {}
        },
        Notification::Snapshot { run: it, state: of, .. } => {
            run(it);
            state(of);
        }
        Notification::RegistryRuns { runs, .. } => runs.iter_mut().for_each(run),
        Notification::SnapshotNodes { .. } => {}
        Notification::SnapshotItems { items, .. } => items.values_mut().for_each(instance),
        Notification::State { event, .. } => match &mut event.event {
            StateEvent::RunUpdate(update) => {
                if let Some(error) = &mut update.error {
                    *error = sanitise::plain(error);
                }
                update.outputs.values_mut().for_each(value);
            }
            StateEvent::NodeUpdate(update) => {
                node_error(&mut update.error);
                update.question.iter_mut().for_each(|it| question(it));
                answer(&mut update.answer);
                update.gpus.iter_mut().for_each(gpu);
                update.outputs.values_mut().for_each(value);
                maybe(&mut update.last_line);
                update.location.iter_mut().flat_map(|it| it.texts_mut()).for_each(line);
                activity(&mut update.activity);
                origin(&mut update.origin);
            }
        },
        Notification::Live { event, .. } => live(event),
        Notification::Points { new, .. } => {
            line(&mut new.name);
            maybe(&mut new.unit);
        }
        Notification::Lagged {} | Notification::PointsLost {} => {}
        Notification::Bye { reason, .. } => line(reason),
    }
}

fn live(event: &mut LiveEvent) {
    match event {
        LiveEvent::NodeProgress { progress, .. } => maybe(&mut progress.message),
        LiveEvent::WaitUpdate { reason, .. } => maybe(reason),
        LiveEvent::LocationUpdate { location, .. } => location.texts_mut().for_each(line),
        LiveEvent::LogUpdate { last_line, .. } => maybe(last_line),
        LiveEvent::MetricUpdate { name, unit, .. } => {
            line(name);
            maybe(unit);
        }
        LiveEvent::PreviewUpdate { value: it, .. } => value(it),
        LiveEvent::EdgeUpdate { .. } => {}
        LiveEvent::PlanningUpdate { plan, .. } => *plan = sanitise::plain(plan),
        LiveEvent::TaskUpdate { task, .. } => line(&mut task.title),
        LiveEvent::ToolCallUpdate { call, .. } => tool_call(call),
        LiveEvent::ToolResultUpdate { result, .. } => line(&mut result.text),
        LiveEvent::Prediction { prediction, .. } => {
            line(&mut prediction.provider);
            line(&mut prediction.model);
        }
    }
}

fn gpu(slot: &mut GpuSlot) {
    line(&mut slot.id);
    maybe(&mut slot.uuid);
    maybe(&mut slot.name);
}

fn activity(activity: &mut Option<Box<Activity>>) {
    let Some(activity) = activity else { return };
    if let Some(plan) = &mut activity.plan {
        *plan = sanitise::plain(plan);
    }
    activity.tasks.iter_mut().for_each(|task| line(&mut task.title));
    activity.tool_calls.iter_mut().for_each(tool_call);
    for prediction in &mut activity.predictions {
        line(&mut prediction.provider);
        line(&mut prediction.model);
    }
}

fn tool_call(call: &mut ToolCall) {
    line(&mut call.tool);
    line(&mut call.arguments);
    if let Some(result) = &mut call.result {
        line(&mut result.text);
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::run::RunStatus;

    use super::*;

    #[test]
    fn params_that_were_changed_are_marked_as_previews() {
        for (text, short) in [("plain", false), ("a\tb", true), ("\u{1b}[2J", true)] {
            let mut it = crate::ui::testing::run(1, RunStatus::Completed);
            it.params = [("text".to_owned(), Value::List(vec![Value::from(text)]))].into();
            run(&mut it);
            assert_eq!(it.params_short, short, "{text:?}");
        }
    }
}
