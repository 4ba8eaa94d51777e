//! A run as it was at one moment, told part by part: its items may be too many for one message.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::rpc::frame::ITEMS;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::{Instance, RunState};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::encode::{Shared, frame};

/// A run on its way to one connection. Its state is shared with the hub until the last part is written out.
#[derive(Debug)]
pub(crate) struct Telling {
    run: Arc<Run>,
    rest: Mutex<Option<Rest>>,
}

/// What was not told yet.
#[derive(Debug)]
struct Rest {
    state: Arc<RunState>,
    begun: bool,
    /// Where the next part begins: a node by its place, an item by its index.
    node: usize,
    from: u32,
}

impl Telling {
    pub(super) fn new(run: &Arc<Run>, state: &Arc<RunState>) -> Self {
        Self { run: Arc::clone(run), rest: Mutex::new(Some(Rest::new(Arc::clone(state)))) }
    }

    /// One thread at a time writes to a connection; one that panicked here wrote nothing.
    fn rest(&self) -> MutexGuard<'_, Option<Rest>> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all was told.
    pub(super) fn is_over(&self) -> bool {
        self.rest().is_none()
    }

    /// The next part as a text frame.
    pub(super) fn part(&self) -> Option<Utf8Bytes> {
        let mut rest = self.rest();
        let left = rest.as_mut()?;
        let text = if left.begun { left.items(&self.run)? } else { left.begin(&self.run) };
        if left.is_over() {
            *rest = None;
        }
        Some(text)
    }
}

/// A state with its first items: as many as fit into one message.
pub(crate) fn head(state: Arc<RunState>) -> RunState {
    Rest::new(state).head()
}

impl Rest {
    fn new(state: Arc<RunState>) -> Self {
        Self { state, begun: false, node: 0, from: 0 }
    }

    fn head(&mut self) -> RunState {
        self.begun = true;
        let mut state = self.state.without_items();
        let mut room = Room::new();
        while let Some((node, items)) = self.next(&mut room) {
            state.take_items(node, items.into_iter().map(|(index, item)| (index, item.clone())));
        }
        state
    }

    fn begin(&mut self, run: &Run) -> Utf8Bytes {
        let state = self.head();
        frame(Shared::Snapshot { workflow_id: run.workflow_id, run_id: run.id, run, state: &state })
    }

    /// Items of the next node.
    fn items(&mut self, run: &Run) -> Option<Utf8Bytes> {
        let seq = self.state.seq;
        let (node, items) = self.next(&mut Room::new())?;
        let (workflow_id, run_id) = (run.workflow_id, run.id);
        Some(frame(Shared::SnapshotItems { workflow_id, run_id, seq, node, items: &items }))
    }

    /// The next items of one node that there is room for; goes on behind them.
    fn next(&mut self, room: &mut Room) -> Option<(&str, BTreeMap<u32, &Instance>)> {
        self.skip();
        let (name, node) = self.state.nodes.get_index(self.node)?;
        let items: BTreeMap<u32, &Instance> = room.fill(node.items.range(self.from..)).collect();
        let (last, _) = items.last_key_value()?;
        match last.checked_add(1) {
            Some(next) => self.from = next,
            None => (self.node, self.from) = (self.node + 1, 0),
        }
        Some((name, items))
    }

    /// Goes on to the next node that has items left.
    fn skip(&mut self) {
        while let Some((_, node)) = self.state.nodes.get_index(self.node)
            && node.items.range(self.from..).next().is_none()
        {
            (self.node, self.from) = (self.node + 1, 0);
        }
    }

    fn is_over(&mut self) -> bool {
        self.skip();
        self.node >= self.state.nodes.len()
    }
}

/// What one message still takes.
#[derive(Debug)]
pub(crate) struct Room {
    left: usize,
}

impl Room {
    /// Of an empty message.
    pub(crate) fn new() -> Self {
        Self { left: ITEMS }
    }

    /// As many items as there is room for. The first one always goes: none is so large that it does harm alone.
    pub(crate) fn fill<'a>(
        &mut self,
        items: impl Iterator<Item = (&'a u32, &'a Instance)>,
    ) -> impl Iterator<Item = (u32, &'a Instance)> {
        items.map_while(|(index, item)| {
            let bytes = bytes(item);
            if bytes > self.left && self.left < ITEMS {
                self.left = 0;
                return None;
            }
            self.left = self.left.saturating_sub(bytes);
            Some((*index, item))
        })
    }
}

/// The length of an item in a message, with its index around it.
fn bytes(item: &Instance) -> usize {
    const INDEX: usize = "\"4294967295\":,".len();
    let mut counted = Counted(INDEX);
    // Writing to a counter fails no more than the message itself.
    let _ = serde_json::to_writer(&mut counted, item);
    counted.0
}

struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
