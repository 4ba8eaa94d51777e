//! What waits to be sent to one connection, bounded in number and bytes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fanlight_shared::event::{LiveEvent, Queue, StateEvent};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::encode::encode;
use super::telling::Telling;

/// How many messages may wait. Tests reach the bound with few.
const MESSAGES: usize = if cfg!(test) { 64 } else { 8192 };
/// How many bytes of messages may wait.
const BYTES: usize = 4 * 1024 * 1024;
/// How many different live values may wait.
const LIVE: usize = 4096;
/// Live values are sent at most so often: 30 times a second.
const LIVE_EVERY: Duration = Duration::from_nanos(1_000_000_000 / 30);

/// What a message is about: a connection that no longer watches it need not get it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum About {
    Run(RunId),
    Daemon,
}

/// One message.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// A notification as it is sent.
    Text(Utf8Bytes),
    /// A run as it was when this was queued; written out only when it is sent, part by part. What comes after it waits.
    Snapshot(Arc<Telling>),
    /// The registry as it was when this was queued.
    Registry {
        /// Daemon-wide.
        seq: u64,
        /// Active and waiting runs.
        runs: Vec<Arc<Run>>,
        /// The queue.
        queue: Queue,
        /// What every client should show.
        banners: Vec<String>,
    },
    /// The connection did not read for too long; it is to be attached anew.
    Lagged,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Next {
    /// Send this.
    Send(Outgoing),
    /// Look again then.
    At(Instant),
    /// Wait until something is put in.
    Empty,
}

/// Live values of one instance stand side by side, so that they are found before its next state event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct LiveKey {
    run: RunId,
    /// The node; of an edge its name.
    of: String,
    item: ItemPath,
    kind: Kind,
    /// The metric or the port.
    name: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Progress,
    Edge,
    Log,
    Metric,
    Preview,
}

/// What waits for one connection.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: VecDeque<(About, Outgoing)>,
    bytes: usize,
    live: BTreeMap<LiveKey, (WorkflowId, LiveEvent)>,
    flushed: Option<Instant>,
    lagged: bool,
}

impl Outbox {
    /// Whether nothing is taken in until the connection is attached anew.
    pub(super) fn lagged(&self) -> bool {
        self.lagged
    }

    /// The connection is being attached anew.
    pub(super) fn reset(&mut self) {
        self.messages.clear();
        self.live.clear();
        self.bytes = 0;
        self.lagged = false;
    }

    /// Everything that waits is dropped; the connection gets snapshots when it reads again.
    pub(super) fn lag(&mut self) {
        self.reset();
        self.lagged = true;
        self.messages.push_back((About::Daemon, Outgoing::Lagged));
    }

    pub(super) fn push(&mut self, about: About, message: Outgoing) {
        if self.lagged {
            return;
        }
        let bytes = size(&message);
        if self.messages.len() >= MESSAGES || self.bytes + bytes > BYTES {
            return self.lag();
        }
        self.bytes += bytes;
        self.messages.push_back((about, message));
    }

    /// A snapshot says all that was to be said of its run.
    pub(super) fn snapshot(&mut self, run: &Arc<Run>, state: &Arc<RunState>) {
        self.forget(run.id);
        self.push(About::Run(run.id), Outgoing::Snapshot(Arc::new(Telling::new(run, state))));
    }

    /// A state event. Live values of what it is about go out before it, as they were folded here.
    pub(super) fn state(&mut self, run: RunId, event: &StateEvent, text: &Utf8Bytes) {
        match event {
            StateEvent::RunUpdate(_) => self.flush(run, None),
            StateEvent::NodeUpdate(update) => self.flush(run, Some((&update.node, update.item))),
        }
        self.push(About::Run(run), Outgoing::Text(text.clone()));
    }

    /// A live value: the newest wins.
    pub(super) fn live(&mut self, workflow: WorkflowId, run: RunId, event: &LiveEvent) {
        if self.lagged {
            return;
        }
        let key = key(run, event);
        if let Some((_, waiting)) = self.live.get_mut(&key) {
            replace(waiting, event);
        } else if self.live.len() >= LIVE {
            self.lag();
        } else {
            self.live.insert(key, (workflow, event.clone()));
        }
    }

    fn flush(&mut self, run: RunId, instance: Option<(&str, ItemPath)>) {
        let (of, item) =
            instance.map_or((String::new(), ItemPath::WHOLE), |(of, item)| (of.to_owned(), item));
        let start = LiveKey { run, of, item, kind: Kind::Progress, name: String::new() };
        let range = (Bound::Included(start), Bound::Unbounded);
        let keys: Vec<LiveKey> = self
            .live
            .range(range)
            .map(|(key, _)| key)
            .take_while(|key| key.run == run && instance.is_none_or(|it| (key.of.as_str(), key.item) == it))
            .cloned()
            .collect();
        for key in keys {
            if let Some((workflow, event)) = self.live.remove(&key) {
                self.push_live(workflow, run, event);
            }
        }
    }

    fn push_live(&mut self, workflow_id: WorkflowId, run_id: RunId, event: LiveEvent) {
        let text = encode(&Notification::Live { workflow_id, run_id, event });
        self.push(About::Run(run_id), Outgoing::Text(text));
    }

    /// The next message, if one is due.
    pub(super) fn take(&mut self, now: Instant) -> Next {
        if let Some((_, Outgoing::Snapshot(telling))) = self.messages.front()
            && !telling.is_over()
        {
            return Next::Send(Outgoing::Snapshot(Arc::clone(telling)));
        }
        if let Some((_, message)) = self.messages.pop_front() {
            self.bytes -= size(&message);
            return match message {
                Outgoing::Snapshot(_) => self.take(now),
                message => Next::Send(message),
            };
        }
        if self.live.is_empty() {
            return Next::Empty;
        }
        if let Some(due) = self.flushed.map(|at| at + LIVE_EVERY)
            && now < due
        {
            return Next::At(due);
        }
        self.flushed = Some(now);
        for (key, (workflow, event)) in std::mem::take(&mut self.live) {
            self.push_live(workflow, key.run, event);
        }
        self.take(now)
    }

    /// Drops what is about a run.
    pub(super) fn forget(&mut self, run: RunId) {
        self.retain(|about| about != About::Run(run));
        self.live.retain(|key, _| key.run != run);
    }

    /// Drops what is about the registry, the queue and the products.
    pub(super) fn forget_daemon(&mut self) {
        self.retain(|about| about != About::Daemon);
    }

    fn retain(&mut self, keep: impl Fn(About) -> bool) {
        self.messages.retain(|(about, _)| keep(*about));
        self.bytes = self.messages.iter().map(|(_, message)| size(message)).sum();
    }
}

fn size(message: &Outgoing) -> usize {
    match message {
        Outgoing::Text(text) => text.len(),
        // Shared with the hub, and at most one a run.
        Outgoing::Snapshot(_) | Outgoing::Registry { .. } | Outgoing::Lagged => 0,
    }
}

fn key(run: RunId, event: &LiveEvent) -> LiveKey {
    let (of, item, kind, name) = match event {
        LiveEvent::NodeProgress { node, item, .. } => (node, *item, Kind::Progress, String::new()),
        LiveEvent::EdgeUpdate { edge, .. } => (edge, ItemPath::WHOLE, Kind::Edge, String::new()),
        LiveEvent::LogUpdate { node, item, .. } => (node, *item, Kind::Log, String::new()),
        LiveEvent::MetricUpdate { node, item, name, .. } => (node, *item, Kind::Metric, name.clone()),
        LiveEvent::PreviewUpdate { node, item, port, .. } => (node, *item, Kind::Preview, port.clone()),
    };
    LiveKey { run, of: of.clone(), item, kind, name }
}

/// The newest wins, except that a log that grew without a new line keeps its last one.
fn replace(waiting: &mut LiveEvent, newer: &LiveEvent) {
    let kept = match (&*waiting, newer) {
        (
            LiveEvent::LogUpdate { attempt: old, last_line, .. },
            LiveEvent::LogUpdate { attempt, last_line: None, .. },
        ) if old == attempt => last_line.clone(),
        _ => None,
    };
    *waiting = newer.clone();
    if let (Some(line), LiveEvent::LogUpdate { last_line, .. }) = (kept, waiting) {
        *last_line = Some(line);
    }
}
