//! A node of a run, and its items.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Instance;
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
    /// How many of its items ended, counted along: right before they were told.
    #[serde(default, skip_serializing_if = "is_none")]
    pub items_done: u32,
    /// Its items, those that had an event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "items_by_index")]
    pub items: BTreeMap<u32, Instance>,
}

fn is_none(count: &u32) -> bool {
    *count == 0
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
        let had_ended = item.status.is_ended();
        item.fold(update);
        self.items_done += u32::from(!had_ended && item.status.is_ended());
    }

    /// The run was cancelled: whatever had not ended was.
    pub(super) fn cancel(&mut self, at: Time) {
        for item in self.items.values_mut() {
            self.items_done += u32::from(item.cancel(at));
        }
        self.whole.cancel(at);
    }

    /// Whether it, or an item of it, runs.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.instances().any(|it| it.status == NodeStatus::Running)
    }

    /// What an edge into this node does while the node is like this.
    #[must_use]
    pub fn edge_activity(&self) -> EdgeActivity {
        let ended = |it: &&Instance| it.status.has_values() || it.status == NodeStatus::Failed;
        EdgeActivity { active: self.is_busy(), count: self.instances().filter(ended).count() as u32 }
    }

    /// Its items; the node itself where there are none.
    fn instances(&self) -> impl Iterator<Item = &Instance> {
        self.items.values().chain(self.items.is_empty().then_some(&self.whole))
    }
}
