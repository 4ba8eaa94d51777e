//! Responses and results: the layers first, then the panes, then the shell.

use fanlight_shared::rpc::sweeps::Best;
use fanlight_shared::run::Run;

use super::{lens, open, with_layers};
use crate::ui::clean;
use crate::ui::effect::Effect;
use crate::ui::layer::questions::Questions;
use crate::ui::message::{Response, Why};
use crate::ui::model::Model;
use crate::ui::pane::Pane;
use crate::ui::shell::component;
use crate::ui::toast::Tone;

pub(super) fn response(model: &mut Model, response: &mut Response) -> Vec<Effect> {
    sanitise(response);
    let mut effects = Vec::new();
    with_layers(model, |layer, model| layer.response(model, response), &mut effects);
    for pane in Pane::ALL {
        effects.extend(component(*pane).response(model, response));
    }
    effects.extend(shell(model, response));
    effects
}

fn sanitise(response: &mut Response) {
    match response {
        Response::Started { started, .. } => {
            started.runs.iter_mut().for_each(clean::run);
        }
        Response::Runs { page, .. } => page.rows.iter_mut().for_each(clean::run),
        Response::Run { detail, .. } => {
            clean::run(&mut detail.run);
            clean::state(&mut detail.state);
        }
        Response::Known(_, Some(run)) => clean::run(run),
        // Cells of the table are sanitised where they are made.
        Response::Table(_, page) => page.rows.iter_mut().for_each(|row| clean::run(&mut row.run)),
        Response::Questions(questions) => {
            for open in questions {
                clean::question(&mut open.question);
                open.label = fanlight_shared::sanitise::line(&open.label);
            }
        }
        Response::Assets { page, .. } => page.rows.iter_mut().for_each(|asset| {
            asset.name = fanlight_shared::sanitise::line(&asset.name);
            clean::value(&mut asset.value);
        }),
        Response::Metrics(_, read) => {
            for (series, curve) in &mut read.curves {
                for damaged in [&mut series.damaged, &mut curve.damaged].into_iter().flatten() {
                    *damaged = fanlight_shared::sanitise::line(damaged);
                }
                series.name = fanlight_shared::sanitise::line(&series.name);
                series.unit = series.unit.take().map(|unit| fanlight_shared::sanitise::line(&unit));
            }
        }
        Response::Trials(_, search, trials) => {
            clean::search(search);
            trials.iter_mut().for_each(clean::trial);
        }
        Response::Sweep { best: Some((best, _)), search, .. } => {
            search.iter_mut().for_each(|search| clean::search(search));
            let clean = |(name, best): (String, Best)| (fanlight_shared::sanitise::line(&name), best);
            *best = std::mem::take(best).into_iter().map(clean).collect();
        }
        Response::Values(_, page) => {
            page.rows.iter_mut().filter_map(|row| row.value.as_mut()).for_each(clean::value);
        }
        Response::Log(_, part) => part.pieces.iter_mut().for_each(|piece| {
            piece.text = fanlight_shared::sanitise::plain(&piece.text);
        }),
        Response::PreviewText(_, text) => *text = fanlight_shared::sanitise::plain(text),
        Response::Workflows(workflows) => {
            for workflow in workflows {
                workflow.title = fanlight_shared::sanitise::line(&workflow.title);
            }
        }
        // A text may be a patch, which must be read before it is sanitised: who takes texts and files does it.
        _ => {}
    }
}

fn shell(model: &mut Model, response: &mut Response) -> Vec<Effect> {
    match response {
        Response::Failed { request, error, why } => {
            failed(model, request, error, *why);
            Vec::new()
        }
        Response::Done(what) => {
            model.say(Tone::Good, what.clone());
            Vec::new()
        }
        Response::Saved(path) => {
            model.say(Tone::Good, format!("saved {}", path.display()));
            Vec::new()
        }
        Response::Answered(answer) => {
            let name = model.projection.run(answer.run_id).map(Run::name).unwrap_or_default();
            model.say(Tone::Good, format!("answered {}{} of {name}", answer.node, answer.item));
            // Closes the layer of questions if there are no more.
            model.layers.retain(|layer| !layer.downcast_ref::<Questions>().is_some_and(Questions::is_over));
            Vec::new()
        }
        Response::Started { request_key, started, others } => {
            let repeated = model.queue.submissions.done(request_key);
            started_runs(model, &started.runs, repeated);
            match others {
                Some(why) => model.say(Tone::Bad, why.clone()),
                None => started.hints.iter().for_each(|hint| model.say(Tone::Note, hint.clone())),
            }
            Vec::new()
        }
        Response::Runs { page, .. } => {
            model.projection.add(page.rows.iter().cloned());
            Vec::new()
        }
        Response::Known(run, None) => {
            model.projection.remove(*run);
            Vec::new()
        }
        Response::Known(_, Some(run)) => {
            model.projection.add([(**run).clone()]);
            Vec::new()
        }
        Response::Run { detail, workflow } => {
            model.projection.add([detail.run.clone()]);
            let id = detail.run.id;
            let mut effects = Vec::new();
            if let Some(workflow) = workflow {
                effects.extend(lens::take_workflow(model, id, workflow));
            }
            if model.pinning == Some(id) {
                model.pinning = None;
                effects.extend(model.pin(id));
            }
            effects
        }
        Response::Workflows(workflows) => {
            model.workflows.clone_from(workflows);
            model.identify()
        }
        Response::Document { request, document } => open::read(model, request, document),
        Response::Graph(version, layout) => {
            model.laying.remove(version);
            if let Some(open) = &mut model.workflow
                && open.document.workflow.as_ref().is_some_and(|workflow| workflow.version == *version)
            {
                open.layout = Some(layout.clone());
            }
            if let Some(shown) = &mut model.shown
                && shown.workflow.as_ref().is_some_and(|workflow| workflow.version == *version)
            {
                shown.layout = Some(layout.clone());
            }
            Vec::new()
        }
        Response::Questions(_)
        | Response::Sweep { .. }
        | Response::Trials(..)
        | Response::Params(..)
        | Response::NotPainted(..)
        | Response::Painted(_)
        | Response::Assets { .. }
        | Response::Recipe(..)
        | Response::PreviewText(..)
        | Response::Text(..)
        | Response::Manifest(..)
        | Response::File(..)
        | Response::Log(..)
        | Response::Metrics(..)
        | Response::Values(..)
        | Response::Table(..)
        | Response::Files(_)
        | Response::Folder(..)
        | Response::Models(_) => Vec::new(),
    }
}

/// Keeps failed read requests, to repeat them by hand or when the daemon is back.
fn failed(model: &mut Model, request: &Effect, error: &str, why: Why) {
    let repeatable = request.reads() && why != Why::Gone;
    if repeatable && !model.unanswered.contains(request) {
        model.unanswered.push(request.clone());
    }
    if repeatable && why == Why::Away {
        // The banner shows it already.
        return;
    }
    match request {
        // The page that shows the curves says it.
        Effect::ReadMetrics(_) => return,
        // Of a deleted run nothing is shown.
        Effect::ListAssets { .. } if why == Why::Gone => return,
        Effect::ReadTable(table) if why == Why::Gone && !table.run_ids.is_empty() => return,
        Effect::GetRun(run) => {
            model.pinning.take_if(|it| it == run);
        }
        Effect::ReadWorkflow(request) => {
            model.opening.take_if(|it| *it == request.source);
        }
        _ => {}
    }
    let words = format!("{}: {error}", request.words());
    if why == Why::Away {
        model.toasts.away(words, model.now);
    } else {
        model.say(Tone::Bad, words);
    }
}

/// Says which runs there are now. `repeated`: an earlier request may have made them.
fn started_runs(model: &mut Model, runs: &[Run], repeated: bool) {
    let words = match runs {
        [] => return,
        [run] if repeated => format!("{} was submitted, only once", run.name()),
        runs if repeated => format!("{} runs were submitted, only once", runs.len()),
        [run] if run.state == fanlight_shared::run::RunStatus::Queued => format!("{} waits", run.name()),
        [run] => format!("{} started", run.name()),
        runs => format!("{} runs submitted", runs.len()),
    };
    // The first run of a file has the id of its workflow.
    if let (Some(open), Some(run)) = (model.workflow.as_mut(), runs.first())
        && open.document.workflow_id.is_none()
        && open.document.workflow.as_ref().is_some_and(|workflow| workflow.version == run.version)
    {
        open.document.workflow_id = Some(run.workflow_id);
    }
    model.say(Tone::Good, words);
}
