//! Runs that nodes of other runs start. A child uses the slot of its outermost parent: it never waits in the queue, so a cap of
//! 1 is enough for any depth. While a parent's only busy nodes wait for parked children, it is parked too.

mod execution;
mod prepare;
#[cfg(feature = "llm")]
mod tool;

use std::sync::Arc;

use fanlight_shared::event::{RunUpdate, StateEvent};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Fresh;
use fanlight_shared::run::{Parent, Run, RunStatus};
use fanlight_shared::time::Time;
use tokio::sync::oneshot;

use super::active::ActiveRun;
use super::context::After;
use super::core::{Core, QueuedRun};
use super::queue::Turn;
use crate::node_type::CHILDREN;
use crate::store::{OpenRun, Submit};

pub(super) use execution::Children;

impl Core {
    /// Completes the submission of a child with what its parent knows.
    pub(super) fn complete_child(&self, submit: &mut Submit) {
        let Some(parent) = &submit.parent else { return };
        let is_fresh = self.active.get(&parent.run).is_some_and(|run| run.fresh.has(&parent.node));
        submit.fresh = Fresh::All(is_fresh);
    }

    /// Starts a child that is stored, or cancels it if its parent has ended meanwhile.
    pub(super) fn start_child(&mut self, queued: QueuedRun) {
        let has_parent = queued.run.parent.as_ref().is_some_and(|it| self.active.contains_key(&it.run));
        if has_parent {
            self.start(queued);
        } else {
            let update = RunUpdate::new(RunStatus::Cancelled, Time::now());
            self.end_inactive(Arc::unwrap_or_clone(queued.run), 1, vec![StateEvent::RunUpdate(update)]);
        }
    }

    /// Returns whether the node that started a child under an earlier daemon still waits for it.
    pub(super) fn waits_for_child(&self, parent: &Parent) -> bool {
        let Some(run) = self.active.get(&parent.run) else { return false };
        let Some(node) = run.plan.index.get(&parent.node) else { return false };
        run.plan.nodes[*node].executor == CHILDREN
    }

    /// Ends a child whose parent ended under an earlier daemon. Its commands that are still alive are ended by the clean-up.
    pub(super) fn end_orphan(&mut self, open: OpenRun) {
        self.end_recorded(open, RunUpdate::new(RunStatus::Cancelled, Time::now()));
    }

    /// Tells an executor when a child has ended and its last event is stored.
    pub(super) fn follow_child(&mut self, run: RunId, parent: RunId, tell: oneshot::Sender<()>) {
        if self.active.contains_key(&run) {
            self.followers.insert(run, tell);
        } else {
            self.tell_parent(parent, tell);
        }
    }

    /// Cancels a child, because the attempt that started it was stopped.
    pub(super) fn cancel_child(&mut self, run: RunId) {
        self.with(run, |run, context| run.cancel(context));
        self.start_waiting();
    }

    /// Handles the end of an active run that a node of another one started.
    pub(super) fn child_ended(&mut self, child: &Run) {
        let Some(parent) = &child.parent else { return };
        self.children -= 1;
        self.set_child_parked(parent, false);
        if let Some(tell) = self.followers.remove(&child.id) {
            self.tell_parent(parent.run, tell);
        }
    }

    /// Tells the executor of a parent that the run which it follows has ended. A parked parent has no slot to continue with,
    /// so that it is told once it has one.
    fn tell_parent(&mut self, parent: RunId, tell: oneshot::Sender<()>) {
        self.untold.entry(parent).or_default().push(tell);
        self.tell_ends(parent);
        self.requeue(parent);
    }

    /// Tells the executor of a run which of its children have ended, unless the run is parked.
    pub(super) fn tell_ends(&mut self, parent: RunId) {
        if self.active.get(&parent).is_some_and(|run| run.run.state == RunStatus::Parked) {
            return;
        }
        for tell in self.untold.remove(&parent).unwrap_or_default() {
            self.context.after(After::Do(Box::new(move || {
                let _ = tell.send(());
            })));
        }
    }

    /// Returns whether a parked run could continue, if it had a slot.
    pub(super) fn may_continue(&mut self, run: RunId) -> bool {
        self.untold.contains_key(&run) || self.active.get_mut(&run).is_some_and(ActiveRun::is_answered)
    }

    /// Records whether the run that a node started is parked.
    fn set_child_parked(&mut self, parent: &Parent, parked: bool) {
        let Some(run) = self.active.get_mut(&parent.run) else { return };
        let Some(node) = run.plan.index.get(&parent.node).copied() else { return };
        if let Some(instance) = run.instance_mut(node, parent.item) {
            instance.child_is_parked = parked;
        }
    }

    /// Parks the parent of a parked child too, if nothing else of it is busy.
    pub(super) fn child_parked(&mut self, child: RunId) {
        let Some(parent) = self.active.get(&child).and_then(|run| run.run.parent.clone()) else { return };
        self.set_child_parked(&parent, true);
        self.with(parent.run, |_, _| {});
    }

    /// Returns the active run that a node started.
    pub(super) fn child_of(&self, run: RunId, node: &str, item: ItemPath) -> Option<&ActiveRun> {
        let started = |parent: &Parent| parent.run == run && parent.node == node && parent.item == item;
        let children = self.active.values().filter(|_| self.children > 0);
        children.into_iter().find(|child| child.run.parent.as_deref().is_some_and(started))
    }

    /// Returns the run that leads to a child and has the slot, and those between the two, in this order, and the child.
    fn lineage(&self, run: RunId) -> Vec<RunId> {
        let mut lineage = vec![run];
        while let Some(parent) = lineage.last().and_then(|it| self.active.get(it)?.run.parent.as_ref()) {
            lineage.push(parent.run);
        }
        lineage.reverse();
        lineage
    }

    /// Continues a parked run: a child at once if its outermost parent has a slot; else that is the next to get one.
    pub(super) fn continue_run(&mut self, child: RunId) {
        let Some(outermost) = self.lineage(child).first().copied() else { return };
        let Some(run) = self.active.get(&outermost) else { return };
        if run.run.state != RunStatus::Parked {
            return self.unpark(outermost);
        }
        let limit = run.plan.limit(run.run.workflow_id);
        if !self.queue.contains(outermost) {
            // It has started before, so it does not wait for the turn of its sweep, nor with it.
            self.queue.add(&[outermost], None, Turn::Next, limit);
        }
    }

    /// Continues a run that has a slot, and all runs below it that may continue, with those between.
    pub(super) fn unpark(&mut self, outermost: RunId) {
        let parked = |run: &ActiveRun| run.run.state == RunStatus::Parked && run.run.parent.is_some();
        let below = self.active.iter().filter(|(_, run)| self.children > 0 && parked(run));
        let below: Vec<RunId> = below.map(|(id, _)| *id).collect();
        let mut lineages = vec![vec![outermost]];
        for child in below {
            let lineage = self.lineage(child);
            if lineage.first() == Some(&outermost) && self.may_continue(child) {
                lineages.push(lineage);
            }
        }
        // None of them is parked again because one below it still is.
        for run in lineages.iter().flatten() {
            if let Some(parent) = self.active.get(run).and_then(|run| run.run.parent.clone()) {
                self.set_child_parked(&parent, false);
            }
        }
        for run in lineages.into_iter().flatten() {
            if self.active.get(&run).is_some_and(|run| run.run.state == RunStatus::Parked) {
                self.due.remove(&run);
                self.with(run, |run, context| run.unpark(context));
            }
        }
    }
}
