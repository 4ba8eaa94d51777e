//! `cache.*`: results that later nodes reuse.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, request};
use crate::id::RunId;
use crate::origin::Origin;
use crate::run::NodeStatus;
use crate::time::Time;

/// `cache.list`: the stored results, the most recently used first.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct List {
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A stored result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Entry {
    /// Its key: 64 hexadecimal digits.
    pub key: String,
    /// The type of the node.
    #[serde(rename = "type")]
    pub node_type: String,
    /// Where it was computed.
    #[serde(flatten)]
    pub origin: Origin,
    /// The size of its values and of everything that they refer to, in bytes. Assets may refer to the same bytes.
    pub bytes: u64,
    /// When it was computed.
    pub created_at: Time,
    /// How often it was reused.
    pub uses: u64,
}

/// `cache.stats`
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stats {}

/// The size and the use of all stored results.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct StatsResponse {
    /// How many there are.
    pub entries: u64,
    /// Their size in bytes.
    pub bytes: u64,
    /// The most bytes of all of them: `cache_size` in the config.
    pub limit: u64,
    /// How often they were reused.
    pub uses: u64,
}

/// `cache.remove`: forgets stored results. Values and assets of runs stay.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Remove {
    /// Those with these keys, or with keys that begin so; all of them by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<Vec<String>>,
}

/// The response to [`Remove`].
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Removed {
    /// How many were removed.
    pub entries: u64,
}

/// `cache.explain`: which nodes of a run reused results, and why the others did not, in the order of the file.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Explain {
    /// The run.
    pub run_id: RunId,
    /// The cursor of this page; the first page by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Rows per page: at most 1,000, 100 by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Whether a node reused a result.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Explained {
    /// The node.
    pub node: String,
    /// Its state.
    pub state: NodeStatus,
    /// Where the result was computed that it reused; of several items, that of the first one that reused one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// Of a node with `each`: how many of its items reused results.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_cached: Option<u32>,
    /// Of a node with `each`: how many of its items were computed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items_computed: Option<u32>,
    /// Why it was computed; of several items, why the first computed one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub miss: Option<Miss>,
}

/// Why a node was computed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Miss {
    /// The kind of the reason.
    pub kind: MissKind,
    /// The reason, as it follows the name of the node.
    pub text: String,
    /// The earlier result whose key has the fewest different parts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<Origin>,
    /// The parts of the key that differ from that one, such as ``input `seed` ``: the first [`DIFFERENCES_LIMIT`] of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differs: Vec<String>,
    /// How many more parts differ.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub differs_left: u32,
}

/// The most differences that a [`Miss`] names.
pub const DIFFERENCES_LIMIT: usize = 20;

/// The kind of the reason for which a node was computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MissKind {
    /// Results of its kind are never reused.
    Never,
    /// The run computes it in any case.
    Fresh,
    /// Failures are not reused.
    Failed,
    /// Its own result is not stored, so its key is not known.
    NotStored,
    /// The earlier result with its key is gone or damaged.
    Damaged,
    /// No earlier result of such a node is stored.
    First,
    /// Parts of its key differ from those of all earlier results.
    Differs,
}

// serde passes a reference.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

request!(Explain, "cache.explain", Page<Explained>);
request!(List, "cache.list", Page<Entry>);
request!(Stats, "cache.stats", StatsResponse);
request!(Remove, "cache.remove", Removed);
