//! Frames with such graphemes on terminals that use other widths than the UI.

use ratatui::Terminal;
use ratatui::style::Style;
use ratatui::{TerminalOptions, Viewport};
use unicode_width::UnicodeWidthChar as _;

use super::*;
use crate::ui::terminal::screen::Screen;

const AREA: Rect = Rect::new(0, 0, 40, 2);

/// Flags, a family, a heart with its selector, a hand with a skin tone, a keycap, a combined letter, a plain emoji.
const WORDS: [&str; 7] = [
    "\u{1F1E9}\u{1F1EA}\u{1F1EB}\u{1F1F7}",
    "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}",
    "\u{2764}\u{FE0F}",
    "\u{1F44D}\u{1F3FD}",
    "1\u{FE0F}\u{20E3}",
    "e\u{301}",
    "\u{1F680}",
];

/// A terminal with its own widths of characters or graphemes.
struct Emulator {
    width: fn(char) -> usize,
    cells: Vec<Vec<String>>,
    at: (usize, usize),
}

impl Emulator {
    fn new(width: fn(char) -> usize) -> Self {
        let row = vec![" ".to_owned(); usize::from(AREA.width)];
        Self { width, cells: vec![row; usize::from(AREA.height)], at: (0, 0) }
    }

    fn take(&mut self, bytes: &str) {
        let mut rest = bytes;
        while let Some(character) = rest.chars().next() {
            rest = &rest[character.len_utf8()..];
            if character != '\u{1b}' {
                self.print(character);
                continue;
            }
            let end = rest.find(|it: char| it.is_ascii_alphabetic()).expect("the end of a sequence");
            if rest[end..].starts_with('H') {
                let numbers: Vec<usize> = rest[1..end].split(';').map(|it| it.parse().unwrap()).collect();
                self.at = (numbers[1] - 1, numbers[0] - 1);
            }
            rest = &rest[end + 1..];
        }
    }

    /// Overwriting half of a wide symbol removes it.
    fn print(&mut self, character: char) {
        let (x, y) = self.at;
        let width = (self.width)(character);
        for at in x..x + width {
            let row = &mut self.cells[y];
            let Some(before) = row.get(at).cloned() else { continue };
            if before.is_empty() {
                row[at - 1] = " ".to_owned();
            }
            if row.get(at + 1).is_some_and(String::is_empty) {
                row[at + 1] = " ".to_owned();
            }
            row[at] = if at == x { character.to_string() } else { String::new() };
        }
        self.at.0 += width;
    }

    fn row(&self, y: usize) -> &[String] {
        &self.cells[y]
    }
}

fn by_character(it: char) -> usize {
    it.width().unwrap_or(0)
}

fn all_wide(it: char) -> usize {
    if it.is_ascii() { 1 } else { 2 }
}

fn all_narrow(_: char) -> usize {
    1
}

/// Draws the frames one after the other; returns what the terminal shows then.
fn play(frames: &[String], width: fn(char) -> usize) -> Emulator {
    let (screen, written) = Screen::recorded();
    let options = TerminalOptions { viewport: Viewport::Fixed(AREA) };
    let mut terminal = Terminal::with_options(screen, options).unwrap();
    let mut emulator = Emulator::new(width);
    let mut graphemes = Graphemes::default();
    for text in frames {
        terminal
            .draw(|frame| {
                frame.buffer_mut().set_string(0, 0, text, Style::new());
                graphemes.settle(frame.buffer_mut());
            })
            .unwrap();
        let bytes = std::mem::take(&mut *written.lock().unwrap());
        emulator.take(&String::from_utf8(bytes).unwrap());
    }
    emulator
}

#[test]
fn text_behind_a_grapheme_is_whole_whatever_width_the_terminal_gives_it() {
    for width in [by_character, all_wide, all_narrow] {
        for word in WORDS {
            let emulator = play(&[format!("{word} seed=7")], width);
            let shown = emulator.row(0).concat();
            assert!(shown.ends_with(&format!(" seed=7{}", &shown[shown.trim_end().len()..])), "{shown:?}");
            let from =
                usize::from(AREA.width) - emulator.row(0).iter().rev().take_while(|it| *it == " ").count();
            assert_eq!(from, word.width() + 7, "no column moved: {shown:?}");
        }
    }
}

#[test]
fn no_half_of_a_wide_character_remains() {
    for width in [by_character, all_wide, all_narrow] {
        for word in WORDS {
            let frames = [format!("a {word} b {word}"), "c".to_owned(), format!("{word}d"), String::new()];
            for count in [2, 4] {
                let emulator = play(&frames[..count], width);
                let shown = emulator.row(0).concat();
                assert_eq!(shown.trim_end(), if count == 2 { "c" } else { "" }, "{word:?}");
            }
        }
    }
}

#[test]
fn cells_below_a_grapheme_are_cleared_if_the_terminal_draws_it_narrow() {
    let emulator = play(&["xxxxxxxx".to_owned(), format!("{}xxxxxx", WORDS[2])], all_narrow);
    assert_eq!(emulator.row(0)[1].trim(), "\u{FE0F}");
    let narrow = play(&["xx".to_owned(), "\u{1F680}".to_owned()], all_narrow);
    assert_eq!(narrow.row(0).concat().trim_end(), "\u{1F680}");
}

#[test]
fn the_width_of_the_glyphs_of_the_ui_is_not_ambiguous() {
    for symbol in ["✓", "✗", "▶", "★", "●", "─", "日", "é", "a", "\u{10EEEE}\u{305}", "\u{1b}[1X"]
    {
        assert!(!is_contested(symbol), "{symbol}");
    }
    assert!(WORDS.iter().all(|word| {
        use unicode_segmentation::UnicodeSegmentation as _;
        word.graphemes(true).all(is_contested)
    }));
}

#[test]
fn a_wide_character_at_the_edge_does_not_continue_in_the_next_line() {
    let text = format!("{}{}", " ".repeat(38), WORDS[0]);
    let emulator = play(&[text], all_wide);
    assert_eq!(emulator.row(1).concat().trim(), "");
}
