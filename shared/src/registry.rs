//! The registry of runs as a client has it, and which run the lens is on.
//!
//! One lens per workflow. Without a pin it follows the newest start, where the runs of one submission count as one
//! start: it takes the first of them, and when that one ends while others of its submission are active, the earliest
//! started of these. An automatic move waits while the client is busy (a form, an inspector or a viewer is open).

mod lens;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::{BTreeSet, HashMap, HashSet};

use lens::Lens;
pub use waiting::Waiting;

use crate::event::{DaemonEvent, Queue};
use crate::id::{RunId, WorkflowId};
use crate::run::{Run, RunStatus};

/// Runs by id, the order of those that wait, and the lenses.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    runs: HashMap<RunId, Run>,
    /// Those that are under way: few, and asked for with every frame.
    active: BTreeSet<RunId>,
    /// Runs that a list showed running before their start event arrived; the event still counts.
    untold: HashSet<RunId>,
    /// What was deleted: an answer that was under way does not bring it back.
    deleted: HashSet<RunId>,
    waiting: Waiting,
    queue: Queue,
    lenses: HashMap<WorkflowId, Lens>,
    busy: bool,
}

impl Registry {
    /// Replaces the registry with the daemon's. Returns the runs that were active or waiting here, or are looked at,
    /// and are not there: ask for each, and [add](Self::add_history) or [remove](Self::remove) it.
    pub fn snapshot(&mut self, runs: Vec<Run>, queue: Queue) -> Vec<RunId> {
        let there: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
        let waiting = runs.iter().filter(|run| run.state == RunStatus::Queued).count();
        // An ended one is missed where a lens is on it: it may have been deleted, and the lens would stay on nothing.
        let told = |run: &Run| !run.state.is_ended() || self.is_looked_at(run.id);
        let missing = self.runs.values().filter(|run| !there.contains(&run.id) && told(run));
        // It tells of the first that wait only: the others are not missed, a list shows them again.
        let beyond = |run: &Run| run.state == RunStatus::Queued && queue.queued as usize > waiting;
        let (behind, missing): (Vec<&Run>, Vec<&Run>) =
            missing.partition(|run| beyond(run) && !self.is_looked_at(run.id));
        let ids = |runs: Vec<&Run>| runs.into_iter().map(|run| run.id).collect::<Vec<RunId>>();
        let (behind, missing) = (ids(behind), ids(missing));
        for run in behind {
            self.runs.remove(&run);
        }
        self.queue = queue;
        self.waiting.clear();
        let mut started = Vec::new();
        for run in runs {
            if self.is_old(&run) {
                continue;
            }
            if run.state == RunStatus::Queued {
                self.waiting.insert(run.id, None);
            }
            if self.starts(&run) {
                started.push((run.start_order, run.id));
            }
            self.put(run);
        }
        started.sort_unstable();
        for (_, run) in started {
            self.started(run);
        }
        missing
    }

    /// Applies an event of the registry; others change nothing.
    pub fn apply(&mut self, event: &DaemonEvent) {
        match event {
            DaemonEvent::RunUpdate { run } => self.update((**run).clone()),
            DaemonEvent::RunDelete { run_id, .. } => self.remove(*run_id),
            DaemonEvent::QueueUpdate { queue } => self.queue = *queue,
            DaemonEvent::BannerUpdate { .. }
            | DaemonEvent::OutputUpdate { .. }
            | DaemonEvent::AssetUpdate { .. }
            | DaemonEvent::AssetDelete { .. } => {}
        }
    }

    /// Adds runs from a list. They are history: the lens does not follow them, but takes one if it has none.
    pub fn add_history(&mut self, runs: impl IntoIterator<Item = Run>) {
        let mut workflows = HashSet::new();
        for run in runs {
            workflows.insert(run.workflow_id);
            if self.is_old(&run) {
                continue;
            }
            match self.runs.get(&run.id).map(|known| known.state.is_ended()) {
                Some(false) if run.state.is_ended() => self.update(run),
                // Its next step comes as an event, and moves the lens.
                Some(false) => {}
                Some(true) => self.put(run),
                None => {
                    if run.start_order.is_some() && !run.state.is_ended() {
                        self.untold.insert(run.id);
                    }
                    self.put(run);
                }
            }
        }
        workflows.retain(|workflow| self.lenses.get(workflow).is_none_or(|lens| lens.follows.is_none()));
        for workflow in workflows {
            let run = self.fallback(workflow);
            self.lens(workflow).follows = run;
        }
    }

    fn update(&mut self, run: Run) {
        if self.is_old(&run) {
            return;
        }
        let (id, workflow, state) = (run.id, run.workflow_id, run.state);
        let starts = self.starts(&run);
        let position = run.position;
        let never_started = state == RunStatus::Cancelled && run.start_order.is_none();
        let ends = state.is_ended() && self.runs.get(&id).is_none_or(|known| !known.state.is_ended());
        if state == RunStatus::Queued {
            self.waiting.insert(id, position);
        } else {
            self.waiting.remove(id);
        }
        self.put(run);
        if starts {
            self.started(id);
        }
        if never_started {
            self.gone(workflow, id);
        } else if ends {
            self.ended(workflow, id);
        }
    }

    /// Whether it says less than what is known already.
    fn is_old(&self, run: &Run) -> bool {
        self.deleted.contains(&run.id)
            || self.runs.get(&run.id).is_some_and(|known| run.state.is_behind(known.state))
    }

    fn put(&mut self, run: Run) {
        if run.state.is_under_way() {
            self.active.insert(run.id);
        } else {
            self.active.remove(&run.id);
        }
        self.runs.insert(run.id, run);
    }

    /// A run was deleted.
    pub fn remove(&mut self, run: RunId) {
        self.deleted.insert(run);
        self.active.remove(&run);
        self.untold.remove(&run);
        self.waiting.remove(run);
        if let Some(run) = self.runs.remove(&run) {
            self.gone(run.workflow_id, run.id);
        }
    }

    /// A run.
    #[must_use]
    pub fn run(&self, run: RunId) -> Option<&Run> {
        self.runs.get(&run)
    }

    /// All runs that are known, in no order.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values()
    }

    /// Runs that are under way, parked ones among them, in the order in which they were submitted.
    pub fn active(&self) -> impl Iterator<Item = &Run> {
        self.active.iter().filter_map(|run| self.runs.get(run))
    }

    /// Runs that wait, the next one first.
    pub fn queued(&self) -> impl Iterator<Item = &Run> {
        self.waiting.iter().filter_map(|run| self.runs.get(&run))
    }

    /// The place of a run that waits, from 1.
    #[must_use]
    pub fn position(&self, run: RunId) -> Option<u32> {
        self.waiting.position(run)
    }

    /// Returns the limit of its workflow, where that keeps a run waiting.
    #[must_use]
    pub fn held_back(&self, run: &Run) -> Option<u32> {
        let limit = run.concurrency.filter(|_| run.state == RunStatus::Queued)?;
        // A parked run holds no slot.
        let holds = |other: &&Run| other.state.is_active() && other.workflow_id == run.workflow_id;
        let running = self.active().filter(holds).count();
        (running >= limit as usize).then_some(limit)
    }

    /// The queue as a whole.
    #[must_use]
    pub fn queue(&self) -> Queue {
        self.queue
    }

    /// Whether a run was just seen to leave the queue.
    fn starts(&mut self, run: &Run) -> bool {
        let known = self.runs.get(&run.id).is_some_and(|known| known.start_order.is_some());
        run.start_order.is_some() && (self.untold.remove(&run.id) || !known)
    }
}
