//! Draws the inspector: a line about the node, tabs, the page.

use fanlight_shared::time::human_duration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::page::DrawContext;
use super::{Inspector, Tab, content};
use crate::ui::areas::{Areas, Hit};
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::node;
use crate::ui::theme::{Theme, node_glyph};

/// Rows above the page.
const HEADER_HEIGHT: u16 = 2;

pub(super) fn view(
    inspector: &Inspector,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let run = model.lens().map(|lens| format!(" · #{}", lens.run.number)).unwrap_or_default();
    let title = format!("{}{}{run}", inspector.node, inspector.item);
    let inside = screen(&title, model, theme, area, buffer, areas);
    areas.nodes.push(inspector.node.clone());
    if inside.height <= HEADER_HEIGHT {
        return;
    }
    head(inspector, model, theme, Rect { height: 1, ..inside }, buffer, areas);
    let page = place(inside);
    let rows = content::page(inspector, model, theme);
    let ending = rows.ending(page, inspector.wrap);
    let follows = inspector.tab == Tab::Log && inspector.follow;
    let first = if follows { ending } else { inspector.top.min(rows.len().saturating_sub(1)) };
    let context = DrawContext { model, theme, wanted: &inspector.search.to_lowercase() };
    let mut y = page.y;
    for row in first..rows.len() {
        if y >= page.bottom() {
            break;
        }
        y = rows.draw(row, y, page, inspector.wrap, &context, buffer);
    }
    if inspector.tab == Tab::Metrics
        && let Some(due) = inspector.curves.due_in(model.now)
    {
        areas.tick_in(due);
    }
    if ending > 0 {
        let share = (first * 100).checked_div(ending).unwrap_or(0).min(100);
        let words = if follows { "following".to_owned() } else { format!("{share} %") };
        let columns = u16::try_from(words.len()).unwrap_or(0);
        let x = inside.right().saturating_sub(columns);
        buffer.set_string(x, inside.y + 1, words, theme.dim);
    }
}

/// Returns the area of the page below its head.
pub(super) fn place(inside: Rect) -> Rect {
    let head = HEADER_HEIGHT.min(inside.height);
    Rect { y: inside.y + head, height: inside.height - head, ..inside }
}

/// Draws state and time on the right, tabs on the left.
fn head(
    inspector: &Inspector,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let mut x = area.x;
    for (index, tab) in inspector.tabs(model).into_iter().enumerate() {
        let style = if tab == inspector.tab { theme.accent } else { theme.dim };
        let columns = u16::try_from(tab.title().len()).unwrap_or(0).min(area.right().saturating_sub(x));
        let place = Rect { x, width: columns, ..area };
        Line::styled(tab.title(), style).render(place, buffer);
        areas.hit(place, Hit::Tab(index));
        x = (x + columns + 2).min(area.right());
    }
    let Some(instance) = inspector.instance(model) else { return };
    let beat = if model.options.motion { model.beat } else { 0 };
    let glyph = node_glyph(instance.status, beat, model.options.ascii);
    let mut spans =
        vec![Span::styled(format!("{glyph} {}", node::ended_word(instance)), theme.node(instance.status))];
    if let Some(started) = instance.started_at() {
        let took = instance.ended_at.unwrap_or(model.now).since(started);
        spans.push(Span::styled(format!(" · {}", human_duration(took)), theme.text));
    }
    let line = Line::from(spans);
    let columns = u16::try_from(line.width()).unwrap_or(0);
    if x + columns < area.right() {
        line.render(Rect { x: area.right() - columns, width: columns, ..area }, buffer);
    }
}
