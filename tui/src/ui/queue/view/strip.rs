//! The heat-strip: each run of the focused submission as one clickable cell.

use fanlight_shared::run::{Counts, Run, RunStatus};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::ui::areas::{Areas, Hit};
use crate::ui::model::Model;
use crate::ui::theme::Theme;

/// The maximum number of rows.
const MAX_ROWS: u16 = 3;
const HEIGHTS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/// Draws it at the top, if the submission of the run in focus has several runs. Returns its height in rows.
pub(super) fn view(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer, areas: &mut Areas) -> u16 {
    let Some(focus) = model.focus().and_then(|run| model.projection.run(run)) else { return 0 };
    let count = model.queue.sections.submission_len(focus.submission);
    if count < 2 || area.height < 8 || area.width < 12 {
        return 0;
    }
    let wide = usize::from(area.width);
    let rows = count.div_ceil(wide).min(usize::from(MAX_ROWS));
    // If not all fit, shows the part with the run in focus.
    let fits = rows * wide;
    let first = (focus.index as usize).saturating_sub(fits / 2).min(count.saturating_sub(fits));
    for (place, id) in model.queue.sections.submission(focus.submission).skip(first).take(fits).enumerate() {
        let Some(run) = model.projection.run(id) else { continue };
        let x = area.x + u16::try_from(place % wide).unwrap_or(0);
        let y = area.y + u16::try_from(place / wide).unwrap_or(0);
        let style = theme.run(run.state);
        let style =
            if id == focus.id { style.patch(theme.accent).add_modifier(Modifier::UNDERLINED) } else { style };
        buffer.set_string(x, y, glyph(run, model.options.ascii), style);
        areas.hit(Rect { x, y, width: 1, height: 1 }, Hit::Run(id));
    }
    u16::try_from(rows).unwrap_or(MAX_ROWS) + 1
}

/// Returns the glyph and the style of several runs: what failed or runs is seen first; of the others, how many have ended.
pub(super) fn cell(counts: Counts, theme: &Theme, ascii: bool) -> (&'static str, Style) {
    let ended = (counts.all() - counts.open()) as usize;
    let height = HEIGHTS[(HEIGHTS.len() * ended / (counts.all() as usize).max(1)).min(HEIGHTS.len() - 1)];
    let state = match () {
        () if counts.failed > 0 => RunStatus::Failed,
        () if counts.under_way() > 0 => {
            let glyph = if ascii { ">" } else { height };
            return (glyph, theme.run(RunStatus::Running));
        }
        () if ended == 0 => RunStatus::Queued,
        () if counts.open() > 0 => {
            let glyph = if ascii { "~" } else { height };
            return (glyph, theme.run(RunStatus::Completed));
        }
        () if counts.cancelled > counts.completed => RunStatus::Cancelled,
        () => RunStatus::Completed,
    };
    (of_state(state, ascii), theme.run(state))
}

/// Returns the glyph of a state; the height of a running one is its progress.
fn glyph(run: &Run, ascii: bool) -> &'static str {
    if run.state.is_under_way() && !ascii {
        let at = HEIGHTS.len() * run.nodes_done as usize / (run.nodes as usize).max(1);
        return HEIGHTS[at.min(HEIGHTS.len() - 1)];
    }
    of_state(run.state, ascii)
}

fn of_state(state: RunStatus, ascii: bool) -> &'static str {
    match (state, ascii) {
        (RunStatus::Queued, false) => "·",
        (RunStatus::Queued, true) => ".",
        (RunStatus::Running | RunStatus::Parked | RunStatus::Cancelling, false) => HEIGHTS[0],
        (RunStatus::Running | RunStatus::Parked | RunStatus::Cancelling, true) => ">",
        (RunStatus::Completed, false) => "■",
        (RunStatus::Completed, true) => "+",
        (RunStatus::Failed, false) => "✗",
        (RunStatus::Failed, true) => "x",
        (RunStatus::Cancelled, false) => "⊘",
        (RunStatus::Cancelled, true) => "-",
    }
}
