//! The reports that a pruner has decided about.

use std::collections::HashMap;

use fanlight_shared::search::Report;

/// The reports that a pruner has decided about.
#[derive(Debug, Default)]
pub(in crate::engine) struct Reports {
    by_step: HashMap<u64, Vec<Report>>,
    /// The step of the last decision about each trial.
    last: HashMap<u32, u64>,
}

impl Reports {
    /// Returns the reports of a step, in their order.
    pub(in crate::engine) fn at(&self, step: u64) -> &[Report] {
        self.by_step.get(&step).map_or(&[], Vec::as_slice)
    }

    /// Returns whether it was decided about a trial at this step or a later one.
    pub(in crate::engine) fn is_decided(&self, trial: u32, step: u64) -> bool {
        self.last.get(&trial).is_some_and(|last| *last >= step)
    }

    /// Adds a report that was decided about.
    pub(in crate::engine) fn add(&mut self, report: Report) {
        let last = self.last.entry(report.trial).or_default();
        *last = report.step.max(*last);
        self.by_step.entry(report.step).or_default().push(report);
    }
}

impl FromIterator<Report> for Reports {
    fn from_iter<T: IntoIterator<Item = Report>>(all: T) -> Self {
        let mut reports = Self::default();
        all.into_iter().for_each(|report| reports.add(report));
        reports
    }
}
