//! Releases memory when the daemon has less to do.

use std::time::Duration;

use tokio::sync::watch::Receiver;

use crate::engine::Activity;
use crate::store::Store;

/// How long no run must start or end before memory is released.
const IDLE_DELAY: Duration = Duration::from_millis(500);

/// Returns caches and freed memory to the system once after every period of work. Never wakes without work.
pub(super) async fn release_memory(mut activity: Receiver<Activity>, store: Store) {
    while activity.changed().await.is_ok() {
        while let Ok(changed) = tokio::time::timeout(IDLE_DELAY, activity.changed()).await {
            if changed.is_err() {
                return;
            }
        }
        store.release_memory();
    }
}
