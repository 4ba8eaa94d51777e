//! The possible continuations of a key sequence, shown after a pause.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use crate::ui::areas::Areas;
use crate::ui::frame::popup;
use crate::ui::model::Model;
use crate::ui::shell;
use crate::ui::theme::Theme;

/// The pause in milliseconds.
const POPUP_DELAY: u64 = 300;

pub(super) fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    if model.pending.is_empty() {
        return;
    }
    let waited = u64::try_from(model.now.since(model.pending_since).as_millis()).unwrap_or(u64::MAX);
    if waited < POPUP_DELAY {
        areas.tick_in(POPUP_DELAY - waited);
        return;
    }
    let rows = model.keymap.continuations(&shell::scopes(model), &model.pending);
    let begun: Vec<String> = model.pending.iter().map(ToString::to_string).collect();
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2).min(area.height);
    let low = Rect {
        y: area.bottom() - height,
        height,
        x: area.right().saturating_sub(36),
        width: 36.min(area.width),
    };
    let inside = popup(&begun.join(" "), (low.width, height), model, theme, low, buffer, areas);
    for (row, (key, action)) in (inside.y..inside.bottom()).zip(rows) {
        let line = Line::from(vec![
            Span::styled(format!("{key:<8}"), theme.key),
            Span::styled(action.info().words, theme.text),
        ]);
        line.render(Rect { y: row, height: 1, ..inside }, buffer);
    }
}
