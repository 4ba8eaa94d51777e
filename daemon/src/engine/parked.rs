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

impl ActiveInstance {
    /// Returns whether something of it continues without a person.
    fn is_busy(&self) -> bool {
        let waits_for_retry = self.status == NodeStatus::Waiting
            && self.attempts > 0
            && self.question.is_none()
            && !self.answered;
        self.live.is_some() || self.status == NodeStatus::Ready || waits_for_retry
    }
}

impl ActiveRun {
    /// Parks the run if everything that could continue waits for a person.
    pub(super) fn park_if_idle(&mut self, context: &mut Context) {
        let may_park = self.run.state == RunStatus::Running && self.asking > 0 && self.live == 0;
        if may_park && !self.instances_mut().any(|instance| instance.is_busy()) {
            self.record_run(context, RunUpdate::new(RunStatus::Parked, Time::now()));
        }
    }

    /// Continues a run that has a slot again, with its answers.
    fn unpark(&mut self, context: &mut Context) {
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
    /// Returns the number of runs that have a slot.
    pub(super) fn running(&self) -> usize {
        self.active.len() - self.parked.len()
    }

    /// Releases the slot of a run that was just parked.
    pub(super) fn release_if_parked(&mut self, id: RunId) {
        let Some(run) = self.active.get(&id).filter(|run| run.run.state == RunStatus::Parked) else { return };
        let (workflow, is_due) = (run.run.workflow_id, run.due > 0);
        if is_due {
            self.due.insert(id);
        } else {
            self.due.remove(&id);
        }
        if self.parked.insert(id) {
            self.queue.ended(workflow);
        }
    }

    /// Requeues a parked run that has its answer, at the head of the queue.
    pub(super) fn requeue(&mut self, id: RunId) {
        let Some(run) = self.active.get_mut(&id).filter(|run| run.run.state == RunStatus::Parked) else {
            return;
        };
        if run.is_answered() && !self.queue.contains(id) {
            // It has started before, so it does not wait for the turn of its sweep, nor with it.
            self.queue.add(&[id], None, true, run.plan.limit(run.run.workflow_id));
        }
    }

    /// Starts a parked run that left the queue.
    pub(super) fn start_parked(&mut self, id: RunId) {
        if !self.parked.remove(&id) {
            return;
        }
        self.due.remove(&id);
        if let Some(run) = self.active.get(&id) {
            self.queue.started(run.run.workflow_id);
        }
        self.with(id, |run, context| run.unpark(context));
    }
}
