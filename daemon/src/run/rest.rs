//! What the daemon gives back when there is less to do.

use std::time::Duration;

use tokio::sync::watch::Receiver;

use crate::engine::Activity;
use crate::store::Store;

/// How long neither a start nor an end of a run makes it a rest.
const QUIET: Duration = Duration::from_millis(500);

/// After every stretch of work, once: memory that only made it quick goes back to the system. Never wakes without work.
pub(super) async fn rest(mut activity: Receiver<Activity>, store: Store) {
    while activity.changed().await.is_ok() {
        while let Ok(changed) = tokio::time::timeout(QUIET, activity.changed()).await {
            if changed.is_err() {
                return;
            }
        }
        store.rest();
    }
}
