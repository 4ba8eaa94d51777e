//! A node of a run, and its items.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Instance, is_zero};
use crate::event::{EdgeActivity, NodeUpdate};
use crate::run::NodeStatus;
use crate::time::Time;

/// What is known of a node.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize, JsonSchema)]
pub struct NodeState {
    /// The node itself.
    #[serde(flatten)]
    pub whole: Instance,
    /// Of a node with `each`, once its list is known: how many items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u32>,
    /// How many of its items run. This and the next two are counted along: a node may have 100,000 items, and the counts
    /// are right before all of those were told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_running: u32,
    /// How many of its items ran to an end: completed, cached or failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_ran: u32,
    /// How many of its items ended, those that were skipped or cancelled among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_done: u32,
    /// Its items, those that had an event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "items_by_index")]
    pub items: BTreeMap<u32, Instance>,
}

/// JSON's keys are texts, and serde loses that they may be numbers inside a tagged enum such as a notification.
pub(crate) fn items_by_index<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<u32, Instance>, D::Error> {
    let items = BTreeMap::<String, Instance>::deserialize(from)?;
    items
        .into_iter()
        .map(|(index, item)| Ok((index.parse().map_err(serde::de::Error::custom)?, item)))
        .collect()
}

impl NodeState {
    pub(super) fn fold(&mut self, update: &NodeUpdate) {
        if update.items.is_some() {
            self.item_count = update.items;
        }
        let Some(index) = update.item.0 else { return self.whole.fold(update) };
        let item = self.items.entry(index).or_default();
        let before = item.status;
        item.fold(update);
        let after = item.status;
        self.count(before, after);
    }

    /// An item went from one state to another.
    fn count(&mut self, before: NodeStatus, after: NodeStatus) {
        let moved = |count: &mut u32, counts: fn(NodeStatus) -> bool| {
            *count = (*count + u32::from(counts(after))).saturating_sub(u32::from(counts(before)));
        };
        moved(&mut self.items_running, |status| status == NodeStatus::Running);
        moved(&mut self.items_ran, ran);
        moved(&mut self.items_done, NodeStatus::is_ended);
    }

    /// The run was cancelled: whatever had not ended was.
    pub(super) fn cancel(&mut self, at: Time) {
        let mut cancelled = Vec::new();
        for item in self.items.values_mut() {
            let before = item.status;
            item.cancel(at);
            cancelled.push((before, item.status));
        }
        for (before, after) in cancelled {
            self.count(before, after);
        }
        self.whole.cancel(at);
    }

    /// Whether it, or an item of it, runs.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.edge_activity().active
    }

    /// What an edge into this node does while the node is like this.
    #[must_use]
    pub fn edge_activity(&self) -> EdgeActivity {
        if self.items.is_empty() && self.items_running + self.items_done == 0 {
            let status = self.whole.status;
            return EdgeActivity { active: status == NodeStatus::Running, count: u32::from(ran(status)) };
        }
        EdgeActivity { active: self.items_running > 0, count: self.items_ran }
    }
}

/// Whether something ran to an end.
fn ran(status: NodeStatus) -> bool {
    status.has_values() || status == NodeStatus::Failed
}
