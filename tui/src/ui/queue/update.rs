//! What the queue pane does. PLACEHOLDER.

use crossterm::event::MouseEvent;
use fanlight_shared::rpc::watch::Notification;

use crate::ui::action::Action;
use crate::ui::effect::Effect;
use crate::ui::message::Came;
use crate::ui::model::Model;
use crate::ui::view::Hit;

/// Carries out an action of this pane, or one that works everywhere and moves in the pane that has the keys.
pub fn act(_model: &mut Model, _action: Action) -> Vec<Effect> {
    Vec::new()
}

/// One step back inside the pane (a filter, marks); `false` if there is nothing to go back from.
pub fn back(_model: &mut Model) -> bool {
    false
}

/// Whether an action of this pane does something now; hints, help and palette go by it.
#[must_use]
pub fn enabled(_model: &Model, _action: Action) -> bool {
    true
}

/// The actions for the hint line, the most useful first; those that are not enabled are left out by the caller.
#[must_use]
pub fn hints(_model: &Model) -> Vec<Action> {
    Vec::new()
}

/// Takes an answer it waits for.
pub fn came(_model: &mut Model, _came: &mut Came) -> Vec<Effect> {
    Vec::new()
}

/// Hears what the daemon told, after registry and lens heard it.
pub fn told(_model: &mut Model, _told: &Notification) -> Vec<Effect> {
    Vec::new()
}

/// The workflow on screen or the run in focus is another one now.
pub fn moved(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}

/// A frame was painted: what is wanted for what it shows.
pub fn shown(_model: &mut Model) -> Vec<Effect> {
    Vec::new()
}

/// Handles the mouse over this pane: clicks, wheel. `hit` is what lies there, as the view marked it.
pub fn mouse(_model: &mut Model, _mouse: MouseEvent, _hit: Option<&Hit>) -> Vec<Effect> {
    Vec::new()
}
