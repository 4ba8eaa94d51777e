//! The hub's record of an active run: its state and its newest events.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use fanlight_shared::event::{LiveEvent, NodeUpdate, Numbered, Source, StateEvent};
use fanlight_shared::item::ItemPath;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{Folded, InstanceState, NodeState, RunState};

/// How many numbered events of a run are kept for clients that reconnect.
const RING_CAPACITY: usize = 1024;
/// Above this number of live values, a snapshot is shorter.
const MAX_LIVE_VALUES: usize = 1024;

/// An active run.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) run: Arc<Run>,
    /// The fold of its events. The newest ones may be missing, and are in `ring`: they are folded when somebody looks, so most
    /// short runs end before.
    state: RefCell<Arc<RunState>>,
    /// The number of its newest event.
    seq: u64,
    ring: VecDeque<Arc<Numbered>>,
    /// The nodes that have waited for a pool or a lock.
    waited: BTreeSet<String>,
    /// By node, its items that are on their engine and do not run there yet.
    queued: BTreeMap<String, BTreeSet<ItemPath>>,
}

/// The live values that a state event makes obsolete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Outdated {
    /// None.
    Nothing,
    /// Those of the event's instance: its attempt ended, or another one began.
    Instance,
    /// All of the run: it has ended.
    Run,
}

impl Record {
    pub(super) fn new(run: Run, state: RunState) -> Self {
        Self {
            run: Arc::new(run),
            seq: state.seq,
            state: RefCell::new(Arc::new(state)),
            ring: VecDeque::new(),
            waited: BTreeSet::new(),
            queued: BTreeMap::new(),
        }
    }

    /// Returns the number of its newest event.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns its state.
    pub(super) fn state(&self) -> Arc<RunState> {
        let mut state = self.state.borrow_mut();
        if state.seq < self.seq {
            let missing = usize::try_from(self.seq - state.seq).unwrap_or(usize::MAX);
            let newest = self.ring.len().saturating_sub(missing);
            let state = Arc::make_mut(&mut state);
            for event in self.ring.range(newest..) {
                let folded = state.fold(event);
                debug_assert_eq!(folded, Folded::Next);
            }
        }
        Arc::clone(&state)
    }

    /// Adds a state event. Returns `false` if it is not the next one.
    fn push(&mut self, event: &Arc<Numbered>) -> bool {
        if event.seq != self.seq + 1 {
            return false;
        }
        if self.ring.len() == RING_CAPACITY {
            self.state();
            self.ring.pop_front();
        }
        self.ring.push_back(Arc::clone(event));
        self.seq = event.seq;
        true
    }

    /// Adds a state event that nobody watches. Returns `false` if it is not the next one.
    pub(super) fn add(&mut self, event: &Arc<Numbered>) -> bool {
        // What a node waits for is shown in the registry too.
        if self.has_waited() || !self.queued.is_empty() {
            self.fold(event).is_some()
        } else {
            self.push(event)
        }
    }

    /// Folds a state event. Returns which live values it makes obsolete, and the edges whose activity changed; `None`
    /// if the event was not the next one.
    pub(super) fn fold(&mut self, event: &Arc<Numbered>) -> Option<(Outdated, Vec<LiveEvent>)> {
        let before = self.attempt_of(&event.event);
        let activity = self.activity_of(&event.event);
        if !self.push(event) {
            return None;
        }
        let StateEvent::NodeUpdate(update) = &event.event else {
            let ended = self.state().status.is_ended();
            return Some((if ended { Outdated::Run } else { Outdated::Nothing }, Vec::new()));
        };
        let ended = before.is_some() && before != self.attempt_of(&event.event);
        if ended && let Some(queued) = self.queued.get_mut(&update.node) {
            queued.remove(&update.item);
        }
        let edges = if activity == self.activity_of(&event.event) { Vec::new() } else { self.edges(update) };
        Some((if ended { Outdated::Instance } else { Outdated::Nothing }, edges))
    }

    /// Returns the running attempt of the instance of an event.
    fn attempt_of(&self, event: &StateEvent) -> Option<u32> {
        let StateEvent::NodeUpdate(update) = event else { return None };
        let state = self.state();
        let instance = state.instance(&update.node, update.item)?;
        instance.is_live().then(|| instance.attempt())
    }

    fn activity_of(&self, event: &StateEvent) -> Option<fanlight_shared::event::EdgeActivity> {
        let StateEvent::NodeUpdate(update) = event else { return None };
        self.state().nodes.get(&update.node).map(|node| node.edge_activity())
    }

    fn edges(&self, update: &NodeUpdate) -> Vec<LiveEvent> {
        let state = self.state();
        let edges = state.edges_into(&update.node);
        edges.map(|(edge, activity)| LiveEvent::EdgeUpdate { edge: edge.to_owned(), activity }).collect()
    }

    /// Folds a live event. Returns `false` if its attempt is not running; it is then sent to nobody, since a client
    /// that gets it after the start of the next attempt would change its state.
    pub(super) fn fold_live(&mut self, event: &LiveEvent) -> bool {
        let (node, item, attempt) = match event {
            LiveEvent::EdgeUpdate { .. } => return true,
            LiveEvent::WaitUpdate { node, .. } => {
                let open = self.state().nodes.get(node).is_some_and(|node| !node.whole.status.is_ended());
                if open {
                    self.waited.insert(node.clone());
                    Arc::make_mut(self.state.get_mut()).fold_live(event);
                }
                return open;
            }
            LiveEvent::LogUpdate { node, item, attempt, .. } => (node, *item, Some(*attempt)),
            LiveEvent::PlanningUpdate { source, .. }
            | LiveEvent::TaskUpdate { source, .. }
            | LiveEvent::ToolCallUpdate { source, .. }
            | LiveEvent::ToolResultUpdate { source, .. }
            | LiveEvent::LocationUpdate { source, .. }
            | LiveEvent::Prediction { source, .. } => (&source.node, source.item, Some(source.attempt)),
            LiveEvent::NodeProgress { node, item, .. }
            | LiveEvent::MetricUpdate { node, item, .. }
            | LiveEvent::PreviewUpdate { node, item, .. } => (node, *item, None),
        };
        let runs = self.state().instance(node, item).is_some_and(|instance| {
            instance.is_live() && attempt.is_none_or(|attempt| attempt == instance.attempt())
        });
        if runs {
            Arc::make_mut(self.state.get_mut()).fold_live(event);
            if let LiveEvent::LocationUpdate { source, location } = event {
                let queued = self.queued.entry(source.node.clone()).or_default();
                if location.host.is_none() {
                    queued.insert(source.item);
                } else {
                    queued.remove(&source.item);
                }
            }
        }
        runs
    }

    /// Returns whether one of its nodes has ever waited.
    pub(super) fn has_waited(&self) -> bool {
        !self.waited.is_empty()
    }

    /// Returns what the run waits for: the reason of its first node that waits, if no node works.
    pub(super) fn waits_for(&self) -> Option<String> {
        let state = self.state();
        if state.nodes.iter().any(|(name, node)| self.works(name, node)) {
            return None;
        }
        let mut nodes = state.nodes.values().filter(|node| !node.whole.status.is_ended());
        nodes.find_map(|node| node.waits_for.clone())
    }

    /// Returns whether an attempt of a node works. The reason of a node with items is that of one of them: the others may run.
    fn works(&self, name: &str, node: &NodeState) -> bool {
        if node.item_count.is_none() {
            return node.whole.is_live() && node.waits_for.is_none();
        }
        let queued = self.queued.get(name).map_or(0, BTreeSet::len);
        node.items_running as usize > queued
    }

    /// Returns the events after `seq` and all current live values, which bring a client with the state up to `seq` up
    /// to date; `None` if it needs a snapshot.
    pub(super) fn since(&self, seq: u64) -> Option<(Vec<Numbered>, Vec<LiveEvent>)> {
        let first = self.seq - self.ring.len() as u64;
        if seq < first || seq > self.seq {
            return None;
        }
        let state = self.state();
        let events =
            self.ring.iter().filter(|event| event.seq > seq).map(|event| Numbered::clone(event)).collect();
        let mut live = Vec::new();
        for (edge, activity) in &state.edges {
            live.push(LiveEvent::EdgeUpdate { edge: edge.clone(), activity: *activity });
        }
        for name in &self.waited {
            let Some(node) = state.nodes.get(name) else { continue };
            if !node.whole.status.is_ended() {
                live.push(LiveEvent::WaitUpdate { node: name.clone(), reason: node.waits_for.clone() });
            }
        }
        for (name, node) in &state.nodes {
            live_values(name, ItemPath::WHOLE, &node.whole, &mut live);
            for (index, item) in &node.items {
                live_values(name, ItemPath::item(*index), item, &mut live);
                if live.len() > MAX_LIVE_VALUES {
                    return None;
                }
            }
        }
        (live.len() <= MAX_LIVE_VALUES).then_some((events, live))
    }
}

fn live_values(node: &str, item: ItemPath, instance: &InstanceState, live: &mut Vec<LiveEvent>) {
    if !instance.is_live() {
        return;
    }
    let name = || node.to_owned();
    if let Some(progress) = &instance.progress {
        live.push(LiveEvent::NodeProgress { node: name(), item, progress: progress.clone() });
    }
    if let Some(location) = instance.location() {
        let source = Source { node: name(), item, attempt: instance.attempt() };
        live.push(LiveEvent::LocationUpdate { source, location: location.clone() });
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
    if let Some(activity) = &instance.activity {
        live.extend(activity.events(&Source { node: name(), item, attempt: instance.attempt() }));
    }
}
