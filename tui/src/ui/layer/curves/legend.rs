//! The legend: a row for each curve of the enlarged metric, with its last and best values, or those at the cursor.

use fanlight_shared::run::Run;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::text::number;
use crate::ui::areas::{Areas, Hit};
use crate::ui::curves::line::Line;
use crate::ui::curves::plot::Stroke;
use crate::ui::fit::fit;
use crate::ui::theme::Theme;

/// Columns of the colour of a curve.
const MARK_WIDTH: u16 = 3;
/// Columns of the last value and of the best one, which may have a star: room for `-7.8886e-10`.
const NUMBER_WIDTHS: [usize; 2] = [11, 13];
/// The fewest columns of a legend with the best values.
const WITH_BEST: u16 = 38;

/// A row of the legend.
pub(super) struct Row<'a> {
    pub(super) stroke: Stroke<'a>,
    pub(super) run: &'a Run,
    /// Whether its run has several curves.
    pub(super) several: bool,
    pub(super) focused: bool,
    /// Whether its best value is the best of all.
    pub(super) best: bool,
}

/// Draws the rows around the focused one.
pub(super) fn view(
    rows: &[Row<'_>],
    cursor: Option<(f64, String)>,
    (theme, ascii): (&Theme, bool),
    area: Rect,
    buffer: &mut Buffer,
    areas: &mut Areas,
) {
    if area.height < 2 || area.width < 12 {
        return;
    }
    let with_best = area.width >= WITH_BEST;
    let widths = if with_best { &NUMBER_WIDTHS[..] } else { &NUMBER_WIDTHS[..1] };
    let numbers: usize = widths.iter().map(|width| width + 1).sum();
    let name_width = usize::from(area.width - MARK_WIDTH).saturating_sub(numbers);
    let mut put = |y: u16, name: &str, values: [&str; 2], style| {
        buffer.set_string(area.x + MARK_WIDTH, y, fit(name, name_width), style);
        let mut x = area.x + MARK_WIDTH + u16::try_from(name_width).unwrap_or(0);
        for (value, width) in values.iter().zip(widths) {
            let value = fit(value, *width);
            let blank = width.saturating_sub(value.width()) + 1;
            buffer.set_string(x + u16::try_from(blank).unwrap_or(0), y, &value, style);
            x += u16::try_from(*width).unwrap_or(0) + 1;
        }
    };
    let at = cursor.as_ref().map_or("last".to_owned(), |(_, words)| format!("at {words}"));
    put(area.y, "run", [&at, "best"], theme.dim);
    let room = usize::from(area.height - 1);
    let focus = rows.iter().position(|row| row.focused).unwrap_or(0);
    let first = (focus + 1).saturating_sub(room);
    for (y, row) in (area.y + 1..).zip(rows.iter().skip(first).take(room)) {
        let line = row.stroke.line;
        let value = match &cursor {
            _ if line.series.damaged.is_some() => "damaged".to_owned(),
            Some((place, _)) => line.at(*place).map(number).unwrap_or_default(),
            None => number(line.series.last.value),
        };
        let star = if row.best { "★ " } else { "" };
        let best = line.series.best().map(|best| format!("{star}{}", number(best.value))).unwrap_or_default();
        let style = if line.series.damaged.is_some() { theme.bad } else { theme.text };
        put(y, &name(row, line), [&value, &best], style);
    }
    for (y, row) in (area.y + 1..).zip(rows.iter().skip(first).take(room)) {
        let mark = if ascii { row.stroke.letter.to_string() } else { "━━".to_owned() };
        buffer.set_string(area.x, y, mark, row.stroke.style);
        let place = Rect { y, height: 1, ..area };
        if row.focused {
            theme.select(Rect { x: area.x + MARK_WIDTH, width: area.width - MARK_WIDTH, ..place }, buffer);
        }
        areas.hit(place, Hit::Run(row.run.id));
    }
}

/// Returns `#12 seed=7`, with the node of one of several curves.
fn name(row: &Row<'_>, line: &Line) -> String {
    let of = if row.several { format!(" {}{}", line.series.node, line.series.item) } else { String::new() };
    format!("#{}{of} {}", row.run.number, row.run.label)
}
