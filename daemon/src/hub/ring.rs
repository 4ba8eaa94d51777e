//! The newest daemon events, for clients that reconnect.

use std::collections::VecDeque;
use std::sync::Arc;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::WorkflowId;

use super::message::Message;

/// The most events that are kept.
const MAX_EVENTS: usize = 4096;
/// The most bytes of events that are kept.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// The watchers of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Class {
    /// Watchers of the registry.
    Registry,
    /// Watchers of this workflow's products.
    Products(WorkflowId),
}

impl Class {
    pub(super) fn of(event: &DaemonEvent) -> Self {
        match event {
            DaemonEvent::RunUpdate { .. }
            | DaemonEvent::RunDelete { .. }
            | DaemonEvent::QueueUpdate { .. }
            | DaemonEvent::SweepUpdate { .. }
            | DaemonEvent::BannerUpdate { .. } => Self::Registry,
            DaemonEvent::OutputUpdate { workflow_id, .. } | DaemonEvent::AssetDelete { workflow_id, .. } => {
                Self::Products(*workflow_id)
            }
            DaemonEvent::AssetUpdate { asset } => Self::Products(asset.workflow_id),
        }
    }
}

/// The newest events, as they were sent.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// The number of the newest event.
    seq: u64,
    bytes: usize,
    events: VecDeque<(Class, Arc<Message>)>,
}

impl Ring {
    /// Returns the number of the newest event.
    pub(super) fn seq(&self) -> u64 {
        self.seq
    }

    /// Returns the number of the next event.
    pub(super) fn next(&self) -> u64 {
        self.seq + 1
    }

    pub(super) fn push(&mut self, class: Class, message: Arc<Message>) {
        self.seq += 1;
        self.bytes += message.bytes();
        self.events.push_back((class, message));
        while self.events.len() > MAX_EVENTS || self.bytes > MAX_BYTES {
            let Some((_, old)) = self.events.pop_front() else { break };
            self.bytes -= old.bytes();
        }
    }

    /// Forgets the events: something changed that they do not say, so that clients that reconnect get all of it.
    pub(super) fn forget(&mut self) {
        self.seq += 1;
        self.bytes = 0;
        self.events.clear();
    }

    /// Returns the events after `seq`; `None` if some of them are gone or never existed.
    pub(super) fn since(&self, seq: u64) -> Option<impl Iterator<Item = &(Class, Arc<Message>)>> {
        let first = self.seq - self.events.len() as u64;
        let skip = usize::try_from(seq.checked_sub(first)?).ok()?;
        (seq <= self.seq).then(|| self.events.iter().skip(skip))
    }
}
