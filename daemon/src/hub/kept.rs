//! An active run as the hub keeps it: its state, its newest events, and what its edges do.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use fanlight_shared::event::{LiveEvent, Numbered, StateEvent};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{Folded, Instance, NodeState, RunState};

/// How many numbered events of a run are kept for clients that come back.
const RING: usize = 1024;
/// Beyond so many live values a snapshot is the shorter answer.
const LIVE: usize = 1024;

/// An active run.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) run: Arc<Run>,
    pub(super) state: Arc<RunState>,
    ring: VecDeque<Numbered>,
    /// Edges by the node that reads them.
    edges: HashMap<String, Vec<String>>,
}

impl Kept {
    pub(super) fn new(run: &Run, state: RunState, edges: Vec<(String, String)>) -> Self {
        let mut by_reader: HashMap<String, Vec<String>> = HashMap::new();
        for (edge, reader) in edges {
            by_reader.entry(reader).or_default().push(edge);
        }
        let mut kept = Self {
            run: Arc::new(run.clone()),
            state: Arc::new(state),
            ring: VecDeque::new(),
            edges: by_reader,
        };
        let readers: Vec<String> = kept.edges.keys().cloned().collect();
        for reader in readers {
            kept.edge_updates(&reader);
        }
        kept
    }

    /// Folds in a state event. Answers what its edges do now where that changed; `None` where the event was not the
    /// next one.
    pub(super) fn state(&mut self, event: &Numbered) -> Option<Vec<LiveEvent>> {
        if Arc::make_mut(&mut self.state).fold(event) != Folded::Next {
            return None;
        }
        if self.ring.len() == RING {
            self.ring.pop_front();
        }
        self.ring.push_back(event.clone());
        let StateEvent::NodeUpdate(update) = &event.event else { return Some(Vec::new()) };
        Some(self.edge_updates(&update.node))
    }

    fn edge_updates(&mut self, reader: &str) -> Vec<LiveEvent> {
        let Some(edges) = self.edges.get(reader) else { return Vec::new() };
        let activity = self.state.nodes.get(reader).map(NodeState::edge_activity).unwrap_or_default();
        let changed: Vec<LiveEvent> = edges
            .iter()
            .filter(|edge| self.state.edges.get(*edge).copied().unwrap_or_default() != activity)
            .map(|edge| LiveEvent::EdgeUpdate { edge: edge.clone(), activity })
            .collect();
        for update in &changed {
            Arc::make_mut(&mut self.state).fold_live(update);
        }
        changed
    }

    pub(super) fn live(&mut self, event: &LiveEvent) {
        Arc::make_mut(&mut self.state).fold_live(event);
    }

    /// The events after `seq`, and every live value as it is now, so that a client that has the state up to `seq` gets
    /// the state as it is; `None` where a snapshot is needed.
    pub(super) fn since(&self, seq: u64) -> Option<(Vec<Numbered>, Vec<LiveEvent>)> {
        let first = self.state.seq - self.ring.len() as u64;
        if seq < first || seq > self.state.seq {
            return None;
        }
        let events = self.ring.iter().filter(|event| event.seq > seq).cloned().collect();
        let mut live = Vec::new();
        for (edge, activity) in &self.state.edges {
            live.push(LiveEvent::EdgeUpdate { edge: edge.clone(), activity: *activity });
        }
        for (name, node) in &self.state.nodes {
            live_values(name, ItemPath::WHOLE, &node.whole, &mut live);
            for (index, item) in &node.items {
                live_values(name, ItemPath::item(*index), item, &mut live);
                if live.len() > LIVE {
                    return None;
                }
            }
        }
        (live.len() <= LIVE).then_some((events, live))
    }
}

fn live_values(node: &str, item: ItemPath, instance: &Instance, live: &mut Vec<LiveEvent>) {
    let name = || node.to_owned();
    if let Some(progress) = &instance.progress {
        live.push(LiveEvent::NodeProgress { node: name(), item, progress: progress.clone() });
    }
    if instance.log_end > 0 || instance.last_line.is_some() {
        live.push(LiveEvent::LogUpdate {
            node: name(),
            item,
            attempt: instance.attempt(),
            end: instance.log_end,
            last_line: instance.last_line.clone(),
        });
    }
    for (metric, value) in &instance.metrics {
        let (name, unit, value) = (metric.clone(), None, *value);
        live.push(LiveEvent::MetricUpdate { node: node.to_owned(), item, name, value, unit });
    }
    for (port, value) in &instance.previews {
        live.push(LiveEvent::PreviewUpdate { node: name(), item, port: port.clone(), value: value.clone() });
    }
}
