//! The order of waiting runs: those of a higher priority first. Within a priority free slots rotate: in each round every sweep
//! starts one run, and single runs that were submitted before the round start too.

use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The place of a waiting run among all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// Where it is among the rounds.
    pub(super) turn: Turn,
    /// The round in which it starts.
    round: u64,
    /// Its place within the round.
    nth: i64,
}

/// Where a run goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Turn {
    /// Before all rounds.
    Next,
    /// Into the rounds of this priority; see [`Turn::of`].
    Round(Reverse<i32>),
    /// After all rounds.
    Later,
}

impl Turn {
    /// Returns that of a run with this priority; those of a higher one are before it.
    pub(crate) fn of(priority: i32) -> Self {
        Self::Round(Reverse(priority))
    }
}

/// Gives runs their places.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The round of the last run that started, by priority: the runs of one must not move the rounds of another.
    started: BTreeMap<Turn, u64>,
    /// The last number that was given within a round, and the first one before all rounds.
    last: i64,
    first: i64,
}

impl Order {
    /// Returns places before all others, in their order.
    pub(super) fn next(&mut self, count: usize) -> Places {
        self.first -= count as i64;
        Places { turn: Turn::Next, round: 0, step: 0, nth: self.first, left: count }
    }

    /// Returns places after all others, in their order.
    pub(super) fn later(&mut self, count: usize) -> Places {
        self.rounds(Turn::Later, 0, 0, count)
    }

    /// Returns places of single runs: all in the round that follows.
    pub(super) fn single(&mut self, turn: Turn, count: usize) -> Places {
        self.rounds(turn, self.started(turn) + 1, 0, count)
    }

    /// Returns places of the runs of a sweep: one in each round from the one that follows, or after the last place that the
    /// sweep has.
    pub(super) fn turns(&mut self, turn: Turn, last: Option<Place>, count: usize) -> Places {
        let started = self.started(turn);
        let after = last.map_or(started, |last| last.round.max(started));
        self.rounds(turn, after + 1, 1, count)
    }

    fn started(&self, turn: Turn) -> u64 {
        self.started.get(&turn).copied().unwrap_or_default()
    }

    fn rounds(&mut self, turn: Turn, round: u64, step: u64, count: usize) -> Places {
        let nth = self.last + 1;
        self.last += count as i64;
        Places { turn, round, step, nth, left: count }
    }

    /// Records that the run at this place starts.
    pub(super) fn took(&mut self, place: Place) {
        let started = self.started.entry(place.turn).or_default();
        *started = place.round.max(*started);
    }

    /// Forgets everything, when nothing waits.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Places for the runs of one submission.
#[derive(Clone, Debug)]
pub(super) struct Places {
    turn: Turn,
    round: u64,
    step: u64,
    nth: i64,
    left: usize,
}

impl Iterator for Places {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        self.left = self.left.checked_sub(1)?;
        let place = Place { turn: self.turn, round: self.round, nth: self.nth };
        self.round += self.step;
        self.nth += 1;
        Some(place)
    }
}
