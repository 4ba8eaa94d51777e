//! The edges of a run: the activity of an edge follows from the node that reads it.

use std::collections::HashMap;
use std::sync::Arc;

use super::{NodeState, RunState};
use crate::event::EdgeActivity;

/// The edges of a workflow by name, and which of them each node reads: the same for all its runs.
#[derive(Clone, Debug, Default)]
pub struct Edges {
    names: Vec<String>,
    readers: Readers,
}

impl Edges {
    /// Returns the edges with these names.
    #[must_use]
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let readers = Readers::new(names.iter().map(String::as_str));
        Self { names, readers }
    }

    /// Returns their names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The indexes of edges in [`RunState::edges`] by the node that reads them.
#[derive(Clone, Debug, Default)]
pub(super) struct Readers {
    /// How many edges it was built from.
    edges: usize,
    places: Arc<HashMap<String, Vec<usize>>>,
}

impl Readers {
    fn new<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        let mut edges = 0;
        for edge in names {
            places.entry(reader(edge).to_owned()).or_default().push(edges);
            edges += 1;
        }
        Self { edges, places: Arc::new(places) }
    }
}

/// It is derived from the names, so it doesn't affect equality.
impl PartialEq for Readers {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

/// Returns the node that reads an edge: `framed` of `sky.image>framed.image`.
fn reader(edge: &str) -> &str {
    let (_, to) = edge.rsplit_once('>').unwrap_or_default();
    to.split_once('.').map_or(to, |(node, _)| node)
}

impl RunState {
    /// Returns the state of the same run with these edges.
    #[must_use]
    pub fn with_edges(mut self, edges: &Edges) -> Self {
        self.edges = edges.names.iter().map(|edge| (edge.clone(), EdgeActivity::default())).collect();
        self.readers = edges.readers.clone();
        let active = |(_, node): &(&String, &NodeState)| node.edge_activity() != EdgeActivity::default();
        let nodes: Vec<String> = self.nodes.iter().filter(active).map(|(name, _)| name.clone()).collect();
        nodes.iter().for_each(|node| self.move_edges(node));
        self
    }

    /// Returns the edges that a node reads, by name.
    pub fn edges_into<'a>(&'a self, node: &'a str) -> impl Iterator<Item = (&'a str, EdgeActivity)> {
        let is_known = self.knows_readers();
        let places = self.readers.places.get(node).filter(|_| is_known).into_iter().flatten().copied();
        let all = if is_known { 0..0 } else { 0..self.edges.len() };
        let edges = places.chain(all).filter_map(|at| self.edges.get_index(at));
        let edges = edges.filter(move |(edge, _)| is_known || reader(edge) == node);
        edges.map(|(edge, activity)| (edge.as_str(), *activity))
    }

    /// Returns whether it knows which edges each node reads. A state that came over the wire has names only.
    fn knows_readers(&self) -> bool {
        self.readers.edges == self.edges.len()
    }

    /// Updates the edges that a changed node reads.
    pub(super) fn move_edges(&mut self, node: &str) {
        if !self.knows_readers() {
            self.readers = Readers::new(self.edges.keys().map(String::as_str));
        }
        let (Some(places), Some(state)) = (self.readers.places.get(node), self.nodes.get(node)) else {
            return;
        };
        let mut activity = state.edge_activity();
        // No edge is active once the run has ended.
        activity.active &= !self.status.is_ended();
        for at in places {
            if let Some((_, known)) = self.edges.get_index_mut(*at) {
                *known = activity;
            }
        }
    }

    /// Ends the activity of all edges when the run has ended.
    pub(super) fn end_edges(&mut self) {
        let nodes: Vec<String> = self.nodes.keys().cloned().collect();
        nodes.iter().for_each(|node| self.move_edges(node));
        self.edges.values_mut().for_each(|edge| edge.active = false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_from_the_wire_knows_the_edges_of_each_node_at_once() {
        let edges = Edges::new(["sky.image>wide.image", "wide.image>poster.image", "sky.image>poster.sky"]);
        let state = RunState::new(["sky", "wide", "poster"]).with_edges(&edges);
        let json = serde_json::to_string(&state).unwrap();
        let received: RunState = serde_json::from_str(&json).unwrap();
        for state in [&state, &received] {
            let into = |node| state.edges_into(node).map(|(edge, _)| edge.to_owned()).collect::<Vec<_>>();
            assert_eq!(into("poster"), ["wide.image>poster.image", "sky.image>poster.sky"]);
            assert_eq!(into("sky"), [""; 0]);
        }
    }
}
