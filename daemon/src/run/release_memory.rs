//! Releases memory when the daemon has less to do.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch::Receiver;
use tokio::sync::watch::error::RecvError;

use crate::engine::Activity;
use crate::hub::Hub;
use crate::store::Store;

/// How long no run must start or end, and no client come or go, before memory is released.
const IDLE_DELAY: Duration = Duration::from_millis(500);

/// Returns caches and freed memory to the system once after every period of work: of runs, or for clients. What waited
/// for a client that did not read is freed when it goes. Never wakes without work.
pub(super) async fn release_memory(
    mut activity: Receiver<Activity>,
    mut clients: Receiver<u32>,
    hub: Arc<Hub>,
    store: Store,
) {
    while changed(&mut activity, &mut clients).await.is_ok() {
        while let Ok(changed) = tokio::time::timeout(IDLE_DELAY, changed(&mut activity, &mut clients)).await {
            if changed.is_err() {
                return;
            }
        }
        hub.release_memory();
        store.release_memory();
    }
}

/// Waits until either changes.
async fn changed(activity: &mut Receiver<Activity>, clients: &mut Receiver<u32>) -> Result<(), RecvError> {
    tokio::select! {
        changed = activity.changed() => changed,
        changed = clients.changed() => changed,
    }
}
