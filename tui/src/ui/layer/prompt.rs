//! A question that is answered by one line of text.

use std::fmt;

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Widget;

use crate::ui::action::Action;
use crate::ui::areas::Areas;
use crate::ui::effect::Effect;
use crate::ui::fit::fit;
use crate::ui::frame::popup;
use crate::ui::input::Input;
use crate::ui::model::Model;
use crate::ui::model::component::{Component, Step};
use crate::ui::theme::Theme;

type Done = Box<dyn Fn(&mut Model, &str) -> Result<Vec<Effect>, String> + Send>;
type Changed = Box<dyn Fn(&mut Model, &str) -> Vec<Effect> + Send>;

/// A question that is answered by one line of text.
pub struct Prompt {
    title: String,
    hint: String,
    input: Input,
    error: Option<String>,
    before: String,
    done: Done,
    changed: Option<Changed>,
}

impl fmt::Debug for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prompt")
            .field("title", &self.title)
            .field("input", &self.input)
            .finish_non_exhaustive()
    }
}

impl Prompt {
    /// Opens a prompt with an initial text. An error from `done` is shown, and the prompt stays open.
    pub fn new(
        title: impl Into<String>,
        text: impl Into<String>,
        done: impl Fn(&mut Model, &str) -> Result<Vec<Effect>, String> + Send + 'static,
    ) -> Self {
        let before: String = text.into();
        Self {
            title: title.into(),
            hint: String::new(),
            input: Input::new(before.clone()),
            error: None,
            before,
            done: Box::new(done),
            changed: None,
        }
    }

    /// Adds a hint about valid input.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }

    /// Adds an action for every change; leaving the prompt runs it with the initial text again.
    #[must_use]
    pub fn live(mut self, changed: impl Fn(&mut Model, &str) -> Vec<Effect> + Send + 'static) -> Self {
        self.changed = Some(Box::new(changed));
        self
    }

    fn edited(&mut self, model: &mut Model) -> Step {
        self.error = None;
        let changed = self.changed.as_ref().map(|changed| changed(model, self.input.text()));
        Step::with(changed.unwrap_or_default())
    }
}

impl Component for Prompt {
    fn key(&mut self, model: &mut Model, key: KeyEvent, _action: Option<Action>) -> Step {
        match key.code {
            KeyCode::Enter => match (self.done)(model, self.input.text()) {
                Ok(effects) => Step::close_with(effects),
                Err(error) => {
                    self.error = Some(error);
                    Step::stay()
                }
            },
            KeyCode::Esc => {
                let effects = self.changed.as_ref().map(|changed| changed(model, &self.before));
                Step::close_with(effects.unwrap_or_default())
            }
            _ if self.input.key(key) => self.edited(model),
            _ => Step::stay(),
        }
    }

    fn paste(&mut self, model: &mut Model, text: &str) -> Step {
        self.input.insert(text);
        self.edited(model)
    }

    fn takes_text(&self) -> bool {
        true
    }

    fn hints(&self, _model: &Model) -> Vec<Action> {
        vec![Action::Open, Action::Back]
    }

    fn view(&self, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
        let size = (60.min(area.width), 5);
        let inside = popup(&self.title, size, model, theme, area, buffer, areas);
        let line = |y: u16| Rect { y: inside.y + y, height: u16::from(y < inside.height), ..inside };
        areas.caret = self.input.view(theme, line(0), buffer);
        let (words, style) = match &self.error {
            Some(error) => (error.as_str(), theme.bad),
            None => (self.hint.as_str(), theme.dim),
        };
        Line::styled(fit(words, inside.width.into()), style).render(line(2), buffer);
    }
}
