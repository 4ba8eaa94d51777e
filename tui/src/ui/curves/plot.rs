//! Draws curves on shared axes: braille in colours, or in ASCII the letter of each curve.

use std::time::Duration;

use fanlight_shared::rpc::metrics::{Axis, Bucket};
use fanlight_shared::time::human_duration;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::line::Line;
use super::scale::Scale;
use crate::text::number;
use crate::ui::braille::{self, Canvas};
use crate::ui::fit::fit;
use crate::ui::theme::Theme;

/// The most columns of the values beside a plot.
const MAX_LABEL_WIDTH: usize = 10;
/// The fewest rows of a plot that has a row of places below it.
const MIN_ROWS: u16 = 3;

/// A curve to draw.
#[derive(Clone, Copy, Debug)]
pub struct Stroke<'a> {
    /// The curve.
    pub line: &'a Line,
    /// Its colour.
    pub style: Style,
    /// Its letter in ASCII.
    pub letter: char,
}

/// Curves on shared axes, drawn in this order; the last one hides the others.
#[derive(Debug)]
pub struct Plot<'a> {
    strokes: &'a [Stroke<'a>],
    scale: Scale,
    ranges: Option<Ranges>,
    /// Whether the last one is on top of the others.
    focused: bool,
}

/// The ranges of both axes, on their scales.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Ranges {
    x: (f64, f64),
    y: (f64, f64),
}

impl<'a> Plot<'a> {
    /// Returns a plot of these curves.
    #[must_use]
    pub fn new(strokes: &'a [Stroke<'a>], scale: Scale, focused: bool) -> Self {
        let mut scratch = Vec::new();
        let mut ranges: Option<Ranges> = None;
        for stroke in strokes {
            scale.put(&stroke.line.buckets, &mut scratch);
            let (Some(first), Some(last)) = (scratch.first(), scratch.last()) else { continue };
            let Some(y) = braille::range(scratch.iter()) else { continue };
            let x = (first.x, last.x);
            ranges = Some(ranges.map_or(Ranges { x, y }, |all| Ranges {
                x: (all.x.0.min(x.0), all.x.1.max(x.1)),
                y: (all.y.0.min(y.0), all.y.1.max(y.1)),
            }));
        }
        Self { strokes, scale, ranges, focused }
    }

    /// Returns the place on the axis at a share of its width.
    #[must_use]
    pub fn place(&self, share: f64) -> Option<f64> {
        let (from, to) = self.ranges?.x;
        Some(self.scale.back_x(from + share * (to - from)))
    }

    /// Returns a place on the axis as text.
    #[must_use]
    pub fn words(axis: Axis, place: f64) -> String {
        match axis {
            Axis::Step => number(place.round()),
            Axis::Time => human_duration(Duration::from_secs_f64((place / 1000.0).clamp(0.0, 1e12))),
        }
    }

    /// Returns the part of an area in which the curves are.
    fn body(&self, area: Rect) -> (Rect, usize) {
        let widest = self.ranges.map_or(0, |ranges| {
            let width = |y| number(self.scale.back_y(y)).len();
            width(ranges.y.0).max(width(ranges.y.1)).min(MAX_LABEL_WIDTH)
        });
        let label = u16::try_from(widest + 1).unwrap_or(0).min(area.width / 2);
        let below = u16::from(area.height >= MIN_ROWS);
        let body = Rect { x: area.x + label, width: area.width - label, height: area.height - below, ..area };
        (body, usize::from(label.saturating_sub(1)))
    }

    /// Returns how many columns the curves have in an area.
    #[must_use]
    pub fn columns(&self, area: Rect) -> u16 {
        self.body(area).0.width
    }

    /// Draws it, with a vertical line at a share of its width.
    pub fn view(&self, theme: &Theme, ascii: bool, cursor: Option<f64>, area: Rect, buffer: &mut Buffer) {
        let Some(Ranges { x, y }) = self.ranges else { return };
        let (body, label) = self.body(area);
        if body.is_empty() {
            return;
        }
        if let Some(column) = cursor.map(|share| column(share, body.width)) {
            for row in body.top()..body.bottom() {
                buffer.set_string(body.x + column, row, "│", theme.dim);
            }
        }
        let mut canvas = Canvas::new(body.width.into(), body.height.into());
        let mut scratch: Vec<Bucket> = Vec::new();
        for (number, stroke) in self.strokes.iter().enumerate() {
            self.scale.put(&stroke.line.buckets, &mut scratch);
            let last = self.focused && number + 1 == self.strokes.len();
            canvas.pen(u16::try_from(number).unwrap_or(u16::MAX), last);
            canvas.curve(&scratch, x, y);
        }
        for (column, row, dots, owner) in canvas.dotted() {
            let Some(stroke) = self.strokes.get(usize::from(owner)) else { continue };
            let at = (body.x + u16::try_from(column).unwrap_or(0), body.y + u16::try_from(row).unwrap_or(0));
            if let Some(cell) = buffer.cell_mut(at) {
                cell.set_char(if ascii { stroke.letter } else { dots }).set_style(stroke.style);
            }
        }
        let mut beside = |row: u16, y: f64| {
            let words = fit(&number(self.scale.back_y(y)), label);
            buffer.set_string(area.x, row, format!("{words:>label$}"), theme.dim);
        };
        beside(body.y, y.1);
        if body.height > 1 && y.0 < y.1 {
            beside(body.bottom() - 1, y.0);
        }
        if body.height < area.height {
            let words = |x| Self::words(self.scale.axis, self.scale.back_x(x));
            let (from, to) = (words(x.0), words(x.1));
            buffer.set_string(body.x, body.bottom(), fit(&from, body.width.into()), theme.dim);
            let wide = u16::try_from(to.len()).unwrap_or(0);
            if usize::from(body.width) > from.len() + to.len() {
                buffer.set_string(body.right() - wide, body.bottom(), to, theme.dim);
            }
        }
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn column(share: f64, width: u16) -> u16 {
    (share.clamp(0.0, 1.0) * f64::from(width.saturating_sub(1))).round() as u16
}
