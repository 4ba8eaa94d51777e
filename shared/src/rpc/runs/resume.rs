//! `runs.resume`

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Started;
use crate::environment::Environment;
use crate::id::RunId;
use crate::rpc::request;
use crate::value::Value;

/// `runs.resume`: starts a new run that reuses the finished values of an ended one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Resume {
    /// The ended run.
    pub run: RunId,
    /// Variables that replace those of the ended run; the others stay.
    #[serde(default, skip_serializing_if = "Environment::is_empty")]
    pub environment: Environment,
    /// The same key always gives the same run.
    pub request_key: String,
    /// The current text of the workflow file: the new run has this version, and reuses what the change does not affect.
    /// Without it, the new run has the version of the ended one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub document: Option<String>,
    /// This node computes its result again, even if it completed; nodes that read it follow, and may reuse stored results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// Takes nothing over: the new run computes all results with the params of the ended one, even if other runs computed the
    /// same.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub afresh: bool,
    /// Params whose values differ from those of the ended run.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub params: IndexMap<String, Value>,
    /// Starts although a secret that a node needs doesn't exist: that node fails.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing_secrets: bool,
    /// Starts nothing: the response has no runs and says what would be reused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

impl Resume {
    /// Resumes a run as it is.
    #[must_use]
    pub fn of(run: RunId, request_key: String) -> Self {
        Self {
            run,
            environment: Environment::default(),
            request_key,
            document: None,
            at: None,
            afresh: false,
            params: IndexMap::new(),
            missing_secrets: false,
            dry_run: false,
        }
    }
}

request!(Resume, "runs.resume", Started);
