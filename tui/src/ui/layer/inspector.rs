//! One node of the focused run: inputs, outputs, log, error, attempts. PLACEHOLDER.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Over, Step};
use crate::ui::action::{Action, Scope};
use crate::ui::model::Model;
use crate::ui::theme::Theme;
use crate::ui::view::Areas;

/// One node of the focused run: inputs, outputs, log, error, attempts.
#[derive(Debug, Default)]
pub struct Inspector {}

impl Over for Inspector {
    fn key(&mut self, _model: &mut Model, _key: KeyEvent, action: Option<Action>) -> Step {
        if action == Some(Action::Back) { Step::close() } else { Step::pass() }
    }
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Inspector)
    }
    fn view(&self, _model: &Model, _theme: &Theme, _area: Rect, _buffer: &mut Buffer, _areas: &mut Areas) {}
}
