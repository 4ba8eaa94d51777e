//! `values.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assets::Bytes;
use super::{Page, request};
use crate::id::{BlobHash, RunId, WorkflowId};
use crate::item::ItemPath;
use crate::value::Value;

/// `values.list`: the value of one port in each run, newest run first. A page ends when it is full, before `limit` rows
/// if the values are large.
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
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// The value of a port in a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct PortValue {
    /// The run.
    pub run_id: RunId,
    /// Its number.
    pub number: u32,
    /// The item.
    pub item: ItemPath,
    /// The value, or a preview if `bytes` is present; `None` if it was not kept.
    pub value: Option<Value>,
    /// The size of the value as JSON in bytes, if `value` is only a preview; `values.read` returns all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

/// `values.read`: the JSON of a value. The response is [`Bytes`], followed by binary frames (see `docs/protocol.md`).
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
    /// The most bytes to send; all of them by default.
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
    /// The value of one port of a node, or of an item of it.
    Port(Port),
}

/// A port of a node, or of an item of it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// The node; empty for a workflow output that is not a node's port.
    pub node: String,
    /// The item; none for the node itself.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The port.
    pub port: String,
}

/// `values.content`: the content of a large value, a text as it is, any other value as JSON. The response is [`Bytes`],
/// followed by binary frames (see `docs/protocol.md`).
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// The hash of the content, from its handle.
    pub hash: BlobHash,
    /// Where to begin.
    #[serde(default)]
    pub offset: u64,
    /// The most bytes to send; all of them by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

request!(List, "values.list", Page<PortValue>);
request!(Read, "values.read", Bytes);
request!(Content, "values.content", Bytes);
