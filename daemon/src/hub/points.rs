//! The new points of metrics that wait for a connection.

use fanlight_shared::id::{RunId, WorkflowId};
use fanlight_shared::item::ItemPath;
use fanlight_shared::metric::NewPoints;
use fanlight_shared::rpc::frame::NOTIFICATIONS_LIMIT;
use fanlight_shared::rpc::watch::Notification;
use indexmap::IndexMap;

use super::message::points;
use crate::series::{ascending, thin};

/// The most points of a series that wait; beyond it they are thinned out.
const MAX_OF_SERIES: usize = 256;
/// The most points that are sent together.
const MAX_ROUND: usize = 2048;
/// The most bytes of points that wait. Tests reach the limit with few.
const MAX_BYTES: usize = if cfg!(test) { 64 << 10 } else { NOTIFICATIONS_LIMIT };

/// The instance whose attempt reports metrics.
#[derive(Clone, Debug)]
pub(crate) struct Reporting {
    pub(crate) workflow: WorkflowId,
    pub(crate) run: RunId,
    pub(crate) node: String,
    pub(crate) item: ItemPath,
    pub(crate) attempt: u32,
}

type Key = (RunId, String, ItemPath, String);

#[derive(Debug)]
struct Waiting {
    workflow: WorkflowId,
    attempt: u32,
    new: NewPoints,
}

/// The new points that wait for a connection, by series. A burst is thinned out. If a connection does not read for too
/// long, all are dropped, and it has to read its curves again.
#[derive(Debug, Default)]
pub(super) struct WaitingPoints {
    series: IndexMap<Key, Waiting>,
    bytes: usize,
    lost: bool,
}

impl WaitingPoints {
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.series.is_empty() && !self.lost
    }

    /// Estimates how much memory they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, of: &Reporting, new: &NewPoints) {
        let key = (of.run, of.node.clone(), of.item, new.name.clone());
        match self.series.get_mut(&key) {
            Some(waiting) if waiting.attempt == of.attempt => {
                self.bytes -= points(&waiting.new);
                let known = &mut waiting.new;
                if known.points.is_empty() {
                    // Reports between the stored ones and these may have been left out.
                    known.before = new.before;
                }
                known.unit = new.unit.clone().or(known.unit.take());
                known.goal = new.goal.or(known.goal);
                // The number of stored reports comes after newer reports.
                known.after = known.after.max(new.after);
                known.points.extend_from_slice(&new.points);
                if known.points.len() > MAX_OF_SERIES {
                    known.points = thin(&ascending(std::mem::take(&mut known.points)));
                }
                self.bytes += points(&waiting.new);
            }
            _ => {
                self.bytes += points(new);
                let waiting = Waiting { workflow: of.workflow, attempt: of.attempt, new: new.clone() };
                if let Some(of_earlier_attempt) = self.series.insert(key, waiting) {
                    self.bytes -= points(&of_earlier_attempt.new);
                }
            }
        }
        if self.bytes > MAX_BYTES {
            self.clear();
            self.lost = true;
        }
    }

    pub(super) fn retain(&mut self, keep: impl Fn(RunId, &str, ItemPath) -> bool) {
        self.series.retain(|(run, node, item, _), _| keep(*run, node, *item));
        self.bytes = self.series.values().map(|waiting| points(&waiting.new)).sum();
    }

    /// Takes what is sent next: the series that wait longest, as many as are small enough together.
    pub(super) fn round(&mut self) -> Vec<Notification> {
        let mut left = MAX_ROUND;
        let fits = |waiting: &&Waiting| {
            let fits = left > 0;
            left = left.saturating_sub(waiting.new.points.len().max(1));
            fits
        };
        let count = self.series.values().take_while(fits).count();
        let lost = std::mem::take(&mut self.lost).then_some(Notification::PointsLost {});
        let round = self.series.drain(..count).map(|((run_id, node, item, _), waiting)| {
            let Waiting { workflow: workflow_id, attempt, new } = waiting;
            Notification::Points { workflow_id, run_id, node, item, attempt, new }
        });
        let round: Vec<Notification> = lost.into_iter().chain(round).collect();
        self.bytes = self.series.values().map(|waiting| points(&waiting.new)).sum();
        round
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use fanlight_shared::metric::Point;
    use fanlight_shared::rpc::watch::{Metrics, Watch};
    use fanlight_shared::time::Time;

    use super::*;
    use crate::hub::{Hub, Subscription};

    fn of(run: RunId, attempt: u32) -> Reporting {
        let (workflow, node) = (WorkflowId::new(), "train".to_owned());
        Reporting { workflow, run, node, item: ItemPath::WHOLE, attempt }
    }

    fn one(name: &str, step: u64) -> NewPoints {
        let points = vec![Point { step, at: Time(0), value: (step % 7) as f64 }];
        NewPoints { name: name.into(), unit: None, goal: None, before: step, after: step + 1, points }
    }

    fn sent(notification: &Notification) -> &NewPoints {
        let Notification::Points { new, .. } = notification else { panic!("{notification:?}") };
        new
    }

    #[test]
    fn a_burst_is_one_message_with_its_extremes_and_its_number() {
        let (mut waiting, run) = (WaitingPoints::default(), of(RunId::new(), 1));
        (0..10_000).for_each(|step| waiting.add(&run, &one("loss", step)));
        let round = waiting.round();
        assert_eq!(round.len(), 1);
        let new = sent(&round[0]);
        assert!(new.points.len() <= MAX_OF_SERIES, "{}", new.points.len());
        assert_eq!((new.before, new.after), (0, 10_000));
        assert_eq!(new.points.last().map(|last| last.step), Some(9_999));
        assert!(new.points.iter().any(|point| point.value == 6.0));
        assert!(waiting.is_empty());
        assert_eq!(waiting.bytes(), 0);
    }

    #[test]
    fn the_number_of_stored_reports_does_not_hide_newer_ones() {
        let (mut waiting, run) = (WaitingPoints::default(), of(RunId::new(), 1));
        waiting.add(&run, &one("loss", 7));
        waiting.add(&run, &NewPoints { before: 5, after: 5, points: Vec::new(), ..one("loss", 0) });
        let round = waiting.round();
        assert_eq!((sent(&round[0]).before, sent(&round[0]).after, sent(&round[0]).points.len()), (7, 8, 1));
        // Nor does it hide that some between them are missing.
        waiting.add(&run, &NewPoints { before: 5, after: 5, points: Vec::new(), ..one("loss", 0) });
        waiting.add(&run, &one("loss", 9));
        let round = waiting.round();
        assert_eq!((sent(&round[0]).before, sent(&round[0]).after), (9, 10));
    }

    #[test]
    fn a_connection_that_does_not_read_is_told_to_read_its_curves_again() {
        let (mut waiting, run) = (WaitingPoints::default(), of(RunId::new(), 1));
        for name in 0..1_000 {
            waiting.add(&run, &one(&format!("m{name}"), 0));
            assert!(waiting.bytes() <= MAX_BYTES);
        }
        assert_eq!(waiting.round()[0], Notification::PointsLost {});
        assert!(waiting.is_empty());
    }

    #[test]
    fn another_attempt_replaces_the_points_of_the_one_before() {
        let (mut waiting, run) = (WaitingPoints::default(), RunId::new());
        waiting.add(&of(run, 1), &one("loss", 0));
        waiting.add(&of(run, 1), &one("loss", 1));
        waiting.add(&of(run, 2), &one("loss", 0));
        let round = waiting.round();
        let [Notification::Points { attempt: 2, new, .. }] = &round[..] else { panic!("{round:?}") };
        assert_eq!((new.before, new.after), (0, 1));
    }

    #[test]
    fn only_connections_that_watch_the_metrics_of_a_run_get_its_points() {
        let hub = Arc::new(Hub::default());
        let (client, other) = (Subscription::new(hub.clone()), Subscription::new(hub.clone()));
        let measured = of(RunId::new(), 1);
        assert!(!hub.watches_metrics());
        let watch = |run, node: &str| {
            let metrics = Metrics { run_ids: vec![run], node: Some(node.into()), item: None };
            Watch { metrics: Some(metrics), ..Watch::default() }
        };
        client.watch(watch(measured.run, "train"));
        other.watch(watch(measured.run, "test"));
        assert!(hub.watches_metrics());
        hub.measured(&measured, &one("loss", 7));
        let message = client.try_next().and_then(|message| message.text()).unwrap();
        assert!(message.contains("\"channel\":\"points\"") && message.contains("\"step\":7"), "{message}");
        assert!(client.try_next().is_none() && other.try_next().is_none());
        // What waits of a run that is no longer watched is dropped.
        hub.measured(&measured, &one("loss", 8));
        client.watch(watch(RunId::new(), "train"));
        assert!(client.try_next().is_none());
        client.watch(Watch::default());
        drop(other);
        assert!(!hub.watches_metrics());
    }

    #[test]
    fn a_series_that_grows_all_the_time_holds_up_no_other() {
        let (mut waiting, run) = (WaitingPoints::default(), of(RunId::new(), 1));
        let long = |name: &str| {
            let mut new = one(name, 0);
            new.points = vec![new.points[0]; MAX_OF_SERIES];
            new
        };
        let fit = MAX_BYTES / points(&long("m0")) - 1;
        (0..fit).for_each(|name| waiting.add(&run, &long(&format!("m{name}"))));
        waiting.add(&run, &one("last", 0));
        let mut names = Vec::new();
        while !waiting.is_empty() {
            names.extend(waiting.round().iter().map(|it| sent(it).name.clone()));
        }
        assert_eq!((names.len(), names.last().map(String::as_str)), (fit + 1, Some("last")));
    }
}
