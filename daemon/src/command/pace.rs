//! Conflates the live events of one attempt: only the newest of each kind waits to be sent.

use std::time::Duration;

use fanlight_shared::event::LiveEvent;
use indexmap::IndexMap;
use tokio::time::Instant;

/// Between two events: thirty a second at most.
pub(super) const GAP: Duration = Duration::from_millis(34);

/// How many kinds (names of metrics, ports of previews) wait at once; more are dropped.
const MAX_KINDS: usize = 64;

#[derive(PartialEq, Eq, Hash, Debug)]
enum Kind {
    Progress,
    Log,
    Metric(String),
    Preview(String),
}

/// Events that wait.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: IndexMap<Kind, LiveEvent>,
    last: Option<Instant>,
}

impl Pace {
    /// Another event; it takes the place of an older one of its kind.
    pub(super) fn push(&mut self, event: LiveEvent) {
        let kind = match &event {
            LiveEvent::NodeProgress { .. } => Kind::Progress,
            LiveEvent::LogUpdate { .. } => Kind::Log,
            LiveEvent::MetricUpdate { name, .. } => Kind::Metric(name.clone()),
            LiveEvent::PreviewUpdate { port, .. } => Kind::Preview(port.clone()),
            LiveEvent::EdgeUpdate { .. } => return,
        };
        if self.waiting.len() < MAX_KINDS || self.waiting.contains_key(&kind) {
            self.waiting.insert(kind, event);
        }
    }

    /// The event that may go now.
    pub(super) fn pop(&mut self, now: Instant) -> Option<LiveEvent> {
        if self.last.is_some_and(|last| now < last + GAP) {
            return None;
        }
        let (_, event) = self.waiting.shift_remove_index(0)?;
        self.last = Some(now);
        Some(event)
    }

    /// Returns when the next event may go; `None` while nothing waits.
    pub(super) fn next(&self) -> Option<Instant> {
        let last = self.last?;
        (!self.waiting.is_empty()).then(|| last + GAP)
    }

    /// Everything that waits, at the end.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = LiveEvent> {
        std::mem::take(&mut self.waiting).into_values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fanlight_shared::event::Progress;
    use fanlight_shared::item::ItemPath;

    fn progress(fraction: f64) -> LiveEvent {
        let progress = Progress { fraction: Some(fraction), message: None };
        LiveEvent::NodeProgress { node: "n".into(), item: ItemPath::WHOLE, progress }
    }
    fn metric(name: &str) -> LiveEvent {
        LiveEvent::MetricUpdate {
            node: "n".into(),
            item: ItemPath::WHOLE,
            name: name.into(),
            value: 1.0,
            unit: None,
        }
    }

    #[test]
    fn only_the_newest_of_a_kind_waits_and_kinds_take_turns() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.push(progress(0.1));
        assert_eq!(pace.pop(start), Some(progress(0.1)));
        for step in 0..1_000 {
            pace.push(progress(f64::from(step)));
        }
        pace.push(metric("a"));
        assert_eq!(pace.pop(start), None);
        assert_eq!(pace.next(), Some(start + GAP));
        assert_eq!(pace.pop(start + GAP), Some(progress(999.0)));
        assert_eq!(pace.pop(start + GAP * 2), Some(metric("a")));
        assert_eq!((pace.pop(start + GAP * 3), pace.next()), (None, None));
    }

    #[test]
    fn names_without_end_take_no_memory() {
        let mut pace = Pace::default();
        for number in 0..10_000 {
            pace.push(metric(&number.to_string()));
        }
        assert_eq!(pace.drain().count(), MAX_KINDS);
    }
}
