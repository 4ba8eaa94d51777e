//! Metrics: the numbers that a node reports step by step. All reports of one name are a series.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::time::Time;
use crate::value::float;

/// The most bytes of a metric's name.
pub const MAX_NAME: usize = 100;

/// The most metrics of one attempt; further names are ignored, and the log of the node says so.
pub const MAX_NAMES: usize = 256;

/// The beginning of the names of metrics that Fanlight measures itself: the use of the processor, memory and disk.
pub const SYSTEM: &str = "system/";

/// The largest step: the largest whole number that every reader of JSON keeps exactly.
pub const MAX_STEP: u64 = 9_007_199_254_740_991;

/// The direction in which a metric gets better.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Goal {
    /// The smallest value is the best, as of a loss.
    Min,
    /// The largest value is the best, as of an accuracy.
    Max,
}

/// One report of a metric.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Point {
    /// Its step. The steps of a series only grow.
    pub step: u64,
    /// When it was measured.
    pub at: Time,
    /// The value, which may be NaN or infinite.
    #[serde(with = "float")]
    #[cfg_attr(feature = "schema", schemars(with = "float::Number"))]
    pub value: f64,
}

/// NaN equals itself, because points are compared to find differences.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step && self.at == other.at && same(self.value, other.value)
    }
}

/// Points of one series that follow those that were sent before.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NewPoints {
    /// The name of the metric.
    pub name: String,
    /// The unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The direction in which it gets better.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How many points of this series the attempt had reported before these.
    pub before: u64,
    /// How many it had reported after them. If that is more than there are points here, some were thinned out.
    pub after: u64,
    /// The points in the order of their reports; a smaller step replaces what was reported for it and later ones.
    pub points: Vec<Point>,
}

/// Returns whether two values are the same, where NaN is the same as itself.
#[must_use]
pub fn same(one: f64, other: f64) -> bool {
    one == other || (one.is_nan() && other.is_nan())
}
