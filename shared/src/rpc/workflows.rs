//! `workflows.*` and `node_types.list`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assets::Bytes;
use super::{Page, request};
use crate::id::{Version, WorkflowId};
use crate::node_type::Catalogue;
use crate::problem::Problem;
use crate::time::Time;

/// A workflow as lists show it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct WorkflowInfo {
    /// Its id.
    pub id: WorkflowId,
    /// Its unique short name.
    pub slug: String,
    /// The title in its file.
    pub title: String,
    /// The canonical path it was last submitted from.
    pub path: Option<String>,
    /// The version it was last submitted with.
    pub version: Version,
    /// How many runs it has.
    pub runs: u32,
    /// When its newest run was submitted.
    pub last_run_at: Option<Time>,
}

/// `workflows.list`: the workflows that have ever run, most recent first.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
}

/// `workflows.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Get {
    /// Its id, slug or canonical path.
    pub workflow: String,
}

/// Response of `workflows.get`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Detail {
    /// As lists show it.
    pub workflow: WorkflowInfo,
    /// The text of its newest version, or only its beginning if `document_bytes` is present.
    pub document: String,
    /// The length of the text in bytes, if `document` is only its beginning; `workflows.read` returns all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document_bytes: Option<u64>,
}

/// `workflows.read`: the text of a version. The response is [`Bytes`], followed by binary frames (see
/// `docs/protocol.md`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The version: `version` of a run or a workflow.
    pub version: Version,
    /// Where to begin, in bytes.
    #[serde(default)]
    pub offset: u64,
    /// The most bytes to send; all of them by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// `workflows.check`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The text of the file.
    pub document: String,
}

/// Response of `workflows.check`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Checked {
    /// The problems, in the order of the file; empty if there are none.
    pub problems: Vec<Problem>,
}

/// `node_types.list`.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NodeTypes {}

request!(List, "workflows.list", Page<WorkflowInfo>);
request!(Get, "workflows.get", Detail);
request!(Read, "workflows.read", Bytes);
request!(Check, "workflows.check", Checked);
request!(NodeTypes, "node_types.list", Catalogue);
