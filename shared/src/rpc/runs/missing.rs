//! `runs.missing`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{ParamSet, SentFile};
use crate::rpc::request;

/// `runs.missing`: which of these runs have a result already: a completed run of the same workflow and version, and of the
/// same versions of the workflows that it starts, with the same params. Several equal sets need several completed runs.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// As in `runs.start`.
    pub document: String,
    /// As in `runs.start`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// As in `runs.start`.
    pub sets: Vec<ParamSet>,
    /// As in `runs.start`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<SentFile>,
    /// The sweep that the runs extend: they start the same versions of other workflows as its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extends: Option<String>,
}

/// Response of `runs.missing`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct MissingResponse {
    /// The places in `sets` of those that have a result, in their order. All others are missing.
    pub found: Vec<Places>,
}

/// Consecutive places in a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Places {
    /// The first.
    pub from: u32,
    /// The one after the last.
    pub to: u32,
}

request!(Missing, "runs.missing", MissingResponse);
