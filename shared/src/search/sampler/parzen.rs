//! A Parzen estimator: the density of points, as a mixture of one kernel around each of them and a wide one as prior.
//!
//! The kernels are products over the axes, so that the mixture knows which coordinates belong together: Watanabe,
//! *Tree-Structured Parzen Estimator: Understanding Its Algorithm Components*, arXiv:2304.11127, 2023, sections 3.3 and 3.4.

use std::f64::consts::{SQRT_2, TAU};

use super::Axis;
use crate::rng::Rng;

/// The least deviation of a kernel, as a part of that of as many kernels side by side. A larger one explores more, a smaller
/// one looks closer at the best points; this one is no worse than Optuna's on any function of `benches/search.rs`.
const LEAST_DEVIATION: f64 = 0.4;

/// The kernel of one coordinate.
#[derive(Clone, Debug)]
enum Kernel {
    /// A normal distribution, cut off outside of `0..=1`.
    Normal { mean: f64, deviation: f64, mass: f64 },
    /// The probability of the observed choice, and that of each other one.
    Choice { observed: usize, likely: f64, other: f64 },
    /// Each choice with the same probability.
    Even(f64),
}

/// The density of points.
pub(super) struct Parzen<'a> {
    axes: &'a [Axis],
    /// Of each point, and of the prior.
    kernels: Vec<Vec<Kernel>>,
    weights: Vec<f64>,
}

impl<'a> Parzen<'a> {
    /// Creates the density of these points with these weights; the prior has the weight 1.
    pub(super) fn new(axes: &'a [Axis], points: &[&[f64]], weights: &[f64]) -> Self {
        let mut kernels = vec![Vec::with_capacity(axes.len()); points.len() + 1];
        for (at, axis) in axes.iter().enumerate() {
            let coordinates: Vec<f64> = points.iter().map(|point| point[at]).collect();
            for (kernel, of) in kernels.iter_mut().zip(kernels_of(*axis, &coordinates)) {
                kernel.push(of);
            }
        }
        let sum: f64 = weights.iter().sum::<f64>() + 1.0;
        let weights = weights.iter().chain([&1.0]).map(|weight| weight / sum).collect();
        Self { axes, kernels, weights }
    }

    /// Returns a point, drawn from the density.
    pub(super) fn sample(&self, rng: &mut Rng) -> Vec<f64> {
        let mut left = rng.unit();
        let chosen = self.weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        let kernel = &self.kernels[chosen.unwrap_or(self.kernels.len() - 1)];
        self.axes.iter().zip(kernel).map(|(axis, kernel)| kernel.sample(*axis, rng)).collect()
    }

    /// Returns the logarithm of the density at a point.
    pub(super) fn log_density(&self, point: &[f64]) -> f64 {
        let log = |kernel: &Vec<Kernel>, weight: &f64| {
            let axes = self.axes.iter().zip(kernel).zip(point);
            weight.ln() + axes.map(|((axis, kernel), at)| kernel.log_density(*axis, *at)).sum::<f64>()
        };
        let logs: Vec<f64> =
            self.kernels.iter().zip(&self.weights).map(|(it, weight)| log(it, weight)).collect();
        let most = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        most + logs.iter().map(|log| (log - most).exp()).sum::<f64>().ln()
    }
}

/// Returns the kernels around coordinates, and the prior of their axis.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn kernels_of(axis: Axis, coordinates: &[f64]) -> Vec<Kernel> {
    let count = coordinates.len() as f64 + 1.0;
    if let Axis::Choice(choices) = axis {
        let sum = 1.0 + choices as f64 / count;
        let (likely, other) = ((1.0 + 1.0 / count) / sum, 1.0 / count / sum);
        let around = |at: &f64| Kernel::Choice { observed: *at as usize, likely, other };
        return coordinates.iter().map(around).chain([Kernel::Even(1.0 / choices as f64)]).collect();
    }
    let mut sorted: Vec<usize> = (0..coordinates.len()).collect();
    sorted.sort_by(|a, b| coordinates[*a].total_cmp(&coordinates[*b]));
    let mut deviations = vec![1.0; coordinates.len()];
    for (place, at) in sorted.iter().enumerate() {
        let here = coordinates[*at];
        let before = place.checked_sub(1).map(|place| here - coordinates[sorted[place]]);
        let after = sorted.get(place + 1).map(|next| coordinates[*next] - here);
        // The distance to the further neighbour; the ends of the axis count only for a single point.
        let distance = match (before, after) {
            (Some(before), Some(after)) => before.max(after),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => here.max(1.0 - here),
        };
        deviations[*at] = distance.clamp(LEAST_DEVIATION / (count + 1.0).min(100.0), 1.0);
    }
    let around = coordinates.iter().zip(deviations).map(|(mean, deviation)| normal(*mean, deviation));
    around.chain([normal(0.5, 1.0)]).collect()
}

fn normal(mean: f64, deviation: f64) -> Kernel {
    Kernel::Normal { mean, deviation, mass: between(-mean / deviation, (1.0 - mean) / deviation) }
}

impl Kernel {
    #[allow(clippy::cast_precision_loss)]
    fn sample(&self, axis: Axis, rng: &mut Rng) -> f64 {
        match *self {
            // The mean is within the bounds, so at least a third of the draws is too.
            Self::Normal { mean, deviation, .. } => loop {
                let at = mean + deviation * normal_deviate(rng);
                if (0.0..=1.0).contains(&at) {
                    return axis.at(at);
                }
            },
            Self::Choice { observed, likely, other } => {
                let (unit, observed) = (rng.unit(), observed as f64);
                let Axis::Choice(choices) = axis else { return observed };
                if unit < likely || choices < 2 {
                    return observed;
                }
                let nth = ((unit - likely) / other).floor().min(choices as f64 - 2.0);
                if nth < observed { nth } else { nth + 1.0 }
            }
            Self::Even(_) => axis.at(rng.unit()),
        }
    }

    #[allow(clippy::cast_precision_loss, clippy::float_cmp)]
    fn log_density(&self, axis: Axis, at: f64) -> f64 {
        match (self, axis) {
            (Self::Normal { mean, deviation, mass }, Axis::Steps(count)) => {
                let half = 0.5 / count as f64;
                // The difference of two nearly equal numbers would be wrong.
                if half < deviation * 0.05 {
                    return log_normal(at, *mean, *deviation) - mass.ln() + (2.0 * half).ln();
                }
                let step = between((at - half - mean) / deviation, (at + half - mean) / deviation);
                step.max(f64::MIN_POSITIVE).ln() - mass.ln()
            }
            (Self::Normal { mean, deviation, mass }, _) => log_normal(at, *mean, *deviation) - mass.ln(),
            (Self::Choice { observed, likely, other }, _) => {
                if at == *observed as f64 {
                    likely.ln()
                } else {
                    other.ln()
                }
            }
            (Self::Even(each), _) => each.ln(),
        }
    }
}

fn log_normal(at: f64, mean: f64, deviation: f64) -> f64 {
    let distance = (at - mean) / deviation;
    -0.5 * distance * distance - deviation.ln() - 0.5 * TAU.ln()
}

/// Draws from the standard normal distribution: Box and Muller, *A Note on the Generation of Random Normal Deviates*, 1958.
fn normal_deviate(rng: &mut Rng) -> f64 {
    let (radius, angle) = ((1.0 - rng.unit()).ln(), rng.unit());
    (-2.0 * radius).sqrt() * (TAU * angle).cos()
}

/// Returns the probability of the standard normal distribution between two numbers.
fn between(from: f64, to: f64) -> f64 {
    // In the upper tail, so that small probabilities keep their digits.
    let (from, to) = if from < 0.0 { (-to, -from) } else { (from, to) };
    0.5 * (complement(from / SQRT_2) - complement(to / SQRT_2))
}

/// Returns the complementary error function, with a relative error of 1.2e-7: Press et al., *Numerical Recipes*, 2nd edition,
/// section 6.2.
fn complement(at: f64) -> f64 {
    const POLYNOMIAL: [f64; 10] = [
        -1.265_512_23,
        1.000_023_68,
        0.374_091_96,
        0.096_784_18,
        -0.186_288_06,
        0.278_868_07,
        -1.135_203_98,
        1.488_515_87,
        -0.822_152_23,
        0.170_872_77,
    ];
    let t = 1.0 / (1.0 + 0.5 * at.abs());
    let sum = POLYNOMIAL.iter().rev().fold(0.0, |sum, factor| sum * t + factor);
    let tail = t * (sum - at * at).exp();
    if at >= 0.0 { tail } else { 2.0 - tail }
}
