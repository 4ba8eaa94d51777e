//! Rows that a transaction has not written yet. Several events of a run become one row, and the values of a run that is evicted
//! in the same transaction are never written.

use std::collections::BTreeMap;

use fanlight_shared::event::StateEvent;
use indexmap::IndexMap;

use super::Op;
use super::stored::Stored;
use crate::store::event_row::EventRow;

/// About how many bytes of events one import holds.
const MAX_EVENT_BYTES: usize = 8 << 20;

/// The rows of one transaction that are not written yet.
#[derive(Default)]
pub(super) struct Pending {
    /// How many bytes the events have, with their rows.
    event_bytes: usize,
    /// By the keys of their runs.
    pub(super) events: BTreeMap<i64, Vec<EventRow>>,
    /// By the keys of their runs.
    pub(super) values: BTreeMap<i64, IndexMap<Place, PendingValue>>,
    /// The workflows whose older runs lose their values, and how many runs keep them.
    pub(super) evict: BTreeMap<i64, u32>,
}

/// The place of a value in its run: node, item, port.
pub(super) type Place = (String, i64, String);

/// A value that is not written yet. Its blobs have their references.
pub(super) struct PendingValue {
    pub(super) stored: Stored,
    pub(super) cache_key: Option<[u8; 32]>,
}

/// Returns whether an operation leaves pending rows as they are: it neither reads nor changes rows of their tables.
pub(super) fn leaves_pending(op: &Op) -> bool {
    matches!(
        op,
        Op::Event { .. }
            | Op::Values { .. }
            | Op::Evict { .. }
            | Op::Row { .. }
            | Op::Blob(_)
            | Op::Points { .. }
            | Op::DropSeries { .. }
            | Op::Spending { .. }
            | Op::AttemptKey { .. }
            | Op::Interrupted { .. }
            | Op::Observe { .. }
            | Op::Report { .. }
            | Op::Setting { .. }
    )
}

impl Pending {
    pub(super) fn add_event(&mut self, run: i64, seq: u64, event: &StateEvent) -> serde_json::Result<()> {
        let event = serde_json::to_string(event)?;
        self.event_bytes += event.len() + size_of::<EventRow>();
        let rows = self.events.entry(run).or_default();
        if !rows.last_mut().is_some_and(|row| row.add(seq, &event)) {
            rows.push(EventRow::new(seq, &event));
        }
        Ok(())
    }

    /// Returns whether so many events are pending that they are to be written. Only an import adds more than a transaction takes.
    pub(super) fn is_long(&self) -> bool {
        self.event_bytes > MAX_EVENT_BYTES
    }

    /// Adds a value. Returns the one that it replaces.
    pub(super) fn add_value(&mut self, run: i64, place: Place, value: PendingValue) -> Option<PendingValue> {
        self.values.entry(run).or_default().insert(place, value)
    }

    pub(super) fn evict(&mut self, workflow: i64, keep: u32) {
        self.evict.insert(workflow, keep);
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::event::RunUpdate;
    use fanlight_shared::run::RunStatus;
    use fanlight_shared::time::Time;

    use super::*;

    #[test]
    fn many_events_are_to_be_written_before_they_fill_the_memory() {
        let error = Some("x".repeat(100_000));
        let event = StateEvent::RunUpdate(RunUpdate { error, ..RunUpdate::new(RunStatus::Failed, Time(1)) });
        let mut pending = Pending::default();
        let held = (1..1000).take_while(|seq| {
            pending.add_event(1, *seq, &event).unwrap();
            !pending.is_long()
        });
        assert!((10..200).contains(&held.count()));
    }
}
