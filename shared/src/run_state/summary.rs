//! How a run stands: what its state events say of it as a whole.

use crate::event::{RunUpdate, StateEvent};
use crate::run::{NodeStatus, Run, RunStatus};
use crate::time::Time;

/// How a run stands: the fold of its state events, as far as lists show it. What an event changes of this is said here
/// alone: for the rows of lists, for the rows of the store, and for [`super::RunState`], which has more.
#[derive(Clone, PartialEq, Debug)]
pub struct Summary {
    /// Its state.
    pub status: RunStatus,
    /// When it left the queue.
    pub started_at: Option<Time>,
    /// Its place among all starts.
    pub start_order: Option<u64>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it failed.
    pub error: Option<String>,
    /// Nodes that ended, without those that were cancelled.
    pub nodes_done: u32,
}

impl Default for Summary {
    /// Of a run that was just submitted.
    fn default() -> Self {
        Self {
            status: RunStatus::Queued,
            started_at: None,
            start_order: None,
            ended_at: None,
            error: None,
            nodes_done: 0,
        }
    }
}

impl Summary {
    /// Folds in the next state event. Returns whether that changed something.
    pub fn fold(&mut self, event: &StateEvent) -> bool {
        match event {
            StateEvent::RunUpdate(update) => self.fold_run(update),
            // The state in which a node ends is its last one, so that each is counted once.
            StateEvent::NodeUpdate(update) if update.item.is_whole() && counts(update.status) => {
                self.nodes_done += 1;
                true
            }
            StateEvent::NodeUpdate(_) => false,
        }
    }

    /// Folds in a change of the run. Returns whether that changed something: a run that has ended changes no more.
    pub(super) fn fold_run(&mut self, update: &RunUpdate) -> bool {
        if self.status.is_ended() {
            return false;
        }
        self.status = update.status;
        if update.status == RunStatus::Running {
            self.started_at = self.started_at.or(Some(update.at));
            self.start_order = self.start_order.or(update.start_order);
        }
        if update.status.is_ended() {
            self.ended_at = Some(update.at);
            self.error.clone_from(&update.error);
        }
        true
    }
}

/// Whether a node in this state is done.
pub(super) fn counts(status: NodeStatus) -> bool {
    status.is_ended() && status != NodeStatus::Cancelled
}

impl Run {
    /// How it stands.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            status: self.state,
            started_at: self.started_at,
            start_order: self.start_order,
            ended_at: self.ended_at,
            error: self.error.clone(),
            nodes_done: self.nodes_done,
        }
    }

    /// Sets how it stands. One that does not wait has no place in the queue, and one that has ended asks nothing.
    pub fn set_summary(&mut self, summary: Summary) {
        let Summary { status, started_at, start_order, ended_at, error, nodes_done } = summary;
        self.state = status;
        self.started_at = started_at;
        self.start_order = start_order;
        self.ended_at = ended_at;
        self.error = error;
        self.nodes_done = nodes_done;
        self.position.take_if(|_| status != RunStatus::Queued);
        self.asks.take_if(|_| status.is_ended());
    }

    /// Folds in its next state event. Returns whether that changed something.
    pub fn fold(&mut self, event: &StateEvent) -> bool {
        let error = self.error.take();
        let mut summary = Summary { error, ..self.summary() };
        let changed = summary.fold(event);
        self.set_summary(summary);
        changed
    }
}
