//! TPE, the tree-structured Parzen estimator: one density of the good points and one of the others; the next point is where
//! their quotient is largest.
//!
//! Bergstra et al., *Algorithms for Hyper-Parameter Optimization*, NeurIPS 2011; Watanabe, arXiv:2304.11127, 2023.

use super::parzen::Parzen;
use super::{Axis, Sample, Score, pareto, sobol};
use crate::rng::Rng;

/// How many trials cover the space before anything is learnt from them.
const STARTUP_TRIALS: usize = 10;
/// How many points are drawn from the density of the good ones.
const CANDIDATES: usize = 24;
/// The most good points.
const MAX_GOOD: usize = 25;
/// How many of the newest trials have the full weight.
const FULL_WEIGHT: usize = 25;

/// Returns the point of the next trial.
pub(super) fn point(axes: &[Axis], seed: i64, number: u32, samples: &[Sample]) -> Vec<f64> {
    let ranked = ranked(samples);
    if ranked.len() < STARTUP_TRIALS {
        return sobol(axes, seed, number);
    }
    let best = &ranked[..good(ranked.len())];
    let (good, others): (Vec<usize>, Vec<usize>) = (0..samples.len()).partition(|at| best.contains(at));
    let (good, others) = (density(axes, samples, &good), density(axes, samples, &others));
    let mut rng = Rng::stream(seed, number.into());
    let candidates = (0..CANDIDATES).map(|_| good.sample(&mut rng));
    let rated = candidates.map(|point| (good.log_density(&point) - others.log_density(&point), point));
    rated.max_by(|one, other| one.0.total_cmp(&other.0)).map(|(_, point)| point).unwrap_or_default()
}

/// Returns how many of the trials count as good.
fn good(count: usize) -> usize {
    count.div_ceil(10).min(MAX_GOOD)
}

/// Returns the places of the trials with a value, the best first. Those that were pruned follow, the longest first.
fn ranked(samples: &[Sample]) -> Vec<usize> {
    let (mut places, mut values, mut pruned) = (Vec::new(), Vec::new(), Vec::new());
    for (at, sample) in samples.iter().enumerate() {
        match &sample.score {
            Score::Completed(of) => {
                places.push(at);
                values.push(of.as_slice());
            }
            Score::Pruned(step, value) => pruned.push((*step, *value, at)),
            Score::Failed | Score::Open => {}
        }
    }
    pruned.sort_by(|one, other| other.0.cmp(&one.0).then(one.1.total_cmp(&other.1)));
    let completed = pareto::order(&values).into_iter().map(|at| places[at]);
    completed.chain(pruned.into_iter().map(|(_, _, at)| at)).collect()
}

/// Returns the density of some trials; the oldest ones have less weight.
fn density<'a>(axes: &'a [Axis], samples: &[Sample], places: &[usize]) -> Parzen<'a> {
    let points: Vec<&[f64]> = places.iter().map(|at| samples[*at].point.as_slice()).collect();
    Parzen::new(axes, &points, &weights(points.len()))
}

#[allow(clippy::cast_precision_loss)]
fn weights(count: usize) -> Vec<f64> {
    let Some(old) = count.checked_sub(FULL_WEIGHT).filter(|old| *old > 0) else { return vec![1.0; count] };
    let (first, last) = (1.0 / count as f64, (old - 1).max(1) as f64);
    let ramp = (0..old).map(|at| first + (1.0 - first) * at as f64 / last);
    ramp.chain(std::iter::repeat_n(1.0, FULL_WEIGHT)).collect()
}
