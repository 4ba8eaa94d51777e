//! Axes: their ends, and their ticks.

use super::ticks::{Ticks, is_single};
use super::time;

/// A mark on an axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Tick {
    /// From 0 to 1 along the axis.
    pub(super) at: f32,
    pub(super) label: String,
}

/// An axis.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    pub(super) ticks: Vec<Tick>,
    /// Its ticks are names with a band each, not numbers.
    pub(super) bands: bool,
}

impl Axis {
    /// Returns an axis of numbers that ends at ticks beyond the values.
    pub(super) fn around(low: f64, high: f64, count: usize) -> Self {
        let ticks = Ticks::around(low, high, count);
        Self::with(ticks.low(), ticks.high(), ticks.values.iter().copied().zip(ticks.labels()))
    }

    /// Returns an axis of numbers that ends at the values, or beyond them by a share of their extent.
    pub(super) fn within(low: f64, high: f64, beyond: f64, count: usize) -> Self {
        let around = if is_single(low, high) { (low.abs() * 0.1).max(0.5) } else { (high - low) * beyond };
        let (low, high) = (low - around, high + around);
        let ticks = Ticks::within(low, high, count);
        Self::with(low, high, ticks.values.iter().copied().zip(ticks.labels()))
    }

    /// Returns an axis of times.
    pub(super) fn times(low: f64, high: f64, beyond: f64, count: usize) -> Self {
        let around = if high > low { (high - low) * beyond } else { 43_200.0 };
        let (low, high) = (low - around, high + around);
        Self::with(low, high, time::ticks(low, high, count))
    }

    /// Returns an axis of names, each in the middle of its own band.
    pub(super) fn bands(names: &[String]) -> Self {
        let ticks = names.iter().enumerate().map(|(nth, name)| (nth as f64, name.clone()));
        Self { bands: true, ..Self::with(-0.5, (names.len() as f64 - 0.5).max(0.5), ticks) }
    }

    fn with(low: f64, high: f64, ticks: impl IntoIterator<Item = (f64, String)>) -> Self {
        let mut axis = Self { low, high, ticks: Vec::new(), bands: false };
        axis.ticks = ticks.into_iter().map(|(value, label)| Tick { at: axis.share(value), label }).collect();
        axis
    }

    /// Returns the place of a value, from 0 to 1.
    pub(super) fn share(&self, value: f64) -> f32 {
        ((value - self.low) / (self.high - self.low)) as f32
    }
}
