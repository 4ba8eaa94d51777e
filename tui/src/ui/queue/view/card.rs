//! Draws one run as a card of one row, two if it has an error, a question or a reason to wait, or three beside its picture.

use fanlight_shared::id::RunId;
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::human_duration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::text::clock;
use crate::ui::areas::{Areas, Hit};
use crate::ui::fit::fit;
use crate::ui::model::Model;
use crate::ui::model::queue::thumbs::CELLS;
use crate::ui::theme::{Theme, run_glyph};
use crate::ui::wrap::wrap;

/// Columns of one number.
const NUMBER_WIDTH: usize = 8;
/// Columns of a duration.
const TIME_WIDTH: usize = 8;
/// Columns that a card keeps for number and label before columns of numbers are shown.
const MIN_NAME_WIDTH: usize = 16;
/// The run of the lens has these words.
const ON_CANVAS: &str = "On canvas ";
/// Columns from which it is beside an ended run's label.
const MIN_CANVAS_WIDTH: usize = MIN_NAME_WIDTH + ON_CANVAS.len() + TIME_WIDTH;
/// Columns of a cost, or of a number of tokens.
const SPENT_WIDTH: usize = 10;
/// Columns from which it is shown.
const MIN_SPENT_WIDTH: usize = MIN_CANVAS_WIDTH + SPENT_WIDTH;
/// Cells of a progress bar.
const BAR_WIDTH: usize = 8;
/// Columns from which it is shown.
const MIN_BAR_WIDTH: usize = 34;
/// Cells of the bar of the lens's run, whose words need room, and columns from which both are shown.
const LEAST_BAR_WIDTH: usize = 4;
const MIN_BOTH_WIDTH: usize = 36;

/// Columns and rows that a pane needs for pictures beside its cards.
const MIN_PICTURE_SIZE: (u16, u16) = (34, 16);

/// Returns how many rows a card has in a pane of this size: three if runs of its workflow have pictures, two if it has
/// an error, a question or something that it waits for.
pub(super) fn height(model: &Model, run: &Run, pane: Rect) -> u16 {
    let roomy =
        pane.width >= MIN_PICTURE_SIZE.0 && pane.height >= MIN_PICTURE_SIZE.1 && !model.pictures.is_off();
    match () {
        () if roomy && run.state.is_ended() && model.queue.thumbs.are_of(run.workflow_id) => CELLS.1,
        () if run.state == RunStatus::Failed && run.error.is_some() && pane.width >= 20 => 2,
        () if (run.asks.is_some() || run.waits_for.is_some()) && pane.width >= 20 => 2,
        () => 1,
    }
}

/// Draws a run. `lit`: it is under the cursor of the focused pane.
pub(super) fn view(
    model: &Model,
    theme: &Theme,
    (id, lit): (RunId, bool),
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let Some(run) = model.projection.run(id) else { return };
    areas.hit(area, Hit::Run(id));
    let ascii = model.options.ascii;
    let other = model.workflow_id() != Some(run.workflow_id);
    let focused = !other && model.is_one_of_many() && model.focus() == Some(id);
    let bar = match (focused, ascii) {
        (true, false) => "▌",
        (true, true) => "|",
        (false, _) => " ",
    };
    for y in area.top()..area.bottom() {
        buffer.set_string(area.x, y, bar, theme.accent);
    }
    // Runs that a node of another one started are below it, up to half the width to the right.
    let depth = u16::try_from(2 * model.queue.sections.depth(id)).unwrap_or(u16::MAX).min(area.width / 2);
    let area = Rect { x: area.x + depth, width: area.width - depth, ..area };
    let mark = match (model.queue.marked().contains(&id), ascii) {
        (true, false) => "●",
        (true, true) => "*",
        (false, _) => " ",
    };
    buffer.set_stringn(area.x + 1, area.y, mark, usize::from(area.width.saturating_sub(1)), theme.marked);
    let taken = 2 + if area.height >= CELLS.1 { picture(model, theme, run, area, buffer) } else { 0 };
    let words = Rect { x: area.x + taken.min(area.width), width: area.width.saturating_sub(taken), ..area };
    let numbers = shown(model, area.width);
    head(model, theme, run, (focused, other), &numbers, Rect { height: 1, ..words }, buffer);
    if lit {
        theme.select(Rect { height: 1, ..words }, buffer);
    }
    let below = Rect { x: words.x + 2, width: words.width.saturating_sub(2), y: words.y + 1, height: 1 };
    let rows = below.y..area.bottom();
    let style = if other { theme.dim } else { theme.bad.remove_modifier(Modifier::BOLD) };
    if let Some(asks) = run.asks.as_ref().filter(|_| area.height > 1) {
        let more = if asks.count > 1 { format!(" +{}", asks.count - 1) } else { String::new() };
        let room = usize::from(below.width).saturating_sub(more.len());
        let words = format!("{}{more}", fit(&format!("asks: {}", asks.text), room));
        Line::styled(words, theme.warning).render(below, buffer);
        return;
    }
    if let Some(reason) = run.waits_for.as_ref().filter(|_| area.height > 1) {
        Line::styled(fit(reason, usize::from(below.width)), theme.dim).render(below, buffer);
        return;
    }
    match &run.error {
        Some(error) if area.height >= CELLS.1 => {
            for (y, line) in rows.zip(wrap(error, below.width)) {
                buffer.set_stringn(below.x, y, &line, usize::from(below.width), style);
            }
        }
        Some(error) if area.height > 1 => {
            Line::styled(fit(error, usize::from(below.width)), style).render(below, buffer);
        }
        None if area.height > 1 => {
            let mut spans = Vec::new();
            if focused && usize::from(words.width) < MIN_CANVAS_WIDTH {
                // The first line has no room for it.
                spans.push(Span::styled(ON_CANVAS, theme.accent));
            }
            let at = run.ended_at.map(clock).unwrap_or_default();
            spans.push(Span::styled(fit(&at, usize::from(below.width)), theme.dim));
            Line::from(spans).render(below, buffer);
        }
        _ => {}
    }
}

/// Draws the picture of a run, or its empty area. Returns its width in columns.
fn picture(model: &Model, theme: &Theme, run: &Run, area: Rect, buffer: &mut Buffer) -> u16 {
    let place = Rect { x: area.x + 2, width: CELLS.0, height: CELLS.1, ..area }.intersection(area);
    let drawn = model.queue.thumbs.of(run.id).is_some_and(|asset| model.pictures.draw(asset, place, buffer));
    if !drawn {
        let middle =
            Rect { x: place.x + place.width / 2, y: place.y + place.height / 2, width: 1, height: 1 };
        let none = if model.options.ascii { "." } else { "·" };
        Span::styled(none, theme.dim).render(middle.intersection(place), buffer);
    }
    CELLS.0 + 1
}

/// Draws the first line: state, number, label, and progress or duration.
fn head(
    model: &Model,
    theme: &Theme,
    run: &Run,
    (focused, other): (bool, bool),
    numbers: &[&String],
    area: Rect,
    buffer: &mut Buffer,
) {
    let beat = if model.options.motion { model.beat } else { 0 };
    let plain = if other { theme.dim } else { theme.text };
    let number = if other { run.name() } else { format!("#{}", run.number) };
    let mut left = vec![
        Span::styled(run_glyph(run.state, beat, model.options.ascii), theme.run(run.state)),
        Span::raw(" "),
        Span::styled(format!("{number} "), if focused { theme.accent } else { plain }),
    ];
    let children = model.queue.sections.children(run.id);
    if children > 0 {
        let arrow = super::arrow(!model.queue.sections.is_open(run.id), model.options.ascii);
        left.push(Span::styled(format!("{arrow}{children} "), theme.dim));
    }
    let wide = usize::from(area.width);
    let right = Line::from(right(model, theme, run, focused, numbers, wide));
    let used: usize = left.iter().map(Span::width).sum();
    let room = wide.saturating_sub(used + right.width() + 1);
    let style = if other || run.label == run.title { theme.dim } else { plain };
    left.push(Span::styled(fit(&run.label, room), style));
    Line::from(left).render(area, buffer);
    let taken = u16::try_from(right.width()).unwrap_or(0).min(area.width);
    right.render(Rect { x: area.right() - taken, width: taken, ..area }, buffer);
}

fn right<'a>(
    model: &Model,
    theme: &Theme,
    run: &Run,
    focused: bool,
    numbers: &[&String],
    width: usize,
) -> Vec<Span<'a>> {
    let ascii = model.options.ascii;
    let canvas = || Span::styled(ON_CANVAS, theme.accent);
    let mut spans = Vec::new();
    match run.state {
        RunStatus::Running | RunStatus::Parked | RunStatus::Cancelling => {
            let cost = spent(theme, run, width);
            let room = width.saturating_sub(cost.as_ref().map_or(0, Span::width));
            let word = if run.state == RunStatus::Running { 0 } else { "parked ".len() };
            if focused && room >= MIN_BAR_WIDTH + word {
                spans.push(canvas());
            }
            if run.state == RunStatus::Parked {
                spans.push(Span::styled("parked ", theme.warning));
            } else if run.state == RunStatus::Cancelling {
                spans.push(Span::styled("ending ", theme.warning));
            } else if let Some(cells) = bar_width(focused, room).filter(|_| run.nodes > 0) {
                let done = cells * run.nodes_done as usize / run.nodes as usize;
                let (full, rest) = if ascii { ("=", "-") } else { ("━", "─") };
                spans.push(Span::styled(full.repeat(done), theme.running));
                spans.push(Span::styled(format!("{} ", rest.repeat(cells.saturating_sub(done))), theme.dim));
            }
            spans.push(Span::styled(format!("{}/{}", run.nodes_done, run.nodes), theme.text));
            spans.extend(cost);
            if let Some(started) = run.started_at {
                let seconds = model.now.since(started).as_secs();
                let time = match seconds {
                    0..3_600 => format!("{}:{:02}", seconds / 60, seconds % 60),
                    _ => human_duration(model.now.since(started)),
                };
                spans.push(Span::styled(format!(" {time:>5}"), theme.dim));
            }
        }
        RunStatus::Queued => {
            if focused {
                spans.push(canvas());
            }
            let words = match model.projection.position(run.id) {
                // Its position isn't why it waits.
                Some(_) if model.projection.held_back(run).is_some() => {
                    format!("limit {}", run.concurrency.unwrap_or_default())
                }
                Some(1) => "next".to_owned(),
                None if model.projection.pause(run).is_some() => "paused".to_owned(),
                Some(position) => position.to_string(),
                None => String::new(),
            };
            if run.priority != 0 && width >= MIN_CANVAS_WIDTH {
                spans.push(Span::styled(format!("priority {} ", run.priority), theme.dim));
            }
            spans.push(Span::styled(words, theme.dim));
        }
        RunStatus::Completed | RunStatus::Failed | RunStatus::Cancelled => {
            if focused && width >= MIN_CANVAS_WIDTH + NUMBER_WIDTH * numbers.len() {
                spans.push(canvas());
            }
            spans.extend(spent(theme, run, width.saturating_sub(NUMBER_WIDTH * numbers.len())));
            for column in numbers {
                let number = model.queue.numbers.of(run.id, column).map_or_else(|| "–".to_owned(), number);
                spans.push(Span::styled(format!("{number:>NUMBER_WIDTH$}"), theme.text));
            }
            let took = run.started_at.zip(run.ended_at).map(|(from, to)| human_duration(to.since(from)));
            spans.push(Span::styled(
                format!(" {:>width$}", took.unwrap_or_default(), width = TIME_WIDTH - 1),
                theme.dim,
            ));
        }
    }
    spans
}

/// Returns how many cells the progress bar of a run has, if there is room for one.
fn bar_width(focused: bool, width: usize) -> Option<usize> {
    match focused {
        true => Some(width.checked_sub(MIN_BOTH_WIDTH)?.clamp(LEAST_BAR_WIDTH, BAR_WIDTH)),
        false => (width >= MIN_BAR_WIDTH).then_some(BAR_WIDTH),
    }
}

/// Returns the cost of a run, or else its tokens, if it has any and there is room.
fn spent<'a>(theme: &Theme, run: &Run, width: usize) -> Option<Span<'a>> {
    let spent = run.spent.brief().filter(|_| width >= MIN_SPENT_WIDTH)?;
    Some(Span::styled(format!("{spent:>SPENT_WIDTH$}"), theme.dim))
}

/// Returns the columns of numbers that fit into a pane of this width, including the sort key. They are the same in
/// every card, with or without a picture.
fn shown(model: &Model, width: u16) -> Vec<&String> {
    let columns = model.queue.numbers.columns();
    let pictured = model.queue.thumbs.are_shown() && !model.pictures.is_off();
    let beside = 2 + if pictured { CELLS.0 + 1 } else { 0 };
    let fits =
        usize::from(width.saturating_sub(beside)).saturating_sub(MIN_NAME_WIDTH + TIME_WIDTH) / NUMBER_WIDTH;
    let mut shown: Vec<&String> = columns.iter().take(fits).collect();
    let sort = &model.queue.sections.sort;
    if let super::Sort::Greatest(by) | super::Sort::Least(by) = sort
        && let Some(last) = shown.pop()
    {
        let by = columns.iter().find(|it| *it == by).filter(|it| !shown.contains(it));
        shown.push(by.unwrap_or(last));
    }
    shown
}

/// Draws the names of the number columns above them.
pub(super) fn columns(model: &Model, theme: &Theme, used: u16, area: Rect, buffer: &mut Buffer) {
    let shown = shown(model, area.width);
    if shown.is_empty() {
        return;
    }
    let names: String = shown
        .iter()
        .map(|name| {
            let name = fit(name, NUMBER_WIDTH - 1);
            format!("{}{name}", " ".repeat(NUMBER_WIDTH.saturating_sub(name.width())))
        })
        .collect();
    let line = Line::styled(format!("{names}{:>TIME_WIDTH$}", "time"), theme.dim);
    let wide = u16::try_from(line.width()).unwrap_or(u16::MAX);
    if used + wide <= area.width {
        line.render(Rect { x: area.right() - wide, width: wide, ..area }, buffer);
    }
}

/// Returns a number in at most seven characters, if possible.
pub(super) fn number(number: f64) -> String {
    let whole = number.fract() == 0.0 && number.abs() < 1e7;
    match number.abs() {
        _ if whole => format!("{number:.0}"),
        0.001..10.0 => format!("{number:.4}"),
        10.0..10_000.0 => format!("{number:.2}"),
        _ => format!("{number:.1e}"),
    }
}
