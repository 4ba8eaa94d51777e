//! `logs.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::request;
use crate::id::RunId;
use crate::item::ItemPath;

/// `logs.read`: a part of the log of one attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Read {
    /// The run.
    pub run_id: RunId,
    /// The node.
    pub node: String,
    /// The item.
    #[serde(default)]
    pub item: ItemPath,
    /// The attempt, from 1; the newest by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Where to begin, in bytes from the beginning of the log.
    #[serde(default)]
    pub offset: u64,
    /// The most bytes to return: at most 1 MiB, 64 KiB by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Response of `logs.read`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Part {
    /// The attempt it is of.
    pub attempt: u32,
    /// The offset of this part; greater than requested if the middle of a long log was dropped.
    pub offset: u64,
    /// Its text, with stdout and stderr separated; invalid UTF-8 is replaced.
    pub pieces: Vec<Piece>,
    /// Where the next part begins.
    pub next: u64,
    /// The length of the log so far.
    pub end: u64,
    /// Whether the attempt has ended, so that the log is complete.
    pub ended: bool,
    /// How many bytes this part had at most: what was asked for, unless that was more than a message carries.
    #[serde(default)]
    pub limit: u32,
}

/// Consecutive bytes of one stream.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Piece {
    /// Which one.
    pub stream: Stream,
    /// Its raw text; sanitise it before showing it.
    pub text: String,
}

/// One of the streams of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output; of a native node, the text that it makes.
    Stdout,
    /// Standard error; of a native node, the lines of its log.
    Stderr,
    /// The reasoning of a node, such as that of a model.
    Reasoning,
    /// Lines that the node reported in `$FANLIGHT_EVENTS`, and messages of Fanlight itself.
    Log,
}

request!(Read, "logs.read", Part);
