//! Recovers a run that had a slot when an earlier daemon died, and the finished part of a resumed run.

use std::collections::HashMap;

use fanlight_shared::item::ItemPath;
use fanlight_shared::origin::Origin;
use fanlight_shared::run::{NodeStatus, RunStatus};
use fanlight_shared::run_state::{InstanceState, RunState};
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};

use super::active::{ActiveInstance, ActiveRun, Items};
use super::attempts::Begin;
use super::context::{After, Context};
use super::inputs;
use super::plan::Plan;
use super::started::Started;
use crate::attempt::Outcome;
use crate::node_type::CHILDREN;
use crate::store::{Op, OpenRun};

/// Port values by node and item.
type Stored = Vec<(String, ItemPath, String, Option<Value>)>;

/// Folds the stored events into the state.
pub(super) fn fold(plan: &Plan, open: &OpenRun) -> RunState {
    let names = plan.nodes.iter().map(|node| node.name.clone());
    let mut state = RunState::new(names).with_edges(&plan.edges);
    for event in &open.events {
        state.fold(event);
    }
    state
}

/// Returns whether an instance had an attempt.
pub(super) fn has_attempts(state: &RunState, node: &str, item: ItemPath) -> bool {
    let Some(node) = state.nodes.get(node) else { return false };
    let instance = match item.0 {
        None => Some(&node.whole),
        Some(index) => node.items.get(&index),
    };
    instance.is_some_and(|it| !it.attempts.is_empty())
}

impl ActiveRun {
    /// Keeps the finished values of the run that this one resumes, until their nodes' turn comes.
    pub(super) fn take_values(&mut self, values: Stored, mut origins: HashMap<(String, ItemPath), Origin>) {
        for (node, item, port, value) in values {
            let Some(value) = value else { continue };
            let place = (node, item);
            let origin = origins.remove(&place);
            let taken = self.taken.entry(place).or_default();
            taken.values.insert(port, value);
            taken.origin = origin.or(taken.origin.take());
        }
    }

    /// Restores the run to the state that its events describe, and continues from there.
    pub(super) fn recover(&mut self, context: &mut Context, state: RunState, values: Stored, rebooted: bool) {
        self.seq = state.seq;
        #[cfg(test)]
        {
            self.folded = state.clone();
        }
        let summary = state.summary();
        if self.run.summary() != summary {
            // An earlier version wrote the row by itself, and counted nodes at the end only.
            context.op(Op::Row { run: self.run.id, summary: summary.clone() });
            self.run.set_summary(summary);
        }
        self.cancelling = state.status == RunStatus::Cancelling;
        self.restore_nodes(&state, values);
        self.restore_questions(context);
        context.after(After::Begin { run: Box::new(self.run.clone()), state: Box::new(state.clone()) });
        self.send_listing(context);
        let (mut adopted, mut interrupted) = (Vec::new(), Vec::new());
        for (at, plan) in self.plan.nodes.iter().enumerate() {
            let Some(node) = state.nodes.get(&plan.name) else { continue };
            let executor = context.executors.get(&plan.executor).map(|it| it.capabilities());
            let adopts = executor.is_some_and(|it| it.adopts && (!rebooted || it.survives_reboot));
            let items = node.items.iter().map(|(index, seen)| (ItemPath::item(*index), seen));
            let whole = node.item_count.is_none().then_some((ItemPath::WHOLE, &node.whole));
            for (item, seen) in items.chain(whole) {
                if seen.status == NodeStatus::Running && adopts {
                    adopted.push((at, item, seen.clone()));
                } else if seen.status == NodeStatus::Running {
                    interrupted.push((at, item, seen.clone()));
                }
            }
        }
        for (node, item, seen) in adopted {
            self.adopt(context, node, item, &seen);
        }
        for (node, item, seen) in interrupted {
            self.interrupted(context, node, item, &seen);
        }
        self.retry_waiting(context, &state);
        if self.run.state == RunStatus::Running {
            self.start_answered(context);
        }
        for node in 0..self.nodes.len() {
            let unfolded = self.nodes[node].items.as_ref().map_or(0, |items| items.runs.len());
            for index in 0..unfolded {
                self.decide_item(context, node, index as u32);
            }
        }
        self.begin(context);
    }

    fn restore_nodes(&mut self, state: &RunState, stored: Stored) {
        let mut values = HashMap::<(String, ItemPath), Values>::new();
        for (node, item, port, value) in stored {
            values.entry((node, item)).or_default().insert(port, value.unwrap_or_default());
        }
        values.values().for_each(|values| self.hold(values));
        let plan = self.plan.clone();
        for (at, plan) in plan.nodes.iter().enumerate() {
            let Some(seen) = state.nodes.get(&plan.name) else { continue };
            if let Some(count) = seen.item_count {
                let mut runs: Vec<ActiveInstance> = (0..count).map(|_| ActiveInstance::default()).collect();
                for (index, seen) in &seen.items {
                    if let Some(run) = runs.get_mut(*index as usize) {
                        *run = ActiveInstance::restored(
                            seen,
                            values.remove(&(plan.name.clone(), ItemPath::item(*index))),
                        );
                    }
                }
                let left = runs.iter().filter(|run| !run.status.is_ended()).count();
                self.instances += runs.len();
                self.nodes[at].items = Some(Items { inputs: vec![None; runs.len()], runs, left });
            }
            self.nodes[at].whole =
                ActiveInstance::restored(&seen.whole, values.remove(&(plan.name.clone(), ItemPath::WHOLE)));
            if seen.whole.status.is_ended() {
                let own = self.nodes[at].whole.values.take();
                let lists = self.nodes[at].items.is_some().then(|| self.lists(at));
                self.settle(at, own.or(lists.filter(|_| seen.whole.status.has_values())));
            }
        }
        // Readers already know of ended nodes; only unfinished ones still count.
        self.settled.clear();
        for (at, plan) in plan.nodes.iter().enumerate() {
            self.nodes[at].pending =
                plan.deps.iter().filter(|dep| !self.nodes[**dep].whole.status.is_ended()).count();
        }
        for at in 0..plan.nodes.len() {
            if self.nodes[at].items.is_some() && !self.nodes[at].whole.status.is_ended() {
                self.restore_inputs(at);
            }
        }
    }

    /// Evaluates `each` again: its inputs have ended, so it gives the same list.
    fn restore_inputs(&mut self, node: usize) {
        let plan = self.plan.clone();
        if plan.nodes[node].straight.is_some() {
            return;
        }
        if let Some(each) = &plan.nodes[node].node.each
            && let Ok(Some(list)) = self.items_of(node, each)
            && let Some(items) = &mut self.nodes[node].items
        {
            for (slot, value) in items.inputs.iter_mut().zip(list) {
                *slot = Some(value);
            }
        }
    }

    /// Adopts an attempt that was running and may still be alive.
    fn adopt(&mut self, context: &mut Context, node: usize, item: ItemPath, seen: &InstanceState) {
        let Some(attempt) = seen.attempts.last() else { return };
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        let input = item.0.map(|index| (self.restored_item(node, index), index));
        let scope = super::active::RunScope {
            run: self,
            item: input.as_ref().map(|(value, index)| (value, *index)),
            upstream: self.upstream(node),
        };
        let lenient = plan.node.condition.as_ref().is_some_and(|it| it.asks_outcome());
        let (Ok(prepared), Some(id)) = (inputs::prepare(plan, &scope, lenient), attempt.id) else {
            return self.interrupted(context, node, item, seen);
        };
        let (number, started) = (attempt.number, Started::earlier(attempt.started_at));
        if let Some(instance) = self.instance_mut(node, item) {
            instance.prepared = Some(prepared.clone());
        }
        let key = self.key(node, item);
        self.restore_key(context, key, id);
        context.pools.occupy(&self.resources(node, item), &attempt.gpus, key);
        self.live += 1;
        let gpus = attempt.gpus.clone();
        self.spawn(context, key, id, number, started, prepared, gpus, Begin::Adopt);
        if self.cancelling
            && let Some(live) = self.instance(node, item).and_then(|instance| instance.live.as_ref())
        {
            live.cancel.cancel();
        }
    }

    /// Returns `item` of a recovered instance: for a node that reads items one by one, it is the value of the item
    /// upstream.
    pub(super) fn restored_item(&self, node: usize, index: u32) -> Value {
        if let Some((from, port)) = &self.plan.nodes[node].straight {
            let upstream = self.instance(*from, ItemPath::item(index)).and_then(|it| it.values.as_ref());
            return upstream.and_then(|values| values.get(port)).cloned().unwrap_or_default();
        }
        self.item_input(node, index)
    }

    /// Handles an attempt that was interrupted by the end of the daemon or of the machine.
    fn interrupted(&mut self, context: &mut Context, node: usize, item: ItemPath, seen: &InstanceState) {
        let started = seen.started_at().map_or_else(Started::now, Started::earlier);
        let key = self.key(node, item);
        let attempt = seen.attempts.last().and_then(|attempt| attempt.id);
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        // A run of `workflow.run` continues, and its next attempt finds it.
        let spending = match plan.executor == CHILDREN {
            true => attempt.and_then(|id| context.take_spending(id)).unwrap_or_default(),
            false => context.take_all_spending(attempt, self.run.id, &plan.name, item),
        };
        let outcome = Outcome::lost("interrupted: the daemon or the machine stopped").with_spending(spending);
        let reported = self.reported(context, key);
        self.end_attempt(context, key, started, outcome, reported);
    }

    /// Schedules the next attempt of instances between two attempts, for when it was due.
    fn retry_waiting(&self, context: &mut Context, state: &RunState) {
        let plan = self.plan.clone();
        for (node, plan) in plan.nodes.iter().enumerate() {
            let Some(seen) = state.nodes.get(&plan.name) else { continue };
            let items = seen.items.iter().map(|(index, seen)| (ItemPath::item(*index), seen));
            for (item, seen) in
                items.chain(seen.item_count.is_none().then_some((ItemPath::WHOLE, &seen.whole)))
            {
                let (NodeStatus::Waiting, Some(due)) = (seen.status, seen.retry_at) else { continue };
                context.retry_later(self.key(node, item), seen.attempt(), due.since(Time::now()));
            }
        }
    }
}
