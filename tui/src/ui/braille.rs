//! Curves in braille: two by four dots in each cell.

use fanlight_shared::rpc::metrics::Bucket;

/// The dots of a cell by column and row, as bits after U+2800.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

/// A rectangle of dots.
#[derive(Clone, Debug)]
pub struct Canvas {
    columns: usize,
    cells: Vec<u32>,
    /// The curve that drew the last dot of each cell.
    owners: Vec<u16>,
    /// The curve that is drawn.
    pen: u16,
    /// Whether it replaces the dots of others in its cells.
    over: bool,
}

impl Canvas {
    /// Returns an empty canvas of this many cells.
    #[must_use]
    pub fn new(columns: usize, rows: usize) -> Self {
        let owners = vec![0; columns * rows];
        Self { columns, cells: vec![0; columns * rows], owners, pen: 0, over: false }
    }

    /// Sets the number of the curve that is drawn next, and whether it replaces the dots of others in its cells.
    pub fn pen(&mut self, number: u16, over: bool) {
        (self.pen, self.over) = (number, over);
    }

    fn width(&self) -> usize {
        self.columns * 2
    }

    fn height(&self) -> usize {
        self.cells.len().checked_div(self.columns).unwrap_or(0) * 4
    }

    fn dot(&mut self, x: usize, y: usize) {
        if x < self.width() && y < self.height() {
            let cell = y / 4 * self.columns + x / 2;
            if self.over && self.owners[cell] != self.pen {
                self.cells[cell] = 0;
            }
            self.cells[cell] |= DOTS[x % 2][y % 4];
            self.owners[cell] = self.pen;
        }
    }

    /// Draws a curve: each bucket from its smallest to its largest value, connected with the one before. Values that are not
    /// finite are gaps. `x` and `y` are the ranges of the axes.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn curve(&mut self, buckets: &[Bucket], x: (f64, f64), y: (f64, f64)) {
        if self.width() == 0 || self.height() == 0 {
            return;
        }
        let place = |value: f64, (from, to): (f64, f64), dots: usize| {
            // Halves, so that no difference overflows.
            let share = if to > from { (value / 2.0 - from / 2.0) / (to / 2.0 - from / 2.0) } else { 0.5 };
            (share.clamp(0.0, 1.0) * (dots - 1) as f64).round() as usize
        };
        let (width, height) = (self.width(), self.height());
        let mut before: Option<(usize, usize)> = None;
        for bucket in buckets {
            if !bucket.min.is_finite() || !bucket.max.is_finite() {
                before = None;
                continue;
            }
            let at = place(bucket.x, x, width);
            let row = |value: f64| height - 1 - place(value, y, height);
            let last = row(if bucket.last.is_finite() { bucket.last } else { bucket.max });
            if let Some(before) = before {
                self.line(before, (at, last));
            }
            for dot in row(bucket.max)..=row(bucket.min) {
                self.dot(at, dot);
            }
            before = bucket.last.is_finite().then_some((at, last));
        }
    }

    /// Draws a dot. `x` and `y` are the ranges of the axes; a place that is not finite has none.
    pub fn point(&mut self, (a, b): (f64, f64), x: (f64, f64), y: (f64, f64)) {
        if a.is_finite() && b.is_finite() {
            self.curve(&[Bucket { x: a, last: b, min: b, max: b }], x, y);
        }
    }

    /// Draws a straight line.
    fn line(&mut self, from: (usize, usize), to: (usize, usize)) {
        let (wide, high) = (to.0.abs_diff(from.0), to.1.abs_diff(from.1));
        let steps = wide.max(high).max(1);
        let between = |from: usize, to: usize, step: usize| {
            let by = from.abs_diff(to) * step / steps;
            if to >= from { from + by } else { from - by }
        };
        for step in 0..=steps {
            self.dot(between(from.0, to.0, step), between(from.1, to.1, step));
        }
    }

    /// Returns the cells with dots: column, row, character, and the curve that drew the last dot.
    pub fn dotted(&self) -> impl Iterator<Item = (usize, usize, char, u16)> + '_ {
        let cells = self.cells.iter().zip(&self.owners).enumerate();
        cells.filter(|(_, (dots, _))| **dots != 0).map(|(at, (dots, owner))| {
            let character = char::from_u32(0x2800 + dots).unwrap_or(' ');
            (at % self.columns, at / self.columns, character, *owner)
        })
    }

    /// Returns the rows of cells.
    pub fn rows(&self) -> impl Iterator<Item = String> + '_ {
        self.cells
            .chunks(self.columns.max(1))
            .map(|row| row.iter().map(|dots| char::from_u32(0x2800 + dots).unwrap_or(' ')).collect())
    }
}

/// Returns the smallest and the largest finite value of curves; `None` if there is none.
#[must_use]
pub fn range<'a>(buckets: impl Iterator<Item = &'a Bucket>) -> Option<(f64, f64)> {
    let finite = buckets.filter(|bucket| bucket.min.is_finite() && bucket.max.is_finite());
    finite
        .map(|bucket| (bucket.min, bucket.max))
        .reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(x: f64, value: f64) -> Bucket {
        Bucket { x, last: value, min: value, max: value }
    }

    fn drawn(buckets: &[Bucket], columns: usize, rows: usize) -> Vec<String> {
        let mut canvas = Canvas::new(columns, rows);
        canvas.curve(buckets, (0.0, 7.0), range(buckets.iter()).unwrap_or_default());
        canvas.rows().collect()
    }

    #[test]
    fn a_rising_curve_goes_from_the_lower_left_to_the_upper_right() {
        assert_eq!(drawn(&[bucket(0.0, 1.0), bucket(7.0, 2.0)], 4, 2), ["⠀⠀⡠⠊", "⡠⠊⠀⠀"]);
    }

    #[test]
    fn values_that_are_not_finite_are_gaps() {
        let curve = [bucket(0.0, 1.0), bucket(1.0, 1.0), bucket(3.0, f64::NAN), bucket(7.0, 1.0)];
        assert_eq!(drawn(&curve, 4, 1), ["⠒⠀⠀⠐"]);
        assert_eq!(drawn(&[bucket(0.0, f64::INFINITY)], 2, 1), ["⠀⠀"]);
        assert_eq!(drawn(&[], 2, 1), ["⠀⠀"]);
    }

    #[test]
    fn a_bucket_shows_its_extremes() {
        let peak = Bucket { x: 0.0, last: 1.0, min: 0.0, max: 2.0 };
        assert_eq!(drawn(&[peak], 1, 1), ["⡇"]);
    }

    #[test]
    fn the_last_curve_owns_its_cells_and_may_hide_others_in_them() {
        let mut canvas = Canvas::new(2, 1);
        let mut draw = |number, over, value: f64| {
            canvas.pen(number, over);
            canvas.curve(&[bucket(0.0, value), bucket(7.0, value)], (0.0, 7.0), (0.0, 1.0));
            canvas.dotted().map(|(.., character, owner)| (character, owner)).collect::<Vec<_>>()
        };
        draw(1, false, 0.0);
        assert_eq!(draw(2, false, 1.0), [('⣉', 2), ('⣉', 2)]);
        assert_eq!(draw(3, true, 0.6), [('⠒', 3), ('⠒', 3)]);
    }

    #[test]
    fn no_size_and_no_value_is_too_much() {
        let wild = [bucket(-5.0, f64::MAX), bucket(3.0, f64::MIN), bucket(1e300, 0.0)];
        for (columns, rows) in [(0, 0), (0, 3), (3, 0), (1, 1), (7, 3)] {
            assert_eq!(drawn(&wild, columns, rows).len(), if columns == 0 { 0 } else { rows });
        }
    }
}
