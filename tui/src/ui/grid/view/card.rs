//! One node at each zoom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::symbols::border;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

use super::body;
use crate::ui::fit::fit;
use crate::ui::frame::ASCII;
use crate::ui::graph::Zoom;
use crate::ui::model::Model;
use crate::ui::node::Facts;
use crate::ui::theme::Theme;

#[derive(Clone, Copy)]
pub(super) struct CardOptions {
    pub(super) selected: bool,
    /// A filter is on, and its name does not match.
    pub(super) dimmed: bool,
    pub(super) ascii: bool,
}

/// Draws a node into an empty area of its size.
pub(super) fn draw(
    zoom: Zoom,
    facts: &Facts<'_>,
    model: &Model,
    options: CardOptions,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    match zoom {
        Zoom::Card | Zoom::Large => card(facts, model, options, theme, area, buffer),
        Zoom::Chip => chip(facts, options, theme, area, buffer),
        Zoom::Dot => dot(facts, options, theme, area, buffer),
    }
    if options.dimmed {
        buffer.set_style(area, theme.dim);
    }
}

fn card(
    facts: &Facts<'_>,
    model: &Model,
    options: CardOptions,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (glyph, style) = facts.glyph(theme);
    // Only running nodes are heavy, so that they stand out.
    let set = match (options.ascii, facts.runs()) {
        (true, _) => ASCII,
        (false, true) => border::THICK,
        (false, false) => border::ROUNDED,
    };
    let frame = if options.selected { theme.accent } else { style.remove_modifier(Modifier::BOLD) };
    let frame = if facts.runs() { style } else { frame };
    let room = usize::from(area.width).saturating_sub(6);
    let name = if options.selected {
        theme.selected
    } else if facts.runs() {
        theme.running
    } else {
        theme.text
    };
    let title = Line::from(vec![
        Span::styled(format!(" {glyph} "), style),
        Span::styled(fit(facts.name, room), name),
        Span::raw(" "),
    ]);
    let block = Block::bordered().border_set(set).border_style(frame).title(title);
    let inner = block.inner(area);
    block.render(area, buffer);
    let inside = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let columns = usize::from(inside.width);
    let badge = facts.badge();
    let taken = badge.as_ref().map_or(0, |badge| badge.chars().count() + 1);
    let row = Rect { height: 1, ..inside };
    Line::from(facts.line(theme, columns.saturating_sub(taken))).render(row, buffer);
    if let Some(badge) = badge {
        let width = u16::try_from(badge.chars().count()).unwrap_or(0);
        buffer.set_string(inside.right().saturating_sub(width), row.y, badge, theme.key);
    }
    let below = Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside };
    if below.height > 1 {
        body::draw(facts, model, (area.width, area.height), theme, below, buffer);
    } else {
        Line::from(facts.value(theme, columns)).render(below, buffer);
    }
}

fn chip(facts: &Facts<'_>, options: CardOptions, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (glyph, style) = facts.glyph(theme);
    let room = usize::from(area.width).saturating_sub(4);
    let name = if facts.runs() { theme.running } else { theme.text };
    let line = Line::from(vec![
        Span::styled(format!(" {glyph} "), style),
        Span::styled(fit(facts.name, room), name),
    ]);
    line.render(area, buffer);
    if options.selected {
        theme.select(area, buffer);
    }
}

fn dot(facts: &Facts<'_>, options: CardOptions, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let (glyph, style) = facts.glyph(theme);
    buffer.set_string(area.x, area.y, glyph, style);
    if options.selected {
        theme.select(area, buffer);
    }
}
