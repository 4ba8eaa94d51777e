//! A text input for several lines.

use crossterm::event::{KeyCode, KeyEvent};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::Input;
use crate::ui::theme::Theme;

/// Text of several lines, at least one, and the line that has the cursor.
#[derive(Clone, PartialEq, Debug)]
pub struct Lines {
    lines: Vec<Input>,
    row: usize,
}

impl Lines {
    /// Returns an input with the cursor at the end.
    pub fn new(text: &str) -> Self {
        let lines: Vec<Input> = text.split('\n').map(Input::new).collect();
        Self { row: lines.len() - 1, lines }
    }

    /// Returns the text.
    pub fn text(&self) -> String {
        self.lines.iter().map(Input::text).collect::<Vec<_>>().join("\n")
    }

    /// Returns how many lines.
    pub fn count(&self) -> usize {
        self.lines.len()
    }

    /// Inserts text at the cursor, with its line breaks.
    pub fn insert(&mut self, text: &str) {
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.split();
            }
            self.lines[self.row].insert(line);
        }
    }

    fn split(&mut self) {
        let behind = self.lines[self.row].split();
        self.row += 1;
        self.lines.insert(self.row, behind);
    }

    /// Handles a key. Returns `false` if it doesn't use it.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let (start, end) = self.lines[self.row].at_ends();
        let last = self.lines.len() - 1;
        match key.code {
            KeyCode::Enter => self.split(),
            KeyCode::Backspace if start && self.row > 0 => {
                let line = self.lines.remove(self.row);
                self.row -= 1;
                self.lines[self.row].join(&line);
            }
            KeyCode::Delete if end && self.row < last => {
                let line = self.lines.remove(self.row + 1);
                self.lines[self.row].join(&line);
            }
            KeyCode::Left if start && self.row > 0 => {
                self.row -= 1;
                self.lines[self.row].key(KeyEvent::from(KeyCode::End));
            }
            KeyCode::Right if end && self.row < last => {
                self.row += 1;
                self.lines[self.row].key(KeyEvent::from(KeyCode::Home));
            }
            KeyCode::Up if self.row > 0 => self.row -= 1,
            KeyCode::Down if self.row < last => self.row += 1,
            KeyCode::Up | KeyCode::Down => return false,
            _ => return self.lines[self.row].key(key),
        }
        true
    }

    /// Draws the lines, scrolled so that the caret is visible. Returns the position of the caret.
    pub fn view(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
        let first = self.row.saturating_sub(usize::from(area.height.saturating_sub(1)));
        let mut caret = None;
        for (index, y) in (first..self.lines.len()).zip(area.top()..area.bottom()) {
            let of_line = self.lines[index].view(theme, Rect { y, height: 1, ..area }, buffer);
            if index == self.row {
                caret = of_line;
            }
        }
        caret
    }
}
