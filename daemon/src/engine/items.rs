//! The items of a node with `each`: their creation, their individual starts, and the lists that they end as.

use fanlight_shared::event::{NodeError, NodeUpdate};
use fanlight_shared::expression::{Content, Scope as _};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::NodeStatus;
use fanlight_shared::time::Time;
use fanlight_shared::value::{Value, Values};
use fanlight_shared::workflow::{Each, Template};

use super::active::{ActiveInstance, ActiveRun, Items, RunScope, enter};
use super::context::Context;
use super::dataflow::Asked;

/// The most instances that the `each` of one run may make.
const MAX_INSTANCES: usize = 100_000;

impl ActiveRun {
    pub(super) fn items_of(&self, node: usize, each: &Each) -> Result<Option<Vec<Value>>, String> {
        let scope = RunScope { run: self, item: None, upstream: self.upstream(node) };
        let list = |template: &Template| match template
            .evaluate(&scope)
            .map_err(|error| format!("`each`: {error}"))?
        {
            None => Ok(None),
            Some(Value::List(items)) => Ok(Some(items)),
            Some(large @ Value::Large(_)) => match Content::new(scope.loader()).resolve(large) {
                Ok(Value::List(items)) => Ok(Some(items)),
                Ok(other) => Err(format!("`each` needs a list, got {}", other.type_of())),
                Err(error) => Err(format!("`each`: {error}")),
            },
            Some(other) => Err(format!("`each` needs a list, got {}", other.type_of())),
        };
        match each {
            Each::List(template) => list(template),
            Each::Zip(templates) => {
                let mut lists = Vec::new();
                for (name, template) in templates {
                    match list(template)? {
                        None => return Ok(None),
                        Some(items) => lists.push((name, items)),
                    }
                }
                let length = lists.first().map_or(0, |(_, items)| items.len());
                if let Some((name, items)) = lists.iter().find(|(_, items)| items.len() != length) {
                    let first = lists.first().map_or("", |(name, _)| name.as_str());
                    return Err(format!(
                        "`each` zips lists of equal length: `{first}` has {length}, `{name}` has {}",
                        items.len()
                    ));
                }
                let row = |at: usize| {
                    lists.iter().map(|(name, items)| ((*name).clone(), items[at].clone())).collect()
                };
                Ok(Some((0..length).map(|at| Value::Object(row(at))).collect()))
            }
        }
    }

    /// Creates the items of a node, now that the list of its `each` is known.
    pub(super) fn expand_items(&mut self, context: &mut Context, node: usize, inputs: Vec<Option<Value>>) {
        let count = inputs.len();
        self.instances += count;
        if self.instances > MAX_INSTANCES {
            let message = format!("`each` would make more than {MAX_INSTANCES} instances in this run");
            return self.fail(context, node, ItemPath::WHOLE, NodeError::new(message));
        }
        let runs = (0..count).map(|_| ActiveInstance::default()).collect();
        self.nodes[node].items = Some(Items { inputs, runs, left: count });
        let update = NodeUpdate {
            items: u32::try_from(count).ok(),
            ..NodeUpdate::new(&self.plan.nodes[node].name, ItemPath::WHOLE, NodeStatus::Running, Time::now())
        };
        enter(&mut self.nodes[node].whole.status, NodeStatus::Running);
        self.record_node(context, update);
        self.expand_straight_readers(context, node);
        if count == 0 {
            return self.end_items(context, node);
        }
        for index in 0..count {
            self.decide_item(context, node, index as u32);
        }
    }

    /// Expands the nodes that read the items of `node` one by one, now that these are known.
    fn expand_straight_readers(&mut self, context: &mut Context, node: usize) {
        let plan = self.plan.clone();
        for reader in &plan.nodes[node].readers {
            if plan.nodes[*reader].straight.as_ref().is_some_and(|(from, _)| *from == node) {
                self.decide_node(context, *reader);
            }
        }
    }

    /// Starts or skips one item if its inputs are available.
    pub(super) fn decide_item(&mut self, context: &mut Context, node: usize, index: u32) {
        let item = ItemPath::item(index);
        let Some(instance) = self.instance(node, item) else { return };
        if self.cancelling || instance.status != NodeStatus::Waiting || instance.attempts > 0 {
            return;
        }
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        if let Some((from, port)) = &plan.straight {
            let Some(upstream) = self.instance(*from, item) else { return };
            if !upstream.status.is_ended() {
                return;
            }
            let value = upstream.values.as_ref().and_then(|values| values.get(port)).cloned();
            let hole =
                upstream.status == NodeStatus::Skipped || self.plan.nodes[*from].node.drop_failed_items;
            match value.filter(|value| upstream.status.has_values() && *value != Value::None) {
                Some(value) => {
                    if let Some(items) = &mut self.nodes[node].items {
                        items.inputs[index as usize] = Some(value);
                    }
                }
                None => {
                    self.nodes[node].item_upstream_failed |= !hole;
                    let reason =
                        if hole { "the item it reads is missing" } else { "the item it reads failed" };
                    return self.skip(context, node, item, reason);
                }
            }
        }
        if plan.condition_per_item {
            let input = self.item_input(node, index);
            match self.ask(node, Some((&input, index))) {
                Ok(Asked::Runs) => {}
                Ok(Asked::Skipped(reason)) => return self.skip(context, node, item, reason),
                Err(error) => return self.fail(context, node, item, NodeError::new(error)),
            }
        }
        self.prepare(context, node, item);
    }

    pub(super) fn item_input(&self, node: usize, index: u32) -> Value {
        let items = self.nodes[node].items.as_ref();
        items.and_then(|items| items.inputs.get(index as usize)?.clone()).unwrap_or_default()
    }

    /// Ends a node whose items have all ended, with lists of their values, in item order, without gaps.
    pub(super) fn end_items(&mut self, context: &mut Context, node: usize) {
        let plan = self.plan.clone();
        let plan = &plan.nodes[node];
        let this = &self.nodes[node];
        let Some(items) = &this.items else { return };
        let failed: Vec<usize> =
            (0..items.runs.len()).filter(|at| items.runs[*at].status == NodeStatus::Failed).collect();
        let (status, error) = if !failed.is_empty() && !plan.node.drop_failed_items {
            let first = items.runs[failed[0]].error.clone().unwrap_or_default();
            let message = format!(
                "{} of {} items failed; [{}]: {}",
                failed.len(),
                items.runs.len(),
                failed[0],
                first.message
            );
            (NodeStatus::Failed, Some(NodeError { message, ..first }))
        } else if items.runs.iter().any(|it| it.status == NodeStatus::Cancelled) {
            (NodeStatus::Cancelled, None)
        } else if this.item_upstream_failed {
            (NodeStatus::Skipped, Some(NodeError::new("an item that it reads failed")))
        } else {
            (NodeStatus::Completed, None)
        };
        let lists = if status == NodeStatus::Completed { self.lists(node) } else { Values::new() };
        self.publish_lists(context, node, &lists);
        let shown = super::publish::shorten_all(&lists);
        self.nodes[node].whole.values = Some(lists).filter(|_| status == NodeStatus::Completed);
        self.end_instance(context, node, ItemPath::WHOLE, status, error, |update| update.outputs = shown);
    }

    /// Returns the values of the ports of a node with `each`: lists over its items, in item order, without gaps.
    pub(super) fn lists(&self, node: usize) -> Values {
        let mut lists = Values::new();
        let Some(items) = &self.nodes[node].items else { return lists };
        let made: Vec<&Values> = items
            .runs
            .iter()
            .filter(|it| it.status.has_values())
            .filter_map(|it| it.values.as_ref())
            .collect();
        for (port, _) in self.plan.nodes[node].ports() {
            lists.insert(port, Value::None);
        }
        made.iter().flat_map(|values| values.keys()).for_each(|port| {
            lists.entry(port.clone()).or_default();
        });
        for (port, list) in &mut lists {
            *list = Value::List(made.iter().map(|it| it.get(port).cloned().unwrap_or_default()).collect());
        }
        lists
    }
}
