//! `values.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assets::Bytes;
use super::{Page, request};
use crate::id::{BlobHash, RunId, WorkflowId};
use crate::item::ItemPath;
use crate::value::Value;

/// `values.list`: what one port had in each run, newest run first. A page ends where it is full, before `limit` rows where
/// the values are large.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The node.
    pub node: String,
    /// The port.
    pub port: String,
    /// Of this run only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Where the page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows a page, at most 1,000; 100 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// What a port had in a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct PortValue {
    /// The run.
    pub run_id: RunId,
    /// Its number.
    pub number: u32,
    /// The item.
    pub item: ItemPath,
    /// The value, or a preview of it where `bytes` is there; `None` where it was not kept.
    pub value: Option<Value>,
    /// How many bytes the value has as JSON, where `value` is only a preview: `values.read` has it whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// `values.read`: the JSON of a value, answered by [`Bytes`] and then binary frames (see `docs/protocol.md`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The run.
    pub run_id: RunId,
    /// Which of its values.
    pub of: Source,
    /// Where to begin, in bytes.
    #[serde(default)]
    pub offset: u64,
    /// At most so many bytes; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// A value of a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// All its params, as one object.
    Params,
    /// What one port of a node, or of an item of it, put out.
    Port(Port),
}

/// A port of a node, or of an item of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The node; empty for an output of the workflow that is no node's port.
    pub node: String,
    /// The item; none for the node itself.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The port.
    pub port: String,
}

/// `values.content`: the content of a large value, answered by [`Bytes`] and then binary frames (see `docs/protocol.md`):
/// a text as it is, any other value as JSON.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The content, as its handle names it.
    pub hash: BlobHash,
    /// Where to begin.
    #[serde(default)]
    pub offset: u64,
    /// At most so many bytes; all if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

request!(List, "values.list", Page<PortValue>);
request!(Read, "values.read", Bytes);
request!(Content, "values.content", Bytes);
