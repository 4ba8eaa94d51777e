//! `runs.table`

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::{BlobHash, RunId, WorkflowId};
use crate::metric::Goal;
use crate::preview;
use crate::rpc::{Page, request};
use crate::run::{MAX_PARAM_BYTES, Run};
use crate::value::{Values, float};

/// `runs.table`: runs with their outputs and metrics, newest first; exactly one of `workflow_id`, `sweep` and `run_ids` is
/// given. A page ends where it is full, which may be before `limit` rows.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The runs of this workflow.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// The runs of the sweep with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sweep: Option<String>,
    /// These runs, at most 1,000.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run_ids: Vec<RunId>,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The most metrics of one run in a table.
pub const TABLE_METRICS: usize = 200;

/// A run in a table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TableRow {
    /// The run as lists show it.
    pub run: Run,
    /// Its outputs, shortened.
    #[serde(default, skip_serializing_if = "Values::is_empty")]
    pub outputs: Values,
    /// The first [`TABLE_METRICS`] metrics of its nodes, in the order in which they were first reported. Those of single
    /// items are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub metrics: Vec<Measured>,
    /// How many more metrics its nodes have: too many, or damaged ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub metrics_left: u32,
    /// The hashes of its long params by name, whether `run` has them whole or shortened: equal values have equal hashes. They are
    /// of the text, or of the JSON of another value.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub param_hashes: IndexMap<String, BlobHash>,
    /// How many of its params `run` lacks, because there are too many long ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub params_left: u32,
}

impl TableRow {
    /// Returns a row of a run with all its params, without results.
    #[must_use]
    pub fn of(run: Run) -> Self {
        Self {
            param_hashes: hashes(&run),
            run,
            outputs: Values::new(),
            metrics: Vec::new(),
            metrics_left: 0,
            params_left: 0,
        }
    }

    /// Returns the run and its params, without results.
    #[must_use]
    pub fn without_results(&self) -> Self {
        Self {
            run: self.run.clone(),
            param_hashes: self.param_hashes.clone(),
            params_left: self.params_left,
            outputs: Values::new(),
            metrics: Vec::new(),
            metrics_left: 0,
        }
    }

    /// Returns the row of a run that has all its params now.
    #[must_use]
    pub fn with_all_params(self) -> Self {
        Self { param_hashes: hashes(&self.run), params_left: 0, ..self }
    }

    /// Shortens the run for a response.
    pub fn shorten(&mut self) {
        let all = self.run.params.len();
        self.run.shorten();
        let left = all - self.run.params.len();
        self.params_left = self.params_left.saturating_add(u32::try_from(left).unwrap_or(u32::MAX));
        // What is not shown can't be compared.
        self.param_hashes.retain(|name, _| self.run.params.contains_key(name));
    }
}

fn hashes(run: &Run) -> IndexMap<String, BlobHash> {
    preview::hashes_of_long(&run.params, MAX_PARAM_BYTES)
}

/// A metric of a run, without its curve.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Measured {
    /// The node.
    pub node: String,
    /// The name of the metric.
    pub name: String,
    /// The last value.
    #[serde(with = "float")]
    #[cfg_attr(feature = "schema", schemars(with = "float::Number"))]
    pub last: f64,
    /// The direction in which it gets better, if the node said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub goal: Option<Goal>,
    /// The best value, if the direction is known and a value is finite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<f64>,
}

/// NaN equals itself, because rows are compared to find differences.
impl PartialEq for Measured {
    fn eq(&self, other: &Self) -> bool {
        crate::metric::same(self.last, other.last)
            && (&self.node, &self.name, self.goal, self.best)
                == (&other.node, &other.name, other.goal, other.best)
    }
}

// serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

request!(Table, "runs.table", Page<TableRow>);
