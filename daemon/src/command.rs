//! `run:` and `cmd:` nodes: from inputs to a process under the supervisor, and from its files to outputs.
//!
//! `prepare` lays inputs out as variables and files, `follow` reports what the running command shows, `finish`
//! collects its outputs. An attempt's folder is all that an adoption needs; of the environment only what the submitter
//! passed is stored, with the run.

mod changed;
mod collect;
mod environment;
pub mod event;
mod failure;
mod finish;
#[cfg(test)]
pub(crate) mod fixture;
mod folder;
mod follow;
mod input;
mod log;
mod orphans;
mod osc;
mod pace;
mod pattern;
mod prepare;
mod program;
mod reader;
mod report;
mod text;
mod tidy;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fanlight_shared::event::NodeError;
use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::logs::{Part, Read};
use fanlight_shared::value::Values;
use fanlight_shared::workflow::{CommandOutput, Shell};
use indexmap::IndexMap;

use crate::job::{Attempt, Outcome};
use crate::store::blob::Blobs;
use crate::supervisor::client::{Exit, Stage, Supervisor, SupervisorError};
use crate::supervisor::record;
use environment::Environment;
use folder::Folder;
use follow::{End, Follow, lock};
use prepare::{Means, prepare};
use reader::Reader;
use watch::Watcher;

/// The longest wait between two tries to reach a supervisor. After that the attempt is given up.
const MAX_WAIT: Duration = Duration::from_secs(4);

/// Sends a request to the supervisor, and retries while it can't be reached: one that was killed is being replaced.
/// Starting twice is safe, since the attempt's id names it.
async fn with_retries<T, F>(mut ask: impl FnMut() -> F) -> Result<T, SupervisorError>
where
    F: Future<Output = Result<T, SupervisorError>>,
{
    let mut wait = Duration::from_millis(125);
    loop {
        match ask().await {
            Err(SupervisorError::Unreachable(why)) if wait <= MAX_WAIT => {
                tracing::warn!("the supervisor can't be reached; trying again: {why}");
                tokio::time::sleep(wait).await;
                wait *= 2;
            }
            answer => return answer,
        }
    }
}

/// A command to run: everything evaluated, nothing to interpolate.
#[derive(Clone, Debug)]
pub struct CommandJob {
    /// What runs.
    pub program: Program,
    /// Inputs by name: they become environment variables and files.
    pub inputs: Values,
    /// `env:`, evaluated.
    pub env: IndexMap<String, String>,
    /// Variables of the submitter that this command does not get: other nodes ask for them.
    pub withheld: Arc<[String]>,
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

/// The part of the configuration that is about commands.
#[derive(Clone, Debug)]
pub struct CommandSettings {
    /// How long a stopped command has between TERM and KILL.
    pub grace: Duration,
    /// Names of environment variables that commands get from the daemon, besides the usual ones.
    pub pass_env: Vec<String>,
}

impl Inner {
    fn means(&self) -> Means<'_> {
        Means { environment: &self.environment, blobs: &self.blobs, grace: self.grace }
    }
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
    grace: Duration,
    environment: Environment,
    watcher: Arc<Watcher>,
    /// Attempts that ended and wait to be tidied up together.
    ended: Mutex<Vec<AttemptId>>,
}

impl Commands {
    /// Commands whose folders lie below `attempts`, an absolute path. The environment they get is taken now.
    #[must_use]
    pub fn new(supervisor: Supervisor, blobs: Blobs, attempts: PathBuf, settings: CommandSettings) -> Self {
        let environment = Environment::inherit(std::env::vars_os(), &settings.pass_env);
        let watcher = Arc::default();
        let grace = settings.grace;
        let ended = Mutex::default();
        Self { inner: Arc::new(Inner { supervisor, blobs, attempts, grace, environment, watcher, ended }) }
    }

    /// Runs one attempt: prepares its folder, starts it, follows it, ends its tree, collects its outputs. An attempt that
    /// was started before is taken over.
    pub async fn run(&self, attempt: Attempt, job: CommandJob) -> Outcome {
        let folder = self.folder(attempt.id);
        let job = Arc::new(job);
        if folder.path().exists() {
            if let Some(outcome) = self.take_over(&attempt, &job).await {
                return outcome;
            }
            // A daemon ended between making the folder and starting the command.
            self.blocking(vec![folder.clone()], Folder::remove).await;
        }
        if attempt.cancel.is_cancelled() {
            return Outcome::cancelled();
        }
        let spec = {
            let (inner, attempt, job) = (Arc::clone(&self.inner), attempt.clone(), Arc::clone(&job));
            let folder = folder.clone();
            tokio::task::spawn_blocking(move || prepare(&attempt, &job, &folder, &inner.means())).await
        };
        let spec = match spec {
            Ok(Ok(spec)) => spec,
            Ok(Err(problem)) => return Outcome::failed(NodeError::new(problem)),
            Err(_) => {
                return Outcome::failed(NodeError::new("preparing the command failed; see the daemon's log"));
            }
        };
        if attempt.cancel.is_cancelled() {
            return Outcome::cancelled();
        }
        let events = self.inner.supervisor.subscribe(attempt.id);
        match with_retries(|| self.inner.supervisor.start(&spec)).await {
            Ok(_) => self.follow(&attempt, &job, events).await,
            Err(error @ SupervisorError::Unreachable(_)) => Outcome::lost(&error.to_string()),
            Err(error) => Outcome::failed(NodeError::new(error.to_string())),
        }
    }

    /// Takes over an attempt that an earlier daemon started: follows it if it lives, collects it if it ended.
    /// Returns `None` for an attempt that the supervisor does not know: it did not start, and may be started.
    pub async fn adopt(&self, attempt: Attempt, job: CommandJob) -> Option<Outcome> {
        self.take_over(&attempt, &Arc::new(job)).await
    }

    async fn take_over(&self, attempt: &Attempt, job: &Arc<CommandJob>) -> Option<Outcome> {
        let state = match with_retries(|| self.inner.supervisor.state(attempt.id)).await {
            Ok(state) => state,
            Err(error) => return Some(Outcome::lost(&error.to_string())),
        };
        let Some(state) = state else {
            let exit = record::exit(self.folder(attempt.id).path())?;
            return Some(self.finish(attempt, job, self.reader(attempt, job), exit).await);
        };
        Some(match state.stage {
            Stage::Running => {
                let events = self.inner.supervisor.subscribe(attempt.id);
                self.follow(attempt, job, events).await
            }
            Stage::Ended(exit) => self.finish(attempt, job, self.reader(attempt, job), exit).await,
            Stage::Lost => Self::lost(attempt),
        })
    }

    /// Reads a part of an attempt's log.
    ///
    /// # Errors
    /// The log is gone.
    pub async fn log(&self, id: AttemptId, number: u32, read: &Read, ended: bool) -> Result<Part, String> {
        let (folder, read) = (self.folder(id), read.clone());
        tokio::task::spawn_blocking(move || log::read(&folder, number, &read, ended))
            .await
            .unwrap_or_else(|_| Err("the log can't be read; see the daemon's log".into()))
    }

    async fn follow(
        &self,
        attempt: &Attempt,
        job: &Arc<CommandJob>,
        events: crate::supervisor::client::Subscription,
    ) -> Outcome {
        let reader = self.reader(attempt, job);
        let follow = Follow {
            attempt,
            supervisor: &self.inner.supervisor,
            watcher: &self.inner.watcher,
            reader: &reader,
            grace: self.inner.grace,
        };
        match follow.to_the_end(events).await {
            End::Ended(exit) => self.finish(attempt, job, reader, exit).await,
            End::Lost => Self::lost(attempt),
        }
    }

    /// Collects what an attempt made, however it ended: also after a time-out and after a cancel.
    async fn finish(
        &self,
        attempt: &Attempt,
        job: &Arc<CommandJob>,
        reader: Arc<Mutex<Reader>>,
        exit: Exit,
    ) -> Outcome {
        let (inner, job, of) = (Arc::clone(&self.inner), Arc::clone(job), attempt.clone());
        let finishing = tokio::task::spawn_blocking(move || {
            finish::finish(&of, &job, &inner.means(), &mut lock(&reader), &exit)
        });
        finishing.await.unwrap_or_else(|_| {
            Outcome::failed(NodeError::new("collecting the outputs failed; see the daemon's log"))
        })
    }

    fn lost(attempt: &Attempt) -> Outcome {
        if attempt.cancel.is_cancelled() {
            return Outcome::cancelled();
        }
        Outcome::lost("nobody saw how the command ended: its supervisor or the machine went down")
    }

    fn reader(&self, attempt: &Attempt, job: &CommandJob) -> Arc<Mutex<Reader>> {
        let folder = self.folder(attempt.id);
        Arc::new(Mutex::new(Reader::new(attempt.clone(), folder, job.dir.clone(), self.inner.blobs.clone())))
    }

    fn folder(&self, id: AttemptId) -> Folder {
        Folder::of(&self.inner.attempts, id)
    }
}
