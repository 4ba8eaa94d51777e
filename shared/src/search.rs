//! A search: a sweep whose runs are proposed one after the other, each from what is known of those before.
//!
//! - `range`: the values of a param; `sampler`: the point of the next trial; `pruner`: which trials end early
//!
//! All of it is pure: the same search, trial number and trials give the same proposal. So a search survives its daemon, and can
//! be replayed.

mod pruner;
mod range;
mod sampler;
#[cfg(test)]
mod tests;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use pruner::{Pruner, Report};
pub use range::Range;
use sampler::{Axis, Sample, Score};

use crate::metric::Goal;
use crate::value::float::Number;
use crate::value::{Values, cut};

/// The most trials of a search.
pub const MAX_TRIALS: u32 = 10_000;
/// The most params and objectives of a search.
const MAX_PARAMS: usize = 100;
const MAX_OBJECTIVES: usize = 8;

/// How the params of a trial are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Sampler {
    /// At random.
    Random,
    /// All combinations of evenly spaced values.
    Grid,
    /// In a sequence that covers the space evenly.
    Sobol,
    /// Where earlier trials suggest that an improvement is most likely.
    #[default]
    Tpe,
}

impl Sampler {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 4] =
        [("random", Self::Random), ("grid", Self::Grid), ("sobol", Self::Sobol), ("tpe", Self::Tpe)];

    /// Returns the name that a person types.
    #[must_use]
    pub fn word(self) -> &'static str {
        Self::ALL.iter().find(|(_, sampler)| *sampler == self).map_or("", |(word, _)| word)
    }
}

impl std::str::FromStr for Sampler {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.iter().find(|(word, _)| *word == text).map(|(_, sampler)| *sampler);
        found.ok_or_else(|| {
            format!("there is no sampler `{}`; there are random, grid, sobol and tpe", cut(text, 60))
        })
    }
}

/// A number that a search makes as small or as large as it can.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Objective {
    /// An output of the workflow, else a metric, of which the last value counts: `accuracy`, or `train.accuracy` for that of
    /// one node.
    pub name: String,
    /// Its direction.
    pub goal: Goal,
}

impl Objective {
    /// Returns a value so that smaller ones are better. NaN is the worst.
    fn cost(&self, value: f64) -> f64 {
        match self.goal {
            _ if value.is_nan() => f64::INFINITY,
            Goal::Min => value,
            Goal::Max => -value,
        }
    }

    /// Returns the worst value that there is; unlike NaN it can be stored.
    #[must_use]
    pub fn worst(&self) -> f64 {
        match self.goal {
            Goal::Min => f64::INFINITY,
            Goal::Max => f64::NEG_INFINITY,
        }
    }

    /// Returns whether one value is better than another.
    #[must_use]
    pub fn is_better(&self, one: f64, other: f64) -> bool {
        self.cost(one) < self.cost(other)
    }

    /// Returns whether a metric of a node is meant.
    #[must_use]
    pub fn is_metric(&self, node: &str, metric: &str) -> bool {
        self.name == metric
            || self.name.strip_prefix(node).and_then(|rest| rest.strip_prefix('.')) == Some(metric)
    }
}

/// A search.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Search {
    /// The params that it chooses, and their values.
    pub space: IndexMap<String, Range>,
    /// What is to become small or large. Of several, none is more important than another.
    pub objectives: Vec<Objective>,
    /// How many trials there are. Only a grid can do without: then it has all its points.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trials: Option<u32>,
    /// How params are chosen.
    #[serde(default)]
    pub sampler: Sampler,
    /// Which trials end early; none if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pruner: Option<Pruner>,
    /// The same seed gives the same proposals after the same trials.
    #[serde(default)]
    pub seed: i64,
    /// How many trials wait or run at once; as many as the queue allows by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parallel: Option<u32>,
}

/// A trial of a search, or another run of its sweep.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// The values of the params of the space.
    pub params: Values,
    /// What came of it; `None` while it is open.
    pub outcome: Option<Outcome>,
}

/// What came of a trial.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It completed.
    Completed {
        /// The value of each objective.
        values: Vec<Number>,
    },
    /// It ended early.
    Pruned {
        /// The step at which it was pruned.
        step: u64,
        /// The value of the first objective at that step.
        value: Number,
    },
    /// It failed.
    Failed,
    /// A person cancelled it, which says nothing about its params.
    Cancelled,
    /// It completed without a value for an objective.
    Unmeasured {
        /// A sentence that says what is missing.
        why: String,
    },
}

impl Search {
    /// Returns the params of a trial, after all that is known of other ones in the order in which they ended, and of those that
    /// are open; `None` if a grid has no further point.
    #[must_use]
    pub fn propose(&self, number: u32, trials: &[Trial]) -> Option<Values> {
        let axes = self.axes();
        let point = match self.sampler {
            Sampler::Random => sampler::random(&axes, self.seed, number),
            Sampler::Sobol => sampler::sobol(&axes, self.seed, number),
            Sampler::Grid => sampler::grid(&axes, self.seed, number, self.trials)?,
            Sampler::Tpe => {
                let samples: Vec<Sample> = trials.iter().filter_map(|trial| self.sample(trial)).collect();
                sampler::tpe(&axes, self.seed, number, &samples)
            }
        };
        let values = self.space.iter().zip(point);
        Some(values.map(|((name, range), at)| (name.clone(), range.value(at))).collect())
    }

    /// Returns the places of the best trials: one, or with several objectives all that no other one beats in everything.
    #[must_use]
    pub fn best(&self, trials: &[Trial]) -> Vec<usize> {
        let costs: Vec<(usize, Vec<f64>)> = trials
            .iter()
            .enumerate()
            .filter_map(|(at, trial)| match &trial.outcome {
                Some(Outcome::Completed { values }) if values.iter().all(|it| !it.0.is_nan()) => {
                    Some((at, self.costs(values)))
                }
                _ => None,
            })
            .collect();
        let values: Vec<&[f64]> = costs.iter().map(|(_, costs)| costs.as_slice()).collect();
        let mut front = sampler::front(&values);
        if self.objectives.len() == 1 {
            front.truncate(1);
        }
        front.into_iter().map(|at| costs[at].0).collect()
    }

    /// Returns whether a trial ends early after a report. `before` are the reports of all trials up to then, in their order.
    #[must_use]
    pub fn prunes(&self, before: &[Report], report: &Report) -> bool {
        let (Some(pruner), Some(objective)) = (self.pruner, self.objectives.first()) else { return false };
        pruner.prunes(before, report, |value| objective.cost(value))
    }

    /// Returns the number of trials in all: for a grid at most its points.
    #[must_use]
    pub fn length(&self) -> u32 {
        let given = self.trials.unwrap_or(MAX_TRIALS);
        let points = match self.sampler {
            Sampler::Grid => sampler::size(&self.axes(), self.trials),
            _ => None,
        };
        points.map_or(given, |points| u32::try_from(points).unwrap_or(given).min(given))
    }

    fn axes(&self) -> Vec<Axis> {
        self.space.values().map(Range::axis).collect()
    }

    fn costs(&self, values: &[Number]) -> Vec<f64> {
        self.objectives.iter().zip(values).map(|(objective, value)| objective.cost(value.0)).collect()
    }

    /// Returns a trial for a sampler, unless it says nothing about the space: it is outside, or was cancelled.
    fn sample(&self, trial: &Trial) -> Option<Sample> {
        let score = match &trial.outcome {
            None => Score::Open,
            Some(Outcome::Completed { values }) => Score::Completed(self.costs(values)),
            Some(Outcome::Pruned { step, value }) => {
                Score::Pruned(*step, self.objectives.first()?.cost(value.0))
            }
            Some(Outcome::Failed) => Score::Failed,
            Some(Outcome::Cancelled | Outcome::Unmeasured { .. }) => return None,
        };
        let at = |(name, range): (&String, &Range)| range.coordinate(trial.params.get(name)?);
        let point = self.space.iter().map(at).collect::<Option<Vec<f64>>>()?;
        Some(Sample { point, score })
    }

    /// Checks that it can propose trials, whatever the workflow.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn check(&self) -> Result<(), String> {
        if self.space.is_empty() {
            return Err("the search has no params to choose; write `--search lr=log:1e-5..1e-1`".into());
        }
        if self.objectives.is_empty() {
            return Err(
                "the search has no objective; write `--maximize accuracy` or `--minimize loss`".into()
            );
        }
        if self.space.len() > MAX_PARAMS || self.objectives.len() > MAX_OBJECTIVES {
            return Err(format!("a search has at most {MAX_PARAMS} params and {MAX_OBJECTIVES} objectives"));
        }
        for (at, Objective { name, .. }) in self.objectives.iter().enumerate() {
            let shown = cut(name, 60);
            if name.is_empty() || name.len() > crate::metric::MAX_NAME * 2 {
                return Err("an objective is the name of an output or of a metric".into());
            }
            if self.objectives[..at].iter().any(|other| other.name == *name) {
                return Err(format!("`{shown}` is an objective twice"));
            }
        }
        if self.pruner.is_some() && self.objectives.len() > 1 {
            return Err("a pruner needs one objective, and this search has several".into());
        }
        self.space.iter().try_for_each(|(name, range)| {
            range.check().map_err(|why| format!("the search of `{}`: {why}", cut(name, 60)))
        })?;
        self.check_numbers()
    }

    fn check_numbers(&self) -> Result<(), String> {
        if self.parallel == Some(0) || self.trials == Some(0) {
            return Err("a search has at least 1 trial, and 1 at once".into());
        }
        match (self.sampler, self.trials) {
            (_, Some(trials)) if trials > MAX_TRIALS => {
                Err(format!("a search has at most {MAX_TRIALS} trials, not {trials}"))
            }
            (Sampler::Grid, trials) => match sampler::size(&self.axes(), trials) {
                Some(size) if size <= u64::from(MAX_TRIALS) => Ok(()),
                Some(size) => Err(format!("the grid has {size} points, and a search at most {MAX_TRIALS}")),
                None => Err(format!("the grid has more than {MAX_TRIALS} points")),
            },
            (_, None) => Err("the search has no number of trials; write `--trials 60`".into()),
            _ => Ok(()),
        }
    }
}
