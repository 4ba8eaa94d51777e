//! One product, full screen. PLACEHOLDER.

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Over, Step};
use crate::ui::action::{Action, Scope};
use crate::ui::model::Model;
use crate::ui::theme::Theme;
use crate::ui::view::Areas;

/// One product, full screen.
#[derive(Debug, Default)]
pub struct Viewer {}

impl Over for Viewer {
    fn key(&mut self, _model: &mut Model, _key: KeyEvent, action: Option<Action>) -> Step {
        if action == Some(Action::Back) { Step::close() } else { Step::pass() }
    }
    fn scope(&self) -> Option<Scope> {
        Some(Scope::Viewer)
    }
    fn view(&self, _model: &Model, _theme: &Theme, _area: Rect, _buffer: &mut Buffer, _areas: &mut Areas) {}
}
