//! Actions on runs: on the one under the cursor, or on all marked ones, with one question.

use fanlight_shared::id::{RunId, SubmissionId};
use fanlight_shared::rpc::{queue, runs, sweeps};
use fanlight_shared::run::{Counts, Run, RunStatus};

use crate::ui::effect::Effect;
use crate::ui::layer::confirm::{self, Confirm};
use crate::ui::layer::delete::Delete;
use crate::ui::layer::prompt::Prompt;
use crate::ui::model::Model;
use crate::ui::model::queue::rows::{self, Row};
use crate::ui::model::queue::sweeps::Sweep;
use crate::ui::toast::Tone;

/// The most characters of a label.
const MAX_LABEL_CHARS: usize = 200;

/// Returns the targets of an action: the marked runs, else the one under the cursor.
pub(super) fn targets(model: &Model) -> Vec<Run> {
    let mut runs: Vec<Run> = if model.queue.marks.is_empty() {
        match rows::current(model) {
            Some(Row::Run(run)) => model.projection.run(run).cloned().into_iter().collect(),
            Some(Row::Heading(_) | Row::Sweep(_)) | None => Vec::new(),
        }
    } else {
        model.queue.marks.iter().filter_map(|run| model.projection.run(*run)).cloned().collect()
    };
    runs.sort_by(|a, b| (&a.workflow, a.number).cmp(&(&b.workflow, b.number)));
    runs
}

/// Returns `poster#12`, or `3 runs`.
fn named(runs: &[Run]) -> String {
    match runs {
        [run] => run.name(),
        runs => format!("{} runs", runs.len()),
    }
}

fn ids(runs: &[Run]) -> Vec<RunId> {
    runs.iter().map(|run| run.id).collect()
}

/// Returns the folded sweep under the cursor, unless runs are marked.
pub(super) fn sweep(model: &Model) -> Option<&Sweep> {
    match rows::current(model).filter(|_| model.queue.marks.is_empty())? {
        Row::Sweep(sweep) => model.queue.sections.sweeps.get(sweep),
        Row::Heading(_) | Row::Run(_) => None,
    }
}

/// Returns the sweep under the cursor, or that of the run there.
fn sweep_here(model: &Model) -> Option<&Sweep> {
    let sweep = match rows::current(model)? {
        Row::Sweep(sweep) => sweep,
        Row::Run(run) => model.queue.sections.sweeps.of(model.projection.run(run)?)?,
        Row::Heading(_) => return None,
    };
    model.queue.sections.sweeps.get(sweep)
}

/// Returns the sweep under the cursor, or that of the run there, if it can be paused or continue.
pub(super) fn pausable(model: &Model) -> Option<&Sweep> {
    sweep_here(model).filter(|sweep| !sweep.is_over())
}

/// Returns the sweep under the cursor, or that of the run there, if it is a search.
pub(super) fn search(model: &Model) -> Option<&Sweep> {
    sweep_here(model).filter(|sweep| sweep.search.is_some())
}

/// Pauses the sweep under the cursor, or lets it continue.
pub(super) fn pause_sweep(model: &Model) -> Vec<Effect> {
    let Some(sweep) = pausable(model).map(|sweep| sweep.name.clone()) else { return Vec::new() };
    let paused = model.projection.pause_of(&sweep).is_none();
    vec![Effect::SetSweep(sweeps::Set { sweep, paused })]
}

/// Cancels a sweep after a question.
fn cancel_sweep(model: &mut Model, name: String, counts: Counts) -> Vec<Effect> {
    let question = Confirm {
        title: format!("Cancel the sweep {name}?"),
        text: consequence(counts.under_way() as usize, counts.queued as usize),
        yes: "cancel it".to_owned(),
        effects: vec![Effect::Cancel(runs::Cancel { sweep: Some(name), ..runs::Cancel::default() })],
        of_marks: false,
    };
    confirm::ask(model, question)
}

/// Says what happens to runs that are cancelled.
fn consequence(active: usize, waiting: usize) -> String {
    match (active, waiting) {
        (0, _) => "They leave the queue.".to_owned(),
        (1, 0) => "It runs: its processes are ended. What it made so far stays.".to_owned(),
        (active, 0) => format!("{active} run: their processes are ended. What they made so far stays."),
        (active, waiting) => {
            format!("{active} run and {waiting} wait: processes are ended, what was made so far stays.")
        }
    }
}

/// Cancels runs: a queued one that the user chose at once, others after a question. A sweep always after a question.
pub(super) fn cancel(model: &mut Model) -> Vec<Effect> {
    if let Some((name, counts)) = sweep(model).map(|sweep| (sweep.name.clone(), sweep.tally.counts())) {
        return cancel_sweep(model, name, counts);
    }
    let mut runs = targets(model);
    runs.retain(|run| !run.state.is_ended());
    if runs.is_empty() {
        model.say(Tone::Note, "nothing to cancel: it ended already");
        return Vec::new();
    }
    let effects = vec![Effect::Cancel(runs::Cancel { runs: ids(&runs), ..runs::Cancel::default() })];
    let waiting = runs.iter().filter(|run| run.state == RunStatus::Queued).count();
    // Until the user moves the cursor, it may be on another run than a moment ago.
    let is_chosen = model.queue.cursor.is_some() || !model.queue.marks.is_empty();
    if waiting == 1 && runs.len() == 1 && is_chosen {
        model.queue.unmark();
        model.say(Tone::Good, format!("{} leaves the queue", runs[0].name()));
        return effects;
    }
    let active = runs.len() - waiting;
    let question = Confirm {
        title: format!("Cancel {}?", named(&runs)),
        text: consequence(active, waiting),
        yes: "cancel".to_owned(),
        effects,
        of_marks: true,
    };
    confirm::ask(model, question)
}

/// Empties the queue.
pub(super) fn cancel_queued(model: &mut Model) -> Vec<Effect> {
    let count = model.projection.queue().queued;
    if count == 0 {
        model.say(Tone::Note, "no run waits");
        return Vec::new();
    }
    let runs =
        if count == 1 { "the run that waits".to_owned() } else { format!("all {count} runs that wait") };
    let question = Confirm {
        title: format!("Cancel {runs}?"),
        text: "All queued runs are cancelled, of all workflows. Running ones continue.".to_owned(),
        yes: "cancel them".to_owned(),
        effects: vec![Effect::Cancel(runs::Cancel { queued: true, ..runs::Cancel::default() })],
        of_marks: false,
    };
    confirm::ask(model, question)
}

/// Resumes ended runs: starts new runs that reuse their finished nodes.
pub(super) fn resume(model: &mut Model) -> Vec<Effect> {
    let mut runs = targets(model);
    runs.retain(|run| matches!(run.state, RunStatus::Failed | RunStatus::Cancelled));
    if runs.is_empty() {
        model.say(Tone::Note, "only runs that failed or were cancelled can be resumed");
        return Vec::new();
    }
    let request = |run: &Run| {
        model
            .queue
            .submissions
            .again(Effect::Resume(Box::new(runs::Resume::of(run.id, SubmissionId::new().to_string()))))
    };
    let effects: Vec<Effect> = runs.iter().map(request).collect();
    if runs.len() == 1 {
        model.queue.unmark();
        return effects;
    }
    let question = Confirm {
        title: format!("Resume {}?", named(&runs)),
        text: "Each makes a new run that takes over what was finished.".to_owned(),
        yes: "resume".to_owned(),
        effects,
        of_marks: true,
    };
    confirm::ask(model, question)
}

/// Deletes ended runs.
pub(super) fn delete(model: &mut Model) -> Vec<Effect> {
    let all = targets(model);
    let (runs, active): (Vec<Run>, Vec<Run>) = all.into_iter().partition(|run| run.state.is_ended());
    if runs.is_empty() {
        if !active.is_empty() {
            model.say(Tone::Note, format!("{} did not end yet: cancel first (x)", named(&active)));
        }
        return Vec::new();
    }
    let question = Delete::new(named(&runs), ids(&runs), active.len());
    if !model.options.confirm {
        model.queue.marks.clear();
        return question.effects(false);
    }
    model.layers.push(question.into());
    Vec::new()
}

/// Sets the user's label of runs.
pub(super) fn label(model: &mut Model) {
    let runs = targets(model);
    let Some(first) = runs.first() else { return };
    let before = first.label.clone();
    let of = ids(&runs);
    let prompt = Prompt::new(format!("Label of {}", named(&runs)), before, move |model, text| {
        let label = fanlight_shared::sanitise::line(text).trim().to_owned();
        if label.is_empty() {
            return Err("a label has at least one character".to_owned());
        }
        if label.chars().count() > MAX_LABEL_CHARS {
            return Err(format!("a label has at most {MAX_LABEL_CHARS} characters"));
        }
        model.queue.marks.clear();
        let label = |run: &RunId| Effect::Label(runs::Label { run: *run, label: label.clone() });
        Ok(of.iter().map(label).collect())
    });
    model.layers.push(prompt.into());
}

/// Pauses or unpauses the queue.
pub(super) fn pause(model: &mut Model) -> Vec<Effect> {
    let paused = !model.projection.queue().paused;
    let text = if paused { "the queue is paused; running runs continue" } else { "the queue continues" };
    model.say(Tone::Note, text);
    vec![Effect::SetQueue(queue::Set { paused: Some(paused), ..queue::Set::default() })]
}

/// Changes how many runs may run at once.
pub(super) fn cap(model: &mut Model) {
    let now = model.projection.queue().max_concurrent_runs.to_string();
    let prompt = Prompt::new("Runs at once", now, |_, text| match text.trim().parse::<u32>() {
        Ok(cap) if cap > 0 => {
            let set = queue::Set { max_concurrent_runs: Some(cap), ..queue::Set::default() };
            Ok(vec![Effect::SetQueue(set)])
        }
        _ => Err("write a whole number, at least 1; P pauses the queue".to_owned()),
    });
    model.layers.push(prompt.hint("lowering it stops nothing that runs").into());
}
