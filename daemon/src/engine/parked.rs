//! Parked runs: a run that can't continue until a person answers holds no slot. It survives restarts, and with its
//! answer it goes back to the head of the queue.

use fanlight_shared::event::RunUpdate;
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::time::Time;

use super::active::{ActiveInstance, ActiveRun};
use super::context::Context;
use super::core::Core;
use crate::node_type::CHILDREN;

impl ActiveInstance {
    /// Returns whether something of it continues without a person.
    fn is_busy(&self) -> bool {
        let waits_for_retry = self.status == NodeStatus::Waiting
            && self.attempts > 0
            && self.question.is_none()
            && !self.answered;
        self.live.is_some() && !self.child_is_parked || self.status == NodeStatus::Ready || waits_for_retry
    }
}

impl ActiveRun {
    /// Parks the run if everything that could continue waits for a person.
    pub(super) fn park_if_idle(&mut self, context: &mut Context) {
        if self.run.state != RunStatus::Running || self.asking == 0 && self.live == 0 {
            return;
        }
        let (mut parked, mut busy) = (0, false);
        for (plan, node) in self.plan.nodes.iter().zip(&self.nodes) {
            let starts_runs = plan.executor == CHILDREN;
            let items = node.items.as_ref().map(|items| items.runs.as_slice());
            for instance in items.unwrap_or(std::slice::from_ref(&node.whole)) {
                parked += usize::from(instance.live.is_some() && instance.child_is_parked);
                // One that may not start yet waits for the end of another one.
                busy |= instance.is_busy() && !(starts_runs && instance.ticket.is_some());
            }
        }
        if !busy && parked == self.live && self.asking + parked > 0 {
            self.record_run(context, RunUpdate::new(RunStatus::Parked, Time::now()));
        }
    }

    /// Continues a run that has a slot again, with its answers.
    pub(super) fn unpark(&mut self, context: &mut Context) {
        self.record_run(context, RunUpdate::new(RunStatus::Running, Time::now()));
        self.start_answered(context);
    }

    /// Starts the next attempt of every answered instance.
    pub(super) fn start_answered(&mut self, context: &mut Context) {
        let mut answered = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            let items = node.items.as_ref().map(|items| items.runs.as_slice());
            match items {
                Some(items) => answered.extend(
                    (0..)
                        .zip(items)
                        .filter(|(_, it)| it.answered)
                        .map(|(i, it)| (at, ItemPath::item(i), it.attempts)),
                ),
                None if node.whole.answered => answered.push((at, ItemPath::WHOLE, node.whole.attempts)),
                None => {}
            }
        }
        for (node, item, attempts) in answered {
            let key = self.key(node, item);
            self.retry(context, key, attempts);
        }
    }

    /// Returns whether an instance is answered and waits for the slot of its run.
    pub(super) fn is_answered(&mut self) -> bool {
        self.instances_mut().any(|instance| instance.answered)
    }
}

impl Core {
    /// Returns the number of runs that have a slot; a child has none of its own.
    pub(super) fn running(&self) -> usize {
        self.active.len() - self.children - self.parked.len() - self.following.len()
    }

    /// Releases the slot of a run that was just parked.
    pub(super) fn release_if_parked(&mut self, id: RunId) {
        let Some(run) = self.active.get(&id).filter(|run| run.run.state == RunStatus::Parked) else { return };
        let (workflow, is_due, is_child) = (run.run.workflow_id, run.due > 0, run.run.parent.is_some());
        if is_due {
            self.due.insert(id);
        } else {
            self.due.remove(&id);
        }
        if is_child {
            self.child_parked(id);
        } else if self.parked.insert(id) {
            self.queue.ended(workflow);
        }
    }

    /// Requeues a parked run that may continue, at the head of the queue.
    pub(super) fn requeue(&mut self, id: RunId) {
        if self.active.get(&id).is_some_and(|run| run.run.state == RunStatus::Parked) && self.may_continue(id)
        {
            self.continue_run(id);
        }
    }

    /// Starts a parked run that left the queue.
    pub(super) fn start_parked(&mut self, id: RunId) {
        if !self.parked.remove(&id) {
            return;
        }
        if let Some(run) = self.active.get(&id) {
            self.queue.started(run.run.workflow_id);
        }
        self.unpark(id);
    }
}
