//! Does what is to be done when a run or a sweep has ended, and tries it again if it fails.

mod perform;

use std::sync::Arc;
use std::time::Duration;

use fanlight_shared::time::Time;
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) use perform::Performer;

use crate::on_end::Due;
use crate::store::{Op, Store, StoreError};

/// How many are done at the same time.
const CONCURRENT: u32 = 8;
/// How often one is tried.
const MAX_TRIES: u32 = 10;
/// The delay before the second try; it doubles from try to try, up to the longest.
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(600);
/// How long to wait before a result is stored again that could not be.
const STORE_DELAY: Duration = Duration::from_secs(5);

/// Does what is due, forever. `added` is notified when something is added.
pub(crate) async fn deliver(store: Store, performer: Performer, added: Arc<Notify>) {
    let performer = Arc::new(performer);
    loop {
        // What was added before is committed now.
        let _ = store.commit(Vec::new()).await;
        let reader = store.clone();
        let read = tokio::task::spawn_blocking(move || {
            let due = reader.due_on_end(Time::now(), CONCURRENT)?;
            Ok::<_, StoreError>((due, reader.next_on_end()?))
        });
        let (due, next) = match read.await {
            Ok(Ok(read)) => read,
            Ok(Err(error)) => {
                tracing::warn!(%error, "what is to be done at ends can't be read");
                (Vec::new(), Some(Time(Time::now().0.saturating_add(60_000))))
            }
            Err(_) => return,
        };
        if due.is_empty() {
            let wait = next.map(|at| Duration::from_millis(u64::try_from(at.0 - Time::now().0).unwrap_or(0)));
            tokio::select! {
                () = added.notified() => {}
                () = tokio::time::sleep(wait.unwrap_or_default()), if wait.is_some() => {}
            }
            continue;
        }
        let mut doing = JoinSet::new();
        for due in due {
            let performer = Arc::clone(&performer);
            doing.spawn(async move {
                let result = performer.perform(&due).await;
                (due, result)
            });
        }
        while let Some(done) = doing.join_next().await {
            let Ok((due, result)) = done else { continue };
            record(&store, &due, result).await;
        }
    }
}

/// Stores the result of a try. It must be stored before the next try, or a full disk would repeat it at once.
async fn record(store: &Store, due: &Due, result: Result<(), String>) {
    let op = || match &result {
        Ok(()) => Op::OnEndDone { key: due.key },
        Err(error) => {
            let tries = due.tries + 1;
            let delay = FIRST_DELAY.saturating_mul(1 << due.tries.min(16)).min(LONGEST_DELAY);
            let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
            let next = (tries < MAX_TRIES).then(|| Time(Time::now().0.saturating_add(delay)));
            Op::OnEndFailed { key: due.key, error: error.clone(), next }
        }
    };
    if let Err(error) = &result {
        tracing::warn!("{} at the end of {} failed: {error}", due.on_end.describe(), due.end.name);
    }
    while store.commit(vec![op()]).await.is_err() {
        if store.failure().borrow().is_some() {
            return;
        }
        tokio::time::sleep(STORE_DELAY).await;
    }
}
