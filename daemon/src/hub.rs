//! Routes events to connections: committed and live events come in, and every connection gets what it watches.
//!
//! Nothing here waits or serialises: a connection that does not read loses live events first, and then gets a fresh
//! snapshot.
//!
//! - `record`: an active run; `rows`: the registry; `ring`: the newest daemon events
//! - `message`, `snapshot`: notifications as text frames, whole and in parts
//! - `watcher`, `outbox`: the hub's side of a connection, and its pending messages; `points`: those of metrics among
//!   them; `subscription`: the connection's
//!   side

mod message;
mod outbox;
mod points;
mod record;
mod ring;
mod rows;
mod snapshot;
mod subscription;
mod watcher;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::event::{Activity, DaemonEvent, LiveEvent, Location, Numbered};
use fanlight_shared::id::{IdMap, RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::NewPoints;
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;
use indexmap::IndexMap;

use message::Message;
pub(crate) use message::{Budget, text};
pub(crate) use outbox::Outgoing;
pub(crate) use points::Reporting;
use record::{Outdated, Record};
use ring::{Class, Ring};
use rows::Rows;
pub(crate) use snapshot::{head, nodes};
pub(crate) use subscription::Subscription;
use watcher::Watcher;
pub(crate) use watcher::{Loaded, Needs};

/// The hub. One per daemon, shared by `Arc`; its methods may be called from any thread.
#[derive(Debug)]
pub struct Hub {
    instance: String,
    /// Whether any connection watches metrics, so that reports cost nothing else.
    watches_metrics: AtomicBool,
    inner: Mutex<Inner>,
}

/// The last reports of an attempt.
#[derive(Debug)]
pub(crate) struct Reported {
    /// Its numbers.
    pub(crate) metrics: IndexMap<String, f64>,
    /// The end of its log.
    pub(crate) log_end: u64,
    /// The last line of its log.
    pub(crate) last_line: Option<String>,
    /// Where it runs, if that is not this machine.
    pub(crate) location: Option<Box<Location>>,
    /// Its plan, tasks, tool calls and predictions.
    pub(crate) activity: Option<Box<Activity>>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Active runs.
    runs: IdMap<RunId, Record>,
    /// The rows of the registry.
    rows: Rows,
    /// The newest daemon events.
    ring: Ring,
    /// The newest started run of each workflow that started one under this daemon.
    newest: IdMap<WorkflowId, (u64, RunId)>,
    watchers: HashMap<u64, Watcher>,
    next_watcher: u64,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            instance: uuid::Uuid::now_v7().to_string(),
            watches_metrics: AtomicBool::default(),
            inner: Mutex::default(),
        }
    }
}

impl Hub {
    /// Returns the id of this instance of the daemon; daemon-wide numbers count from its start.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// If a thread panicked in here, at worst some connections missed an event; the others continue.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a run that became active (started, or recovered at startup); its state is kept until [`Hub::end`].
    pub fn begin(&self, run: &Run, state: RunState) {
        let mut short = run.clone();
        short.shorten();
        let record = Record::new(short, state);
        let mut inner = self.lock();
        let inner = &mut *inner;
        for watcher in inner.watchers.values_mut() {
            watcher.began(&record);
        }
        inner.runs.insert(run.id, record);
        if run.parent.is_some() {
            // Watchers of its workflow follow what a person started.
            return;
        }
        let order = run.start_order.unwrap_or(0);
        if inner.newest.get(&run.workflow_id).is_none_or(|(newest, _)| *newest <= order) {
            inner.newest.insert(run.workflow_id, (order, run.id));
            for watcher in inner.watchers.values_mut() {
                watcher.follow(run.workflow_id, run.id, &inner.runs);
            }
        }
    }

    /// Folds a committed state event into the run's state, and sends it to watchers of the run.
    pub fn state(&self, workflow_id: WorkflowId, run_id: RunId, event: Arc<Numbered>) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let is_watched = inner.watchers.values().any(|watcher| watcher.watches(run_id));
        let (outdated, edges) = match inner.runs.get_mut(&run_id) {
            Some(record) => {
                let folded = match is_watched {
                    true => record.fold(&event),
                    false => record.add(&event).then(|| (Outdated::Nothing, Vec::new())),
                };
                let Some(folded) = folded else {
                    if event.seq > record.seq() {
                        tracing::error!(run = %run_id, seq = event.seq, "events of a run are missing");
                    }
                    return;
                };
                folded
            }
            // The run is waiting or has ended: it has no record, but may be watched.
            None => (Outdated::Nothing, Vec::new()),
        };
        // A node that starts to work or ends may end the wait of the run, or leave others that wait.
        inner.show_waits(run_id);
        if !is_watched {
            return;
        }
        let watching = inner.watchers.values_mut().filter(|watcher| watcher.watches(run_id));
        let message =
            Message::new(Notification::State { workflow_id, run_id, event: Numbered::clone(&event) });
        for watcher in watching {
            watcher.state(run_id, event.seq, &event.event, outdated, &message);
            for edge in &edges {
                watcher.live(workflow_id, run_id, edge);
            }
        }
    }

    /// Sends a live event. Never waits; the event may be lost.
    pub fn live(&self, workflow_id: WorkflowId, run_id: RunId, mut event: LiveEvent) {
        event.shorten();
        let mut inner = self.lock();
        let inner = &mut *inner;
        let Some(record) = inner.runs.get_mut(&run_id) else { return };
        if !record.fold_live(&event) {
            return;
        }
        for watcher in inner.watchers.values_mut() {
            watcher.live(workflow_id, run_id, &event);
        }
        if matches!(event, LiveEvent::WaitUpdate { .. } | LiveEvent::LocationUpdate { .. }) {
            inner.show_waits(run_id);
        }
    }

    /// Returns whether any connection watches metrics.
    pub(crate) fn watches_metrics(&self) -> bool {
        self.watches_metrics.load(Ordering::Relaxed)
    }

    /// Sends new points of a metric to connections that watch it. Never waits.
    pub(crate) fn measured(&self, of: &Reporting, new: &NewPoints) {
        for watcher in self.lock().watchers.values_mut() {
            watcher.measured(of, new);
        }
    }

    /// Sends a committed change of the registry, the queue or the products. A waiting run is inserted at its
    /// `position`, or at the end of the queue without one.
    pub fn daemon(&self, mut event: DaemonEvent) {
        event.shorten();
        let mut inner = self.lock();
        for event in inner.rows.apply(event) {
            inner.send(event);
        }
    }

    /// Adds committed waiting runs, in the order of their positions, which [`Hub::daemon`] describes.
    pub fn queued(&self, runs: Vec<Arc<Run>>) {
        let mut inner = self.lock();
        for event in inner.rows.wait(runs) {
            inner.send(event);
        }
    }

    /// Moves waiting runs to these places, in the order of the places, and changes priorities. Watchers get the registry again.
    pub fn moved(&self, places: &[(Option<u32>, RunId)], priorities: &[(RunId, i32)]) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        inner.rows.move_to(places);
        inner.rows.set_priorities(priorities);
        inner.ring.forget();
        let (seq, rows) = (inner.ring.seq(), &inner.rows);
        inner.watchers.values_mut().for_each(|watcher| watcher.registry(seq, rows));
    }

    /// Sets the queue at startup, before anybody watches, without an event.
    pub fn open_queue(&self, queue: fanlight_shared::event::Queue) {
        let _ = self.lock().rows.apply(DaemonEvent::QueueUpdate { queue });
    }

    /// Returns the banners.
    #[must_use]
    pub fn banners(&self) -> Vec<String> {
        self.lock().rows.banners().to_vec()
    }

    /// Drops the state of a run that has ended and whose last event was sent; from now on it is read from the store.
    pub fn end(&self, run_id: RunId) {
        self.lock().runs.remove(&run_id);
    }

    /// Returns the state of an active run.
    #[must_use]
    pub fn run_state(&self, run_id: RunId) -> Option<Arc<RunState>> {
        self.lock().runs.get(&run_id).map(|record| record.state())
    }

    /// Returns what a running attempt has reported so far, which the event of its end stores.
    pub(crate) fn reported(&self, run: RunId, node: &str, item: ItemPath, attempt: u32) -> Option<Reported> {
        let inner = self.lock();
        let state = inner.runs.get(&run)?.state();
        let instance = state.instance(node, item)?;
        (instance.is_live() && instance.attempt() == attempt).then(|| Reported {
            metrics: instance.metrics.clone(),
            log_end: instance.log_end,
            last_line: instance.last_line.clone(),
            location: instance.location().cloned().map(Box::new),
            activity: instance.activity.clone(),
        })
    }

    /// Returns what the running attempts of a node wait for at their executors.
    pub(crate) fn waits_for(&self, run: RunId, node: &str) -> Option<String> {
        self.lock().runs.get(&run)?.state().nodes.get(node)?.waits_for.clone()
    }

    /// Fills in the positions of waiting runs, the questions of runs, and what they wait for.
    pub fn place(&self, runs: &mut [Run]) {
        let inner = self.lock();
        for run in runs {
            run.position = inner.rows.position(run.id);
            run.asks = inner.rows.asks(run.id);
            run.waits_for = inner.rows.waits_for(run.id);
            run.paused = inner.rows.pause(run);
        }
    }

    /// Returns the runs that ask a person, in the order of their starts, with their states.
    pub(crate) fn asking(&self) -> Vec<(Arc<Run>, Arc<RunState>)> {
        let inner = self.lock();
        let state = |run: &RunId| inner.runs.get(run).map(|record| record.state());
        inner.rows.asking().into_iter().filter_map(|run| Some((Arc::clone(&run), state(&run.id)?))).collect()
    }

    /// Notifies every client that the daemon is ending, and whether its home is gone.
    pub fn bye(&self, reason: &str, home_gone: bool) {
        let message = Message::new(Notification::Bye { reason: reason.to_owned(), home_gone });
        for watcher in self.lock().watchers.values_mut() {
            watcher.bye(&message);
        }
    }

    /// Drops the newest daemon events, which are small parts of much memory that was used during the last period of work and
    /// would not be freed. A client that reconnects without having missed any needs none.
    pub(crate) fn release_memory(&self) {
        self.lock().ring.release_memory();
    }

    /// Estimates how many bytes of notifications wait for connections.
    #[must_use]
    pub fn queued_bytes(&self) -> usize {
        self.lock().watchers.values().map(|watcher| watcher.outbox.bytes()).sum()
    }
}

impl Inner {
    /// Shows in the registry what a run waits for, if that has changed.
    fn show_waits(&mut self, run: RunId) {
        let Some(record) = self.runs.get(&run).filter(|record| record.has_waited()) else { return };
        let reason = record.waits_for();
        if let Some(event) = self.rows.set_waits_for(run, reason) {
            self.send(event);
        }
    }

    fn send(&mut self, event: DaemonEvent) {
        match &event {
            DaemonEvent::RunUpdate { run } => {
                if let Some(record) = self.runs.get_mut(&run.id) {
                    record.run = Arc::new((**run).clone());
                }
            }
            DaemonEvent::RunDelete { workflow_id, run_id }
                if self.newest.get(workflow_id).is_some_and(|(_, newest)| newest == run_id) =>
            {
                self.newest.remove(workflow_id);
            }
            _ => {}
        }
        let class = Class::of(&event);
        let seq = self.ring.next();
        let message = Message::new(Notification::Daemon { seq, event });
        for watcher in self.watchers.values_mut() {
            watcher.daemon(class, &message);
        }
        self.ring.push(class, message);
    }
}
