//! The runs as a client has them, and which of them the lens is on.
//!
//! One lens per workflow. Without a pin it follows the newest start, where the runs of one submission count as one
//! start: it takes the first of them, and when that one ends while others of its submission are active, the earliest
//! started of these. An automatic move waits while the client is busy (a form, an inspector or a viewer is open).

mod lens;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};

use lens::Lens;

use crate::event::{DaemonEvent, Queue};
use crate::id::{RunId, WorkflowId};
use crate::run::{Run, RunStatus};
use crate::waiting::Waiting;

/// Runs by id, the order of those that wait, and the lenses.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    runs: HashMap<RunId, Run>,
    /// Those that are under way: few, and asked for with every frame.
    active: BTreeSet<RunId>,
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
        for run in runs {
            if self.is_old(&run) {
                continue;
            }
            if run.state == RunStatus::Queued {
                self.waiting.insert(run.id, None);
            }
            self.put(run);
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

    /// Adds runs from a list. One that goes on is told of by events, which are newer unless the list is a step ahead.
    pub fn add_history(&mut self, runs: impl IntoIterator<Item = Run>) {
        for run in runs {
            match self.runs.get(&run.id).map(|known| known.state) {
                Some(known) if known.is_behind(run.state) => self.update(run),
                Some(known) if !known.is_ended() => {}
                Some(_) | None if self.is_old(&run) => {}
                Some(_) | None => self.put(run),
            }
        }
    }

    fn update(&mut self, run: Run) {
        if self.is_old(&run) {
            return;
        }
        if run.state == RunStatus::Queued {
            self.waiting.insert(run.id, run.position);
        } else {
            self.waiting.remove(run.id);
        }
        self.put(run);
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
        let lens = self.lenses.entry(run.workflow_id).or_default();
        lens.note(self.runs.get(&run.id), &run);
        if run.state == RunStatus::Cancelled && run.start_order.is_none() {
            // It never started: there is nothing to look at.
            lens.forget(&run, self.busy);
        }
        self.runs.insert(run.id, run);
    }

    /// A run was deleted.
    pub fn remove(&mut self, run: RunId) {
        self.deleted.insert(run);
        self.active.remove(&run);
        self.waiting.remove(run);
        if let Some(run) = self.runs.remove(&run)
            && let Some(lens) = self.lenses.get_mut(&run.workflow_id)
        {
            lens.forget(&run, self.busy);
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

    /// The run whose telemetry is shown for a workflow.
    #[must_use]
    pub fn focus(&self, workflow: WorkflowId) -> Option<RunId> {
        self.lenses.get(&workflow)?.focus(self.busy)
    }

    /// The pinned run of a workflow.
    #[must_use]
    pub fn pinned(&self, workflow: WorkflowId) -> Option<RunId> {
        self.lenses.get(&workflow)?.pinned
    }

    /// Pins the lens of a run's workflow to it. Returns whether the run is known.
    pub fn pin(&mut self, run: RunId) -> bool {
        let Some(workflow) = self.runs.get(&run).map(|run| run.workflow_id) else { return false };
        self.lenses.entry(workflow).or_default().pinned = Some(run);
        true
    }

    /// Lets the lens of a workflow follow the newest start again.
    pub fn unpin(&mut self, workflow: WorkflowId) {
        if let Some(lens) = self.lenses.get_mut(&workflow) {
            lens.unpin();
        }
    }

    /// Whether something is open over the picture, so that the lens does not move by itself.
    pub fn set_busy(&mut self, busy: bool) {
        if busy && !self.busy {
            self.lenses.values_mut().for_each(Lens::hold);
        }
        self.busy = busy;
    }

    /// Whether a lens is on a run, or stays there.
    fn is_looked_at(&self, run: RunId) -> bool {
        self.lenses.values().any(|lens| lens.is_on(run))
    }

    /// Moves the lens to the next older run and pins it there. Returns where it is now, if it moved.
    pub fn older(&mut self, workflow: WorkflowId) -> Option<RunId> {
        let at = self.focused_number(workflow);
        let older = self.shown(workflow).filter(|run| at.is_none_or(|at| run.number < at));
        let run = older.max_by_key(|run| run.number).map(|run| run.id)?;
        self.pin(run).then_some(run)
    }

    /// Moves the lens to the next newer run and pins it there. Returns where it is now, if it moved.
    pub fn newer(&mut self, workflow: WorkflowId) -> Option<RunId> {
        let at = self.focused_number(workflow)?;
        let newer = self.shown(workflow).filter(|run| run.number > at);
        let run = newer.min_by_key(|run| run.number).map(|run| run.id)?;
        self.pin(run).then_some(run)
    }

    fn focused_number(&self, workflow: WorkflowId) -> Option<u32> {
        self.focus(workflow).and_then(|run| self.runs.get(&run)).map(|run| run.number)
    }

    /// Runs that the lens may be moved to: all but those that were cancelled before they started.
    fn shown(&self, workflow: WorkflowId) -> impl Iterator<Item = &Run> {
        let of = self.runs.values().filter(move |run| run.workflow_id == workflow);
        of.filter(|run| run.state != RunStatus::Cancelled || run.start_order.is_some())
    }
}
