//! Draws the queue pane: the heat-strip of the focused submission, then the rows in view.

mod card;
mod strip;
mod sweep;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Widget, Wrap};

use crate::ui::areas::{Areas, Hit};
use crate::ui::model::Model;
use crate::ui::model::queue::rows::{Row, Rows};
use crate::ui::model::queue::{Section, Sort};
use crate::ui::pane::Pane;
use crate::ui::theme::Theme;

/// Draws the inside of the pane; the root draws the border, with the title from [`title`].
pub fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    if area.is_empty() {
        return;
    }
    let taken = strip::view(model, theme, area, buffer, areas);
    let area = Rect { y: area.y + taken, height: area.height - taken, ..area };
    let rows = Rows::of(&model.queue);
    if rows.len == 0 {
        return empty(model, theme, area, buffer);
    }
    let cursor = rows.cursor(model);
    let height = |row: usize| rows.row(&model.queue, row).map_or(1, |row| height(model, row, area));
    // The cursor stays in the middle if possible; only rows in view are read.
    let room = usize::from(area.height);
    let (mut first, mut above) = (cursor, 0);
    while first > 0 && above + height(first - 1) <= room / 2 {
        first -= 1;
        above += height(first);
    }
    let below: usize = (first..rows.len)
        .map(height)
        .scan(0, |sum, it| {
            *sum += it;
            (*sum <= room + 4).then_some(it)
        })
        .sum();
    let mut free = room.saturating_sub(below);
    while first > 0 && height(first - 1) <= free {
        first -= 1;
        free -= height(first);
    }
    let lit = |row: usize| row == cursor && model.pane == Pane::Queue && model.layers.is_empty();
    let mut y = area.y;
    for row in first..rows.len {
        let Some(it) = rows.row(&model.queue, row) else { break };
        let shown = u16::try_from(height(row)).unwrap_or(1).min(area.bottom().saturating_sub(y));
        if shown == 0 {
            break;
        }
        let place = Rect { y, height: shown, ..area };
        match it {
            Row::Heading(section) => {
                heading(model, theme, section, place, buffer, areas);
                if lit(row) {
                    theme.select(place, buffer);
                }
            }
            Row::Sweep(id) => sweep::view(model, theme, (id, lit(row)), place, buffer, areas),
            Row::Run(run) => card::view(model, theme, (run, lit(row)), place, buffer, areas),
        }
        y += shown;
    }
}

fn height(model: &Model, row: Row, pane: Rect) -> usize {
    match row {
        Row::Heading(_) | Row::Sweep(_) => 1,
        Row::Run(run) => {
            model.projection.run(run).map_or(1, |run| usize::from(card::height(model, run, pane)))
        }
    }
}

/// Returns the sign of a row that is folded, or not.
fn arrow(folded: bool, ascii: bool) -> &'static str {
    match (folded, ascii) {
        (true, false) => "▸",
        (false, false) => "▾",
        (true, true) => ">",
        (false, true) => "v",
    }
}

/// Draws the heading of a section, `▾ Done 9 · 2 failed`, with the names of the columns at the right.
fn heading(
    model: &Model,
    theme: &Theme,
    section: Section,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let queue = &model.queue;
    let folded = queue.is_folded(section);
    let arrow = arrow(folded, model.options.ascii);
    let counts = queue.sections.counts();
    let shown = match section {
        Section::Running => counts.under_way(),
        Section::Enqueued => counts.queued,
        Section::Done => counts.completed + counts.failed,
        Section::Cancelled => counts.cancelled,
    } as usize;
    let filtered = !queue.sections.filter.is_empty();
    let queued = model.projection.queue().queued as usize;
    let count = match section {
        Section::Enqueued if !filtered => shown.max(queued).to_string(),
        Section::Done | Section::Cancelled if !queue.feeds.is_whole(section) && shown >= 100 => {
            format!("{shown}+")
        }
        _ => shown.to_string(),
    };
    let mut spans = vec![
        Span::styled(format!("{arrow} "), theme.dim),
        Span::styled(section.title(), theme.text.add_modifier(ratatui::style::Modifier::BOLD)),
        Span::styled(format!(" {count}"), theme.dim),
    ];
    if section == Section::Done && counts.failed > 0 {
        spans.push(Span::styled(" · ", theme.dim));
        spans.push(Span::styled(format!("{} failed", counts.failed), theme.bad));
    }
    if section == Section::Enqueued && model.projection.queue().paused {
        spans.push(Span::styled(" · paused", theme.warning));
    }
    let line = Line::from(spans);
    let used = u16::try_from(line.width()).unwrap_or(u16::MAX);
    line.render(area, buffer);
    if section == Section::Done && !folded {
        card::columns(model, theme, used, area, buffer);
    }
    areas.hit(area, Hit::Section(section as usize));
}

fn empty(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let key = |action| model.keymap.keys(action).into_iter().next().unwrap_or_default();
    let typed = model.queue.sections.filter.typed();
    let words = if typed.is_empty() {
        format!("No runs yet: {} starts one.", key(crate::ui::action::Action::Run))
    } else {
        format!("No run has `{typed}`: {} takes the filter away.", key(crate::ui::action::Action::Back))
    };
    Paragraph::new(words).style(theme.dim).wrap(Wrap { trim: true }).render(area, buffer);
}

/// Returns the titles in the pane's border: left and right.
#[must_use]
pub fn title(model: &Model) -> (String, String) {
    let queue = model.projection.queue();
    let filter = model.queue.sections.filter.typed();
    let mut left = Vec::new();
    if !filter.is_empty() {
        left.push(format!("/{filter}"));
    }
    if !model.queue.marks.is_empty() {
        left.push(format!("{} marked", model.queue.marks.len()));
    }
    if model.queue.sections.sort != Sort::Newest {
        left.push(format!("by {}", model.queue.sections.sort.words()));
    }
    let right = match (queue.running + queue.queued, queue.paused) {
        (0, false) => String::new(),
        (_, true) => format!("paused · {} of {}", queue.running, queue.max_concurrent_runs),
        (_, false) => format!("{} of {}", queue.running, queue.max_concurrent_runs),
    };
    (left.join(" · "), right)
}
