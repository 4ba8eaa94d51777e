//! The one reducer: events fold into the state of a run, the same way in the daemon and in every client.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::event::{
    EdgeActivity, LiveEvent, NodeError, NodeUpdate, Numbered, Progress, RunUpdate, StateEvent,
};
use crate::id::AttemptId;
use crate::item::ItemPath;
use crate::run::{AttemptEnd, NodeStatus, RunStatus};
use crate::time::Time;
use crate::value::Value;

/// What is known of a run: the fold of its events.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunState {
    /// The number of the last state event in it.
    pub seq: u64,
    /// The state of the run.
    pub status: RunStatus,
    /// When it left the queue.
    pub started_at: Option<Time>,
    /// When it ended.
    pub ended_at: Option<Time>,
    /// Why it failed.
    pub error: Option<String>,
    /// The values of the workflow's outputs.
    pub outputs: IndexMap<String, Value>,
    /// Nodes by name, in the order of the file.
    pub nodes: IndexMap<String, NodeState>,
    /// Edges by name, once they were active.
    #[serde(default)]
    pub edges: IndexMap<String, EdgeActivity>,
}

/// What is known of a node.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NodeState {
    /// The node itself.
    #[serde(flatten)]
    pub whole: Instance,
    /// Of a node with `each`, once its list is known: how many items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u32>,
    /// Its items, those that had an event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "items_by_index")]
    pub items: BTreeMap<u32, Instance>,
}

/// JSON's keys are texts, and serde loses that they may be numbers inside a tagged enum such as a notification.
fn items_by_index<'de, D: serde::Deserializer<'de>>(from: D) -> Result<BTreeMap<u32, Instance>, D::Error> {
    let items = BTreeMap::<String, Instance>::deserialize(from)?;
    items
        .into_iter()
        .map(|(index, item)| Ok((index.parse().map_err(serde::de::Error::custom)?, item)))
        .collect()
}

/// What is known of one node, or of one item of it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct Instance {
    /// Its state.
    pub status: NodeStatus,
    /// Its attempts, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attempts: Vec<Attempt>,
    /// When the next attempt comes, after a failed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Time>,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
    /// What its ports put out, shortened.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub outputs: IndexMap<String, Value>,
    /// How far the attempt that runs is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// Newest numbers that it reported.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub metrics: IndexMap<String, f64>,
    /// What its ports will probably have.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub previews: IndexMap<String, Value>,
    /// Where its log ends, in bytes.
    #[serde(default)]
    pub log_end: u64,
    /// The last line of its log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_line: Option<String>,
}

/// One attempt.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// From 1.
    pub number: u32,
    /// Names it in the supervisor and in the folders; only of attempts that left the daemon's process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<AttemptId>,
    /// When it started.
    pub started_at: Time,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<AttemptEnd>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodeError>,
    /// What it cost in US dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_usd: Option<f64>,
}

/// Whether a state event was folded in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Folded {
    /// It was the next one.
    Next,
    /// It was there before; nothing changed.
    Old,
    /// Events before it are missing; nothing changed, a snapshot is needed.
    Gap,
}

impl RunState {
    /// A run that was just submitted, with these nodes.
    pub fn new<S: Into<String>>(nodes: impl IntoIterator<Item = S>) -> Self {
        Self {
            seq: 0,
            status: RunStatus::Queued,
            started_at: None,
            ended_at: None,
            error: None,
            outputs: IndexMap::new(),
            nodes: nodes.into_iter().map(|name| (name.into(), NodeState::default())).collect(),
            edges: IndexMap::new(),
        }
    }

    /// Folds in a state event.
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
        if self.status.is_ended() {
            return;
        }
        self.status = update.status;
        if update.status == RunStatus::Running {
            self.started_at.get_or_insert(update.at);
        }
        if update.status.is_ended() {
            self.ended_at = Some(update.at);
            self.error.clone_from(&update.error);
            self.outputs.clone_from(&update.outputs);
            for edge in self.edges.values_mut() {
                edge.active = false;
            }
            if update.status == RunStatus::Cancelled {
                self.nodes.values_mut().for_each(|node| node.cancel(update.at));
            }
        }
    }

    fn fold_node(&mut self, update: &NodeUpdate) {
        let node = self.nodes.entry(update.node.clone()).or_default();
        if update.items.is_some() {
            node.item_count = update.items;
        }
        let instance = match update.item.0 {
            None => &mut node.whole,
            Some(index) => node.items.entry(index).or_default(),
        };
        instance.fold(update);
    }

    /// Folds in a live event. An ended instance takes no more progress.
    pub fn fold_live(&mut self, event: &LiveEvent) {
        match event {
            LiveEvent::EdgeUpdate { edge, activity } => {
                self.edges.insert(edge.clone(), *activity);
            }
            LiveEvent::NodeProgress { node, item, progress } => {
                if let Some(instance) = self.instance_mut(node, *item)
                    && !instance.status.is_ended()
                {
                    instance.progress = Some(progress.clone());
                }
            }
            LiveEvent::LogUpdate { node, item, end, last_line, attempt } => {
                if let Some(instance) = self.instance_mut(node, *item)
                    && instance.attempt() <= *attempt
                {
                    instance.log_end = *end;
                    if last_line.is_some() {
                        instance.last_line.clone_from(last_line);
                    }
                }
            }
            LiveEvent::MetricUpdate { node, item, name, value, .. } => {
                if let Some(instance) = self.instance_mut(node, *item) {
                    instance.metrics.insert(name.clone(), *value);
                }
            }
            LiveEvent::PreviewUpdate { node, item, port, value } => {
                if let Some(instance) = self.instance_mut(node, *item)
                    && !instance.status.is_ended()
                {
                    instance.previews.insert(port.clone(), value.clone());
                }
            }
        }
    }

    fn instance_mut(&mut self, node: &str, item: ItemPath) -> Option<&mut Instance> {
        let node = self.nodes.get_mut(node)?;
        Some(match item.0 {
            None => &mut node.whole,
            Some(index) => node.items.entry(index).or_default(),
        })
    }

    /// The instance of a node or item.
    #[must_use]
    pub fn instance(&self, node: &str, item: ItemPath) -> Option<&Instance> {
        let node = self.nodes.get(node)?;
        match item.0 {
            None => Some(&node.whole),
            Some(index) => node.items.get(&index),
        }
    }

    /// How many nodes ended.
    #[must_use]
    pub fn nodes_done(&self) -> usize {
        self.nodes.values().filter(|node| node.whole.status.is_ended()).count()
    }
}

impl NodeState {
    /// The run was cancelled: whatever had not ended was.
    fn cancel(&mut self, at: Time) {
        for instance in self.items.values_mut().chain([&mut self.whole]) {
            if !instance.status.is_ended() {
                instance.status = NodeStatus::Cancelled;
                instance.ended_at = Some(at);
                instance.retry_at = None;
                instance.progress = None;
                instance.previews.clear();
            }
        }
    }

    /// How many items ended.
    #[must_use]
    pub fn items_done(&self) -> usize {
        self.items.values().filter(|item| item.status.is_ended()).count()
    }

    /// What an edge into this node does while the node is like this.
    #[must_use]
    pub fn edge_activity(&self) -> EdgeActivity {
        let instances = || self.items.values().chain(self.items.is_empty().then_some(&self.whole));
        EdgeActivity {
            active: instances().any(|it| it.status == NodeStatus::Running),
            count: instances().filter(|it| it.status.has_values() || it.status == NodeStatus::Failed).count()
                as u32,
        }
    }
}

impl Instance {
    /// The number of its newest attempt; 0 before the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.attempts.last().map_or(0, |attempt| attempt.number)
    }

    /// When its newest attempt started.
    #[must_use]
    pub fn started_at(&self) -> Option<Time> {
        self.attempts.last().map(|attempt| attempt.started_at)
    }

    fn fold(&mut self, update: &NodeUpdate) {
        if self.status.is_ended() {
            return;
        }
        self.status = update.status;
        self.retry_at = update.retry_at;
        if let Some(number) = update.attempt {
            if self.attempt() < number {
                self.attempts.push(Attempt {
                    number,
                    id: update.attempt_id,
                    started_at: update.started_at.unwrap_or(update.at),
                    ended_at: None,
                    end: None,
                    error: None,
                    cost_usd: None,
                });
                self.progress = None;
                self.log_end = 0;
                self.last_line = None;
            }
            if let (Some(attempt), Some(end)) = (self.attempts.last_mut(), update.ended) {
                attempt.ended_at = Some(update.at);
                attempt.end = Some(end);
                attempt.error.clone_from(&update.error);
                attempt.cost_usd = update.cost_usd;
            }
        }
        if update.status.is_ended() {
            self.ended_at = Some(update.at);
            self.error.clone_from(&update.error);
            self.outputs.clone_from(&update.outputs);
            self.progress = None;
            self.previews.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(seq: u64, update: NodeUpdate) -> Numbered {
        Numbered { seq, event: StateEvent::NodeUpdate(update) }
    }

    fn update(status: NodeStatus, attempt: u32) -> NodeUpdate {
        let mut update = NodeUpdate::new("a", ItemPath::WHOLE, status, Time(i64::from(attempt)));
        update.attempt = Some(attempt);
        update
    }

    #[test]
    fn a_gap_changes_nothing() {
        let mut state = RunState::new(["a"]);
        assert_eq!(state.fold(&numbered(2, update(NodeStatus::Running, 1))), Folded::Gap);
        assert_eq!(state, RunState::new(["a"]));
    }

    #[test]
    fn what_came_before_is_not_folded_twice() {
        let mut state = RunState::new(["a"]);
        let event = numbered(1, update(NodeStatus::Running, 1));
        assert_eq!(state.fold(&event), Folded::Next);
        let once = state.clone();
        assert_eq!(state.fold(&event), Folded::Old);
        assert_eq!(state, once);
    }

    #[test]
    fn a_terminal_state_never_changes() {
        let mut state = RunState::new(["a"]);
        state.fold(&numbered(1, update(NodeStatus::Completed, 1)));
        state.fold(&numbered(2, update(NodeStatus::Failed, 2)));
        assert_eq!(state.nodes["a"].whole.status, NodeStatus::Completed);
        assert_eq!(state.seq, 2);
    }

    #[test]
    fn every_attempt_is_kept() {
        let mut state = RunState::new(["a"]);
        state.fold(&numbered(1, update(NodeStatus::Running, 1)));
        let mut failed = update(NodeStatus::Waiting, 1);
        failed.ended = Some(AttemptEnd::Failed);
        failed.error = Some(NodeError::new("no luck"));
        state.fold(&numbered(2, failed));
        state.fold(&numbered(3, update(NodeStatus::Running, 2)));
        let whole = &state.nodes["a"].whole;
        assert_eq!(whole.attempts.len(), 2);
        assert_eq!(whole.attempts[0].end, Some(AttemptEnd::Failed));
        assert_eq!(whole.status, NodeStatus::Running);
        assert_eq!(whole.error, None);
    }

    #[test]
    fn progress_of_an_ended_node_is_dropped() {
        let mut state = RunState::new(["a"]);
        state.fold(&numbered(1, update(NodeStatus::Completed, 1)));
        state.fold_live(&LiveEvent::NodeProgress {
            node: "a".into(),
            item: ItemPath::WHOLE,
            progress: Progress { fraction: Some(0.5), message: None },
        });
        assert_eq!(state.nodes["a"].whole.progress, None);
    }
}
