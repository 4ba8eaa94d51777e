//! An axis of numbers.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use unicode_width::UnicodeWidthStr;

use crate::text::number;
use crate::ui::fit::fit;
use crate::ui::theme::Theme;

/// The most columns of the values beside a plot.
const MAX_LABEL_WIDTH: usize = 10;
/// From this ratio of the largest to the smallest value on, an axis of positive numbers is logarithmic.
const LOG_FROM: f64 = 1000.0;

/// An axis: its values as they are, or their logarithms.
#[derive(Clone, Copy)]
pub(super) struct Axis {
    log: bool,
    /// The smallest and the largest place.
    pub(super) range: (f64, f64),
}

impl Axis {
    /// Returns the axis of some numbers.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let (from, to) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(from, to), it| (from.min(it), to.max(it)));
        let axis = Self { log: from > 0.0 && to / from >= LOG_FROM, range: (from, to) };
        Self { range: (axis.place(from), axis.place(to)), ..axis }
    }

    /// Returns the same axis of numbers that are counted, which is never logarithmic.
    pub(super) fn linear(self) -> Self {
        let value = |place: f64| if self.log { 10f64.powf(place) } else { place };
        Self { log: false, range: (value(self.range.0), value(self.range.1)) }
    }

    /// Returns the place of a value, in the range.
    pub(super) fn place(self, value: f64) -> f64 {
        if self.log { value.log10() } else { value }
    }

    /// Returns its ends in words.
    pub(super) fn ends(self) -> [String; 2] {
        let words = |place: f64| number(if self.log { 10f64.powf(place) } else { place });
        [words(self.range.0), words(self.range.1)]
    }

    /// Returns what its name is followed by.
    pub(super) fn note(self) -> &'static str {
        if self.log { " (logarithmic)" } else { "" }
    }

    /// Writes the ends of an axis from below to above at the left of an area. Returns the place for the plot beside them,
    /// with a row above it and one below.
    pub(super) fn at_left(self, area: Rect, theme: &Theme, buffer: &mut Buffer) -> Rect {
        let [low, high] = self.ends();
        let width = low.width().max(high.width()).min(MAX_LABEL_WIDTH);
        let indent = u16::try_from(width + 1).unwrap_or(0);
        let plot =
            Rect { x: area.x + indent, y: area.y + 1, width: area.width - indent, height: area.height - 2 };
        buffer.set_string(area.x, plot.y, format!("{:>width$}", fit(&high, width)), theme.dim);
        buffer.set_string(area.x, plot.bottom() - 1, format!("{:>width$}", fit(&low, width)), theme.dim);
        plot
    }
}
