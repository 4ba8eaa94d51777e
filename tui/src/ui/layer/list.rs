//! A filtered list, for the palette, the help and home.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;

use crate::ui::action::Action;
use crate::ui::areas::{Areas, Hit};
use crate::ui::theme::Theme;

/// The cursor of a list and the rows in view.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Cursor {
    /// The row under the cursor.
    pub at: usize,
}

impl Cursor {
    /// Moves by a key or action. Returns `false` if that doesn't move lists. Plain letters only move by their action.
    pub fn key(&mut self, key: KeyEvent, action: Option<Action>, rows: usize, page: usize) -> bool {
        let last = rows.saturating_sub(1);
        let half = (page / 2).max(1);
        self.at = match (key.code, action) {
            (_, Some(Action::Down)) | (KeyCode::Down, _) => (self.at + 1).min(last),
            (_, Some(Action::Up)) | (KeyCode::Up, _) => self.at.saturating_sub(1),
            (_, Some(Action::HalfPageDown)) | (KeyCode::PageDown, _) => (self.at + half).min(last),
            (_, Some(Action::HalfPageUp)) | (KeyCode::PageUp, _) => self.at.saturating_sub(half),
            (_, Some(Action::First)) => 0,
            (_, Some(Action::Last)) => last,
            _ => return false,
        };
        true
    }

    /// Moves by the wheel.
    pub fn wheel(&mut self, down: bool, rows: usize) {
        self.at = if down { (self.at + 3).min(rows.saturating_sub(1)) } else { self.at.saturating_sub(3) };
    }

    /// Returns the first row in view if `height` rows fit: the cursor is in the middle if possible.
    #[must_use]
    pub fn first(&self, rows: usize, height: usize) -> usize {
        self.at.saturating_sub(height / 2).min(rows.saturating_sub(height))
    }
}

/// Draws the rows in view with `row`, and marks them for the mouse.
pub fn view<'a>(
    cursor: Cursor,
    rows: usize,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
    row: impl Fn(usize) -> Line<'a>,
) {
    let height = usize::from(area.height);
    let first = cursor.first(rows, height);
    for (y, index) in (area.y..area.bottom()).zip(first..rows) {
        let place = Rect { y, height: 1, ..area };
        row(index).render(place, buffer);
        if index == cursor.at {
            theme.select(place, buffer);
        }
        areas.hit(place, Hit::Row(index));
    }
}

/// Returns a text with the characters at these positions marked.
#[must_use]
pub fn marked<'a>(text: &str, places: &[usize], style: Style, mark: Style) -> Vec<Span<'a>> {
    let mut spans: Vec<Span<'a>> = Vec::new();
    let mut current = (String::new(), false);
    for (index, character) in text.graphemes(true).enumerate() {
        let hit = places.binary_search(&index).is_ok();
        if hit != current.1 && !current.0.is_empty() {
            let text = std::mem::take(&mut current.0);
            spans.push(Span::styled(text, if current.1 { mark } else { style }));
        }
        current.1 = hit;
        current.0.push_str(character);
    }
    spans.push(Span::styled(current.0, if current.1 { mark } else { style }));
    spans
}
