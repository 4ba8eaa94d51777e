//! `hello` and `daemon.*`

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::frame::{
    CHUNK, LOG_LIMIT, MESSAGE_LIMIT, NOTIFICATIONS_LIMIT, REQUEST_LIMIT, REQUESTS_AT_ONCE, RESPONSES_LIMIT,
    ROWS_LIMIT, UPDATES_A_SECOND,
};
use super::watch::TELEMETRY_LIMIT;
use super::{Done, request};

/// `hello`: the first request of a connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// [`super::PROTOCOL_VERSION`] of the client.
    pub protocol: u32,
    /// Name and version of the client, for the log.
    pub client: String,
}

/// How large things on a connection may be, in bytes if not said otherwise, and how many there may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Limits {
    /// A text frame of the client; a longer one ends the connection.
    pub request: u64,
    /// A text frame of the daemon.
    pub message: u64,
    /// The bytes in a binary frame, without its mark.
    pub chunk: u64,
    /// Responses that wait to be sent; past that, requests wait.
    pub responses: u64,
    /// Notifications that wait to be sent; past that, they are dropped, and snapshots follow.
    pub notifications: u64,
    /// The rows of a page, whatever `limit` asks for.
    #[serde(default)]
    pub rows: u32,
    /// The bytes of a part of a log, whatever `limit` asks for.
    #[serde(default)]
    pub log: u32,
    /// Requests of a connection that are worked on at once; others wait.
    #[serde(default)]
    pub requests: u32,
    /// How many runs a connection may watch in full; more is an error.
    #[serde(default)]
    pub telemetry: u32,
    /// How often in a second a live value goes out; the newest counts.
    #[serde(default)]
    pub updates: u32,
}

impl Default for Limits {
    fn default() -> Self {
        let bytes = |limit: usize| u64::try_from(limit).unwrap_or(u64::MAX);
        Self {
            request: bytes(REQUEST_LIMIT),
            message: bytes(MESSAGE_LIMIT),
            chunk: bytes(CHUNK),
            responses: bytes(RESPONSES_LIMIT),
            notifications: bytes(NOTIFICATIONS_LIMIT),
            rows: ROWS_LIMIT,
            log: LOG_LIMIT,
            requests: REQUESTS_AT_ONCE,
            telemetry: u32::try_from(TELEMETRY_LIMIT).unwrap_or(u32::MAX),
            updates: UPDATES_A_SECOND,
        }
    }
}

/// Response of `hello`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct HelloResponse {
    /// [`super::PROTOCOL_VERSION`] of the daemon.
    pub protocol: u32,
    /// The daemon's version.
    pub version: String,
    /// Changes with every start of the daemon.
    pub instance: String,
    /// The limits of this connection.
    #[serde(default)]
    pub limits: Limits,
    /// Messages that every client should show, such as a full disk or a busy supervisor of another version. Clients
    /// that watch the registry get changes as `banner_update`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banners: Vec<String>,
}

/// `daemon.status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Status {}

/// Response of `daemon.status`: the stable shape of `--json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct DaemonStatus {
    /// The daemon's process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The folder of its data.
    pub home: String,
    /// Its socket.
    pub socket: String,
    /// Runs that run.
    pub running: u32,
    /// Runs that wait.
    pub queued: u32,
    /// The number of clients, this one included.
    pub clients: u32,
    /// How process trees are ended: `cgroup` or `session`.
    pub process_trees: String,
    /// Bytes that wait to be sent to clients.
    #[serde(default)]
    pub queued_bytes: u64,
    /// Messages that every client should show, as in `hello`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banners: Vec<String>,
    /// What its end would interrupt.
    #[serde(default, skip_serializing_if = "Interrupts::is_nothing")]
    pub interrupts: Interrupts,
}

/// The running nodes that can't continue without this daemon, such as requests to models.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct Interrupts {
    /// How many fail, since they may have had effects.
    #[serde(default)]
    pub fail: u32,
    /// The first of these, such as `` `ask` of poster#12 ``.
    #[serde(default)]
    pub first: Vec<String>,
    /// How many start again with the next daemon.
    #[serde(default)]
    pub again: u32,
}

impl Interrupts {
    /// Returns whether everything continues.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

/// `daemon.stop`: running commands continue under the supervisor, and the next daemon adopts them. Other nodes are
/// interrupted, as `daemon.status` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Whether to cancel running runs first.
    #[serde(default)]
    pub cancel: bool,
}

/// `daemon.doctor`: checks rows against files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Doctor {
    /// Whether to read every blob and compare its hash.
    #[serde(default)]
    pub deep: bool,
    /// Whether to import files that the database does not know, as assets.
    #[serde(default)]
    pub repair: bool,
}

/// Response of `daemon.doctor`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct DoctorResponse {
    /// The checks that were made, one line each.
    pub checked: Vec<String>,
    /// The problems found, with what to do; empty if there are none.
    pub problems: Vec<String>,
}

request!(Hello, "hello", HelloResponse);
request!(Status, "daemon.status", DaemonStatus);
request!(Stop, "daemon.stop", Done);
request!(Doctor, "daemon.doctor", DoctorResponse);
