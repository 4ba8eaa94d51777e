//! The sweeps whose runs are known: the states of their runs, and whether they are folded.

use std::time::Duration;

use fanlight_shared::id::WorkflowId;
use fanlight_shared::rpc::sweeps::{Best, Stretch};
use fanlight_shared::run::{Run, RunStatus};
use fanlight_shared::spent::Spent;
use fanlight_shared::time::Time;
use indexmap::IndexMap;

use super::tally::Tally;
use crate::ui::message::{SearchRead, Why};

/// The most runs of a sweep that isn't folded by itself.
pub(in crate::ui) const MAX_LOOSE: usize = 50;
/// The most runs of a sweep whose best numbers are read before it has ended.
const MAX_WATCHED: usize = 10_000;
/// How long to wait before a sweep is read again.
const READ_INTERVAL: Duration = Duration::from_secs(5);
/// How many sweeps a request names.
const MAX_NAMES: usize = 1_000;

/// A sweep, by its place in [`Sweeps`].
pub(in crate::ui) type SweepId = u32;

/// A sweep.
#[derive(Debug)]
pub(in crate::ui) struct Sweep {
    /// Its name.
    pub(in crate::ui) name: String,
    /// The workflow of its runs.
    pub(in crate::ui) workflow: WorkflowId,
    /// When the newest of its known runs was submitted, and the number of that run.
    pub(in crate::ui) newest: (Time, u32),
    /// The states of its runs.
    pub(in crate::ui) tally: Tally,
    /// The outputs that are numbers, once read.
    pub(in crate::ui) best: IndexMap<String, Best>,
    /// The cost and the tokens of its runs, once read.
    pub(in crate::ui) spent: Spent,
    /// Its search, if it is one, once read.
    pub(in crate::ui) search: Option<Box<SearchRead>>,
    /// Whether it is known whether it is a search.
    known: bool,
    /// The user's choice.
    folded: Option<bool>,
    /// Whether all its runs are known.
    whole: bool,
    /// How many had completed when `best` was read.
    best_of: u32,
    /// The number of the request under way, and the changes since.
    asked: Option<(u64, Vec<(u32, RunStatus)>)>,
    /// When it was last read.
    asked_at: Option<Time>,
}

impl Sweep {
    /// Returns whether it is one row.
    pub(in crate::ui) fn is_folded(&self) -> bool {
        self.folded.unwrap_or(self.tally.len() > MAX_LOOSE || self.search.is_some())
    }

    /// Returns whether all its runs have ended.
    pub(in crate::ui) fn is_over(&self) -> bool {
        self.tally.counts().open() == 0
    }

    fn lacks_best(&self) -> bool {
        let completed = self.tally.counts().completed;
        completed != self.best_of && (self.is_over() || self.tally.len() <= MAX_WATCHED)
    }
}

/// The sweeps whose runs are known.
#[derive(Debug, Default)]
pub(in crate::ui) struct Sweeps {
    /// None is removed, so that a place stays that of its sweep.
    sweeps: IndexMap<String, Sweep>,
    /// Distinguishes a request from earlier ones, whose responses are dropped.
    requests: u64,
}

/// A sweep that must be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::ui) struct Wanted {
    pub(in crate::ui) name: String,
    pub(in crate::ui) request: u64,
    /// Whether its best numbers are read too.
    pub(in crate::ui) best: bool,
}

impl Sweeps {
    /// Takes over the state of a run. Returns its sweep, if it has one.
    pub(in crate::ui) fn note(&mut self, run: &Run) -> Option<SweepId> {
        let name = run.sweep.as_ref()?;
        let newest = (run.submitted_at, run.number);
        let id = match self.sweeps.get_index_of(name) {
            Some(id) => id,
            None => {
                let sweep = Sweep {
                    name: name.clone(),
                    workflow: run.workflow_id,
                    newest,
                    tally: Tally::default(),
                    best: IndexMap::new(),
                    spent: Spent::default(),
                    search: None,
                    known: false,
                    folded: None,
                    whole: false,
                    best_of: 0,
                    asked: None,
                    asked_at: None,
                };
                self.sweeps.insert_full(name.clone(), sweep).0
            }
        };
        let (_, sweep) = self.sweeps.get_index_mut(id)?;
        sweep.newest = sweep.newest.max(newest);
        sweep.tally.set(run.number, run.state);
        if let Some((_, changes)) = &mut sweep.asked {
            changes.push((run.number, run.state));
        }
        u32::try_from(id).ok()
    }

    /// Returns a sweep.
    pub(in crate::ui) fn get(&self, id: SweepId) -> Option<&Sweep> {
        self.sweeps.get_index(id as usize).map(|(_, sweep)| sweep)
    }

    /// Returns the sweep of a run.
    pub(in crate::ui) fn of(&self, run: &Run) -> Option<SweepId> {
        self.sweeps.get_index_of(run.sweep.as_ref()?).and_then(|id| u32::try_from(id).ok())
    }

    /// Returns all sweeps.
    pub(in crate::ui) fn iter(&self) -> impl Iterator<Item = (SweepId, &Sweep)> {
        (0..).zip(self.sweeps.values())
    }

    /// Returns the names of those that are folded, the newest first.
    pub(in crate::ui) fn folded_names(&self) -> Vec<String> {
        let folded = self.sweeps.values().rev().filter(|sweep| sweep.is_folded());
        folded.map(|sweep| sweep.name.clone()).take(MAX_NAMES).collect()
    }

    /// Folds a sweep or unfolds it, as the user wants.
    pub(in crate::ui) fn fold(&mut self, id: SweepId, folded: bool) {
        if let Some((_, sweep)) = self.sweeps.get_index_mut(id as usize) {
            sweep.folded = Some(folded);
        }
    }

    /// Reads all sweeps again: changes were missed.
    pub(in crate::ui) fn missed(&mut self) {
        for sweep in self.sweeps.values_mut() {
            (sweep.whole, sweep.asked) = (false, None);
        }
    }

    /// Returns the first of these sweeps that must be read, or how long to wait before one is read again.
    pub(in crate::ui) fn want(
        &mut self,
        of: impl Iterator<Item = SweepId>,
        now: Time,
    ) -> Option<Result<Wanted, Duration>> {
        if self.sweeps.values().any(|sweep| sweep.asked.is_some()) {
            return None;
        }
        let wants = |id: &SweepId| {
            self.get(*id).is_some_and(|sweep| !sweep.whole || sweep.is_folded() && sweep.lacks_best())
        };
        // Each has its turn, even if changes are missed all the time.
        let id = of.filter(wants).min_by_key(|id| self.get(*id).and_then(|sweep| sweep.asked_at))?;
        let (_, sweep) = self.sweeps.get_index_mut(id as usize)?;
        let passed = sweep.asked_at.map(|at| now.since(at));
        let left = passed.and_then(|passed| READ_INTERVAL.checked_sub(passed)).filter(|left| !left.is_zero());
        if let Some(left) = left {
            return Some(Err(left));
        }
        self.requests += 1;
        let request = self.requests;
        (sweep.asked, sweep.asked_at) = (Some((request, Vec::new())), Some(now));
        let best = sweep.is_folded() && sweep.lacks_best() || !sweep.known;
        Some(Ok(Wanted { name: sweep.name.clone(), request, best }))
    }

    /// Takes over what was read of a sweep: the states of its runs, and the best numbers with the cost and the tokens, if they
    /// were asked for. Returns the sweep, if that was the request under way.
    pub(in crate::ui) fn read(
        &mut self,
        (name, request): (&str, u64),
        runs: &[Stretch],
        best: Option<&(IndexMap<String, Best>, Spent)>,
        search: Option<Box<SearchRead>>,
    ) -> Option<SweepId> {
        let (id, _, sweep) = self.sweeps.get_full_mut(name)?;
        let (_, changes) = sweep.asked.take_if(|(asked, _)| *asked == request)?;
        sweep.tally = Tally::of(runs);
        if let Some(best) = best {
            sweep.best.clone_from(&best.0);
            sweep.spent = best.1;
            (sweep.search, sweep.known) = (search, true);
            sweep.best_of = sweep.tally.counts().completed;
        }
        for (number, state) in changes {
            sweep.tally.set(number, state);
        }
        sweep.whole = true;
        u32::try_from(id).ok()
    }

    /// Handles a request that failed. A sweep that is gone has no runs any more; any other is read again only after changes
    /// were missed, or once the daemon is back.
    pub(in crate::ui) fn failed(&mut self, (name, request): (&str, u64), why: Why) {
        let Some(sweep) = self.sweeps.get_mut(name) else { return };
        if sweep.asked.take_if(|(asked, _)| *asked == request).is_none() {
            return;
        }
        match why {
            Why::Away => {}
            Why::Gone => (sweep.tally, sweep.whole) = (Tally::default(), true),
            Why::Other => (sweep.whole, sweep.best_of) = (true, sweep.tally.counts().completed),
        }
    }
}
