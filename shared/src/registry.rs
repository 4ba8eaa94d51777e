//! The registry of runs as a client has it, and which run the lens is on.
//!
//! One lens per workflow. Without a pin it follows the newest start, where the runs of one submission count as one
//! start: it takes the first of them, and when that one ends while others of its submission are active, the earliest
//! started of these. An automatic move waits while the client is busy (a form, an inspector or a viewer is open).

mod lens;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::{HashMap, HashSet};

use lens::Lens;
pub use waiting::Waiting;

use crate::event::{DaemonEvent, Queue};
use crate::id::{RunId, WorkflowId};
use crate::run::{Run, RunStatus};

/// Runs by id, the order of those that wait, and the lenses.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    runs: HashMap<RunId, Run>,
    waiting: Waiting,
    queue: Queue,
    lenses: HashMap<WorkflowId, Lens>,
    busy: bool,
}

impl Registry {
    /// Takes in the registry as the daemon has it. Answers the runs that were active or waiting here and are not there:
    /// ask for each, and [`know`](Self::know) or [`remove`](Self::remove) it.
    pub fn snapshot(&mut self, runs: Vec<Run>, queue: Queue) -> Vec<RunId> {
        let there: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
        let missing = self.runs.values().filter(|run| !run.state.is_ended() && !there.contains(&run.id));
        let missing = missing.map(|run| run.id).collect();
        self.queue = queue;
        self.waiting.clear();
        let mut started = Vec::new();
        for run in runs {
            if run.state == RunStatus::Queued {
                self.waiting.insert(run.id, None);
            }
            if self.starts(&run) {
                started.push((run.start_order, run.id));
            }
            self.runs.insert(run.id, run);
        }
        started.sort_unstable();
        for (_, run) in started {
            self.started(run);
        }
        missing
    }

    /// Takes in an event of the registry; others change nothing.
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

    /// Takes in runs from a list. They are history: the lens does not follow them, but takes one if it has none.
    pub fn know(&mut self, runs: impl IntoIterator<Item = Run>) {
        for run in runs {
            match self.runs.get(&run.id).map(|known| known.state.is_ended()) {
                Some(false) if run.state.is_ended() => self.update(run),
                Some(false) => {}
                Some(true) | None => {
                    self.runs.insert(run.id, run);
                }
            }
        }
        let without: HashSet<WorkflowId> = self
            .runs
            .values()
            .map(|run| run.workflow_id)
            .filter(|workflow| self.lenses.get(workflow).is_none_or(|lens| lens.follows.is_none()))
            .collect();
        for workflow in without {
            let run = self.fallback(workflow);
            self.lens(workflow).follows = run;
        }
    }

    fn update(&mut self, run: Run) {
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
        self.runs.insert(id, run);
        if starts {
            self.started(id);
        }
        if never_started {
            self.gone(workflow, id);
        } else if ends {
            self.ended(workflow, id);
        }
    }

    /// A run was deleted.
    pub fn remove(&mut self, run: RunId) {
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

    /// Runs that wait, the next one first.
    pub fn queued(&self) -> impl Iterator<Item = &Run> {
        self.waiting.iter().filter_map(|run| self.runs.get(&run))
    }

    /// The place of a run that waits, from 1.
    #[must_use]
    pub fn position(&self, run: RunId) -> Option<u32> {
        self.waiting.position(run)
    }

    /// The queue as a whole.
    #[must_use]
    pub fn queue(&self) -> Queue {
        self.queue
    }

    /// Whether a run was just seen to leave the queue.
    fn starts(&self, run: &Run) -> bool {
        run.start_order.is_some() && self.runs.get(&run.id).is_none_or(|known| known.start_order.is_none())
    }
}
