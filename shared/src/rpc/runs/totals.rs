//! `runs.totals`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RunId;
use crate::rpc::request;
use crate::spent::Spent;

/// `runs.totals`: the cost and the tokens of the runs of a submission, and of those of a workflow.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// One of the runs.
    pub run_id: RunId,
}

/// Response of `runs.totals`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TotalsResponse {
    /// All runs of its submission, such as a sweep.
    pub submission: Total,
    /// All runs of its workflow.
    pub workflow: Total,
}

/// A sum over several runs. Deleted runs don't count.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Total {
    /// The number of runs.
    pub runs: u32,
    /// The cost and the tokens of their attempts that have ended.
    pub spent: Spent,
}

request!(Totals, "runs.totals", TotalsResponse);
