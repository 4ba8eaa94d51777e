//! The queue: the waiting runs, their order, and the limits on running ones.

use std::collections::HashMap;

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::waiting::Waiting;

/// `concurrency:` of a workflow's file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limit {
    /// The workflow.
    pub(crate) workflow: WorkflowId,
    /// The most of its runs that may run at once.
    pub(crate) runs: u32,
}

/// The waiting runs, first in, first out, with a cap on running ones. A run whose workflow is at its own limit is
/// passed over and keeps its place.
#[derive(Debug)]
pub(crate) struct RunQueue {
    waiting: Waiting,
    /// The same runs, in the same order: those without a limit, and those with one by workflow.
    groups: HashMap<Option<WorkflowId>, Waiting>,
    /// The limits of the runs that have one.
    limits: HashMap<RunId, Limit>,
    /// The number of running runs per workflow.
    running: HashMap<WorkflowId, u32>,
    /// The most runs that may run at once.
    pub(crate) cap: u32,
    /// Whether waiting runs stay where they are.
    pub(crate) paused: bool,
}

impl RunQueue {
    pub(crate) fn new(cap: u32, paused: bool) -> Self {
        Self {
            waiting: Waiting::default(),
            groups: HashMap::new(),
            limits: HashMap::new(),
            running: HashMap::new(),
            cap: cap.max(1),
            paused,
        }
    }

    /// Adds the runs of one submission after all others, or with `next` before them; they keep their order.
    pub(crate) fn add(&mut self, runs: &[RunId], next: bool, limit: Option<Limit>) {
        if next {
            // Start with the last one, so that each is inserted at the head, which moves nothing.
            runs.iter().rev().for_each(|run| self.insert(*run, Some(1), limit));
        } else {
            runs.iter().for_each(|run| self.insert(*run, None, limit));
        }
    }

    fn insert(&mut self, run: RunId, position: Option<u32>, limit: Option<Limit>) {
        self.waiting.insert(run, position);
        self.groups.entry(limit.map(|it| it.workflow)).or_default().insert(run, position);
        if let Some(limit) = limit {
            self.limits.insert(run, limit);
        }
    }

    /// Records that a run of this workflow has a slot.
    pub(crate) fn started(&mut self, workflow: WorkflowId) {
        *self.running.entry(workflow).or_default() += 1;
    }

    /// Records that a run of this workflow has returned its slot.
    pub(crate) fn ended(&mut self, workflow: WorkflowId) {
        if let Some(running) = self.running.get_mut(&workflow) {
            *running = running.saturating_sub(1);
            if *running == 0 {
                self.running.remove(&workflow);
            }
        }
    }

    /// Returns whether a workflow has as many runs as it may have.
    pub(crate) fn is_at(&self, limit: Limit) -> bool {
        self.running.get(&limit.workflow).copied().unwrap_or_default() >= limit.runs
    }

    /// Returns the first run whose workflow is below its limit.
    fn first(&self) -> Option<RunId> {
        let heads = self.groups.values().filter_map(|group| group.at(1));
        let may_start = |run: &RunId| self.limits.get(run).is_none_or(|limit| !self.is_at(*limit));
        heads.filter(may_start).min_by_key(|run| self.waiting.position(*run))
    }

    /// Returns whether a waiting run may start while `running` runs are running.
    pub(crate) fn may_start(&self, running: usize) -> bool {
        !self.paused && running < self.cap as usize && self.first().is_some()
    }

    /// Takes the next run, if one may start while `running` runs are running.
    pub(crate) fn take(&mut self, running: usize) -> Option<RunId> {
        if self.paused || running >= self.cap as usize {
            return None;
        }
        let next = self.first()?;
        self.remove(next);
        Some(next)
    }

    /// Removes a run from the queue; returns `false` if it isn't there.
    pub(crate) fn remove(&mut self, run: RunId) -> bool {
        let group = self.limits.remove(&run).map(|limit| limit.workflow);
        if let Some(waiting) = self.groups.get_mut(&group) {
            waiting.remove(run);
            if waiting.is_empty() {
                self.groups.remove(&group);
            }
        }
        self.waiting.remove(run).is_some()
    }

    /// Removes all runs.
    pub(crate) fn clear(&mut self) -> Vec<RunId> {
        let all = self.waiting.iter().collect();
        self.waiting.clear();
        self.groups.clear();
        self.limits.clear();
        all
    }

    /// Returns the position of a waiting run, from 1.
    pub(crate) fn position(&self, run: RunId) -> Option<u32> {
        self.waiting.position(run)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests;
