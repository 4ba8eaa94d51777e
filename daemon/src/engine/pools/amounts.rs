//! CPUs and memory, which an attempt gets together.

use fanlight_shared::resources::{Resources, shown_bytes, shown_cpus, shown_thousandths};

use super::shares::Capacity;
use crate::machine::Machine;

/// An amount of CPUs and of memory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Amounts {
    /// In thousandths. What is free may be negative: attempts adopted at startup take their part without waiting.
    pub(crate) cpus: i64,
    /// In bytes.
    pub(crate) memory: i64,
}

impl Amounts {
    /// Returns the CPUs and the memory that an attempt needs, if it needs any.
    pub(crate) fn of(resources: &Resources) -> Option<Self> {
        let memory = i64::try_from(resources.memory).unwrap_or(i64::MAX);
        let amounts = Self { cpus: i64::from(resources.cpus), memory };
        (amounts != Self::default()).then_some(amounts)
    }

    /// Returns all that the machine has.
    pub(super) fn all(machine: &Machine) -> Self {
        let memory = i64::try_from(machine.memory).unwrap_or(i64::MAX);
        Self { cpus: machine.cpus.into(), memory }
    }

    fn fits(self, free: Self) -> bool {
        // What isn't asked for may be overdrawn.
        (self.cpus == 0 || self.cpus <= free.cpus) && (self.memory == 0 || self.memory <= free.memory)
    }

    /// Returns what is asked for, and how much of that is free, for people.
    pub(super) fn wait(self, free: Self, all: Self) -> String {
        let count = |count: i64| u64::try_from(count).unwrap_or(0);
        let both = |cpus: String, memory: String| match (self.cpus, self.memory) {
            (_, 0) => cpus,
            (0, _) => memory,
            _ => format!("{cpus} and {memory}"),
        };
        let wanted =
            both(shown_cpus(count(self.cpus)), format!("{} of memory", shown_bytes(count(self.memory))));
        let free = both(
            format!("{} of {}", shown_thousandths(count(free.cpus)), shown_cpus(count(all.cpus))),
            format!("{} of {}", shown_bytes(count(free.memory)), shown_bytes(count(all.memory))),
        );
        format!("waits for {wanted}: {free} are free")
    }
}

impl Capacity for Amounts {
    type Need = Self;
    type Part = Self;
    type Kept = Self;

    fn find(&self, need: Self) -> Option<Self> {
        need.fits(*self).then_some(need)
    }

    fn take(&mut self, part: &Self) {
        self.cpus = self.cpus.saturating_sub(part.cpus);
        self.memory = self.memory.saturating_sub(part.memory);
    }

    fn put(&mut self, part: &Self) {
        self.cpus = self.cpus.saturating_add(part.cpus);
        self.memory = self.memory.saturating_add(part.memory);
    }

    fn choose(&self, need: Self, _before: Option<&Self>) -> Self {
        need
    }

    fn keep(&mut self, kept: &Self) {
        self.take(&Self {
            cpus: kept.cpus.min(self.cpus.max(0)),
            memory: kept.memory.min(self.memory.max(0)),
        });
    }
}
