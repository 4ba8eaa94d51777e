//! Samplers: they choose the point of the next trial. A point has a coordinate per axis, within `0..=1`, or the number of
//! a choice. A point depends on nothing but the arguments, so the same trials lead to the same point.

mod grid;
mod pareto;
mod parzen;
mod tpe;

use crate::rng::Rng;

pub(crate) use grid::size;
pub(crate) use pareto::front;

/// The shape of an axis of the space.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Axis {
    /// All numbers.
    Line,
    /// This many steps, each with a part of `0..=1` of the same length; the coordinate is the middle of it.
    Steps(u64),
    /// One of this many choices.
    Choice(usize),
}

impl Axis {
    /// Returns the coordinate of the step or choice that a number within `0..=1` falls into.
    #[allow(clippy::cast_precision_loss)]
    pub(crate) fn at(self, unit: f64) -> f64 {
        match self {
            Self::Line => unit.clamp(0.0, 1.0),
            Self::Steps(count) => {
                let count = count as f64;
                ((unit * count).floor().clamp(0.0, count - 1.0) + 0.5) / count
            }
            Self::Choice(count) => (unit * count as f64).floor().clamp(0.0, count as f64 - 1.0),
        }
    }
}

/// What came of a trial.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Score {
    /// The values of the objectives; smaller ones are better.
    Completed(Vec<f64>),
    /// The value of the first objective at the step at which the trial was pruned; smaller ones are better.
    Pruned(u64, f64),
    /// It has no value.
    Failed,
    /// It has not ended.
    Open,
}

/// A trial for a sampler.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Sample {
    pub(crate) point: Vec<f64>,
    pub(crate) score: Score,
}

/// Returns the point of a random trial.
pub(crate) fn random(axes: &[Axis], seed: i64, number: u32) -> Vec<f64> {
    let mut rng = Rng::stream(seed, number.into());
    axes.iter().map(|axis| axis.at(rng.unit())).collect()
}

/// Returns the point of a trial in a Sobol sequence, which covers the space evenly.
///
/// The sequence is scrambled as in Burley, *Practical Hash-based Owen Scrambling*, JCGT 9(4), 2020.
pub(crate) fn sobol(axes: &[Axis], seed: i64, number: u32) -> Vec<f64> {
    let mut seeds = Rng::stream(seed, u64::MAX);
    // A sequence has 2^16 points in 256 dimensions; those after them are of another sequence.
    let later = number >> 16;
    let seed = seeds.seed().wrapping_add(later);
    let at = |(axis, dimension): (&Axis, u32)| {
        let seed = seed.wrapping_add(dimension / sobol_burley::NUM_DIMENSIONS);
        let unit = sobol_burley::sample(number & 0xffff, dimension % sobol_burley::NUM_DIMENSIONS, seed);
        axis.at(unit.into())
    };
    axes.iter().zip(0..).map(at).collect()
}

/// Returns the point of a trial of a grid; `None` after the last one.
pub(crate) fn grid(axes: &[Axis], seed: i64, number: u32, trials: Option<u32>) -> Option<Vec<f64>> {
    grid::point(axes, seed, number, trials)
}

/// Returns the point at which an improvement is most likely, after what is known of other trials.
pub(crate) fn tpe(axes: &[Axis], seed: i64, number: u32, samples: &[Sample]) -> Vec<f64> {
    tpe::point(axes, seed, number, samples)
}
