//! The runs of sweeps that are held.

use std::collections::{HashMap, HashSet, VecDeque};

use fanlight_shared::id::RunId;

use super::Turn;

/// A waiting run, and where it goes in the queue.
type Run = (RunId, Turn);

/// The runs of each sweep that is held, in their order. Runs that were removed from the queue meanwhile may be among them.
#[derive(Debug, Default)]
pub(super) struct Held {
    sweeps: HashMap<String, VecDeque<Run>>,
}

impl Held {
    /// Returns the runs of a sweep, if it is held.
    pub(super) fn get_mut(&mut self, sweep: &str) -> Option<&mut VecDeque<Run>> {
        self.sweeps.get_mut(sweep)
    }

    /// Holds a sweep with these runs.
    pub(super) fn add(&mut self, sweep: &str, runs: Vec<Run>) {
        self.sweeps.entry(sweep.to_owned()).or_default().extend(runs);
    }

    /// Changes where runs of a sweep go: in this order they precede, or follow, the others of their sweep.
    pub(super) fn turn(&mut self, sweep: &str, moved: &[RunId], turn: Turn) {
        let Some(runs) = self.sweeps.get_mut(sweep) else { return };
        let these: HashSet<RunId> = moved.iter().copied().collect();
        let mut others = std::mem::take(runs);
        others.retain(|(run, _)| !these.contains(run));
        let moved = moved.iter().map(|run| (*run, turn));
        *runs = match turn {
            Turn::Next => moved.chain(others).collect(),
            Turn::Round(_) | Turn::Later => others.into_iter().chain(moved).collect(),
        };
    }

    /// Returns the runs of a sweep, which is not held any more.
    pub(super) fn take(&mut self, sweep: &str) -> VecDeque<Run> {
        self.sweeps.remove(sweep).unwrap_or_default()
    }

    /// Removes all runs; the sweeps stay held.
    pub(super) fn empty(&mut self) {
        self.sweeps.values_mut().for_each(|runs| *runs = VecDeque::new());
    }

    /// Returns the runs, in no order among sweeps.
    pub(super) fn runs(&self) -> impl Iterator<Item = RunId> + '_ {
        self.sweeps.values().flatten().map(|(run, _)| *run)
    }
}
