//! Series: the points of metrics, from the report of a node to the store and to curves.
//!
//! - `chunk`: the points of a row of the store, as bytes; `thin`: keeps the extreme ones of many points
//! - `buckets`: the points of a series in the columns of a curve

mod buckets;
mod chunk;
#[cfg(test)]
mod tests;
mod thin;

use fanlight_shared::metric::{Goal, MAX_NAME, MAX_NAMES, Point};
use fanlight_shared::sanitise;
use fanlight_shared::time::Time;
use fanlight_shared::value::cut;
use serde::{Deserialize, Serialize};

pub(crate) use buckets::Buckets;
pub(crate) use chunk::{decode, encode};
pub(crate) use thin::thin;

/// A report of a metric.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Measurement {
    /// The name of the metric.
    pub(crate) name: String,
    /// The value.
    #[serde(with = "fanlight_shared::value::float")]
    pub(crate) value: f64,
    /// The unit.
    pub(crate) unit: Option<String>,
    /// The step; the one after the last by default.
    pub(crate) step: Option<u64>,
    /// When it was measured; now by default.
    pub(crate) at: Option<Time>,
    /// The direction in which it gets better.
    pub(crate) goal: Option<Goal>,
}

/// The most characters of a unit.
const MAX_UNIT: usize = 20;

impl Measurement {
    /// Returns it with texts that are safe to show, and that have the limits of a series.
    pub(crate) fn clean(mut self) -> Self {
        self.name = sanitise::line(&self.name);
        self.name.truncate(self.name.floor_char_boundary(MAX_NAME));
        self.unit = self.unit.map(|unit| cut(&sanitise::line(&unit), MAX_UNIT));
        self
    }
}

/// The attempt has too many metrics.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TooMany {
    /// Whether this is the first one too many, which the log of the node says.
    pub(crate) first: bool,
}

impl TooMany {
    /// Returns the line for the log.
    pub(crate) fn line(name: &str) -> String {
        format!(
            "the metric `{name}` and further ones are ignored, because an attempt has at most {MAX_NAMES}"
        )
    }
}

impl PartialEq for Measurement {
    fn eq(&self, other: &Self) -> bool {
        fanlight_shared::metric::same(self.value, other.value)
            && (&self.name, &self.unit, self.step, self.at, self.goal)
                == (&other.name, &other.unit, other.step, other.at, other.goal)
    }
}

/// Returns points with growing steps: each replaces those before it that have its step or a larger one.
pub(crate) fn ascending(points: Vec<Point>) -> Vec<Point> {
    let mut kept: Vec<Point> = Vec::with_capacity(points.len());
    for point in points {
        while kept.last().is_some_and(|last| last.step >= point.step) {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}
