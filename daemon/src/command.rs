//! `run:` and `cmd:` nodes: from inputs to a process under the supervisor, and from its files to outputs.
//!
//! `execution` is one attempt: `prepare` writes inputs as variables and files, `follow` reports progress while the
//! command runs, `finish` collects its outputs. An adoption needs only the attempt's folder. Of the environment, only
//! the variables that the submitter passed are stored, with the run.

mod agent;
mod agent_output;
mod changed;
mod clean_up;
mod collect;
mod engines;
mod environment;
pub mod event;
mod execution;
mod failure;
mod finish;
#[cfg(test)]
pub(crate) mod fixture;
mod folder;
mod follow;
mod input;
mod kind;
mod log;
mod metrics;
mod orphans;
mod osc;
mod pace;
mod pattern;
mod placing;
mod prepare;
mod program;
mod programs;
mod reader;
mod record;
mod remote;
mod report;
mod separate;
mod shared;
mod shown;
mod steps;
mod surroundings;
mod tail;
mod text;
mod usage;
mod watch;

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::logs::{Part, Read};

pub(crate) use engines::Engines;
pub(crate) use environment::Environment;
pub(crate) use event::{CommandEvent, EventEffect, TYPES as EVENT_TYPES, of_json as event_of_json};
pub(crate) use placing::place as place_media;
#[cfg(test)]
pub(crate) use remote::fake as fake_slurm;
pub(crate) use remote::{Remote, check_declared, check_installed};
pub(crate) use surroundings::check_pattern;

use crate::attempt::RunFacts;
use crate::executor::{CommandWork, Surroundings};
use crate::store::blob::Blobs;
use crate::supervisor::client::Supervisor;
use folder::Folder;
use prepare::Resources;
use shared::SharedFolders;
use tokio::sync::Semaphore;
use usage::Usage;
use watch::Watcher;

/// How many commands look at once at the files that their results depend on.
const MAX_LOOKS: usize = 4;

/// The configuration of commands.
#[derive(Clone, Debug)]
pub struct CommandSettings {
    /// The time between TERM and KILL for a stopped command.
    pub grace: Duration,
    /// Names of environment variables that commands get from the daemon, besides the default ones.
    pub pass_env: Vec<String>,
}

impl Inner {
    fn resources(&self) -> Resources<'_> {
        Resources {
            environment: &self.environment,
            blobs: &self.blobs,
            grace: self.grace,
            shared: &self.shared,
            later: None,
        }
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
    shared: SharedFolders,
    /// Limits how many commands look at their files at once.
    looks: Arc<Semaphore>,
    watcher: Arc<Watcher>,
    /// Samples what commands use.
    usage: Usage,
    /// Attempts that ended and wait to be cleaned up together.
    ended: Mutex<Vec<AttemptId>>,
}

impl Commands {
    /// Creates it. Folders of attempts are below `attempts`, an absolute path. The daemon's environment is captured
    /// now.
    #[must_use]
    pub fn new(supervisor: Supervisor, blobs: Blobs, attempts: PathBuf, settings: CommandSettings) -> Self {
        let environment = Environment::inherit(std::env::vars_os(), &settings.pass_env);
        let watcher = Arc::default();
        let grace = settings.grace;
        let ended = Mutex::default();
        let shared = SharedFolders::load(&attempts);
        Self {
            inner: Arc::new(Inner {
                supervisor,
                blobs,
                attempts,
                grace,
                environment,
                shared,
                looks: Arc::new(Semaphore::new(MAX_LOOKS)),
                watcher,
                usage: Usage::default(),
                ended,
            }),
        }
    }

    /// Reads a part of an attempt's log.
    async fn read_log(&self, id: AttemptId, number: u32, read: &Read, ended: bool) -> Result<Part, String> {
        let (folder, read) = (self.folder(id), read.clone());
        tokio::task::spawn_blocking(move || log::read(&folder, number, &read, ended))
            .await
            .unwrap_or_else(|_| Err("the log can't be read; see the daemon's log".into()))
    }

    /// Looks at what the result of a command depends on besides its inputs; `None` if its results are not reused.
    async fn look_around(
        &self,
        run: Arc<RunFacts>,
        withheld: Arc<[String]>,
        work: Arc<CommandWork>,
    ) -> Result<Option<Surroundings>, String> {
        if work.remember.is_none() {
            return Ok(None);
        }
        let inner = Arc::clone(&self.inner);
        let permit = Arc::clone(&inner.looks).acquire_owned().await;
        let look = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            let look = |remember| {
                surroundings::of((&inner.environment, &inner.blobs), &run, &withheld, &work, remember)
            };
            work.remember.as_ref().map(look).transpose()
        });
        look.await.unwrap_or_else(|_| Err("looking at its files failed; see the daemon's log".into()))
    }

    fn folder(&self, id: AttemptId) -> Folder {
        Folder::of(&self.inner.attempts, id)
    }
}
