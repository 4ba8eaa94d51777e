//! Draws the list of params, and beside it the runs as points.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::{ImportanceOfParams, Param};
use crate::ui::areas::Areas;
use crate::ui::braille::Canvas;
use crate::ui::fit::fit;
use crate::ui::frame::screen;
use crate::ui::layer::axis::Axis;
use crate::ui::layer::list;
use crate::ui::model::Model;
use crate::ui::node::bar_spans;
use crate::ui::theme::Theme;

/// The columns of the list, where the points are beside it; below that width they are under it.
const LIST_WIDTH: u16 = 44;
const WIDE: u16 = 90;
const BAR: usize = 10;
/// The weakest rank correlation that is called a direction.
const DIRECTION_FROM: f64 = 0.1;

pub(super) fn view(
    of: &ImportanceOfParams,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let inside = screen(&format!("Which params matter for {}", of.target), model, theme, area, buffer, areas);
    if inside.height < 3 {
        return;
    }
    let words = match model.options.ascii {
        true => {
            "share of the differences that goes with a param (eta squared, Kruskal-Wallis); + grows with it"
        }
        false => "share of the differences that goes with a param (η², Kruskal–Wallis) · ▲ grows with it",
    };
    Line::styled(fit(words, inside.width.into()), theme.dim).render(Rect { height: 1, ..inside }, buffer);
    let rest = Rect { y: inside.y + 2, height: inside.height - 2, ..inside };
    let (left, right) = divide(rest, of.params.len());
    let name_width = usize::from(left.width).saturating_sub(BAR + 10);
    list::view(of.cursor, of.params.len(), theme, left, buffer, areas, |row| {
        let param = &of.params[row];
        let name = fit(&param.name, name_width);
        let blank = " ".repeat(name_width.saturating_sub(name.width()) + 1);
        let mut spans = vec![Span::styled(name, theme.text), Span::raw(blank)];
        spans.extend(bar_spans(param.found.share, BAR, theme, model.options.ascii));
        spans.push(Span::styled(format!(" {:.2} ", param.found.share), theme.text));
        spans.push(Span::styled(direction(param, model.options.ascii), theme.dim));
        Line::from(spans)
    });
    if let Some(param) = of.params.get(of.cursor.at) {
        points(of, param, model, theme, right, buffer);
    }
}

/// Returns the parts for the list and for the points: side by side, or one below the other.
fn divide(area: Rect, params: usize) -> (Rect, Rect) {
    if area.width >= WIDE {
        let right = Rect { x: area.x + LIST_WIDTH + 2, width: area.width - LIST_WIDTH - 2, ..area };
        return (Rect { width: LIST_WIDTH, ..area }, right);
    }
    let height = u16::try_from(params).unwrap_or(u16::MAX).min(area.height / 3).max(1);
    let used = (height + 1).min(area.height);
    (Rect { height, ..area }, Rect { y: area.y + used, height: area.height - used, ..area })
}

/// Returns a sign for whether the column grows with the param.
fn direction(param: &Param, ascii: bool) -> &'static str {
    let (up, down) = if ascii { ("+", "-") } else { ("▲", "▼") };
    match param.found.correlation {
        Some(correlation) if correlation > DIRECTION_FROM => up,
        Some(correlation) if correlation < -DIRECTION_FROM => down,
        _ => " ",
    }
}

fn points(
    of: &ImportanceOfParams,
    param: &Param,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    if area.height < 4 || area.width < 16 {
        return;
    }
    let x = Axis::of(param.points.iter().map(|it| it.0));
    let y = Axis::of(param.points.iter().map(|it| it.1));
    let runs = param.points.len();
    let title = format!("{}{} over {}{}, {runs} runs", of.target, y.note(), param.name, x.note());
    Line::styled(fit(&title, area.width.into()), theme.accent).render(Rect { height: 1, ..area }, buffer);
    let body = y.at_left(area, theme, buffer);
    let mut canvas = Canvas::new(body.width.into(), body.height.into());
    for (a, b) in &param.points {
        canvas.point((x.place(*a), y.place(*b)), x.range, y.range);
    }
    for (column, row, dots, _) in canvas.dotted() {
        let at = (body.x + u16::try_from(column).unwrap_or(0), body.y + u16::try_from(row).unwrap_or(0));
        if let Some(cell) = buffer.cell_mut(at) {
            cell.set_char(if model.options.ascii { '*' } else { dots }).set_style(theme.running);
        }
    }
    let below = Rect { y: body.bottom(), height: 1, ..body };
    let words = if param.words.is_empty() { &x.ends()[..] } else { &param.words };
    spread(words, theme, below, buffer);
}

/// Writes words along an axis, the first at its start and the last at its end.
fn spread(words: &[String], theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let room = (usize::from(area.width) / words.len().max(1)).saturating_sub(1).max(1);
    let steps = words.len().saturating_sub(1).max(1);
    for (number, word) in words.iter().enumerate() {
        let word = fit(word, room);
        let wide = u16::try_from(word.width()).unwrap_or(area.width);
        let place = usize::from(area.width.saturating_sub(1)) * number / steps;
        let place = u16::try_from(place).unwrap_or(0);
        let start = place.saturating_sub(wide / 2).min(area.width.saturating_sub(wide));
        buffer.set_string(area.x + start, area.y, word, theme.dim);
    }
}
