//! The points of a series in the columns of a curve.

use fanlight_shared::metric::Point;
use fanlight_shared::rpc::metrics::Bucket;

/// Collects points into buckets of equal width on an axis.
pub(crate) struct Buckets {
    from: u64,
    to: u64,
    width: u64,
    /// The buckets that contain points, with their numbers.
    found: Vec<(u64, Bucket)>,
}

impl Buckets {
    /// Returns empty buckets, at most `width`, for the places `from..=to`.
    pub(crate) fn new(from: u64, to: u64, width: u32) -> Self {
        Self { from, to: to.max(from), width: u64::from(width.max(1)), found: Vec::new() }
    }

    /// Adds a point at a place on the axis; points elsewhere are left out.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn add(&mut self, place: u64, point: &Point) {
        if !(self.from..=self.to).contains(&place) {
            return;
        }
        let places = u128::from(self.to - self.from) + 1;
        let number = u128::from(place - self.from) * u128::from(self.width) / places;
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        let (x, last) = (place as f64, point.value);
        // Times may go back.
        let at = self.found.partition_point(|(known, _)| *known < number);
        match self.found.get_mut(at) {
            Some((known, bucket)) if *known == number => {
                bucket.x = bucket.x.max(x);
                bucket.last = last;
                if last.is_finite() {
                    let first = !bucket.min.is_finite();
                    bucket.min = if first { last } else { bucket.min.min(last) };
                    bucket.max = if first { last } else { bucket.max.max(last) };
                } else if !bucket.min.is_finite() {
                    (bucket.min, bucket.max) = (last, last);
                }
            }
            _ => self.found.insert(at, (number, Bucket { x, last, min: last, max: last })),
        }
    }

    /// Returns the buckets that contain points.
    pub(crate) fn finish(self) -> Vec<Bucket> {
        self.found.into_iter().map(|(_, bucket)| bucket).collect()
    }
}
