//! Pictures whose data is in one cell (iTerm2, sixel): the terminal draws them over the following cells.

use std::num::NonZeroU16;

use ratatui::buffer::{Buffer, CellDiffOption};
use ratatui::layout::Rect;

/// The width that a cell takes on the screen, whatever its symbol says.
pub(super) const ONE_COLUMN: CellDiffOption = CellDiffOption::ForcedWidth(NonZeroU16::MIN);

/// Returns cells of which the first carries the whole picture and the others are never written.
pub(super) fn cells(data: &str, (width, height): (u16, u16)) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
    for cell in &mut buffer.content {
        cell.set_diff_option(CellDiffOption::Skip);
    }
    if let Some(first) = buffer.content.first_mut() {
        first.set_symbol(data).set_diff_option(ONE_COLUMN);
    }
    buffer
}
