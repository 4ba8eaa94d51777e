//! The states of the runs of a sweep, with their counts as a whole and by part.

use fanlight_shared::rpc::sweeps::Stretch;
use fanlight_shared::run::{Counts, RunStatus};

/// The most parts whose counts are kept.
const MAX_PARTS: usize = 64;

/// The states of the runs of a sweep, in the order of their numbers. A change costs no recount, also with 100,000 runs.
#[derive(Clone, PartialEq, Debug, Default)]
pub(in crate::ui) struct Tally {
    numbers: Vec<u32>,
    states: Vec<RunStatus>,
    counts: Counts,
    /// The counts of as many parts of equal size; the last one may be smaller.
    parts: Vec<Counts>,
    /// Runs per part: a power of two.
    part: usize,
}

impl Tally {
    /// Returns the states of these runs.
    pub(in crate::ui) fn of(stretches: &[Stretch]) -> Self {
        let mut tally = Self::default();
        for stretch in stretches {
            tally.numbers.extend(stretch.first..stretch.first.saturating_add(stretch.count));
            tally.states.resize(tally.numbers.len(), stretch.state);
        }
        if !tally.numbers.is_sorted() {
            let mut runs: Vec<_> = tally.numbers.into_iter().zip(tally.states).collect();
            runs.sort_unstable_by_key(|(number, _)| *number);
            (tally.numbers, tally.states) = runs.into_iter().unzip();
        }
        tally.count();
        tally
    }

    /// Sets the state of a run, unless the known one is newer.
    pub(in crate::ui) fn set(&mut self, number: u32, state: RunStatus) {
        match self.numbers.binary_search(&number) {
            Ok(at) => {
                let before = self.states[at];
                if before == state || state.is_behind(before) {
                    return;
                }
                self.states[at] = state;
                for counts in [&mut self.counts, &mut self.parts[at / self.part]] {
                    *counts.of(before) -= 1;
                    *counts.of(state) += 1;
                }
            }
            Err(at) => {
                self.numbers.insert(at, number);
                self.states.insert(at, state);
                if at + 1 < self.numbers.len() || self.numbers.len() > self.part * MAX_PARTS {
                    return self.count();
                }
                *self.counts.of(state) += 1;
                if at / self.part == self.parts.len() {
                    self.parts.push(Counts::default());
                }
                *self.parts[at / self.part].of(state) += 1;
            }
        }
    }

    /// Counts again.
    fn count(&mut self) {
        self.part = self.numbers.len().div_ceil(MAX_PARTS).next_power_of_two();
        self.counts = Counts::default();
        self.parts.clear();
        for states in self.states.chunks(self.part) {
            let mut counts = Counts::default();
            states.iter().for_each(|state| *counts.of(*state) += 1);
            self.counts.add(&counts);
            self.parts.push(counts);
        }
    }

    /// Returns whether it has a run of this number.
    pub(in crate::ui) fn contains(&self, number: u32) -> bool {
        self.numbers.binary_search(&number).is_ok()
    }

    /// Returns the counts of all.
    pub(in crate::ui) fn counts(&self) -> Counts {
        self.counts
    }

    /// Returns how many runs there are.
    pub(in crate::ui) fn len(&self) -> usize {
        self.numbers.len()
    }

    /// Returns the counts of at most this many consecutive parts: of single runs, if all of them fit.
    pub(in crate::ui) fn cells(&self, width: usize) -> Vec<Counts> {
        let sum = |parts: &[Counts]| {
            parts.iter().fold(Counts::default(), |mut sum, part| {
                sum.add(part);
                sum
            })
        };
        if self.states.len() <= width {
            let one = |state: &RunStatus| {
                let mut counts = Counts::default();
                *counts.of(*state) = 1;
                counts
            };
            return self.states.iter().map(one).collect();
        }
        match width {
            0 => Vec::new(),
            width => self.parts.chunks(self.parts.len().div_ceil(width).max(1)).map(sum).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STATES: [RunStatus; 4] =
        [RunStatus::Queued, RunStatus::Running, RunStatus::Completed, RunStatus::Failed];

    proptest! {
        #[test]
        fn the_counts_are_those_of_the_states(
            read in proptest::collection::vec((1..4_u32, 0..4_usize), 0..80),
            changes in proptest::collection::vec((1..400_u32, 0..4_usize), 0..300),
            width in 0..80_usize,
        ) {
            let mut first = 1;
            let stretches: Vec<Stretch> = read
                .into_iter()
                .map(|(count, state)| {
                    let stretch = Stretch { first, count, state: STATES[state] };
                    // One run in between is of another sweep.
                    first += count + 1;
                    stretch
                })
                .collect();
            let mut tally = Tally::of(&stretches);
            for (number, state) in changes {
                tally.set(number, STATES[state]);
                prop_assert!(tally.parts.len() <= MAX_PARTS);
            }
            let mut again = tally.clone();
            again.count();
            prop_assert_eq!(tally.counts(), again.counts());
            let cells = tally.cells(width);
            prop_assert!(cells.len() <= width);
            let mut sum = Counts::default();
            cells.iter().for_each(|cell| sum.add(cell));
            prop_assert!(width == 0 || sum == tally.counts(), "{cells:?}");
        }
    }

    #[test]
    fn an_older_state_changes_nothing() {
        let mut tally = Tally::default();
        tally.set(7, RunStatus::Completed);
        tally.set(7, RunStatus::Running);
        assert_eq!(tally.counts(), Counts { completed: 1, ..Counts::default() });
    }
}
