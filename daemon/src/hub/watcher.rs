//! The hub's side of one connection: what it watches, and its pending messages.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::event::{LiveEvent, Numbered, StateEvent};
use fanlight_shared::id::{IdMap, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::NewPoints;
use fanlight_shared::rpc::frame::NOTIFICATIONS_LIMIT;
use fanlight_shared::rpc::watch::{Notification, TelemetryOf, Watch};
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use tokio::sync::Notify;

use super::message::Message;
use super::outbox::{Outbox, Outgoing, Topic};
use super::points::Reporting;
use super::record::{Outdated, Record};
use super::ring::{Class, Ring};
use super::rows::Rows;
use super::snapshot::Snapshot;

/// The most events of a run that are buffered while its state is read from the store.
const MAX_BUFFERED: usize = 1024;

/// The state of a connection's subscription to one run.
#[derive(Debug)]
pub(super) enum Telemetry {
    /// Everything up to this event was sent or is queued.
    Attached { sent: u64 },
    /// The run is being read from the store; events that arrive meanwhile are buffered.
    Reading { seq: Option<u64>, held: Held },
}

/// Buffered events of a run.
#[derive(Debug, Default)]
pub(super) struct Held {
    events: Vec<(u64, StateEvent, Arc<Message>)>,
    bytes: usize,
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    pub(super) watch: Watch,
    pub(super) runs: IdMap<RunId, Telemetry>,
    /// The run that `watch.follow` selects at present.
    pub(super) followed: Option<RunId>,
    /// The runs of `watch.metrics`.
    pub(super) measured_runs: HashSet<RunId>,
    pub(super) outbox: Outbox,
    pub(super) wake: Arc<Notify>,
}

/// The data to be read from the store to complete a subscription.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Needs {
    /// Runs that are not active.
    pub(crate) runs: Vec<TelemetryOf>,
    /// A workflow whose newest started run the hub does not know.
    pub(crate) follow: Option<WorkflowId>,
}

/// A run that was read from the store.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The run as lists show it.
    pub(crate) run: Run,
    /// Its state.
    pub(crate) state: RunState,
    /// The requested events.
    pub(crate) events: Vec<Numbered>,
}

impl Watcher {
    pub(super) fn watches(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// Attaches a run that became active.
    pub(super) fn began(&mut self, record: &Record) {
        let id = record.run.id;
        let Some(telemetry) = self.runs.get_mut(&id) else { return };
        let had = match telemetry {
            Telemetry::Attached { sent } => *sent == record.seq(),
            Telemetry::Reading { .. } => false,
        };
        if !had {
            *telemetry = Telemetry::Attached { sent: record.seq() };
            self.outbox.snapshot(&record.run, &record.state());
            self.wake.notify_one();
        }
    }

    /// Switches to a run that became the newest started one of a workflow.
    pub(super) fn follow(&mut self, workflow: WorkflowId, run: RunId, record: &IdMap<RunId, Record>) {
        if self.watch.follow != Some(workflow) || self.followed == Some(run) {
            return;
        }
        if let Some(before) = self.followed.replace(run)
            && !self.watch.telemetry.iter().any(|it| it.run_id == before)
        {
            self.runs.remove(&before);
            self.outbox.forget(before);
        }
        self.attach(TelemetryOf { run_id: run, seq: None }, record);
        self.wake.notify_one();
    }

    /// Starts sending a run. Returns whether it must be read from the store.
    pub(super) fn attach(&mut self, of: TelemetryOf, record: &IdMap<RunId, Record>) -> bool {
        let TelemetryOf { run_id, seq } = of;
        if seq.is_some() && matches!(self.runs.get(&run_id), Some(Telemetry::Attached { .. })) {
            // The rest is already queued on this connection.
            return false;
        }
        let Some(record) = record.get(&run_id) else {
            self.outbox.forget(run_id);
            self.runs.insert(run_id, Telemetry::Reading { seq, held: Held::default() });
            return true;
        };
        match seq.and_then(|seq| record.since(seq)) {
            Some((events, live)) => {
                for event in events {
                    self.push_event(&record.run, event);
                }
                for event in live {
                    self.outbox.live(record.run.workflow_id, run_id, &event);
                }
            }
            None => self.outbox.snapshot(&record.run, &record.state()),
        }
        self.runs.insert(run_id, Telemetry::Attached { sent: record.seq() });
        false
    }

    fn push_event(&mut self, run: &Run, event: Numbered) {
        let about = event.event.clone();
        let (workflow_id, run_id) = (run.workflow_id, run.id);
        let message = Message::new(Notification::State { workflow_id, run_id, event });
        self.outbox.state(run_id, &about, Outdated::Nothing, &message);
    }

    pub(super) fn state(
        &mut self,
        run: RunId,
        seq: u64,
        event: &StateEvent,
        outdated: Outdated,
        message: &Arc<Message>,
    ) {
        match self.runs.get_mut(&run) {
            None => return,
            Some(Telemetry::Attached { sent }) => {
                if seq <= *sent {
                    return;
                }
                if seq > *sent + 1 {
                    // This can't be repaired here; starting over can.
                    self.outbox.lag();
                } else {
                    *sent = seq;
                    self.outbox.state(run, event, outdated, message);
                }
            }
            Some(Telemetry::Reading { held, .. }) => {
                held.bytes += message.bytes();
                if held.events.len() < MAX_BUFFERED && held.bytes < NOTIFICATIONS_LIMIT {
                    held.events.push((seq, event.clone(), Arc::clone(message)));
                } else {
                    self.outbox.lag();
                }
            }
        }
        self.wake.notify_one();
    }

    pub(super) fn live(&mut self, workflow: WorkflowId, run: RunId, event: &LiveEvent) {
        if matches!(self.runs.get(&run), Some(Telemetry::Attached { .. })) {
            self.outbox.live(workflow, run, event);
            self.wake.notify_one();
        }
    }

    /// Adds new points of a metric, if it is watched.
    pub(super) fn measured(&mut self, of: &Reporting, new: &NewPoints) {
        if self.measured_runs.contains(&of.run) && wants_points(&self.watch, &of.node, of.item) {
            self.outbox.points(of, new);
            self.wake.notify_one();
        }
    }

    fn wants(watch: &Watch, class: Class) -> bool {
        match class {
            Class::Registry => watch.registry,
            Class::Products(of) => watch
                .products
                .as_ref()
                .is_some_and(|products| products.workflow_id.is_none_or(|workflow| workflow == of)),
        }
    }

    pub(super) fn daemon(&mut self, class: Class, message: &Arc<Message>) {
        if Self::wants(&self.watch, class) {
            self.outbox.push(Topic::Daemon, Outgoing::Message(Arc::clone(message)));
            self.wake.notify_one();
        }
    }

    pub(super) fn bye(&mut self, message: &Arc<Message>) {
        self.outbox.push(Topic::Daemon, Outgoing::Message(Arc::clone(message)));
        self.wake.notify_one();
    }
}

/// Returns whether the metrics of this instance are watched, if those of its run are.
fn wants_points(watch: &Watch, node: &str, item: ItemPath) -> bool {
    watch.metrics.as_ref().is_some_and(|metrics| {
        metrics.node.as_ref().is_none_or(|it| it == node) && metrics.item.is_none_or(|it| it == item)
    })
}

/// The part of the hub that a watcher reads.
pub(super) struct View<'a> {
    pub(super) instance: &'a str,
    pub(super) runs: &'a IdMap<RunId, Record>,
    pub(super) rows: &'a Rows,
    pub(super) ring: &'a Ring,
    pub(super) newest: &'a IdMap<WorkflowId, (u64, RunId)>,
}

impl Watcher {
    /// Replaces what is watched.
    pub(super) fn replace(&mut self, mut watch: Watch, view: &View<'_>) -> Needs {
        let lagged = self.outbox.lagged();
        if lagged {
            // The client's `seq` is older than what is still queued for it.
            for of in &mut watch.telemetry {
                of.seq = None;
            }
            self.outbox.reset();
            self.runs.clear();
            self.followed = None;
        }
        let before = std::mem::replace(&mut self.watch, watch);
        self.measured_runs =
            self.watch.metrics.iter().flat_map(|metrics| metrics.run_ids.iter().copied()).collect();
        self.outbox.retain_points(|run, node, item| {
            self.measured_runs.contains(&run) && wants_points(&self.watch, node, item)
        });
        self.replace_daemon(&before, lagged, view);
        self.replace_telemetry(view)
    }

    fn replace_daemon(&mut self, before: &Watch, lagged: bool, view: &View<'_>) {
        let watch = &self.watch;
        // Events of earlier subscriptions are already queued on this connection.
        let is_new = |class| Self::wants(watch, class) && !Self::wants(before, class);
        let rest = match &watch.since {
            Some(since) if since.instance == view.instance && !lagged => view.ring.since(since.seq, is_new),
            _ => None,
        };
        if let Some(rest) = rest.map(|rest| rest.cloned().collect::<Vec<_>>()) {
            for event in rest {
                self.outbox.push(Topic::Daemon, Outgoing::Message(event));
            }
            return;
        }
        self.outbox.forget_daemon();
        if watch.since.is_some() {
            let message = Message::new(Notification::Lagged {});
            self.outbox.push(Topic::Daemon, Outgoing::Message(message));
        }
        self.registry(view.ring.seq(), view.rows);
    }

    /// Sends the registry, if it is watched.
    pub(super) fn registry(&mut self, seq: u64, rows: &Rows) {
        if !self.watch.registry {
            return;
        }
        let (runs, queue, banners) = (rows.window(), rows.queue(), rows.banners().to_vec());
        let paused = rows.paused().clone();
        let snapshot = Snapshot::of_registry(seq, runs, queue, paused, banners);
        self.outbox.push(Topic::Daemon, Outgoing::Snapshot(Arc::new(snapshot)));
        self.wake.notify_one();
    }

    fn replace_telemetry(&mut self, view: &View<'_>) -> Needs {
        let mut needs = Needs::default();
        let mut wanted = self.watch.telemetry.clone();
        let followed = self.watch.follow.and_then(|workflow| view.newest.get(&workflow)).map(|(_, run)| *run);
        if let Some(run_id) = followed
            && !wanted.iter().any(|it| it.run_id == run_id)
        {
            // The same run is followed again: the connection already has it.
            let seq = (self.followed == Some(run_id)).then_some(0);
            wanted.push(TelemetryOf { run_id, seq });
        }
        self.followed = followed;
        if followed.is_none() {
            needs.follow = self.watch.follow;
        }
        let gone: Vec<RunId> =
            self.runs.keys().filter(|run| !wanted.iter().any(|it| it.run_id == **run)).copied().collect();
        for run in gone {
            self.runs.remove(&run);
            self.outbox.forget(run);
        }
        for of in wanted {
            if self.attach(of, view.runs) {
                needs.runs.push(of);
            }
        }
        needs
    }

    /// Sends a run that was read from the store.
    pub(super) fn deliver(&mut self, id: RunId, loaded: Option<Loaded>) {
        let Some(Telemetry::Reading { .. }) = self.runs.get(&id) else { return };
        let Some(Telemetry::Reading { seq, held }) = self.runs.remove(&id) else { return };
        let Some(Loaded { run, state, events }) = loaded else { return };
        let mut sent = state.seq;
        self.runs.insert(id, Telemetry::Attached { sent });
        match seq {
            Some(seq) if seq <= sent => {
                for event in events.into_iter().filter(|event| event.seq > seq) {
                    self.push_event(&run, event);
                }
            }
            _ => self.outbox.snapshot(&Arc::new(run), &Arc::new(state)),
        }
        for (seq, event, message) in held.events {
            if seq > sent {
                self.state(id, seq, &event, Outdated::Nothing, &message);
                sent = seq;
            }
        }
    }
}
