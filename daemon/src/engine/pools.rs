//! Pools and locks: they limit how many attempts of a kind run at once, across all runs.
//!
//! An attempt acquires its resources one after the other in a fixed order: locks, then a place among the nodes that start runs, then the pools of the config by name,
//! then the places at its executor, GPUs, CPUs and memory, then the default pools of commands and workers, or that of its engine. Each resource has
//! a queue, in which runs take turns (see [`turns`]). Because the order is the same for all, waiters can't deadlock; because
//! nobody passes the first waiter (at the machine nearly so, see [`shares`]), nobody starves. A waiter holds only resources that precede
//! the one it waits for, so it doesn't occupy a default pool while it waits for a lock or a scarce pool.
//!
//! The pool of a provider also has a rate: its line then waits although places are free, until the rate allows the next
//! start.

mod amounts;
mod devices;
mod gpus;
mod machine;
mod shares;
mod turns;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use fanlight_shared::resources::{GpuSlot, Resources};
use fanlight_shared::rpc::why::ReasonKind;
use tokio::time::Instant;

use crate::executor::ENGINE_PREFIX;
use crate::machine::Machine;
use crate::rate::{Rate, Rates};
#[cfg(test)]
pub(crate) use amounts::Amounts;
use machine::MachineShares;
pub(crate) use machine::Need;
pub(crate) use turns::OfRun;
use turns::{Place, Turns};

/// The pools that all attempts of a kind need.
const DEFAULT_POOLS: [&str; 2] = ["cpu", "process"];

/// A resource that an attempt holds while it runs. The order of the variants is the order of acquisition.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Resource {
    /// A lock: one attempt at a time.
    Lock(String),
    /// The places of those nodes of a run that start runs, with their number. They precede the pools that nodes of these runs
    /// may need.
    Children(String, u32),
    /// A pool of the config.
    Pool(String),
    /// The places at an executor, with their number.
    Own(String, u32),
    /// A part of the machine.
    Machine(Need),
    /// A pool that all attempts of a kind need.
    Common(String),
}

impl Resource {
    /// Returns the pool of this name.
    pub(crate) fn pool(name: &str) -> Self {
        if DEFAULT_POOLS.contains(&name) || name.starts_with(ENGINE_PREFIX) {
            Self::Common(name.to_owned())
        } else {
            Self::Pool(name.to_owned())
        }
    }

    /// Returns the size of a resource that has a line only while it is used; `None` for pools of the config.
    fn own_size(&self) -> Option<u32> {
        match self {
            Self::Lock(_) => Some(1),
            Self::Children(_, size) | Self::Own(_, size) => Some(*size),
            Self::Pool(_) | Self::Machine(_) | Self::Common(_) => None,
        }
    }
}

/// The resources that one attempt needs, each once and in order.
pub(crate) type Needs = Arc<[Resource]>;

/// Sorts resources into needs.
pub(crate) fn needs(resources: impl IntoIterator<Item = Resource>) -> Needs {
    let resources: BTreeSet<Resource> = resources.into_iter().collect();
    resources.into_iter().collect()
}

/// Identifies a waiter; a smaller ticket arrived earlier.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) struct Ticket(u64);

/// What a waiter waits for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Wait<T> {
    pub(crate) kind: ReasonKind,
    /// For people: it continues the name of a node.
    pub(crate) text: String,
    pub(crate) resource: Resource,
    /// The one that came earlier, if what would be enough is kept for it.
    pub(crate) kept_for: Option<T>,
}

/// The response to a request for resources.
#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Entry<T> {
    /// It holds everything and starts now.
    Starts(T),
    /// It waits; [`Pools::next`] returns it later.
    Waits(Ticket),
}

/// The pools of the config, the places at executors, the locks, the machine, and their waiters. `T` identifies a future attempt.
#[derive(Debug)]
pub(crate) struct Pools<T: OfRun> {
    lines: HashMap<Resource, Line<T>>,
    machine: MachineShares<T>,
    waiting: HashMap<Ticket, Waiter<T>>,
    /// The waiters that hold everything they need, in the order in which they got it.
    complete: VecDeque<Ticket>,
    arrivals: u64,
}

/// A resource and its waiters. While a place is free, nobody waits, unless the rate of the resource was reached.
#[derive(Debug)]
struct Line<T: OfRun> {
    size: u32,
    /// May be negative: attempts adopted at startup take their places without waiting.
    free: i64,
    waiting: Turns<T>,
    /// How often places may be taken.
    rate: Option<Arc<Rate>>,
    /// When the rate allows the next start.
    next_start: Option<Instant>,
}

impl<T: OfRun> Line<T> {
    fn new(size: u32, rate: Option<Arc<Rate>>) -> Self {
        let size = size.max(1);
        Self { size, free: i64::from(size), waiting: Turns::default(), rate, next_start: None }
    }

    /// Takes a place, if one is free and the rate allows it.
    fn take(&mut self) -> bool {
        if self.free <= 0 {
            return false;
        }
        self.next_start = self.rate.as_ref().and_then(|rate| rate.start().err());
        if self.next_start.is_none() {
            self.free -= 1;
        }
        self.next_start.is_none()
    }
}

#[derive(Debug)]
struct Waiter<T> {
    needs: Needs,
    /// How many of its needs it holds, from the first on.
    held: usize,
    who: T,
    /// Its place among those that wait for the next one.
    place: Option<Place>,
}

impl<T: OfRun> Pools<T> {
    pub(crate) fn new(sizes: &BTreeMap<String, u32>, rates: &Rates, machine: Machine) -> Self {
        let line = |name: &str, size: u32| Line::new(size, rates.get(name).cloned());
        Self {
            machine: MachineShares::new(machine),
            lines: sizes.iter().map(|(name, size)| (Resource::pool(name), line(name, *size))).collect(),
            waiting: HashMap::new(),
            complete: VecDeque::new(),
            arrivals: 0,
        }
    }

    /// Returns the line of a resource; a pool that isn't in the config is unbounded and has none.
    fn line(&mut self, resource: &Resource) -> Option<&mut Line<T>> {
        if let Some(size) = resource.own_size()
            && !self.lines.contains_key(resource)
        {
            self.lines.insert(resource.clone(), Line::new(size, None));
        }
        self.lines.get_mut(resource)
    }

    /// Checks that an attempt can ever have these resources.
    ///
    /// # Errors
    /// What it needs, and what there is.
    pub(crate) fn check(&self, needed: &Resources) -> Result<(), String> {
        self.machine.machine().check(needed)
    }

    /// Takes a resource, if it is free and not due to others that wait for it.
    fn take(&mut self, resource: &Resource, ticket: Ticket, who: T) -> bool {
        match resource {
            Resource::Machine(need) => self.machine.take(ticket, *need, who),
            _ => self.line(resource).is_none_or(|line| line.waiting.is_empty() && line.take()),
        }
    }

    /// Takes resources without waiting, for an attempt that is already running with these GPUs.
    pub(crate) fn occupy(&mut self, needs: &Needs, slots: &[GpuSlot], who: T) {
        for resource in needs.iter() {
            if let Resource::Machine(need) = resource {
                self.machine.occupy(*need, slots, who);
            } else if let Some(line) = self.line(resource) {
                line.free -= 1;
            }
        }
    }

    /// Asks for resources.
    pub(crate) fn enter(&mut self, needs: &Needs, who: T) -> Entry<T> {
        self.arrivals += 1;
        let ticket = Ticket(self.arrivals);
        let held = needs.iter().take_while(|resource| self.take(resource, ticket, who)).count();
        let Some(lacks) = needs.get(held) else { return Entry::Starts(who) };
        let place = self.wait_for(lacks, ticket, who, false);
        self.waiting.insert(ticket, Waiter { needs: needs.clone(), held, who, place });
        Entry::Waits(ticket)
    }

    /// Adds a waiter to the line of a resource, which may have waited for another one. Returns its place.
    fn wait_for(&mut self, resource: &Resource, ticket: Ticket, who: T, has_waited: bool) -> Option<Place> {
        if let Resource::Machine(need) = resource {
            return Some(self.machine.wait(ticket, *need, who, has_waited));
        }
        Some(self.line(resource)?.waiting.add(ticket, who, has_waited))
    }

    /// Releases the resources of an ended attempt to the waiters.
    pub(crate) fn leave(&mut self, needs: &Needs, who: T) {
        self.release(needs, needs.len(), who);
    }

    /// Removes a waiter that gives up, and releases what it held.
    pub(crate) fn withdraw(&mut self, ticket: Ticket) {
        let Some(waiter) = self.waiting.remove(&ticket) else { return };
        match (waiter.needs.get(waiter.held), waiter.place) {
            (Some(lacks @ Resource::Machine(need)), Some(place)) => {
                self.machine.withdraw(place, *need);
                // What was kept for it is free for others.
                self.admit(lacks);
            }
            (Some(lacks), Some(place)) => {
                if let Some(line) = self.lines.get_mut(lacks) {
                    line.waiting.remove(place);
                }
            }
            _ => {}
        }
        self.release(&waiter.needs, waiter.held, waiter.who);
    }

    /// Releases the first `count` of these needs.
    fn release(&mut self, needs: &Needs, count: usize, who: T) {
        for resource in needs.iter().take(count) {
            if let Resource::Machine(need) = resource {
                self.machine.release(*need, who);
            } else if let Some(line) = self.lines.get_mut(resource) {
                line.free += 1;
                let unused = line.waiting.is_empty() && line.free >= i64::from(line.size);
                if unused && resource.own_size().is_some() {
                    self.lines.remove(resource);
                }
            }
            self.admit(resource);
        }
    }

    /// Gives what is free to the waiters.
    fn admit(&mut self, resource: &Resource) {
        if let Resource::Machine(need) = resource {
            while let Some(ticket) = self.machine.admit(*need) {
                self.proceed(ticket);
            }
            return;
        }
        while let Some(line) = self.lines.get_mut(resource) {
            if line.waiting.is_empty() || !line.take() {
                return;
            }
            if let Some(ticket) = line.waiting.pop_first() {
                self.proceed(ticket);
            }
        }
    }

    /// Returns when the rate of a resource allows one of its waiters to start.
    pub(crate) fn next_start(&self) -> Option<Instant> {
        let held_back = self.lines.values().filter(|line| line.free > 0 && !line.waiting.is_empty());
        held_back.filter_map(|line| line.next_start).min()
    }

    /// Gives places to waiters whose resource has reached its rate, if they may start by now.
    pub(crate) fn admit_all(&mut self) {
        let limited = self.lines.iter().filter(|(_, line)| line.next_start.is_some());
        let limited: Vec<Resource> = limited.map(|(resource, _)| resource.clone()).collect();
        limited.iter().for_each(|resource| self.admit(resource));
    }

    /// Returns what a waiter waits for.
    pub(crate) fn wait(&self, ticket: Ticket) -> Option<Wait<T>> {
        let waiter = self.waiting.get(&ticket)?;
        let resource = waiter.needs.get(waiter.held)?;
        let wait = |kind, text| Some(Wait { kind, text, resource: resource.clone(), kept_for: None });
        let name = match resource {
            Resource::Lock(name) => return wait(ReasonKind::Lock, format!("waits for the lock `{name}`")),
            Resource::Machine(need) => {
                let (text, kept_for) = self.machine.explain(waiter.place?, *need);
                return Some(Wait { kept_for, ..wait(ReasonKind::Resources, text)? });
            }
            Resource::Children(name, _)
            | Resource::Pool(name)
            | Resource::Own(name, _)
            | Resource::Common(name) => name,
        };
        let line = self.lines.get(resource)?;
        let rate = line.rate.as_ref().filter(|_| line.free > 0);
        match (rate, rate.and_then(|rate| rate.per_minute())) {
            (Some(rate), _) if rate.is_paused() => {
                wait(ReasonKind::Rate, format!("waits for `{name}`: the provider asked for a pause"))
            }
            (_, Some(limit)) => {
                wait(ReasonKind::Rate, format!("waits for `{name}`: {limit} requests a minute"))
            }
            _ => wait(ReasonKind::Pool, format!("waits for `{name}`: {} at once", line.size)),
        }
    }

    /// Continues with the next needs of a waiter that got a resource.
    fn proceed(&mut self, ticket: Ticket) {
        let Some(waiter) = self.waiting.get_mut(&ticket) else { return };
        let (needs, who) = (waiter.needs.clone(), waiter.who);
        let before = waiter.held + 1;
        let more = needs.iter().skip(before).take_while(|resource| self.take(resource, ticket, who)).count();
        let held = before + more;
        let place = needs.get(held).and_then(|lacks| self.wait_for(lacks, ticket, who, true));
        if let Some(waiter) = self.waiting.get_mut(&ticket) {
            (waiter.held, waiter.place) = (held, place);
        }
        let Some(lacks) = needs.get(held) else { return self.complete.push_back(ticket) };
        if let Resource::Machine(_) = lacks {
            // It may be the first one now, and what was kept for the first one until now is free for others.
            self.admit(lacks);
        }
    }

    /// Returns the attempts that use what of the machine is waited for, those that use most first; `None` for other resources.
    pub(crate) fn users(&self, resource: &Resource) -> Option<Vec<T>>
    where
        T: Ord,
    {
        let Resource::Machine(need) = resource else { return None };
        Some(self.machine.users(*need))
    }

    /// Returns a waiter that may start now, with its resources.
    pub(crate) fn next(&mut self) -> Option<(Needs, T)> {
        loop {
            let ticket = self.complete.pop_front()?;
            // It may have withdrawn meanwhile.
            if let Some(waiter) = self.waiting.remove(&ticket) {
                return Some((waiter.needs, waiter.who));
            }
        }
    }
}

#[cfg(test)]
mod tests;
