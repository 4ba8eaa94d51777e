//! What is known of an attempt, in memory, in frames and in the `exit` file.

use std::path::Path;
use std::time::Duration;

use fanlight_shared::id::AttemptId;
use fanlight_shared::time::Time;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// By itself, with this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// How its main process ended.
    pub how: How,
    /// It was asked to stop before it ended.
    pub stopped: bool,
    /// When the main process started.
    pub started: Time,
    /// When the main process ended.
    pub ended: Time,
    /// The largest resident set of its main process and the children that it waited for, in bytes.
    pub max_rss: u64,
    /// User and system time of its main process and the children that it waited for.
    pub cpu: Duration,
    /// The true length of its log in bytes, dropped bytes included.
    pub log_end: u64,
}

/// Where an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Something of its tree may be alive.
    Running,
    /// It ended, and nothing of it is left.
    Ended(Exit),
    /// Nobody saw how it ended; nothing of it is left.
    Lost,
}

/// An attempt as the supervisor knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptState {
    /// Which one.
    pub id: AttemptId,
    /// The process id of its main process; 0 if it never got one.
    pub pid: u32,
    /// When it was started.
    pub started: Time,
    /// The log's true length so far in bytes, dropped bytes included.
    pub log_end: u64,
    /// Where it stands.
    pub stage: Stage,
}

/// The exit record in an attempt's folder; `None` if it has none or a torn one.
#[must_use]
pub fn exit(folder: &Path) -> Option<Exit> {
    let _ = folder;
    None
}

/// What names this boot of the machine; `None` where the system doesn't say.
#[must_use]
pub fn boot_id() -> Option<String> {
    None
}
