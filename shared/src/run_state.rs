//! The reducer: folds events into the state of a run, in the same way in the daemon and in every client.

mod edges;
mod instance;
mod node;
mod parts;
mod summary;

use indexmap::IndexMap;
#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use edges::Edges;
use edges::Readers;
pub use instance::{Attempt, InstanceState};
pub(crate) use node::items_by_index;
pub use node::{CONDITION_IS_FALSE, ITEM_ERRORS, ItemError, MAX_PROGRAMS, NodeState};
pub use parts::Items;
pub use summary::Summary;

use crate::event::{EdgeActivity, LiveEvent, NodeUpdate, Numbered, RunUpdate, StateEvent};
use crate::item::ItemPath;
use crate::run::RunStatus;
use crate::spent::Spent;
use crate::time::Time;
use crate::value::Value;

/// The most metrics, and the most previews, of an instance; further ones are dropped.
const MAX_NAMES: usize = 256;

/// The state of a run: the fold of its events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct RunState {
    /// The number of the last state event in it.
    pub seq: u64,
    /// The state of the run.
    pub status: RunStatus,
    /// When it left the queue.
    pub started_at: Option<Time>,
    /// Its place among all starts, when it left the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_order: Option<u64>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it failed.
    pub error: Option<String>,
    /// The cost and the tokens of its attempts that have ended.
    #[serde(default, skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
    /// The values of the workflow's outputs.
    pub outputs: IndexMap<String, Value>,
    /// Nodes by name, in the order of the file.
    pub nodes: IndexMap<String, NodeState>,
    /// Edges by name, in the order of the file. The activity of an edge follows from the node that reads it.
    #[serde(default)]
    pub edges: IndexMap<String, EdgeActivity>,
    /// How many nodes are missing: a large state is sent in parts.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub nodes_left: u64,
    /// How many edges are missing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub edges_left: u64,
    /// How many items are missing.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_left: u64,
    #[serde(skip)]
    readers: Readers,
}

/// Returns whether a count is zero; zeros are not serialised.
fn is_zero<T: Default + PartialEq>(count: &T) -> bool {
    *count == T::default()
}

/// The result of folding a state event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folded {
    /// The event was the next one.
    Next,
    /// The event had been folded before; nothing changed.
    Old,
    /// Earlier events are missing; nothing changed, and a snapshot is needed.
    Gap,
}

impl Default for RunState {
    fn default() -> Self {
        Self::new(Vec::<String>::new())
    }
}

impl RunState {
    /// Creates the state of a run that was just submitted, with these nodes.
    pub fn new<S: Into<String>>(nodes: impl IntoIterator<Item = S>) -> Self {
        Self {
            seq: 0,
            status: RunStatus::Queued,
            started_at: None,
            start_order: None,
            ended_at: None,
            error: None,
            spent: Spent::default(),
            outputs: IndexMap::new(),
            nodes: nodes.into_iter().map(|name| (name.into(), NodeState::default())).collect(),
            edges: IndexMap::new(),
            nodes_left: 0,
            edges_left: 0,
            items_left: 0,
            readers: Readers::default(),
        }
    }

    /// Folds a state event.
    pub fn fold(&mut self, numbered: &Numbered) -> Folded {
        if numbered.seq <= self.seq {
            return Folded::Old;
        }
        if numbered.seq != self.seq + 1 {
            return Folded::Gap;
        }
        self.seq = numbered.seq;
        match &numbered.event {
            StateEvent::RunUpdate(update) => self.fold_run(update),
            StateEvent::NodeUpdate(update) => self.fold_node(update),
        }
        Folded::Next
    }

    fn fold_run(&mut self, update: &RunUpdate) {
        let mut summary = Summary {
            status: self.status,
            started_at: self.started_at,
            start_order: self.start_order,
            ended_at: self.ended_at,
            error: self.error.take(),
            nodes_done: 0,
            spent: self.spent,
        };
        let changed = summary.fold_run(update);
        self.status = summary.status;
        self.started_at = summary.started_at;
        self.start_order = summary.start_order;
        self.ended_at = summary.ended_at;
        self.error = summary.error;
        if changed && self.status.is_ended() {
            self.outputs.clone_from(&update.outputs);
            if update.status == RunStatus::Cancelled {
                self.nodes.values_mut().for_each(|node| node.cancel(update.at));
            }
            self.nodes.values_mut().for_each(NodeState::end_live);
            self.end_edges();
        }
    }

    fn fold_node(&mut self, update: &NodeUpdate) {
        self.spent.add(&update.spent());
        self.nodes.entry(update.node.clone()).or_default().fold(update);
        self.move_edges(&update.node);
    }

    /// Folds a live event. It has an effect only while its attempt is running: the last reports of an attempt are in
    /// the state event of its end. What a node waits for is about the node, until that ends.
    pub fn fold_live(&mut self, event: &LiveEvent) {
        match event {
            // The activity of an edge follows from its reader; this event is for clients that don't fold state events.
            LiveEvent::EdgeUpdate { .. } => {}
            LiveEvent::NodeProgress { node, item, progress } => {
                if let Some(instance) = self.live_instance(node, *item) {
                    instance.progress = Some(progress.clone());
                }
            }
            LiveEvent::WaitUpdate { node, reason } => {
                let open = !self.status.is_ended();
                let node = self.nodes.get_mut(node).filter(|node| open && !node.whole.status.is_ended());
                if let Some(node) = node {
                    node.waits_for.clone_from(reason);
                }
            }
            LiveEvent::LocationUpdate { source, location } => {
                if let Some(instance) = self.live_instance(&source.node, source.item)
                    && let Some(attempt) = instance.attempts.last_mut()
                    && attempt.number == source.attempt
                {
                    attempt.location = Some(Box::new(location.clone()));
                }
            }
            LiveEvent::LogUpdate { node, item, end, last_line, attempt } => {
                if let Some(instance) = self.live_instance(node, *item)
                    && instance.attempt() == *attempt
                {
                    instance.log_end = *end;
                    if last_line.is_some() {
                        instance.last_line.clone_from(last_line);
                    }
                }
            }
            LiveEvent::MetricUpdate { node, item, name, value, .. } => {
                if let Some(instance) = self.live_instance(node, *item)
                    && (instance.metrics.len() < MAX_NAMES || instance.metrics.contains_key(name))
                {
                    instance.metrics.insert(name.clone(), *value);
                }
            }
            LiveEvent::PreviewUpdate { node, item, port, value } => {
                if let Some(instance) = self.live_instance(node, *item)
                    && (instance.previews.len() < MAX_NAMES || instance.previews.contains_key(port))
                {
                    instance.previews.insert(port.clone(), value.clone());
                }
            }
            LiveEvent::PlanningUpdate { source, .. }
            | LiveEvent::TaskUpdate { source, .. }
            | LiveEvent::ToolCallUpdate { source, .. }
            | LiveEvent::ToolResultUpdate { source, .. }
            | LiveEvent::Prediction { source, .. } => {
                if let Some(instance) = self.live_instance(&source.node, source.item)
                    && instance.attempt() == source.attempt
                {
                    let mut activity = instance.activity.take().unwrap_or_default();
                    activity.fold(event);
                    instance.activity = (!activity.is_empty()).then_some(activity);
                }
            }
        }
    }

    /// Returns the instance of a node or item while an attempt of it is running.
    fn live_instance(&mut self, node: &str, item: ItemPath) -> Option<&mut InstanceState> {
        if self.status.is_ended() {
            return None;
        }
        let node = self.nodes.get_mut(node)?;
        let instance = match item.0 {
            None => &mut node.whole,
            Some(index) => node.items.get_mut(&index)?,
        };
        instance.is_live().then_some(instance)
    }

    /// Returns the instance of a node or item.
    #[must_use]
    pub fn instance(&self, node: &str, item: ItemPath) -> Option<&InstanceState> {
        let node = self.nodes.get(node)?;
        match item.0 {
            None => Some(&node.whole),
            Some(index) => node.items.get(&index),
        }
    }

    /// Returns the cost and the tokens so far, with those that running nodes have reported.
    #[must_use]
    pub fn spent_so_far(&self) -> Spent {
        let mut spent = self.spent;
        self.nodes.values().for_each(|node| spent.add(&node.reported()));
        spent
    }

    /// Returns how many nodes have ended, without those that were cancelled.
    #[must_use]
    pub fn nodes_done(&self) -> usize {
        self.nodes.values().filter(|node| summary::counts(node.whole.status)).count()
    }

    /// Returns the summary, which equals the fold of its events into a [`Summary`].
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            status: self.status,
            started_at: self.started_at,
            start_order: self.start_order,
            ended_at: self.ended_at,
            error: self.error.clone(),
            nodes_done: u32::try_from(self.nodes_done()).unwrap_or(u32::MAX),
            spent: self.spent,
        }
    }
}

#[cfg(test)]
mod tests;
