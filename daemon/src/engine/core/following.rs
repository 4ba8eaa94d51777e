//! The runs that only wait for results which other runs compute.

use std::collections::VecDeque;

use fanlight_shared::id::{IdMap, RunId};

use crate::engine::key::Key;
use crate::store::CacheKey;

/// The active runs that follow others and hold no slot.
#[derive(Default)]
pub(in crate::engine) struct Following {
    /// What each of them does once it has a slot.
    runs: IdMap<RunId, Vec<Due>>,
    /// Those of them that wait for a slot, the first one first.
    returning: VecDeque<RunId>,
}

/// What an instance does once its run has a slot.
pub(in crate::engine) struct Due {
    pub(in crate::engine) key: Key,
    pub(in crate::engine) act: Act,
}

/// Why it needs the slot.
pub(in crate::engine) enum Act {
    /// It computes this result.
    Lead(CacheKey),
    /// It takes this result.
    Take(CacheKey),
    /// It looks again at the surroundings of its command.
    Look,
}

impl Following {
    /// Returns how many there are.
    pub(in crate::engine) fn len(&self) -> usize {
        self.runs.len()
    }

    /// Returns whether a run follows without a slot.
    pub(in crate::engine) fn contains(&self, run: RunId) -> bool {
        self.runs.contains_key(&run)
    }

    /// Returns the runs that wait for a slot, the first one first.
    pub(in crate::engine) fn returning(&self) -> impl Iterator<Item = RunId> {
        self.returning.iter().copied()
    }

    /// Returns whether a run waits for a slot, to continue.
    pub(in crate::engine) fn returns(&self, run: RunId) -> bool {
        self.returning.contains(&run)
    }

    /// Adds a run that holds no slot any more.
    pub(in crate::engine) fn insert(&mut self, run: RunId) {
        self.runs.insert(run, Vec::new());
    }

    /// Removes a run; returns whether it was there.
    pub(in crate::engine) fn remove(&mut self, run: RunId) -> bool {
        self.take(run).is_some()
    }

    /// Removes a run, and returns what its instances do with the slot.
    pub(in crate::engine) fn take(&mut self, run: RunId) -> Option<Vec<Due>> {
        let due = self.runs.remove(&run)?;
        self.returning.retain(|it| *it != run);
        Some(due)
    }

    /// Lets an instance wait until its run has a slot.
    pub(in crate::engine) fn add(&mut self, due: Due) {
        let run = due.key.run;
        let Some(all) = self.runs.get_mut(&run) else { return };
        if all.is_empty() {
            self.returning.push_back(run);
        }
        all.push(due);
    }
}
