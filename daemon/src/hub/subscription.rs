//! One connection as the hub sees it, and the hub as one connection sees it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use fanlight_shared::event::{LiveEvent, Numbered, StateEvent};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::watch::{Notification, TelemetryOf, Watch};
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use tokio::sync::Notify;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::encode::encode;
use super::kept::Kept;
use super::outbox::{About, Next, Outbox, Outgoing};
use super::ring::Class;
use super::{Hub, Inner};

/// How many events of a run are held back while its state is read from the store.
const HELD: usize = 1024;

/// How a connection stands to a run that it watches.
#[derive(Debug)]
enum Telemetry {
    /// It has, or is about to get, everything up to this event.
    Attached { sent: u64 },
    /// The run is being read from the store; what comes meanwhile waits.
    Reading { seq: Option<u64>, held: Vec<(u64, StateEvent, Utf8Bytes)> },
}

/// One connection.
#[derive(Debug, Default)]
pub(super) struct Watcher {
    watch: Watch,
    runs: HashMap<RunId, Telemetry>,
    /// The run that `watch.follow` led to.
    followed: Option<RunId>,
    outbox: Outbox,
    wake: Arc<Notify>,
}

/// What is to be read from the store before a connection has all that it asked for.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Needs {
    /// Runs that are not active.
    pub(crate) runs: Vec<TelemetryOf>,
    /// A workflow whose newest started run is not known here.
    pub(crate) follow: Option<WorkflowId>,
}

/// A run that was read from the store.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The run as lists show it.
    pub(crate) run: Run,
    /// What is known of it.
    pub(crate) state: RunState,
    /// Those of its events that were asked for.
    pub(crate) events: Vec<Numbered>,
}

impl Watcher {
    pub(super) fn watches(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// The run is kept here from now on.
    pub(super) fn began(&mut self, kept: &Kept) {
        let id = kept.run.id;
        let Some(telemetry) = self.runs.get_mut(&id) else { return };
        let had = match telemetry {
            Telemetry::Attached { sent } => *sent == kept.state.seq,
            Telemetry::Reading { .. } => false,
        };
        if !had {
            *telemetry = Telemetry::Attached { sent: kept.state.seq };
            self.outbox.snapshot(&kept.run, &kept.state);
            self.wake.notify_one();
        }
    }

    /// A run became the newest started one of a workflow.
    pub(super) fn follow(&mut self, workflow: WorkflowId, run: RunId, kept: &HashMap<RunId, Kept>) {
        if self.watch.follow != Some(workflow) || self.followed == Some(run) {
            return;
        }
        if let Some(before) = self.followed.replace(run)
            && !self.watch.telemetry.iter().any(|it| it.run_id == before)
        {
            self.runs.remove(&before);
            self.outbox.forget(before);
        }
        self.attach(TelemetryOf { run_id: run, seq: None }, kept);
        self.wake.notify_one();
    }

    /// Begins to tell of a run. Answers whether it must be read from the store.
    fn attach(&mut self, of: TelemetryOf, kept: &HashMap<RunId, Kept>) -> bool {
        let TelemetryOf { run_id, seq } = of;
        if seq.is_some() && matches!(self.runs.get(&run_id), Some(Telemetry::Attached { .. })) {
            // What it does not have yet is under way on this very connection.
            return false;
        }
        let Some(kept) = kept.get(&run_id) else {
            self.outbox.forget(run_id);
            self.runs.insert(run_id, Telemetry::Reading { seq, held: Vec::new() });
            return true;
        };
        match seq.and_then(|seq| kept.since(seq)) {
            Some((events, live)) => {
                for event in events {
                    self.push_event(&kept.run, event);
                }
                for event in live {
                    self.outbox.live(kept.run.workflow_id, run_id, &event);
                }
            }
            None => self.outbox.snapshot(&kept.run, &kept.state),
        }
        self.runs.insert(run_id, Telemetry::Attached { sent: kept.state.seq });
        false
    }

    fn push_event(&mut self, run: &Run, event: Numbered) {
        let about = event.event.clone();
        let (workflow_id, run_id) = (run.workflow_id, run.id);
        let text = encode(&Notification::State { workflow_id, run_id, event });
        self.outbox.state(run_id, &about, &text);
    }

    pub(super) fn state(&mut self, run: RunId, seq: u64, event: &StateEvent, text: &Utf8Bytes) {
        match self.runs.get_mut(&run) {
            None => return,
            Some(Telemetry::Attached { sent }) => {
                if seq <= *sent {
                    return;
                }
                if seq > *sent + 1 {
                    // Cannot be made good from here; everything anew can.
                    self.outbox.lag();
                } else {
                    *sent = seq;
                    self.outbox.state(run, event, text);
                }
            }
            Some(Telemetry::Reading { held, .. }) => {
                if held.len() < HELD {
                    held.push((seq, event.clone(), text.clone()));
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

    fn wants(watch: &Watch, class: Class) -> bool {
        match class {
            Class::Registry => watch.registry,
            Class::Products(of) => watch
                .products
                .as_ref()
                .is_some_and(|products| products.workflow_id.is_none_or(|workflow| workflow == of)),
        }
    }

    pub(super) fn daemon(&mut self, class: Class, text: &Utf8Bytes) {
        if Self::wants(&self.watch, class) {
            self.outbox.push(About::Daemon, Outgoing::Text(text.clone()));
            self.wake.notify_one();
        }
    }

    pub(super) fn bye(&mut self, text: &Utf8Bytes) {
        self.outbox.push(About::Daemon, Outgoing::Text(text.clone()));
        self.wake.notify_one();
    }
}

/// A connection's place in the hub; it is given up when this is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    id: u64,
    wake: Arc<Notify>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.lock().watchers.remove(&self.id);
    }
}

impl Subscription {
    /// A place in the hub that watches nothing yet.
    pub(crate) fn new(hub: Arc<Hub>) -> Self {
        let wake = Arc::new(Notify::new());
        let watcher = Watcher { wake: Arc::clone(&wake), ..Watcher::default() };
        let mut inner = hub.lock();
        let id = inner.next_watcher;
        inner.next_watcher += 1;
        inner.watchers.insert(id, watcher);
        drop(inner);
        Self { hub, id, wake }
    }

    fn with<T: Default>(&self, act: impl FnOnce(&mut Watcher, &Shelf<'_>) -> T) -> T {
        let mut inner = self.hub.lock();
        let Inner { runs, rows, ring, newest, watchers, .. } = &mut *inner;
        let shelf = Shelf { instance: &self.hub.instance, runs, rows, ring, newest };
        watchers.get_mut(&self.id).map(|watcher| act(watcher, &shelf)).unwrap_or_default()
    }

    /// Replaces what is watched. Answers the daemon-wide number from which on it holds, and what must be read from the
    /// store and [given back](Self::deliver).
    pub(crate) fn watch(&self, watch: Watch) -> (u64, Needs) {
        let answer = self.with(|watcher, shelf| (shelf.ring.seq(), watcher.replace(watch, shelf)));
        self.wake.notify_one();
        answer
    }

    /// Begins anew after the connection did not read for too long.
    pub(crate) fn again(&self) -> Needs {
        let needs = self.with(|watcher, shelf| {
            let mut watch = watcher.watch.clone();
            watch.since = None;
            for of in &mut watch.telemetry {
                of.seq = None;
            }
            watcher.replace(watch, shelf)
        });
        self.wake.notify_one();
        needs
    }

    /// The newest started run of a workflow, which the hub did not know.
    pub(crate) fn followed(&self, workflow: WorkflowId, run: RunId) -> Option<TelemetryOf> {
        let of = TelemetryOf { run_id: run, seq: None };
        self.with(|watcher, shelf| {
            if watcher.watch.follow != Some(workflow) || watcher.followed.is_some() {
                return None;
            }
            watcher.followed = Some(run);
            if watcher.runs.contains_key(&run) {
                return None;
            }
            watcher.attach(of, shelf.runs).then_some(of)
        })
    }

    /// What the store has of a run that was needed; `None` where there is no such run.
    pub(crate) fn deliver(&self, id: RunId, loaded: Option<Loaded>) {
        self.with(|watcher, _| watcher.deliver(id, loaded));
        self.wake.notify_one();
    }

    /// The next message, if one is due.
    pub(crate) fn try_next(&self) -> Option<Outgoing> {
        match self.with(|watcher, _| Some(watcher.outbox.take(Instant::now()))) {
            Some(Next::Send(message)) => Some(message),
            _ => None,
        }
    }

    /// The next message that is due. May be given up at any moment without losing one.
    pub(crate) async fn next(&self) -> Outgoing {
        loop {
            match self.with(|watcher, _| Some(watcher.outbox.take(Instant::now()))) {
                Some(Next::Send(message)) => return message,
                Some(Next::At(due)) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(due.into()) => {}
                        () = self.wake.notified() => {}
                    }
                }
                Some(Next::Empty) | None => self.wake.notified().await,
            }
        }
    }
}

/// What a watcher may look at in the hub.
struct Shelf<'a> {
    instance: &'a str,
    runs: &'a HashMap<RunId, Kept>,
    rows: &'a super::Rows,
    ring: &'a super::Ring,
    newest: &'a HashMap<WorkflowId, (u64, RunId)>,
}

impl Watcher {
    fn replace(&mut self, mut watch: Watch, shelf: &Shelf<'_>) -> Needs {
        let lagged = self.outbox.lagged();
        if lagged {
            // What the client says it has is older than what is still under way to it.
            for of in &mut watch.telemetry {
                of.seq = None;
            }
            self.outbox.reset();
            self.runs.clear();
            self.followed = None;
        }
        let before = std::mem::replace(&mut self.watch, watch);
        self.replace_daemon(&before, lagged, shelf);
        self.replace_telemetry(shelf)
    }

    fn replace_daemon(&mut self, before: &Watch, lagged: bool, shelf: &Shelf<'_>) {
        let watch = &self.watch;
        let text = |text: &Utf8Bytes| Outgoing::Text(text.clone());
        let rest = match &watch.since {
            Some(since) if since.instance == shelf.instance && !lagged => shelf.ring.since(since.seq),
            _ => None,
        };
        if let Some(rest) = rest {
            // What this connection watched before is under way on it already.
            let had = |class| Self::wants(before, class);
            for (_, event) in rest.filter(|(class, _)| Self::wants(watch, *class) && !had(*class)) {
                self.outbox.push(About::Daemon, text(event));
            }
            return;
        }
        self.outbox.forget_daemon();
        if watch.since.is_some() {
            self.outbox.push(About::Daemon, text(&encode(&Notification::Lagged {})));
        }
        if watch.registry {
            let (seq, rows) = (shelf.ring.seq(), shelf.rows);
            let (runs, queue, banners) = (rows.window(), rows.queue(), rows.banners().to_vec());
            self.outbox.push(About::Daemon, Outgoing::Registry { seq, runs, queue, banners });
        }
    }

    fn replace_telemetry(&mut self, shelf: &Shelf<'_>) -> Needs {
        let mut needs = Needs::default();
        let mut wanted = self.watch.telemetry.clone();
        let followed =
            self.watch.follow.and_then(|workflow| shelf.newest.get(&workflow)).map(|(_, run)| *run);
        if let Some(run_id) = followed
            && !wanted.iter().any(|it| it.run_id == run_id)
        {
            // The same run followed on: the connection has it.
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
            if self.attach(of, shelf.runs) {
                needs.runs.push(of);
            }
        }
        needs
    }

    fn deliver(&mut self, id: RunId, loaded: Option<Loaded>) {
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
        for (seq, event, text) in held {
            if seq > sent {
                self.state(id, seq, &event, &text);
                sent = seq;
            }
        }
    }
}
