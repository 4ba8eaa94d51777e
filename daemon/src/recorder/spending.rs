//! Stores what an attempt has spent so far, for the case that its daemon is killed.

use std::sync::Arc;

use fanlight_shared::id::AttemptId;

use super::{Inner, Recorder};
use crate::store::{Batch, Op, Spending};

/// What is stored of an attempt.
#[derive(Default)]
pub(super) struct Spent {
    /// The newest sums, while earlier ones are on their way to the disk.
    waiting: Option<Spending>,
    in_flight: bool,
    /// Whether anything was stored.
    any: bool,
    /// Whether the attempt has ended, so that the event of its end has the sums.
    ended: bool,
}

impl Spent {
    /// Stores nothing more.
    pub(super) fn end(&mut self) {
        self.ended = true;
        self.waiting = None;
    }
}

impl Recorder {
    /// Stores what an attempt has spent so far.
    pub(crate) fn spend(&self, attempt: AttemptId, sums: Spending) {
        let Some(inner) = &self.inner else { return };
        let mut state = inner.state();
        if state.spent.ended {
            return;
        }
        state.spent.any = true;
        if state.spent.in_flight {
            state.spent.waiting = Some(sums);
        } else {
            state.spent.in_flight = true;
            inner.store_spending(attempt, sums);
        }
    }

    /// Returns whether anything was stored of what it has spent.
    pub(crate) fn has_spent(&self) -> bool {
        self.inner.as_ref().is_some_and(|inner| inner.state().spent.any)
    }
}

impl Inner {
    fn store_spending(self: &Arc<Self>, attempt: AttemptId, sums: Spending) {
        let inner = Arc::clone(self);
        self.store.write(Batch {
            ops: vec![Op::Spending { attempt, sums: Some(Box::new(sums)) }],
            // Nobody can report it again.
            must: true,
            after: Some(Box::new(move |_| {
                let mut state = inner.state();
                match state.spent.waiting.take() {
                    Some(sums) => inner.store_spending(attempt, sums),
                    None => state.spent.in_flight = false,
                }
            })),
            ..Batch::default()
        });
    }
}
