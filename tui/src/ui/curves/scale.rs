//! The axes of a plot, and smoothing.

use fanlight_shared::rpc::metrics::{Axis, Bucket};

/// The weights of the curve so far in its exponential moving average; 0 is the curve itself.
const WEIGHTS: [f64; 4] = [0.0, 0.6, 0.9, 0.97];

/// How curves are drawn.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Scale {
    /// The axis.
    pub axis: Axis,
    /// Whether the horizontal axis is logarithmic.
    pub log_x: bool,
    /// Whether the vertical axis is logarithmic.
    pub log_y: bool,
    smoothing: usize,
}

impl Scale {
    /// Switches between steps and time.
    pub fn turn_axis(&mut self) {
        self.axis = match self.axis {
            Axis::Step => Axis::Time,
            Axis::Time => Axis::Step,
        };
    }

    /// Makes the next axes logarithmic: the vertical one, the horizontal one, both, none.
    pub fn turn_log(&mut self) {
        (self.log_y, self.log_x) = match (self.log_y, self.log_x) {
            (false, false) => (true, false),
            (true, false) => (false, true),
            (false, true) => (true, true),
            (true, true) => (false, false),
        };
    }

    /// Smooths more, or no longer.
    pub fn turn_smoothing(&mut self) {
        self.smoothing = (self.smoothing + 1) % WEIGHTS.len();
    }

    /// Returns how it differs from a plot of steps with linear axes.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![match self.axis {
            Axis::Step => "by step".to_owned(),
            Axis::Time => "by time".to_owned(),
        }];
        words.extend(self.log_y.then(|| "log values".to_owned()));
        words.extend(self.log_x.then(|| "log axis".to_owned()));
        let weight = WEIGHTS[self.smoothing];
        words.extend((weight > 0.0).then(|| format!("smoothed {weight}")));
        words
    }

    /// Returns a place of the horizontal axis on its scale.
    #[must_use]
    pub fn x(&self, x: f64) -> f64 {
        // Steps begin at 0.
        if self.log_x { (x.max(0.0) + 1.0).log10() } else { x }
    }

    /// Returns the place of the axis at a position on its scale.
    #[must_use]
    pub fn back_x(&self, x: f64) -> f64 {
        if self.log_x { 10f64.powf(x) - 1.0 } else { x }
    }

    fn y(self, y: f64) -> f64 {
        match self.log_y {
            true if y > 0.0 => y.log10(),
            // What has no logarithm is a gap.
            true => f64::NAN,
            false => y,
        }
    }

    /// Returns the value at a position on the scale of the vertical axis.
    #[must_use]
    pub fn back_y(&self, y: f64) -> f64 {
        if self.log_y { 10f64.powf(y) } else { y }
    }

    /// Writes the buckets of a curve on these scales to `out`.
    pub fn put(&self, buckets: &[Bucket], out: &mut Vec<Bucket>) {
        out.clear();
        let weight = WEIGHTS[self.smoothing];
        let (mut mean, mut total) = (0.0, 0.0);
        out.extend(buckets.iter().map(|bucket| {
            let mut bucket = Bucket { x: self.x(bucket.x), ..*bucket };
            if weight > 0.0 && bucket.last.is_finite() {
                // The first values count as much as if there had been equal ones before.
                mean = weight * mean + (1.0 - weight) * bucket.last;
                total = weight * total + (1.0 - weight);
                let smooth = mean / total;
                (bucket.last, bucket.min, bucket.max) = (smooth, smooth, smooth);
            }
            if self.log_y {
                bucket.last = self.y(bucket.last);
                let (min, max) = (self.y(bucket.min), self.y(bucket.max));
                // The part of it that has a logarithm.
                (bucket.min, bucket.max) = (if min.is_nan() { max } else { min }, max);
            }
            bucket
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bucket(x: f64, value: f64) -> Bucket {
        Bucket { x, last: value, min: value, max: value }
    }

    fn put(scale: Scale, values: &[f64]) -> Vec<f64> {
        let buckets: Vec<Bucket> =
            values.iter().enumerate().map(|(x, value)| bucket(x as f64, *value)).collect();
        let mut out = Vec::new();
        scale.put(&buckets, &mut out);
        out.iter().map(|bucket| bucket.last).collect()
    }

    #[test]
    fn what_has_no_logarithm_is_a_gap() {
        let mut scale = Scale::default();
        scale.turn_log();
        let values = put(scale, &[100.0, 0.0, -1.0, f64::NAN, 0.1]);
        assert_eq!((values[0], values[4]), (2.0, -1.0));
        assert!(values[1..4].iter().all(|value| value.is_nan()));
        assert_eq!(scale.back_y(2.0), 100.0);
    }

    #[test]
    fn smoothing_keeps_a_constant_and_the_gaps_and_dampens_a_peak() {
        let mut scale = Scale::default();
        scale.turn_smoothing();
        let values = put(scale, &[2.0, 2.0, f64::NAN, 2.0]);
        assert!(values[2].is_nan());
        assert!([0, 1, 3].iter().all(|at| (values[*at] - 2.0).abs() < 1e-9), "{values:?}");
        assert!(put(scale, &[0.0, 10.0, 0.0])[1] < 7.0);
        assert_eq!(scale.words(), ["by step", "smoothed 0.6"]);
        (0..3).for_each(|_| scale.turn_smoothing());
        assert_eq!(scale, Scale::default());
    }

    #[test]
    fn a_logarithmic_axis_begins_at_step_0() {
        let scale = Scale { log_x: true, ..Scale::default() };
        assert_eq!((scale.x(0.0), scale.x(9.0)), (0.0, 1.0));
        assert!((scale.back_x(scale.x(120.0)) - 120.0).abs() < 1e-9);
    }
}
