//! The first line: workflow, run and progress; and below it, on small screens, the strip of counts.

use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::time::Time;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;
use unicode_width::UnicodeWidthStr;

use crate::ui::action::Action;
use crate::ui::areas::{Areas, Hit};
use crate::ui::children;
use crate::ui::fit::fit;
use crate::ui::model::Model;
use crate::ui::pane::Pane;
use crate::ui::size::SizeClass;
use crate::ui::theme::{Theme, run_glyph};

/// The widest name of another computer.
const MAX_HOST_WIDTH: usize = 24;

pub(super) fn view(
    model: &Model,
    theme: &Theme,
    class: SizeClass,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let mut right = state(model, theme);
    if class != SizeClass::Small {
        right.extend(spent(model, theme));
        right.extend(counts(model, theme));
    }
    right.push(Span::raw(" "));
    let right = Line::from(right);
    let taken = u16::try_from(right.width()).unwrap_or(u16::MAX).min(area.width);
    let left = Rect { width: area.width - taken, ..area };
    let name = Rect { width: 10.min(left.width), ..left };
    title(model, theme, left.width).render(left, buffer);
    right.render(Rect { x: left.right(), width: taken, ..area }, buffer);
    areas.hit(name, Hit::Action(Action::Workflows));
}

/// Returns ` fanlight  album#3 ▸ posters[1] ▸ Seaside poster  #12 seed=7 · pinned`
fn title<'a>(model: &Model, theme: &Theme, columns: u16) -> Line<'a> {
    let mut spans = vec![Span::styled(" fanlight", theme.accent)];
    if let Some(host) = &model.options.host {
        let host = fit(&fanlight_shared::sanitise::line(host), MAX_HOST_WIDTH);
        spans.extend([Span::styled(" on ", theme.dim), Span::styled(host, theme.text)]);
    }
    spans.push(Span::raw("  "));
    let taken = 1 + spans.iter().map(Span::width).sum::<usize>();
    let Some(open) = &model.workflow else {
        return Line::from(spans);
    };
    let title = fanlight_shared::sanitise::line(open.document.title());
    // The right part is never cut.
    let room = usize::from(columns).saturating_sub(taken);
    let number = model.lens().map(|lens| format!("#{}", lens.run.number)).unwrap_or_default();
    let pinned = model.is_pinned() && model.is_one_of_many();
    let mut left = room.saturating_sub(number.len() + 2 + if pinned { 8 } else { 0 });
    let crumbs = crumbs(model, left / 2);
    left = left.saturating_sub(crumbs.width());
    spans.push(Span::styled(crumbs, theme.dim));
    let of_run = model.lens().filter(|lens| lens.run.label != lens.run.title);
    let label = of_run.map(|lens| lens.run.label.as_str()).unwrap_or_default();
    // The label gets the remaining width, but at least a third.
    let title = fit(&title, left.saturating_sub(label.width().min(left / 3)));
    left = left.saturating_sub(title.width() + 1);
    spans.push(Span::styled(title, theme.text));
    if model.lens().is_some() {
        spans.push(Span::raw("  "));
        spans.push(Span::styled(number, theme.accent));
        if !label.is_empty() && left > 1 {
            spans.push(Span::raw(" "));
            spans.push(Span::styled(fit(label, left), theme.text));
        }
        if pinned {
            spans.push(Span::styled("  pinned", theme.marked));
        }
    }
    Line::from(spans)
}

/// Returns `album#3 ▸ posters[1] ▸ `, at most as wide; the inner end says more than the outer one.
fn crumbs(model: &Model, columns: usize) -> String {
    let mut crumbs = children::crumbs(model);
    let text = |crumbs: &[String]| crumbs.iter().map(|crumb| format!("{crumb} ▸ ")).collect::<String>();
    while text(&crumbs).width() > columns {
        if crumbs.len() < 2 {
            return String::new();
        }
        crumbs.remove(0);
        crumbs[0] = "…".to_owned();
    }
    text(&crumbs)
}

/// Returns `▶ running 3/5 · 00:12`
fn state<'a>(model: &Model, theme: &Theme) -> Vec<Span<'a>> {
    let Some(lens) = model.lens() else { return Vec::new() };
    let status = lens.state.status;
    let beat = if model.options.motion { model.beat } else { 0 };
    let style = theme.run(status);
    let glyph = match (status, model.options.ascii) {
        (RunStatus::Running, false) => "▶",
        (RunStatus::Running, true) => ">",
        _ => run_glyph(status, beat, model.options.ascii),
    };
    let mut words = format!("{glyph} {}", status.word());
    if status.is_active() {
        words.push_str(&format!(" {}/{}", lens.state.nodes_done(), lens.state.nodes.len()));
    }
    let mut spans = vec![Span::styled(words, style)];
    if let Some(time) = elapsed(lens.run, lens.state.started_at, lens.state.ended_at, model.now) {
        spans.push(Span::styled(" · ", theme.dim));
        spans.push(Span::styled(time, theme.text));
    }
    spans
}

/// Returns ` · $0.0125 · 1.2k tokens`: the cost and the tokens of the run so far.
fn spent<'a>(model: &Model, theme: &Theme) -> Option<Span<'a>> {
    let spent = model.lens()?.state.spent_so_far().short()?;
    Some(Span::styled(format!(" · {spent}"), theme.dim))
}

fn elapsed(run: &Run, started: Option<Time>, ended: Option<Time>, now: Time) -> Option<String> {
    let started = started.or(run.started_at)?;
    let took = ended.or(run.ended_at).unwrap_or(now).since(started);
    if ended.is_some() {
        return Some(fanlight_shared::time::human_duration(took));
    }
    let seconds = took.as_secs();
    Some(match seconds {
        0..3_600 => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        _ => fanlight_shared::time::human_duration(took),
    })
}

/// Returns `   ▶2 …5`, the other open runs; empty if there is only one run.
fn counts<'a>(model: &Model, theme: &Theme) -> Vec<Span<'a>> {
    let queue = model.projection.queue();
    let asking = model.projection.active().filter(|run| run.asks.is_some()).count();
    if !model.is_one_of_many() || queue.running + queue.queued == 0 && asking == 0 {
        return Vec::new();
    }
    let (running, waiting) = if model.options.ascii { (">", ".") } else { ("▶", "…") };
    let mut spans = vec![Span::raw("   ")];
    if asking > 0 {
        let glyph = run_glyph(RunStatus::Parked, 0, model.options.ascii);
        spans.push(Span::styled(format!("{glyph}{asking} "), theme.warning));
    }
    if queue.running > 0 || queue.queued > 0 {
        spans.push(Span::styled(format!("{running}{}", queue.running), theme.running));
    }
    if queue.queued > 0 {
        spans.push(Span::styled(format!(" {waiting}{}", queue.queued), theme.waiting));
    }
    if queue.paused {
        spans.push(Span::styled(" paused", theme.warning));
    }
    spans
}

/// Draws the panes as tabs, and `▶2 …5 ✓9 ✗1`.
pub(super) fn strip(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) {
    let mut x = area.x + 1;
    for (index, pane) in Pane::ALL.iter().copied().enumerate() {
        let words = format!("{} {}", index + 1, pane.title());
        let style = if pane == model.pane { theme.accent } else { theme.dim };
        let width = u16::try_from(words.len()).unwrap_or(0);
        let place = Rect { x, width: width.min(area.right().saturating_sub(x)), ..area };
        Line::styled(words, style).render(place, buffer);
        areas.hit(place, Hit::Action(pane.action()));
        x = (x + width + 2).min(area.right());
    }
    let Some(workflow) = model.workflow_id() else { return };
    let (mut running, mut waiting, mut completed, mut failed) = (0_usize, 0_usize, 0_usize, 0_usize);
    for run in model.projection.runs().filter(|run| run.workflow_id == workflow) {
        match run.state {
            RunStatus::Running | RunStatus::Parked | RunStatus::Cancelling => running += 1,
            RunStatus::Queued => waiting += 1,
            RunStatus::Completed => completed += 1,
            RunStatus::Failed => failed += 1,
            RunStatus::Cancelled => {}
        }
    }
    let ascii = model.options.ascii;
    let parts = [
        (if ascii { ">" } else { "▶" }, running, theme.running),
        (run_glyph(RunStatus::Queued, 0, ascii), waiting, theme.waiting),
        (run_glyph(RunStatus::Completed, 0, ascii), completed, theme.good),
        (run_glyph(RunStatus::Failed, 0, ascii), failed, theme.bad),
    ];
    let spans: Vec<Span<'_>> = parts
        .into_iter()
        .filter(|(_, count, _)| *count > 0)
        .map(|(glyph, count, style)| Span::styled(format!("{glyph}{count} "), style))
        .collect();
    let line = Line::from(spans);
    let width = u16::try_from(line.width()).unwrap_or(0).min(area.right().saturating_sub(x));
    line.render(Rect { x: area.right() - width, width, ..area }, buffer);
}
