//! What attempts use of the machine: GPUs, and CPUs with memory.

use fanlight_shared::resources::{GpuSlot, Gpus, Resources};

use super::Ticket;
use super::amounts::Amounts;
use super::gpus::{FreeGpus, Parts, parts_of};
use super::shares::Shares;
use super::turns::{OfRun, Place};
use crate::machine::Machine;

/// What an attempt needs of the machine. The order of the variants is the order of acquisition.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(crate) enum Need {
    /// GPUs.
    Gpus(Gpus),
    /// CPUs and memory.
    Amounts(Amounts),
}

impl Need {
    /// Returns the needs of an attempt with these resources.
    pub(crate) fn of(resources: &Resources) -> impl Iterator<Item = Self> {
        let gpus = Some(resources.gpus).filter(|gpus| *gpus != Gpus::None).map(Self::Gpus);
        gpus.into_iter().chain(Amounts::of(resources).map(Self::Amounts))
    }
}

/// The machine, with what is free of it, who uses it, and who waits.
#[derive(Debug)]
pub(super) struct MachineShares<T: OfRun> {
    machine: Machine,
    amounts: Shares<Amounts, T>,
    /// Once an attempt has asked for one: finding them takes time.
    gpus: Option<Shares<FreeGpus, T>>,
    /// The slots of attempts that were running when the daemon started, until the GPUs are known.
    adopted: Vec<(Vec<GpuSlot>, T)>,
}

impl<T: OfRun> MachineShares<T> {
    pub(super) fn new(machine: Machine) -> Self {
        Self { amounts: Shares::new(Amounts::all(&machine)), gpus: None, adopted: Vec::new(), machine }
    }

    /// Returns the GPUs, as many as are known.
    fn gpus(&mut self) -> &mut Shares<FreeGpus, T> {
        let all = FreeGpus::all(self.machine.gpus().map_or(0, <[_]>::len));
        let gpus = self.gpus.get_or_insert_with(|| Shares::new(all.clone()));
        // Nobody got a part before they were found: only the attempts of an earlier daemon have one.
        if gpus.free().is_empty() && !all.is_empty() {
            gpus.set_free(all);
            let known = self.machine.gpus().unwrap_or_default();
            for (slots, who) in self.adopted.drain(..) {
                gpus.occupy(parts_of(&slots, known), who);
            }
        }
        gpus
    }

    /// Returns the machine.
    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Returns the GPUs that an attempt has.
    pub(super) fn slots(&self, who: T) -> Vec<GpuSlot> {
        let Some(parts) = self.gpus.as_ref().and_then(|gpus| gpus.part(who)) else { return Vec::new() };
        let all = self.machine.gpus().unwrap_or_default();
        parts.iter().filter_map(|(at, part)| Some(all.get(*at)?.slot(*part))).collect()
    }

    pub(super) fn take(&mut self, ticket: Ticket, need: Need, who: T) -> bool {
        match need {
            Need::Gpus(need) => self.gpus().take(ticket, need, who),
            Need::Amounts(need) => self.amounts.take(ticket, need, who),
        }
    }

    /// Gives a part without asking, for an attempt that is already running with these GPUs.
    pub(super) fn occupy(&mut self, need: Need, slots: &[GpuSlot], who: T) {
        match need {
            Need::Gpus(_) => match self.machine.gpus() {
                Ok(known) if !known.is_empty() => {
                    let parts = parts_of(slots, known);
                    self.gpus().occupy(parts, who);
                }
                // They can't be named at the moment.
                _ => self.adopted.push((slots.to_vec(), who)),
            },
            Need::Amounts(need) => self.amounts.occupy(need, who),
        }
    }

    pub(super) fn wait(&mut self, ticket: Ticket, need: Need, who: T, has_waited: bool) -> Place {
        match need {
            Need::Gpus(need) => self.gpus().wait(ticket, need, who, has_waited),
            Need::Amounts(need) => self.amounts.wait(ticket, need, who, has_waited),
        }
    }

    pub(super) fn withdraw(&mut self, place: Place, need: Need) {
        match need {
            Need::Gpus(need) => self.gpus().withdraw(place, need),
            Need::Amounts(need) => self.amounts.withdraw(place, need),
        };
    }

    pub(super) fn release(&mut self, need: Need, who: T) {
        match need {
            Need::Gpus(_) => {
                self.adopted.retain(|(_, it)| *it != who);
                self.gpus().release(who);
            }
            Need::Amounts(_) => self.amounts.release(who),
        }
    }

    /// Gives a part to the next waiter that may have one, and returns its ticket.
    pub(super) fn admit(&mut self, need: Need) -> Option<Ticket> {
        match need {
            Need::Gpus(_) => self.gpus().admit(),
            Need::Amounts(_) => self.amounts.admit(),
        }
    }

    /// Returns what a waiter waits for, for people, and the one that came earlier, if what would be enough is kept for it.
    pub(super) fn explain(&self, place: Place, need: Need) -> Option<(String, Option<T>)> {
        Some(match need {
            Need::Gpus(need) => {
                let gpus = self.gpus.as_ref()?;
                (gpus.free().wait(need), gpus.kept_for(place, need))
            }
            Need::Amounts(need) => {
                let all = Amounts::all(&self.machine);
                (need.wait(*self.amounts.free(), all), self.amounts.kept_for(place, need))
            }
        })
    }

    /// Returns the attempts that use what this one needs, those that use most first.
    pub(super) fn users(&self, need: Need) -> Vec<T>
    where
        T: Ord,
    {
        let mut users: Vec<((i64, i64), T)> = match need {
            Need::Gpus(_) => {
                let has = |parts: &Parts| (parts.iter().map(|(_, part)| i64::from(*part)).sum(), 0);
                let users = self.gpus.iter().flat_map(Shares::holders);
                users.map(|(who, parts)| (has(parts), who)).collect()
            }
            Need::Amounts(need) => {
                let by_memory = need.memory > self.amounts.free().memory.max(0);
                let has = |of: &Amounts| if by_memory { (of.memory, of.cpus) } else { (of.cpus, of.memory) };
                self.amounts.holders().map(|(who, part)| (has(part), who)).collect()
            }
        };
        users.retain(|((most, _), _)| *most > 0);
        users.sort_by(|(one, first), (other, second)| other.cmp(one).then(first.cmp(second)));
        users.into_iter().map(|(_, who)| who).collect()
    }

    #[cfg(test)]
    pub(super) fn amounts(&self) -> &Shares<Amounts, T> {
        &self.amounts
    }

    #[cfg(test)]
    pub(super) fn known_gpus(&self) -> Option<&Shares<FreeGpus, T>> {
        self.gpus.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::{Gpu, ResourceSettings};

    fn machine(gpus: &[&str]) -> Machine {
        let gpu = |id: &&str| Gpu { id: (*id).to_owned(), uuid: None, name: None };
        let gpus = Some(gpus.iter().map(gpu).collect());
        Machine::of(&ResourceSettings { cpus: Some(4), memory: Some(8), gpus })
    }

    #[test]
    fn a_device_of_an_adopted_attempt_is_its_own_although_the_system_names_it_later() {
        let mut shares: MachineShares<u32> = MachineShares::new(machine(&[]));
        let one = Need::Gpus(Gpus::Whole(1));
        let slot = |id: &str| GpuSlot { id: id.to_owned(), uuid: None, name: None, part: 1000 };
        shares.occupy(one, &[slot("a")], 1);
        shares.occupy(one, &[slot("b")], 2);
        shares.release(one, 2);
        shares.machine = machine(&["a", "b"]);
        assert!(shares.take(Ticket(1), one, 3));
        assert!(!shares.take(Ticket(2), one, 4), "`a` is in use");
        assert_eq!((shares.slots(1), shares.slots(3)), (vec![slot("a")], vec![slot("b")]));
        shares.release(one, 1);
        assert!(shares.take(Ticket(3), one, 4));
        assert_eq!(shares.slots(4), [slot("a")]);
    }
}
