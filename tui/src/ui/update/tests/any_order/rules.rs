//! The rules of focus as the design has them, in as few words as can be, over what the UI was told.

use std::collections::{BTreeMap, HashMap, HashSet};

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::run::{Run, RunStatus};

#[derive(Debug, Default)]
struct Lens {
    free: Option<RunId>,
    pin: Option<RunId>,
    frozen: Option<RunId>,
}

#[derive(Debug, Default)]
pub(super) struct Rules {
    runs: BTreeMap<RunId, Run>,
    /// Whose start was told.
    counted: HashSet<RunId>,
    deleted: HashSet<RunId>,
    lenses: HashMap<WorkflowId, Lens>,
    busy: bool,
}

impl Rules {
    pub(super) fn focus(&self, workflow: WorkflowId) -> Option<RunId> {
        let lens = self.lenses.get(&workflow)?;
        lens.pin.or(if self.busy { lens.frozen } else { lens.free })
    }

    /// An event told of a run.
    pub(super) fn told(&mut self, run: &Run) {
        let Some(before) = self.take(run) else { return };
        if run.start_order.is_some() && self.counted.insert(run.id) {
            self.started(run);
        }
        self.ended(run, before);
    }

    /// Everything that runs was told anew.
    pub(super) fn told_all(&mut self, runs: &[Run]) {
        let mut starts: Vec<&Run> = Vec::new();
        for run in runs {
            if self.take(run).is_some() && run.start_order.is_some() && self.counted.insert(run.id) {
                starts.push(run);
            }
        }
        starts.sort_by_key(|run| run.start_order);
        starts.into_iter().for_each(|run| self.started(run));
    }

    /// A list, or a snapshot, has runs in it: history, which moves no lens that has something to show.
    pub(super) fn listed(&mut self, runs: &[Run]) {
        for run in runs {
            match self.runs.get(&run.id).map(|known| known.state) {
                Some(state) if !state.is_ended() && !run.state.is_ended() => {}
                Some(state) if !state.is_ended() => self.told(run),
                _ => {
                    if self.take(run).is_some() && run.state.is_ended() {
                        self.counted.insert(run.id);
                    }
                }
            }
        }
        for run in runs {
            let fallback = self.fallback(run.workflow_id);
            let lens = self.lenses.entry(run.workflow_id).or_default();
            lens.free = lens.free.or(fallback);
        }
    }

    pub(super) fn deleted(&mut self, run: RunId) {
        self.deleted.insert(run);
        if let Some(run) = self.runs.remove(&run) {
            self.gone(&run);
        }
    }

    pub(super) fn pin(&mut self, run: RunId) {
        if let Some(workflow) = self.runs.get(&run).map(|run| run.workflow_id) {
            self.lenses.entry(workflow).or_default().pin = Some(run);
        }
    }

    pub(super) fn unpin(&mut self, workflow: WorkflowId) {
        let lens = self.lenses.entry(workflow).or_default();
        (lens.pin, lens.frozen) = (None, lens.free);
    }

    pub(super) fn is_pinned(&self, workflow: WorkflowId) -> bool {
        self.lenses.get(&workflow).is_some_and(|lens| lens.pin.is_some())
    }

    /// `[` and `]`.
    pub(super) fn beside(&mut self, workflow: WorkflowId, older: bool) {
        let at = self.focus(workflow).and_then(|run| self.runs.get(&run)).map(|run| run.number);
        let mut numbers: Vec<(u32, RunId)> = self
            .runs
            .values()
            .filter(|run| run.workflow_id == workflow)
            .filter(|run| !(run.state == RunStatus::Cancelled && run.start_order.is_none()))
            .map(|run| (run.number, run.id))
            .collect();
        numbers.sort_unstable();
        let to = match (older, at) {
            (true, at) => numbers.iter().rev().find(|(number, _)| at.is_none_or(|at| *number < at)),
            (false, Some(at)) => numbers.iter().find(|(number, _)| *number > at),
            (false, None) => None,
        };
        if let Some((_, run)) = to {
            self.pin(*run);
        }
    }

    pub(super) fn set_busy(&mut self, busy: bool) {
        if busy && !self.busy {
            self.lenses.values_mut().for_each(|lens| lens.frozen = lens.free);
        }
        self.busy = busy;
    }

    /// Takes a run in, unless it is older news; answers the state before.
    fn take(&mut self, run: &Run) -> Option<Option<RunStatus>> {
        let before = self.runs.get(&run.id).map(|known| known.state);
        let order = [RunStatus::Queued, RunStatus::Running, RunStatus::Cancelling];
        let step = |state: RunStatus| order.iter().position(|it| *it == state).unwrap_or(order.len());
        if self.deleted.contains(&run.id) || before.is_some_and(|before| step(run.state) < step(before)) {
            return None;
        }
        self.runs.insert(run.id, run.clone());
        Some(before)
    }

    fn started(&mut self, run: &Run) {
        let lens = self.lenses.entry(run.workflow_id).or_default();
        let now = lens.free.and_then(|now| self.runs.get(&now));
        let first = !self.runs.values().any(|it| {
            it.submission == run.submission && it.start_order < run.start_order && it.start_order.is_some()
        });
        let moves = match now {
            None => true,
            // The runs of one submission are one start: it is left for the next only when it has ended.
            Some(now) if now.submission == run.submission => now.state.is_ended(),
            Some(_) => first,
        };
        let same = now.is_some_and(|now| now.submission == run.submission);
        if moves {
            let to = if same { self.sibling(run) } else { Some(run.id) };
            let lens = self.lenses.entry(run.workflow_id).or_default();
            lens.free = to.or(lens.free);
        }
    }

    fn ended(&mut self, run: &Run, before: Option<RunStatus>) {
        if !run.state.is_ended() {
            return;
        }
        if run.start_order.is_none() {
            return self.gone(run);
        }
        let was = before.is_some_and(RunStatus::is_ended);
        if !was && self.lenses.get(&run.workflow_id).is_some_and(|lens| lens.free == Some(run.id)) {
            let next = self.sibling(run);
            self.lenses.entry(run.workflow_id).or_default().free = next.or(Some(run.id));
        }
    }

    /// The earliest started run of the same submission that is active.
    fn sibling(&self, run: &Run) -> Option<RunId> {
        let of = self.runs.values().filter(|it| it.submission == run.submission && it.state.is_active());
        of.min_by_key(|it| it.start_order).map(|it| it.id)
    }

    /// Deleted, or cancelled before it started.
    fn gone(&mut self, run: &Run) {
        let focused = self.focus(run.workflow_id) == Some(run.id);
        let fallback = self.fallback(run.workflow_id);
        let busy = self.busy;
        let lens = self.lenses.entry(run.workflow_id).or_default();
        let was = |it: Option<RunId>| it == Some(run.id);
        if was(lens.pin) {
            lens.pin = None;
        }
        if was(lens.free) || focused {
            lens.free = fallback;
        }
        if was(lens.frozen) || (focused && busy) {
            lens.frozen = lens.free;
        }
    }

    fn fallback(&self, workflow: WorkflowId) -> Option<RunId> {
        let of = self.runs.values().filter(|run| run.workflow_id == workflow && run.start_order.is_some());
        of.max_by_key(|run| (run.state.is_active(), run.start_order)).map(|run| run.id)
    }
}
