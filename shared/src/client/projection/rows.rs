//! Runs as lists show them, and the order of the waiting ones.

use std::collections::HashSet;

use super::lens::Lens;
use super::{Change, Projection};
use crate::event::Queue;
use crate::id::{RunId, WorkflowId};
use crate::run::{Run, RunStatus};
use crate::sweep::Pause;

impl Projection {
    /// Takes over a snapshot of the registry: all active runs, and the first waiting ones.
    pub(super) fn replace(&mut self, runs: Vec<Run>, queue: Queue) -> Vec<Change> {
        let there: HashSet<RunId> = runs.iter().map(|run| run.id).collect();
        let waiting = runs.iter().filter(|run| run.state == RunStatus::Queued).count();
        let (mut missing, mut beyond) = (HashSet::new(), Vec::new());
        for run in self.runs.values().filter(|run| !there.contains(&run.id)) {
            // An ended run counts as missing if it is in focus: it may have been deleted.
            let in_focus = self.followed.is_none() && self.is_in_a_lens(run.id);
            // A snapshot has only the first waiting runs: the others are not missing, a list shows them again.
            let is_left_out = run.state == RunStatus::Queued && queue.queued as usize > waiting;
            if in_focus || !run.state.is_ended() && !is_left_out {
                missing.insert(run.id);
            } else if is_left_out && self.followed.is_none() {
                beyond.push(run.id);
            }
        }
        for run in beyond {
            self.runs.remove(&run);
        }
        self.queue = queue;
        self.waiting.clear();
        let mut changes: Vec<Change> = Vec::new();
        for run in runs {
            self.adopt(&run);
            if run.state == RunStatus::Queued && self.follows(run.id) && !self.is_old(&run) {
                self.waiting.insert(run.id, None);
            }
            changes.extend(self.take(run));
        }
        let ended = self.runs.values().filter(|run| run.state.is_ended()).map(|run| run.id);
        self.unconfirmed = ended.filter(|run| !missing.contains(run)).collect();
        self.missing = missing;
        changes
    }

    /// Takes over a run from an event.
    pub(super) fn update(&mut self, run: Run) -> Option<Change> {
        let id = run.id;
        self.adopt(&run);
        if !self.follows(id) {
            return None;
        }
        if self.is_old(&run) {
            return self.updated(id);
        }
        if run.state == RunStatus::Queued && self.pause(&run).is_none() {
            self.waiting.insert(id, run.position);
        } else {
            self.waiting.remove(id);
        }
        self.take(run)
    }

    /// Adds runs from a response. Events are newer than it, unless its state of an active run is ahead.
    pub fn add(&mut self, runs: impl IntoIterator<Item = Run>) {
        for run in runs {
            self.adopt(&run);
            self.add_one(run);
        }
    }

    pub(super) fn add_one(&mut self, run: Run) -> Option<Change> {
        match self.runs.get(&run.id).map(|known| known.state) {
            Some(known) if known.is_behind(run.state) => self.update(run),
            Some(known) if !known.is_ended() => {
                self.found(run.id);
                self.updated(run.id)
            }
            Some(_) | None => self.take(run),
        }
    }

    /// Takes over a row, unless the known one is newer.
    fn take(&mut self, run: Run) -> Option<Change> {
        let id = run.id;
        if !self.follows(id) || self.is_old(&run) {
            return None;
        }
        let before = self.runs.get(&id).map(|known| known.state);
        self.found(id);
        self.set(run);
        self.change(id, before)
    }

    /// Returns the change of a run that was in this state before.
    pub(super) fn change(&self, id: RunId, before: Option<RunStatus>) -> Option<Change> {
        let now = self.runs.get(&id)?.state;
        Some(if before == Some(now) { Change::Updated(id) } else { Change::Moved(id) })
    }

    /// Returns whether the row is older than the known one.
    fn is_old(&self, run: &Run) -> bool {
        self.deleted.contains(&run.id)
            || self.runs.get(&run.id).is_some_and(|known| run.state.is_behind(known.state))
    }

    pub(super) fn set(&mut self, run: Run) {
        if run.state.is_under_way() {
            self.active.insert(run.id);
        } else {
            self.active.remove(&run.id);
        }
        let lens = self.lenses.entry(run.workflow_id).or_default();
        lens.note(self.runs.get(&run.id), &run);
        if run.state == RunStatus::Cancelled && run.start_order.is_none() {
            // It never started, so there is nothing to show.
            lens.forget(&run, self.busy);
        }
        self.runs.insert(run.id, run);
    }

    /// Removes a deleted run and returns it.
    pub fn remove(&mut self, run: RunId) -> Option<Run> {
        if !self.follows(run) {
            return None;
        }
        self.deleted.insert(run);
        self.active.remove(&run);
        self.found(run);
        self.waiting.remove(run);
        if let Some(followed) = &mut self.followed {
            followed.shift_remove(&run);
        }
        let run = self.runs.remove(&run)?;
        if let Some(lens) = self.lenses.get_mut(&run.workflow_id) {
            lens.forget(&run, self.busy);
        }
        if let Some(telemetry) = self.telemetry.get_mut(&run.id) {
            telemetry.run_was_deleted(&run);
        }
        Some(run)
    }

    /// Returns a run.
    #[must_use]
    pub fn run(&self, run: RunId) -> Option<&Run> {
        self.runs.get(&run)
    }

    /// Returns all runs that are known, in no order.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.runs.values()
    }

    /// Returns the runs that have started and not ended, including parked ones, in the order of their submission.
    pub fn active(&self) -> impl Iterator<Item = &Run> {
        self.active.iter().filter_map(|run| self.runs.get(run))
    }

    /// Returns the waiting runs, the next one first.
    pub fn queued(&self) -> impl Iterator<Item = &Run> {
        self.waiting.iter().filter_map(|run| self.runs.get(&run))
    }

    /// Returns the place of a waiting run, counted from 1.
    #[must_use]
    pub fn position(&self, run: RunId) -> Option<u32> {
        self.waiting.position(run)
    }

    /// Pauses a sweep or lets it continue. The waiting runs of a paused one lose their places; the places of those that
    /// continue follow.
    pub(super) fn set_paused(&mut self, sweep: &str, paused: Option<Pause>) -> Vec<Change> {
        match paused {
            Some(why) => self.paused.insert(sweep.to_owned(), why),
            None => self.paused.shift_remove(sweep),
        };
        let waiting = self
            .runs
            .values()
            .filter(|run| run.state == RunStatus::Queued && run.sweep.as_deref() == Some(sweep));
        let runs: Vec<RunId> = waiting.map(|run| run.id).collect();
        if paused.is_some() {
            for run in &runs {
                self.waiting.remove(*run);
            }
        }
        runs.into_iter().map(Change::Updated).collect()
    }

    /// Returns why the sweep of a run is paused, if it is.
    #[must_use]
    pub fn pause(&self, run: &Run) -> Option<Pause> {
        self.pause_of(run.sweep.as_ref()?)
    }

    /// Returns why a sweep is paused, if it is.
    #[must_use]
    pub fn pause_of(&self, sweep: &str) -> Option<Pause> {
        self.paused.get(sweep).copied()
    }

    /// Returns the limit of its workflow, where that keeps a run waiting.
    #[must_use]
    pub fn held_back(&self, run: &Run) -> Option<u32> {
        let limit = run.concurrency.filter(|_| run.state == RunStatus::Queued)?;
        // A parked run holds no slot, and a child none of its own.
        let holds = |other: &&Run| {
            other.state.is_active() && other.workflow_id == run.workflow_id && other.parent.is_none()
        };
        let running = self.active().filter(holds).count();
        (running >= limit as usize).then_some(limit)
    }

    /// Returns the state of the queue.
    #[must_use]
    pub fn queue(&self) -> Queue {
        self.queue
    }

    fn found(&mut self, run: RunId) {
        self.missing.remove(&run);
        self.unconfirmed.remove(&run);
    }

    /// Returns the runs that the last snapshot of the registry lacks, although they are active or in focus here.
    /// Request each, until it is [added](Self::add) or [removed](Self::remove).
    pub fn missing(&self) -> impl ExactSizeIterator<Item = RunId> {
        self.missing.iter().copied()
    }

    /// Returns the ended runs that it lacks: they may have been deleted meanwhile.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &Run> {
        self.unconfirmed.iter().filter_map(|run| self.runs.get(run))
    }

    /// Marks a run as requested. Returns whether it was unconfirmed until now.
    pub fn confirm(&mut self, run: RunId) -> bool {
        self.unconfirmed.remove(&run)
    }
}

/// The lens of each workflow.
impl Projection {
    /// Returns the run in focus, whose telemetry is shown.
    #[must_use]
    pub fn focus(&self, workflow: WorkflowId) -> Option<RunId> {
        self.lenses.get(&workflow)?.focus(self.busy)
    }

    /// Returns the pinned run of a workflow.
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

    /// Removes the pin of a workflow, so that its lens follows the newest start again.
    pub fn unpin(&mut self, workflow: WorkflowId) {
        if let Some(lens) = self.lenses.get_mut(&workflow) {
            lens.unpin();
        }
    }

    /// Sets whether something is open, so that the lens does not move by itself.
    pub fn set_busy(&mut self, busy: bool) {
        if busy && !self.busy {
            self.lenses.values_mut().for_each(Lens::hold);
        }
        self.busy = busy;
    }

    /// Returns whether a run is in focus of a lens, or would be.
    fn is_in_a_lens(&self, run: RunId) -> bool {
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

    /// Returns the runs to which the lens may be moved: all except those that were cancelled before they started.
    fn shown(&self, workflow: WorkflowId) -> impl Iterator<Item = &Run> {
        let of = self.runs.values().filter(move |run| run.workflow_id == workflow);
        of.filter(|run| run.state != RunStatus::Cancelled || run.start_order.is_some())
    }
}
