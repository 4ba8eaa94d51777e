//! A state in parts: one with 100,000 items is too large for one message.
//!
//! The first part is the state with some of its items, or none, and says how many are left. The others are items of one
//! node each. Taken in, in any order and however they were cut, they are the state again.

use std::collections::BTreeMap;

use super::{Instance, NodeState, RunState};

/// Items of one node, by index.
pub type Items = BTreeMap<u32, Instance>;

impl RunState {
    /// The state without its items; all of them are left.
    #[must_use]
    pub fn without_items(&self) -> Self {
        let bare = |node: &NodeState| NodeState {
            whole: node.whole.clone(),
            items: Items::new(),
            item_errors: node.item_errors.clone(),
            ..*node
        };
        let items = self.nodes.values().map(|node| node.items.len() as u64).sum::<u64>();
        Self {
            error: self.error.clone(),
            outputs: self.outputs.clone(),
            nodes: self.nodes.iter().map(|(name, node)| (name.clone(), bare(node))).collect(),
            edges: self.edges.clone(),
            items_left: self.items_left + items,
            ..*self
        }
    }

    /// Takes in items of a node that were left. One that is here already stays as it is.
    pub fn take_items(&mut self, node: &str, items: impl IntoIterator<Item = (u32, Instance)>) {
        let Some(node) = self.nodes.get_mut(node) else { return };
        let before = node.items.len();
        for (index, item) in items {
            node.items.entry(index).or_insert(item);
        }
        self.items_left = self.items_left.saturating_sub((node.items.len() - before) as u64);
    }

    /// Whether every item is in it. One that is not whole can't be gone on with by events.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.items_left == 0
    }
}
