//! A curve that grows.

use fanlight_shared::metric::{NewPoints, Point, same};
use fanlight_shared::rpc::metrics::{Axis, Bucket, Curve, Series};
use fanlight_shared::time::Time;

/// A curve, and what is known of its series.
#[derive(Clone, PartialEq, Debug)]
pub struct Line {
    /// The series.
    pub series: Series,
    /// Its buckets, in order.
    pub buckets: Vec<Bucket>,
    axis: Axis,
    /// When its run started.
    begin: Time,
    from: f64,
    /// The width of a bucket on the axis.
    span: f64,
    /// The most buckets.
    limit: usize,
    reported: u64,
    /// The step of the newest point.
    step: Option<u64>,
}

/// The curve must be read again: points are missing, or points that it shows were replaced.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stale;

impl Line {
    /// Returns a curve of at most `width` buckets as it was read.
    #[must_use]
    #[allow(clippy::cast_precision_loss)]
    pub fn new(mut series: Series, curve: Curve, axis: Axis, begin: Time, width: u32) -> Self {
        // Points may have been stored between both responses.
        let known = series.count + series.replaced == curve.reported;
        if let Some(last) = curve.buckets.last().filter(|_| !known) {
            series.last.value = last.last;
        }
        let step = match axis {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            Axis::Step => curve.buckets.last().map(|last| last.x as u64),
            Axis::Time => Some(series.last.step),
        };
        series.damaged = series.damaged.or(curve.damaged);
        let places = (curve.to.saturating_sub(curve.from)) as f64 + 1.0;
        Self {
            axis,
            begin,
            from: curve.from as f64,
            span: (places / f64::from(width.max(1))).max(1.0),
            limit: width.max(1) as usize,
            reported: curve.reported,
            step,
            buckets: curve.buckets,
            series,
        }
    }

    /// Adds points that were reported since.
    ///
    /// # Errors
    /// The curve must be read again.
    pub fn add(&mut self, attempt: u32, new: &NewPoints) -> Result<(), Stale> {
        let known = attempt == self.series.attempt && new.after <= self.reported;
        if known || attempt < self.series.attempt || self.series.damaged.is_some() {
            return Ok(());
        }
        if attempt > self.series.attempt || new.before > self.reported {
            return Err(Stale);
        }
        let whole = new.after - new.before == new.points.len() as u64;
        let known = if whole { usize::try_from(self.reported - new.before).unwrap_or(usize::MAX) } else { 0 };
        for point in new.points.iter().skip(known) {
            // It goes back; or of thinned points it isn't known which are new.
            if self.step.is_some_and(|step| point.step <= step) {
                return Err(Stale);
            }
            self.push(*point);
        }
        self.series.count += new.after - self.reported;
        self.reported = new.after;
        self.series.unit = new.unit.clone().or(self.series.unit.take());
        self.series.goal = new.goal.or(self.series.goal);
        Ok(())
    }

    #[allow(clippy::cast_precision_loss)]
    fn push(&mut self, point: Point) {
        self.step = Some(point.step);
        let series = &mut self.series;
        series.last = point;
        if point.value.is_finite() {
            series.min = series.min.filter(|min| min.value <= point.value).or(Some(point));
            series.max = series.max.filter(|max| max.value >= point.value).or(Some(point));
        }
        let x = match self.axis {
            Axis::Step => point.step as f64,
            Axis::Time => (point.at.0.saturating_sub(self.begin.0)).max(0) as f64,
        };
        let one = Bucket { x, last: point.value, min: point.value, max: point.value };
        match self.buckets.last_mut() {
            // Clocks may go back.
            Some(last)
                if x <= last.x || place(self.from, self.span, x) == place(self.from, self.span, last.x) =>
            {
                join(last, &one);
            }
            _ => self.buckets.push(one),
        }
        if self.buckets.len() > 2 * self.limit {
            self.halve();
        }
    }

    /// Makes each bucket twice as wide.
    fn halve(&mut self) {
        self.span *= 2.0;
        let mut joined: Vec<Bucket> = Vec::with_capacity(self.buckets.len() / 2 + 1);
        for bucket in &self.buckets {
            match joined.last_mut() {
                Some(last)
                    if place(self.from, self.span, last.x) == place(self.from, self.span, bucket.x) =>
                {
                    join(last, bucket);
                }
                _ => joined.push(*bucket),
            }
        }
        self.buckets = joined;
    }

    /// Returns the value at a place of the axis: that of the last bucket up to it, if the curve has begun and not ended.
    #[must_use]
    pub fn at(&self, x: f64) -> Option<f64> {
        let next = self.buckets.partition_point(|bucket| bucket.x <= x);
        let here = self.buckets.get(next.checked_sub(1)?)?;
        (next < self.buckets.len() || x - here.x <= self.span).then_some(here.last)
    }
}

fn place(from: f64, span: f64, x: f64) -> f64 {
    ((x - from) / span).floor()
}

/// Adds the next bucket to one.
fn join(bucket: &mut Bucket, next: &Bucket) {
    bucket.x = bucket.x.max(next.x);
    bucket.last = next.last;
    if next.min.is_finite() && next.max.is_finite() {
        let first = !bucket.min.is_finite();
        bucket.min = if first { next.min } else { bucket.min.min(next.min) };
        bucket.max = if first { next.max } else { bucket.max.max(next.max) };
    } else if !bucket.min.is_finite() && !same(bucket.min, next.min) {
        (bucket.min, bucket.max) = (next.min, next.max);
    }
}

#[cfg(test)]
mod tests;
