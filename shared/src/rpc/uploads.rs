//! `uploads.*`: bytes of files that are not on the daemon's computer.

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;
use crate::id::BlobHash;

/// The most uploads that a connection may have begun and not ended.
pub const MAX_UPLOADS: usize = 8;

/// `uploads.start`: announces bytes, which follow in binary frames.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Start {
    /// Their BLAKE3 hash.
    pub hash: BlobHash,
    /// How many bytes.
    pub bytes: u64,
}

/// Response of `uploads.start`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Started {
    /// The number of the stream, which marks its frames; without one the daemon has the bytes already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<u32>,
}

/// `uploads.check`: how much has arrived.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// The number of the stream.
    pub stream: u32,
}

/// `uploads.end`: ends a stream. Its bytes stay until the connection ends, or as long as a run refers to them.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct End {
    /// The number of the stream.
    pub stream: u32,
}

/// Response of `uploads.check` and `uploads.end`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Arrived {
    /// How many bytes have arrived.
    pub bytes: u64,
}

request!(Start, "uploads.start", Started);
request!(Check, "uploads.check", Arrived);
request!(End, "uploads.end", Arrived);
