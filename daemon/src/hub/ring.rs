//! The newest daemon events, for clients that reconnect.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use fanlight_shared::event::DaemonEvent;
use fanlight_shared::id::WorkflowId;

use super::message::Message;

/// The most events that are kept.
const MAX_EVENTS: usize = 4096;
/// The most bytes of events that are kept.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The most watchers of events whose last dropped one is remembered.
const MAX_DROPPED: usize = 1024;

/// The watchers of an event.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
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
    /// The number of the newest event of which nothing is known any more.
    lost: u64,
    /// The numbers of the newest events that were dropped to free memory.
    dropped: HashMap<Class, u64>,
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
            self.lost = self.seq - self.events.len() as u64;
        }
    }

    /// Forgets the events: something changed that they do not say, so that clients that reconnect get all of it.
    pub(super) fn forget(&mut self) {
        self.seq += 1;
        self.bytes = 0;
        self.events.clear();
        self.lost = self.seq;
        self.dropped = HashMap::new();
    }

    /// Drops the events. Clients that missed some of them get all of it when they reconnect.
    pub(super) fn release_memory(&mut self) {
        let first = self.seq - self.events.len() as u64;
        for (seq, (class, _)) in (first + 1..).zip(&self.events) {
            self.dropped.insert(*class, seq);
        }
        if self.dropped.len() > MAX_DROPPED {
            self.lost = self.seq;
            self.dropped = HashMap::new();
        }
        self.bytes = 0;
        self.events = VecDeque::new();
    }

    /// Returns the events after `seq` that `wants` chooses; `None` if some of them are gone or never existed.
    pub(super) fn since(
        &self,
        seq: u64,
        wants: impl Fn(Class) -> bool,
    ) -> Option<impl Iterator<Item = &Arc<Message>>> {
        let gone = seq < self.lost || self.dropped.iter().any(|(class, last)| *last > seq && wants(*class));
        if gone || seq > self.seq {
            return None;
        }
        let first = self.seq - self.events.len() as u64;
        let skip = usize::try_from(seq.saturating_sub(first)).ok()?;
        let rest = self.events.iter().skip(skip);
        Some(rest.filter(move |(class, _)| wants(*class)).map(|(_, event)| event))
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::rpc::watch::Notification;

    use super::*;

    fn push(ring: &mut Ring, class: Class) {
        let event = DaemonEvent::BannerUpdate { banners: Vec::new() };
        let message = Message::new(Notification::Daemon { seq: ring.next(), event });
        ring.push(class, message);
    }

    fn count(ring: &Ring, seq: u64, class: Class) -> Option<usize> {
        ring.since(seq, |it| it == class).map(Iterator::count)
    }

    #[test]
    fn who_missed_nothing_of_what_was_dropped_needs_nothing() {
        let products = Class::Products(WorkflowId::new());
        let mut ring = Ring::default();
        for class in [Class::Registry, products, products] {
            push(&mut ring, class);
        }
        assert_eq!(count(&ring, 0, Class::Registry), Some(1));
        assert_eq!(count(&ring, 1, products), Some(2));
        ring.release_memory();
        // Its last event was the first one: the others were not for it.
        assert_eq!(count(&ring, 1, Class::Registry), Some(0));
        assert_eq!(count(&ring, 0, Class::Registry), None);
        assert_eq!((count(&ring, 2, products), count(&ring, 3, products)), (None, Some(0)));
        push(&mut ring, Class::Registry);
        assert_eq!((count(&ring, 1, Class::Registry), count(&ring, 4, Class::Registry)), (Some(1), Some(0)));
        assert_eq!(count(&ring, 5, Class::Registry), None, "there was no such event");
        ring.forget();
        assert_eq!((count(&ring, 4, Class::Registry), count(&ring, 5, Class::Registry)), (None, Some(0)));
    }

    #[test]
    fn the_oldest_events_are_lost_when_there_are_too_many() {
        let mut ring = Ring::default();
        for _ in 0..MAX_EVENTS + 2 {
            push(&mut ring, Class::Registry);
        }
        assert_eq!(count(&ring, 1, Class::Registry), None);
        assert_eq!(count(&ring, 2, Class::Registry), Some(MAX_EVENTS));
    }
}
