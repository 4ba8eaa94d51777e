//! `run:` and `cmd:` nodes: from inputs to a process under the supervisor, and from its files to outputs.
//! PLACEHOLDER bodies; signatures hold.

use std::path::PathBuf;
use std::sync::Arc;

use fanlight_shared::event::NodeError;
use fanlight_shared::rpc::logs::{Part, Read};
use fanlight_shared::value::Values;
use fanlight_shared::workflow::{CommandOutput, Shell};
use indexmap::IndexMap;

use crate::job::{Attempt, Outcome};
use crate::store::blob::Blobs;
use crate::supervisor::client::Supervisor;

/// A command to run: everything evaluated, nothing to interpolate.
#[derive(Clone, Debug)]
pub struct CommandJob {
    /// What runs.
    pub program: Program,
    /// Inputs by name: they become environment variables and files.
    pub inputs: Values,
    /// `env:`, evaluated.
    pub env: IndexMap<String, String>,
    /// `dir:`, resolved to an existing folder; `None` is the private work folder.
    pub dir: Option<PathBuf>,
    /// Declared outputs.
    pub outputs: IndexMap<String, CommandOutput>,
}

/// What runs.
#[derive(Clone, Debug)]
pub enum Program {
    /// A script, as it stands in the file.
    Script {
        /// Its text.
        text: String,
        /// What runs it.
        shell: Shell,
    },
    /// A program with its arguments, each one argument. Media are given as `Argument::Media` and become paths.
    Arguments(Vec<Argument>),
}

/// One argument of a `cmd:`.
#[derive(Clone, Debug)]
pub enum Argument {
    /// Text as it is.
    Text(String),
    /// The path of a file with these bytes.
    Media(fanlight_shared::media::Media),
}

/// Runs commands: cheap to clone.
#[derive(Clone)]
pub struct Commands {
    inner: Arc<Inner>,
}

struct Inner {
    supervisor: Supervisor,
    blobs: Blobs,
    attempts: PathBuf,
}

impl Commands {
    /// Commands whose folders lie below `attempts`.
    #[must_use]
    pub fn new(supervisor: Supervisor, blobs: Blobs, attempts: PathBuf) -> Self {
        Self { inner: Arc::new(Inner { supervisor, blobs, attempts }) }
    }
    /// Runs one attempt: prepares its folder, starts it, follows it, ends its tree, collects its outputs.
    pub async fn run(&self, attempt: Attempt, job: CommandJob) -> Outcome {
        let _ = (attempt, job, &self.inner.supervisor, &self.inner.blobs, &self.inner.attempts);
        Outcome::failed(NodeError::new("no commands"))
    }
    /// Takes over an attempt that an earlier daemon started: follows it if it lives, collects it if it ended.
    /// An attempt that the supervisor never heard of is `Ok(None)`: it did not start, and may be started.
    pub async fn adopt(&self, attempt: Attempt, job: CommandJob) -> Option<Outcome> {
        let _ = (attempt, job);
        None
    }
    /// Removes what only a living attempt needs (inputs, work folder); the log stays until its run is deleted.
    pub async fn tidy(&self, attempt: fanlight_shared::id::AttemptId) {
        let _ = attempt;
    }
    /// Removes everything of these attempts, logs too.
    pub async fn forget(&self, attempts: Vec<fanlight_shared::id::AttemptId>) {
        let _ = attempts;
    }
    /// A part of an attempt's log.
    ///
    /// # Errors
    /// There is no such log any more.
    pub async fn log(
        &self,
        id: fanlight_shared::id::AttemptId,
        number: u32,
        read: &Read,
        ended: bool,
    ) -> Result<Part, String> {
        let _ = (id, number, read, ended);
        Err("no log".into())
    }
}
