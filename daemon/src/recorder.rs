//! Takes the metrics that an attempt reports, and sends them to the store, and at once to clients that watch them.
//!
//! Points wait for a second, or until there are many; one group of an attempt is on its way to the disk at a time.
//! What waits when the attempt ends is sent before its end is, and the writer keeps that order: a node that has ended
//! misses no point. An attempt that a later daemon adopts reports everything once more, from the beginning, so the store
//! counts the points of each series and skips those that it has. What an attempt has spent is stored too.

mod spending;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use fanlight_shared::metric::{Goal, MAX_NAMES, MAX_STEP, NewPoints, Point};
use fanlight_shared::time::Time;
use indexmap::IndexMap;
use tokio::runtime::Handle;

use crate::hub::{Hub, Reporting};
use crate::series::{Measurement, TooMany, ascending, thin};
use crate::store::{Batch, Op, Store};
use spending::Spent;

/// How long a point waits for others.
const SEND_INTERVAL: Duration = Duration::from_secs(1);
/// The most points that wait for a group.
const MAX_GROUP: usize = 4096;
/// The most points that wait for a disk that is full or slow; if there are more, the longest series is thinned out.
const MAX_WAITING: usize = 1 << 18;

/// Takes the metrics of one attempt; cheap to clone. Without a store it drops them.
#[derive(Clone, Default)]
pub struct Recorder {
    inner: Option<Arc<Inner>>,
}

/// Takes each report of an attempt: the name of the metric, the step, the value.
pub(crate) type Watching = Box<dyn Fn(&str, u64, f64) + Send + Sync>;

struct Inner {
    store: Store,
    hub: Arc<Hub>,
    runtime: Handle,
    of: Reporting,
    watching: Option<Watching>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    series: IndexMap<String, Waiting>,
    /// How many points wait.
    points: usize,
    /// Whether a group is on its way to the disk.
    in_flight: bool,
    /// Whether a timer is set that sends what waits.
    timer: bool,
    /// Whether there were too many metrics.
    refused: bool,
    spent: Spent,
}

/// The points of a series that wait.
#[derive(Default)]
struct Waiting {
    unit: Option<String>,
    goal: Option<Goal>,
    /// How many points were sent.
    before: u64,
    /// How many points were reported since, also those that were thinned out.
    reported: u64,
    points: Vec<Point>,
    next_step: u64,
}

impl Recorder {
    /// Creates a recorder for an attempt, and for what watches its reports.
    pub(crate) fn new(
        store: Store,
        hub: Arc<Hub>,
        runtime: Handle,
        of: Reporting,
        watching: Option<Watching>,
    ) -> Self {
        Self { inner: Some(Arc::new(Inner { store, hub, runtime, of, watching, state: Mutex::default() })) }
    }

    /// Takes a report.
    ///
    /// # Errors
    /// The attempt has too many metrics.
    pub(crate) fn add(&self, measured: Measurement) -> Result<(), TooMany> {
        let Some(inner) = &self.inner else { return Ok(()) };
        let mut state = inner.state();
        let live = inner.hub.watches_metrics();
        let watched = (live || inner.watching.is_some()).then(|| (measured.name.clone(), measured.value));
        let step = state.add(measured)?;
        if let Some((name, value)) = watched {
            if let Some(watching) = &inner.watching {
                watching(&name, step, value);
            }
            if let Some(new) = state.newest(name).filter(|_| live) {
                inner.hub.measured(&inner.of, &new);
            }
        }
        if state.points >= MAX_GROUP && !state.in_flight {
            inner.send(&mut state);
        } else {
            inner.send_later(&mut state);
        }
        Ok(())
    }

    /// Sends what waits, when the attempt has ended.
    pub(crate) fn finish(&self) {
        if let Some(inner) = &self.inner {
            let mut state = inner.state();
            state.spent.end();
            inner.send(&mut state);
        }
    }
}

impl Inner {
    /// Locks it. Every change leaves the state whole, so a poisoned lock is harmless.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(self: &Arc<Self>, state: &mut State) {
        let series = state.take();
        if series.is_empty() {
            return;
        }
        state.in_flight = true;
        let Reporting { run, node, item, attempt, .. } = self.of.clone();
        let inner = Arc::clone(self);
        let counts: Vec<(String, u64)> = series.iter().map(|new| (new.name.clone(), new.after)).collect();
        self.store.write(Batch {
            ops: vec![Op::Points { run, node, item, attempt, series }],
            // Nobody can report them again.
            must: true,
            after: Some(Box::new(move |stored| {
                if stored.is_ok() && inner.hub.watches_metrics() {
                    counts.into_iter().for_each(|(name, count)| inner.announce(name, count));
                }
                let mut state = inner.state();
                state.in_flight = false;
                inner.send_later(&mut state);
            })),
            ..Batch::default()
        });
    }

    /// Sends the number of stored reports to clients that watch them: one that began after the reports reads them now.
    fn announce(&self, name: String, count: u64) {
        let (unit, goal, points) = (None, None, Vec::new());
        self.hub.measured(&self.of, &NewPoints { name, unit, goal, before: count, after: count, points });
    }

    /// Sets the timer if points wait.
    fn send_later(self: &Arc<Self>, state: &mut State) {
        if state.points == 0 || state.timer || state.in_flight {
            return;
        }
        state.timer = true;
        let inner = Arc::clone(self);
        self.runtime.spawn(async move {
            tokio::time::sleep(SEND_INTERVAL).await;
            let mut state = inner.state();
            state.timer = false;
            if !state.in_flight {
                inner.send(&mut state);
            }
        });
    }
}

impl State {
    fn add(&mut self, measured: Measurement) -> Result<u64, TooMany> {
        let Measurement { name, value, unit, step, at, goal } = measured;
        if self.series.len() >= MAX_NAMES && !self.series.contains_key(&name) {
            return Err(TooMany { first: !std::mem::replace(&mut self.refused, true) });
        }
        let series = self.series.entry(name).or_default();
        let step = step.unwrap_or(series.next_step).min(MAX_STEP);
        series.next_step = step + 1;
        series.reported += 1;
        series.unit = unit.or(series.unit.take());
        series.goal = goal.or(series.goal);
        series.points.push(Point { step, at: at.unwrap_or_else(Time::now), value });
        self.points += 1;
        while self.points > MAX_WAITING {
            let longest = self.series.values_mut().max_by_key(|series| series.points.len());
            let Some(series) = longest else { break };
            let before = series.points.len();
            series.points = thin(&ascending(std::mem::take(&mut series.points)));
            self.points -= before - series.points.len();
        }
        Ok(step)
    }

    /// Returns the last report of a metric.
    fn newest(&self, name: String) -> Option<NewPoints> {
        let Waiting { unit, goal, before, reported, points, .. } = self.series.get(&name)?;
        let (after, last) = (before + reported, *points.last()?);
        let (unit, goal) = (unit.clone(), *goal);
        Some(NewPoints { name, unit, goal, before: after - 1, after, points: vec![last] })
    }

    fn take(&mut self) -> Vec<NewPoints> {
        self.points = 0;
        let waiting = self.series.iter_mut().filter(|(_, waiting)| !waiting.points.is_empty());
        waiting
            .map(|(name, waiting)| {
                let before = waiting.before;
                waiting.before += std::mem::take(&mut waiting.reported);
                NewPoints {
                    name: name.clone(),
                    unit: waiting.unit.clone(),
                    goal: waiting.goal,
                    before,
                    after: waiting.before,
                    points: std::mem::take(&mut waiting.points),
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;
