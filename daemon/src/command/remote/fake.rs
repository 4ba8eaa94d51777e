//! A Slurm cluster for tests of many attempts: it exists only in memory, on a clock that the test moves. What became of an attempt
//! is decided by the [`Judge`] of real clusters.

mod cluster;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fanlight_shared::event::NodeError;
use fanlight_shared::id::{AttemptId, RunId};
use fanlight_shared::value::Values;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::cluster::Snapshot;
use super::record::Record;
use super::request::SUBMIT_TIMEOUT;
use super::verdict::{Judge, Stopped, Verdict};
use crate::attempt::{Attempt, Outcome};
use crate::executor::{Adopted, Capabilities, End, Execution, Executor, Signal, Signalled, Work};
use cluster::Cluster;
pub(crate) use cluster::Figures;

/// A cluster.
#[derive(Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) seed: i64,
    pub(crate) slots: usize,
    /// How long a command runs on average, in seconds.
    pub(crate) lasts: u64,
    /// How many of a hundred commands lose their node.
    pub(crate) percent_of_nodes_fail: usize,
    /// The seconds between two deaths of its controller.
    pub(crate) dies_every: u64,
    /// The seconds between two polls.
    pub(crate) poll: u64,
}

/// The cluster; clones are the same one. It outlives engines.
#[derive(Clone)]
pub(crate) struct FakeSlurm {
    settings: Settings,
    state: Arc<Mutex<State>>,
    seen: Arc<watch::Sender<Arc<Snapshot>>>,
    began: Instant,
}

struct State {
    cluster: Cluster,
    /// The number of the last poll.
    poll: u64,
    /// Changes with whatever the engine asks of it.
    asked: u64,
}

impl FakeSlurm {
    pub(crate) fn new(settings: Settings) -> Self {
        let state = State { cluster: Cluster::new(settings), poll: 0, asked: 0 };
        Self {
            settings,
            state: Arc::new(Mutex::new(state)),
            seen: Arc::new(watch::Sender::new(Arc::default())),
            began: Instant::now(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask<T>(&self, ask: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state();
        state.asked += 1;
        ask(&mut state)
    }

    /// Lets time go by until the next poll.
    pub(crate) fn advance(&self) {
        let snapshot = {
            let mut state = self.state();
            state.cluster.advance(self.settings.poll);
            state.poll += 1;
            let number = state.poll;
            state.cluster.snapshot(number, &self.seen.borrow())
        };
        self.seen.send_replace(Arc::new(snapshot));
    }

    /// Returns how much was asked of it.
    pub(crate) fn asked(&self) -> u64 {
        self.state().asked
    }

    /// Returns the seconds that have gone by.
    pub(crate) fn now(&self) -> u64 {
        self.state().cluster.now
    }

    pub(crate) fn figures(&self) -> Figures {
        self.state().cluster.figures.clone()
    }

    /// Returns how often the command of this run was started.
    pub(crate) fn started(&self, run: RunId) -> u32 {
        self.state().cluster.started.get(&run).copied().unwrap_or_default()
    }
}

impl Executor for FakeSlurm {
    fn capabilities(&self) -> Capabilities {
        Capabilities { adopts: true, survives_reboot: true, shares_files: true }
    }

    fn open(&self, attempt: Attempt, _work: Arc<Work>) -> Box<dyn Execution> {
        let (slurm, id, run) = (self.clone(), attempt.id, attempt.run.id);
        Box::new(FakeJob { slurm, attempt: id, run, key: Record::key(id) })
    }

    fn release(&self, attempt: AttemptId) -> BoxFuture<'_, ()> {
        self.ask(|state| state.cluster.release(attempt));
        Box::pin(std::future::ready(()))
    }
}

/// An attempt on it.
struct FakeJob {
    slurm: FakeSlurm,
    attempt: AttemptId,
    run: RunId,
    key: String,
}

impl FakeJob {
    fn submit(&self) -> (Option<u64>, u64) {
        self.slurm.ask(|state| (state.cluster.submit(self.attempt, self.run), state.poll))
    }

    /// Submits it again, as an execution on a real cluster does.
    fn submit_again(&self, judge: &mut Judge) {
        let is_settled = {
            let state = self.slurm.state();
            let settles = |record: &cluster::Recorded| {
                record.job.is_some() || state.cluster.now - record.intended > SUBMIT_TIMEOUT.as_secs()
            };
            state.cluster.records.get(&self.attempt).is_none_or(settles)
        };
        if !is_settled {
            return;
        }
        self.slurm.ask(|state| state.cluster.figures.again += 1);
        match self.submit() {
            (Some(_), poll) => judge.submitted(poll),
            (None, poll) => judge.tried(poll),
        }
    }

    async fn follow(&self) -> End {
        let mut seen = self.slurm.seen.subscribe();
        let now = |state: &State| self.slurm.began + Duration::from_secs(state.cluster.now);
        let mut judge = {
            let state = self.slurm.state();
            Judge::new(state.poll, now(&state))
        };
        loop {
            let snapshot = seen.borrow_and_update().clone();
            let (said, now) = {
                let state = self.slurm.state();
                (state.cluster.said(self.attempt), now(&state))
            };
            let end = match judge.decide(&self.key, &said, None, &snapshot, false, now) {
                Verdict::Lives(_) => None,
                Verdict::Absent => {
                    self.submit_again(&mut judge);
                    None
                }
                Verdict::Ended(_) => Some(End::Ended),
                Verdict::Stopped(Stopped::Failed(why, _) | Stopped::BySomebody(why)) => {
                    panic!("no command fails here: {why}")
                }
                Verdict::Stopped(Stopped::Asked) => panic!("nobody stops it"),
                Verdict::Lost(why) => Some(End::Lost(why)),
            };
            if let Some(end) = end {
                self.slurm.ask(|state| {
                    if let End::Lost(why) = &end {
                        let why = why.replace(|letter: char| letter.is_ascii_digit(), "");
                        *state.cluster.figures.lost.entry(why).or_default() += 1;
                    }
                });
                return end;
            }
            let _ = seen.changed().await;
        }
    }
}

impl Execution for FakeJob {
    fn start(&self) -> BoxFuture<'_, Result<(), Outcome>> {
        self.submit();
        Box::pin(std::future::ready(Ok(())))
    }

    fn adopt(&self) -> BoxFuture<'_, Result<Adopted, Outcome>> {
        let is_known = self.slurm.ask(|state| state.cluster.records.contains_key(&self.attempt));
        Box::pin(std::future::ready(Ok(if is_known { Adopted::Known } else { Adopted::Unknown })))
    }

    fn wait(&self) -> BoxFuture<'_, End> {
        Box::pin(self.follow())
    }

    fn signal(&self, _signal: Signal) -> BoxFuture<'_, Signalled> {
        Box::pin(std::future::ready(Signalled::Unknown))
    }

    fn collect(&self) -> BoxFuture<'_, Outcome> {
        let has_ended = self.slurm.ask(|state| state.cluster.said(self.attempt).exit.is_some());
        let outcome = match has_ended {
            true => Outcome::completed(Values::new(), Vec::new()),
            false => Outcome::failed(NodeError::new("it has not ended")),
        };
        Box::pin(std::future::ready(outcome))
    }
}
