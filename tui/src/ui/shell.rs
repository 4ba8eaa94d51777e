//! The shell around panes and layers: the components of the panes, and which actions are enabled.

use std::collections::HashSet;

use super::action::{Action, Scope};
use super::children;
use super::gallery::GalleryPane;
use super::grid::GridPane;
use super::model::Model;
use super::model::component::Component;
use super::pane::Pane;
use super::queue::QueuePane;

/// Returns the component of a pane. Its state is part of the model.
#[must_use]
pub fn component(pane: Pane) -> Box<dyn Component> {
    match pane {
        Pane::Grid => Box::new(GridPane),
        Pane::Queue => Box::new(QueuePane),
        Pane::Gallery => Box::new(GalleryPane),
    }
}

/// Returns the pane whose own actions work in this scope.
#[must_use]
pub fn pane_of(scope: Scope) -> Option<Pane> {
    Pane::ALL.iter().copied().find(|pane| component(*pane).scope() == Some(scope))
}

/// Returns whether an action is enabled.
#[must_use]
pub fn enabled(model: &Model, action: Action) -> bool {
    match action {
        // Also before the snapshot of the run in focus arrives.
        Action::OlderRun | Action::NewerRun => model.focus().is_some() && model.is_one_of_many(),
        Action::Pin => model.lens().is_some() && model.is_one_of_many(),
        Action::Curves => model.focus().is_some() || !model.queue.marks.is_empty(),
        Action::Run | Action::RunAgain => model.workflow.is_some(),
        Action::RunsTable | Action::Sheet => model.workflow_id().is_some(),
        Action::Edit => model.workflow.as_ref().is_some_and(|open| open.document.path.is_some()),
        Action::Stop => model.lens().is_some_and(|lens| !lens.run.state.is_ended()),
        Action::Answer => model.projection.active().any(|run| run.asks.is_some()),
        Action::Parent => children::is_inside(model),
        Action::Retry => (!model.unanswered.is_empty() || model.pictures.any_failed()) && model.is_up(),
        Action::Dismiss => !model.toasts.shown.is_empty(),
        _ => match action.info().scope {
            Scope::All => true,
            scope => match pane_of(scope) {
                Some(pane) => component(pane).enabled(model, action),
                // Actions of layers belong to the open layer.
                None => model.layers.last().is_some_and(|layer| layer.scope() == Some(scope)),
            },
        },
    }
}

/// Returns the active scopes of keys, the innermost first.
#[must_use]
pub fn scopes(model: &Model) -> Vec<Scope> {
    match model.layers.last() {
        Some(layer) => layer.scope().into_iter().chain([Scope::All]).collect(),
        None => component(model.pane).scope().into_iter().chain([Scope::All]).collect(),
    }
}

/// Returns the enabled actions for the hint line.
#[must_use]
pub fn hints(model: &Model) -> Vec<Action> {
    if let Some(layer) = model.layers.last() {
        return layer.hints(model);
    }
    let mut hints = component(model.pane).hints(model);
    hints.splice(0..0, [Action::Retry, Action::Answer, Action::Parent]);
    hints.extend([Action::NextPane, Action::Run, Action::Stop, Action::Pin, Action::Workflows]);
    hints.extend([Action::Search, Action::Palette, Action::Help, Action::Quit]);
    let mut seen = HashSet::new();
    hints.retain(|action| seen.insert(*action) && enabled(model, *action));
    hints
}
