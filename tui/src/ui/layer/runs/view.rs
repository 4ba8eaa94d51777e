//! Draws the table of runs: only the rows and columns in view.

use std::time::Duration;

use fanlight_shared::client::table::{Cell, Row};
use fanlight_shared::metric::same;
use fanlight_shared::time::human_duration;
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{self, Widget};
use unicode_width::UnicodeWidthStr;

use super::RunsTable;
use crate::text;
use crate::ui::areas::{Areas, Hit};
use crate::ui::fit::fit;
use crate::ui::frame::screen;
use crate::ui::model::Model;
use crate::ui::theme::{Theme, run_glyph};

/// The widest column.
const MAX_WIDTH: usize = 24;
/// The columns between two columns.
const GAP: u16 = 2;

pub(super) fn view(
    of: &RunsTable,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let inside = screen(&title(of, model), model, theme, area, buffer, areas);
    if of.rows.is_empty() || inside.height < 2 {
        let words = match (&of.asked, of.runs.is_empty()) {
            (Some(_), true) => "the runs are being read",
            (None, true) => "no run yet",
            (_, false) => "no run meets these conditions",
        };
        return Line::styled(words, theme.dim).render(inside, buffer);
    }
    let height = usize::from(inside.height - 1);
    let first = of.cursor.first(of.rows.len(), height);
    let rows = &of.rows[first..(first + height).min(of.rows.len())];
    let columns = columns_in_view(of, rows, usize::from(inside.width));
    let focused = model.lens().map(|lens| lens.run.id);
    let heading = columns.iter().map(|(column, width)| {
        let sign = match of.sorted {
            Some((sorted, descending)) if sorted == *column => {
                if descending {
                    " ▼"
                } else {
                    " ▲"
                }
            }
            _ => "",
        };
        let is_under = of.columns.get(of.column) == Some(column);
        let name = fit(&of.table.columns()[*column].name, width.saturating_sub(sign.width()));
        Span::styled(format!("{name}{sign}"), if is_under { theme.accent } else { theme.dim })
    });
    let best: Vec<Option<f64>> = columns.iter().map(|(column, _)| of.table.best(&of.rows, *column)).collect();
    let lines = rows.iter().map(|at| {
        let row = &of.table.rows()[*at];
        let cells = columns.iter().zip(&best).map(|((column, width), best)| {
            let cell = of.table.cell(row, *column);
            let is_best = best.zip(cell.number()).is_some_and(|(best, number)| same(best, number));
            let style = match *column {
                0 if of.marks.contains(&row.run) => theme.marked,
                0 if focused == Some(row.run) => theme.accent,
                1 => theme.run(row.state),
                _ if is_best => theme.good,
                _ => theme.text,
            };
            let star = if is_best { " *" } else { "" };
            let cell = growing(of, *at, *column, model).unwrap_or_else(|| cell.clone());
            let words = fit(&words(of, row, *column, &cell, model), width.saturating_sub(star.len()));
            Span::styled(format!("{words}{star}"), style)
        });
        widgets::Row::new(cells.collect::<Vec<_>>())
    });
    let widths =
        columns.iter().map(|(_, width)| Constraint::Length(u16::try_from(*width).unwrap_or(u16::MAX)));
    let table = widgets::Table::new(lines.collect::<Vec<_>>(), widths.collect::<Vec<_>>())
        .header(widgets::Row::new(heading.collect::<Vec<_>>()))
        .column_spacing(GAP);
    Widget::render(table, inside, buffer);
    for (y, index) in (inside.y + 1..inside.bottom()).zip(first..of.rows.len()) {
        let place = Rect { y, height: 1, ..inside };
        if index == of.cursor.at {
            theme.select(place, buffer);
        }
        areas.hit(place, Hit::Row(index));
    }
}

fn title(of: &RunsTable, model: &Model) -> String {
    let of_workflow = model.workflow.as_ref().map_or("", |open| open.document.name.as_str());
    let mut title = format!("{of_workflow} · {} of {} runs", of.rows.len(), of.runs.len());
    if of.further {
        title.push_str(", the newest");
    }
    if of.asked.is_some() {
        title.push_str(" · reading");
    }
    if !of.filter.is_empty() {
        title.push_str(&format!(" · {}", of.filter));
    }
    if !of.marks.is_empty() {
        title.push_str(&format!(" · {} marked", of.marks.len()));
    }
    title
}

/// Returns the time of a run that has not ended, which grows.
fn growing(of: &RunsTable, at: usize, column: usize, model: &Model) -> Option<Cell> {
    let run = &of.runs.get(at)?.run;
    let grows = of.table.columns()[column].is_time() && !run.state.is_ended();
    let started = run.started_at.filter(|_| grows)?;
    Some(Cell::Float(model.now.since(started).as_secs_f64()))
}

/// Returns a cell in words.
fn words(of: &RunsTable, row: &Row, column: usize, cell: &Cell, model: &Model) -> String {
    match (column, cell) {
        (0, cell) if of.marks.contains(&row.run) => format!("• {cell}"),
        (1, cell) => format!("{} {cell}", run_glyph(row.state, 0, model.options.ascii)),
        (_, Cell::Float(seconds)) if of.table.columns()[column].is_time() => {
            human_duration(Duration::try_from_secs_f64(*seconds).unwrap_or_default())
        }
        (_, Cell::Float(number)) => text::number(*number),
        (_, other) => other.to_string(),
    }
}

/// Returns the columns in view with their widths: the first one, then as many as fit, among them the one under the cursor.
fn columns_in_view(of: &RunsTable, rows: &[usize], room: usize) -> Vec<(usize, usize)> {
    let width = |column: usize| {
        let name = of.table.columns()[column].name.width() + 2;
        let cells = rows.iter().map(|at| {
            let cell = of.table.cell(&of.table.rows()[*at], column);
            let width = match cell {
                Cell::Float(number) => text::number(*number).width(),
                other => other.to_string().width(),
            };
            // Room for a mark, a glyph or a star.
            width + 2
        });
        cells.max().unwrap_or(0).max(name).min(MAX_WIDTH)
    };
    let Some((fixed, others)) = of.columns.split_first() else { return Vec::new() };
    let mut shown = vec![(*fixed, width(*fixed))];
    let room = room.saturating_sub(shown[0].1);
    let all: Vec<(usize, usize)> = others.iter().map(|column| (*column, width(*column))).collect();
    let cost =
        |columns: &[(usize, usize)]| columns.iter().map(|(_, width)| width + usize::from(GAP)).sum::<usize>();
    let until = of.column.min(all.len());
    let mut first = 0;
    while first + 1 < until && cost(&all[first..until]) > room {
        first += 1;
    }
    let mut left = room;
    for (column, width) in &all[first..] {
        let Some(rest) = left.checked_sub(width + usize::from(GAP)) else { break };
        left = rest;
        shown.push((*column, *width));
    }
    shown
}
