//! What panes and layers have in common: keys, the mouse, responses, notifications, hints, drawing.

use crossterm::event::{KeyEvent, MouseEvent};
use fanlight_shared::rpc::watch::Notification;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::action::{Action, Scope};
use super::effect::Effect;
use super::layer::Layer;
use super::message::Response;
use super::model::Model;
use super::theme::Theme;
use super::view::{Areas, Hit};

/// The result of a key or the mouse.
#[derive(Debug, Default)]
pub struct Step {
    /// The effects.
    pub effects: Vec<Effect>,
    /// Whether the layer is closed.
    pub close: bool,
    /// What then lies over it (or in its place, if it is closed).
    pub then: Option<Layer>,
    /// Whether the key was not for it; the actions that work everywhere then get it.
    pub pass: bool,
}

impl Step {
    /// It stays, nothing more.
    #[must_use]
    pub fn stay() -> Self {
        Self::default()
    }
    /// It stays and asks for something.
    #[must_use]
    pub fn with(effects: Vec<Effect>) -> Self {
        Self { effects, ..Self::default() }
    }
    /// It is closed.
    #[must_use]
    pub fn close() -> Self {
        Self { close: true, ..Self::default() }
    }
    /// It is closed and asks for something.
    #[must_use]
    pub fn close_with(effects: Vec<Effect>) -> Self {
        Self { effects, close: true, ..Self::default() }
    }
    /// Another one comes over it.
    #[must_use]
    pub fn open(layer: Layer) -> Self {
        Self { then: Some(layer), ..Self::default() }
    }
    /// The key was not for it.
    #[must_use]
    pub fn pass() -> Self {
        Self { pass: true, ..Self::default() }
    }
}

/// A part of the screen: a pane, or a layer over the panes. A layer holds its state itself and is taken out of the stack
/// while it is called; the state of a pane is a part of the model. The defaults are those of a layer that only reads keys.
pub trait Component {
    /// Handles a key, or an action that was chosen by its words.
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step;
    /// Takes text that was pasted, with `\n` between its lines.
    fn paste(&mut self, _model: &mut Model, _text: &str) -> Step {
        Step::stay()
    }
    /// Handles the mouse: a click or the wheel, on what it marked by [`Areas::hit`].
    fn mouse(&mut self, _model: &mut Model, _mouse: MouseEvent, _hit: Option<&Hit>) -> Step {
        Step::stay()
    }
    /// Takes a response that it waits for.
    fn response(&mut self, _model: &mut Model, _response: &mut Response) -> Vec<Effect> {
        Vec::new()
    }
    /// Takes a notification of the daemon, after the projection took it.
    fn notification(&mut self, _model: &mut Model, _notification: &Notification) -> Vec<Effect> {
        Vec::new()
    }
    /// The workflow on screen or the run in focus is another one now.
    fn moved(&mut self, _model: &mut Model) -> Vec<Effect> {
        Vec::new()
    }
    /// A frame was painted: asks for what it shows, such as pictures.
    fn shown(&mut self, _model: &mut Model) -> Vec<Effect> {
        Vec::new()
    }
    /// Where its own actions work.
    fn scope(&self) -> Option<Scope> {
        None
    }
    /// Whether an action of its scope does something now; hints, help and palette use it.
    fn enabled(&self, _model: &Model, _action: Action) -> bool {
        true
    }
    /// Whether plain characters are text for it, not keys of actions.
    fn takes_text(&self) -> bool {
        false
    }
    /// Whether the lens does not move by itself while it is open.
    fn holds_lens(&self) -> bool {
        true
    }
    /// The actions for the hint line, the most useful first.
    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Back]
    }
    /// The titles in the border of a pane: left and right.
    fn title(&self, _model: &Model) -> (String, String) {
        (String::new(), String::new())
    }
    /// Draws it. A layer gets the whole screen but the hint line, a pane the inside of its frame.
    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas);
}
