//! Update of the queue pane.

mod cursor;
mod notification;
mod sections;

use crossterm::event::{MouseButton, MouseEvent, MouseEventKind};
use fanlight_shared::id::RunId;
use fanlight_shared::run::{Run, RunStatus};

use cursor::{fold, mark, step, toggle, unfold};
pub use notification::{missed, moved, notification, response, shown};
use sections::{filter, fold_sweep, search, sort};

use crate::ui::action::Action;
use crate::ui::areas::Hit;
use crate::ui::effect::Effect;
use crate::ui::layer::compare::Compare;
use crate::ui::layer::trials::TrialsOfSearch;
use crate::ui::model::Model;
use crate::ui::model::queue::rows::{self, Row, Rows};
use crate::ui::model::queue::{At, Section};
use crate::ui::pane::Pane;
use crate::ui::queue::ask;
use crate::ui::toast::Tone;

/// Carries out an action of this pane, or a movement in the pane that has the focus.
pub fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let page = usize::from(model.areas.pane(Pane::Queue).map_or(10, |area| area.height));
    match action {
        Action::Down | Action::NextMatch => step(model, |row, last| (row + 1).min(last)),
        Action::Up | Action::PreviousMatch => step(model, |row, _| row.saturating_sub(1)),
        Action::HalfPageDown => step(model, |row, last| (row + (page / 2).max(1)).min(last)),
        Action::HalfPageUp => step(model, |row, _| row.saturating_sub((page / 2).max(1))),
        Action::First => step(model, |_, _| 0),
        Action::Last => step(model, |_, last| last),
        Action::Fold | Action::Left => return fold(model),
        Action::Unfold | Action::Right => return unfold(model),
        Action::PinRun | Action::Open => match rows::current(model) {
            Some(Row::Heading(section)) => toggle(model, section),
            Some(Row::Sweep(sweep)) => return fold_sweep(model, sweep, false),
            Some(Row::Run(run)) => return pin(model, run),
            None => {}
        },
        Action::Mark => mark(model),
        Action::Search => search(model),
        Action::Copy => {
            let names: Vec<String> = ask::targets(model).iter().map(Run::name).collect();
            if !names.is_empty() {
                return vec![Effect::Copy(names.join("\n"))];
            }
        }
        Action::CancelRun => return ask::cancel(model),
        Action::CancelQueued => return ask::cancel_queued(model),
        Action::Resume => return ask::resume(model),
        Action::PauseQueue => return ask::pause(model),
        Action::PauseSweep => return ask::pause_sweep(model),
        Action::Trials => {
            let Some(name) = ask::search(model).map(|sweep| sweep.name.clone()) else { return Vec::new() };
            let (screen, effects) = TrialsOfSearch::open(name, model.now);
            model.layers.push(screen.into());
            return effects;
        }
        Action::Cap => ask::cap(model),
        Action::Label => ask::label(model),
        Action::DeleteRun => return ask::delete(model),
        Action::Sort => sort(model),
        Action::Thumbnails => model.queue.thumbs.hidden = !model.queue.thumbs.hidden,
        Action::CompareRuns => {
            let compare = Compare::of_runs(&ask::targets(model));
            let effects = compare.begin();
            model.layers.push(compare.into());
            return effects;
        }
        _ => {}
    }
    Vec::new()
}

/// Goes one step back inside the pane (clears a filter or marks). Returns `false` if there is nothing to undo.
pub fn back(model: &mut Model) -> bool {
    if !model.queue.marks.is_empty() {
        model.queue.marks.clear();
        return true;
    }
    if model.queue.sections.filter.typed().is_empty() {
        return false;
    }
    filter(model, "");
    true
}

/// Returns whether an action of this pane is enabled; hints, help and palette use it.
#[must_use]
pub fn enabled(model: &Model, action: Action) -> bool {
    let any = |wanted: &dyn Fn(RunStatus) -> bool| ask::targets(model).iter().any(|run| wanted(run.state));
    match action {
        Action::PinRun | Action::Fold | Action::Unfold => Rows::of(&model.queue).len > 0,
        Action::CancelRun => match ask::sweep(model) {
            Some(sweep) => !sweep.is_over(),
            None => any(&|state| !state.is_ended()),
        },
        Action::PauseSweep => ask::pausable(model).is_some(),
        Action::Trials => ask::search(model).is_some(),
        Action::CancelQueued => model.projection.queue().queued > 0,
        Action::Resume => any(&|state| matches!(state, RunStatus::Failed | RunStatus::Cancelled)),
        Action::DeleteRun | Action::Label => any(&|_| true),
        Action::CompareRuns => model.queue.marks.len() > 1,
        Action::PauseQueue | Action::Cap => model.is_up(),
        Action::Thumbnails => model.queue.thumbs.any() && !model.pictures.is_off(),
        Action::Sort => model.queue.sections.len(Section::Done) > 1,
        _ => true,
    }
}

/// Returns the actions for the hint line, the most useful first; those that are not enabled are left out by the caller.
#[must_use]
pub fn hints(model: &Model) -> Vec<Action> {
    let mut hints = match rows::current(model) {
        Some(Row::Run(run)) => match model.projection.run(run).map(|run| Section::of(run.state)) {
            Some(Section::Running | Section::Enqueued) => {
                vec![Action::PinRun, Action::CancelRun, Action::Mark]
            }
            _ => vec![Action::PinRun, Action::Resume, Action::Mark, Action::DeleteRun, Action::Sort],
        },
        Some(Row::Sweep(_)) => vec![Action::Trials, Action::Unfold, Action::CancelRun, Action::PauseSweep],
        _ => vec![Action::Fold, Action::Unfold],
    };
    if model.queue.marks.len() > 1 {
        hints.insert(0, Action::CompareRuns);
    }
    hints.extend([Action::CancelQueued, Action::PauseQueue, Action::Cap, Action::Thumbnails]);
    hints
}

/// Handles clicks and the wheel over this pane. `hit` is the marked area under the mouse.
pub fn mouse(model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Vec<Effect> {
    match (mouse.kind, hit) {
        (MouseEventKind::ScrollDown, _) => step(model, |row, last| (row + 3).min(last)),
        (MouseEventKind::ScrollUp, _) => step(model, |row, _| row.saturating_sub(3)),
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Section(index))) => {
            if let Some(section) = Section::ALL.get(*index) {
                toggle(model, *section);
            }
        }
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Sweep(sweep))) => {
            return fold_sweep(model, *sweep, false);
        }
        (MouseEventKind::Down(MouseButton::Left), Some(Hit::Run(run))) => {
            model.queue.cursor = Some(At::Run(*run));
            return pin(model, *run);
        }
        (MouseEventKind::Down(MouseButton::Right), Some(Hit::Run(run))) => {
            model.queue.cursor = Some(At::Run(*run));
            mark(model);
        }
        _ => {}
    }
    Vec::new()
}

fn pin(model: &mut Model, run: RunId) -> Vec<Effect> {
    let gone = model
        .projection
        .run(run)
        .is_some_and(|it| it.state == RunStatus::Cancelled && it.start_order.is_none());
    if gone {
        model.say(Tone::Note, "it was cancelled before it started: there is nothing to look at");
        return Vec::new();
    }
    model.pin(run)
}
