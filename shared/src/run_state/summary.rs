//! The summary of a run: the part of its state that lists show.

use crate::event::{RunUpdate, StateEvent};
use crate::run::{NodeStatus, Run, RunStatus};
use crate::spent::Spent;
use crate::time::Time;

/// The part of a run's state that lists show: the fold of its state events. Only this type knows how events change it: it is
/// used for the rows of lists, for the rows of the store, and within [`super::RunState`].
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
    /// The cost and the tokens of its attempts that have ended.
    pub spent: Spent,
}

impl Default for Summary {
    /// Returns the summary of a run that was just submitted.
    fn default() -> Self {
        Self {
            status: RunStatus::Queued,
            started_at: None,
            start_order: None,
            ended_at: None,
            error: None,
            nodes_done: 0,
            spent: Spent::default(),
        }
    }
}

impl Summary {
    /// Folds in the next state event. Returns whether that changed something.
    pub fn fold(&mut self, event: &StateEvent) -> bool {
        match event {
            StateEvent::RunUpdate(update) => self.fold_run(update),
            StateEvent::NodeUpdate(update) => {
                // The state in which a node ends is its last one, so that each is counted once.
                let done = update.item.is_whole() && counts(update.status);
                self.nodes_done += u32::from(done);
                let before = self.spent;
                self.spent.add(&update.spent());
                done || self.spent != before
            }
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
        }
        // A run that the daemon cancels says why at once.
        if update.status.is_ended() || update.error.is_some() {
            self.error.clone_from(&update.error);
        }
        true
    }
}

/// Returns whether a node in this state is done.
pub(super) fn counts(status: NodeStatus) -> bool {
    status.is_ended() && status != NodeStatus::Cancelled
}

impl Run {
    /// Returns its summary.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            status: self.state,
            started_at: self.started_at,
            start_order: self.start_order,
            ended_at: self.ended_at,
            error: self.error.clone(),
            nodes_done: self.nodes_done,
            spent: self.spent,
        }
    }

    /// Sets its summary. A run that does not wait has no place in the queue, and an ended run asks nothing and waits for nothing.
    pub fn set_summary(&mut self, summary: Summary) {
        let Summary { status, started_at, start_order, ended_at, error, nodes_done, spent } = summary;
        self.state = status;
        self.started_at = started_at;
        self.start_order = start_order;
        self.ended_at = ended_at;
        self.error = error;
        self.nodes_done = nodes_done;
        self.spent = spent;
        self.position.take_if(|_| status != RunStatus::Queued);
        self.asks.take_if(|_| status.is_ended());
        self.waits_for.take_if(|_| status.is_ended());
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{NodeUpdate, Numbered};
    use crate::item::ItemPath;
    use crate::run::AttemptEnd;
    use crate::run_state::RunState;

    const NODES: [&str; 3] = ["a", "b", "c"];

    /// Which node or item of one goes to the which of the states that may follow, or the run does.
    fn steps() -> impl Strategy<Value = Vec<(Option<(usize, ItemPath)>, prop::sample::Index)>> {
        let item = prop::option::weighted(0.3, 0..2_u32).prop_map(ItemPath);
        let of = prop::option::weighted(0.8, (0..NODES.len(), item));
        prop::collection::vec((of, any::<prop::sample::Index>()), 0..60)
    }

    fn next<S: crate::transition::State>(now: S, nth: &prop::sample::Index) -> Option<S> {
        (!now.next().is_empty()).then(|| now.next()[nth.index(now.next().len())])
    }

    proptest! {
        #[test]
        fn the_summary_is_the_same_in_the_state(steps in steps()) {
            let mut state = RunState::new(NODES);
            let mut summary = Summary::default();
            for (at, (of, nth)) in (1_i64..).zip(steps) {
                let at = Time(at);
                let event = match of {
                    None => next(state.status, &nth).map(|status| {
                        let start_order = (status == RunStatus::Running).then_some(at.0 as u64);
                        let error = (status == RunStatus::Failed).then(|| "no luck".to_owned());
                        StateEvent::RunUpdate(RunUpdate { start_order, error, ..RunUpdate::new(status, at) })
                    }),
                    // Nodes change while the run has a slot only.
                    Some((node, item)) if state.status.is_active() => {
                        let now = state.instance(NODES[node], item).map(|it| it.status).unwrap_or_default();
                        let status = next(now, &nth).filter(|status| *status != NodeStatus::Ready);
                        status.map(|it| {
                            let ended = it.is_ended().then_some(AttemptEnd::Completed);
                            let cost_usd = nth.index(2).checked_sub(1).map(|_| 0.25);
                            let update = NodeUpdate::new(NODES[node], item, it, at);
                            StateEvent::NodeUpdate(NodeUpdate { ended, cost_usd, ..update })
                        })
                    }
                    Some(_) => None,
                };
                let Some(event) = event else { continue };
                let before = summary.clone();
                prop_assert_eq!(summary.fold(&event), summary != before);
                state.fold(&Numbered { seq: state.seq + 1, event });
                prop_assert_eq!(&summary, &state.summary());
            }
        }
    }

    #[test]
    fn an_ended_run_does_not_change() {
        let mut summary = Summary::default();
        let mut fold = |status, at| summary.fold(&StateEvent::RunUpdate(RunUpdate::new(status, Time(at))));
        assert!(fold(RunStatus::Running, 1) && fold(RunStatus::Parked, 2) && fold(RunStatus::Running, 3));
        assert!(fold(RunStatus::Completed, 4) && !fold(RunStatus::Failed, 5));
        let times = (summary.started_at, summary.ended_at);
        assert_eq!((summary.status, times), (RunStatus::Completed, (Some(Time(1)), Some(Time(4)))));
    }
}
