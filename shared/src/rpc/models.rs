//! `models.*`

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;

/// `models.list`: the providers of language models, with the models that the config names and their endpoints list.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// Of this provider only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
}

/// The response of `models.list`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Models {
    /// By name.
    pub providers: Vec<Provider>,
}

/// A provider and its models.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Provider {
    /// Its name in the config and in the input `provider`.
    pub provider: String,
    /// Its protocol: `openai`, `anthropic`, `gemini` or `offline`.
    pub kind: String,
    /// Where it is; empty for the stand-in.
    pub url: String,
    /// The variable that has its key, if one has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_env: Option<String>,
    /// Whether it can be asked: it needs no key, or has one.
    pub ready: bool,
    /// The names of its models: those of the config first.
    pub models: Vec<String>,
    /// The models that are asked if a node names none, by purpose: `text`, `embeddings`, `pictures`, `speech` and
    /// `transcripts`.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub defaults: IndexMap<String, String>,
    /// How many more there are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more: u32,
    /// Why its endpoint did not list them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

request!(List, "models.list", Models);
