//! What lies over the panes: a stack whose topmost gets the keys first. Each kind is a file of its own.

pub mod choose;
pub mod compare;
pub mod confirm;
pub mod delete;
pub mod form;
pub mod help;
pub mod home;
pub mod inspector;
pub mod list;
pub mod messages;
pub mod palette;
pub mod prompt;
pub mod values;
pub mod viewer;

use crossterm::event::{KeyEvent, MouseEvent};
use fanlight_shared::rpc::watch::Notification;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::action::{Action, Scope};
use super::effect::Effect;
use super::message::Came;
use super::model::Model;
use super::theme::Theme;
use super::view::{Areas, Hit};

/// What a layer answers to a key.
#[derive(Debug, Default)]
pub struct Step {
    /// What it asks of the world.
    pub effects: Vec<Effect>,
    /// Whether it is closed.
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
    pub fn over(layer: Layer) -> Self {
        Self { then: Some(layer), ..Self::default() }
    }
    /// The key was not for it.
    #[must_use]
    pub fn pass() -> Self {
        Self { pass: true, ..Self::default() }
    }
}

macro_rules! layers {
    ($($(#[$doc:meta])* $name:ident($type:ty))+) => {
        /// Something that lies over the panes.
        #[derive(Debug)]
        pub enum Layer { $($(#[$doc])* $name(Box<$type>),)+ }

        impl Layer {
            /// Handles a key. The layer is taken out of the stack meanwhile.
            pub fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step {
                match self { $(Self::$name(layer) => layer.key(model, key, action),)+ }
            }
            /// Takes text that was pasted.
            pub fn paste(&mut self, model: &mut Model, text: &str) -> Step {
                match self { $(Self::$name(layer) => layer.paste(model, text),)+ }
            }
            /// Handles the mouse: a click or the wheel, on what the layer marked by [`Areas::hit`].
            pub fn mouse(&mut self, model: &mut Model, mouse: MouseEvent, hit: Option<&Hit>) -> Step {
                match self { $(Self::$name(layer) => layer.mouse(model, mouse, hit),)+ }
            }
            /// Takes an answer it waits for.
            pub fn came(&mut self, model: &mut Model, came: &mut Came) -> Vec<Effect> {
                match self { $(Self::$name(layer) => layer.came(model, came),)+ }
            }
            /// Hears what the daemon told, after the model heard it.
            pub fn told(&mut self, model: &mut Model, told: &Notification) -> Vec<Effect> {
                match self { $(Self::$name(layer) => layer.told(model, told),)+ }
            }
            /// A frame was painted: what is wanted for what it shows, such as pictures.
            pub fn shown(&mut self, model: &mut Model) -> Vec<Effect> {
                match self { $(Self::$name(layer) => layer.shown(model),)+ }
            }
            /// Where its own actions work.
            #[must_use]
            pub fn scope(&self) -> Option<Scope> {
                match self { $(Self::$name(layer) => layer.scope(),)+ }
            }
            /// Whether plain characters are text for it, not keys of actions.
            #[must_use]
            pub fn takes_text(&self) -> bool {
                match self { $(Self::$name(layer) => layer.takes_text(),)+ }
            }
            /// Whether the lens does not move by itself while it is open.
            #[must_use]
            pub fn holds_lens(&self) -> bool {
                match self { $(Self::$name(layer) => layer.holds_lens(),)+ }
            }
            /// The actions for the hint line, the most useful first.
            #[must_use]
            pub fn hints(&self, model: &Model) -> Vec<Action> {
                match self { $(Self::$name(layer) => layer.hints(model),)+ }
            }
            /// Draws it. `area` is the whole screen but the hint line.
            pub fn view(
                &self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas,
            ) {
                match self { $(Self::$name(layer) => layer.view(model, theme, area, buffer, areas),)+ }
            }
        }

        $(impl From<$type> for Layer {
            fn from(layer: $type) -> Self {
                Self::$name(Box::new(layer))
            }
        })+
    };
}

layers! {
    /// Workflows: of this folder, recent ones, examples.
    Home(home::Home)
    /// Every key and action, searchable and runnable.
    Help(help::Help)
    /// All commands by their words.
    Palette(palette::Palette)
    /// A short list of which one is chosen.
    Choose(choose::Choose)
    /// A question before something that can't be undone.
    Confirm(confirm::Confirm)
    /// The question before runs are deleted.
    Delete(delete::Delete)
    /// One line of text.
    Prompt(prompt::Prompt)
    /// All messages that ever came.
    Messages(messages::Messages)
    /// One node of the focused run.
    Inspector(inspector::Inspector)
    /// What a port had in every run.
    Values(values::ValuesOfRuns)
    /// Params of runs that are about to start.
    Form(form::Form)
    /// One product, full screen.
    Viewer(viewer::Viewer)
    /// Runs or products side by side.
    Compare(compare::Compare)
}

/// What every layer has; the defaults are those of a layer that only reads keys.
pub trait Over {
    /// Handles a key.
    fn key(&mut self, model: &mut Model, key: KeyEvent, action: Option<Action>) -> Step;
    /// Takes text that was pasted, with `\n` between its lines.
    fn paste(&mut self, _model: &mut Model, _text: &str) -> Step {
        Step::stay()
    }
    /// Handles the mouse.
    fn mouse(&mut self, _model: &mut Model, _mouse: MouseEvent, _hit: Option<&Hit>) -> Step {
        Step::stay()
    }
    /// Takes an answer it waits for.
    fn came(&mut self, _model: &mut Model, _came: &mut Came) -> Vec<Effect> {
        Vec::new()
    }
    /// Hears what the daemon told.
    fn told(&mut self, _model: &mut Model, _told: &Notification) -> Vec<Effect> {
        Vec::new()
    }
    /// A frame was painted.
    fn shown(&mut self, _model: &mut Model) -> Vec<Effect> {
        Vec::new()
    }
    /// Where its own actions work.
    fn scope(&self) -> Option<Scope> {
        None
    }
    /// Whether plain characters are text for it.
    fn takes_text(&self) -> bool {
        false
    }
    /// Whether the lens does not move by itself while it is open.
    fn holds_lens(&self) -> bool {
        true
    }
    /// The actions for the hint line.
    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Back]
    }
    /// Draws it.
    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas);
}
