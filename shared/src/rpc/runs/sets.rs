//! The params of the runs of a submission, and the sweep that they are.

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::RunId;
use crate::search::Search;
use crate::sweep::{Limits, RUN_LIMIT};
use crate::value::{Value, Values};

/// The options of a sweep.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SweepOptions {
    /// Its name. Without one it is named after its workflow, such as `poster/3`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its limits.
    #[serde(default, skip_serializing_if = "Limits::are_none")]
    pub limits: Limits,
    /// The whole name of a sweep that the runs join, in place of a new one. Its runs must have this version of the workflow. It
    /// keeps its name, its limits and its pause; if it has ended, it is active again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
    /// How its runs are proposed, one after the other. Then there is one set with the params that the search doesn't choose, and
    /// the response has the first run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<Search>,
}

/// The given params of one run.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ParamSet {
    /// By name; a param of a media type is the absolute path of a file.
    #[serde(default)]
    pub params: IndexMap<String, Value>,
    /// A run that provides the params that aren't given here, as far as the workflow still has them. This allows
    /// resubmitting a run whose params are too long for lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub like: Option<RunId>,
    /// The number among several repetitions of the same params, for the label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat: Option<Repeat>,
}

impl ParamSet {
    /// Returns sets with these params, each `of` times.
    ///
    /// # Errors
    /// A sentence: there are more than a submission may have.
    pub fn repeated(sets: Vec<Values>, of: u32) -> Result<Vec<Self>, String> {
        let runs = sets.len().saturating_mul(of as usize);
        if runs > RUN_LIMIT {
            return Err(format!("this would make {runs} runs; at most {RUN_LIMIT} are accepted at once"));
        }
        let nth = |nth| (of > 1).then_some(Repeat { nth, of });
        let repeated = |params: Values| {
            (1..=of).map(move |it| Self { params: params.clone(), repeat: nth(it), ..Self::default() })
        };
        Ok(sets.into_iter().flat_map(repeated).collect())
    }
}

/// `2 of 6`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Repeat {
    /// From 1.
    pub nth: u32,
    /// The total number.
    pub of: u32,
}

/// A workflow file on the computer of the client, which a node of another one runs.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SentFile {
    /// Its name in that file, joined to the folder of that file.
    pub name: String,
    /// Its canonical path.
    pub path: String,
    /// Its text.
    pub document: String,
}
