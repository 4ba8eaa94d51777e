//! Results that are looked for or computed right now, and everyone who needs them. The first one that needs a result which is
//! not stored computes it, as the leader; the others follow and wait. If the leader fails or is cancelled, the next one leads:
//! failures are never shared.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use fanlight_shared::origin::Origin;

use crate::store::{CacheKey, Cached, Lookup};

/// The most results that are looked for at once. Some are large and take long, so each is looked for by itself.
const MAX_LOOKUPS: usize = 16;

/// Results in flight. `T` identifies one that needs a result.
#[derive(Debug)]
pub(super) struct InFlight<T> {
    flights: HashMap<CacheKey, Flight<T>>,
    /// Those whose turn has come.
    turns: VecDeque<(CacheKey, T, Turn<T>)>,
    /// Results to look for.
    wanted: VecDeque<CacheKey>,
    /// How many are being looked for.
    looking: usize,
}

#[derive(Debug)]
struct Flight<T> {
    state: State<T>,
    followers: VecDeque<T>,
    /// The stored result that was found damaged.
    damaged: Option<Origin>,
}

#[derive(Debug)]
enum State<T> {
    LookedFor,
    /// This one computes it.
    Led(T),
    /// It was computed and is not stored yet.
    Made(Arc<Cached>),
}

impl<T> Flight<T> {
    fn looked_for() -> Self {
        Self { state: State::LookedFor, followers: VecDeque::new(), damaged: None }
    }
}

/// What one that needs a result does next.
#[derive(Clone, Debug)]
pub(super) enum Turn<T> {
    /// It computes the result.
    Lead,
    /// It waits for this one.
    Follow(T),
    /// It takes the result.
    Take(Arc<Cached>),
}

impl<T: Copy + PartialEq> InFlight<T> {
    pub(super) fn new() -> Self {
        Self { flights: HashMap::new(), turns: VecDeque::new(), wanted: VecDeque::new(), looking: 0 }
    }

    /// Asks for a result; [`Self::next`] says later what to do.
    pub(super) fn join(&mut self, key: CacheKey, who: T) {
        let Some(flight) = self.flights.get_mut(&key) else {
            let flight = Flight { followers: VecDeque::from([who]), ..Flight::looked_for() };
            self.flights.insert(key, flight);
            self.wanted.push_back(key);
            return;
        };
        match &flight.state {
            State::LookedFor => flight.followers.push_back(who),
            State::Led(leader) => {
                let leader = *leader;
                flight.followers.push_back(who);
                self.turns.push_back((key, who, Turn::Follow(leader)));
            }
            State::Made(made) => self.turns.push_back((key, who, Turn::Take(Arc::clone(made)))),
        }
    }

    /// Lets one lead that computes the result already. Returns whether it does: only one leads.
    pub(super) fn lead(&mut self, key: CacheKey, who: T) -> bool {
        let flight = self.flights.entry(key).or_insert_with(Flight::looked_for);
        if !matches!(flight.state, State::LookedFor) {
            return false;
        }
        flight.state = State::Led(who);
        self.turns.extend(flight.followers.iter().map(|follower| (key, *follower, Turn::Follow(who))));
        true
    }

    /// Returns the one that computes a result for others.
    pub(super) fn leader(&self, key: CacheKey) -> Option<T> {
        match &self.flights.get(&key)?.state {
            State::Led(leader) => Some(*leader),
            State::LookedFor | State::Made(_) => None,
        }
    }

    /// Returns the stored result that was found damaged, so that `who` computes it.
    pub(super) fn damaged(&self, key: CacheKey, who: T) -> Option<Origin> {
        let flight = self.flights.get(&key)?;
        flight.damaged.clone().filter(|_| matches!(&flight.state, State::Led(leader) if *leader == who))
    }

    /// Records that one needs the result no longer: it failed, was cancelled, or has ended.
    pub(super) fn leave(&mut self, key: CacheKey, who: T) {
        let Some(flight) = self.flights.get_mut(&key) else { return };
        match &flight.state {
            State::Led(leader) if *leader == who => self.lead_next(key),
            _ => flight.followers.retain(|it| *it != who),
        }
    }

    /// Gives the result of the leader to its followers, and to those that ask before it is [stored](Self::stored). Returns
    /// whether `who` is the leader.
    pub(super) fn made(&mut self, key: CacheKey, who: T, made: &Arc<Cached>) -> bool {
        let Some(flight) = self.flights.get_mut(&key) else { return false };
        if !matches!(&flight.state, State::Led(leader) if *leader == who) {
            return false;
        }
        flight.state = State::Made(Arc::clone(made));
        for follower in flight.followers.drain(..) {
            self.turns.push_back((key, follower, Turn::Take(Arc::clone(made))));
        }
        true
    }

    /// Records that a result which was made can be found in the store.
    pub(super) fn stored(&mut self, key: CacheKey) {
        if self.flights.get(&key).is_some_and(|flight| matches!(flight.state, State::Made(_))) {
            self.flights.remove(&key);
        }
    }

    /// Returns the results to look for now; [`Self::looked`] ends that for each.
    pub(super) fn look(&mut self) -> Vec<CacheKey> {
        let room = MAX_LOOKUPS.saturating_sub(self.looking);
        let wanted: Vec<CacheKey> = self.wanted.drain(..self.wanted.len().min(room)).collect();
        self.looking += wanted.len();
        wanted
    }

    /// Records what was found in the store.
    pub(super) fn looked(&mut self, key: CacheKey, found: Lookup) {
        self.looking = self.looking.saturating_sub(1);
        if !self.flights.get(&key).is_some_and(|flight| matches!(flight.state, State::LookedFor)) {
            // One has led since.
            return;
        }
        match found {
            Lookup::Nothing => self.lead_next(key),
            Lookup::Damaged(origin) => {
                self.flights.get_mut(&key).into_iter().for_each(|it| it.damaged = Some(origin.clone()));
                self.lead_next(key);
            }
            Lookup::Found(found) => {
                let found = Arc::new(*found);
                let followers = self.flights.remove(&key).map(|flight| flight.followers);
                for follower in followers.into_iter().flatten() {
                    self.turns.push_back((key, follower, Turn::Take(Arc::clone(&found))));
                }
            }
        }
    }

    /// Makes the first follower the leader.
    fn lead_next(&mut self, key: CacheKey) {
        let Some(flight) = self.flights.get_mut(&key) else { return };
        let Some(leader) = flight.followers.pop_front() else {
            self.flights.remove(&key);
            return;
        };
        flight.state = State::Led(leader);
        self.turns.push_back((key, leader, Turn::Lead));
        for follower in &flight.followers {
            self.turns.push_back((key, *follower, Turn::Follow(leader)));
        }
    }

    /// Returns the next one whose turn has come.
    pub(super) fn next(&mut self) -> Option<(CacheKey, T, Turn<T>)> {
        self.turns.pop_front()
    }

    /// Returns whether it is someone's turn.
    pub(super) fn has_turns(&self) -> bool {
        !self.turns.is_empty()
    }
}

#[cfg(test)]
mod tests;
