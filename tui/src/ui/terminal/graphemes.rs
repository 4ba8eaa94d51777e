//! Graphemes whose width differs between terminals: flags, joined and modified emoji, variation selectors, combined
//! characters. Their cells are cleared before they are drawn, and the cells that they may reach are drawn again, so
//! that nothing remains whatever their width.

use ratatui::buffer::{Buffer, Cell, CellDiffOption};
use ratatui::layout::{Position, Rect};
use unicode_width::UnicodeWidthStr as _;

/// kitty's placeholder for a part of a picture; its diacritics have no width.
const PLACEHOLDER: char = '\u{10EEEE}';

/// Returns whether the width of a symbol differs between terminals.
#[inline]
pub(super) fn is_contested(symbol: &str) -> bool {
    // Nearly all cells.
    if symbol.len() <= 1 {
        return false;
    }
    let mut characters = symbol.chars();
    let Some(first) = characters.next() else { return false };
    if first.is_control() || first == PLACEHOLDER {
        // A picture.
        return false;
    }
    characters.next().is_some() || is_emoji(first)
}

/// Returns whether a character by itself may be drawn as a two-column emoji. Those that the UI uses are drawn as text
/// everywhere.
fn is_emoji(character: char) -> bool {
    matches!(character,
        '\u{231A}'..='\u{231B}' | '\u{2328}' | '\u{23CF}' | '\u{23E9}'..='\u{23FA}'
        | '\u{2600}'..='\u{2604}' | '\u{2606}'..='\u{2712}' | '\u{2714}'..='\u{2716}' | '\u{2718}'..='\u{27BF}'
        | '\u{2934}'..='\u{2935}' | '\u{2B05}'..='\u{2B07}' | '\u{2B1B}'..='\u{2B1C}' | '\u{2B50}' | '\u{2B55}'
        | '\u{3030}' | '\u{303D}' | '\u{3297}' | '\u{3299}' | '\u{1F000}'..='\u{1FBFF}')
        && !matches!(character, '\u{1FB00}'..='\u{1FBFF}')
}

/// Returns its width in columns in this UI.
pub(super) fn columns(symbol: &str) -> u16 {
    u16::try_from(symbol.width()).unwrap_or(u16::MAX).max(1)
}

/// Returns its maximum width in columns, on a terminal that draws each character separately.
fn reach(symbol: &str) -> u16 {
    let each = symbol.chars().map(|it| if it.is_ascii() { 1 } else { 2 }).sum::<usize>();
    u16::try_from(each).unwrap_or(u16::MAX).max(columns(symbol))
}

/// The graphemes of the last frame, and the cells to draw again because of them.
#[derive(Debug, Default)]
pub(super) struct Graphemes {
    area: Rect,
    shown: Vec<(Position, Cell)>,
}

impl Graphemes {
    /// Called with each frame after it is drawn and before it is compared with the previous one.
    pub(super) fn settle(&mut self, buffer: &mut Buffer) {
        if self.area != buffer.area {
            // The terminal was cleared.
            self.shown.clear();
            self.area = buffer.area;
        }
        let mut now = Vec::new();
        let contested = buffer.content.iter().enumerate().filter(|(_, cell)| is_contested(cell.symbol()));
        for at in contested.map(|(at, _)| at).collect::<Vec<_>>() {
            let (x, y) = buffer.pos_of(at);
            if reach(buffer.content[at].symbol()) > buffer.area.right() - x {
                // It could continue in the next line.
                buffer.content[at].set_symbol(" ");
                continue;
            }
            now.push((Position { x, y }, buffer.content[at].clone()));
        }
        if self.shown.is_empty() && now.is_empty() {
            return;
        }
        for y in buffer.area.top()..buffer.area.bottom() {
            let of_row = |all: &[(Position, Cell)]| -> Vec<(Position, Cell)> {
                all.iter().filter(|(at, _)| at.y == y).cloned().collect()
            };
            let (before, after) = (of_row(&self.shown), of_row(&now));
            let first = before.iter().filter(|it| !after.contains(it));
            let first = first.chain(after.iter().filter(|it| !before.contains(it))).map(|(at, _)| at.x).min();
            let Some(first) = first else { continue };
            let ends = before.iter().chain(&after).map(|(at, cell)| at.x + reach(cell.symbol()));
            let end = ends.max().unwrap_or(first).min(buffer.area.right());
            for x in first..end {
                if let Some(cell) = buffer.cell_mut((x, y))
                    && cell.diff_option == CellDiffOption::None
                {
                    cell.diff_option = CellDiffOption::AlwaysUpdate;
                }
            }
        }
        self.shown = now;
    }

    /// Forgets what was drawn, after the terminal was cleared.
    pub(super) fn forget(&mut self) {
        self.shown.clear();
    }
}

#[cfg(test)]
mod tests;
