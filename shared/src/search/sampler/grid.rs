//! The grid: all combinations of choices, of small ranges of whole numbers, and of evenly spaced values of the others.

use super::Axis;
use crate::rng::Rng;

/// The most steps of which all are part of a grid.
const MAX_STEPS: u64 = 32;
/// How many values a range has if the number of trials is not given.
const DEFAULT_VALUES: f64 = 5.0;

/// Returns how many values each axis has.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn lengths(axes: &[Axis], trials: Option<u32>) -> Vec<u64> {
    let fixed = |axis: &Axis| match *axis {
        Axis::Choice(count) => Some(count as u64),
        Axis::Steps(count) if count <= MAX_STEPS => Some(count),
        _ => None,
    };
    let ranges = axes.iter().filter(|axis| fixed(axis).is_none()).count();
    let others: f64 = axes.iter().filter_map(fixed).map(|count| count as f64).product();
    let values = match trials {
        // Added a little, because the cube root of 125 is slightly less than 5.
        Some(trials) => ((f64::from(trials) / others).powf(1.0 / ranges.max(1) as f64) + 1e-9).floor(),
        None => DEFAULT_VALUES,
    };
    axes.iter().map(|axis| fixed(axis).unwrap_or(values.max(2.0) as u64)).collect()
}

/// Returns how many points a grid has; `None` if they can't be counted.
pub(crate) fn size(axes: &[Axis], trials: Option<u32>) -> Option<u64> {
    lengths(axes, trials).into_iter().try_fold(1u64, u64::checked_mul)
}

/// Returns a point of a grid. The last axis varies fastest; a grid with more points than trials is visited in random order.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
pub(super) fn point(axes: &[Axis], seed: i64, number: u32, trials: Option<u32>) -> Option<Vec<f64>> {
    let lengths = lengths(axes, trials);
    let size = size(axes, trials)?;
    let mut place = u64::from(number);
    if place >= size {
        return None;
    }
    if trials.is_some_and(|trials| u64::from(trials) < size) {
        place = shuffled(size as usize, seed, number as usize) as u64;
    }
    let mut point = Vec::with_capacity(axes.len());
    for (axis, length) in axes.iter().zip(&lengths).rev() {
        let (nth, last) = (place % length, (length - 1).max(1));
        place /= length;
        point.push(match axis {
            Axis::Choice(_) => nth as f64,
            Axis::Steps(count) if count == length => axis.at((nth as f64 + 0.5) / *count as f64),
            _ => axis.at(nth as f64 / last as f64),
        });
    }
    point.reverse();
    Some(point)
}

/// Returns the element at a place of `0..size` in random order.
fn shuffled(size: usize, seed: i64, place: usize) -> usize {
    let mut rng = Rng::stream(seed, 0);
    let mut order: Vec<usize> = (0..size).collect();
    for at in 0..=place {
        let other = at + rng.below(size - at);
        order.swap(at, other);
    }
    order[place]
}
