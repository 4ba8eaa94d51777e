//! The projection: a client's copy of the runs. Notifications and responses of the daemon are folded into it. Its final state
//! does not depend on messages that came late, twice, or after a lost connection.
//!
//! - this file: notifications
//! - `rows`: runs as lists show them, the active ones, and the waiting ones
//! - `telemetry`: the states of watched runs, and where to resume them after a lost connection
//! - `lens`: which run of a workflow is in focus

mod lens;
mod rows;
mod telemetry;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::{IndexMap, IndexSet};

use lens::Lens;
pub use telemetry::Row;
use telemetry::Telemetry;

use crate::event::{DaemonEvent, Queue};
use crate::id::{RunId, WorkflowId};
use crate::rpc::daemon::HelloResponse;
use crate::rpc::watch::Notification;
use crate::run::Run;
use crate::sweep::Pause;
use crate::waiting::Waiting;

/// A client's copy of the runs.
#[derive(Clone, Debug, Default)]
pub struct Projection {
    /// The followed runs, in their order; `None` means all.
    followed: Option<IndexSet<RunId>>,
    /// The sweep whose further runs are followed too.
    sweep: Option<String>,
    runs: HashMap<RunId, Run>,
    /// Runs that have started and not ended: few, and read for every frame.
    active: BTreeSet<RunId>,
    /// Deleted runs: a late response does not bring them back.
    deleted: HashSet<RunId>,
    /// Runs that the last snapshot of the registry lacks, although they are active or in focus here,
    missing: HashSet<RunId>,
    /// and those that it lacks and that have ended.
    unconfirmed: HashSet<RunId>,
    waiting: Waiting,
    queue: Queue,
    /// The sweeps that are paused. Their waiting runs have no place.
    paused: IndexMap<String, Pause>,
    lenses: HashMap<WorkflowId, Lens>,
    busy: bool,
    telemetry: HashMap<RunId, Telemetry>,
    banners: Vec<String>,
    /// The daemon that it is connected to.
    instance: Option<String>,
    /// The last of its daemon-wide numbers.
    seq: Option<u64>,
}

/// The change by a notification or a response.
#[derive(Clone, PartialEq, Debug)]
pub enum Change {
    /// Something of this run.
    Updated(RunId),
    /// The state of this run.
    Moved(RunId),
    /// Nothing: events of this run are missing. [Watch](Projection::resume) it again.
    Gap(RunId),
    /// The run was deleted; this is its last state.
    Deleted(Box<Run>),
    /// The banners.
    Banners,
    /// The daemon ends.
    Bye {
        /// Why.
        reason: String,
        /// Whether its runs are gone with its home.
        home_gone: bool,
    },
}

impl Projection {
    /// Creates a projection of only these runs, in their order. The default projection has all runs.
    #[must_use]
    pub fn of(runs: Vec<Run>) -> Self {
        let followed = runs.iter().map(|run| run.id).collect();
        let mut projection = Self { followed: Some(followed), ..Self::default() };
        projection.add(runs);
        projection
    }

    /// Follows further runs of a sweep too, from when they are known.
    #[must_use]
    pub fn with_sweep(mut self, sweep: Option<String>) -> Self {
        self.sweep = sweep;
        self
    }

    /// Follows a run if its sweep is followed.
    fn adopt(&mut self, run: &Run) {
        if let (Some(followed), Some(sweep)) = (&mut self.followed, &self.sweep)
            && run.sweep.as_ref() == Some(sweep)
        {
            followed.insert(run.id);
        }
    }

    /// Handles a new connection. Returns whether the banners changed.
    pub fn connected(&mut self, hello: &HelloResponse) -> bool {
        if self.instance.as_ref() != Some(&hello.instance) {
            // Another daemon counts from 1 again; the runs themselves are durable.
            self.seq = None;
            self.instance = Some(hello.instance.clone());
        }
        self.set_banners(&hello.banners)
    }

    /// Returns the banners that every client should show, such as about a full disk.
    #[must_use]
    pub fn banners(&self) -> &[String] {
        &self.banners
    }

    fn set_banners(&mut self, banners: &[String]) -> bool {
        let changed = self.banners != banners;
        self.banners = banners.to_vec();
        changed
    }

    /// Folds in a notification, and takes what is large in it: the runs of a registry, the state of a snapshot, its items.
    pub fn apply(&mut self, notification: &mut Notification) -> Vec<Change> {
        match notification {
            Notification::Registry { seq, runs, queue, paused, banners, .. } => {
                self.seq = Some(*seq);
                self.paused = std::mem::take(paused);
                let mut changes = self.replace(std::mem::take(runs), *queue);
                changes.extend(self.set_banners(banners).then_some(Change::Banners));
                changes
            }
            Notification::Daemon { seq, event } => {
                self.seq = Some(*seq);
                match event {
                    DaemonEvent::SweepUpdate { sweep, paused } => self.set_paused(sweep, *paused),
                    event => self.apply_event(event).into_iter().collect(),
                }
            }
            Notification::Snapshot { run, state, .. } => {
                let state = std::mem::take(&mut **state);
                self.put((**run).clone(), state).into_iter().collect()
            }
            Notification::SnapshotItems { run_id, seq, node, items, .. } => {
                self.take_items(*run_id, *seq, node, std::mem::take(items)).into_iter().collect()
            }
            Notification::State { run_id, event, .. } => self.fold(*run_id, event).into_iter().collect(),
            Notification::Live { run_id, event, .. } => self.fold_live(*run_id, event).into_iter().collect(),
            Notification::Bye { reason, home_gone } => {
                vec![Change::Bye { reason: reason.clone(), home_gone: *home_gone }]
            }
            // The components that show curves read them.
            Notification::Points { .. } | Notification::PointsLost {} => Vec::new(),
            // Fresh snapshots follow.
            Notification::Lagged {} => Vec::new(),
            // The connection puts these together with what they belong to.
            Notification::RegistryRuns { .. } | Notification::SnapshotNodes { .. } => Vec::new(),
        }
    }

    fn apply_event(&mut self, event: &DaemonEvent) -> Option<Change> {
        match event {
            DaemonEvent::RunUpdate { run } => self.update((**run).clone()),
            DaemonEvent::RunDelete { run_id, .. } => {
                self.remove(*run_id).map(|run| Change::Deleted(Box::new(run)))
            }
            DaemonEvent::QueueUpdate { queue } => {
                self.queue = *queue;
                None
            }
            DaemonEvent::BannerUpdate { banners } => self.set_banners(banners).then_some(Change::Banners),
            DaemonEvent::OutputUpdate { run_id, .. } => self.updated(*run_id),
            DaemonEvent::AssetUpdate { asset } => self.updated(asset.run_id),
            DaemonEvent::SweepUpdate { .. } | DaemonEvent::AssetDelete { .. } => None,
        }
    }

    /// Returns whether it follows this run.
    fn follows(&self, run: RunId) -> bool {
        self.followed.as_ref().is_none_or(|followed| followed.contains(&run))
    }

    fn updated(&self, run: RunId) -> Option<Change> {
        self.runs.contains_key(&run).then_some(Change::Updated(run))
    }
}
