//! Splits a state into parts: one with 100,000 items or 10,000 nodes is too large for one message.
//!
//! The first part is the state with its first nodes, edges and items, and the numbers of those left. Further nodes and
//! edges follow in the order of the file, then items, each part for one node. All parts together restore the state,
//! however they were cut.

use std::collections::BTreeMap;

use super::edges::Readers;
use super::{InstanceState, NodeState, RunState};
use crate::event::EdgeActivity;

/// Items of one node, by index.
pub type Items = BTreeMap<u32, InstanceState>;

impl NodeState {
    /// Returns the node without its items.
    #[must_use]
    pub fn without_items(&self) -> Self {
        Self {
            whole: self.whole.clone(),
            items: Items::new(),
            waits_for: self.waits_for.clone(),
            item_skips: self.item_skips.clone(),
            item_errors: self.item_errors.clone(),
            programs: self.programs.clone(),
            ..*self
        }
    }
}

impl RunState {
    /// Returns the state without nodes, edges and items, which are all counted as left.
    #[must_use]
    pub fn without_parts(&self) -> Self {
        let items = self.nodes.values().map(|node| node.items.len() as u64).sum::<u64>();
        Self {
            error: self.error.clone(),
            outputs: self.outputs.clone(),
            nodes: Default::default(),
            edges: Default::default(),
            nodes_left: self.nodes_left + self.nodes.len() as u64,
            edges_left: self.edges_left + self.edges.len() as u64,
            items_left: self.items_left + items,
            readers: Readers::default(),
            ..*self
        }
    }

    /// Returns the state without its items, which are all counted as left.
    #[must_use]
    pub fn without_items(&self) -> Self {
        let mut state = self.without_parts();
        state.take_nodes(self.nodes.iter().map(|(name, node)| (name.clone(), node.without_items())));
        state.take_edges(self.edges.clone());
        state
    }

    /// Adds the nodes of a further part, without their items. Existing ones stay as they are.
    pub fn take_nodes(&mut self, nodes: impl IntoIterator<Item = (String, NodeState)>) {
        let before = self.nodes.len();
        for (name, node) in nodes {
            self.nodes.entry(name).or_insert(node);
        }
        self.nodes_left = self.nodes_left.saturating_sub((self.nodes.len() - before) as u64);
    }

    /// Adds the edges of a further part. Existing ones stay as they are.
    pub fn take_edges(&mut self, edges: impl IntoIterator<Item = (String, EdgeActivity)>) {
        let before = self.edges.len();
        for (name, edge) in edges {
            self.edges.entry(name).or_insert(edge);
        }
        self.edges_left = self.edges_left.saturating_sub((self.edges.len() - before) as u64);
    }

    /// Adds the items of a node from a further part. Existing ones stay as they are.
    pub fn take_items(&mut self, node: &str, items: impl IntoIterator<Item = (u32, InstanceState)>) {
        let Some(node) = self.nodes.get_mut(node) else { return };
        let before = node.items.len();
        for (index, item) in items {
            node.items.entry(index).or_insert(item);
        }
        self.items_left = self.items_left.saturating_sub((node.items.len() - before) as u64);
    }

    /// Returns how many nodes, edges and items are missing.
    #[must_use]
    pub fn parts_left(&self) -> u64 {
        self.nodes_left + self.edges_left + self.items_left
    }

    /// Returns whether it has every node, edge and item. Events can't be folded into an incomplete state.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.parts_left() == 0
    }
}
