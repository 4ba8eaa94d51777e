//! The inspector as it is drawn: a line about the node, tabs, the page.

use fanlight_shared::sanitise::width;
use fanlight_shared::time::human_duration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{Inspector, Tab, content};
use crate::ui::fit::fit;
use crate::ui::model::Model;
use crate::ui::theme::{Theme, node_glyph};
use crate::ui::view::{Areas, Hit, screen};
use crate::ui::wrap::wrap;

/// Rows above the page.
const HEAD: u16 = 2;

pub(super) fn view(
    inspector: &Inspector,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let run = model.lens.as_ref().map(|lens| format!(" · #{}", lens.run.number)).unwrap_or_default();
    let title = format!("{}{}{run}", inspector.node, inspector.item);
    let inside = screen(&title, model, theme, area, buffer, areas);
    if inside.height <= HEAD {
        return;
    }
    head(inspector, model, theme, Rect { height: 1, ..inside }, buffer, areas);
    let page = Rect { y: inside.y + HEAD, height: inside.height - HEAD, ..inside };
    let lines = content::lines(inspector, model, theme);
    let ending = first_at_end(&lines, inspector.wrap, Some(inside));
    let follows = inspector.tab == Tab::Log && inspector.follow;
    let first = if follows { ending } else { inspector.top.min(lines.len().saturating_sub(1)) };
    let wanted = inspector.search.to_lowercase();
    let mut y = page.y;
    'page: for (text, style) in lines.iter().skip(first) {
        let rows = if inspector.wrap { wrapped(text, page.width) } else { vec![fit(text, page.width.into())] };
        for row in rows {
            if y >= page.bottom() {
                break 'page;
            }
            buffer.set_stringn(page.x, y, &row, page.width.into(), *style);
            mark(&row, &wanted, page.x, y, theme, buffer);
            y += 1;
        }
    }
    if lines.len() > usize::from(page.height) {
        let share = (first * 100).checked_div(ending.max(1)).unwrap_or(0).min(100);
        let words = if follows { " following ".to_owned() } else { format!(" {share} % ") };
        let columns = u16::try_from(words.len()).unwrap_or(0);
        let x = inside.right().saturating_sub(columns);
        buffer.set_string(x, inside.y + 1, words, theme.dim);
    }
}

/// State and time on the right, tabs on the left.
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
        vec![Span::styled(format!("{glyph} {}", instance.status.word()), theme.node(instance.status))];
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

fn wrapped(text: &str, columns: u16) -> Vec<String> {
    let rows = wrap(text, columns);
    if rows.is_empty() { vec![String::new()] } else { rows }
}

/// Marks what is searched for in a row that was drawn.
fn mark(row: &str, wanted: &str, x: u16, y: u16, theme: &Theme, buffer: &mut Buffer) {
    let lower = row.to_lowercase();
    // Where lower case has other lengths, places would not be those of the row.
    if wanted.is_empty() || lower.len() != row.len() {
        return;
    }
    for (at, found) in lower.match_indices(wanted) {
        let Some(before) = row.get(..at) else { continue };
        let from = x + u16::try_from(width(before)).unwrap_or(0);
        let columns = u16::try_from(width(found)).unwrap_or(0);
        let place = Rect { x: from, y, width: columns, height: 1 }.intersection(buffer.area);
        buffer.set_style(place, theme.matched);
    }
}

/// The first line in view when the last one is.
pub(super) fn first_at_end(lines: &[(String, Style)], wraps: bool, area: Option<Rect>) -> usize {
    let (columns, height) = area.map_or((80, 20), |area| (area.width, area.height.saturating_sub(HEAD)));
    let mut left = usize::from(height);
    for (index, (text, _)) in lines.iter().enumerate().rev() {
        let rows = if wraps { wrapped(text, columns).len() } else { 1 };
        if rows > left {
            return (index + 1).min(lines.len().saturating_sub(1));
        }
        left -= rows;
    }
    0
}
