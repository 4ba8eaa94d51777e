//! Does what is to be done when a run or a sweep has ended, and tries it again if it fails.

mod perform;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::time::Time;
use futures_util::FutureExt;
use tokio::sync::Notify;
use tokio::task::{Id, JoinSet};
use tokio_util::sync::CancellationToken;

pub(crate) use perform::Performer;

use crate::on_end::Due;
use crate::store::{Op, Store, StoreError};

/// How often one thing is done at the same time, for different ends. Each has its own places, so that one that hangs
/// delays no other.
const PLACES: usize = 4;
/// How many are read at once of each thing to do. It is more than [`PLACES`], of which some are in flight.
const READ: u32 = 32;
/// How often one is tried: for about eight hours.
const MAX_TRIES: u32 = 60;
/// The delay before the second try; it doubles from try to try, up to the longest.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(600);
/// How long to wait before a result is stored again that could not be.
const STORE_DELAY: Duration = Duration::from_secs(5);

/// Does what is due, until `stop`. `added` is notified when something is added.
pub(crate) async fn deliver(store: Store, performer: Performer, added: Arc<Notify>, stop: CancellationToken) {
    let (store, performer) = (store, Arc::new(performer));
    let mut delivery = Delivery { store, performer, tasks: JoinSet::new(), in_flight: HashMap::new() };
    tokio::select! {
        biased;
        () = stop.cancelled() => {}
        () = delivery.run(&added) => {}
    }
    // What is not done is left for the next daemon; the programs end now.
    delivery.tasks.shutdown().await;
}

struct Delivery {
    store: Store,
    performer: Arc<Performer>,
    /// Each ends when its result is stored.
    tasks: JoinSet<()>,
    in_flight: HashMap<Id, Arc<Due>>,
}

impl Delivery {
    async fn run(&mut self, added: &Notify) {
        let (mut waiting, mut next) = (Vec::new(), None);
        let mut stale = true;
        loop {
            if stale {
                let Some(read) = self.read().await else { return };
                (waiting, next) = read;
            }
            self.start(&mut waiting);
            let delay = next.map(|at: Time| {
                Duration::from_millis(u64::try_from(at.0.saturating_sub(Time::now().0)).unwrap_or(0))
            });
            stale = tokio::select! {
                () = added.notified() => true,
                () = tokio::time::sleep(delay.unwrap_or_default()), if delay.is_some() => true,
                Some(ended) = self.tasks.join_next_with_id() => {
                    let id = ended.map_or_else(|error| error.id(), |(id, ())| id);
                    let ended = self.in_flight.remove(&id);
                    ended.is_none_or(|ended| !waiting.iter().any(|it| it.on_end == ended.on_end))
                }
            };
        }
    }

    /// Reads what is due and not in flight, and when something is due next. Returns `None` if the daemon ends.
    async fn read(&self) -> Option<(Vec<Due>, Option<Time>)> {
        // What was added before is committed now.
        let _ = self.store.commit(Vec::new()).await;
        let reader = self.store.clone();
        let read = tokio::task::spawn_blocking(move || {
            let now = Time::now();
            Ok::<_, StoreError>((reader.due_on_end(now, READ)?, reader.next_on_end(now)?))
        });
        let (mut read, next) = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what is to be done at ends can't be read");
                return Some((Vec::new(), Some(Time(Time::now().0.saturating_add(60_000)))));
            }
            Err(_) => return None,
        };
        for (key, error) in read.unreadable {
            tracing::error!(key, error, "something that is to be done at an end can't be read");
            let _ = self.store.commit(vec![Op::OnEndFailed { key, error, next: None }]).await;
        }
        read.due.retain(|due| !self.in_flight.values().any(|it| it.key == due.key));
        Some((read.due, next))
    }

    /// Starts those for which there are places.
    fn start(&mut self, waiting: &mut Vec<Due>) {
        for due in std::mem::take(waiting) {
            if self.in_flight.values().filter(|it| it.on_end == due.on_end).count() >= PLACES {
                waiting.push(due);
                continue;
            }
            let (store, performer, due) = (self.store.clone(), Arc::clone(&self.performer), Arc::new(due));
            let doing = Arc::clone(&due);
            let task = self.tasks.spawn(async move {
                let result = AssertUnwindSafe(performer.perform(&doing)).catch_unwind().await;
                record(&store, &doing, result.unwrap_or_else(|_| Err("the daemon could not do it".into())))
                    .await;
            });
            self.in_flight.insert(task.id(), due);
        }
    }
}

/// Returns the delay before the next try, after this many; `None` if it is the last.
fn delay(tries: u32) -> Option<Duration> {
    let delay = FIRST_DELAY.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST_DELAY);
    (tries < MAX_TRIES).then_some(delay)
}

/// Stores the result of a try. It must be stored before the next try, or a full disk would repeat it at once.
async fn record(store: &Store, due: &Due, result: Result<(), String>) {
    let op = || match &result {
        Ok(()) => Op::OnEndDone { key: due.key },
        Err(error) => {
            let next = delay(due.tries + 1).map(|delay| {
                let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
                Time(Time::now().0.saturating_add(delay))
            });
            Op::OnEndFailed { key: due.key, error: error.clone(), next }
        }
    };
    if let Err(error) = &result {
        tracing::warn!("{} at the end of {} failed: {error}", due.on_end.describe(), due.end.name);
    }
    while store.commit(vec![op()]).await.is_err() {
        if store.failure().borrow().is_some() {
            // The daemon ends; until then it is not tried again.
            return std::future::pending().await;
        }
        tokio::time::sleep(STORE_DELAY).await;
    }
}
