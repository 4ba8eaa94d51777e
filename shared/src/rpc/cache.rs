//! `cache.*`: results that later nodes reuse.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Page, request};
use crate::origin::Origin;
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

request!(List, "cache.list", Page<Entry>);
request!(Stats, "cache.stats", StatsResponse);
request!(Remove, "cache.remove", Removed);
