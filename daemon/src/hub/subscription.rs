//! A connection's subscription to the hub.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::rpc::watch::{TelemetryOf, Watch};
use tokio::sync::Notify;

use super::outbox::{Next, Outgoing};
use super::watcher::{Loaded, Needs, View, Watcher};
use super::{Hub, Inner};

/// A connection's subscription to the hub, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Subscription {
    hub: Arc<Hub>,
    id: u64,
    wake: Arc<Notify>,
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let mut inner = self.hub.lock();
        inner.watchers.remove(&self.id);
        self.note_metrics(&inner);
    }
}

impl Subscription {
    /// Creates a subscription that watches nothing yet.
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

    /// Notes whether any connection watches metrics.
    fn note_metrics(&self, inner: &Inner) {
        let any = inner.watchers.values().any(|watcher| watcher.watch.metrics.is_some());
        self.hub.watches_metrics.store(any, Ordering::Relaxed);
    }

    fn with<T: Default>(&self, act: impl FnOnce(&mut Watcher, &View<'_>) -> T) -> T {
        let mut inner = self.hub.lock();
        let Inner { runs, rows, ring, newest, watchers, .. } = &mut *inner;
        let view = View { instance: &self.hub.instance, runs, rows, ring, newest };
        watchers.get_mut(&self.id).map(|watcher| act(watcher, &view)).unwrap_or_default()
    }

    /// Replaces what is watched. Returns the daemon-wide number from which it applies, and what must be read from the
    /// store and [delivered](Self::deliver).
    pub(crate) fn watch(&self, watch: Watch) -> (u64, Needs) {
        let answer = self.with(|watcher, view| (view.ring.seq(), watcher.replace(watch, view)));
        self.note_metrics(&self.hub.lock());
        self.wake.notify_one();
        answer
    }

    /// Starts over after the connection did not read for too long.
    pub(crate) fn again(&self) -> Needs {
        let needs = self.with(|watcher, view| {
            let mut watch = watcher.watch.clone();
            watch.since = None;
            for of in &mut watch.telemetry {
                of.seq = None;
            }
            watcher.replace(watch, view)
        });
        self.wake.notify_one();
        needs
    }

    /// Delivers the newest started run of a workflow, which the hub did not know.
    pub(crate) fn followed(&self, workflow: WorkflowId, run: RunId) -> Option<TelemetryOf> {
        let of = TelemetryOf { run_id: run, seq: None };
        self.with(|watcher, view| {
            if watcher.watch.follow != Some(workflow) || watcher.followed.is_some() {
                return None;
            }
            watcher.followed = Some(run);
            if watcher.runs.contains_key(&run) {
                return None;
            }
            watcher.attach(of, view.runs).then_some(of)
        })
    }

    /// Delivers a run that was read from the store; `None` if there is no such run.
    pub(crate) fn deliver(&self, id: RunId, loaded: Option<Loaded>) {
        self.with(|watcher, _| watcher.deliver(id, loaded));
        self.wake.notify_one();
    }

    /// Returns the next message, if one is due.
    pub(crate) fn try_next(&self) -> Option<Outgoing> {
        match self.with(|watcher, _| Some(watcher.outbox.take(Instant::now()))) {
            Some(Next::Send(message)) => Some(message),
            _ => None,
        }
    }

    /// Returns the next message that is due. Cancel safe.
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
