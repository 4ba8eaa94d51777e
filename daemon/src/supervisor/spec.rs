//! A command that the supervisor starts.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use fanlight_shared::id::AttemptId;

use crate::secret::Secrets;

/// The environment variable with the attempt of a process.
pub(crate) const TOKEN: &str = "FANLIGHT_ATTEMPT";

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
