//! One cluster: its jobs as they were seen last. While attempts wait, one `squeue` per interval asks about all of them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{Notify, watch};

use super::job::SeenJob;
use super::tools::Tools;
use crate::config::EngineSettings;

/// The longest interval between two polls while the controller can't be reached.
const MAX_INTERVAL: Duration = Duration::from_secs(60);
/// The shortest interval between two polls, also for those that are asked for.
const MIN_INTERVAL: Duration = Duration::from_millis(200);

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
    /// The number of polls that have begun.
    begun: AtomicU64,
    state: Mutex<State>,
    asked: Notify,
}

#[derive(Default)]
struct State {
    watching: usize,
    /// Whether the task runs.
    polling: bool,
}

/// Somebody who waits for polls; without any, the cluster is left alone.
pub(super) struct Watching {
    cluster: Arc<Cluster>,
    pub(super) seen: watch::Receiver<Arc<Snapshot>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.cluster.state().watching -= 1;
    }
}

impl Cluster {
    pub(super) fn new(settings: &EngineSettings) -> Arc<Self> {
        Arc::new(Self {
            tools: Tools::new(settings.clone()),
            interval: settings.poll,
            seen: watch::Sender::new(Arc::default()),
            begun: AtomicU64::new(0),
            state: Mutex::default(),
            asked: Notify::new(),
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
        Watching { cluster: Arc::clone(self), seen: self.seen.subscribe() }
    }

    /// Returns the number of the last poll that has begun: only a later one certainly sees what is true now.
    pub(super) fn begun(&self) -> u64 {
        self.begun.load(Ordering::Acquire)
    }

    /// Asks for a poll now.
    pub(super) fn ask(&self) {
        self.asked.notify_one();
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
        match cluster.tools.jobs().await {
            Ok(list) => {
                failures = 0;
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
