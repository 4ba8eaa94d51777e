//! The edges of a run: what an edge does follows from the node that reads it.

use std::collections::HashMap;
use std::sync::Arc;

use super::RunState;
use crate::event::EdgeActivity;

/// The places of edges in [`RunState::edges`] by the node that reads them: made from the names when it is first needed.
#[derive(Clone, Debug, Default)]
pub(super) struct Readers {
    /// How many edges it was made from.
    edges: usize,
    places: Arc<HashMap<String, Vec<usize>>>,
}

/// It says nothing that the names don't.
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
    /// The state of the same run with these edges, by name.
    #[must_use]
    pub fn with_edges<S: Into<String>>(mut self, edges: impl IntoIterator<Item = S>) -> Self {
        self.edges = edges.into_iter().map(|edge| (edge.into(), EdgeActivity::default())).collect();
        let mut nodes: Vec<String> = self.edges.keys().map(|edge| reader(edge).to_owned()).collect();
        nodes.dedup();
        nodes.iter().for_each(|node| self.move_edges(node));
        self
    }

    /// The edges that a node reads, by name.
    pub fn edges_into<'a>(&'a self, node: &'a str) -> impl Iterator<Item = (&'a str, EdgeActivity)> {
        let edges = self.edges.iter().filter(move |(edge, _)| reader(edge) == node);
        edges.map(|(edge, activity)| (edge.as_str(), *activity))
    }

    /// A node changed: the edges that it reads do what it does.
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
        // Nothing is carried any more once the run ended.
        activity.active &= !self.status.is_ended();
        for at in places {
            if let Some((_, known)) = self.edges.get_index_mut(*at) {
                *known = activity;
            }
        }
    }

    /// The run ended: whatever its nodes were doing, nothing is carried any more.
    pub(super) fn end_edges(&mut self) {
        let nodes: Vec<String> = self.nodes.keys().cloned().collect();
        nodes.iter().for_each(|node| self.move_edges(node));
        self.edges.values_mut().for_each(|edge| edge.active = false);
    }
}
