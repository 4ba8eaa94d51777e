//! Draws the screen: what the search is and what it found, the chart, and the list of its trials.

use fanlight_shared::rpc::sweeps::{Progress, TrialRow};
use fanlight_shared::run::RunStatus;
use fanlight_shared::search::Outcome;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Widget;

use super::{TrialsOfSearch, chart};
use crate::text::number;
use crate::trial;
use crate::ui::areas::Areas;
use crate::ui::fit::fit;
use crate::ui::frame::screen;
use crate::ui::layer::list;
use crate::ui::message::SearchRead;
use crate::ui::model::Model;
use crate::ui::theme::{Theme, run_glyph};

/// The fewest columns of a screen with the list beside the chart.
const WIDE: u16 = 110;

pub(super) fn view(
    of: &TrialsOfSearch,
    model: &Model,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    let inside = screen(&title(of, model.options.ascii), model, theme, area, buffer, areas);
    let row = |y: u16| Rect { y: inside.y + y, height: 1.min(inside.height.saturating_sub(y)), ..inside };
    let room = usize::from(inside.width);
    let Some(search) = &of.search else {
        let (words, style) = match &of.error {
            Some(error) => (format!("the trials could not be read: {error}"), theme.bad),
            None => ("reading the trials".to_owned(), theme.dim),
        };
        return Line::styled(fit(&words, room), style).render(row(0), buffer);
    };
    let first = match &of.error {
        Some(error) => Line::styled(fit(&format!("not read again: {error}"), room), theme.bad),
        None => Line::styled(fit(&progress(&search.progress), room), theme.text),
    };
    first.render(row(0), buffer);
    Line::from(found(search, theme, room)).render(row(1), buffer);
    if inside.height < 6 {
        return;
    }
    let rest = Rect { y: inside.y + 3, height: inside.height - 3, ..inside };
    let (left, right) = if rest.width >= WIDE {
        let width = rest.width * 11 / 20;
        let right = Rect { x: rest.x + width + 2, width: rest.width - width - 2, ..rest };
        (Rect { width, ..rest }, right)
    } else {
        let height = (rest.height / 2).max(5).min(rest.height);
        (Rect { height, ..rest }, Rect { y: rest.y + height, height: rest.height - height, ..rest })
    };
    chart::view(of, model, theme, left, buffer);
    list::view(of.cursor, of.order.len(), theme, right, buffer, areas, |row| {
        line(of, search, &of.trials[of.order[row]], model, theme, usize::from(right.width))
    });
}

/// Returns `lr-scan · loss ▼ · tpe · asha`.
fn title(of: &TrialsOfSearch, ascii: bool) -> String {
    let mut parts = vec![of.sweep.clone()];
    if let Some(search) = &of.search {
        let search = &search.detail.search;
        let goals = search.objectives.iter();
        let goals = goals.map(|it| format!("{} {}", it.name, chart::direction(it.goal, ascii)));
        parts.push(goals.collect::<Vec<_>>().join(", "));
        parts.push(search.sampler.word().to_owned());
        parts.extend(search.pruner.map(String::from));
    }
    parts.join(if ascii { " - " } else { " · " })
}

/// Returns `trial 31 of 60: 20 completed, 8 pruned`.
fn progress(progress: &Progress) -> String {
    let counts = trial::counts(progress);
    let counts = if counts.is_empty() { String::new() } else { format!(": {}", counts.join(", ")) };
    format!("trial {} of {}{counts}", progress.proposed, progress.trials)
}

/// Says what the search found, or what keeps it from its work.
fn found<'a>(read: &SearchRead, theme: &Theme, room: usize) -> Vec<Span<'a>> {
    let search = &read.detail.search;
    let idle = trial::idle_pruner(&read.detail, Some(&read.progress));
    let one = |words: String, style: Style| vec![Span::styled(fit(&words, room), style)];
    match (read.detail.best.as_slice(), idle, &read.detail.unmeasured) {
        (_, Some(idle), _) => one(idle, theme.warning),
        ([best], None, _) => one(format!("best {}", trial::line(search, best)), theme.good),
        ([_, ..], None, _) => {
            let words = format!("{} runs that no other one beats, marked *", read.detail.best.len());
            one(words, theme.good)
        }
        ([], None, Some(why)) => one(why.clone(), theme.warning),
        ([], None, None) if read.progress.completed > 0 => one(trial::found_nothing(search), theme.warning),
        ([], None, None) => one("nothing found yet".to_owned(), theme.dim),
    }
}

fn line<'a>(
    of: &TrialsOfSearch,
    read: &SearchRead,
    row: &TrialRow,
    model: &Model,
    theme: &Theme,
    room: usize,
) -> Line<'a> {
    let is_best = of.is_best(row);
    let short = row.run.rsplit_once('#').map_or_else(|| row.run.clone(), |(_, number)| format!("#{number}"));
    let (state, words, style) = match &row.outcome {
        Some(Outcome::Completed { values }) => {
            let style = if is_best { theme.good } else { theme.text };
            (RunStatus::Completed, trial::values(&read.detail.search, values, number), style)
        }
        Some(Outcome::Pruned { step, value }) => {
            let words = format!("pruned at step {step}, where it had {}", number(value.0));
            (RunStatus::Cancelled, words, theme.dim)
        }
        Some(Outcome::Failed) => (RunStatus::Failed, "failed".to_owned(), theme.bad),
        Some(Outcome::Cancelled) => (RunStatus::Cancelled, "cancelled".to_owned(), theme.warning),
        Some(Outcome::Unmeasured { why }) => (RunStatus::Completed, why.clone(), theme.warning),
        None => {
            let state = model.projection.run(row.run_id).map_or(RunStatus::Running, |run| run.state);
            (state, state.word().to_owned(), theme.dim)
        }
    };
    let glyph = run_glyph(state, 0, model.options.ascii);
    let star = if is_best { "*" } else { " " };
    let head = format!("{glyph}{star}{short:<6} ");
    let params = trial::short_params(&row.params, number);
    let wide = room.saturating_sub(fanlight_shared::sanitise::width(&head));
    Line::from(vec![
        Span::styled(format!("{glyph}{star}"), if is_best { theme.good } else { theme.run(state) }),
        Span::styled(format!("{short:<6} "), theme.dim),
        Span::styled(fit(&format!("{words}  {params}"), wide), style),
    ])
}
