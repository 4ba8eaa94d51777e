//! The gallery pane as it is drawn. PLACEHOLDER.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::ui::model::Model;
use crate::ui::theme::Theme;
use crate::ui::view::Areas;

/// Draws the pane inside its frame: the root draws the border and the title that [`title`] gives.
pub fn view(_model: &Model, _theme: &Theme, _area: Rect, _buffer: &mut Buffer, _areas: &mut Areas) {}

/// What stands in the pane's border: left and right.
#[must_use]
pub fn title(_model: &Model) -> (String, String) {
    (String::new(), String::new())
}
