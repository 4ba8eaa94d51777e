//! Commands on an engine: a cluster of Slurm or of Ray.
//!
//! An attempt is laid out as on this machine, but in a folder that the nodes of the cluster see. Its `record` is durable before
//! its job is submitted. The job is `runner.sh`, which runs the command at most once and writes how it ended into a `files`:
//! that is the truth, and `verdict` decides by it and by what the `cluster` says of its jobs. `execution` is one attempt;
//! `output` makes the same log of it as the supervisor does. A cluster that shares no folder with this machine has a `mirror`: all
//! of this works on copies, which rsync carries there and back.

mod array;
mod call;
mod caller;
mod check;
mod cluster;
mod execution;
#[cfg(test)]
pub(crate) mod fake;
mod files;
mod fresh;
mod grow;
mod inputs;
mod job;
mod login;
mod mirror;
mod output;
#[cfg_attr(not(feature = "http"), path = "remote/ray/absent.rs")]
mod ray;
mod record;
mod request;
mod slurm;
mod submitter;
mod tools;
mod verdict;

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;
use fanlight_shared::rpc::engines::Engine;
use futures_util::future::BoxFuture;
use tokio::sync::Semaphore;

use super::environment::Environment;
use super::folder::Folder;
use super::prepare::Resources;
use super::{Commands, Inner, program};
use crate::attempt::Attempt;
use crate::config::{EngineKind, EngineSettings, Stage};
use crate::executor::{Capabilities, Execution, Executor, Known, Work, misplaced};
use crate::rooted::remove_tree;
use crate::secret::SecretSettings;
use array::Element;
use cluster::{Cluster, Snapshot};
use execution::RemoteExecution;
use inputs::Inputs;
use record::Record;
use submitter::Submitter;
use tools::{Controller, Tools};

/// The interval between two tries to remove the files of an attempt from a login node that is away.
const CLEAR_INTERVAL: Duration = Duration::from_secs(60);

/// How long an ended job stays in the list of its engine: Ray enters one again that it still looks after.
const FORGET_DELAY: Duration = Duration::from_secs(5);

/// Runs commands on one cluster: cheap to clone.
#[derive(Clone)]
pub(crate) struct Remote {
    /// The name of the engine.
    name: Arc<str>,
    settings: Arc<EngineSettings>,
    inner: Arc<Inner>,
    environment: Arc<Environment>,
    secrets: Arc<SecretSettings>,
    cluster: Arc<Cluster>,
    /// Limits how many attempts are submitted at once.
    places: Arc<Semaphore>,
    /// Held while it is checked.
    checking: Arc<tokio::sync::Mutex<()>>,
    /// The folder with copies of the folders of attempts, if the cluster shares none with this machine: each daemon has its
    /// own, because what an earlier one called may still write to its one.
    copies: Arc<Path>,
    /// What was sent to it once for all attempts.
    inputs: Arc<Inputs>,
    /// Submits the jobs of its attempts.
    submitter: Arc<Submitter>,
    /// Whether its attempts are those of a check.
    is_check: bool,
}

/// Checks that what the commands of an engine are called with is installed on this machine: `ssh`, or they themselves.
///
/// # Errors
/// What to install.
pub(crate) fn check_installed(settings: &EngineSettings) -> Result<(), String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let programs: &[&str] = match (&settings.kind, &settings.via, settings.stage) {
        (EngineKind::Ray(_), ..) => &[],
        (_, None, _) => &slurm::PROGRAMS,
        (_, Some(_), Stage::Shared) => &[login::SSH],
        (_, Some(_), Stage::Rsync) => &[login::SSH, login::RSYNC],
    };
    let missing = programs.iter().find(|name| program::find(name, &path).is_none());
    missing.map_or(Ok(()), |name| Err(call::missing(name)))
}

/// Checks that the engine of every attempt that has not ended on one is declared: its name and its `via`. Blocks.
///
/// # Errors
/// Nobody would see how such a job ends, or end it: the sentence names the engine and its attempts.
pub(crate) fn check_declared(
    attempts: &Path,
    is_declared: impl Fn(&str, Option<&str>) -> bool,
) -> Result<(), String> {
    let mut left: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for folder in std::fs::read_dir(attempts).into_iter().flatten().flatten() {
        let Some(id) = folder.file_name().to_str().and_then(|name| name.parse::<AttemptId>().ok()) else {
            continue;
        };
        if let Ok(Some(record)) = Record::read(&folder.path())
            && !record.ended
            && !record.is_check
            && !is_declared(&record.engine, record.via.as_deref())
        {
            let via = record.via.map_or_else(String::new, |via| format!(" with `via = \"{via}\"`"));
            left.entry(format!("`{}`{via}", record.engine)).or_default().push(id.to_string());
        }
    }
    let Some((engine, ids)) = left.pop_first() else { return Ok(()) };
    Err(format!(
        "the config no longer declares the engine {engine}, on which these attempts have not ended: {}; declare it again until \
         they have",
        fanlight_shared::value::cut(&ids.join(", "), 400)
    ))
}

impl Remote {
    /// Creates the executor of an engine, beside that of the commands on this machine.
    pub(crate) fn new(
        name: &str,
        settings: EngineSettings,
        commands: &Commands,
        secrets: SecretSettings,
        home: &Home,
        #[cfg(feature = "http")] http: crate::http::Http,
    ) -> Self {
        let settings = Arc::new(settings);
        let controller = match &settings.kind {
            #[cfg(feature = "http")]
            EngineKind::Ray(ray) => Controller::Ray(ray::Head::new(name, ray.clone(), secrets.clone(), http)),
            _ => Controller::Slurm(Arc::clone(&settings)),
        };
        let tools = Tools::new(&settings, controller, home);
        let copies = all_copies(&commands.inner.attempts, name).join(AttemptId::new().to_string());
        Self {
            name: name.into(),
            inner: Arc::clone(&commands.inner),
            environment: Arc::new(Environment::elsewhere()),
            secrets: Arc::new(secrets),
            submitter: Submitter::new(tools.clone()),
            inputs: Arc::new(Inputs::new(tools.clone(), &settings.workdir, settings.keep_inputs, &copies)),
            cluster: Cluster::new(tools, settings.poll),
            places: Arc::new(Semaphore::new(settings.max_in_flight as usize)),
            checking: Arc::default(),
            is_check: false,
            copies: copies.into(),
            settings,
        }
    }

    /// Returns it as clients see it.
    pub(super) fn describe(&self) -> Engine {
        let EngineSettings { kind, partition, account, qos, workdir, max_in_flight, .. } = &*self.settings;
        let via = match kind {
            EngineKind::Slurm => self.settings.via.clone(),
            EngineKind::Ray(ray) => Some(ray.address.clone()),
        };
        let free = u32::try_from(self.places.available_permits()).unwrap_or(u32::MAX);
        Engine {
            engine: self.name.to_string(),
            kind: kind.word().to_owned(),
            via: via.unwrap_or_else(|| "local".to_owned()),
            workdir: workdir.display().to_string(),
            partition: partition.clone(),
            account: account.clone(),
            qos: qos.clone(),
            max_in_flight: *max_in_flight,
            in_flight: max_in_flight.saturating_sub(free),
        }
    }

    fn folder(&self, attempt: AttemptId) -> Folder {
        let (attempts, workdir) = (&self.inner.attempts, &self.settings.workdir);
        match self.settings.stage {
            Stage::Shared => Folder::on_engine(attempts, workdir, attempt),
            Stage::Rsync => {
                let here = Folder::on_engine(attempts, &self.copies, attempt);
                let there = workdir.join(attempt.to_string());
                Folder::with_files(here.path(), here.files(), Some(&there))
            }
        }
    }

    fn resources(&self) -> Resources<'_> {
        Resources { environment: &self.environment, ..self.inner.resources() }
    }

    /// Returns the record of an attempt that was not submitted.
    fn new_record(&self, attempt: &Attempt, folder: &Folder, stdout_limit: u64) -> Record {
        let record = Record::new(&self.name, attempt.id, folder, stdout_limit, &attempt.secrets);
        Record { via: self.settings.via.clone(), is_check: self.is_check, ..record }
    }

    /// Cancels the living jobs of an attempt.
    async fn cancel_jobs(&self, attempt: AttemptId, element: Option<&Element>) -> Result<(), String> {
        let jobs = Snapshot::of(0, self.cluster.jobs().await?);
        let keys = [Some(Record::key(attempt)), element.map(Element::key)];
        let living: Vec<String> = keys.iter().flatten().flat_map(|key| jobs.living(key)).collect();
        if living.is_empty() { Ok(()) } else { self.cluster.tools.cancel(&living).await }
    }

    /// Reads the record of an attempt, if it is one of this engine.
    async fn record(&self, attempt: AttemptId) -> std::io::Result<Option<Record>> {
        let folder = self.folder(attempt);
        let read = tokio::task::spawn_blocking(move || Record::read(folder.path())).await;
        let record = read.unwrap_or_else(|error| Err(std::io::Error::other(error)))?;
        Ok(record.filter(|record| *record.engine == *self.name))
    }

    /// Removes the copies of earlier daemons, which nothing reads any more. Blocks.
    fn remove_old_copies(&self) {
        let all = all_copies(&self.inner.attempts, &self.name);
        for old in std::fs::read_dir(all).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if *old != *self.copies
                && let Err(error) = remove_tree(&old)
            {
                tracing::warn!(folder = %old.display(), %error, "copies of files of an engine could not be removed");
            }
        }
    }

    /// Removes what is left of an attempt on the cluster. Returns whether that succeeded.
    async fn clear(&self, attempt: AttemptId) -> bool {
        let record = match self.record(attempt).await {
            Ok(None) => return true,
            Ok(Some(record)) => record,
            Err(error) => {
                tracing::warn!(%attempt, %error, "the record of a job can't be read");
                return false;
            }
        };
        if record.intended.is_some()
            && !record.ended
            && let Err(why) = self.cancel_jobs(attempt, record.element.as_ref()).await
        {
            tracing::warn!(%attempt, why, "a job that nobody waits for could not be cancelled");
            return false;
        }
        if let Some(job) = record.job.clone().filter(|_| !self.cluster.tools.cancels_waiting()) {
            let tools = self.cluster.tools.clone();
            tokio::spawn(async move {
                tokio::time::sleep(FORGET_DELAY).await;
                if let Err(why) = tools.forget(&job).await {
                    tracing::debug!(%attempt, why, "an ended job could not be removed from the list of its engine");
                }
            });
        }
        // The config may name another folder now.
        let folder = record.folder(self.folder(attempt).path());
        if let Some(there) = folder.original() {
            // The copy first: it may hold what is a secret.
            let copies =
                [folder.files().to_owned(), self.copies.join(mirror::ARRIVED).join(attempt.to_string())];
            let remove = move || copies.iter().try_for_each(|copy| remove_tree(copy));
            let removed = tokio::task::spawn_blocking(remove).await;
            if !matches!(removed, Ok(Ok(()))) {
                tracing::warn!(%attempt, "the copy of the files of a job could not be removed");
            }
            if record.via != self.settings.via {
                tracing::warn!(%attempt, via = record.via, "the files of a job are at another machine than `via` names");
                return false;
            }
            if let Err(error) = self.cluster.tools.remove_there(there).await {
                tracing::warn!(%attempt, why = error.sentence(), "the files of a job could not be removed there");
                return false;
            }
        }
        let inner = Arc::clone(&self.inner);
        let clear = move || {
            inner.shared.leave(attempt);
            folder.clean_up()?;
            remove_tree(folder.files())?;
            if record.is_check {
                // Nobody reads its log, and nothing else knows of it.
                return folder.remove();
            }
            Record::remove(folder.path())
        };
        match tokio::task::spawn_blocking(clear).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(%attempt, %error, "the files of a job could not be removed");
                false
            }
            Err(_) => false,
        }
    }
}

/// Returns the folder with the copies of all daemons of an engine.
fn all_copies(attempts: &Path, engine: &str) -> PathBuf {
    attempts.with_file_name("engines").join(engine)
}

impl Executor for Remote {
    fn capabilities(&self) -> Capabilities {
        Capabilities { adopts: true, survives_reboot: true, shares_files: true }
    }

    fn open(&self, attempt: Attempt, work: Arc<Work>) -> Box<dyn Execution> {
        match &*work {
            Work::Command(command) => {
                Box::new(RemoteExecution::new(self.clone(), attempt, Arc::clone(command)))
            }
            Work::Native(..) => misplaced(&work),
        }
    }

    fn release(&self, attempt: AttemptId) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            if self.clear(attempt).await || self.settings.stage == Stage::Shared {
                return;
            }
            // The login node may be away for long; the next daemon tries too.
            let remote = self.clone();
            tokio::spawn(async move {
                while !remote.clear(attempt).await {
                    tokio::time::sleep(CLEAR_INTERVAL).await;
                }
            });
        })
    }

    fn forget(&self, attempts: Vec<AttemptId>) -> BoxFuture<'_, Vec<AttemptId>> {
        Box::pin(async move {
            let mut gone = Vec::with_capacity(attempts.len());
            for attempt in attempts {
                if self.clear(attempt).await {
                    gone.push(attempt);
                }
            }
            gone
        })
    }

    fn leftovers(&self) -> Vec<AttemptId> {
        let folders = std::fs::read_dir(&self.inner.attempts).into_iter().flatten().flatten();
        let attempts = folders.filter_map(|it| it.file_name().to_str()?.parse().ok());
        let is_ours = |record: Record| OsStr::new(&record.engine) == OsStr::new(&*self.name);
        attempts
            .filter(|attempt| Record::read(self.folder(*attempt).path()).ok().flatten().is_some_and(is_ours))
            .collect()
    }

    fn clean_up(
        &self,
        leftovers: Vec<AttemptId>,
        living: Arc<HashSet<AttemptId>>,
        known: Known,
    ) -> BoxFuture<'_, ()> {
        let ended: Vec<_> = leftovers.into_iter().filter(|attempt| !living.contains(attempt)).collect();
        let remote = self.clone();
        Box::pin(async move {
            let look = move || {
                // No database knows those of a check.
                let is_check = |attempt: &AttemptId| {
                    let record = Record::read(remote.folder(*attempt).path()).ok().flatten();
                    record.is_some_and(|record| record.is_check)
                };
                let (mut ours, others): (Vec<_>, _) = ended.into_iter().partition(is_check);
                ours.extend(known(others));
                remote.remove_old_copies();
                ours
            };
            for attempt in tokio::task::spawn_blocking(look).await.unwrap_or_default() {
                self.clear(attempt).await;
            }
        })
    }
}

#[cfg(test)]
mod tests;
