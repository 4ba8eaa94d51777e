//! Which runs of the table have changed, and when they are read again.

use std::time::Duration;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::runs;
use fanlight_shared::time::Time;
use indexmap::IndexMap;

use crate::ui::effect::Effect;

/// The least time between two requests.
const READ_INTERVAL: Duration = Duration::from_millis(500);
/// When a reported metric can be read: the daemon stores points once a second.
const STORE_DELAY: Duration = Duration::from_millis(1100);
/// The most runs that are read again at once; the others follow.
const MAX_AT_ONCE: usize = 200;

/// What has changed since it was read.
#[derive(Debug, Default)]
pub(super) struct Changes {
    /// These runs, in the order in which they changed.
    runs: IndexMap<RunId, Change>,
    /// Whether there are new runs that no event names.
    added: bool,
    /// The request under way.
    asked: Option<runs::Table>,
    asked_at: Time,
}

/// When a run is read again.
#[derive(Clone, Copy, Debug)]
struct Change {
    next: Time,
    last: Time,
}

impl Changes {
    /// Remembers that a run changed.
    pub(super) fn changed(&mut self, run: RunId, now: Time) {
        let change = self.runs.entry(run).or_insert(Change { next: now, last: now });
        change.next = change.next.min(now);
    }

    /// Remembers that a run reported metrics.
    pub(super) fn reported(&mut self, run: RunId, now: Time) {
        let stored = now.plus(STORE_DELAY);
        self.runs.entry(run).or_insert(Change { next: stored, last: stored }).last = stored;
    }

    /// Remembers that there are new runs that no event names.
    pub(super) fn added(&mut self) {
        self.added = true;
    }

    /// Forgets a run that was deleted.
    pub(super) fn deleted(&mut self, run: RunId) {
        self.runs.shift_remove(&run);
    }

    /// Forgets all, because everything is read again.
    pub(super) fn clear(&mut self) {
        (self.runs, self.added, self.asked) = (IndexMap::new(), false, None);
    }

    /// Reads again what has changed, if the last time is some time ago; `all` requests the first page of all runs.
    pub(super) fn follow(&mut self, all: &runs::Table, now: Time) -> Option<Effect> {
        let next = self.runs.values().map(|change| change.next).min();
        let due = if self.added { now } else { next? }.max(self.asked_at.plus(READ_INTERVAL));
        if self.asked.is_some() {
            return None;
        }
        let left = due.since(now);
        if !left.is_zero() {
            return Some(Effect::TickIn(u64::try_from(left.as_millis()).unwrap_or(u64::MAX)));
        }
        self.asked_at = now;
        let request = if std::mem::take(&mut self.added) {
            all.clone()
        } else {
            runs::Table { run_ids: self.due(now), limit: all.limit, ..runs::Table::default() }
        };
        Some(self.ask(request))
    }

    /// Returns the runs that are to be read now. Those that are read once more stay.
    fn due(&mut self, now: Time) -> Vec<RunId> {
        let mut due = Vec::new();
        self.runs.retain(|run, change| {
            if change.next > now || due.len() == MAX_AT_ONCE {
                return true;
            }
            due.push(*run);
            change.next = change.last;
            change.last > now
        });
        due
    }

    /// Makes a request.
    pub(super) fn ask(&mut self, request: runs::Table) -> Effect {
        self.asked = Some(request.clone());
        Effect::ReadTable(request)
    }

    /// Returns whether this is the response to its request, which is over.
    pub(super) fn take(&mut self, request: &runs::Table) -> bool {
        self.asked.take_if(|asked| asked == request).is_some()
    }

    /// Handles a failed request: its runs are read later. Returns them, if it was its request.
    pub(super) fn failed(&mut self, request: &runs::Table, now: Time) -> Vec<RunId> {
        if !self.take(request) {
            return Vec::new();
        }
        self.added |= request.run_ids.is_empty();
        request.run_ids.iter().for_each(|run| self.changed(*run, now));
        request.run_ids.clone()
    }
}
