//! Draws the axes, the lines of runs between them, and the values of one run.

use fanlight_shared::rpc::metrics::Bucket;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::ParallelAxes;
use crate::ui::areas::{Areas, Hit};
use crate::ui::braille::Canvas;
use crate::ui::fit::fit;
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// The least columns from one axis to the next; if all don't fit, those around the cursor are shown.
const MIN_GAP: u16 = 14;
/// The most lines of runs that are drawn. Of more runs, this many are, evenly chosen in the order of their ranks.
const MAX_LINES: usize = 2_000;
/// One run in this many is among the best.
const BEST: usize = 10;

/// What the lines of runs show.
const REST: u16 = 1;
const GOOD: u16 = 2;
const MARKED: u16 = 3;
const LIT: u16 = 4;

pub(super) fn view(
    of: &ParallelAxes,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let inside = screen(&title(of), model, theme, area, buffer, areas);
    if inside.height < 7 || inside.width < 20 {
        return;
    }
    values(of, theme, Rect { y: inside.bottom() - 1, height: 1, ..inside }, buffer);
    let shown = in_view(of, inside.width);
    let body = Rect { y: inside.y + 2, height: inside.height - 5, ..inside };
    let places: Vec<u16> = places(shown.len(), body);
    lines(of, &shown, &places, body, model, theme, buffer);
    for ((at, x), number) in shown.iter().zip(&places).zip(0..) {
        let axis = &of.axes[of.order[*at]];
        let style = if *at == of.cursor { theme.accent } else { theme.dim };
        for y in body.y..body.bottom() {
            if let Some(cell) = buffer.cell_mut((*x, y))
                && (cell.symbol() == " " || *at == of.cursor)
            {
                cell.set_symbol(if model.options.ascii { "|" } else { "│" }).set_style(style);
            }
        }
        let room = label_room(number, &places, body);
        let goal = axis.goal.map_or("", |goal| match (goal, model.options.ascii) {
            (fanlight_shared::metric::Goal::Min, true) => " v",
            (fanlight_shared::metric::Goal::Min, false) => " ▼",
            (fanlight_shared::metric::Goal::Max, true) => " ^",
            (fanlight_shared::metric::Goal::Max, false) => " ▲",
        });
        let name = fit(&format!("{}{}", axis.name, axis.note), room.1.saturating_sub(goal.width()));
        let [low, high] =
            if axis.flipped { [&axis.ends[1], &axis.ends[0]] } else { [&axis.ends[0], &axis.ends[1]] };
        let bold = if *at == of.cursor { theme.accent } else { theme.text };
        label(&format!("{name}{goal}"), *x, room, inside.y, bold, buffer);
        label(high, *x, room, inside.y + 1, theme.dim, buffer);
        label(low, *x, room, body.bottom(), theme.dim, buffer);
        if axis.words.len() > 2 {
            between(axis, *x, body, model, theme, buffer);
        }
        let target = Rect {
            x: room.0,
            y: inside.y,
            width: u16::try_from(room.1).unwrap_or(1),
            height: inside.height - 1,
        };
        areas.hit(target.intersection(inside), Hit::Row(*at));
    }
}

fn title(of: &ParallelAxes) -> String {
    let mut title = format!("{} runs", of.runs.len());
    if of.runs.len() > MAX_LINES {
        title = format!("{MAX_LINES} of {title} drawn");
    }
    title.push_str(&format!(" · ranked by {}", of.axes[of.ranked_by].name));
    let (shown, all) = (of.order.len(), of.axes.len());
    if shown < all {
        title.push_str(&format!(" · {shown} of {all} axes"));
    }
    if of.further {
        title.push_str(" · further columns are left out");
    }
    title
}

/// Returns the shown axes that fit, by their place in the order, with the one under the cursor among them.
fn in_view(of: &ParallelAxes, width: u16) -> Vec<usize> {
    let fits = usize::from(width / MIN_GAP).max(2).min(of.order.len());
    let first = of.cursor.saturating_sub(fits / 2).min(of.order.len() - fits);
    (first..first + fits).collect()
}

/// Returns the columns of this many axes.
fn places(count: usize, area: Rect) -> Vec<u16> {
    // Room for half a label on both sides.
    let margin = (area.width / u16::try_from(count.max(1)).unwrap_or(1) / 2).min(MIN_GAP / 2);
    let wide = usize::from(area.width.saturating_sub(2 * margin + 1));
    let place = |at: usize| u16::try_from(wide * at / (count - 1).max(1)).unwrap_or(0);
    (0..count).map(|at| area.x + margin + place(at)).collect()
}

/// Returns the first column and the width of the labels of an axis.
fn label_room(number: usize, places: &[u16], area: Rect) -> (u16, usize) {
    let here = places[number];
    let half = |to: Option<&u16>| to.map(|to| here.abs_diff(*to) / 2);
    let before = half(number.checked_sub(1).and_then(|at| places.get(at))).unwrap_or(here - area.x);
    let after = half(places.get(number + 1)).unwrap_or(area.right() - 1 - here);
    let reach = before.min(after).max(1);
    (here - reach.min(here), usize::from(2 * reach).saturating_sub(1))
}

fn label(text: &str, x: u16, (first, room): (u16, usize), y: u16, style: Style, buffer: &mut Buffer) {
    let text = fit(text, room);
    let wide = u16::try_from(text.width()).unwrap_or(0);
    buffer.set_string(x.saturating_sub(wide / 2).max(first), y, text, style);
}

/// Writes the words of an axis between its ends beside it, where nothing is drawn.
fn between(
    axis: &super::scaled::Scaled,
    x: u16,
    area: Rect,
    model: &Model,
    theme: &Theme,
    buffer: &mut Buffer,
) {
    let steps = axis.words.len() - 1;
    let rows = usize::from(area.height - 1);
    if steps > rows / 2 {
        return;
    }
    for (at, word) in axis.words.iter().enumerate().take(steps).skip(1) {
        let from_below = if axis.flipped { steps - at } else { at };
        let y = area.bottom() - 1 - u16::try_from(rows * from_below / steps).unwrap_or(0);
        let word = fit(word, usize::from(MIN_GAP) - 4);
        let room = usize::from(area.right().saturating_sub(x + 2));
        buffer.set_stringn(x + 2, y, &word, room, theme.dim);
        if let Some(cell) = buffer.cell_mut((x, y)) {
            cell.set_symbol(if model.options.ascii { "+" } else { "├" });
        }
    }
}

/// Draws the lines of runs: the best above the rest, then marked ones, then the one that is lit.
fn lines(
    of: &ParallelAxes,
    shown: &[usize],
    places: &[u16],
    area: Rect,
    model: &Model,
    theme: &Theme,
    buffer: &mut Buffer,
) {
    let mut canvas = Canvas::new(area.width.into(), area.height.into());
    let (width, height) = ((0.0, f64::from(area.width) * 2.0 - 1.0), (0.0, 1.0));
    let mut draw = |run: usize, pen: u16| {
        canvas.pen(pen, pen >= MARKED);
        let point = |(at, x): (&usize, &u16)| {
            let y = f64::from(of.axes[of.order[*at]].height(run));
            Bucket { x: f64::from(x - area.x) * 2.0, last: y, min: y, max: y }
        };
        let line: Vec<Bucket> = shown.iter().zip(places).map(point).collect();
        canvas.curve(&line, width, height);
    };
    let drawn = of.ranks.len().min(MAX_LINES);
    let has_goal = of.axes[of.ranked_by].goal.is_some();
    let best = if has_goal { (drawn / BEST).max(1) } else { 0 };
    // The worst first, so that better ones are above.
    for number in (0..drawn).rev() {
        let run = of.ranks[number * of.ranks.len() / drawn];
        draw(run, if number < best { GOOD } else { REST });
    }
    of.marked.iter().take(MAX_LINES).for_each(|run| draw(*run, MARKED));
    of.lit().into_iter().for_each(|run| draw(run, LIT));
    for (column, row, dots, pen) in canvas.dotted() {
        let at = (area.x + u16::try_from(column).unwrap_or(0), area.y + u16::try_from(row).unwrap_or(0));
        let (style, plain) = match pen {
            LIT => (theme.accent, '#'),
            MARKED => (theme.marked, '*'),
            GOOD => (theme.good, '+'),
            _ => (theme.dim, '.'),
        };
        if let Some(cell) = buffer.cell_mut(at) {
            cell.set_char(if model.options.ascii { plain } else { dots }).set_style(style);
        }
    }
}

/// Writes the rank, the name and the values of the run that is lit.
fn values(of: &ParallelAxes, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(run) = of.lit() else { return };
    let mut spans = vec![
        Span::styled(format!("{}. ", of.at + 1), theme.dim),
        Span::styled(of.runs[run].1.clone(), theme.accent),
    ];
    if of.marked.contains(&run) {
        spans.push(Span::styled(" marked", theme.marked));
    }
    let ranked = &of.axes[of.ranked_by];
    let others = of.order.iter().filter(|at| **at != of.ranked_by).map(|at| &of.axes[*at]);
    for axis in std::iter::once(ranked).chain(others) {
        spans.push(Span::styled(format!("  {} ", axis.name), theme.dim));
        spans.push(Span::styled(axis.words_of(run), theme.text));
    }
    Line::from(spans).render(area, buffer);
}
