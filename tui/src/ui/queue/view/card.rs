//! One run as a card of one row, or two where there is an error to tell.

use fanlight_shared::id::RunId;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::human_duration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::ui::lens;
use crate::ui::model::Model;
use crate::ui::theme::{Theme, run_glyph};
use crate::ui::view::{Areas, Hit};

/// Columns of one number.
const NUMBER: usize = 8;
/// Columns of a duration.
const TIME: usize = 8;
/// Columns that a card keeps for number and label before columns of numbers are shown.
const NAME: usize = 22;
/// Cells of a progress bar.
const BAR: usize = 8;

/// How many rows a card has.
pub(super) fn tall(run: &Run, width: u16) -> usize {
    if run.state == RunStatus::Failed && run.error.is_some() && width >= 20 { 2 } else { 1 }
}

/// Draws a run.
pub(super) fn view(
    model: &Model,
    theme: &Theme,
    id: RunId,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let Some(run) = model.registry.run(id) else { return };
    areas.hit(area, Hit::Run(id));
    let first = Rect { height: 1, ..area };
    let ascii = model.options.ascii;
    let other = model.workflow_id() != Some(run.workflow_id);
    let focused = !other && lens::is_one_of_many(model) && lens::focus(model) == Some(id);
    let beat = if model.options.motion { model.beat } else { 0 };
    let plain = if other { theme.dim } else { theme.text };

    let bar = match (focused, ascii) {
        (true, false) => "▌",
        (true, true) => "|",
        (false, _) => " ",
    };
    let mark = match (model.queue.marked().contains(&id), ascii) {
        (true, false) => "●",
        (true, true) => "*",
        (false, _) => " ",
    };
    let number = if other { run.name() } else { format!("#{}", run.number) };
    let mut left = vec![
        Span::styled(bar, theme.accent),
        Span::styled(mark, theme.marked),
        Span::styled(run_glyph(run.state, beat, ascii), theme.run(run.state)),
        Span::raw(" "),
        Span::styled(format!("{number} "), if focused { theme.accent } else { plain }),
    ];
    let right = right(model, theme, run, focused, usize::from(area.width));
    let right = Line::from(right);
    let wide = usize::from(area.width);
    let used: usize = left.iter().map(Span::width).sum();
    let room = wide.saturating_sub(used + right.width() + 1);
    let label = fit(&run.label, room);
    let style = if other || run.label == run.title { theme.dim } else { plain };
    left.push(Span::styled(label, style));
    Line::from(left).render(first, buffer);
    let taken = u16::try_from(right.width()).unwrap_or(0).min(area.width);
    right.render(Rect { x: area.right() - taken, width: taken, ..first }, buffer);

    if area.height > 1
        && let Some(error) = &run.error
    {
        if focused {
            Span::styled(bar, theme.accent)
                .render(Rect { y: area.y + 1, width: 1, height: 1, ..area }, buffer);
        }
        let place = Rect {
            x: area.x + 4.min(area.width),
            y: area.y + 1,
            width: area.width.saturating_sub(4),
            height: 1,
        };
        let words = error.lines().next().unwrap_or_default();
        let style = if other { theme.dim } else { theme.bad.remove_modifier(ratatui::style::Modifier::BOLD) };
        Line::styled(fit(words, usize::from(place.width)), style).render(place, buffer);
    }
}

fn right<'a>(model: &Model, theme: &Theme, run: &Run, focused: bool, width: usize) -> Vec<Span<'a>> {
    let ascii = model.options.ascii;
    let canvas = || Span::styled("On canvas ", theme.accent);
    let mut spans = Vec::new();
    match run.state {
        RunStatus::Running | RunStatus::Cancelling => {
            if focused && width >= 34 {
                spans.push(canvas());
            } else if run.state == RunStatus::Cancelling {
                spans.push(Span::styled("ending ", theme.warning));
            } else if width >= 34 && run.nodes > 0 {
                let done = BAR * run.nodes_done as usize / run.nodes as usize;
                let (full, rest) = if ascii { ("=", "-") } else { ("━", "─") };
                spans.push(Span::styled(full.repeat(done), theme.running));
                spans.push(Span::styled(format!("{} ", rest.repeat(BAR.saturating_sub(done))), theme.dim));
            }
            spans.push(Span::styled(format!("{}/{}", run.nodes_done, run.nodes), theme.text));
            if let Some(started) = run.started_at {
                let seconds = model.now.since(started).as_secs();
                let time = match seconds {
                    0..3_600 => format!("{}:{:02}", seconds / 60, seconds % 60),
                    _ => human_duration(model.now.since(started)),
                };
                spans.push(Span::styled(format!("{time:>6}"), theme.dim));
            }
        }
        RunStatus::Queued => {
            if focused {
                spans.push(canvas());
            }
            let words = match model.registry.position(run.id) {
                Some(1) => "next".to_owned(),
                Some(position) => position.to_string(),
                None => String::new(),
            };
            spans.push(Span::styled(words, theme.dim));
        }
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => {
            let shown = shown(model, width);
            if focused && width >= NAME + 10 + TIME + NUMBER * shown.len() {
                spans.push(canvas());
            }
            for column in shown {
                let number = model.queue.numbers.of(run.id, column).map_or_else(|| "–".to_owned(), number);
                spans.push(Span::styled(format!("{number:>NUMBER$}"), theme.text));
            }
            let took = run.started_at.zip(run.ended_at).map(|(from, to)| human_duration(to.since(from)));
            spans.push(Span::styled(format!("{:>TIME$}", took.unwrap_or_default()), theme.dim));
        }
    }
    spans
}

/// The columns of numbers that fit, the one that is sorted by among them.
fn shown(model: &Model, width: usize) -> Vec<&String> {
    let columns = model.queue.numbers.columns();
    let fits = width.saturating_sub(NAME + TIME) / NUMBER;
    let mut shown: Vec<&String> = columns.iter().take(fits).collect();
    let sort = &model.queue.shelves.sort;
    if let super::Sort::Greatest(by) | super::Sort::Least(by) = sort
        && let Some(last) = shown.pop()
    {
        let by = columns.iter().find(|it| *it == by).filter(|it| !shown.contains(it));
        shown.push(by.unwrap_or(last));
    }
    shown
}

/// The names of the columns of numbers, over them.
pub(super) fn columns(model: &Model, theme: &Theme, used: u16, area: Rect, buffer: &mut Buffer) {
    let shown = shown(model, usize::from(area.width));
    if shown.is_empty() {
        return;
    }
    let names: String = shown
        .iter()
        .map(|name| {
            let name = fit(name, NUMBER - 1);
            format!("{}{name}", " ".repeat(NUMBER.saturating_sub(name.width())))
        })
        .collect();
    let line = Line::styled(format!("{names}{:>TIME$}", "time"), theme.dim);
    let wide = u16::try_from(line.width()).unwrap_or(u16::MAX);
    if used + wide <= area.width {
        line.render(Rect { x: area.right() - wide, width: wide, ..area }, buffer);
    }
}

/// A number in at most seven characters, where that can be.
fn number(number: f64) -> String {
    let whole = number.fract() == 0.0 && number.abs() < 1e7;
    match number.abs() {
        _ if whole => format!("{number:.0}"),
        0.001..10.0 => format!("{number:.4}"),
        10.0..10_000.0 => format!("{number:.2}"),
        _ => format!("{number:.1e}"),
    }
}

/// A text in at most so many columns, with `…` where something was cut.
pub(super) fn fit(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        if used + grapheme.width() + 1 > columns {
            break;
        }
        used += grapheme.width();
        out.push_str(grapheme);
    }
    if columns > 0 {
        out.push('…');
    }
    out
}
