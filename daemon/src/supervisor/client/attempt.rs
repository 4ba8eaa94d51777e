//! An attempt as the daemon knows it: its start, and its events.

use super::{AttemptState, Exit};

/// The result of [`super::Supervisor::start`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// Whether the supervisor already knew the attempt, so that nothing was started now.
    pub known: bool,
    /// Its state.
    pub state: AttemptState,
}

/// An event of an attempt. Events are coalesced: only the newest `Grew` is kept, and `Ended` and `Lost` are never lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptEvent {
    /// The log has grown to this many bytes.
    Grew {
        /// The log's true length so far, dropped bytes included.
        end: u64,
    },
    /// It ended and no process of its tree remains. The last event.
    Ended(Exit),
    /// Its supervisor died or the machine was restarted, no process of its tree remains, and nobody saw how it ended. The
    /// last event.
    Lost,
}

impl AttemptEvent {
    /// Returns whether no other follows.
    #[must_use]
    pub fn is_last(self) -> bool {
        !matches!(self, Self::Grew { .. })
    }
}
