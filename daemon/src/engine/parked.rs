//! Parked runs: a run of which nothing can go on until a person answers holds no slot. It survives restarts, and with its
//! answer it goes back to the head of the queue.

use fanlight_shared::event::{NodeUpdate, RunUpdate};
use fanlight_shared::id::RunId;
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::RpcError;
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};

use super::Reply;
use super::active::{ActiveRun, Instance, Key, enter};
use super::context::{After, Context};
use super::core::Core;

/// An answer to what a node asks.
pub(super) struct Answer {
    pub(super) run: RunId,
    pub(super) node: String,
    pub(super) item: ItemPath,
    pub(super) value: Value,
}

impl Instance {
    /// Something of it goes on without a person.
    fn is_busy(&self) -> bool {
        let waits_for_retry = self.status == NodeStatus::Waiting
            && self.attempts > 0
            && self.question.is_none()
            && !self.answered;
        self.live.is_some() || self.status == NodeStatus::Ready || waits_for_retry
    }
}

impl ActiveRun {
    /// Parks the run if all that could go on waits for a person.
    pub(super) fn park_if_idle(&mut self, context: &mut Context) {
        let may_park = self.run.state == RunStatus::Running && self.asking > 0 && self.live == 0;
        if may_park && !self.instances_mut().any(|instance| instance.is_busy()) {
            self.change_state(context, RunStatus::Parked);
        }
    }

    fn change_state(&mut self, context: &mut Context, status: RunStatus) {
        enter(&mut self.run.state, status);
        let at = Time::now();
        let update = RunUpdate { status, at, start_order: None, error: None, outputs: Values::new() };
        self.tell_run(context, update);
        self.store_listing(context);
    }

    /// The run has a slot again: instances that have their answer go on.
    fn unpark(&mut self, context: &mut Context) {
        self.change_state(context, RunStatus::Running);
        self.go_on_with_answers(context);
    }

    /// Starts the next attempt of every instance that has its answer.
    pub(super) fn go_on_with_answers(&mut self, context: &mut Context) {
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

    /// Whether an instance has its answer and waits for the run's slot.
    pub(super) fn is_answered(&mut self) -> bool {
        self.instances_mut().any(|instance| instance.answered)
    }

    /// Accepts an answer. The error says why it is refused.
    fn take_answer(&mut self, context: &mut Context, key: Key, value: Value) -> Result<(), String> {
        let node = self.plan.nodes[key.node].name.clone();
        let refused = || format!("`{node}{}` of {} asks nothing", key.item, self.run.name());
        let asks = self.instance(key.node, key.item).is_some_and(|it| it.question.is_some());
        if !asks || self.cancelling {
            return Err(refused());
        }
        let mut update = NodeUpdate::new(&node, key.item, NodeStatus::Waiting, Time::now());
        update.answer = Some(value.clone());
        self.tell_node(context, update);
        if let Some(instance) = self.instance_mut(key.node, key.item) {
            instance.question = None;
            instance.answer = Some(value);
            instance.answered = true;
            self.asking -= 1;
        }
        if self.run.state == RunStatus::Running {
            self.go_on_with_answers(context);
        }
        Ok(())
    }
}

impl Core {
    /// Runs that have a slot.
    pub(super) fn running(&self) -> usize {
        self.active.len() - self.parked.len()
    }

    /// A run that was just changed gives its slot back when it is parked.
    pub(super) fn note_parked(&mut self, id: RunId) {
        let Some(run) = self.active.get(&id).filter(|run| run.run.state == RunStatus::Parked) else { return };
        let workflow = run.run.workflow_id;
        if self.parked.insert(id) {
            self.queue.ended(workflow);
        }
    }

    /// Requeues a parked run that has its answer, at the head of the queue.
    pub(super) fn requeue(&mut self, id: RunId) {
        let Some(run) = self.active.get_mut(&id).filter(|run| run.run.state == RunStatus::Parked) else {
            return;
        };
        if run.is_answered() && self.queue.position(id).is_none() {
            self.queue.add(&[id], true, run.plan.limit(run.run.workflow_id));
        }
    }

    /// A parked run leaves the queue.
    pub(super) fn start_parked(&mut self, id: RunId) {
        if !self.parked.remove(&id) {
            return;
        }
        if let Some(run) = self.active.get(&id) {
            self.queue.started(run.run.workflow_id);
        }
        self.with(id, |run, context| run.unpark(context));
    }

    /// Somebody answers what a node asks.
    pub(super) fn answer(&mut self, answer: Answer, reply: Reply<()>) {
        let Answer { run: id, node, item, value } = answer;
        let found = self.active.get(&id).and_then(|run| Some(run.key(*run.plan.index.get(&node)?, item)));
        let mut result = Err(format!("no run that is under way has a node `{node}` that asks"));
        if let Some(key) = found {
            self.with(id, |run, context| result = run.take_answer(context, key, value));
            self.requeue(id);
        }
        self.context.after(After::Do(Box::new(move || {
            let _ = reply.send(result.map_err(RpcError::refused));
        })));
    }
}
