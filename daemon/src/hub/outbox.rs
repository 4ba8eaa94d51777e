//! The outbox of one connection, bounded in number and bytes.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fanlight_shared::event::{LiveEvent, StateEvent};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::NewPoints;
use fanlight_shared::rpc::frame::{NOTIFICATIONS_LIMIT, UPDATES_A_SECOND};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::message::{Message, encode, live};
use super::points::Reporting;
use super::points::WaitingPoints;
use super::record::Outdated;
use super::snapshot::Snapshot;

/// The most messages that may wait. Tests reach the bound with few.
const MESSAGES: usize = if cfg!(test) { 64 } else { 8192 };
/// The most different live values that may wait.
const MAX_LIVE_VALUES: usize = 4096;
/// The interval between two sends of a live value.
const LIVE_INTERVAL: Duration = Duration::from_nanos(1_000_000_000 / UPDATES_A_SECOND as u64);

/// The topic of a message: a connection that no longer watches it need not get it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Topic {
    Run(RunId),
    Metrics,
    Daemon,
}

/// A message that waits for a connection.
#[derive(Clone, Debug)]
pub(crate) enum Outgoing {
    /// A notification.
    Message(Arc<Message>),
    /// A run or the registry at the moment when this was queued; it is serialised in parts as it is sent. Later
    /// messages wait.
    Snapshot(Arc<Snapshot>),
    /// The connection did not read for too long and must be attached again.
    Lagged,
}

impl Outgoing {
    /// Returns the text frame, or the next part of a snapshot; `None` if all of it was sent.
    pub(crate) fn text(&self) -> Option<Utf8Bytes> {
        match self {
            Self::Message(message) => Some(message.text()),
            Self::Snapshot(snapshot) => snapshot.part(),
            Self::Lagged => Some(encode(&Notification::Lagged {})),
        }
    }

    /// Estimates how many bytes wait because of it. The source of a snapshot belongs to the hub.
    fn bytes(&self) -> usize {
        match self {
            Self::Message(message) => message.bytes(),
            Self::Snapshot(_) | Self::Lagged => 0,
        }
    }
}

/// The next step.
#[derive(Debug)]
pub(super) enum Next {
    /// Send this.
    Send(Outgoing),
    /// Look again then.
    At(Instant),
    /// Wait until something is added.
    Empty,
}

/// Live values of one instance are adjacent, so that they are found before its next state event.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct LiveKey {
    run: RunId,
    /// The node, or the name of an edge.
    of: String,
    item: ItemPath,
    kind: Kind,
    /// The metric or the port.
    name: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Kind {
    Progress,
    Wait,
    Location,
    Edge,
    Log,
    Metric,
    Preview,
    Plan,
    Task,
    ToolCall,
    ToolResult,
    Prediction,
}

/// The outbox of one connection.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    messages: VecDeque<(Topic, Outgoing)>,
    bytes: usize,
    live: BTreeMap<LiveKey, (WorkflowId, LiveEvent)>,
    /// The bytes of the live values.
    live_bytes: usize,
    points: WaitingPoints,
    flushed: Option<Instant>,
    lagged: bool,
}

impl Outbox {
    /// Returns whether nothing is accepted until the connection is attached again.
    pub(super) fn lagged(&self) -> bool {
        self.lagged
    }

    /// Clears it for a connection that is being attached again.
    pub(super) fn reset(&mut self) {
        self.messages.clear();
        self.live.clear();
        self.points.clear();
        (self.bytes, self.live_bytes) = (0, 0);
        self.lagged = false;
    }

    /// Drops everything that waits; the connection gets snapshots when it reads again.
    pub(super) fn lag(&mut self) {
        self.reset();
        self.lagged = true;
        self.messages.push_back((Topic::Daemon, Outgoing::Lagged));
    }

    pub(super) fn push(&mut self, about: Topic, message: Outgoing) {
        if self.lagged {
            return;
        }
        self.bytes += message.bytes();
        if self.messages.len() >= MESSAGES || self.is_full() {
            return self.lag();
        }
        self.messages.push_back((about, message));
    }

    /// Estimates how many bytes wait.
    pub(super) fn bytes(&self) -> usize {
        self.bytes + self.live_bytes + self.points.bytes()
    }

    fn is_full(&self) -> bool {
        self.bytes + self.live_bytes > NOTIFICATIONS_LIMIT
    }

    /// Adds a snapshot, which replaces everything pending of its run.
    pub(super) fn snapshot(&mut self, run: &Arc<Run>, state: &Arc<RunState>) {
        self.forget(run.id);
        self.push(Topic::Run(run.id), Outgoing::Snapshot(Arc::new(Snapshot::of_run(run, state))));
    }

    /// Adds a state event, and drops the live values that it makes obsolete.
    pub(super) fn state(
        &mut self,
        run: RunId,
        event: &StateEvent,
        outdated: Outdated,
        message: &Arc<Message>,
    ) {
        match (outdated, event) {
            (Outdated::Run, _) => self.drop_live(run, None),
            (Outdated::Instance, StateEvent::NodeUpdate(update)) => {
                self.drop_live(run, Some((&update.node, update.item)));
            }
            _ => {}
        }
        self.push(Topic::Run(run), Outgoing::Message(Arc::clone(message)));
    }

    /// Adds a live value; the newest wins.
    pub(super) fn live(&mut self, workflow: WorkflowId, run: RunId, event: &LiveEvent) {
        if self.lagged {
            return;
        }
        let key = key(run, event);
        if let Some((_, waiting)) = self.live.get_mut(&key) {
            self.live_bytes = self.live_bytes.saturating_sub(live(waiting));
            replace(waiting, event);
            self.live_bytes += live(waiting);
        } else {
            self.live_bytes += live(event);
            self.live.insert(key, (workflow, event.clone()));
        }
        if self.live.len() > MAX_LIVE_VALUES || self.is_full() {
            self.lag();
        }
    }

    /// Adds new points of a metric.
    pub(super) fn points(&mut self, of: &Reporting, new: &NewPoints) {
        if !self.lagged {
            self.points.add(of, new);
        }
    }

    /// Drops the new points of other instances.
    pub(super) fn retain_points(&mut self, keep: impl Fn(RunId, &str, ItemPath) -> bool) {
        self.points.retain(keep);
    }

    /// Drops the live values of an instance, or of a whole run except its edges, whose activity persists.
    fn drop_live(&mut self, run: RunId, instance: Option<(&str, ItemPath)>) {
        let (of, item) =
            instance.map_or((String::new(), ItemPath::WHOLE), |(of, item)| (of.to_owned(), item));
        let start = LiveKey { run, of, item, kind: Kind::Progress, name: String::new() };
        let range = (Bound::Included(start), Bound::Unbounded);
        let keys: Vec<LiveKey> = self
            .live
            .range(range)
            .map(|(key, _)| key)
            .take_while(|key| key.run == run && instance.is_none_or(|it| (key.of.as_str(), key.item) == it))
            .filter(|key| !matches!(key.kind, Kind::Edge | Kind::Wait))
            .cloned()
            .collect();
        for key in keys {
            if let Some((_, event)) = self.live.remove(&key) {
                self.live_bytes = self.live_bytes.saturating_sub(live(&event));
            }
        }
    }

    /// Returns the next message, if one is due.
    pub(super) fn take(&mut self, now: Instant) -> Next {
        if let Some((_, Outgoing::Snapshot(snapshot))) = self.messages.front()
            && !snapshot.is_over()
        {
            return Next::Send(Outgoing::Snapshot(Arc::clone(snapshot)));
        }
        if let Some((_, message)) = self.messages.pop_front() {
            self.bytes = self.bytes.saturating_sub(message.bytes());
            if self.messages.is_empty() {
                // Release the memory of a burst.
                self.messages.shrink_to(32);
            }
            return match message {
                Outgoing::Snapshot(_) => self.take(now),
                message => Next::Send(message),
            };
        }
        if self.live.is_empty() && self.points.is_empty() {
            return Next::Empty;
        }
        if let Some(due) = self.flushed.map(|at| at + LIVE_INTERVAL)
            && now < due
        {
            return Next::At(due);
        }
        self.flushed = Some(now);
        self.live_bytes = 0;
        for (key, (workflow_id, event)) in std::mem::take(&mut self.live) {
            let run_id = key.run;
            let message = Message::new(Notification::Live { workflow_id, run_id, event });
            self.push(Topic::Run(run_id), Outgoing::Message(message));
        }
        for notification in self.points.round() {
            self.push(Topic::Metrics, Outgoing::Message(Message::new(notification)));
        }
        self.take(now)
    }

    /// Drops everything about a run.
    pub(super) fn forget(&mut self, run: RunId) {
        self.retain(|about| about != Topic::Run(run));
        self.live.retain(|key, _| key.run != run);
        self.live_bytes = self.live.values().map(|(_, event)| live(event)).sum();
    }

    /// Drops everything about the registry, the queue and the products.
    pub(super) fn forget_daemon(&mut self) {
        self.retain(|about| about != Topic::Daemon);
    }

    fn retain(&mut self, keep: impl Fn(Topic) -> bool) {
        self.messages.retain(|(about, _)| keep(*about));
        self.bytes = self.messages.iter().map(|(_, message)| message.bytes()).sum();
    }
}

fn key(run: RunId, event: &LiveEvent) -> LiveKey {
    let (of, item, kind, name) = match event {
        LiveEvent::NodeProgress { node, item, .. } => (node, *item, Kind::Progress, String::new()),
        LiveEvent::WaitUpdate { node, .. } => (node, ItemPath::WHOLE, Kind::Wait, String::new()),
        LiveEvent::LocationUpdate { source, .. } => {
            (&source.node, source.item, Kind::Location, String::new())
        }
        LiveEvent::EdgeUpdate { edge, .. } => (edge, ItemPath::WHOLE, Kind::Edge, String::new()),
        LiveEvent::LogUpdate { node, item, .. } => (node, *item, Kind::Log, String::new()),
        LiveEvent::MetricUpdate { node, item, name, .. } => (node, *item, Kind::Metric, name.clone()),
        LiveEvent::PreviewUpdate { node, item, port, .. } => (node, *item, Kind::Preview, port.clone()),
        LiveEvent::PlanningUpdate { source, .. } => (&source.node, source.item, Kind::Plan, String::new()),
        LiveEvent::TaskUpdate { source, task } => {
            (&source.node, source.item, Kind::Task, task.number.to_string())
        }
        LiveEvent::ToolCallUpdate { source, call } => {
            (&source.node, source.item, Kind::ToolCall, call.number.to_string())
        }
        LiveEvent::ToolResultUpdate { source, number, .. } => {
            (&source.node, source.item, Kind::ToolResult, number.to_string())
        }
        LiveEvent::Prediction { source, prediction: of } => {
            (&source.node, source.item, Kind::Prediction, format!("{}\n{}", of.provider, of.model))
        }
    };
    LiveKey { run, of: of.clone(), item, kind, name }
}

/// Replaces a waiting value by a newer one; a log that grew without a new line keeps its last line.
fn replace(waiting: &mut LiveEvent, newer: &LiveEvent) {
    let previous_line = match (&*waiting, newer) {
        (
            LiveEvent::LogUpdate { attempt: old, last_line, .. },
            LiveEvent::LogUpdate { attempt, last_line: None, .. },
        ) if old == attempt => last_line.clone(),
        _ => None,
    };
    *waiting = newer.clone();
    if let (Some(line), LiveEvent::LogUpdate { last_line, .. }) = (previous_line, waiting) {
        *last_line = Some(line);
    }
}
