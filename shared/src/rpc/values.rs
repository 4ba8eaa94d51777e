//! `values.*`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, request};
use crate::id::{RunId, WorkflowId};
use crate::item::ItemPath;
use crate::value::Value;

/// `values.list`: what one port had in each run, newest run first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
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
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PortValue {
    /// The run.
    pub run_id: RunId,
    /// Its number.
    pub number: u32,
    /// The item.
    pub item: ItemPath,
    /// The value, whole; `None` where it was not kept.
    pub value: Option<Value>,
}

request!(List, "values.list", Page<PortValue>);
