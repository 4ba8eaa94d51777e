//! The form that starts runs. PLACEHOLDER.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Over, Step};
use crate::ui::action::{Action, Scope};
use crate::ui::model::Model;
use crate::ui::theme::Theme;
use crate::ui::view::Areas;

/// The form that starts runs.
#[derive(Debug, Default)]
pub struct Form {}

impl Form {
    /// The form for the workflow on screen, filled with defaults or the values of last time; `None` if it can't run.
    #[must_use]
    pub fn open(_model: &Model) -> Option<Self> {
        Some(Self::default())
    }
}

impl Over for Form {
    fn key(&mut self, _model: &mut Model, _key: KeyEvent, action: Option<Action>) -> Step {
        if action == Some(Action::Back) { Step::close() } else { Step::pass() }
    }
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Form)
    }
    fn view(&self, _model: &Model, _theme: &Theme, _area: Rect, _buffer: &mut Buffer, _areas: &mut Areas) {}
}
