//! Draws a folded sweep as one row: its name, the states of its runs as a strip, their counts, its best number, and the
//! cost and the tokens of its runs.

use fanlight_shared::rpc::sweeps::{Best, SearchDetail};
use fanlight_shared::run::RunStatus;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr as _;

use super::{arrow, card, strip};
use crate::trial;
use crate::ui::areas::{Areas, Hit};
use crate::ui::fit::fit;
use crate::ui::message::SearchRead;
use crate::ui::model::Model;
use crate::ui::model::queue::Sort;
use crate::ui::model::queue::sweeps::{Sweep, SweepId};
use crate::ui::theme::{Theme, run_glyph};

/// Columns that the name keeps.
const MIN_NAME_WIDTH: usize = 10;
/// The fewest cells of a strip that is worth its place, and the most.
const CELLS: (usize, usize) = (6, 32);

/// Draws a sweep. `lit`: it is under the cursor of the focused pane.
pub(super) fn view(
    model: &Model,
    theme: &Theme,
    (id, lit): (SweepId, bool),
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let Some(sweep) = model.queue.sections.sweeps.get(id) else { return };
    areas.hit(area, Hit::Sweep(id));
    let ascii = model.options.ascii;
    let other = model.workflow_id() != Some(sweep.workflow);
    let focus = model.focus().filter(|_| !other).and_then(|run| model.projection.run(run));
    if focus.is_some_and(|run| model.queue.sections.sweeps.of(run) == Some(id)) {
        buffer.set_string(area.x, area.y, if ascii { "|" } else { "▌" }, theme.accent);
    }
    let taken = 2.min(area.width);
    let area = Rect { x: area.x + taken, width: area.width - taken, ..area };
    let (glyph, style) = sign(model, theme, sweep);
    let head = vec![
        Span::styled(arrow(true, ascii), theme.dim),
        Span::raw(" "),
        Span::styled(glyph, style),
        Span::raw(" "),
    ];
    let counts = counts(model, theme, sweep);
    let width = |spans: &[Span<'_>]| spans.iter().map(Span::width).sum::<usize>();
    let mut room = usize::from(area.width).saturating_sub(width(&head) + width(&counts));
    // What a search found says more than the states of its runs.
    let strip = if sweep.search.is_some() { 0 } else { CELLS.0 };
    let fits = |room: usize| move |words: &String| words.width() + 2 + MIN_NAME_WIDTH + strip < room;
    let found = match &sweep.search {
        Some(search) => found(search),
        None => best(model, sweep).into_iter().collect(),
    };
    let best = found.into_iter().find(fits(room));
    room = room.saturating_sub(best.as_ref().map_or(0, |best| best.width() + 2));
    let spent = [sweep.spent.short(), sweep.spent.brief()].into_iter().flatten().find(fits(room));
    room = room.saturating_sub(spent.as_ref().map_or(0, |spent| spent.width() + 2));
    let cells = room.saturating_sub(sweep.name.len().max(MIN_NAME_WIDTH) + 2).min(CELLS.1);
    let cells = if cells < CELLS.0 { Vec::new() } else { sweep.tally.cells(cells) };
    let room = room.saturating_sub(if cells.is_empty() { 0 } else { cells.len() + 2 });
    let mut left = head;
    let name = if other { theme.dim } else { theme.text };
    left.push(Span::styled(fit(&sweep.name, room.saturating_sub(1)), name));
    Line::from(left).render(area, buffer);
    let mut right = Vec::new();
    for counts in &cells {
        let (glyph, style) = strip::cell(*counts, theme, ascii);
        right.push(Span::styled(glyph, style));
    }
    right.extend((!cells.is_empty()).then_some(Span::raw("  ")));
    right.extend(best.map(|best| Span::styled(format!("{best}  "), theme.text)));
    right.extend(spent.map(|spent| Span::styled(format!("{spent}  "), theme.dim)));
    right.extend(counts);
    let right = Line::from(right);
    let wide = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    right.render(Rect { x: area.right() - wide, width: wide, ..area }, buffer);
    if lit {
        theme.select(area, buffer);
    }
}

/// Returns the glyph of its state, with its style.
fn sign(model: &Model, theme: &Theme, sweep: &Sweep) -> (&'static str, ratatui::style::Style) {
    let counts = sweep.tally.counts();
    let beat = if model.options.motion { model.beat } else { 0 };
    let paused = model.projection.pause_of(&sweep.name).is_some();
    let state = match () {
        () if counts.running + counts.cancelling > 0 => RunStatus::Running,
        () if counts.parked > 0 || paused => RunStatus::Parked,
        () if counts.queued > 0 => RunStatus::Queued,
        () if counts.failed > 0 => RunStatus::Failed,
        () if counts.completed > 0 => RunStatus::Completed,
        () => RunStatus::Cancelled,
    };
    (run_glyph(state, beat, model.options.ascii), theme.run(state))
}

/// Returns `✗2 58/100`: those that failed, those that have ended, all; and `paused`.
fn counts<'a>(model: &Model, theme: &Theme, sweep: &Sweep) -> Vec<Span<'a>> {
    let counts = sweep.tally.counts();
    let ascii = model.options.ascii;
    let mut spans = Vec::new();
    if model.projection.pause_of(&sweep.name).is_some() {
        spans.push(Span::styled("paused ", theme.warning));
    }
    if counts.parked > 0 {
        let glyph = run_glyph(RunStatus::Parked, 0, ascii);
        spans.push(Span::styled(format!("{glyph}{} ", counts.parked), theme.warning));
    }
    if counts.failed > 0 {
        let glyph = run_glyph(RunStatus::Failed, 0, ascii);
        spans.push(Span::styled(format!("{glyph}{} ", counts.failed), theme.bad));
    }
    let words = match &sweep.search {
        // Runs that were proposed since it was read count too.
        Some(search) => {
            let trials = search.progress.trials;
            format!("trial {} of {trials}", counts.all().max(search.progress.proposed).min(trials))
        }
        None => format!("{}/{}", counts.all() - counts.open(), counts.all()),
    };
    spans.push(Span::styled(words, theme.text));
    spans
}

/// Returns what a search found so far, the longest words first: the values and the params of its best run, or how many runs no other
/// one beats.
fn found(search: &SearchRead) -> Vec<String> {
    let SearchDetail { search, best, .. } = &search.detail;
    let number = |value: f64| card::number(value).trim().to_owned();
    match best.as_slice() {
        [] => Vec::new(),
        [best] => {
            let values = trial::values(search, &best.values, number);
            let params = trial::short_params(&best.params, number);
            vec![format!("{values}  {params}"), values]
        }
        front => vec![format!("{} runs are best", front.len())],
    }
}

/// Returns the number by which the ended runs are sorted, or the first that the runs output with its lowest and highest
/// value: which is the best is unknown.
fn best(model: &Model, sweep: &Sweep) -> Option<String> {
    let of = |column: &String, value: fn(&Best) -> f64| {
        let best = sweep.best.get(column)?;
        Some(format!("{column} {}", card::number(value(best)).trim()))
    };
    match &model.queue.sections.sort {
        Sort::Greatest(column) if sweep.best.contains_key(column) => of(column, |best| best.highest.value),
        Sort::Least(column) if sweep.best.contains_key(column) => of(column, |best| best.lowest.value),
        _ => {
            let (column, best) = sweep.best.first()?;
            let (low, high) = (card::number(best.lowest.value), card::number(best.highest.value));
            Some(if low == high { format!("{column} {low}") } else { format!("{column} {low}–{high}") })
        }
    }
}
