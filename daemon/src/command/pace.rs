//! Coalesces the live events of one attempt: of each kind, only the newest event waits, and is sent at most thirty
//! times a second.

use std::collections::BTreeMap;
use std::time::Duration;

use fanlight_shared::event::{LiveEvent, MAX_ENTRIES};
use indexmap::IndexMap;
use tokio::time::Instant;

/// The least time between two sends: at most thirty a second.
pub(super) const MIN_INTERVAL: Duration = Duration::from_millis(34);

/// The most pending events (one per metric name, preview port or model); more are dropped, except predictions, whose
/// tokens are added up.
const MAX_PENDING: usize = 512;

#[derive(PartialEq, Eq, Hash, Debug)]
enum Kind {
    Progress,
    Log,
    Metric(String),
    Preview(String),
    Plan,
    Prediction(String, String),
}

/// Events that wait.
#[derive(Debug, Default)]
pub(super) struct Pace {
    waiting: IndexMap<Kind, LiveEvent>,
    tasks: Numbered,
    tool_calls: Numbered,
    tool_results: Numbered,
    last: Option<Instant>,
}

/// Events of numbered things: those with the largest numbers wait, as only these are shown.
#[derive(Debug, Default)]
struct Numbered(BTreeMap<u32, LiveEvent>);

impl Numbered {
    fn push(&mut self, number: u32, event: LiveEvent) {
        self.0.insert(number, event);
        if self.0.len() > MAX_ENTRIES {
            self.0.pop_first();
        }
    }
}

impl Pace {
    /// Adds an event, which replaces an older one of its kind.
    pub(super) fn push(&mut self, event: LiveEvent) {
        let kind = match &event {
            LiveEvent::NodeProgress { .. } => Kind::Progress,
            LiveEvent::LogUpdate { .. } => Kind::Log,
            LiveEvent::MetricUpdate { name, .. } => Kind::Metric(name.clone()),
            LiveEvent::PreviewUpdate { port, .. } => Kind::Preview(port.clone()),
            LiveEvent::PlanningUpdate { .. } => Kind::Plan,
            LiveEvent::Prediction { prediction, .. } => {
                Kind::Prediction(prediction.provider.clone(), prediction.model.clone())
            }
            LiveEvent::TaskUpdate { task, .. } => return self.tasks.push(task.number, event),
            LiveEvent::ToolCallUpdate { call, .. } => return self.tool_calls.push(call.number, event),
            LiveEvent::ToolResultUpdate { number, .. } => return self.tool_results.push(*number, event),
            // It follows from state events, or is the engine's to say.
            LiveEvent::EdgeUpdate { .. }
            | LiveEvent::WaitUpdate { .. }
            | LiveEvent::LocationUpdate { .. } => return,
        };
        let is_counted = matches!(kind, Kind::Prediction(..));
        if is_counted || self.waiting.len() < MAX_PENDING || self.waiting.contains_key(&kind) {
            self.waiting.insert(kind, event);
        }
    }

    /// Returns all pending events if it is time to send them.
    pub(super) fn pop(&mut self, now: Instant) -> Vec<LiveEvent> {
        if self.is_empty() || self.last.is_some_and(|last| now < last + MIN_INTERVAL) {
            return Vec::new();
        }
        self.last = Some(now);
        self.drain().collect()
    }

    /// Returns when the next event may be sent; `None` if none is pending.
    pub(super) fn next(&self) -> Option<Instant> {
        let last = self.last?;
        (!self.is_empty()).then(|| last + MIN_INTERVAL)
    }

    /// Returns all pending events, at the end.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = LiveEvent> {
        // A result comes after its call.
        let numbered = [&mut self.tasks, &mut self.tool_calls, &mut self.tool_results];
        let numbered = numbered.map(|it| std::mem::take(&mut it.0).into_values());
        std::mem::take(&mut self.waiting).into_values().chain(numbered.into_iter().flatten())
    }

    fn is_empty(&self) -> bool {
        let numbered = [&self.tasks, &self.tool_calls, &self.tool_results];
        self.waiting.is_empty() && numbered.iter().all(|it| it.0.is_empty())
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
    fn the_newest_event_of_each_kind_is_sent_thirty_times_a_second() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.push(progress(0.1));
        assert_eq!(pace.pop(start), [progress(0.1)]);
        for step in 0..1_000 {
            pace.push(progress(f64::from(step)));
        }
        let metrics: Vec<LiveEvent> = (0..51).map(|number| metric(&number.to_string())).collect();
        metrics.iter().cloned().for_each(|metric| pace.push(metric));
        assert_eq!(pace.pop(start), []);
        assert_eq!(pace.next(), Some(start + MIN_INTERVAL));
        let sent = pace.pop(start + MIN_INTERVAL);
        assert_eq!(sent[0], progress(999.0));
        assert_eq!(sent[1..], metrics, "no metric waits for another one");
        assert_eq!((pace.pop(start + MIN_INTERVAL * 2), pace.next()), (Vec::new(), None));
    }

    #[test]
    fn results_follow_their_calls_and_the_largest_numbers_stay() {
        use fanlight_shared::event::{Source, ToolCall, ToolResult};
        let source = || Source { node: "n".into(), item: ItemPath::WHOLE, attempt: 1 };
        let mut pace = Pace::default();
        for number in 1..=1_000 {
            let result = ToolResult { text: String::new(), failed: false };
            pace.push(LiveEvent::ToolResultUpdate { source: source(), number, result });
            let call = ToolCall { number, tool: "t".into(), arguments: String::new(), result: None };
            pace.push(LiveEvent::ToolCallUpdate { source: source(), call });
        }
        let sent = pace.pop(Instant::now());
        assert_eq!(sent.len(), 2 * MAX_ENTRIES);
        let LiveEvent::ToolCallUpdate { call, .. } = &sent[0] else { panic!("{:?}", sent[0]) };
        assert_eq!(call.number, 901);
        assert!(matches!(sent.last(), Some(LiveEvent::ToolResultUpdate { number: 1_000, .. })));
        assert_eq!(pace.next(), None);
    }

    #[test]
    fn an_endless_number_of_names_takes_bounded_memory() {
        let mut pace = Pace::default();
        for number in 0..10_000 {
            pace.push(metric(&number.to_string()));
        }
        assert_eq!(pace.drain().count(), MAX_PENDING);
    }
}
