//! The page with the metrics of a node: a small curve of each.

use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::metrics::Axis;
use fanlight_shared::rpc::watch::Metrics;
use fanlight_shared::time::Time;

use super::page::Text;
use crate::text::number;
use crate::ui::braille::{self, Canvas};
use crate::ui::curves::line::Line;
use crate::ui::curves::lines::Lines;
use crate::ui::effect::CurvesOf;
use crate::ui::theme::Theme;

/// Rows of a curve.
const HEIGHT: usize = 5;
/// Columns of the labels before it.
const LABEL_WIDTH: usize = 11;
/// The most columns of a curve.
const MAX_WIDTH: u16 = 100;

fn columns(page: u16) -> u16 {
    page.saturating_sub(LABEL_WIDTH as u16 + 1).clamp(4, MAX_WIDTH)
}

/// Returns the curves of an instance for a page of this many columns.
pub(super) fn of(run: (RunId, Time), node: &str, item: ItemPath, page: u16) -> CurvesOf {
    CurvesOf {
        runs: vec![run],
        node: Some(node.to_owned()),
        item: Some(item),
        name: None,
        axis: Axis::Step,
        width: u32::from(columns(page)) * 2,
    }
}

/// Returns the metrics of an instance, to watch them.
pub(super) fn watched(run: RunId, node: &str, item: ItemPath) -> Metrics {
    Metrics { run_ids: vec![run], node: Some(node.to_owned()), item: Some(item) }
}

/// Returns the page.
pub(super) fn text(lines: &Lines, page: u16, theme: &Theme) -> Vec<Text> {
    let mut text = Vec::new();
    if lines.all().is_empty() {
        if lines.error().is_some() {
            return text;
        }
        let words = if lines.is_loading() { "loading the curves" } else { "nothing was stored" };
        return vec![(words.to_owned(), theme.dim)];
    }
    let curves = lines.all().iter().flat_map(|line| one(line, usize::from(columns(page)), theme));
    text.extend(curves);
    text.extend(lines.further.then(|| ("more metrics: `fanlight metrics`".to_owned(), theme.dim)));
    text
}

fn one(line: &Line, columns: usize, theme: &Theme) -> Vec<Text> {
    let series = &line.series;
    let unit = series.unit.as_ref().map(|unit| format!(" {unit}")).unwrap_or_default();
    let mut head = format!("{}  {}{unit}", series.name, number(series.last.value));
    if let Some(best) = series.best() {
        head.push_str(&format!("  best {} at {}", number(best.value), best.step));
    }
    if let Some(damaged) = &series.damaged {
        return vec![
            (series.name.clone(), theme.accent),
            (damaged.clone(), theme.bad),
            (String::new(), theme.text),
        ];
    }
    let mut lines = vec![(head, theme.accent)];
    let (Some(first), Some(last)) = (line.buckets.first(), line.buckets.last()) else { return lines };
    let (from, to) = (first.x, last.x);
    if let Some(range) = braille::range(line.buckets.iter()) {
        let mut canvas = Canvas::new(columns, HEIGHT);
        canvas.curve(&line.buckets, (from, to), range);
        for (row, dots) in canvas.rows().enumerate() {
            let label = match row {
                0 => number(range.1),
                row if row + 1 == HEIGHT => number(range.0),
                _ => String::new(),
            };
            lines.push((format!("{label:>LABEL_WIDTH$} {dots}"), theme.text));
        }
    }
    let (from, to) = (number(from), number(to));
    let gap = columns.saturating_sub(from.len() + to.len());
    lines.push((format!("{:LABEL_WIDTH$} {from}{:gap$}{to}", "", ""), theme.dim));
    lines.push((String::new(), theme.text));
    lines
}
