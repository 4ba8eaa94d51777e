//! A node of a run, and its items.

use std::collections::BTreeMap;

#[cfg(feature = "schema")]
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{InstanceState, is_zero};
use crate::event::{EdgeActivity, NodeError, NodeUpdate};
use crate::lineage::ProgramFile;
use crate::run::NodeStatus;
use crate::spent::Spent;
use crate::time::Time;
use crate::value::cut;

/// The state of a node.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct NodeState {
    /// The node itself.
    #[serde(flatten)]
    pub whole: InstanceState,
    /// The pool or the lock that it, or one of its items, waits for, as a sentence for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waits_for: Option<String>,
    /// Of a node with `each`, once its list is known: the number of items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_count: Option<u32>,
    /// How many of its items are running. This count and the next four are maintained as events arrive: a node may have
    /// 100,000 items, and the counts must be right before all of them are known.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_running: u32,
    /// How many of its items have finished: completed, cached or failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_ran: u32,
    /// How many of its items have ended, including skipped and cancelled ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_done: u32,
    /// How many of its items failed. Once a node with `on_item_error: drop` completes, these are the dropped ones.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_failed: u32,
    /// How many of its items were skipped: holes in its lists, as the dropped ones are.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub items_skipped: u32,
    /// The shortened reasons of the skipped items with the lowest indexes, at most [`ITEM_ERRORS`], without those whose
    /// `if` is false: a node is expected to leave these out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub item_skips: Vec<ItemError>,
    /// The shortened errors of the failed items with the lowest indexes, at most [`ITEM_ERRORS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub item_errors: Vec<ItemError>,
    /// The cost and the tokens of its attempts, and those of its items, that have ended.
    #[serde(default, skip_serializing_if = "Spent::is_nothing")]
    pub spent: Spent,
    /// The files of the programs that its commands ran, each once, at most [`MAX_PROGRAMS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<ProgramFile>,
    /// Its items that have had an event.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty", deserialize_with = "items_by_index")]
    pub items: BTreeMap<u32, InstanceState>,
}

/// The reason of a node or an item that is skipped because its `if` is false.
pub const CONDITION_IS_FALSE: &str = "its `if` is false";

/// The most failed items whose errors are in [`NodeState`], and the most skipped ones; the others are in its items.
pub const ITEM_ERRORS: usize = 8;

/// The most files of programs of a node.
pub const MAX_PROGRAMS: usize = 32;

/// The most characters of such an error; the item itself has all of it.
const MAX_ERROR_CHARS: usize = 400;

/// Why an item failed or was skipped.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(JsonSchema))]
pub struct ItemError {
    /// The item's index.
    pub item: u32,
    /// Why.
    #[serde(flatten)]
    pub error: NodeError,
}

/// Reads items by index. JSON's keys are texts, and inside a tagged enum such as a notification, serde does not convert
/// them to numbers.
pub(crate) fn items_by_index<'de, D: serde::Deserializer<'de>>(
    from: D,
) -> Result<BTreeMap<u32, InstanceState>, D::Error> {
    let items = BTreeMap::<String, InstanceState>::deserialize(from)?;
    items
        .into_iter()
        .map(|(index, item)| Ok((index.parse().map_err(serde::de::Error::custom)?, item)))
        .collect()
}

impl NodeState {
    pub(super) fn fold(&mut self, update: &NodeUpdate) {
        self.spent.add(&update.spent());
        if update.items.is_some() {
            self.item_count = update.items;
        }
        for program in &update.programs {
            if self.programs.len() < MAX_PROGRAMS && !self.programs.contains(program) {
                self.programs.push(program.clone());
            }
        }
        let Some(index) = update.item.0 else {
            self.whole.fold(update);
            if self.whole.status.is_ended() {
                self.waits_for = None;
            }
            return;
        };
        let item = self.items.entry(index).or_default();
        let before = item.status;
        item.fold(update);
        let after = item.status;
        let reason = (before != after).then(|| item.error.clone().unwrap_or_default());
        self.count(before, after);
        match (after, reason) {
            (NodeStatus::Failed, Some(error)) => add_reason(&mut self.item_errors, index, error),
            (NodeStatus::Skipped, Some(reason)) if reason.message != CONDITION_IS_FALSE => {
                add_reason(&mut self.item_skips, index, reason);
            }
            _ => {}
        }
    }

    /// Counts an item that changed its state.
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

    /// Ends everything that had not ended as cancelled.
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
        self.waits_for = None;
    }

    /// Removes live values when the run has ended.
    pub(super) fn end_live(&mut self) {
        self.waits_for = None;
        self.whole.end_live();
        self.items.values_mut().for_each(InstanceState::end_live);
    }

    /// Returns the cost and the tokens so far: with those that its running attempt has reported, but not those of running
    /// items.
    #[must_use]
    pub fn spent_so_far(&self) -> Spent {
        let mut spent = self.spent;
        spent.add(&self.reported());
        spent
    }

    /// Returns the cost and the tokens that its running attempt has reported.
    pub(super) fn reported(&self) -> Spent {
        let mut spent = Spent::default();
        if self.whole.is_live()
            && let Some(activity) = &self.whole.activity
        {
            activity.predictions.iter().for_each(|it| spent.add(&it.spent()));
        }
        spent
    }

    /// Returns how many failed items the node dropped from its lists; it completed without them.
    #[must_use]
    pub fn items_dropped(&self) -> u32 {
        if self.whole.status.has_values() { self.items_failed } else { 0 }
    }

    /// Returns whether it, or an item of it, is running.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.edge_activity().active
    }

    /// Returns the activity of an edge into this node.
    #[must_use]
    pub fn edge_activity(&self) -> EdgeActivity {
        if self.items.is_empty() && self.items_running + self.items_done == 0 {
            let status = self.whole.status;
            return EdgeActivity { active: status == NodeStatus::Running, count: u32::from(ran(status)) };
        }
        EdgeActivity { active: self.items_running > 0, count: self.items_ran }
    }
}

/// Adds the reason of an item, keeping those with the lowest indexes, in order.
fn add_reason(known: &mut Vec<ItemError>, item: u32, mut error: NodeError) {
    error.message = cut(&error.message, MAX_ERROR_CHARS);
    error.last_line = error.last_line.map(|line| cut(&line, MAX_ERROR_CHARS));
    let at = known.partition_point(|known| known.item < item);
    if at < ITEM_ERRORS {
        known.insert(at, ItemError { item, error });
        known.truncate(ITEM_ERRORS);
    }
}

/// Returns whether a node with this state has run to its end.
fn ran(status: NodeStatus) -> bool {
    status.has_values() || status == NodeStatus::Failed
}
