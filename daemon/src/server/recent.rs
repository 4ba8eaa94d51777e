//! The state of a run that a connection reads piece by piece: its items page by page, one log after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use fanlight_shared::id::RunId;
use fanlight_shared::run_state::RunState;

/// How long it is kept after it was last asked for.
const REST: Duration = Duration::from_secs(30);

/// Kept between one request and the next: a run that is not active is folded from its events once for all of them, and
/// pages are of one moment.
#[derive(Debug, Default)]
pub(super) struct Recent(Arc<Mutex<Option<Kept>>>);

#[derive(Debug)]
struct Kept {
    run: RunId,
    state: Arc<RunState>,
    used: bool,
}

/// There is no step at which what is kept would be half of something.
fn lock(slot: &Mutex<Option<Kept>>) -> MutexGuard<'_, Option<Kept>> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recent {
    /// What is kept of a run.
    pub(super) fn get(&self, run: RunId) -> Option<Arc<RunState>> {
        let mut slot = lock(&self.0);
        let kept = slot.as_mut().filter(|kept| kept.run == run)?;
        kept.used = true;
        Some(Arc::clone(&kept.state))
    }

    /// Keeps a state in place of whatever was kept.
    pub(super) fn keep(&self, run: RunId, state: Arc<RunState>) {
        let was_empty = lock(&self.0).replace(Kept { run, state, used: true }).is_none();
        if was_empty {
            tokio::spawn(drop_unused(Arc::downgrade(&self.0)));
        }
    }

    /// Keeps nothing any more.
    pub(super) fn forget(&self) {
        *lock(&self.0) = None;
    }
}

async fn drop_unused(slot: Weak<Mutex<Option<Kept>>>) {
    loop {
        tokio::time::sleep(REST).await;
        let Some(slot) = slot.upgrade() else { return };
        let mut slot = lock(&slot);
        if !slot.as_mut().is_some_and(|kept| std::mem::take(&mut kept.used)) {
            return *slot = None;
        }
    }
}
