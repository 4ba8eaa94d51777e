//! The common interface of panes and layers: keys, the mouse, responses, notifications, hints, drawing.

use std::any::Any;
use std::fmt::Debug;
use std::path::Path;

use crossterm::event::{KeyEvent, MouseEvent};
use fanlight_shared::rpc::watch::{Metrics, Notification};
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Model;
use crate::ui::action::{Action, Scope};
use crate::ui::areas::{Areas, Hit};
use crate::ui::effect::Effect;
use crate::ui::message::Response;
use crate::ui::theme::Theme;

/// A layer over the panes.
pub type Layer = Box<dyn Component>;

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
    /// The action that runs next, as if its key had been pressed.
    pub choose: Option<Action>,
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
    /// Returns a step that closes the layer.
    #[must_use]
    pub fn close() -> Self {
        Self { close: true, ..Self::default() }
    }
    /// Returns a step that closes the layer, with effects.
    #[must_use]
    pub fn close_with(effects: Vec<Effect>) -> Self {
        Self { effects, close: true, ..Self::default() }
    }
    /// Returns a step that closes the layer and runs an action, as if its key had been pressed.
    #[must_use]
    pub fn choose(action: Action) -> Self {
        Self { close: true, choose: Some(action), ..Self::default() }
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

/// A part of the screen: a pane, or a layer over the panes. A layer holds its state itself and is taken out of the
/// stack while it is called; the state of a pane is a part of the model. The defaults are those of a layer that only
/// reads keys.
pub trait Component: Any + Debug {
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
    /// Reads again what it read once, because changes may have been missed: while there was no connection, or while this
    /// client didn't read. Also called with the first connection.
    fn missed(&mut self, _model: &mut Model) -> Vec<Effect> {
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
    /// Returns the file that it shows, which is read again whenever it changes.
    fn file(&self) -> Option<&Path> {
        None
    }
    /// Returns the metrics whose new points it shows; the daemon sends no others.
    fn metrics(&self, _model: &Model) -> Option<Metrics> {
        None
    }
    /// Called when the daemon begins to send those points, also after others were watched or the connection was lost.
    fn watched(&mut self, _now: Time) {}
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

impl dyn Component {
    /// Returns whether it is of this type.
    #[must_use]
    pub fn is<T: Component>(&self) -> bool {
        self.downcast_ref::<T>().is_some()
    }

    /// Returns it, if it is of this type.
    #[must_use]
    pub fn downcast_ref<T: Component>(&self) -> Option<&T> {
        (self as &dyn Any).downcast_ref()
    }

    /// Returns it, if it is of this type.
    #[must_use]
    pub fn downcast_mut<T: Component>(&mut self) -> Option<&mut T> {
        (self as &mut dyn Any).downcast_mut()
    }
}

impl<T: Component> From<T> for Layer {
    fn from(layer: T) -> Self {
        Box::new(layer)
    }
}

/// Implements a pane by the functions of a folder's `update` and `view`, so that the boilerplate is written once.
macro_rules! pane {
    ($(#[$doc:meta])* $name:ident $scope:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl $crate::ui::model::component::Component for $name {
            fn key(
                &mut self,
                model: &mut $crate::ui::model::Model,
                _key: crossterm::event::KeyEvent,
                action: Option<$crate::ui::action::Action>,
            ) -> $crate::ui::model::component::Step {
                use $crate::ui::action::Action;
                use $crate::ui::model::component::Step;
                match action {
                    Some(Action::Back) if !update::back(model) => Step::pass(),
                    Some(Action::Back) | None => Step::stay(),
                    Some(action) => Step::with(update::act(model, action)),
                }
            }

            fn mouse(
                &mut self,
                model: &mut $crate::ui::model::Model,
                mouse: crossterm::event::MouseEvent,
                hit: Option<&$crate::ui::areas::Hit>,
            ) -> $crate::ui::model::component::Step {
                $crate::ui::model::component::Step::with(update::mouse(model, mouse, hit))
            }

            fn response(
                &mut self,
                model: &mut $crate::ui::model::Model,
                response: &mut $crate::ui::message::Response,
            ) -> Vec<$crate::ui::effect::Effect> {
                update::response(model, response)
            }

            fn notification(
                &mut self,
                model: &mut $crate::ui::model::Model,
                notification: &fanlight_shared::rpc::watch::Notification,
            ) -> Vec<$crate::ui::effect::Effect> {
                update::notification(model, notification)
            }

            fn missed(&mut self, model: &mut $crate::ui::model::Model) -> Vec<$crate::ui::effect::Effect> {
                update::missed(model)
            }

            fn moved(&mut self, model: &mut $crate::ui::model::Model) -> Vec<$crate::ui::effect::Effect> {
                update::moved(model)
            }

            fn shown(&mut self, model: &mut $crate::ui::model::Model) -> Vec<$crate::ui::effect::Effect> {
                update::shown(model)
            }

            fn scope(&self) -> Option<$crate::ui::action::Scope> {
                Some($crate::ui::action::Scope::$scope)
            }

            fn enabled(&self, model: &$crate::ui::model::Model, action: $crate::ui::action::Action) -> bool {
                update::enabled(model, action)
            }

            fn hints(&self, model: &$crate::ui::model::Model) -> Vec<$crate::ui::action::Action> {
                update::hints(model)
            }

            fn title(&self, model: &$crate::ui::model::Model) -> (String, String) {
                view::title(model)
            }

            fn view(
                &self,
                model: &$crate::ui::model::Model,
                theme: &$crate::ui::theme::Theme,
                area: ratatui::layout::Rect,
                buffer: &mut ratatui::buffer::Buffer,
                areas: &mut $crate::ui::areas::Areas,
            ) {
                view::view(model, theme, area, buffer, areas);
            }
        }
    };
}
pub(in crate::ui) use pane;
