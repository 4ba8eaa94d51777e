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
    /// The attempt, from 1; the newest if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u32>,
    /// Where to begin, in bytes from the beginning of the log.
    #[serde(default)]
    pub offset: u64,
    /// At most so many bytes; 64 KiB if not said, 1 MiB at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Answer of `logs.read`.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Part {
    /// The attempt it is of.
    pub attempt: u32,
    /// Where this part begins; more than asked for where the middle of a long log was dropped.
    pub offset: u64,
    /// What stands there, with stdout and stderr told apart; what is no UTF-8 is replaced.
    pub pieces: Vec<Piece>,
    /// Where the next part begins.
    pub next: u64,
    /// How long the log is so far.
    pub end: u64,
    /// Whether the attempt ended, so that nothing more comes.
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
    /// Its text, raw: sanitise before showing.
    pub text: String,
}

/// One of a command's streams.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// What the node reported by `$FANLIGHT_EVENTS`, and what Fanlight itself says.
    Log,
}

request!(Read, "logs.read", Part);
