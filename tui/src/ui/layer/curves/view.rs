//! Draws the screen: the enlarged metric and its legend, below them a small plot of each metric.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line as Words, Span};
use ratatui::widgets::Widget;

use super::CurvesOfRuns;
use super::legend::{self, Row};
use crate::text::number;
use crate::ui::areas::{Areas, Hit};
use crate::ui::curves::line::Line;
use crate::ui::curves::plot::{Plot, Stroke};
use crate::ui::fit::fit;
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// The fewest columns of a screen with the legend beside the plot, and the columns of that legend.
const WIDE: u16 = 90;
const LEGEND_WIDTH: u16 = 42;
/// The fewest columns of a small plot, and its rows with its title.
const TILE_WIDTH: u16 = 26;
const TILE_HEIGHT: u16 = 6;
/// The fewest rows of a screen with one row of small plots, and with two.
const ONE_ROW: u16 = 16;
const TWO_ROWS: u16 = 40;

/// The letters of curves in ASCII.
const LETTERS: &[u8; 52] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

pub(super) fn view(
    layer: &CurvesOfRuns,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let title = format!("Curves · {}", layer.runs.words());
    let inside = screen(&title, model, theme, area, buffer, areas);
    if let Some(due) = [&layer.small, &layer.large].into_iter().filter_map(|it| it.due_in(model.now)).min() {
        areas.tick_in(due);
    }
    let head = Rect { height: 1.min(inside.height), ..inside };
    let error = layer.runs.error().or(layer.small.error()).or(layer.large.error());
    let words = match error {
        Some(error) => Some((format!("the curves could not be read: {error}"), theme.bad)),
        None => nothing(layer).map(|words| (words.to_owned(), theme.dim)),
    };
    if let Some((words, style)) = words {
        Words::styled(fit(&words, inside.width.into()), style).render(head, buffer);
        if layer.small.all().is_empty() {
            return;
        }
    } else {
        self::head(layer, theme, head, buffer);
    }
    let rest = Rect { y: inside.y + head.height, height: inside.height - head.height, ..inside };
    let names = layer.names();
    let rows = match rest.height {
        _ if names.len() < 2 => 0,
        TWO_ROWS.. if names.len() > usize::from(rest.width / TILE_WIDTH) => 2,
        ONE_ROW.. => 1,
        _ => 0,
    };
    let strip = rows * TILE_HEIGHT;
    enlarged(layer, model, theme, Rect { height: rest.height - strip, ..rest }, buffer, areas);
    let strip = Rect { y: rest.bottom() - strip, height: strip, ..rest };
    small(layer, &names, model, theme, strip, buffer, areas);
}

/// Returns why there are no curves, if there are none.
fn nothing(layer: &CurvesOfRuns) -> Option<&'static str> {
    if !layer.small.all().is_empty() {
        return layer.names().is_empty().then_some("no metric has such a name");
    }
    Some(match layer.runs.is_loading() || layer.small.is_loading() {
        true => "loading the curves",
        false if layer.runs.places().is_empty() => "none of these runs has started",
        false => "these runs reported no metrics; `fanlight docs metrics` says how a command does",
    })
}

fn head(layer: &CurvesOfRuns, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let Some(name) = layer.metric.as_deref() else { return };
    let unit = layer.enlarged().iter().find_map(|line| line.series.unit.clone());
    let mut words = layer.scale.words();
    words.extend((!layer.filter.is_empty()).then(|| format!("only `{}`", layer.filter)));
    words.extend(layer.small.further.then(|| "more: `fanlight metrics`".to_owned()));
    let unit = unit.map(|unit| format!(" ({unit})")).unwrap_or_default();
    let line = Words::from(vec![
        Span::styled(format!("{name}{unit}"), theme.accent),
        Span::styled(format!("  {}", words.join(" · ")), theme.dim),
    ]);
    line.render(area, buffer);
}

/// Returns the curves in the order of the legend.
fn strokes<'a>(layer: &CurvesOfRuns, lines: Vec<&'a Line>, theme: &Theme) -> Vec<Stroke<'a>> {
    let mut lines: Vec<(u32, &Line)> = lines
        .into_iter()
        .filter_map(|line| Some((layer.runs.get(line.series.run_id)?.number, line)))
        .collect();
    lines.sort_by_key(|(number, _)| *number);
    let stroke = |(at, (number, line)): (usize, (u32, &'a Line))| Stroke {
        line,
        style: theme.curve(number),
        letter: LETTERS[at % LETTERS.len()].into(),
    };
    lines.into_iter().enumerate().map(stroke).collect()
}

/// Puts the curves of the focused run on top.
fn on_top<'a>(layer: &CurvesOfRuns, strokes: &[Stroke<'a>]) -> (Vec<Stroke<'a>>, bool) {
    let focused = |stroke: &&Stroke<'_>| Some(stroke.line.series.run_id) == layer.focus;
    let others = strokes.iter().filter(|stroke| !focused(stroke));
    let ordered: Vec<Stroke<'a>> = others.chain(strokes.iter().filter(focused)).copied().collect();
    let any = ordered.last().is_some_and(|last| focused(&last));
    (ordered, any)
}

fn enlarged(
    layer: &CurvesOfRuns,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let strokes = strokes(layer, layer.enlarged(), theme);
    let (plot_area, legend_area) = if area.width >= WIDE {
        let width = area.width - LEGEND_WIDTH - 2;
        let legend = Rect { x: area.x + width + 2, width: LEGEND_WIDTH, ..area };
        (Rect { width, ..area }, legend)
    } else {
        let rows = u16::try_from(strokes.len() + 1).unwrap_or(u16::MAX).min((area.height / 3).max(3));
        let rows = rows.min(area.height);
        let legend = Rect { y: area.bottom() - rows, height: rows, ..area };
        (Rect { height: area.height - rows, ..area }, legend)
    };
    let (ordered, focused) = on_top(layer, &strokes);
    let plot = Plot::new(&ordered, layer.scale, focused);
    plot.view(theme, model.options.ascii, layer.cursor, plot_area, buffer);
    let cursor = layer.cursor.and_then(|share| plot.place(share));
    let cursor = cursor.map(|place| (place, Plot::words(layer.scale.axis, place)));
    let best = best(&strokes);
    let rows: Vec<Row<'_>> = strokes
        .iter()
        .filter_map(|stroke| {
            let series = &stroke.line.series;
            let same = strokes.iter().filter(|other| other.line.series.run_id == series.run_id);
            Some(Row {
                stroke: *stroke,
                run: layer.runs.get(series.run_id)?,
                several: same.count() > 1,
                focused: Some(series.run_id) == layer.focus,
                best: strokes.len() > 1 && best.is_some() && series.best().map(|it| it.value) == best,
            })
        })
        .collect();
    legend::view(&rows, cursor, (theme, model.options.ascii), legend_area, buffer, areas);
}

/// Returns the best value of all curves, if they get better in the same direction.
fn best(strokes: &[Stroke<'_>]) -> Option<f64> {
    let goal = strokes.first()?.line.series.goal?;
    if strokes.iter().any(|stroke| stroke.line.series.goal != Some(goal)) {
        return None;
    }
    let values = strokes.iter().filter_map(|stroke| stroke.line.series.best()).map(|best| best.value);
    match goal {
        fanlight_shared::metric::Goal::Min => values.reduce(f64::min),
        fanlight_shared::metric::Goal::Max => values.reduce(f64::max),
    }
}

/// Draws the small plots: the page with the enlarged metric.
fn small(
    layer: &CurvesOfRuns,
    names: &[&str],
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let columns = (area.width / TILE_WIDTH).max(1);
    let fit_here = usize::from(columns * (area.height / TILE_HEIGHT));
    if fit_here == 0 {
        return;
    }
    let selected = names.iter().position(|name| Some(*name) == layer.metric.as_deref()).unwrap_or(0);
    let first = selected / fit_here * fit_here;
    let width = area.width / columns;
    for (place, (at, name)) in names.iter().enumerate().skip(first).take(fit_here).enumerate() {
        let place = u16::try_from(place).unwrap_or(0);
        let tile = Rect {
            x: area.x + place % columns * width,
            y: area.y + place / columns * TILE_HEIGHT,
            width: width.saturating_sub(2),
            height: TILE_HEIGHT,
        };
        areas.hit(tile, Hit::Tab(at));
        let strokes = strokes(layer, layer.small_of(name), theme);
        let focused = strokes.iter().find(|stroke| Some(stroke.line.series.run_id) == layer.focus);
        let last = focused.map(|stroke| number(stroke.line.series.last.value)).unwrap_or_default();
        let style = if at == selected { theme.accent } else { theme.dim };
        // The row above is blank.
        let title = format!("{name}  {last}");
        buffer.set_string(tile.x, tile.y + 1, fit(&title, tile.width.into()), style);
        let plot = Rect { y: tile.y + 2, height: TILE_HEIGHT - 2, ..tile };
        let (ordered, focused) = on_top(layer, &strokes);
        Plot::new(&ordered, layer.scale, focused).view(theme, model.options.ascii, None, plot, buffer);
    }
}
