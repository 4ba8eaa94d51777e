//! The edges of a run: the activity of an edge follows from the node that reads it.

use std::collections::HashMap;
use std::sync::Arc;

use super::RunState;
use crate::event::EdgeActivity;

/// The indexes of edges in [`RunState::edges`] by the node that reads them; built from the names when first needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Readers {
    /// How many edges it was built from.
    edges: usize,
    places: Arc<HashMap<String, Vec<usize>>>,
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
    /// Returns the state of the same run with these edges, by name.
    #[must_use]
    pub fn with_edges<S: Into<String>>(mut self, edges: impl IntoIterator<Item = S>) -> Self {
        self.edges = edges.into_iter().map(|edge| (edge.into(), EdgeActivity::default())).collect();
        let mut nodes: Vec<String> = self.edges.keys().map(|edge| reader(edge).to_owned()).collect();
        nodes.dedup();
        nodes.iter().for_each(|node| self.move_edges(node));
        self
    }

    /// Returns the edges that a node reads, by name.
    pub fn edges_into<'a>(&'a self, node: &'a str) -> impl Iterator<Item = (&'a str, EdgeActivity)> {
        let edges = self.edges.iter().filter(move |(edge, _)| reader(edge) == node);
        edges.map(|(edge, activity)| (edge.as_str(), *activity))
    }

    /// Updates the edges that a changed node reads.
    pub(super) fn move_edges(&mut self, node: &str) {
        if self.readers.edges != self.edges.len() {
            let mut places: HashMap<String, Vec<usize>> = HashMap::new();
            for (at, edge) in self.edges.keys().enumerate() {
                places.entry(reader(edge).to_owned()).or_default().push(at);
            }
            self.readers = Readers { edges: self.edges.len(), places: Arc::new(places) };
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
