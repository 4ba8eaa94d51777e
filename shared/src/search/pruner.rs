//! Pruners: they end trials that are not promising, so that their slots go to others.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::value::cut;

/// Of this many trials that reach a decision of ASHA, one continues.
const FACTOR: u64 = 4;
/// How many other trials the median needs.
const LEAST_TRIALS: usize = 5;
/// How many decisions of the median there are while the step doubles.
const PER_DOUBLING: u64 = 16;

/// Which trials end early.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(into = "String", try_from = "String")]
pub enum Pruner {
    /// Those that are worse than the median of the others at the same step. `first` is the step of the first decision.
    Median {
        /// The step of the first decision.
        first: u64,
    },
    /// Those that are not among the best quarter at the steps `first`, 4 × `first`, 16 × `first` ….
    Asha {
        /// The step of the first decision.
        first: u64,
    },
}

impl From<Pruner> for String {
    fn from(pruner: Pruner) -> Self {
        match pruner {
            Pruner::Median { first } => format!("median:{first}"),
            Pruner::Asha { first } => format!("asha:{first}"),
        }
    }
}

impl TryFrom<String> for Pruner {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl std::str::FromStr for Pruner {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let shown = cut(text, 60);
        let (word, first) = text.split_once(':').unwrap_or((text, "1"));
        let first: u64 = first.parse().ok().filter(|first| *first > 0).ok_or_else(|| {
            format!("`{shown}`: the step of the first decision is a whole number above 0, such as `asha:10`")
        })?;
        match word {
            "median" => Ok(Self::Median { first }),
            "asha" => Ok(Self::Asha { first }),
            _ => Err(format!("there is no pruner `{shown}`; there are median and asha")),
        }
    }
}

/// A report of a trial at a step at which is decided whether it continues.
#[derive(Clone, PartialEq, Debug)]
pub struct Report {
    /// The trial.
    pub trial: u32,
    /// The step of the decision.
    pub step: u64,
    /// The value of the metric: for the median the best one so far.
    pub value: f64,
}

impl Pruner {
    /// Returns the step of the last decision that a trial reaches with a report of this step; `None` before the first one.
    #[must_use]
    pub fn decision(self, step: u64) -> Option<u64> {
        match self {
            Self::Asha { first } => {
                let mut at = first;
                while let Some(next) = at.checked_mul(FACTOR).filter(|next| *next <= step) {
                    at = next;
                }
                (step >= first).then_some(at)
            }
            Self::Median { first } => {
                let coarse = (step.max(1).ilog2() + 1).saturating_sub(PER_DOUBLING.ilog2() + 1);
                let at = step >> coarse << coarse;
                (step >= first).then_some(at.max(first))
            }
        }
    }

    /// Returns the value that a report has at a decision, after the value that the trial had so far.
    #[must_use]
    pub fn value(self, so_far: Option<f64>, value: f64, is_better: impl Fn(f64, f64) -> bool) -> f64 {
        match (self, so_far) {
            (Self::Median { .. }, Some(best)) if !is_better(value, best) => best,
            _ => value,
        }
    }

    /// Returns whether a trial ends early.
    ///
    /// ASHA: Li et al., *A System for Massively Parallel Hyperparameter Tuning*, MLSys 2020. The median rule: Golovin et al.,
    /// *Google Vizier*, KDD 2017, section 3.2.
    pub(super) fn prunes(self, before: &[Report], report: &Report, cost: impl Fn(f64) -> f64) -> bool {
        let others = before.iter().filter(|it| it.step == report.step && it.trial != report.trial);
        let mut costs: Vec<f64> = others.map(|other| cost(other.value)).collect();
        let own = cost(report.value);
        match self {
            Self::Asha { .. } => {
                costs.push(own);
                costs.sort_by(f64::total_cmp);
                // The first trials have few to be compared with: the best of them continues.
                let last = (costs.len() as u64 / FACTOR).max(1) - 1;
                own > costs[usize::try_from(last).unwrap_or(0)]
            }
            Self::Median { .. } => {
                costs.sort_by(f64::total_cmp);
                let (middle, is_odd) = (costs.len() / 2, costs.len() % 2 == 1);
                costs.len() >= LEAST_TRIALS
                    && own
                        > if is_odd { costs[middle] } else { f64::midpoint(costs[middle - 1], costs[middle]) }
            }
        }
    }
}
