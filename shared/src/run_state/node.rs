//! A node of a run, and its items.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Instance, is_zero};
use crate::event::{EdgeActivity, NodeError, NodeUpdate};
use crate::run::NodeStatus;
use crate::time::Time;
use crate::value::cut;

/// The state of a node.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodeState {
    /// The node itself.
    #[serde(flatten)]
    pub whole: Instance,
    /// Of a node with `each`, once its list is known: how many items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u32>,
    /// How many of its items run. This and the next four are counted along: a node may have 100,000 items, and the counts
    /// are right before all of those were told.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_running: u32,
    /// How many of its items ran to an end: completed, cached or failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_ran: u32,
    /// How many of its items ended, those that were skipped or cancelled among them.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_done: u32,
    /// How many of its items failed. Once a node with `on_item_error: drop` completes, these are the dropped ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_failed: u32,
    /// How many of its items were skipped: holes in its lists, as the dropped ones are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_skipped: u32,
    /// Why items failed, in short: those of the lowest indexes, at most [`ITEM_ERRORS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub item_errors: Vec<ItemError>,
    /// Its items, those that had an event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "items_by_index")]
    pub items: BTreeMap<u32, Instance>,
}

/// How many failed items a [`NodeState`] names with their reason; the rest is in its items.
pub const ITEM_ERRORS: usize = 8;

/// The most characters of such a reason; the item itself has all of it.
const REASON_CHARS: usize = 400;

/// Why an item failed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ItemError {
    /// The item's index.
    pub item: u32,
    /// Why.
    #[serde(flatten)]
    pub error: NodeError,
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
        let error =
            (before != after && after == NodeStatus::Failed).then(|| item.error.clone().unwrap_or_default());
        self.count(before, after);
        if let Some(error) = error {
            self.add_item_error(index, error);
        }
    }

    /// Keeps the reasons of the failed items with the lowest indexes, in their order.
    fn add_item_error(&mut self, item: u32, mut error: NodeError) {
        error.message = cut(&error.message, REASON_CHARS);
        error.last_line = error.last_line.map(|line| cut(&line, REASON_CHARS));
        let at = self.item_errors.partition_point(|known| known.item < item);
        if at < ITEM_ERRORS {
            self.item_errors.insert(at, ItemError { item, error });
            self.item_errors.truncate(ITEM_ERRORS);
        }
    }

    /// An item went from one state to another.
    fn count(&mut self, before: NodeStatus, after: NodeStatus) {
        let moved = |count: &mut u32, counts: fn(NodeStatus) -> bool| {
            *count = (*count + u32::from(counts(after))).saturating_sub(u32::from(counts(before)));
        };
        moved(&mut self.items_running, |status| status == NodeStatus::Running);
        moved(&mut self.items_ran, ran);
        moved(&mut self.items_done, NodeStatus::is_ended);
        moved(&mut self.items_failed, |status| status == NodeStatus::Failed);
        moved(&mut self.items_skipped, |status| status == NodeStatus::Skipped);
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

    /// The run ended: no attempt reports anything any more.
    pub(super) fn end_live(&mut self) {
        self.whole.end_live();
        self.items.values_mut().for_each(Instance::end_live);
    }

    /// How many items the node left out of its lists because they failed: it completed without them.
    #[must_use]
    pub fn items_dropped(&self) -> u32 {
        if self.whole.status.has_values() { self.items_failed } else { 0 }
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
