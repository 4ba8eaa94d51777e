//! One cluster: its jobs as they were seen last. While attempts wait, one `squeue` per interval asks about all of them.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

use super::array::Element;
use super::job::SeenJob;
use super::mirror::{CopiedFolder, CopyError};
use super::tools::Tools;

/// The longest interval between two polls while the controller can't be reached.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest interval between two polls, also for those that are asked for.
const MIN_INTERVAL: Duration = Duration::from_millis(200);

/// How long jobs that are to be cancelled are gathered.
const GATHER_INTERVAL: Duration = Duration::from_millis(100);
/// The most jobs that one `scancel` or `sacct` names.
const MAX_NAMED: usize = 500;
/// The interval between two questions about a job that the accounting does not know yet.
const ACCOUNT_INTERVAL: Duration = Duration::from_secs(20);

/// The jobs of this user at one moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    /// The number of the poll that saw them, from 1.
    pub(super) number: u64,
    /// The jobs by comment.
    jobs: HashMap<String, Vec<SeenJob>>,
    /// Why later polls failed, if the last one did: the jobs are stale.
    pub(super) stale: Option<String>,
}

impl Snapshot {
    /// Returns the jobs that a poll saw.
    pub(super) fn of(number: u64, list: impl IntoIterator<Item = SeenJob>) -> Self {
        let mut jobs: HashMap<String, Vec<SeenJob>> = HashMap::new();
        list.into_iter().for_each(|job| jobs.entry(job.key.clone()).or_default().push(job));
        Self { number, jobs, stale: None }
    }

    /// Returns the jobs with this comment.
    pub(super) fn jobs(&self, key: &str) -> &[SeenJob] {
        self.jobs.get(key).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the ids of the jobs with this comment that have not ended.
    pub(super) fn living(&self, key: &str) -> Vec<String> {
        let living = self.jobs(key).iter().filter(|job| !job.state.is_ended());
        living.map(|job| job.id.clone()).collect()
    }
}

/// One cluster; shared by all its attempts.
pub(super) struct Cluster {
    pub(super) tools: Tools,
    interval: Duration,
    seen: watch::Sender<Arc<Snapshot>>,
    /// The same without what runners said, which may take long: enough to cancel jobs.
    listed: watch::Sender<Arc<Snapshot>>,
    /// Held while a poll fetches.
    fetching: tokio::sync::Mutex<()>,
    /// The number of polls that have begun.
    begun: AtomicU64,
    state: Mutex<State>,
    asked: Notify,
    /// Whether it has an accounting, as far as is known.
    accounts: AtomicBool,
}

#[derive(Default)]
struct State {
    watching: usize,
    /// Whether the task runs.
    polling: bool,
    /// The jobs that are to be cancelled.
    doomed: BTreeSet<String>,
    /// Whether a task cancels them.
    cancelling: bool,
    /// By comment, the folders that are copied here.
    copied: HashMap<String, CopiedFolder>,
    /// By comment, the jobs that the controller no longer knows.
    missing: HashMap<String, Missing>,
    /// By the keys of elements of arrays, the comments that jobs of their own would have.
    elements: HashMap<String, String>,
}

/// A job that the controller no longer knows.
struct Missing {
    id: String,
    /// The folder of its attempt: an id may have belonged to several jobs.
    files: PathBuf,
    /// When the accounting was asked last.
    asked: Option<Instant>,
    /// How it ended, once that is known.
    job: Option<SeenJob>,
}

/// Somebody who waits for polls; without any, the cluster is left alone.
pub(super) struct Watching {
    cluster: Arc<Cluster>,
    pub(super) seen: watch::Receiver<Arc<Snapshot>>,
    pub(super) listed: watch::Receiver<Arc<Snapshot>>,
    /// The comment of the job that is missed.
    missed: Option<String>,
    /// The comment of the job whose folder is copied here.
    copied: Option<String>,
}

impl Watching {
    /// Notes that the controller does not know this job: later polls ask the accounting of the cluster.
    pub(super) fn miss(&mut self, key: &str, id: &str, files: &Path) {
        if self.missed.is_some() {
            return;
        }
        self.missed = Some(key.to_owned());
        let missing = Missing { id: id.to_owned(), files: files.to_owned(), asked: None, job: None };
        self.cluster.state().missing.insert(key.to_owned(), missing);
    }

    /// Has later polls fetch what the runner of this job says, and its output.
    pub(super) fn copy(&mut self, key: &str, folder: CopiedFolder) {
        self.copied = Some(key.to_owned());
        self.cluster.state().copied.insert(key.to_owned(), folder);
    }

    /// Notes that it may have another job.
    pub(super) fn find(&mut self) {
        if let Some(key) = self.missed.take() {
            self.cluster.state().missing.remove(&key);
        }
    }
}

/// Has an element of an array seen as the job of its attempt, until it is dropped.
pub(super) struct Named {
    cluster: Arc<Cluster>,
    element: String,
}

impl Named {
    pub(super) fn is_of(&self, element: &Element) -> bool {
        self.element == element.key()
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.cluster.state().elements.remove(&self.element);
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.find();
        let mut state = self.cluster.state();
        if let Some(key) = &self.copied {
            state.copied.remove(key);
        }
        state.watching -= 1;
    }
}

impl Cluster {
    pub(super) fn new(tools: Tools, interval: Duration) -> Arc<Self> {
        Arc::new(Self {
            tools,
            interval,
            seen: watch::Sender::new(Arc::default()),
            listed: watch::Sender::new(Arc::default()),
            fetching: tokio::sync::Mutex::default(),
            begun: AtomicU64::new(0),
            state: Mutex::default(),
            asked: Notify::new(),
            accounts: AtomicBool::new(true),
        })
    }

    /// Locks it. Every change leaves the state whole, so a poisoned lock is harmless.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether somebody watches; otherwise the task ends.
    fn continues(&self) -> bool {
        let mut state = self.state();
        state.polling = state.watching > 0;
        state.polling
    }

    /// Watches the jobs. The first watcher starts the task that polls.
    pub(super) fn watch(self: &Arc<Self>) -> Watching {
        let mut state = self.state();
        state.watching += 1;
        if !std::mem::replace(&mut state.polling, true) {
            tokio::spawn(poll(Arc::downgrade(self)));
        }
        drop(state);
        Watching {
            cluster: Arc::clone(self),
            seen: self.seen.subscribe(),
            listed: self.listed.subscribe(),
            missed: None,
            copied: None,
        }
    }

    /// Returns the number of the last poll that has begun: only a later one certainly sees what is true now.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Has an element of an array seen as the job with this comment.
    pub(super) fn name(self: &Arc<Self>, element: &Element, key: &str) -> Named {
        let named = Named { cluster: Arc::clone(self), element: element.key() };
        self.state().elements.insert(named.element.clone(), key.to_owned());
        named
    }

    /// Asks for the jobs that the controller knows.
    ///
    /// # Errors
    /// It can't be asked at the moment.
    pub(super) async fn jobs(&self) -> Result<Vec<SeenJob>, String> {
        let mut list = self.tools.jobs().await?;
        let state = self.state();
        for job in &mut list {
            if let Some(key) = state.elements.get(&job.key) {
                job.key.clone_from(key);
            }
        }
        Ok(list)
    }

    /// Asks for a poll now.
    pub(super) fn ask(&self) {
        self.asked.notify_one();
    }

    /// Cancels jobs, together with those that others cancel at this moment. That says nothing: the jobs show it.
    pub(super) fn cancel(self: &Arc<Self>, jobs: Vec<String>) {
        let mut state = self.state();
        state.doomed.extend(jobs);
        if !std::mem::replace(&mut state.cancelling, true) {
            tokio::spawn(cancel(Arc::clone(self)));
        }
    }

    /// Leaves the folder of this job to its attempt, which fetches the rest: no poll fetches from it any more.
    pub(super) async fn leave(&self, key: &str) {
        self.state().copied.remove(key);
        // A poll that has begun may know of it.
        drop(self.fetching.lock().await);
    }

    /// Asks for the jobs that the controller knows. What their runners said is fetched after that: it is never older.
    async fn look(&self, number: u64) -> Result<Vec<SeenJob>, String> {
        let list = self.jobs().await?;
        self.listed.send_replace(Arc::new(Snapshot::of(number, list.iter().cloned())));
        let _fetching = self.fetching.lock().await;
        let copied: Vec<CopiedFolder> = self.state().copied.values().cloned().collect();
        if !copied.is_empty() {
            self.tools.fetch_said(&copied, false).await.map_err(CopyError::sentence)?;
        }
        Ok(list)
    }

    /// Returns the jobs that the controller does not know and the accounting does.
    async fn accounted(&self, list: &[SeenJob]) -> Vec<SeenJob> {
        let ids: Vec<String> = {
            let mut state = self.state();
            state.missing.retain(|key, _| list.iter().all(|job| job.key != *key));
            let is_due = |it: &&mut Missing| {
                it.job.is_none() && it.asked.is_none_or(|asked| asked.elapsed() > ACCOUNT_INTERVAL)
            };
            let due = state.missing.values_mut().filter(is_due).take(MAX_NAMED);
            due.map(|it| {
                it.asked = Some(Instant::now());
                it.id.clone()
            })
            .collect()
        };
        if !ids.is_empty() && self.accounts.load(Ordering::Relaxed) {
            match self.tools.accounted(&ids).await {
                Ok(Some(jobs)) => self.explain(jobs),
                Ok(None) => self.accounts.store(false, Ordering::Relaxed),
                Err(why) => tracing::warn!(why, "the accounting of a cluster can't be asked"),
            }
        }
        self.state().missing.values().filter_map(|it| it.job.clone()).collect()
    }

    /// Notes how missing jobs ended.
    fn explain(&self, jobs: Vec<(SeenJob, String)>) {
        let mut state = self.state();
        for (job, folder) in jobs {
            let own = |(_, it): &(&String, &mut Missing)| it.id == job.id && it.files.as_os_str() == &*folder;
            if let Some((key, missing)) = state.missing.iter_mut().find(own) {
                missing.job = Some(SeenJob { key: key.clone(), ..job });
            }
        }
    }
}

/// Cancels what is to be cancelled, until nothing is.
async fn cancel(cluster: Arc<Cluster>) {
    loop {
        tokio::time::sleep(GATHER_INTERVAL).await;
        let jobs: Vec<String> = {
            let mut state = cluster.state();
            state.cancelling = !state.doomed.is_empty();
            std::mem::take(&mut state.doomed).into_iter().collect()
        };
        if jobs.is_empty() {
            return;
        }
        for some in jobs.chunks(MAX_NAMED) {
            if let Err(why) = cluster.tools.cancel(some).await {
                tracing::warn!(why, "jobs could not be cancelled; trying again");
            }
        }
    }
}

/// Polls while somebody watches.
async fn poll(cluster: Weak<Cluster>) {
    let mut failures = 0_u32;
    loop {
        let Some(cluster) = cluster.upgrade() else { return };
        if !cluster.continues() {
            return;
        }
        let number = cluster.begun.fetch_add(1, Ordering::AcqRel) + 1;
        match cluster.look(number).await {
            Ok(mut list) => {
                failures = 0;
                list.extend(cluster.accounted(&list).await);
                cluster.seen.send_replace(Arc::new(Snapshot::of(number, list)));
            }
            Err(why) => {
                failures = failures.saturating_add(1);
                if failures == 1 {
                    tracing::warn!(why, "a cluster can't be asked; its jobs stay as they were");
                }
                let before = cluster.seen.borrow().clone();
                let stale = Snapshot { stale: Some(why), ..Snapshot::clone(&before) };
                cluster.seen.send_replace(Arc::new(stale));
            }
        }
        let interval =
            cluster.interval.saturating_mul(1 << failures.min(6)).min(MAX_INTERVAL.max(cluster.interval));
        tokio::time::sleep(MIN_INTERVAL).await;
        let _ = tokio::time::timeout(interval.saturating_sub(MIN_INTERVAL), cluster.asked.notified()).await;
    }
}
