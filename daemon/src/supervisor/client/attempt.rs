//! An attempt as the daemon knows it: its start, and its events.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::id::AttemptId;

use super::{AttemptState, Exit};
use crate::secret::Secrets;

/// A command to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartSpec {
    /// The id of the attempt; starting the same one twice starts it once.
    pub id: AttemptId,
    /// A path, or a name that is searched in the `PATH` of `env`. A relative path with a slash is relative to `cwd`.
    pub program: OsString,
    /// Its arguments, without the program.
    pub arguments: Vec<OsString>,
    /// The whole environment; nothing else is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory; exists.
    pub cwd: PathBuf,
    /// Where the supervisor puts the attempt's files; absolute, exists, and is the attempt's alone.
    pub folder: PathBuf,
    /// The grace period between TERM and KILL, for the rest of the tree when the main process has ended.
    pub grace: Duration,
    /// The secrets in `env`, which are masked in its output before that is written.
    pub secrets: Secrets,
    /// How much of its standard output is kept in the file `stdout`, in bytes.
    pub stdout_limit: u64,
}

/// The result of [`super::Supervisor::start`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Whether the supervisor already knew the attempt, so that nothing was started now.
    pub known: bool,
    /// Its state.
    pub state: AttemptState,
}

/// An event of an attempt. Events are coalesced: only the newest `Grew` is kept, and `Ended` and `Lost` are never lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEvent {
    /// The log has grown to this many bytes.
    Grew {
        /// The log's true length so far, dropped bytes included.
        end: u64,
    },
    /// It ended and no process of its tree remains. The last event.
    Ended(Exit),
    /// Its supervisor died or the machine was restarted, no process of its tree remains, and nobody saw how it ended. The
    /// last event.
    Lost,
}

impl AttemptEvent {
    /// Returns whether no other follows.
    #[must_use]
    pub fn is_last(self) -> bool {
        !matches!(self, Self::Grew { .. })
    }
}
