//! The subscribers of attempts. Notifications are coalesced: a subscriber finds the newest state whenever it looks.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use fanlight_shared::id::AttemptId;
use tokio::sync::watch;

use super::super::message::Reply;
use super::{AttemptState, Stage};

/// The newest known state of an attempt.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    /// The log's end.
    pub(super) end: u64,
    pub(super) stage: Option<Stage>,
    /// Whether the supervisor was asked about it, so that its notifications are complete from then on.
    pub(super) state_requested: bool,
}

/// The subscribers, by attempt.
#[derive(Debug, Default)]
pub(super) struct Subscribers {
    attempts: Mutex<HashMap<AttemptId, watch::Sender<Known>>>,
}

impl Subscribers {
    fn attempts(&self) -> MutexGuard<'_, HashMap<AttemptId, watch::Sender<Known>>> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Subscribes to an attempt.
    pub(super) fn subscribe(&self, id: AttemptId) -> watch::Receiver<Known> {
        self.attempts().entry(id).or_default().subscribe()
    }

    /// Removes a subscription, which still counts.
    pub(super) fn leave(&self, id: AttemptId) {
        let mut attempts = self.attempts();
        if attempts.get(&id).is_some_and(|sender| sender.receiver_count() <= 1) {
            attempts.remove(&id);
        }
    }

    /// Records that the supervisor is being asked about an attempt.
    pub(super) fn state_requested(&self, id: AttemptId) {
        if let Some(sender) = self.attempts().get(&id) {
            sender.send_modify(|seen| seen.state_requested = true);
        }
    }

    /// Returns whether anybody waits for an attempt that hasn't ended.
    pub(super) fn is_awaited(&self) -> bool {
        self.attempts().values().any(|sender| matches!(sender.borrow().stage, None | Some(Stage::Running)))
    }

    /// Passes on a message.
    pub(super) fn notify(&self, reply: &Reply) {
        match reply {
            Reply::Started { state, .. } | Reply::Ended { state } => self.state(state),
            Reply::Attempts { states, .. } => states.iter().for_each(|state| self.state(state)),
            Reply::Grew { id, end } => {
                if let Some(sender) = self.attempts().get(id) {
                    sender.send_modify(|seen| seen.end = seen.end.max(*end));
                }
            }
            Reply::Hello { .. } | Reply::Done { .. } | Reply::NotStarted { .. } | Reply::Secrets { .. } => {}
        }
    }

    fn state(&self, state: &AttemptState) {
        if let Some(sender) = self.attempts().get(&state.id) {
            sender.send_modify(|seen| {
                seen.end = seen.end.max(state.log_end);
                seen.state_requested = true;
                // A notification may have overtaken a reply: a terminal stage stays.
                if matches!(seen.stage, None | Some(Stage::Running)) {
                    seen.stage = Some(state.stage);
                }
            });
        }
    }
}
