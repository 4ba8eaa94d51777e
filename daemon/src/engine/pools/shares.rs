//! A capacity that attempts use in different amounts, with those that wait for a part of it.
//!
//! Who is first in turn gets a part first. While the first waiter doesn't fit, what is free of its need is kept for it, and
//! later ones may use the rest. So small needs don't starve a large one, and a large one doesn't stop what it would not use:
//! the first waiter has its part when those that held parts as it became first have ended, or earlier.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Ticket;
use super::turns::{OfRun, Place, Turns};

/// How many different needs are looked at for one that fits, in order of their first turns. It bounds the work of a release.
const MAX_LOOKED_AT: usize = 100;

/// What is free of something.
pub(super) trait Capacity: Clone {
    /// What an attempt asks for. Needs that are equal wait in one line.
    type Need: Copy + Ord;
    /// What an attempt gets.
    type Part: Clone;
    /// What is kept for the first waiter.
    type Kept: Clone;
    /// Returns a part that is free for this need.
    fn find(&self, need: Self::Need) -> Option<Self::Part>;
    /// Removes a part from what is free.
    fn take(&mut self, part: &Self::Part);
    /// Adds a part to what is free.
    fn put(&mut self, part: &Self::Part);
    /// Chooses what is kept for a need that doesn't fit, also from later ones. What was kept `before` stays so until it is free,
    /// or something else is: otherwise others would use it in between again and again.
    fn choose(&self, need: Self::Need, before: Option<&Self::Kept>) -> Self::Kept;
    /// Removes what is kept, as far as it is free.
    fn keep(&mut self, kept: &Self::Kept);
}

/// A capacity, the holders of its parts, and those that wait. `T` identifies a future attempt.
#[derive(Clone, Debug)]
pub(super) struct Shares<C: Capacity, T: OfRun> {
    free: C,
    holders: HashMap<T, C::Part>,
    waiting: Turns<T>,
    /// The waiters of each need.
    lines: BTreeMap<C::Need, BTreeSet<Place>>,
    /// The first waiter of each need.
    firsts: BTreeMap<Place, C::Need>,
    /// What is kept for the first waiter of all, from the moment on when it didn't fit.
    kept: Option<(Place, C::Kept)>,
}

impl<C: Capacity, T: OfRun> Shares<C, T> {
    pub(super) fn new(free: C) -> Self {
        Self {
            free,
            holders: HashMap::new(),
            waiting: Turns::default(),
            lines: BTreeMap::new(),
            firsts: BTreeMap::new(),
            kept: None,
        }
    }

    /// Returns what is free without what is kept for the first waiter, which has this place and need.
    fn rest(&mut self, first: Place, need: C::Need) -> C {
        let before = self.kept.as_ref().filter(|(place, _)| *place == first);
        let kept = self.free.choose(need, before.map(|(_, kept)| kept));
        let mut rest = self.free.clone();
        rest.keep(&kept);
        self.kept = Some((first, kept));
        rest
    }

    /// Gives a part to one that came with this ticket, if one is free that is not kept for an earlier one.
    pub(super) fn take(&mut self, ticket: Ticket, need: C::Need, who: T) -> bool {
        let first = self.firsts.first_key_value().map(|(first, of)| (*first, *of));
        let found = match first.filter(|(first, _)| first.ticket < ticket) {
            Some((first, of)) => self.rest(first, of).find(need),
            None => self.free.find(need),
        };
        found.is_some_and(|part| {
            self.occupy(part, who);
            true
        })
    }

    /// Gives a part without asking, for an attempt that is already running.
    pub(super) fn occupy(&mut self, part: C::Part, who: T) {
        self.free.take(&part);
        if let Some(before) = self.holders.insert(who, part) {
            self.free.put(&before);
        }
    }

    /// Adds a waiter, which may have waited for something else before. Returns its place.
    pub(super) fn wait(&mut self, ticket: Ticket, need: C::Need, who: T, has_waited: bool) -> Place {
        let place = self.waiting.add(ticket, who, has_waited);
        let line = self.lines.entry(need).or_default();
        if let Some(first) = line.first().filter(|first| **first > place) {
            self.firsts.remove(first);
        }
        if line.first().is_none_or(|first| *first > place) {
            self.firsts.insert(place, need);
        }
        line.insert(place);
        place
    }

    /// Removes a waiter. Returns it, unless it didn't wait.
    pub(super) fn withdraw(&mut self, place: Place, need: C::Need) -> Option<T> {
        let who = self.waiting.remove(place)?;
        let line = self.lines.get_mut(&need)?;
        line.remove(&place);
        if self.firsts.remove(&place).is_some()
            && let Some(next) = line.first()
        {
            self.firsts.insert(*next, need);
        }
        if line.is_empty() {
            self.lines.remove(&need);
        }
        Some(who)
    }

    /// Releases the part of an attempt. It does nothing for one that has none, so a part is never released twice.
    pub(super) fn release(&mut self, who: T) {
        if let Some(part) = self.holders.remove(&who) {
            self.free.put(&part);
        }
    }

    /// Keeps the part of an attempt that ends from others, until it is given to [`Shares::put`].
    pub(super) fn detach(&mut self, who: T) -> Option<C::Part> {
        self.holders.remove(&who)
    }

    /// Frees a part that nobody has.
    pub(super) fn put(&mut self, part: &C::Part) {
        self.free.put(part);
    }

    /// Gives a part to the next waiter that may have one, and returns its ticket.
    pub(super) fn admit(&mut self) -> Option<Ticket> {
        let (first, of) = self.firsts.first_key_value().map(|(first, of)| (*first, *of))?;
        let (place, need, part) = match self.free.find(of) {
            Some(part) => (first, of, part),
            None => {
                let rest = self.rest(first, of);
                let others = self.firsts.iter().take(MAX_LOOKED_AT).skip(1);
                others.filter_map(|(place, need)| Some((*place, *need, rest.find(*need)?))).next()?
            }
        };
        let who = self.withdraw(place, need)?;
        self.occupy(part, who);
        Some(place.ticket)
    }

    /// Returns the part of an attempt.
    pub(super) fn part(&self, who: T) -> Option<&C::Part> {
        self.holders.get(&who)
    }

    /// Returns the first waiter, if what is free is kept from the one at this place for it.
    pub(super) fn kept_for(&self, place: Place, need: C::Need) -> Option<T> {
        let first = self.waiting.first().filter(|first| *first < place)?;
        self.free.find(need)?;
        self.waiting.get(first)
    }

    /// Changes what there is. What attempts have of it stays taken.
    pub(super) fn change(&mut self, change: impl FnOnce(&mut C)) {
        change(&mut self.free);
        self.kept = None;
    }

    /// Returns what is free.
    pub(super) fn free(&self) -> &C {
        &self.free
    }

    /// Returns the attempts that have a part, with it.
    pub(super) fn holders(&self) -> impl Iterator<Item = (T, &C::Part)> {
        self.holders.iter().map(|(who, part)| (*who, part))
    }
}

#[cfg(test)]
mod tests;
