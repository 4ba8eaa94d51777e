//! `questions.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, request};
use crate::id::{RunId, WorkflowId};
use crate::item::ItemPath;
use crate::question::Question;
use crate::time::Time;

/// `questions.list`: what runs ask people at the moment, in the order in which the runs were started.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Of this run only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<RunId>,
    /// Of this workflow only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_id: Option<WorkflowId>,
    /// Where the page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows a page, at most 1,000; 100 if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A question that waits for its answer; `runs.answer` takes it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct OpenQuestion {
    /// The workflow.
    pub workflow_id: WorkflowId,
    /// The run that asks.
    pub run_id: RunId,
    /// Its name, as a person types it: `poster#12`.
    pub run: String,
    /// Its label.
    pub label: String,
    /// The node that asks.
    pub node: String,
    /// The item that asks; empty for the node itself.
    #[serde(default, skip_serializing_if = "ItemPath::is_whole")]
    pub item: ItemPath,
    /// The attempt that asked, from 1.
    pub attempt: u32,
    /// When it asked.
    pub asked_at: Time,
    /// Its question.
    pub question: Question,
}

request!(List, "questions.list", Page<OpenQuestion>);
