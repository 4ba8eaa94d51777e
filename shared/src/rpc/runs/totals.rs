//! `runs.totals`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RunId;
use crate::rpc::request;
use crate::run_state::Spent;

/// `runs.totals`: what the runs beside a run spent, as far as their attempts have ended.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// The run.
    pub run_id: RunId,
}

/// Response of `runs.totals`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct TotalsResponse {
    /// The runs of its submission, such as a sweep, with itself.
    pub submission: Total,
    /// All runs of its workflow that were not deleted.
    pub workflow: Total,
}

/// What several runs spent.
#[derive(Clone, Copy, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Total {
    /// How many runs there are.
    pub runs: u32,
    /// What they spent in all.
    pub spent: Spent,
}

request!(Totals, "runs.totals", TotalsResponse);
