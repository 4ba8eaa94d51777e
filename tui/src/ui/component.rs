//! The common interface of panes and layers: keys, the mouse, responses, notifications, hints, drawing.

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
    /// Whether the layer closes.
    pub close: bool,
    /// The layer that opens above it (or in its place, if it closes).
    pub then: Option<Layer>,
    /// Whether the key is passed on to the actions that work everywhere.
    pub pass: bool,
}

impl Step {
    /// Returns a step that does nothing.
    #[must_use]
    pub fn stay() -> Self {
        Self::default()
    }
    /// Returns a step with effects.
    #[must_use]
    pub fn with(effects: Vec<Effect>) -> Self {
        Self { effects, ..Self::default() }
    }
    /// It is closed.
    #[must_use]
    pub fn close() -> Self {
        Self { close: true, ..Self::default() }
    }
    /// Returns a step that closes the layer, with effects.
    #[must_use]
    pub fn close_with(effects: Vec<Effect>) -> Self {
        Self { effects, close: true, ..Self::default() }
    }
    /// Returns a step that opens another layer above it.
    #[must_use]
    pub fn open(layer: Layer) -> Self {
        Self { then: Some(layer), ..Self::default() }
    }
    /// Returns a step that leaves the key to the actions that work everywhere.
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
    /// Handles pasted text, with `\n` between its lines.
    fn paste(&mut self, _model: &mut Model, _text: &str) -> Step {
        Step::stay()
    }
    /// Handles a click or the wheel, on an area that it marked by [`Areas::hit`].
    fn mouse(&mut self, _model: &mut Model, _mouse: MouseEvent, _hit: Option<&Hit>) -> Step {
        Step::stay()
    }
    /// Takes a response that it requested.
    fn response(&mut self, _model: &mut Model, _response: &mut Response) -> Vec<Effect> {
        Vec::new()
    }
    /// Handles a notification of the daemon, after the projection has applied it.
    fn notification(&mut self, _model: &mut Model, _notification: &Notification) -> Vec<Effect> {
        Vec::new()
    }
    /// Handles a change of the workflow on screen or of the run in focus.
    fn moved(&mut self, _model: &mut Model) -> Vec<Effect> {
        Vec::new()
    }
    /// Called after each frame: requests what it shows, such as pictures.
    fn shown(&mut self, _model: &mut Model) -> Vec<Effect> {
        Vec::new()
    }
    /// Returns the scope of its own actions.
    fn scope(&self) -> Option<Scope> {
        None
    }
    /// Returns whether an action of its scope is enabled; hints, help and palette use it.
    fn enabled(&self, _model: &Model, _action: Action) -> bool {
        true
    }
    /// Returns whether plain characters are text input, not keys of actions.
    fn takes_text(&self) -> bool {
        false
    }
    /// Returns whether the lens stays where it is while the layer is open.
    fn holds_lens(&self) -> bool {
        true
    }
    /// Returns the actions for the hint line, the most useful first.
    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Back]
    }
    /// Returns the titles in the border of a pane: left and right.
    fn title(&self, _model: &Model) -> (String, String) {
        (String::new(), String::new())
    }
    /// Draws it. A layer gets the whole screen except the hint line, a pane the inside of its frame.
    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas);
}
