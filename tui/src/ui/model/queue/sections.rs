//! The position of each run in its section. A run is placed by its state in the projection alone, and removed from its
//! old position first, so that it is never in two.

use std::collections::{BTreeMap, HashMap};

use fanlight_shared::client::projection::Projection;
use fanlight_shared::id::{RunId, SubmissionId, WorkflowId};
use fanlight_shared::run::{Run, RunStatus};

use crate::ui::model::queue::numbers::Numbers;
use crate::ui::model::queue::order::{Key, Sort};
use crate::ui::model::queue::{Filter, Section};

/// Runs by section, in order.
#[derive(Debug, Default)]
pub(in crate::ui) struct Sections {
    /// The workflow whose runs come first.
    of: Option<WorkflowId>,
    pub(in crate::ui) sort: Sort,
    pub(in crate::ui) filter: Filter,
    keys: [Vec<Key>; 4],
    /// Runs whose place in the queue is known, in that order; those of `keys` follow.
    waiting: Vec<RunId>,
    placed: HashMap<RunId, Placed>,
    failed: usize,
    submissions: HashMap<SubmissionId, BTreeMap<u32, RunId>>,
}

#[derive(Debug)]
struct Placed {
    section: Section,
    key: Key,
    failed: bool,
}

impl Sections {
    /// Returns the workflow whose runs come first.
    pub(in crate::ui) fn of(&self) -> Option<WorkflowId> {
        self.of
    }

    /// Places all runs again.
    pub(in crate::ui) fn rebuild(
        &mut self,
        projection: &Projection,
        numbers: &Numbers,
        of: Option<WorkflowId>,
    ) {
        let (sort, filter) = (std::mem::take(&mut self.sort), std::mem::take(&mut self.filter));
        *self = Self { of, sort, filter, ..Self::default() };
        self.waiting = projection.queued().filter(|run| self.waits(run)).map(|run| run.id).collect();
        for run in projection.runs() {
            self.submissions.entry(run.submission).or_default().insert(run.index, run.id);
            if let Some(placed) = self.key(run, projection, numbers) {
                self.keys[placed.section as usize].push(placed.key.clone());
                self.failed += usize::from(placed.failed);
                self.placed.insert(run.id, placed);
            }
        }
        for keys in &mut self.keys {
            keys.sort_unstable();
        }
    }

    /// Places a run where it belongs now, or removes a deleted one.
    pub(in crate::ui) fn place(&mut self, run: RunId, projection: &Projection, numbers: &Numbers) {
        self.remove_placed(run);
        if let Some(at) = self.waiting.iter().position(|it| *it == run) {
            self.waiting.remove(at);
        }
        let Some(known) = projection.run(run) else {
            for runs in self.submissions.values_mut() {
                runs.retain(|_, it| *it != run);
            }
            return;
        };
        self.submissions.entry(known.submission).or_default().insert(known.index, run);
        if let Some(place) = projection.position(run).filter(|_| self.waits(known)) {
            let at = self.waiting.partition_point(|it| projection.position(*it).is_some_and(|it| it < place));
            self.waiting.insert(at, run);
        } else if let Some(placed) = self.key(known, projection, numbers) {
            let keys = &mut self.keys[placed.section as usize];
            let at = keys.binary_search(&placed.key).unwrap_or_else(|at| at);
            keys.insert(at, placed.key.clone());
            self.failed += usize::from(placed.failed);
            self.placed.insert(run, placed);
        }
    }

    /// Removes a run from its position by its key, if it has one.
    fn remove_placed(&mut self, run: RunId) {
        let Some(placed) = self.placed.remove(&run) else { return };
        self.failed -= usize::from(placed.failed);
        let keys = &mut self.keys[placed.section as usize];
        if let Ok(at) = keys.binary_search(&placed.key) {
            keys.remove(at);
        }
    }

    /// Returns whether a run is shown as queued.
    fn waits(&self, run: &Run) -> bool {
        run.state == RunStatus::Queued && self.filter.shows(run)
    }

    fn key(&self, run: &Run, projection: &Projection, numbers: &Numbers) -> Option<Placed> {
        if !self.filter.shows(run) {
            return None;
        }
        let section = Section::of(run.state);
        let key = match section {
            Section::Running => Key::running(run, self.of),
            Section::Enqueued if projection.position(run.id).is_some() => return None,
            Section::Enqueued => Key::waiting(run),
            Section::Done | Section::Cancelled => Key::ended(run, self.of, &self.sort, numbers),
        };
        Some(Placed { section, key, failed: run.state == RunStatus::Failed })
    }

    /// Returns how many runs of a section are shown.
    pub(in crate::ui) fn len(&self, section: Section) -> usize {
        let waiting = if section == Section::Enqueued { self.waiting.len() } else { 0 };
        waiting + self.keys[section as usize].len()
    }

    /// Returns how many of those in Done failed.
    pub(in crate::ui) fn failed(&self) -> usize {
        self.failed
    }

    /// Returns the run at an index of a section, from 0.
    pub(in crate::ui) fn at(&self, section: Section, index: usize) -> Option<RunId> {
        if section != Section::Enqueued {
            return self.keys[section as usize].get(index).map(|key| key.run);
        }
        let behind = || self.keys[section as usize].get(index - self.waiting.len()).map(|key| key.run);
        self.waiting.get(index).copied().or_else(behind)
    }

    /// Returns the position of a run.
    pub(in crate::ui) fn find(&self, run: RunId) -> Option<(Section, usize)> {
        if let Some(placed) = self.placed.get(&run) {
            let at = self.keys[placed.section as usize].binary_search(&placed.key).ok()?;
            let before = if placed.section == Section::Enqueued { self.waiting.len() } else { 0 };
            return Some((placed.section, before + at));
        }
        self.waiting.iter().position(|it| *it == run).map(|at| (Section::Enqueued, at))
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
mod tests {
    use fanlight_shared::event::DaemonEvent;
    use fanlight_shared::rpc::watch::Notification;

    use super::*;
    use crate::ui::testing;

    fn order(sections: &Sections) -> Vec<Vec<RunId>> {
        let of =
            |section: Section| (0..sections.len(section)).filter_map(|at| sections.at(section, at)).collect();
        Section::ALL.into_iter().map(of).collect()
    }

    #[test]
    fn placing_one_run_gives_the_same_order_as_placing_all() {
        for typed in ["", "seed=1"] {
            let (mut projection, numbers) = (Projection::default(), Numbers::default());
            let filter = || Filter::read(typed);
            let mut sections = Sections { filter: filter(), ..Sections::default() };
            let mut notification = |number: u32, state: RunStatus, position: Option<u32>| {
                let run = Run { position, ..testing::run(number, state) };
                let event = DaemonEvent::RunUpdate { run: Box::new(run) };
                projection.apply(&mut Notification::Daemon { seq: 1, event });
                sections.place(testing::run_id(number), &projection, &numbers);
                let mut anew = Sections { filter: filter(), ..Sections::default() };
                anew.rebuild(&projection, &numbers, None);
                assert_eq!(order(&sections), order(&anew), "{typed}: {number} {state:?}");
            };
            for number in 1..=12 {
                // Every third run moves to the front.
                notification(number, RunStatus::Queued, number.is_multiple_of(3).then_some(1));
            }
            for number in [12, 9, 1, 2, 11] {
                notification(number, RunStatus::Running, None);
            }
            notification(10, RunStatus::Cancelled, None);
            notification(1, RunStatus::Failed, None);
            notification(12, RunStatus::Completed, None);
        }
    }
}
