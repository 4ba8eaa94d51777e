//! Frames of panes and layers.

use ratatui::buffer::Buffer;
use ratatui::layout::{Alignment, Rect};
use ratatui::style::Style;
use ratatui::symbols::border;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Widget};

use crate::ui::areas::Areas;
use crate::ui::fit::fit;
use crate::ui::model::Model;
use crate::ui::pane::Pane;
use crate::ui::theme::Theme;

pub(in crate::ui) const ASCII: border::Set = border::Set {
    top_left: "+",
    top_right: "+",
    bottom_left: "+",
    bottom_right: "+",
    vertical_left: "|",
    vertical_right: "|",
    horizontal_top: "-",
    horizontal_bottom: "-",
};

fn block(model: &Model) -> Block<'static> {
    Block::bordered().border_set(if model.options.ascii { ASCII } else { border::ROUNDED })
}

/// Draws the frame of a pane, highlighted if it has the focus. Returns its inside.
pub(in crate::ui) fn pane(
    model: &Model,
    theme: &Theme,
    which: Pane,
    (left, right): &(String, String),
    area: Rect,
    buffer: &mut Buffer,
) -> Rect {
    let lit = model.pane == which && model.layers.is_empty();
    let style = if lit { theme.accent } else { theme.border };
    let number = Pane::ALL.iter().position(|it| *it == which).unwrap_or(0) + 1;
    let mut title = vec![Span::styled(format!(" {number} "), style), Span::styled(which.title(), style)];
    if !left.is_empty() {
        title.push(Span::styled(format!("  {left}"), if lit { theme.text } else { theme.dim }));
    }
    title.push(Span::raw(" "));
    let mut block = block(model).border_style(style).title(Line::from(title));
    if !right.is_empty() {
        block = block.title(Line::styled(format!(" {right} "), theme.dim).alignment(Alignment::Right));
    }
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}

/// Draws a frame in the middle of the screen, `size` cells including the frame. Returns its inside, one column away
/// from the frame.
pub fn popup(
    title: &str,
    (width, height): (u16, u16),
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    let place =
        Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 3, width, height };
    framed(title, model, theme, place, buffer, areas)
}

/// Draws a frame around the whole screen. Returns its inside, one column away from the frame.
pub fn screen(
    title: &str,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) -> Rect {
    framed(title, model, theme, area, buffer, areas)
}

/// Draws the frame of a tile with its title. Returns its inside.
pub fn tile(title: &str, style: Style, model: &Model, area: Rect, buffer: &mut Buffer) -> Rect {
    let mut block = block(model).border_style(style);
    if !title.is_empty() {
        let room = usize::from(area.width).saturating_sub(4);
        block = block.title(Line::styled(format!(" {} ", fit(title, room)), style));
    }
    let inside = block.inner(area);
    block.render(area, buffer);
    inside
}

fn framed(
    title: &str,
    model: &Model,
    theme: &Theme,
    place: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) -> Rect {
    Clear.render(place, buffer);
    let block =
        block(model).border_style(theme.accent).title(Line::styled(format!(" {title} "), theme.accent));
    let inner = block.inner(place);
    block.render(place, buffer);
    buffer.set_style(inner, theme.text);
    let inside = Rect { x: inner.x + 1.min(inner.width), width: inner.width.saturating_sub(2), ..inner };
    areas.layer = Some(inside);
    inside
}
