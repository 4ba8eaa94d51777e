//! The rows of each section in order: single runs, folded sweeps, and the runs that nodes of other runs started. A run is
//! placed by its state in the projection alone, and removed from its old position first, so that it is never in two.

mod place;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::{RunId, SubmissionId, WorkflowId};
use fanlight_shared::run::{Counts, Run, RunStatus};
use fanlight_shared::waiting::Waiting;

use crate::ui::model::queue::order::{Key, Sort};
use crate::ui::model::queue::rows::Row;
use crate::ui::model::queue::sweeps::{SweepId, Sweeps};
use crate::ui::model::queue::{Filter, Section};

/// Rows by section, in order.
#[derive(Debug, Default)]
pub(in crate::ui) struct Sections {
    /// The workflow whose runs come first.
    of: Option<WorkflowId>,
    pub(in crate::ui) sort: Sort,
    pub(in crate::ui) filter: Filter,
    pub(in crate::ui) sweeps: Sweeps,
    /// The runs below which those that their nodes started are shown.
    opened: HashSet<RunId>,
    /// Rows in order, without those of `waiting`.
    keys: [Vec<Key>; 4],
    /// Runs whose place in the queue is known, in that order. Folded sweeps come before them, the rest of `keys` follows.
    waiting: Waiting,
    placed: HashMap<RunId, Placed>,
    folded: HashMap<SweepId, Placed>,
    /// How many of the placed runs have each state, without those below others.
    loose: Counts,
    submissions: HashMap<SubmissionId, BTreeMap<u32, RunId>>,
    /// The runs that nodes of a run started.
    children: HashMap<RunId, BTreeSet<RunId>>,
}

#[derive(Clone, PartialEq, Debug)]
struct Placed {
    section: Section,
    key: Key,
    state: Option<RunStatus>,
}

impl Sections {
    /// Returns the workflow whose runs come first.
    pub(in crate::ui) fn of(&self) -> Option<WorkflowId> {
        self.of
    }

    /// Returns the sweep that has one row instead of this run. A filter shows the runs themselves.
    fn folds(&self, run: &Run) -> Option<SweepId> {
        let sweep = self.sweeps.of(run).filter(|_| self.filter.is_empty())?;
        self.sweeps.get(sweep)?.is_folded().then_some(sweep)
    }

    /// Returns the known run whose node started a run. A filter shows all runs side by side.
    fn parent(&self, run: &Run, projection: &Projection) -> Option<RunId> {
        let parent = run.parent.as_ref().filter(|_| self.filter.is_empty())?.run;
        projection.run(parent).map(|_| parent)
    }

    /// Returns how many rows a section has.
    pub(in crate::ui) fn len(&self, section: Section) -> usize {
        let waiting = if section == Section::Enqueued { self.waiting.len() } else { 0 };
        waiting + self.keys[section as usize].len()
    }

    /// Returns the number of runs by state, those of folded sweeps included, without those below others.
    pub(in crate::ui) fn counts(&self) -> Counts {
        let mut counts = self.loose;
        counts.queued += u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        for sweep in self.folded.keys().filter_map(|id| self.sweeps.get(*id)) {
            counts.add(&sweep.tally.counts());
        }
        counts
    }

    fn first_waiting(&self) -> usize {
        self.keys[Section::Enqueued as usize].partition_point(Key::is_first)
    }

    /// Returns the row at an index of a section, from 0.
    pub(in crate::ui) fn at(&self, section: Section, index: usize) -> Option<Row> {
        let keys = &self.keys[section as usize];
        let (first, waiting) = match section {
            Section::Enqueued => (self.first_waiting(), self.waiting.len()),
            _ => (0, 0),
        };
        match index {
            index if index < first => keys.get(index).map(Key::row),
            index if index < first + waiting => {
                let place = u32::try_from(index - first + 1).ok()?;
                self.waiting.at(place).map(Row::Run)
            }
            index => keys.get(index - waiting).map(Key::row),
        }
    }

    fn position(&self, placed: &Placed) -> Option<(Section, usize)> {
        let at = self.keys[placed.section as usize].binary_search(&placed.key).ok()?;
        let waiting = placed.section == Section::Enqueued && !placed.key.is_first();
        Some((placed.section, at + if waiting { self.waiting.len() } else { 0 }))
    }

    /// Returns the position of a run, or that of the row in which it is folded.
    pub(in crate::ui) fn find(&self, run: RunId, projection: &Projection) -> Option<(Section, usize)> {
        if let Some(placed) = self.placed.get(&run) {
            return self.position(placed);
        }
        if let Some(place) = self.waiting.position(run) {
            return Some((Section::Enqueued, self.first_waiting() + place as usize - 1));
        }
        let run = projection.run(run)?;
        match (self.parent(run, projection), self.folds(run)) {
            (Some(parent), _) => self.find(parent, projection),
            (None, Some(sweep)) => self.find_sweep(sweep),
            (None, None) => None,
        }
    }

    /// Returns the position of a folded sweep.
    pub(in crate::ui) fn find_sweep(&self, sweep: SweepId) -> Option<(Section, usize)> {
        self.folded.get(&sweep).and_then(|placed| self.position(placed))
    }

    /// Returns how many runs a run is below.
    pub(in crate::ui) fn depth(&self, run: RunId) -> usize {
        self.placed.get(&run).map_or(0, |placed| placed.key.depth())
    }

    /// Returns how many runs are known that nodes of a run started.
    pub(in crate::ui) fn children(&self, run: RunId) -> usize {
        self.children.get(&run).filter(|_| self.filter.is_empty()).map_or(0, BTreeSet::len)
    }

    /// Returns the runs that nodes of a run started, as far as they are known.
    pub(in crate::ui) fn started_by(&self, run: RunId) -> impl Iterator<Item = RunId> + '_ {
        self.children.get(&run).into_iter().flatten().copied()
    }

    /// Returns whether the runs that nodes of a run started are shown below it.
    pub(in crate::ui) fn is_open(&self, run: RunId) -> bool {
        self.opened.contains(&run)
    }

    /// Returns the runs of a submission, in order.
    pub(in crate::ui) fn submission(&self, of: SubmissionId) -> impl Iterator<Item = RunId> + '_ {
        self.submissions.get(&of).into_iter().flat_map(|runs| runs.values().copied())
    }

    /// Returns how many runs of a submission are known.
    pub(in crate::ui) fn submission_len(&self, of: SubmissionId) -> usize {
        self.submissions.get(&of).map_or(0, BTreeMap::len)
    }
}

#[cfg(test)]
mod tests;
