//! `hello` and `daemon.*`

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Done, request};

/// `hello`: the first request of a connection.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Hello {
    /// [`super::PROTOCOL_VERSION`] of the client.
    pub protocol: u32,
    /// Name and version of the client, for the log.
    pub client: String,
}

/// Answer of `hello`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct HelloAnswer {
    /// [`super::PROTOCOL_VERSION`] of the daemon.
    pub protocol: u32,
    /// The daemon's version.
    pub version: String,
    /// Changes with every start of the daemon.
    pub instance: String,
    /// Things that every client should show, such as a busy supervisor of another version or a full disk; `banner_update`
    /// tells who watches the registry of changes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banners: Vec<String>,
}

/// `daemon.status`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Status {}

/// Answer of `daemon.status`: the stable shape of `--json`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct DaemonStatus {
    /// The daemon's process.
    pub pid: u32,
    /// Its version.
    pub version: String,
    /// The folder of everything it keeps.
    pub home: String,
    /// Its socket.
    pub socket: String,
    /// Runs that run.
    pub running: u32,
    /// Runs that wait.
    pub queued: u32,
    /// Clients, this one included.
    pub clients: u32,
    /// How process trees are ended: `cgroup` or `session`.
    pub process_trees: String,
    /// What every client should show, as in `hello`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub banners: Vec<String>,
}

/// `daemon.stop`: living commands go on under the supervisor and are adopted by the next daemon.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// Cancels running runs first.
    #[serde(default)]
    pub cancel: bool,
}

/// `daemon.doctor`: checks rows against files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Doctor {
    /// Reads every blob and compares its hash.
    #[serde(default)]
    pub deep: bool,
    /// Imports files that the database does not know: they become assets.
    #[serde(default)]
    pub repair: bool,
}

/// Answer of `daemon.doctor`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct DoctorAnswer {
    /// What was looked at, one line each.
    pub checked: Vec<String>,
    /// What is wrong and what to do about it; empty is good.
    pub problems: Vec<String>,
}

request!(Hello, "hello", HelloAnswer);
request!(Status, "daemon.status", DaemonStatus);
request!(Stop, "daemon.stop", Done);
request!(Doctor, "daemon.doctor", DoctorAnswer);
