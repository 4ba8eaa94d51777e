//! The order of waiting runs. Free slots rotate: in each round every sweep starts one run, and single runs that were
//! submitted before the round start too.

/// The place of a waiting run among all others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    /// The round in which it starts; [`NEXT`] is before all of them.
    round: u64,
    /// Its place within the round.
    nth: i64,
}

/// The round of runs that go to the head of the queue.
const NEXT: u64 = 0;

/// The round of runs that go after all others.
const LATER: u64 = u64::MAX;

/// Where a run goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Turn {
    /// Before all rounds.
    Next,
    /// Into the rounds.
    Round,
    /// After all rounds.
    Later,
}

impl Place {
    /// Returns where it is among the rounds.
    pub(super) fn turn(self) -> Turn {
        match self.round {
            NEXT => Turn::Next,
            LATER => Turn::Later,
            _ => Turn::Round,
        }
    }
}

/// Gives runs their places.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The round of the last run that started.
    round: u64,
    /// The last number that was given within a round, and the first one before all rounds.
    last: i64,
    first: i64,
}

impl Order {
    /// Returns places before all others, in their order.
    pub(super) fn next(&mut self, count: usize) -> Places {
        self.first -= count as i64;
        Places { round: NEXT, step: 0, nth: self.first, left: count }
    }

    /// Returns places after all others, in their order.
    pub(super) fn later(&mut self, count: usize) -> Places {
        self.rounds(LATER, 0, count)
    }

    /// Returns places of single runs: all in the round that follows.
    pub(super) fn single(&mut self, count: usize) -> Places {
        self.rounds(self.round + 1, 0, count)
    }

    /// Returns places of the runs of a sweep: one in each round from the one that follows, or after the last place that the
    /// sweep has.
    pub(super) fn turns(&mut self, last: Option<Place>, count: usize) -> Places {
        let after = last.map_or(self.round, |last| last.round.max(self.round));
        self.rounds(after + 1, 1, count)
    }

    fn rounds(&mut self, round: u64, step: u64, count: usize) -> Places {
        let nth = self.last + 1;
        self.last += count as i64;
        Places { round, step, nth, left: count }
    }

    /// Records that the run at this place starts.
    pub(super) fn took(&mut self, place: Place) {
        if place.round != LATER {
            self.round = self.round.max(place.round);
        }
    }

    /// Forgets everything, when nothing waits.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// Places for the runs of one submission.
#[derive(Clone, Debug)]
pub(super) struct Places {
    round: u64,
    step: u64,
    nth: i64,
    left: usize,
}

impl Iterator for Places {
    type Item = Place;

    fn next(&mut self) -> Option<Place> {
        self.left = self.left.checked_sub(1)?;
        let place = Place { round: self.round, nth: self.nth };
        self.round += self.step;
        self.nth += 1;
        Some(place)
    }
}
