//! A capacity that attempts use in different amounts, with those that wait for a part of it.
//!
//! Who comes first gets a part first. While the first waiter doesn't fit, what is free of its need is kept for it, and later
//! ones may use the rest. So small needs don't starve a large one, and a large one doesn't stop what it would not use.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use super::Ticket;

/// How many different needs are looked at for one that fits, in order of arrival. It bounds the work of a release.
const MAX_LOOKED_AT: usize = 100;

/// What is free of something.
pub(super) trait Capacity: Clone {
    /// What an attempt asks for. Needs that are equal wait in one line.
    type Need: Copy + Ord;
    /// What an attempt gets.
    type Part: Clone;
    /// Returns a part that is free for this need.
    fn find(&self, need: Self::Need) -> Option<Self::Part>;
    /// Removes a part from what is free.
    fn take(&mut self, part: &Self::Part);
    /// Adds a part to what is free.
    fn put(&mut self, part: &Self::Part);
    /// Removes what a need would use that doesn't fit, as far as it is free. What is removed for the same need never gets
    /// less while others take from the rest.
    fn keep(&mut self, need: Self::Need);
}

/// A capacity, the holders of its parts, and those that wait. `T` identifies a future attempt.
#[derive(Clone, Debug)]
pub(super) struct Shares<C: Capacity, T> {
    free: C,
    holders: HashMap<T, C::Part>,
    waiting: BTreeMap<C::Need, BTreeMap<Ticket, T>>,
    /// The first waiter of each need.
    firsts: BTreeMap<Ticket, C::Need>,
}

impl<C: Capacity, T: Copy + Eq + Hash> Shares<C, T> {
    pub(super) fn new(free: C) -> Self {
        Self { free, holders: HashMap::new(), waiting: BTreeMap::new(), firsts: BTreeMap::new() }
    }

    /// Gives a part to one that came with this ticket, if one is free that is not kept for an earlier one.
    pub(super) fn take(&mut self, ticket: Ticket, need: C::Need, who: T) -> bool {
        let found = match self.firsts.first_key_value().filter(|(first, _)| **first < ticket) {
            Some((_, first)) => {
                let mut rest = self.free.clone();
                rest.keep(*first);
                rest.find(need)
            }
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

    /// Adds a waiter.
    pub(super) fn wait(&mut self, ticket: Ticket, need: C::Need, who: T) {
        let line = self.waiting.entry(need).or_default();
        if let Some((first, _)) = line.first_key_value().filter(|(first, _)| **first > ticket) {
            self.firsts.remove(first);
        }
        if line.first_key_value().is_none_or(|(first, _)| *first > ticket) {
            self.firsts.insert(ticket, need);
        }
        line.insert(ticket, who);
    }

    /// Removes a waiter. Returns it, unless it didn't wait.
    pub(super) fn withdraw(&mut self, ticket: Ticket, need: C::Need) -> Option<T> {
        let line = self.waiting.get_mut(&need)?;
        let who = line.remove(&ticket)?;
        if self.firsts.remove(&ticket).is_some()
            && let Some((next, _)) = line.first_key_value()
        {
            self.firsts.insert(*next, need);
        }
        if line.is_empty() {
            self.waiting.remove(&need);
        }
        Some(who)
    }

    /// Releases the part of an attempt. It does nothing for one that has none, so a part is never released twice.
    pub(super) fn release(&mut self, who: T) {
        if let Some(part) = self.holders.remove(&who) {
            self.free.put(&part);
        }
    }

    /// Gives a part to the next waiter that may have one, and returns its ticket.
    pub(super) fn admit(&mut self) -> Option<Ticket> {
        if self.firsts.is_empty() {
            return None;
        }
        let mut rest = self.free.clone();
        let mut kept = false;
        let found = self.firsts.iter().take(MAX_LOOKED_AT).find_map(|(ticket, need)| {
            let part = rest.find(*need);
            if part.is_none() && !std::mem::replace(&mut kept, true) {
                rest.keep(*need);
            }
            part.map(|part| (*ticket, *need, part))
        });
        let (ticket, need, part) = found?;
        let who = self.withdraw(ticket, need)?;
        self.occupy(part, who);
        Some(ticket)
    }

    /// Returns the part of an attempt.
    pub(super) fn part(&self, who: T) -> Option<&C::Part> {
        self.holders.get(&who)
    }

    /// Returns the first waiter, if what is free is kept from the one with this ticket for it.
    pub(super) fn kept_for(&self, ticket: Ticket, need: C::Need) -> Option<T> {
        let (first, of) = self.firsts.first_key_value().filter(|(first, _)| **first < ticket)?;
        self.free.find(need)?;
        self.waiting.get(of)?.get(first).copied()
    }

    /// Changes what is free, while nobody has a part of it.
    pub(super) fn set_free(&mut self, free: C) {
        self.free = free;
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
