//! The events of one attempt.

use std::time::Duration;

use fanlight_shared::id::AttemptId;
use tokio::sync::watch;

use super::subscribers::Known;
use super::{AttemptEvent, Stage, Supervisor};

/// The events of one attempt; ends when dropped.
#[derive(Debug)]
pub struct Subscription {
    id: AttemptId,
    supervisor: Supervisor,
    seen: watch::Receiver<Known>,
    /// The log's end as last reported.
    reported: u64,
    /// Whether the last event was returned.
    over: bool,
}

impl Subscription {
    pub(super) fn new(supervisor: Supervisor, id: AttemptId) -> Self {
        Self { id, seen: supervisor.inner.subscribers.subscribe(id), supervisor, reported: 0, over: false }
    }

    /// Returns the next event; after `Ended` or `Lost` it never returns. Cancel-safe.
    pub async fn next(&mut self) -> AttemptEvent {
        loop {
            let seen = self.seen.borrow_and_update().clone();
            if self.over {
                return std::future::pending().await;
            }
            match seen.stage {
                Some(Stage::Ended(exit)) => {
                    self.over = true;
                    return AttemptEvent::Ended(exit);
                }
                Some(Stage::Lost) => {
                    self.over = true;
                    return AttemptEvent::Lost;
                }
                _ => {}
            }
            if seen.end > self.reported {
                self.reported = seen.end;
                return AttemptEvent::Grew { end: seen.end };
            }
            if !seen.state_requested {
                self.request_state().await;
                continue;
            }
            if self.seen.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// Asks for the state of the attempt, unless somebody has since it was subscribed to.
    async fn request_state(&self) {
        match self.supervisor.state(self.id).await {
            Ok(_) => self.supervisor.inner.subscribers.state_requested(self.id),
            Err(error) => {
                tracing::warn!(%error, "the supervisor can't be reached yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.supervisor.inner.subscribers.leave(self.id);
    }
}
