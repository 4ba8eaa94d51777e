//! Curves in braille: two by four dots in each cell.

use fanlight_shared::rpc::metrics::Bucket;

/// The rows of dots in a cell.
const ROWS: usize = 4;
/// The dots of a cell by column, from a row to the last one, as bits after U+2800.
const FROM: [[u8; ROWS]; 2] = [[0x47, 0x46, 0x44, 0x40], [0xB8, 0xB0, 0xA0, 0x80]];
/// The same, from the first one to a row.
const TO: [[u8; ROWS]; 2] = [[0x01, 0x03, 0x07, 0x47], [0x08, 0x18, 0x38, 0xB8]];

/// A rectangle of dots.
#[derive(Clone, Debug)]
pub struct Canvas {
    columns: usize,
    rows: usize,
    cells: Vec<u8>,
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
        Self { columns, rows, cells: vec![0; columns * rows], owners, pen: 0, over: false }
    }

    /// Sets the number of the curve that is drawn next, and whether it replaces the dots of others in its cells.
    pub fn pen(&mut self, number: u16, over: bool) {
        (self.pen, self.over) = (number, over);
    }

    fn width(&self) -> usize {
        self.columns * 2
    }

    fn height(&self) -> usize {
        self.rows * ROWS
    }

    /// Sets dots of a column, from a row to a row, both included. Takes a cell at a time: 1,000 curves are drawn in a frame.
    fn column(&mut self, x: usize, from: usize, to: usize) {
        if x >= self.width() || from > to || to >= self.height() {
            return;
        }
        for row in from / ROWS..=to / ROWS {
            let first = if row == from / ROWS { from % ROWS } else { 0 };
            let last = if row == to / ROWS { to % ROWS } else { ROWS - 1 };
            let cell = row * self.columns + x / 2;
            let dots = if self.over && self.owners[cell] != self.pen { 0 } else { self.cells[cell] };
            self.cells[cell] = dots | FROM[x % 2][first] & TO[x % 2][last];
            self.owners[cell] = self.pen;
        }
    }

    /// Draws a curve: each bucket from its smallest to its largest value, connected with the one before. Values that are not
    /// finite are gaps. `x` and `y` are the ranges of the axes.
    pub fn curve(&mut self, buckets: &[Bucket], x: (f64, f64), y: (f64, f64)) {
        if self.width() == 0 || self.height() == 0 {
            return;
        }
        let (across, up) = (Dots::new(x, self.width()), Dots::new(y, self.height()));
        let height = self.height();
        let mut before: Option<(usize, usize)> = None;
        for bucket in buckets {
            if !bucket.min.is_finite() || !bucket.max.is_finite() {
                before = None;
                continue;
            }
            let at = across.of(bucket.x);
            let row = |value: f64| height - 1 - up.of(value);
            let last = row(if bucket.last.is_finite() { bucket.last } else { bucket.max });
            if let Some(before) = before {
                self.line(before, (at, last));
            }
            let is_one = bucket.min == bucket.last && bucket.max == bucket.last;
            let (top, bottom) = if is_one { (last, last) } else { (row(bucket.max), row(bucket.min)) };
            self.column(at, top, bottom);
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
        let moved = |from: usize, to: usize, by: usize| if to >= from { from + by } else { from - by };
        // The dots of a column at once: a steep line has many. Most are as short as two columns, so divisions count.
        let begin = |column: usize| if wide < 2 { column * high } else { (column * high).div_ceil(wide) };
        for column in 0..=wide {
            let (first, last) = if high <= wide {
                let row = (high * column).checked_div(wide).unwrap_or(0);
                (row, row)
            } else {
                (begin(column), if column == wide { high } else { begin(column + 1) - 1 })
            };
            let (one, other) = (moved(from.1, to.1, first), moved(from.1, to.1, last));
            self.column(moved(from.0, to.0, column), one.min(other), one.max(other));
        }
    }

    /// Returns the cells with dots: column, row, character, and the curve that drew the last dot.
    pub fn dotted(&self) -> impl Iterator<Item = (usize, usize, char, u16)> + '_ {
        let cells = self.cells.iter().zip(&self.owners).enumerate();
        cells.filter(|(_, (dots, _))| **dots != 0).map(|(at, (dots, owner))| {
            let character = char::from_u32(0x2800 + u32::from(*dots)).unwrap_or(' ');
            (at % self.columns, at / self.columns, character, *owner)
        })
    }

    /// Returns the rows of cells.
    pub fn rows(&self) -> impl Iterator<Item = String> + '_ {
        self.cells.chunks(self.columns.max(1)).map(|row| {
            row.iter().map(|dots| char::from_u32(0x2800 + u32::from(*dots)).unwrap_or(' ')).collect()
        })
    }
}

/// An axis as dots.
#[derive(Clone, Copy)]
struct Dots {
    from: f64,
    /// The part of the axis that half a unit is; 0 if the axis has one value.
    share: f64,
    last: f64,
}

impl Dots {
    #[allow(clippy::cast_precision_loss)]
    fn new((from, to): (f64, f64), dots: usize) -> Self {
        // Halves, so that no difference overflows.
        let half = to / 2.0 - from / 2.0;
        let share = if half >= f64::MIN_POSITIVE { half.recip() } else { 0.0 };
        Self { from, share, last: dots.saturating_sub(1) as f64 }
    }

    /// Returns the dot of a value.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn of(&self, value: f64) -> usize {
        let share = if self.share > 0.0 { (value / 2.0 - self.from / 2.0) * self.share } else { 0.5 };
        // Not `round`, which calls a function where the processor has no instruction for it.
        (share.clamp(0.0, 1.0) * self.last + 0.5) as usize
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
    fn a_line_has_a_dot_for_each_step_of_its_longer_side() {
        let places = [(0, 0), (1, 9), (9, 1), (4, 0), (0, 11), (5, 6), (9, 11), (3, 3)];
        for (from, to) in places.iter().flat_map(|from| places.map(|to| (*from, to))) {
            let mut canvas = Canvas::new(5, 3);
            canvas.line(from, to);
            let (wide, high) = (to.0.abs_diff(from.0), to.1.abs_diff(from.1));
            let steps = wide.max(high).max(1);
            let mut expected = Canvas::new(5, 3);
            for step in 0..=steps {
                let moved = |from: usize, to: usize| {
                    let by = from.abs_diff(to) * step / steps;
                    if to >= from { from + by } else { from - by }
                };
                let (x, y) = (moved(from.0, to.0), moved(from.1, to.1));
                expected.column(x, y, y);
            }
            assert_eq!(canvas.cells, expected.cells, "{from:?} to {to:?}");
        }
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
