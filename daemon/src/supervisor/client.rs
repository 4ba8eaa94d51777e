//! The daemon's side of the supervisor: starts it when needed, speaks its frames, tells what attempts do.
//!
//! # Files
//!
//! The caller gives every attempt a folder of its own ([`StartSpec::folder`], which exists). The supervisor writes there,
//! and removes nothing:
//!
//! | file | what |
//! |---|---|
//! | `log` | both streams in order of arrival, head and tail; read it with [`super::log::read`], also while it is written |
//! | `stdout` | the first 1 MiB of standard output; read it with [`super::log::stdout`] |
//! | `exit` | how it ended, written by renaming before [`AttemptEvent::Ended`] is sent; [`super::record::exit`] reads it |
//!
//! All three are whole when [`AttemptEvent::Ended`] arrives, and nothing of the attempt's tree is alive then.
//! The child's environment is exactly [`StartSpec::env`] plus `FANLIGHT_ATTEMPT=<id>`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;

pub use super::record::{AttemptState, Exit, How, Stage};

/// A command to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartSpec {
    /// Names the attempt; starting the same one twice starts it once.
    pub id: AttemptId,
    /// A path, or a name that is looked for in the `PATH` of `env`. A relative path with a slash counts from `cwd`.
    pub program: OsString,
    /// Its arguments, without the program.
    pub arguments: Vec<OsString>,
    /// The whole environment; nothing else is inherited.
    pub env: Vec<(OsString, OsString)>,
    /// Where it works; exists.
    pub cwd: PathBuf,
    /// Where the supervisor puts the attempt's files; absolute, exists, and is the attempt's alone.
    pub folder: PathBuf,
    /// What is left of the tree when the main process has ended has so long between TERM and KILL.
    pub grace: Duration,
}

/// Answer of [`Supervisor::start`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The supervisor knew the attempt already, so nothing was started now.
    pub known: bool,
    /// How it stands.
    pub state: AttemptState,
}

/// What happens to an attempt. Events are conflated: only the newest `Grew` is kept, and `Ended` and `Lost` are never lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEvent {
    /// The log has grown to this many bytes.
    Grew {
        /// The log's true length so far, dropped bytes included.
        end: u64,
    },
    /// It ended and nothing of its tree is left. The last event.
    Ended(Exit),
    /// Its supervisor died or the machine was restarted, nothing of its tree is left, and nobody saw how it ended. The
    /// last event.
    Lost,
}

/// What the supervisor could not do.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SupervisorError {
    /// This command can't be started; nothing runs. The sentence says why: no such program, not executable, no such folder.
    #[error("{0}")]
    Start(String),
    /// The request is too large for a frame, or names something that isn't so.
    #[error("{0}")]
    Refused(String),
    /// The helper can't be started or doesn't answer.
    #[error("the supervisor is not to be had: {0}")]
    Unreachable(String),
    /// A supervisor of another version is busy with commands and speaks other frames.
    #[error("a supervisor of another version ({0}) still runs commands; it is replaced when they have ended")]
    Version(String),
}

/// A connection to the supervisor of a home: cheap to clone.
#[derive(Clone, Debug)]
pub struct Supervisor {
    folder: PathBuf,
}

impl Supervisor {
    /// The supervisor of this home; `helper` is the executable that has `supervisor`. It is started with the first request.
    #[must_use]
    pub fn new(home: &Home, helper: &Path) -> Self {
        let _ = helper;
        Self { folder: home.supervisor() }
    }
    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
    /// Starts a command; a known id answers its present state. Survives a supervisor that dies meanwhile: the attempt is
    /// then either started once, or answered as [`Stage::Lost`].
    ///
    /// # Errors
    /// See [`SupervisorError`]; with [`SupervisorError::Start`] it is certain that nothing was started.
    pub async fn start(&self, spec: &StartSpec) -> Result<Started, SupervisorError> {
        let _ = spec;
        Err(SupervisorError::Unreachable(String::new()))
    }
    /// How an attempt stands; `None` if it was never started or is forgotten. An attempt of an earlier boot whose record
    /// a power cut took with it is `None` too: compare [`super::record::boot_id`] with that of the commit where it matters.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn state(&self, id: AttemptId) -> Result<Option<AttemptState>, SupervisorError> {
        let _ = id;
        Ok(None)
    }
    /// All attempts that are not forgotten, by id.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn list(&self) -> Result<Vec<AttemptState>, SupervisorError> {
        Ok(Vec::new())
    }
    /// Ends an attempt: TERM to its whole tree, `grace`, then KILL until none is left. Answers when that has begun
    /// (`false`: there is no such running attempt); [`AttemptEvent::Ended`] says that it is over, with `Exit::stopped`.
    /// A second call with a shorter grace shortens it.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn stop(&self, id: AttemptId, grace: Duration) -> Result<bool, SupervisorError> {
        let _ = (id, grace);
        Ok(false)
    }
    /// Drops the record of an ended or lost attempt (`false`: unknown or still running). Its folder stays.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn forget(&self, id: AttemptId) -> Result<bool, SupervisorError> {
        let _ = id;
        Ok(false)
    }
    /// What happens to an attempt from now on. Subscribe before [`Supervisor::start`] and nothing is missed; subscribing
    /// to an attempt that runs or ended already (adoption) brings its present state as the first event.
    #[must_use]
    pub fn subscribe(&self, id: AttemptId) -> Subscription {
        let _ = id;
        Subscription {}
    }
    /// Asks the supervisor to end if it has no running attempt; starts none for that. Answers whether it ends.
    ///
    /// # Errors
    /// See [`SupervisorError`].
    pub async fn shutdown_if_idle(&self) -> Result<bool, SupervisorError> {
        Ok(false)
    }
    /// What a person should know: a supervisor of another version is kept because it is busy.
    #[must_use]
    pub fn banner(&self) -> Option<String> {
        None
    }
    /// How it holds trees: `cgroup` or `session`; `None` before the first connection.
    #[must_use]
    pub fn trees(&self) -> Option<&'static str> {
        None
    }
}

/// The events of one attempt; ends when dropped.
#[derive(Debug)]
pub struct Subscription {}

impl Subscription {
    /// The next event; after `Ended` or `Lost` it pends for ever. Cancel-safe.
    pub async fn next(&mut self) -> AttemptEvent {
        std::future::pending().await
    }
}
