//! Pools and locks: how many attempts of a kind run at once, over all runs.
//!
//! An attempt takes its resources one after the other in one fixed order: locks, then the pools of the config by name,
//! then the common pools of commands and workers. Each resource has a line, ordered by arrival. Because the order is the
//! same for all, no two waiters wait for each other; because lines go by arrival, nobody is overtaken for ever. A waiter
//! holds only what stands before the resource it waits for, so it takes up no place of a common pool while it waits
//! for a lock or a scarce pool.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

/// The pools that everybody of a kind needs.
const DEFAULT_POOLS: [&str; 2] = ["cpu", "process"];

/// What an attempt holds while it runs. The order of the variants is the order in which they are taken.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Resource {
    /// A lock: one attempt at a time.
    Lock(String),
    /// A pool of the config.
    Pool(String),
    /// A pool that everybody of a kind needs.
    Common(String),
}

impl Resource {
    /// Returns the pool of this name.
    pub(crate) fn pool(name: &str) -> Self {
        if DEFAULT_POOLS.contains(&name) {
            Self::Common(name.to_owned())
        } else {
            Self::Pool(name.to_owned())
        }
    }
}

/// What one attempt needs, each once and in order.
pub(crate) type Needs = Arc<[Resource]>;

/// Returns resources as needs.
pub(crate) fn needs(resources: impl IntoIterator<Item = Resource>) -> Needs {
    let resources: BTreeSet<Resource> = resources.into_iter().collect();
    resources.into_iter().collect()
}

/// Names a waiter; a smaller one came earlier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Ticket(u64);

/// The response to a request for resources.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Entry<T> {
    /// All is there: it starts now.
    Starts(T),
    /// It waits; [`Pools::next`] returns it later.
    Waits(Ticket),
}

/// The pools of the config and the locks, and who waits for them. `T` names an attempt to be.
#[derive(Debug)]
pub(crate) struct Pools<T> {
    lines: HashMap<Resource, Line>,
    waiting: HashMap<Ticket, Waiter<T>>,
    /// Those who hold all they need, in the order in which they got it.
    complete: VecDeque<Ticket>,
    arrivals: u64,
}

/// A resource and who waits for it. While a place is free nobody waits.
#[derive(Debug)]
struct Line {
    /// May fall below zero: attempts adopted at start take their places without asking.
    free: i64,
    waiting: BTreeSet<Ticket>,
}

#[derive(Debug)]
struct Waiter<T> {
    needs: Needs,
    /// How many of its needs it holds: the first ones.
    held: usize,
    who: T,
}

impl<T> Pools<T> {
    pub(crate) fn new(sizes: &BTreeMap<String, u32>) -> Self {
        let line = |size: u32| Line { free: i64::from(size).max(1), waiting: BTreeSet::new() };
        Self {
            lines: sizes.iter().map(|(name, size)| (Resource::pool(name), line(*size))).collect(),
            waiting: HashMap::new(),
            complete: VecDeque::new(),
            arrivals: 0,
        }
    }

    /// Returns the line of a resource; a pool that the config doesn't have is without bounds and has none.
    fn line(&mut self, resource: &Resource) -> Option<&mut Line> {
        if matches!(resource, Resource::Lock(_)) && !self.lines.contains_key(resource) {
            self.lines.insert(resource.clone(), Line { free: 1, waiting: BTreeSet::new() });
        }
        self.lines.get_mut(resource)
    }

    /// Takes a place if one is free.
    fn take(&mut self, resource: &Resource) -> bool {
        match self.line(resource) {
            None => true,
            Some(line) if line.free > 0 => {
                line.free -= 1;
                true
            }
            Some(_) => false,
        }
    }

    /// Takes places without waiting: what runs already must be counted.
    pub(crate) fn occupy(&mut self, needs: &Needs) {
        for resource in needs.iter() {
            if let Some(line) = self.line(resource) {
                line.free -= 1;
            }
        }
    }

    /// Asks for resources.
    pub(crate) fn enter(&mut self, needs: &Needs, who: T) -> Entry<T> {
        let held = needs.iter().take_while(|resource| self.take(resource)).count();
        let Some(lacks) = needs.get(held) else { return Entry::Starts(who) };
        self.arrivals += 1;
        let ticket = Ticket(self.arrivals);
        if let Some(line) = self.line(lacks) {
            line.waiting.insert(ticket);
        }
        self.waiting.insert(ticket, Waiter { needs: needs.clone(), held, who });
        Entry::Waits(ticket)
    }

    /// An attempt ended: its places go to those who wait for them.
    pub(crate) fn leave(&mut self, needs: &Needs) {
        self.release(needs, needs.len());
    }

    /// Somebody who waits gives up; what it held goes to others.
    pub(crate) fn withdraw(&mut self, ticket: Ticket) {
        let Some(waiter) = self.waiting.remove(&ticket) else { return };
        if let Some(line) = waiter.needs.get(waiter.held).and_then(|lacks| self.lines.get_mut(lacks)) {
            line.waiting.remove(&ticket);
        }
        self.release(&waiter.needs, waiter.held);
    }

    /// Releases the first `count` of these needs.
    fn release(&mut self, needs: &Needs, count: usize) {
        for resource in needs.iter().take(count) {
            let Some(line) = self.lines.get_mut(resource) else { continue };
            line.free += 1;
            if line.free <= 0 {
                continue;
            }
            match line.waiting.pop_first() {
                Some(ticket) => {
                    line.free -= 1;
                    self.proceed(ticket);
                }
                None if matches!(resource, Resource::Lock(_)) => {
                    self.lines.remove(resource);
                }
                None => {}
            }
        }
    }

    /// A waiter got the resource that it lacked: it goes on to the next ones.
    fn proceed(&mut self, ticket: Ticket) {
        let Some(waiter) = self.waiting.get_mut(&ticket) else { return };
        let needs = waiter.needs.clone();
        let mut held = waiter.held + 1;
        while let Some(resource) = needs.get(held) {
            if self.take(resource) {
                held += 1;
                continue;
            }
            if let Some(line) = self.line(resource) {
                line.waiting.insert(ticket);
            }
            break;
        }
        if held == needs.len() {
            self.complete.push_back(ticket);
        }
        if let Some(waiter) = self.waiting.get_mut(&ticket) {
            waiter.held = held;
        }
    }

    /// Returns somebody who waited and may start now, with what it holds.
    pub(crate) fn next(&mut self) -> Option<(Needs, T)> {
        loop {
            let ticket = self.complete.pop_front()?;
            // Who withdrew meanwhile is not there any more.
            if let Some(waiter) = self.waiting.remove(&ticket) {
                return Some((waiter.needs, waiter.who));
            }
        }
    }
}

#[cfg(test)]
mod tests;
