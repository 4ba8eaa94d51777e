//! The order of runs that wait.

use std::collections::VecDeque;

use crate::id::RunId;

/// Runs that wait, the next one first.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Waiting {
    runs: VecDeque<RunId>,
}

impl Waiting {
    /// Puts a run at a place, counted from 1; at the end where none is said or the place is behind it. A run that
    /// waits already stays where it is.
    pub fn insert(&mut self, run: RunId, position: Option<u32>) {
        if self.position(run).is_some() {
            return;
        }
        let index = position.map_or(usize::MAX, |it| it.saturating_sub(1) as usize).min(self.runs.len());
        self.runs.insert(index, run);
    }
    /// Takes a run out; answers the place it had, counted from 1.
    pub fn remove(&mut self, run: RunId) -> Option<u32> {
        let position = self.position(run)?;
        self.runs.remove(position as usize - 1);
        Some(position)
    }
    /// The place of a run, counted from 1.
    #[must_use]
    pub fn position(&self, run: RunId) -> Option<u32> {
        // Runs leave at the head and come at the end, or just behind others of their submission.
        if self.runs.back() == Some(&run) {
            return u32::try_from(self.runs.len()).ok();
        }
        self.runs.iter().position(|it| *it == run).and_then(|index| u32::try_from(index + 1).ok())
    }
    /// The run at a place, counted from 1.
    #[must_use]
    pub fn at(&self, position: u32) -> Option<RunId> {
        self.runs.get((position as usize).checked_sub(1)?).copied()
    }
    /// The runs, the next one first.
    pub fn iter(&self) -> impl Iterator<Item = RunId> + '_ {
        self.runs.iter().copied()
    }
    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.runs.len()
    }
    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
    /// Nobody waits any more.
    pub fn clear(&mut self) {
        self.runs.clear();
    }
}
