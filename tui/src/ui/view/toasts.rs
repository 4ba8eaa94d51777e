//! Short messages at the bottom right, where they cover neither titles nor the first rows of the queue.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::{Block, Clear, Widget};
use unicode_width::UnicodeWidthStr;

use crate::ui::areas::{Areas, Hit};
use crate::ui::frame;
use crate::ui::model::Model;
use crate::ui::theme::Theme;
use crate::ui::toast::Tone;
use crate::ui::wrap::wrap;

/// The maximum width of a message, without its frame.
const MAX_WIDTH: u16 = 56;
/// The maximum number of lines of a message.
const MAX_LINES: u16 = 6;

pub(super) fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let mut bottom = area.bottom();
    // The newest is at the bottom, older ones are above.
    for (index, toast) in model.toasts.shown.iter().enumerate().rev() {
        let style = match toast.tone {
            Tone::Good => theme.good,
            Tone::Note => theme.warning,
            Tone::Bad => theme.bad,
        };
        let widest = toast.text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0);
        let columns =
            u16::try_from(widest).unwrap_or(u16::MAX).min(MAX_WIDTH).min(area.width.saturating_sub(4));
        let lines = wrap(&toast.text, columns);
        let rows = u16::try_from(lines.len()).unwrap_or(u16::MAX).clamp(1, MAX_LINES);
        let height = rows + 2;
        if bottom.saturating_sub(area.y) < height {
            break;
        }
        bottom -= height;
        let place =
            Rect { x: area.right().saturating_sub(columns + 4), y: bottom, width: columns + 4, height };
        Clear.render(place, buffer);
        let set = if model.options.ascii { frame::ASCII } else { ratatui::symbols::border::ROUNDED };
        let block = Block::bordered().border_set(set).border_style(style);
        let inner = block.inner(place);
        block.render(place, buffer);
        let inside = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
        for (y, line) in (inside.y..inside.bottom()).zip(lines) {
            Line::styled(line, theme.text).render(Rect { y, height: 1, ..inside }, buffer);
        }
        areas.hit(place, Hit::Toast(index));
    }
    if let Some(milliseconds) = model.toasts.next_change(model.now) {
        areas.tick_in(milliseconds);
    }
}
