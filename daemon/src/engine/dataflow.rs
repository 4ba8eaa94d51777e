//! Dataflow inside a run: when a node may start, and when it is skipped.

use fanlight_shared::event::{NodeError, NodeUpdate};
use fanlight_shared::expression::truthy;
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::NodeStatus;
use fanlight_shared::run_state::CONDITION_IS_FALSE;
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};

use super::active::{ActiveRun, RunScope, enter};
use super::context::Context;
use super::inputs::{self, NotPrepared};

/// The result of a node's `if`.
pub(super) enum Asked {
    Runs,
    /// Why it does not run.
    Skipped(&'static str),
}

impl ActiveRun {
    /// Considers every node once: at the start of the run, and when it is recovered.
    pub(super) fn begin(&mut self, context: &mut Context) {
        for node in 0..self.nodes.len() {
            self.decide_node(context, node);
        }
        self.advance(context);
    }

    /// Notifies the readers of ended nodes until nothing more follows; ends the run if everything has ended.
    pub(super) fn advance(&mut self, context: &mut Context) {
        loop {
            if let Some((node, index)) = self.settled_items.pop_front() {
                let plan = self.plan.clone();
                for reader in &plan.nodes[node].readers {
                    let reads_straight =
                        plan.nodes[*reader].straight.as_ref().is_some_and(|(from, _)| *from == node);
                    if reads_straight && self.nodes[*reader].items.is_some() {
                        self.decide_item(context, *reader, index);
                    }
                }
            } else if let Some(node) = self.settled.pop_front() {
                let plan = self.plan.clone();
                for reader in &plan.nodes[node].readers {
                    self.nodes[*reader].pending -= 1;
                    self.decide_node(context, *reader);
                }
            } else {
                break;
            }
        }
        let all_ended = self.left == 0 || self.cancelling;
        if all_ended && self.live == 0 && self.run.state.is_active() {
            self.finish(context);
        }
        self.park_if_idle(context);
    }

    /// Starts, skips or expands a node if everything that it waits for is available.
    pub(super) fn decide_node(&mut self, context: &mut Context, node: usize) {
        let this = &self.nodes[node];
        // A node that waits after an attempt waits for its retry, not for its inputs.
        if self.cancelling || this.whole.status != NodeStatus::Waiting || this.whole.attempts > 0 {
            return;
        }
        let straight = self.plan.nodes[node].straight.as_ref().map(|(from, _)| *from);
        match straight {
            Some(from) if self.nodes[from].items.is_some() => {
                let waits_for_items_only = this.pending == 0 || this.pending == 1 && !self.has_settled(from);
                if waits_for_items_only && self.may_run(context, node) {
                    let count = self.nodes[from].items.as_ref().map_or(0, |items| items.runs.len());
                    self.expand_items(context, node, vec![None; count]);
                }
            }
            _ if this.pending == 0 && self.may_run(context, node) => self.start_node(context, node),
            _ => {}
        }
    }

    /// Returns whether a node's end was already counted down in its readers.
    fn has_settled(&self, node: usize) -> bool {
        self.nodes[node].whole.status.is_ended() && !self.settled.contains(&node)
    }

    /// Evaluates the node's condition, unless it is evaluated per item; skips the node if it must not run.
    fn may_run(&mut self, context: &mut Context, node: usize) -> bool {
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        let upstream = self.upstream(node);
        let asks = plan.node.condition.as_ref().is_some_and(|it| it.asks_outcome());
        if !asks && (upstream.failed || upstream.skipped) {
            let reason =
                if upstream.failed { "a node before it failed" } else { "a node it needs was skipped" };
            self.skip(context, node, ItemPath::WHOLE, reason);
            return false;
        }
        if plan.condition_per_item {
            return true;
        }
        match self.ask(node, None) {
            Ok(Asked::Runs) => true,
            Ok(Asked::Skipped(reason)) => {
                self.skip(context, node, ItemPath::WHOLE, reason);
                false
            }
            Err(error) => {
                self.fail(context, node, ItemPath::WHOLE, NodeError::new(error));
                false
            }
        }
    }

    /// Evaluates the node's `if`.
    pub(super) fn ask(&self, node: usize, item: Option<(&Value, u32)>) -> Result<Asked, String> {
        let Some(condition) = &self.plan.nodes[node].node.condition else { return Ok(Asked::Runs) };
        let scope = RunScope { run: self, item, upstream: self.upstream(node) };
        let value = condition.evaluate(&scope).map_err(|error| format!("`if`: {error}"))?;
        Ok(match value {
            Some(value) if truthy(&value) => Asked::Runs,
            Some(_) => Asked::Skipped(CONDITION_IS_FALSE),
            None => Asked::Skipped("its `if` reads an absent value"),
        })
    }

    /// Starts a node whose inputs are all available, as one instance or one per item.
    fn start_node(&mut self, context: &mut Context, node: usize) {
        let plan = self.plan.clone();
        match &plan.nodes[node].node.each {
            None => self.prepare(context, node, ItemPath::WHOLE),
            Some(each) => match self.items_of(node, each) {
                Ok(Some(items)) => self.expand_items(context, node, items.into_iter().map(Some).collect()),
                Ok(None) => self.skip(context, node, ItemPath::WHOLE, "the list of its `each` is absent"),
                Err(error) => self.fail(context, node, ItemPath::WHOLE, NodeError::new(error)),
            },
        }
    }

    /// Evaluates the inputs of an instance and makes it ready, or reuses the values of the resumed run.
    pub(super) fn prepare(&mut self, context: &mut Context, node: usize, item: ItemPath) {
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        if let Some(taken) = self.taken.remove(&(plan.name.clone(), item)) {
            return self.take_over(context, node, item, taken);
        }
        let lenient = plan.node.condition.as_ref().is_some_and(|it| it.asks_outcome());
        let input = item.0.map(|index| (self.item_input(node, index), index));
        let scope =
            RunScope { run: self, item: input.as_ref().map(|(v, i)| (v, *i)), upstream: self.upstream(node) };
        match inputs::prepare(plan, &scope, lenient) {
            Ok(prepared) => {
                let needed = prepared.resources.as_deref().filter(|_| plan.is_here());
                if let Some(Err(why)) = needed.map(|needed| context.pools.check(needed)) {
                    return self.fail(context, node, item, NodeError::new(why));
                }
                if let Err(error) = self.reserve_inputs(&prepared) {
                    return self.fail(context, node, item, NodeError::new(error));
                }
                if let Some(instance) = self.instance_mut(node, item) {
                    instance.prepared = Some(prepared);
                }
                self.make_ready(context, node, item);
            }
            Err(NotPrepared::Absent(what)) => self.skip(context, node, item, &format!("{what} is absent")),
            Err(NotPrepared::Wrong(error)) => self.fail(context, node, item, NodeError::new(error)),
        }
    }

    /// Skips an instance.
    pub(super) fn skip(&mut self, context: &mut Context, node: usize, item: ItemPath, reason: &str) {
        self.end_instance(context, node, item, NodeStatus::Skipped, Some(NodeError::new(reason)), |_| {});
    }

    /// Fails an instance that can't run.
    pub(super) fn fail(&mut self, context: &mut Context, node: usize, item: ItemPath, error: NodeError) {
        self.end_instance(context, node, item, NodeStatus::Failed, Some(error), |_| {});
    }

    /// Records that an instance reached a terminal state; the next [`ActiveRun::advance`] notifies its dependents.
    /// `more` completes the event.
    pub(super) fn end_instance(
        &mut self,
        context: &mut Context,
        node: usize,
        item: ItemPath,
        status: NodeStatus,
        error: Option<NodeError>,
        more: impl FnOnce(&mut NodeUpdate),
    ) {
        let mut update = NodeUpdate::new(&self.plan.nodes[node].name, item, status, Time::now());
        update.error.clone_from(&error);
        self.leave_flight(context, self.key(node, item));
        more(&mut update);
        self.end_earlier(context, node, item, status, &mut update);
        self.record_node(context, update);
        let Some(instance) = self.instance_mut(node, item) else { return };
        enter(&mut instance.status, status);
        instance.error = error;
        instance.answer = None;
        instance.live = None;
        instance.needed = None;
        if let Some(prepared) = instance.prepared.take() {
            self.release_inputs(&prepared);
        }
        let Some(instance) = self.instance_mut(node, item) else { return };
        match item.0 {
            None => {
                let values = instance.values.take();
                self.settle(node, values);
            }
            Some(index) => {
                self.settled_items.push_back((node, index));
                let Some(items) = &mut self.nodes[node].items else { return };
                items.left -= 1;
                if items.left == 0 {
                    self.end_items(context, node);
                }
            }
        }
    }

    /// Records the end of the node itself.
    pub(super) fn settle(&mut self, node: usize, values: Option<Values>) {
        let tainted = match self.nodes[node].whole.status {
            NodeStatus::Failed => !self.plan.nodes[node].node.allow_failure,
            NodeStatus::Skipped => {
                let deps = &self.plan.nodes[node].deps;
                self.nodes[node].item_upstream_failed || deps.iter().any(|dep| self.nodes[*dep].tainted)
            }
            _ => false,
        };
        let this = &mut self.nodes[node];
        this.values = values;
        this.tainted = tainted;
        self.left -= 1;
        self.listing_changed = true;
        self.settled.push_back(node);
    }
}
