//! Who is told what: committed events and live ones go in, every connection takes what it watches out.
//!
//! Nothing here waits: a connection that does not read loses live events first and then gets a fresh snapshot.

mod encode;
mod kept;
mod outbox;
mod ring;
mod rows;
mod subscription;
mod telling;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::event::{DaemonEvent, LiveEvent, Numbered, StateEvent};
use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::run::Run;
use fanlight_shared::run_state::RunState;

use encode::encode;
pub(crate) use encode::{text, written};
use kept::Kept;
pub(crate) use outbox::Outgoing;
use ring::{Class, Ring};
use rows::Rows;
use subscription::Watcher;
pub(crate) use subscription::{Loaded, Needs, Subscription};
pub(crate) use telling::{Room, head};

/// The hub. One per daemon, shared by `Arc`; its methods may be called from any thread.
#[derive(Debug)]
pub struct Hub {
    instance: String,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// Active runs.
    runs: HashMap<RunId, Kept>,
    /// What the registry shows.
    rows: Rows,
    /// The newest daemon events.
    ring: Ring,
    /// The newest started run of each workflow that had one under this daemon.
    newest: HashMap<WorkflowId, (u64, RunId)>,
    watchers: HashMap<u64, Watcher>,
    next_watcher: u64,
}

impl Default for Hub {
    fn default() -> Self {
        Self { instance: uuid::Uuid::now_v7().to_string(), inner: Mutex::default() }
    }
}

impl Hub {
    /// Names this life of the daemon; daemon-wide numbers count from its start.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// A thread that panicked in here left at worst a half-told event; the rest goes on.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A run became active (started, or recovered at start): its state is kept here until [`Hub::end`]. `edges` are the
    /// names of its edges with the node that reads each.
    pub fn begin(&self, run: &Run, state: RunState, edges: Vec<(String, String)>) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let kept = Kept::new(run, state, edges);
        for watcher in inner.watchers.values_mut() {
            watcher.began(&kept);
        }
        inner.runs.insert(run.id, kept);
        let order = run.start_order.unwrap_or(0);
        if inner.newest.get(&run.workflow_id).is_none_or(|(newest, _)| *newest <= order) {
            inner.newest.insert(run.workflow_id, (order, run.id));
            for watcher in inner.watchers.values_mut() {
                watcher.follow(run.workflow_id, run.id, &inner.runs);
            }
        }
    }

    /// A state event was committed. Folded into the kept state, sent to those who watch the run.
    pub fn state(&self, workflow_id: WorkflowId, run_id: RunId, event: Numbered) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let edges = match inner.runs.get_mut(&run_id) {
            Some(kept) => match kept.state(&event) {
                Some(edges) => edges,
                None => {
                    if event.seq > kept.state.seq {
                        tracing::error!(run = %run_id, seq = event.seq, "events of a run are missing");
                    }
                    return;
                }
            },
            // A run that waits, or one that ended: nothing is kept of it, but somebody may be looking.
            None => Vec::new(),
        };
        let interested: Vec<&mut Watcher> =
            inner.watchers.values_mut().filter(|watcher| watcher.watches(run_id)).collect();
        if interested.is_empty() {
            return;
        }
        let about: StateEvent = event.event.clone();
        let seq = event.seq;
        let text = encode(&Notification::State { workflow_id, run_id, event });
        for watcher in interested {
            watcher.state(run_id, seq, &about, &text);
            for edge in &edges {
                watcher.live(workflow_id, run_id, edge);
            }
        }
    }

    /// A live event; never waits, may be lost.
    pub fn live(&self, workflow_id: WorkflowId, run_id: RunId, event: LiveEvent) {
        let mut inner = self.lock();
        let inner = &mut *inner;
        let Some(kept) = inner.runs.get_mut(&run_id) else { return };
        kept.live(&event);
        for watcher in inner.watchers.values_mut() {
            watcher.live(workflow_id, run_id, &event);
        }
    }

    /// Registry, queue or products changed, and that is committed. A run that waits is placed by its `position`, at the
    /// end of the queue where it has none.
    pub fn daemon(&self, event: DaemonEvent) {
        let mut inner = self.lock();
        for event in inner.rows.apply(event) {
            inner.tell(event);
        }
    }

    /// A run waits, and that is committed; it is placed as [`Hub::daemon`] does.
    pub fn queued(&self, run: Arc<Run>) {
        let mut inner = self.lock();
        if let Some(event) = inner.rows.wait(run) {
            inner.tell(event);
        }
    }

    /// How the queue is when the daemon starts, before anybody watches: no event, nothing is counted.
    pub fn open_queue(&self, queue: fanlight_shared::event::Queue) {
        let _ = self.lock().rows.apply(DaemonEvent::QueueUpdate { queue });
    }

    /// What every client should show.
    #[must_use]
    pub fn banners(&self) -> Vec<String> {
        self.lock().rows.banners().to_vec()
    }

    /// A run ended and its last event was sent: its state may be dropped; it is read from the store from now on.
    pub fn end(&self, run_id: RunId) {
        self.lock().runs.remove(&run_id);
    }

    /// What is known of an active run.
    #[must_use]
    pub fn run_state(&self, run_id: RunId) -> Option<Arc<RunState>> {
        self.lock().runs.get(&run_id).map(|kept| Arc::clone(&kept.state))
    }

    /// Fills in the places of runs that wait.
    pub fn place(&self, runs: &mut [Run]) {
        let inner = self.lock();
        for run in runs {
            run.position = inner.rows.position(run.id);
        }
    }

    /// Everybody is told that the daemon ends.
    pub fn bye(&self, reason: &str) {
        let text = encode(&Notification::Bye { reason: reason.to_owned() });
        for watcher in self.lock().watchers.values_mut() {
            watcher.bye(&text);
        }
    }
}

impl Inner {
    fn tell(&mut self, event: DaemonEvent) {
        match &event {
            DaemonEvent::RunUpdate { run } => {
                if let Some(kept) = self.runs.get_mut(&run.id) {
                    kept.run = Arc::new((**run).clone());
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
        let text = encode(&Notification::Daemon { seq, event });
        for watcher in self.watchers.values_mut() {
            watcher.daemon(class, &text);
        }
        self.ring.push(class, text);
    }
}
