//! Converts a frame to ASCII, including names, labels and values.

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr as _;

use crate::ascii;

/// Replaces other characters, cell by cell, except pictures that the terminal draws itself.
pub(super) fn settle(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        let symbol = cell.symbol();
        if symbol.is_ascii() || symbol.starts_with('\u{1b}') {
            continue;
        }
        let columns = symbol.width();
        let mut plain = ascii::text(symbol).into_owned();
        plain.truncate(columns);
        while plain.len() < columns {
            plain.push(' ');
        }
        cell.set_symbol(&plain);
    }
}
