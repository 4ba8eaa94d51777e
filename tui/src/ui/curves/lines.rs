//! The curves that a page shows: read once, then kept up to date by the subscription.

use std::collections::HashMap;
use std::time::Duration;

use fanlight_shared::id::RunId;
use fanlight_shared::rpc::metrics::{Curve, Series};
use fanlight_shared::rpc::watch::Notification;
use fanlight_shared::time::Time;

use super::line::{Line, Stale};
use crate::ui::effect::{CurvesOf, Effect};
use crate::ui::message::Measured;

/// The least time between two requests for the same curves: the daemon stores points once a second.
const READ_INTERVAL: Duration = Duration::from_millis(1100);
/// The most points that wait for a response.
const MAX_HELD: usize = 16_384;

/// The curves that a page shows.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Lines {
    of: Option<CurvesOf>,
    lines: Vec<Line>,
    /// The positions of the curves of each run.
    of_run: HashMap<RunId, Vec<usize>>,
    /// Whether there are more metrics than are shown.
    pub further: bool,
    /// Why they could not be read since.
    error: Option<String>,
    /// Whether they must be read again.
    stale: bool,
    waiting: bool,
    asked_at: Time,
    /// New points that arrived since the request, in order.
    held: Vec<Notification>,
    held_points: usize,
}

impl Lines {
    /// Requests these curves, if they are not there or must be read again.
    pub fn follow(&mut self, of: CurvesOf, now: Time) -> Option<Effect> {
        if self.of.as_ref() != Some(&of) {
            // Other axes or widths of the same metrics replace the shown ones when they are there.
            let same = self.of.as_ref().is_some_and(|it| {
                (&it.node, it.item, &it.name, it.axis) == (&of.node, of.item, &of.name, of.axis)
                    && it.runs.iter().any(|(run, _)| of.runs.iter().any(|(other, _)| run == other))
            });
            if !same {
                self.lines.clear();
                self.of_run.clear();
                (self.error, self.further, self.asked_at) = (None, false, Time(0));
            }
            (self.of, self.stale, self.waiting) = (Some(of), true, false);
            self.forget();
        }
        if !self.stale || self.waiting || now.since(self.asked_at) < READ_INTERVAL {
            return None;
        }
        (self.stale, self.waiting, self.asked_at) = (false, true, now);
        Some(Effect::ReadMetrics(self.of.clone()?))
    }

    /// Reads them again when it is time.
    pub fn refresh(&mut self) {
        self.stale = true;
    }

    /// Returns after how many milliseconds it is time for another request, if one is needed.
    #[must_use]
    pub fn due_in(&self, now: Time) -> Option<u64> {
        let left = READ_INTERVAL.saturating_sub(now.since(self.asked_at));
        (self.stale && !self.waiting).then(|| u64::try_from(left.as_millis()).unwrap_or(0).max(1))
    }

    /// Takes them as they were read, and what was reported since.
    pub fn response(&mut self, of: &CurvesOf, read: &mut Measured) {
        if self.of.as_ref() != Some(of) {
            return;
        }
        (self.waiting, self.error, self.further) = (false, None, read.further);
        let line = |(series, curve): (Series, Curve)| {
            let begin = of.runs.iter().find(|(run, _)| *run == series.run_id);
            Line::new(series, curve, of.axis, begin.map_or(Time(0), |(_, begin)| *begin), of.width)
        };
        self.lines = std::mem::take(&mut read.curves).into_iter().map(line).collect();
        self.of_run.clear();
        for (at, line) in self.lines.iter().enumerate() {
            self.of_run.entry(line.series.run_id).or_default().push(at);
        }
        let held = std::mem::take(&mut self.held);
        self.forget();
        held.into_iter().for_each(|notification| self.grow(notification));
    }

    /// Handles a failed request.
    pub fn failed(&mut self, of: &CurvesOf, error: &str) {
        if self.of.as_ref() == Some(of) {
            self.waiting = false;
            self.error = Some(error.to_owned());
        }
    }

    /// Takes a notification. Returns whether it changes what is shown.
    pub fn notification(&mut self, notification: &Notification) -> bool {
        match notification {
            Notification::Points { .. } if self.concerns(notification) => {
                self.grow(notification.clone());
                true
            }
            Notification::PointsLost {} => {
                self.refresh();
                false
            }
            _ => false,
        }
    }

    fn concerns(&self, notification: &Notification) -> bool {
        let (Some(of), Notification::Points { run_id, node, item, new, .. }) = (&self.of, notification)
        else {
            return false;
        };
        of.runs.iter().any(|(run, _)| run == run_id)
            && of.node.as_ref().is_none_or(|it| it == node)
            && of.item.is_none_or(|it| it == *item)
            && of.name.as_ref().is_none_or(|it| *it == new.name)
    }

    fn grow(&mut self, notification: Notification) {
        let Notification::Points { run_id, node, item, attempt, new, .. } = &notification else { return };
        let is_it = |at: &&usize| {
            let series = &self.lines[**at].series;
            series.item == *item && series.node == *node && series.name == new.name
        };
        let at = self.of_run.get(run_id).and_then(|of_run| of_run.iter().find(is_it)).copied();
        let line = at.and_then(|at| self.lines.get_mut(at));
        let added = match line {
            Some(line) => line.add(*attempt, new),
            // It may be one of those that are left out.
            None if self.further => Ok(()),
            // A metric that is new is read.
            None => Err(Stale),
        };
        if added.is_ok() && !self.is_loading() {
            return;
        }
        // What is read may not have them yet.
        self.stale |= added.is_err() && !self.waiting;
        self.held_points += new.points.len().max(1);
        if self.held_points > MAX_HELD {
            self.forget();
            self.stale = true;
            return;
        }
        self.held.push(notification);
    }

    fn forget(&mut self) {
        self.held.clear();
        self.held_points = 0;
    }

    /// Returns why they could not be read.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Returns whether they are on their way.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.waiting || self.stale
    }

    /// Returns them.
    #[must_use]
    pub fn all(&self) -> &[Line] {
        &self.lines
    }
}
