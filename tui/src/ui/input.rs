//! A one-line text input: prompts, filters, fields of forms. The input for several lines is [`lines::Lines`].

pub mod lines;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;

/// One line of text and the place of the cursor in it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Input {
    text: String,
    /// In bytes, between two graphemes.
    cursor: usize,
}

impl Input {
    /// Returns an input with the cursor at the end.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        let mut input = Self::default();
        input.insert(&text.into());
        input
    }

    /// Returns the text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Inserts text at the cursor; line breaks become blanks, and control characters except tabs are dropped.
    pub fn insert(&mut self, text: &str) {
        let clean: String = text
            .chars()
            .filter_map(|it| match it {
                '\n' => Some(' '),
                '\t' => Some('\t'),
                it if it.is_control() => None,
                it => Some(it),
            })
            .collect();
        self.text.insert_str(self.cursor, &clean);
        self.cursor += clean.len();
    }

    /// Handles an editing key. Returns `false` for other keys.
    pub fn key(&mut self, key: KeyEvent) -> bool {
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        let alt = key.modifiers.contains(KeyModifiers::ALT);
        match key.code {
            KeyCode::Char('a') if control => self.cursor = 0,
            KeyCode::Char('e') if control => self.cursor = self.text.len(),
            KeyCode::Char('b') if control => self.cursor = self.before(),
            KeyCode::Char('f') if control => self.cursor = self.after(),
            KeyCode::Char('w') if control => self.cut(self.word_before()),
            KeyCode::Char('u') if control => self.cut(0),
            KeyCode::Char('k') if control => self.text.truncate(self.cursor),
            KeyCode::Char('h') if control => self.cut(self.before()),
            KeyCode::Char(_) if control || alt => return false,
            KeyCode::Char(character) => self.insert(character.encode_utf8(&mut [0; 4])),
            KeyCode::Left if control || alt => self.cursor = self.word_before(),
            KeyCode::Right if control || alt => self.cursor = self.word_after(),
            KeyCode::Left => self.cursor = self.before(),
            KeyCode::Right => self.cursor = self.after(),
            KeyCode::Home => self.cursor = 0,
            KeyCode::End => self.cursor = self.text.len(),
            KeyCode::Backspace if alt => self.cut(self.word_before()),
            KeyCode::Backspace => self.cut(self.before()),
            KeyCode::Delete => {
                let end = self.after();
                self.text.replace_range(self.cursor..end, "");
            }
            _ => return false,
        }
        true
    }

    /// Splits off the text after the cursor.
    pub fn split(&mut self) -> Self {
        Self { text: self.text.split_off(self.cursor), cursor: 0 }
    }

    /// Appends another line, with the cursor between them.
    pub fn join(&mut self, other: &Self) {
        self.cursor = self.text.len();
        self.text.push_str(&other.text);
    }

    /// Returns whether the cursor is before the first character, and whether it is after the last.
    #[must_use]
    pub fn at_ends(&self) -> (bool, bool) {
        (self.cursor == 0, self.cursor == self.text.len())
    }

    fn cut(&mut self, from: usize) {
        self.text.replace_range(from..self.cursor, "");
        self.cursor = from;
    }

    fn before(&self) -> usize {
        self.text[..self.cursor].grapheme_indices(true).next_back().map_or(0, |(at, _)| at)
    }

    fn after(&self) -> usize {
        self.text[self.cursor..].graphemes(true).next().map_or(self.cursor, |it| self.cursor + it.len())
    }

    fn word_before(&self) -> usize {
        let trimmed = self.text[..self.cursor].trim_end();
        trimmed.unicode_word_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn word_after(&self) -> usize {
        let mut words = self.text[self.cursor..].unicode_word_indices();
        words.next().map_or(self.text.len(), |(at, word)| self.cursor + at + word.len())
    }

    /// Draws the text on one line, scrolled so that the caret is visible. Returns the position of the caret.
    pub fn view(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) -> Option<Position> {
        if area.is_empty() {
            return None;
        }
        let columns = usize::from(area.width);
        let mut start = 0;
        // One column is reserved for the cursor after the last character.
        while self.text[start..self.cursor].width() + 1 > columns {
            start += self.text[start..].graphemes(true).next().map_or(1, str::len);
        }
        // A tab is drawn as one column, which is its counted width.
        let shown = self.text[start..].replace('\t', " ");
        buffer.set_stringn(area.x, area.y, shown, columns, theme.text);
        let x = area.x + u16::try_from(self.text[start..self.cursor].width()).unwrap_or(0);
        Some(Position { x, y: area.y })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(input: &mut Input, codes: &[KeyCode]) {
        for code in codes {
            assert!(input.key(KeyEvent::new(*code, KeyModifiers::NONE)));
        }
    }

    #[test]
    fn wide_and_combined_characters_are_one_step() {
        let mut input = Input::new("a日e\u{301}");
        press(&mut input, &[KeyCode::Backspace]);
        assert_eq!(input.text(), "a日");
        press(&mut input, &[KeyCode::Left, KeyCode::Char('b')]);
        assert_eq!(input.text(), "ab日");
    }

    #[test]
    fn a_word_is_cut() {
        let mut input = Input::new("one two  ");
        assert!(input.key(KeyEvent::new(KeyCode::Char('w'), KeyModifiers::CONTROL)));
        assert_eq!(input.text(), "one ");
    }

    #[test]
    fn control_characters_are_removed_from_pasted_text() {
        let mut input = Input::default();
        input.insert("a\nb\u{1b}[31m");
        assert_eq!(input.text(), "a b[31m");
    }
}
