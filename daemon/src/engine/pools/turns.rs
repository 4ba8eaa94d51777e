//! The order of those that wait for one thing: runs take turns, so that a run with thousands of items holds up no other one.
//!
//! In each round every run gets what it waits for once, for its attempt that came first. One that comes later is served in the
//! round that follows the present one, or after the last one of its run.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Debug;
use std::hash::Hash;

use super::Ticket;

/// A future attempt.
pub(crate) trait OfRun: Copy + Eq + Hash {
    /// Identifies a run.
    type Run: Copy + Eq + Hash + Debug;

    /// Returns its run.
    fn run(&self) -> Self::Run;
}

/// The place of a waiter.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Place {
    round: u64,
    /// Within a round, who came first is served first.
    pub(super) ticket: Ticket,
}

/// Those that wait for one thing. `T` identifies a future attempt.
#[derive(Clone, Debug)]
pub(super) struct Turns<T: OfRun> {
    waiting: BTreeMap<Place, T>,
    runs: HashMap<T::Run, Waits>,
}

/// The waiters of one run.
#[derive(Clone, Copy, Debug, Default)]
struct Waits {
    count: usize,
    /// The round of the last one.
    last: u64,
}

impl<T: OfRun> Default for Turns<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), runs: HashMap::new() }
    }
}

impl<T: OfRun> Turns<T> {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Returns the place of the first waiter.
    pub(super) fn first(&self) -> Option<Place> {
        self.waiting.first_key_value().map(|(place, _)| *place)
    }

    /// Returns the waiter at a place.
    pub(super) fn get(&self, place: Place) -> Option<T> {
        self.waiting.get(&place).copied()
    }

    /// Adds a waiter. One that `has_waited` for something else is served in the next round, before the later ones of its run: it
    /// holds what others wait for. In the present round it could pass those of the next one, and so could all that follow it.
    pub(super) fn add(&mut self, ticket: Ticket, who: T, has_waited: bool) -> Place {
        let present = self.first().map(|first| first.round);
        let waits = self.runs.entry(who.run()).or_default();
        let round = match present {
            None => 0,
            Some(present) if has_waited || waits.count == 0 => present + 1,
            Some(present) => present.max(waits.last) + 1,
        };
        *waits = Waits { count: waits.count + 1, last: waits.last.max(round) };
        let place = Place { round, ticket };
        self.waiting.insert(place, who);
        place
    }

    /// Removes the waiter at a place.
    pub(super) fn remove(&mut self, place: Place) -> Option<T> {
        let who = self.waiting.remove(&place)?;
        if let Some(waits) = self.runs.get_mut(&who.run()) {
            waits.count -= 1;
            if waits.count == 0 {
                self.runs.remove(&who.run());
            }
        }
        Some(who)
    }

    /// Removes the first waiter.
    pub(super) fn pop_first(&mut self) -> Option<Ticket> {
        let first = self.first()?;
        self.remove(first).map(|_| first.ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An attempt with its run.
    type Who = (char, u32);

    impl OfRun for Who {
        type Run = char;

        fn run(&self) -> char {
            self.0
        }
    }

    fn add(turns: &mut Turns<Who>, run: char, tickets: impl IntoIterator<Item = u64>) {
        for ticket in tickets {
            turns.add(Ticket(ticket), (run, ticket as u32), false);
        }
    }

    fn serve(turns: &mut Turns<Who>, count: usize) -> String {
        let next = |turns: &mut Turns<Who>| turns.first().and_then(|first| turns.remove(first));
        (0..count).map_while(|_| next(turns)).map(|(run, ticket)| format!("{run}{ticket} ")).collect()
    }

    #[test]
    fn runs_take_turns_and_each_is_first_in_first_out() {
        let mut turns = Turns::default();
        add(&mut turns, 'a', 1..=6);
        add(&mut turns, 'b', 7..=9);
        assert_eq!(serve(&mut turns, 4), "a1 a2 b7 a3 ");
        add(&mut turns, 'c', [10]);
        assert_eq!(serve(&mut turns, 9), "b8 a4 b9 c10 a5 a6 ");
        assert!(turns.is_empty() && turns.runs.is_empty());
    }

    #[test]
    fn one_that_waited_for_something_else_is_served_in_the_next_round() {
        let mut turns = Turns::default();
        add(&mut turns, 'a', [2, 3, 5]);
        turns.add(Ticket(1), ('a', 1), true);
        turns.add(Ticket(4), ('b', 4), true);
        assert_eq!(serve(&mut turns, 9), "a2 a1 a3 b4 a5 ");
    }

    #[test]
    fn who_always_comes_again_does_not_hold_up_a_run_with_many() {
        let mut turns = Turns::default();
        add(&mut turns, 'a', 1..=20);
        let mut served = String::new();
        for ticket in 21..61 {
            add(&mut turns, 'b', [ticket]);
            add(&mut turns, 'c', [ticket + 100]);
            served += &serve(&mut turns, 3);
        }
        let of = |run: char| served[..served.find("a20").unwrap()].matches(run).count();
        assert!(of('b') <= 20 && of('c') <= 20, "{served}");
    }
}
