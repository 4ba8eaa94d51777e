//! The graph as a list, sources first, with lanes beside the names: drawn by `renderdag`, which only this file uses.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use renderdag::{Ancestor, GraphRowRenderer, Renderer};

/// Nodes above which lanes would be wider than any screen and take seconds.
const MAX_NODES: usize = 2_500;

/// Placeholder of a node's state in the output of the library.
const GLYPH: char = '\u{1}';
/// Placeholder of its name.
const NAME: char = '\u{2}';

/// A row of the list.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lane {
    /// The node in it; `None` if lanes only join or split.
    pub node: Option<usize>,
    /// Lanes on the left of the node's state.
    pub before: String,
    /// Lanes on the right of it, up to its name.
    pub after: String,
}

/// Returns the nodes in topological order, otherwise in the order of the file.
#[must_use]
pub fn order(nodes: usize, links: &[(usize, usize)]) -> Vec<usize> {
    let mut open = vec![0usize; nodes];
    let mut readers = vec![Vec::new(); nodes];
    for (from, to) in links {
        open[*to] += 1;
        readers[*from].push(*to);
    }
    let mut free: BinaryHeap<Reverse<usize>> =
        (0..nodes).filter(|node| open[*node] == 0).map(Reverse).collect();
    let mut order = Vec::with_capacity(nodes);
    while let Some(Reverse(node)) = free.pop() {
        order.push(node);
        for reader in &readers[node] {
            open[*reader] -= 1;
            if open[*reader] == 0 {
                free.push(Reverse(*reader));
            }
        }
    }
    order
}

/// Returns the rows of the list.
#[must_use]
pub fn lanes(nodes: usize, links: &[(usize, usize)]) -> Vec<Lane> {
    let order = order(nodes, links);
    if nodes > MAX_NODES || links.len() > 4 * MAX_NODES {
        let bare = |node| Lane { node: Some(node), before: String::new(), after: String::new() };
        return order.into_iter().map(bare).collect();
    }
    let mut readers = vec![Vec::new(); nodes];
    for (from, to) in links {
        readers[*from].push(*to);
    }
    let mut renderer = GraphRowRenderer::new().output().with_min_row_height(1).build_box_drawing();
    let mut lanes = Vec::with_capacity(nodes * 2);
    for node in order {
        // The library draws histories, newest first: its parents are below.
        let below = readers[node].iter().copied().map(Ancestor::Parent).collect();
        let text = renderer.next_row(node, below, GLYPH.to_string(), NAME.to_string());
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            lanes.push(match line.split_once(GLYPH) {
                Some((before, after)) => Lane {
                    node: Some(node),
                    before: before.to_owned(),
                    after: after.trim_end_matches(NAME).to_owned(),
                },
                None => Lane { node: None, before: line.to_owned(), after: String::new() },
            });
        }
    }
    lanes
}
