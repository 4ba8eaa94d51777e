//! Actions: those of the shell here, the others in their panes.

use crossterm::event::{KeyCode, KeyEvent};
use fanlight_shared::host_path;
use fanlight_shared::id::{RunId, SubmissionId};
use fanlight_shared::rpc::runs;
use fanlight_shared::run::RunStatus;
use fanlight_shared::value::Value;

use super::open;
use crate::ui::action::{Action, Scope};
use crate::ui::children;
use crate::ui::commands::help::Help;
use crate::ui::commands::palette::Palette;
use crate::ui::document::Submission;
use crate::ui::effect::Effect;
use crate::ui::layer::confirm::{self, Confirm};
use crate::ui::layer::curves::{CurvesOfRuns, Of};
use crate::ui::layer::messages::Messages;
use crate::ui::layer::questions::Questions;
use crate::ui::layer::runs::RunsTable;
use crate::ui::layer::sheet::SheetOfRuns;
use crate::ui::model::Model;
use crate::ui::model::component::Step;
use crate::ui::model::queue::rows::{self, Row};
use crate::ui::pane::Pane;
use crate::ui::shell::{component, enabled, pane_of};
use crate::ui::toast::Tone;

/// Carries out an action of the shell, or of the pane it belongs to.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if !enabled(model, action) {
        if let Some(why) = why_not(action) {
            model.say(Tone::Note, why);
        }
        return Vec::new();
    }
    match action {
        Action::Quit => return vec![Effect::Quit],
        Action::Suspend => return vec![Effect::Suspend],
        Action::Redraw => return vec![Effect::Redraw],
        Action::NextPane => turn(model, 1),
        Action::PreviousPane => turn(model, Pane::ALL.len() - 1),
        _ if let Some(pane) = Pane::ALL.iter().find(|pane| pane.action() == action) => model.pane = *pane,
        Action::Zoom => model.zoomed = !model.zoomed,
        Action::OlderRun | Action::NewerRun => beside(model, action),
        Action::Pin => pin(model),
        Action::Run => return open::form(model),
        Action::RunsTable => return runs_table(model),
        Action::Sheet => return sheet(model),
        Action::RunAgain => return again(model),
        Action::Stop => return stop(model),
        Action::Answer => return Questions::open(model),
        Action::Parent => return children::leave(model),
        Action::Edit => return edit(model),
        Action::Curves => return curves(model),
        Action::Workflows => return open::home(model),
        Action::Palette => model.layers.push(Palette::new(model).into()),
        Action::Help => model.layers.push(Help::new(model).into()),
        Action::Messages => model.layers.push(Messages::default().into()),
        Action::Retry => {
            model.toasts.dismiss(None);
            model.pictures.try_again();
            return std::mem::take(&mut model.unanswered);
        }
        Action::Dismiss => {
            model.toasts.dismiss(None);
        }
        Action::Mouse => {
            model.options.mouse = !model.options.mouse;
            let now = if model.options.mouse { "on" } else { "off: the terminal selects text" };
            model.say(Tone::Note, format!("mouse {now}"));
            return vec![Effect::Mouse(model.options.mouse)];
        }
        Action::Back => back(model),
        _ => return in_pane(model, action),
    }
    Vec::new()
}

/// Returns why an action that opens a screen is not enabled: a key must not seem dead.
fn why_not(action: Action) -> Option<&'static str> {
    match action {
        Action::RunsTable | Action::Sheet | Action::Curves => Some("this workflow has no runs yet"),
        Action::Trials => {
            Some("trials are those of a search: put the cursor on its row, or on one of its runs")
        }
        _ => None,
    }
}

fn runs_table(model: &mut Model) -> Vec<Effect> {
    let Some((table, effect)) = RunsTable::open(model) else { return Vec::new() };
    model.layers.push(table.into());
    vec![effect]
}

/// Opens the sheet of the marked runs, else of the sweep under the cursor, else of the workflow on screen.
fn sheet(model: &mut Model) -> Vec<Effect> {
    let marked = marked_runs(model);
    let row = rows::current(model).filter(|_| model.pane == Pane::Queue);
    let request = match row {
        _ if marked.len() > 1 => Some(runs::Table { run_ids: marked, ..runs::Table::default() }),
        Some(Row::Sweep(id)) => {
            let sweep = model.queue.sections.sweeps.get(id).map(|sweep| sweep.name.clone());
            sweep.map(|sweep| runs::Table { sweep: Some(sweep), ..runs::Table::default() })
        }
        _ => None,
    };
    let opened = request.map(SheetOfRuns::read).or_else(|| SheetOfRuns::open(model));
    let Some((sheet, effect)) = opened else { return Vec::new() };
    model.layers.push(sheet.into());
    vec![effect]
}

fn in_pane(model: &mut Model, action: Action) -> Vec<Effect> {
    // An action of an unfocused pane was chosen in the palette: it focuses the pane.
    match action.info().scope {
        Scope::All => {}
        scope => match pane_of(scope) {
            Some(pane) => model.pane = pane,
            None => return Vec::new(),
        },
    }
    pane_step(model, action).effects
}

/// Passes an action to the focused pane.
fn pane_step(model: &mut Model, action: Action) -> Step {
    component(model.pane).key(model, KeyEvent::from(KeyCode::Null), Some(action))
}

fn turn(model: &mut Model, by: usize) {
    let at = Pane::ALL.iter().position(|pane| *pane == model.pane).unwrap_or(0);
    model.pane = Pane::ALL[(at + by) % Pane::ALL.len()];
}

fn beside(model: &mut Model, action: Action) {
    let Some(workflow) = model.workflow_id() else { return };
    let (moved, end) = if action == Action::OlderRun {
        (model.projection.older(workflow), "this is the oldest run")
    } else {
        (model.projection.newer(workflow), "this is the newest run")
    };
    if moved.is_none() {
        model.say(Tone::Note, end);
    }
}

fn pin(model: &mut Model) {
    let Some((workflow, run)) = model.lens().map(|lens| (lens.run.workflow_id, lens.run.id)) else {
        return;
    };
    if model.projection.pinned(workflow).is_some() {
        model.projection.unpin(workflow);
        model.say(Tone::Note, "the lens follows the newest started run");
    } else {
        // A deleted run may still be on screen, but can't be pinned.
        if model.projection.pin(run)
            && let Some(name) = model.projection.run(run).map(fanlight_shared::run::Run::name)
        {
            model.say(Tone::Note, format!("the lens stays on {name}"));
        }
    }
}

fn stop(model: &mut Model) -> Vec<Effect> {
    let Some(run) = model.lens().map(|lens| lens.run.clone()) else { return Vec::new() };
    let cancel = runs::Cancel { runs: vec![run.id], ..runs::Cancel::default() };
    let question = Confirm {
        title: format!("Stop {}?", run.name()),
        text: match run.state {
            RunStatus::Queued => "It leaves the queue.".to_owned(),
            _ => "Its processes are ended. What it made so far stays.".to_owned(),
        },
        yes: "stop".to_owned(),
        effects: vec![Effect::Cancel(cancel)],
        of_marks: false,
    };
    confirm::ask(model, question)
}

fn edit(model: &mut Model) -> Vec<Effect> {
    let Some(document) = model.workflow.as_ref().map(|open| &open.document) else { return Vec::new() };
    match (&document.path, &document.example) {
        (Some(_), Some(example)) => {
            let text = format!("{example} is an example: make a file of it first (w, then N)");
            model.say(Tone::Note, text);
            Vec::new()
        }
        (Some(path), None) if let Some((host, _)) = path.to_str().and_then(host_path::split) => {
            model.say(Tone::Note, format!("its file is on {host}"));
            Vec::new()
        }
        (Some(path), None) => vec![Effect::Edit(path.clone())],
        (None, _) => Vec::new(),
    }
}

/// Returns the runs that are marked, or of which products are.
fn marked_runs(model: &Model) -> Vec<RunId> {
    let products = model.gallery.marked.iter().filter_map(|id| model.gallery.asset(*id));
    let mut marked: Vec<RunId> = products.map(|asset| asset.run_id).collect();
    marked.extend(model.queue.marks.iter());
    marked.sort_unstable();
    marked.dedup();
    marked
}

/// Opens the curves of the marked runs, else of those that belong to the run under the cursor or in focus.
fn curves(model: &mut Model) -> Vec<Effect> {
    let marked = marked_runs(model);
    let in_queue = model.pane == Pane::Queue && model.layers.is_empty();
    let of = match rows::current(model).filter(|_| in_queue && marked.is_empty()) {
        Some(Row::Run(run)) => Of::Run(run),
        Some(Row::Sweep(id)) if let Some(sweep) = model.queue.sections.sweeps.get(id) => {
            Of::Sweep(sweep.workflow, sweep.name.clone())
        }
        _ if !marked.is_empty() => Of::Marked(marked),
        _ => match model.focus() {
            Some(run) => Of::Run(run),
            None => return Vec::new(),
        },
    };
    CurvesOfRuns::open(model, of)
}

/// Runs the file on screen with those params of the focused run that it still has.
fn again(model: &mut Model) -> Vec<Effect> {
    let Some(document) = model.workflow.as_ref().map(|open| &open.document) else { return Vec::new() };
    let Some(workflow) = &document.workflow else { return open::form(model) };
    let lens = model.lens();
    let takes_file = |(name, value): (&String, &Value)| {
        (workflow.params.contains_key(name) && value.has_media()).then(|| name.clone())
    };
    if let Some(name) = lens.and_then(|lens| lens.run.params.iter().find_map(takes_file)) {
        model.say(Tone::Note, format!("`{name}` takes a file: choose it again"));
        return open::form(model);
    }
    let start = runs::Start {
        document: document.text.to_string(),
        path: document.path.as_ref().map(|path| path.to_string_lossy().into_owned()),
        // Only the daemon has the params as they were submitted.
        sets: vec![runs::ParamSet { like: lens.map(|lens| lens.run.id), ..runs::ParamSet::default() }],
        request_key: SubmissionId::new().to_string(),
        ..runs::Start::default()
    };
    let request = Effect::Start(Box::new(Submission { start, source: document.source.clone() }));
    vec![model.queue.submissions.again(request)]
}

/// Goes one step back: dismisses an error, goes back in the pane, or ends the zoom.
fn back(model: &mut Model) {
    let error = model.toasts.shown.iter().any(|toast| toast.tone == Tone::Bad);
    if error {
        model.toasts.dismiss(None);
        return;
    }
    if pane_step(model, Action::Back).pass {
        model.zoomed = false;
    }
}
