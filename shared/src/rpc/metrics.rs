//! `metrics.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, request};
use crate::id::RunId;
use crate::item::ItemPath;
use crate::metric::{Goal, Point, same};
use crate::value::float::Number;

/// The most runs of one request.
pub const MAX_RUNS: usize = 1000;

/// The most buckets of one curve.
pub const MAX_WIDTH: u32 = 4096;

/// `metrics.list`: the series of runs, with their last and extreme values. The series of a run follow each other in the
/// order in which they were first reported.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The runs, at most 1,000.
    pub run_ids: Vec<RunId>,
    /// Only the metrics of this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only those of this item; empty for those of nodes as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemPath>,
    /// Only the metric with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A series: all reports of one metric by one node of one run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Series {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// The item.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The name of the metric.
    pub name: String,
    /// The attempt that reported it, from 1: a later one starts all series of its node again.
    pub attempt: u32,
    /// The unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The direction in which it gets better, if the node said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// How many points were reported, without the replaced ones.
    pub count: u64,
    /// How many of them are stored: fewer after they were thinned out.
    pub stored: u64,
    /// How many points were replaced, because a later one had the same or a smaller step.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub replaced: u64,
    /// The first step.
    pub first_step: u64,
    /// The last point.
    pub last: Point,
    /// Why its values can't be read: what is stored of them is damaged. `last` is then NaN. Its neighbours are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<String>,
    /// The first of the points with the smallest finite value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<Point>,
    /// The first of the points with the largest finite value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<Point>,
}

impl Series {
    /// Returns the best point, if the direction is known and a value is finite.
    #[must_use]
    pub fn best(&self) -> Option<Point> {
        match self.goal? {
            Goal::Min => self.min,
            Goal::Max => self.max,
        }
    }
}

// serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// The axis along which points are put into buckets.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Axis {
    /// The step.
    #[default]
    Step,
    /// The time since the run started, in milliseconds.
    Time,
}

/// `metrics.read`: the curves of one metric in several runs, in at most `width` buckets each. All curves have the same
/// buckets.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The runs, at most 1,000.
    pub run_ids: Vec<RunId>,
    /// The name of the metric.
    pub name: String,
    /// Only the metrics of this node.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Only those of this item; empty for those of nodes as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<ItemPath>,
    /// The axis.
    #[serde(default)]
    pub axis: Axis,
    /// The first place on the axis; by default that of the first point of all curves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
    /// The last place on the axis; by default that of the last point of all curves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// The number of buckets, at most 4,096.
    pub width: u32,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// The curve of a series.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Curve {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// The item.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The first place on the axis of all curves.
    pub from: u64,
    /// The last place on the axis of all curves.
    pub to: u64,
    /// The attempt that reported the points, from 1.
    pub attempt: u32,
    /// How many points it had reported, also those that were replaced or thinned out.
    pub reported: u64,
    /// Why its points can't be read: what is stored of them is damaged. The other curves of the page are whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damaged: Option<String>,
    /// The buckets that contain points, in order.
    pub buckets: Vec<Bucket>,
}

/// The points of a part of the axis: an array `[x, last]`, or `[x, last, min, max]` if these differ. `min` and `max` are
/// of the finite values; if there is none, they equal `last`.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(into = "Vec<Number>", try_from = "Vec<Number>")]
pub struct Bucket {
    /// The place of its last point on the axis.
    pub x: f64,
    /// The last value.
    pub last: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
}

impl PartialEq for Bucket {
    fn eq(&self, other: &Self) -> bool {
        same(self.x, other.x)
            && same(self.last, other.last)
            && same(self.min, other.min)
            && same(self.max, other.max)
    }
}

impl From<Bucket> for Vec<Number> {
    fn from(bucket: Bucket) -> Self {
        let Bucket { x, last, min, max } = bucket;
        let short = same(min, last) && same(max, last);
        if short { vec![Number(x), Number(last)] } else { [x, last, min, max].map(Number).to_vec() }
    }
}

impl TryFrom<Vec<Number>> for Bucket {
    type Error = String;
    fn try_from(numbers: Vec<Number>) -> Result<Self, String> {
        match numbers.as_slice() {
            [Number(x), Number(last)] => Ok(Self { x: *x, last: *last, min: *last, max: *last }),
            [Number(x), Number(last), Number(min), Number(max)] => {
                Ok(Self { x: *x, last: *last, min: *min, max: *max })
            }
            _ => Err(format!("a bucket has 2 or 4 numbers, this one has {}", numbers.len())),
        }
    }
}

#[cfg(feature = "schema")]
impl JsonSchema for Bucket {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Bucket".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let number = generator.subschema_for::<Number>();
        schemars::json_schema!({
            "description": "`[x, last]`, or `[x, last, min, max]` if these differ",
            "type": "array", "items": number, "minItems": 2, "maxItems": 4
        })
    }
}

/// `metrics.points`: the stored points of one series.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Points {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// The item.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The name of the metric.
    pub name: String,
    /// The first step.
    #[serde(default)]
    pub from: u64,
    /// The last step; no limit by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<u64>,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Points per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

request!(List, "metrics.list", Page<Series>);
request!(Read, "metrics.read", Page<Curve>);
request!(Points, "metrics.points", Page<Point>);
