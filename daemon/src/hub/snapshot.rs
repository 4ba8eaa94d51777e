//! Snapshots of a run or of the registry. They are sent in parts, because they may be too large for one message.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::event::{EdgeActivity, Queue};
use fanlight_shared::rpc::frame::PART;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{InstanceState, NodeState, RunState};
use fanlight_shared::sweep::Pause;
use indexmap::IndexMap;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::message::{Budget, SnapshotItems, encode, encode_items};

/// The longest name of an item: its index.
const INDEX: usize = "4294967295".len();

/// A snapshot for one connection. Its source is shared with the hub until the last part is serialised.
#[derive(Debug)]
pub(crate) struct Snapshot(Mutex<Option<Remaining>>);

#[derive(Debug)]
enum Remaining {
    Run(RunParts),
    Registry(RegistryParts),
}

impl Snapshot {
    /// Returns a run.
    pub(super) fn of_run(run: &Arc<Run>, state: &Arc<RunState>) -> Self {
        let parts = RunParts { run: Arc::clone(run), begun: false, parts: Parts::new(Arc::clone(state)) };
        Self(Mutex::new(Some(Remaining::Run(parts))))
    }

    /// Returns a snapshot of the registry: runs with their positions in the queue.
    pub(super) fn of_registry(
        seq: u64,
        runs: Vec<(Arc<Run>, Option<u32>)>,
        queue: Queue,
        paused: IndexMap<String, Pause>,
        banners: Vec<String>,
    ) -> Self {
        let parts = RegistryParts { seq, runs, next: 0, first: Some((queue, paused, banners)) };
        Self(Mutex::new(Some(Remaining::Registry(parts))))
    }

    /// Only one thread at a time writes to a connection; one that panicked here wrote nothing.
    fn remaining(&self) -> MutexGuard<'_, Option<Remaining>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns whether all of it was serialised.
    pub(super) fn is_over(&self) -> bool {
        self.remaining().is_none()
    }

    /// Returns the next part as a text frame.
    pub(super) fn part(&self) -> Option<Utf8Bytes> {
        let mut remaining = self.remaining();
        let (text, over) = match remaining.as_mut()? {
            Remaining::Run(parts) => (parts.next(), parts.is_over()),
            Remaining::Registry(parts) => (Some(parts.next()), parts.is_over()),
        };
        if over {
            *remaining = None;
        }
        text
    }
}

/// A registry in parts.
#[derive(Debug)]
struct RegistryParts {
    seq: u64,
    runs: Vec<(Arc<Run>, Option<u32>)>,
    next: usize,
    first: Option<(Queue, IndexMap<String, Pause>, Vec<String>)>,
}

impl RegistryParts {
    fn next(&mut self) -> Utf8Bytes {
        let mut budget = Budget::new(PART);
        let mut runs = Vec::new();
        while let Some((run, position)) = self.runs.get(self.next)
            && budget.take(0, &**run)
        {
            runs.push(Run { position: *position, ..Run::clone(run) });
            self.next += 1;
        }
        let (seq, runs_left) = (self.seq, (self.runs.len() - self.next) as u64);
        encode(&match self.first.take() {
            Some((queue, paused, banners)) => {
                Notification::Registry { seq, runs, runs_left, queue, paused, banners }
            }
            None => Notification::RegistryRuns { seq, runs },
        })
    }

    fn is_over(&self) -> bool {
        self.next == self.runs.len()
    }
}

/// A run in parts.
#[derive(Debug)]
struct RunParts {
    run: Arc<Run>,
    begun: bool,
    parts: Parts,
}

impl RunParts {
    fn next(&mut self) -> Option<Utf8Bytes> {
        let (workflow_id, run_id) = (self.run.workflow_id, self.run.id);
        let seq = self.parts.state.seq;
        if !self.begun {
            self.begun = true;
            let (run, state) = (Box::new(Run::clone(&self.run)), Box::new(self.parts.head()));
            return Some(encode(&Notification::Snapshot { workflow_id, run_id, run, state }));
        }
        let mut budget = Budget::new(PART);
        if !self.parts.is_at_items() {
            let (nodes, edges) = self.parts.nodes(&mut budget);
            return Some(encode(&Notification::SnapshotNodes { workflow_id, run_id, seq, nodes, edges }));
        }
        let (node, items) = self.parts.items(&mut budget)?;
        Some(encode_items(&SnapshotItems { workflow_id, run_id, seq, node, items: &items }))
    }

    fn is_over(&mut self) -> bool {
        self.begun && self.parts.is_over()
    }
}

/// A state, and the position of its next part.
#[derive(Debug)]
struct Parts {
    state: Arc<RunState>,
    node: usize,
    edge: usize,
    /// The node whose items are next, and the index of the first of them.
    items: (usize, u32),
}

/// Returns a state with only its first nodes, edges and items, as many as fit into one message.
pub(crate) fn head(state: Arc<RunState>) -> RunState {
    Parts::new(state).head()
}

/// Returns nodes, without their items, and edges from these positions on, as many as fit into one message, and the
/// positions after them.
// The caller takes the three parts apart immediately.
#[allow(clippy::type_complexity)]
pub(crate) fn nodes(
    state: &Arc<RunState>,
    from: (usize, usize),
) -> (IndexMap<String, NodeState>, IndexMap<String, EdgeActivity>, Option<(usize, usize)>) {
    let mut parts = Parts { node: from.0, edge: from.1, ..Parts::new(Arc::clone(state)) };
    let (nodes, edges) = parts.nodes(&mut Budget::new(PART));
    (nodes, edges, (!parts.is_at_items()).then_some((parts.node, parts.edge)))
}

impl Parts {
    fn new(state: Arc<RunState>) -> Self {
        Self { state, node: 0, edge: 0, items: (0, 0) }
    }

    fn head(&mut self) -> RunState {
        let mut budget = Budget::new(PART);
        let mut state = self.state.without_parts();
        let (nodes, edges) = self.nodes(&mut budget);
        state.take_nodes(nodes);
        state.take_edges(edges);
        while self.is_at_items()
            && let Some((node, items)) = self.items(&mut budget)
        {
            state.take_items(node, items.into_iter().map(|(index, item)| (index, item.clone())));
        }
        state
    }

    /// Returns the next nodes and edges that fit, and advances past them.
    fn nodes(
        &mut self,
        budget: &mut Budget,
    ) -> (IndexMap<String, NodeState>, IndexMap<String, EdgeActivity>) {
        let (mut nodes, mut edges) = (IndexMap::new(), IndexMap::new());
        while let Some((name, node)) = self.state.nodes.get_index(self.node) {
            let bare = node.without_items();
            if !budget.take(name.len(), &bare) {
                return (nodes, edges);
            }
            nodes.insert(name.clone(), bare);
            self.node += 1;
        }
        while let Some((name, edge)) = self.state.edges.get_index(self.edge)
            && budget.take(name.len(), edge)
        {
            edges.insert(name.clone(), *edge);
            self.edge += 1;
        }
        (nodes, edges)
    }

    fn is_at_items(&self) -> bool {
        self.node >= self.state.nodes.len() && self.edge >= self.state.edges.len()
    }

    /// Returns the next items of one node that fit, and advances past them.
    fn items(&mut self, budget: &mut Budget) -> Option<(&str, BTreeMap<u32, &InstanceState>)> {
        self.skip();
        let (name, node) = self.state.nodes.get_index(self.items.0)?;
        let items: BTreeMap<u32, &InstanceState> = node
            .items
            .range(self.items.1..)
            .take_while(|(_, item)| budget.take(INDEX, item))
            .map(|(index, item)| (*index, item))
            .collect();
        let (last, _) = items.last_key_value()?;
        match last.checked_add(1) {
            Some(next) => self.items.1 = next,
            None => self.items = (self.items.0 + 1, 0),
        }
        Some((name, items))
    }

    /// Advances to the next node that has items left.
    fn skip(&mut self) {
        while let Some((_, node)) = self.state.nodes.get_index(self.items.0)
            && node.items.range(self.items.1..).next().is_none()
        {
            self.items = (self.items.0 + 1, 0);
        }
    }

    fn is_over(&mut self) -> bool {
        self.skip();
        self.is_at_items() && self.items.0 >= self.state.nodes.len()
    }
}
