//! Caches the state of a run that a connection reads in pieces: its items page by page, or one log after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fanlight_shared::id::RunId;
use fanlight_shared::run_state::RunState;

/// How long an entry lives after its last use.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A cache across requests: an inactive run is folded from its events only once, and pages belong to one snapshot.
#[derive(Debug, Default)]
pub(super) struct Recent(Arc<Mutex<Option<Entry>>>);

#[derive(Debug)]
struct Entry {
    run: RunId,
    state: Arc<RunState>,
    used: bool,
}

/// Locks an entry. It is never partially updated, so a poisoned lock is harmless.
fn lock(slot: &Mutex<Option<Entry>>) -> MutexGuard<'_, Option<Entry>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recent {
    /// Returns the entry of a run.
    pub(super) fn get(&self, run: RunId) -> Option<Arc<RunState>> {
        let mut slot = lock(&self.0);
        let entry = slot.as_mut().filter(|entry| entry.run == run)?;
        entry.used = true;
        Some(Arc::clone(&entry.state))
    }

    /// Replaces the entry.
    pub(super) fn keep(&self, run: RunId, state: Arc<RunState>) {
        let was_empty = lock(&self.0).replace(Entry { run, state, used: true }).is_none();
        if was_empty {
            tokio::spawn(drop_unused(Arc::downgrade(&self.0)));
        }
    }

    /// Removes the entry.
    pub(super) fn forget(&self) {
        *lock(&self.0) = None;
    }
}

async fn drop_unused(slot: Weak<Mutex<Option<Entry>>>) {
    loop {
        tokio::time::sleep(IDLE_TIMEOUT).await;
        let Some(slot) = slot.upgrade() else { return };
        let mut slot = lock(&slot);
        if !slot.as_mut().is_some_and(|entry| std::mem::take(&mut entry.used)) {
            return *slot = None;
        }
    }
}
