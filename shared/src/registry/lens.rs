//! The lens: its run, its pin, and what moves it.

use super::Registry;
use crate::id::{RunId, SubmissionId, WorkflowId};
use crate::run::{Run, RunStatus};

/// The lens of one workflow.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Lens {
    /// Where it would be without a pin and without anything open.
    pub(super) follows: Option<RunId>,
    /// Where a person put it.
    pinned: Option<RunId>,
    /// Where it stood when the client became busy.
    held: Option<RunId>,
}

impl Registry {
    pub(super) fn lens(&mut self, workflow: WorkflowId) -> &mut Lens {
        self.lenses.entry(workflow).or_default()
    }

    /// The run whose telemetry is shown for a workflow.
    #[must_use]
    pub fn focus(&self, workflow: WorkflowId) -> Option<RunId> {
        let lens = self.lenses.get(&workflow)?;
        lens.pinned.or(if self.busy { lens.held } else { lens.follows })
    }

    /// The pinned run of a workflow.
    #[must_use]
    pub fn pinned(&self, workflow: WorkflowId) -> Option<RunId> {
        self.lenses.get(&workflow)?.pinned
    }

    /// Pins the lens of a run's workflow to it. Returns whether the run is known.
    pub fn pin(&mut self, run: RunId) -> bool {
        let Some(workflow) = self.runs.get(&run).map(|run| run.workflow_id) else { return false };
        self.lens(workflow).pinned = Some(run);
        true
    }

    /// Lets the lens of a workflow follow the newest start again.
    pub fn unpin(&mut self, workflow: WorkflowId) {
        let lens = self.lens(workflow);
        lens.pinned = None;
        // Unpinning is a person's wish: it moves the lens even while something is open.
        lens.held = lens.follows;
    }

    /// Whether a lens is on a run, or stays there.
    pub(super) fn is_looked_at(&self, run: RunId) -> bool {
        let at = Some(run);
        self.lenses.values().any(|lens| lens.pinned == at || lens.follows == at || lens.held == at)
    }

    /// Whether something is open over the picture, so that the lens does not move by itself.
    pub fn set_busy(&mut self, busy: bool) {
        if busy && !self.busy {
            for lens in self.lenses.values_mut() {
                lens.held = lens.follows;
            }
        }
        self.busy = busy;
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
        self.of(workflow).filter(|run| run.state != RunStatus::Cancelled || run.start_order.is_some())
    }

    fn of(&self, workflow: WorkflowId) -> impl Iterator<Item = &Run> {
        self.runs.values().filter(move |run| run.workflow_id == workflow)
    }

    /// The earliest started run of a submission that is still active.
    fn first_active(&self, workflow: WorkflowId, submission: SubmissionId) -> Option<RunId> {
        let active = self.active().filter(|run| run.workflow_id == workflow && run.submission == submission);
        active.min_by_key(|run| run.start_order).map(|run| run.id)
    }

    /// A run left the queue.
    pub(super) fn started(&mut self, id: RunId) {
        let Some(run) = self.runs.get(&id) else { return };
        let (workflow, submission, order) = (run.workflow_id, run.submission, run.start_order);
        let follows = self.lenses.get(&workflow).and_then(|lens| lens.follows);
        let to = match follows.and_then(|follows| self.runs.get(&follows)) {
            None => Some(id),
            Some(now) if now.submission == submission => {
                if now.state.is_ended() {
                    self.first_active(workflow, submission)
                } else {
                    None
                }
            }
            // A later run of a submission that had its start before does not count.
            Some(_) => {
                let first = !self.of(workflow).any(|run| {
                    run.submission == submission && run.start_order.is_some_and(|it| Some(it) < order)
                });
                first.then_some(id)
            }
        };
        if to.is_some() {
            self.lens(workflow).follows = to;
        }
    }

    /// A run that had started ended.
    pub(super) fn ended(&mut self, workflow: WorkflowId, id: RunId) {
        if self.lenses.get(&workflow).and_then(|lens| lens.follows) != Some(id) {
            return;
        }
        let Some(submission) = self.runs.get(&id).map(|run| run.submission) else { return };
        if let Some(next) = self.first_active(workflow, submission) {
            self.lens(workflow).follows = Some(next);
        }
    }

    /// A run was deleted, or cancelled before it started: there is nothing to look at any more.
    pub(super) fn gone(&mut self, workflow: WorkflowId, id: RunId) {
        let focused = self.focus(workflow) == Some(id);
        let Some(lens) = self.lenses.get(&workflow).copied() else { return };
        let fallback = self.fallback(workflow);
        let busy = self.busy;
        let now = self.lens(workflow);
        if lens.pinned == Some(id) {
            now.pinned = None;
        }
        if lens.follows == Some(id) || focused {
            now.follows = fallback;
        }
        if lens.held == Some(id) || (focused && busy) {
            now.held = now.follows;
        }
    }

    /// The newest active run, else the newest done, else none.
    pub(super) fn fallback(&self, workflow: WorkflowId) -> Option<RunId> {
        let newest = |active: bool| {
            self.of(workflow)
                .filter(|run| if active { run.state.is_under_way() } else { run.state.is_ended() })
                .filter(|run| run.start_order.is_some())
                .max_by_key(|run| (run.start_order, run.number))
                .map(|run| run.id)
        };
        newest(true).or_else(|| newest(false))
    }
}
