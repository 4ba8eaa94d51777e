//! Which run stands in which section and where. A run is placed by its state in the registry alone, and taken from its
//! old place first, so it is never in two.

use std::collections::{BTreeMap, HashMap};

use fanlight_shared::id::{RunId, SubmissionId, WorkflowId};
use fanlight_shared::registry::Registry;
use fanlight_shared::run::{Run, RunStatus};

use super::numbers::Numbers;
use super::order::{Key, Sort};
use super::{Filter, Section};

/// Runs by section, in order.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    /// The workflow whose runs come first.
    of: Option<WorkflowId>,
    pub(super) sort: Sort,
    pub(super) filter: Filter,
    keys: [Vec<Key>; 4],
    /// Runs whose place in the queue is known; those of `keys` stand behind them.
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

impl Shelves {
    /// The workflow whose runs come first.
    pub(super) fn of(&self) -> Option<WorkflowId> {
        self.of
    }

    /// Places all runs anew.
    pub(super) fn rebuild(&mut self, registry: &Registry, numbers: &Numbers, of: Option<WorkflowId>) {
        let (sort, filter) = (std::mem::take(&mut self.sort), std::mem::take(&mut self.filter));
        *self = Self { of, sort, filter, ..Self::default() };
        self.wait(registry);
        for run in registry.runs() {
            self.submissions.entry(run.submission).or_default().insert(run.index, run.id);
            if let Some(placed) = self.key(run, registry, numbers) {
                self.keys[placed.section as usize].push(placed.key.clone());
                self.failed += usize::from(placed.failed);
                self.placed.insert(run.id, placed);
            }
        }
        for keys in &mut self.keys {
            keys.sort_unstable();
        }
    }

    /// Places a run where it belongs now; one that is gone is taken away.
    pub(super) fn place(&mut self, run: RunId, registry: &Registry, numbers: &Numbers) {
        let waited = self.take(run);
        let Some(known) = registry.run(run) else {
            for runs in self.submissions.values_mut() {
                runs.retain(|_, it| *it != run);
            }
            if waited {
                self.wait(registry);
            }
            return;
        };
        self.submissions.entry(known.submission).or_default().insert(known.index, run);
        if waited || known.state == RunStatus::Queued {
            self.wait(registry);
        }
        if let Some(placed) = self.key(known, registry, numbers) {
            let keys = &mut self.keys[placed.section as usize];
            let at = keys.binary_search(&placed.key).unwrap_or_else(|at| at);
            keys.insert(at, placed.key.clone());
            self.failed += usize::from(placed.failed);
            self.placed.insert(run, placed);
        }
    }

    /// Takes a run from its place. Answers whether its place in the queue was known.
    fn take(&mut self, run: RunId) -> bool {
        !self.displace(run) && self.waiting.contains(&run)
    }

    /// Takes a run from where it stands by its key, if it does.
    fn displace(&mut self, run: RunId) -> bool {
        let Some(placed) = self.placed.remove(&run) else { return false };
        self.failed -= usize::from(placed.failed);
        let keys = &mut self.keys[placed.section as usize];
        if let Ok(at) = keys.binary_search(&placed.key) {
            keys.remove(at);
        }
        true
    }

    fn wait(&mut self, registry: &Registry) {
        let shown = registry.queued().filter(|run| self.filter.shows(run) && run.state == RunStatus::Queued);
        self.waiting = shown.map(|run| run.id).collect();
        for at in 0..self.waiting.len() {
            self.displace(self.waiting[at]);
        }
    }

    fn key(&self, run: &Run, registry: &Registry, numbers: &Numbers) -> Option<Placed> {
        if !self.filter.shows(run) {
            return None;
        }
        let section = Section::of(run.state);
        let key = match section {
            Section::Running => Key::running(run, self.of),
            Section::Enqueued if registry.position(run.id).is_some() => return None,
            Section::Enqueued => Key::waiting(run),
            Section::Done | Section::Cancelled => Key::ended(run, self.of, &self.sort, numbers),
        };
        Some(Placed { section, key, failed: run.state == RunStatus::Failed })
    }

    /// How many runs of a section are shown.
    pub(super) fn len(&self, section: Section) -> usize {
        let waiting = if section == Section::Enqueued { self.waiting.len() } else { 0 };
        waiting + self.keys[section as usize].len()
    }

    /// How many of those in Done failed.
    pub(super) fn failed(&self) -> usize {
        self.failed
    }

    /// The run at a place of a section, from 0.
    pub(super) fn at(&self, section: Section, index: usize) -> Option<RunId> {
        if section != Section::Enqueued {
            return self.keys[section as usize].get(index).map(|key| key.run);
        }
        let behind = || self.keys[section as usize].get(index - self.waiting.len()).map(|key| key.run);
        self.waiting.get(index).copied().or_else(behind)
    }

    /// Where a run stands.
    pub(super) fn find(&self, run: RunId) -> Option<(Section, usize)> {
        if let Some(placed) = self.placed.get(&run) {
            let at = self.keys[placed.section as usize].binary_search(&placed.key).ok()?;
            let before = if placed.section == Section::Enqueued { self.waiting.len() } else { 0 };
            return Some((placed.section, before + at));
        }
        self.waiting.iter().position(|it| *it == run).map(|at| (Section::Enqueued, at))
    }

    /// The runs of a submission, in order.
    pub(super) fn submission(&self, of: SubmissionId) -> impl Iterator<Item = RunId> + '_ {
        self.submissions.get(&of).into_iter().flat_map(|runs| runs.values().copied())
    }

    /// How many runs of a submission are known.
    pub(super) fn submission_len(&self, of: SubmissionId) -> usize {
        self.submissions.get(&of).map_or(0, BTreeMap::len)
    }
}
