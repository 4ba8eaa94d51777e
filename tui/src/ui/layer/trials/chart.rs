//! Draws the values of trials: in the order in which they ended, with the best so far; with two objectives one over the other, with
//! the runs that no other one beats.

use fanlight_shared::metric::Goal;
use fanlight_shared::rpc::metrics::Bucket;
use fanlight_shared::rpc::sweeps::TrialRow;
use fanlight_shared::search::{Objective, Outcome};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use super::TrialsOfSearch;
use crate::ui::braille::Canvas;
use crate::ui::fit::fit;
use crate::ui::layer::axis::Axis;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// What dots show.
const PRUNED: u16 = 1;
const COMPLETED: u16 = 2;
const BEST: u16 = 3;

/// A trial in the chart.
struct Point {
    /// Its place among the trials.
    trial: usize,
    at: (f64, f64),
    pen: u16,
}

pub(super) fn view(of: &TrialsOfSearch, model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(search) = &of.search else { return };
    if area.height < 5 || area.width < 20 {
        return;
    }
    let objectives = &search.detail.search.objectives;
    let pair = match objectives.as_slice() {
        [] => return,
        [one] => (None, one),
        [one, two, ..] => (Some(one), two),
    };
    let points = points(&of.trials, pair.0.is_some());
    let Some(()) = points.first().map(|_| ()) else {
        let words = "no trial has a value yet";
        return Line::styled(words, theme.dim).render(Rect { height: 1, ..area }, buffer);
    };
    let completed = || points.iter().filter(|point| point.pen == COMPLETED);
    // Values at which trials were pruned would hide the differences of the others.
    let measured = |axis: fn(&Point) -> f64| {
        let any = completed().next().is_some();
        Axis::of(points.iter().filter(move |point| !any || point.pen == COMPLETED).map(axis))
    };
    let y = measured(|point| point.at.1);
    let x = match pair.0 {
        Some(_) => measured(|point| point.at.0),
        None => Axis::of(points.iter().map(|point| point.at.0)).linear(),
    };
    let place = |at: (f64, f64)| (x.place(at.0), y.place(at.1));
    head(pair, (x, y), theme, model.options.ascii, Rect { height: 1, ..area }, buffer);
    let body = y.at_left(area, theme, buffer);
    let mut canvas = Canvas::new(body.width.into(), body.height.into());
    for pen in [PRUNED, COMPLETED] {
        canvas.pen(pen, false);
        points.iter().filter(|it| it.pen == pen).for_each(|it| canvas.point(place(it.at), x.range, y.range));
    }
    canvas.pen(BEST, false);
    let best = match pair.0 {
        None => so_far(&points, pair.1),
        Some(_) => front(of, &points),
    };
    let line: Vec<Bucket> = best
        .into_iter()
        .map(|at| {
            let (x, y) = place(at);
            Bucket { x, last: y, min: y, max: y }
        })
        .collect();
    canvas.curve(&line, x.range, y.range);
    for (column, row, dots, pen) in canvas.dotted() {
        let at = (body.x + u16::try_from(column).unwrap_or(0), body.y + u16::try_from(row).unwrap_or(0));
        let (style, plain) = match pen {
            BEST => (theme.good, '#'),
            COMPLETED => (theme.running, '*'),
            _ => (theme.dim, '.'),
        };
        if let Some(cell) = buffer.cell_mut(at) {
            cell.set_char(if model.options.ascii { plain } else { dots }).set_style(style);
        }
    }
    if let Some(point) = points.iter().find(|point| Some(point.trial) == of.here()) {
        lit(place(point.at), (x.range, y.range), model, theme, body, buffer);
    }
    let [from, to] = x.ends();
    buffer.set_string(body.x, body.bottom(), fit(&from, body.width.into()), theme.dim);
    let wide = u16::try_from(to.width()).unwrap_or(0);
    if usize::from(body.width) > from.width() + to.width() {
        buffer.set_string(body.right() - wide, body.bottom(), to, theme.dim);
    }
}

/// Says what the axes and the colours are.
fn head(
    (first, second): (Option<&Objective>, &Objective),
    (x, y): (Axis, Axis),
    theme: &Theme,
    ascii: bool,
    area: Rect,
    buffer: &mut Buffer,
) {
    let words = match first {
        None => format!("{}{} over trials", second.name, y.note()),
        Some(first) => format!("{}{} over {}{}", second.name, y.note(), first.name, x.note()),
    };
    let line = if first.is_some() { " no other run beats" } else { " best so far" };
    let mark = if ascii { " #" } else { " ━" };
    let pruned = if ascii { " . pruned" } else { " ⠂ pruned" };
    Line::from(vec![
        Span::styled(words, theme.accent),
        Span::styled(format!("  {mark}"), theme.good),
        Span::styled(format!("{line} "), theme.dim),
        Span::styled(pruned, theme.dim),
    ])
    .render(area, buffer);
}

/// Returns the trials with values: over their place, or with two objectives the second over the first.
#[allow(clippy::cast_precision_loss)]
fn points(trials: &[TrialRow], two: bool) -> Vec<Point> {
    let point = |(trial, row): (usize, &TrialRow)| {
        let number = (trial + 1) as f64;
        let (at, pen) = match (&row.outcome, two) {
            (Some(Outcome::Completed { values }), false) => ((number, values.first()?.0), COMPLETED),
            (Some(Outcome::Completed { values }), true) => ((values.first()?.0, values.get(1)?.0), COMPLETED),
            (Some(Outcome::Pruned { value, .. }), false) => ((number, value.0), PRUNED),
            _ => return None,
        };
        (at.0.is_finite() && at.1.is_finite()).then_some(Point { trial, at, pen })
    };
    trials.iter().enumerate().filter_map(point).collect()
}

/// Returns the best value after each trial, as steps.
fn so_far(points: &[Point], objective: &Objective) -> Vec<(f64, f64)> {
    let mut steps: Vec<(f64, f64)> = Vec::new();
    for point in points.iter().filter(|point| point.pen == COMPLETED) {
        match steps.last().copied() {
            Some((_, best)) if !objective.is_better(point.at.1, best) => steps.push((point.at.0, best)),
            Some((_, best)) => steps.extend([(point.at.0, best), point.at]),
            None => steps.push(point.at),
        }
    }
    steps
}

/// Returns the runs that no other one beats, from the left to the right.
fn front(of: &TrialsOfSearch, points: &[Point]) -> Vec<(f64, f64)> {
    let best = points.iter().filter(|point| of.is_best(&of.trials[point.trial]));
    let mut front: Vec<(f64, f64)> = best.map(|point| point.at).collect();
    front.sort_by(|a, b| a.0.total_cmp(&b.0));
    front
}

/// Marks the trial under the cursor.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn lit(
    (a, b): (f64, f64),
    (x, y): ((f64, f64), (f64, f64)),
    model: &Model,
    theme: &Theme,
    body: Rect,
    buffer: &mut Buffer,
) {
    let share = |value: f64, (from, to): (f64, f64)| {
        let share = if to > from { (value / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0) } else { 0.5 };
        share.clamp(0.0, 1.0)
    };
    let column = (share(a, x) * f64::from(body.width - 1)).round() as u16;
    let row = ((1.0 - share(b, y)) * f64::from(body.height - 1)).round() as u16;
    let sign = if model.options.ascii { "@" } else { "◆" };
    buffer.set_string(body.x + column, body.y + row, sign, theme.accent);
}

/// Returns a sign for the direction of an objective.
pub(super) fn direction(goal: Goal, ascii: bool) -> &'static str {
    match (goal, ascii) {
        (Goal::Min, false) => "▼",
        (Goal::Max, false) => "▲",
        (Goal::Min, true) => "v",
        (Goal::Max, true) => "^",
    }
}
