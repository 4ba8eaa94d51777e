//! What attempts use of the machine: GPUs, and CPUs with memory.

use std::sync::Arc;

use fanlight_shared::id::AttemptId;
use fanlight_shared::resources::{GpuSlot, Gpus, Resources};

use super::Ticket;
use super::amounts::Amounts;
use super::gpus::{FreeGpus, Parts, asked_for, lost, parts_of};
use super::shares::Shares;
use super::turns::{OfRun, Place};
use crate::machine::{Gpu, Machine};

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
    /// The GPUs that are known.
    named: Arc<[Gpu]>,
    gpus: Shares<FreeGpus, T>,
    /// The slots of attempts that were running when the daemon started, of which some device was not named since then.
    adopted: Vec<(Vec<GpuSlot>, T)>,
    /// What attempts had that have failed, until the system was asked whether a device is lost.
    suspects: Vec<(AttemptId, Parts)>,
}

impl<T: OfRun> MachineShares<T> {
    pub(super) fn new(machine: Machine) -> Self {
        let mut shares = Self {
            amounts: Shares::new(Amounts::all(&machine)),
            named: Arc::default(),
            gpus: Shares::new(FreeGpus::default()),
            adopted: Vec::new(),
            suspects: Vec::new(),
            machine,
        };
        shares.look_at_gpus();
        shares
    }

    /// Takes over which GPUs are known, and which of them are lost. Returns whether that has changed.
    pub(super) fn look_at_gpus(&mut self) -> bool {
        let Some(now) = self.machine.gpus().ok().filter(|now| !Arc::ptr_eq(now, &self.named)) else {
            return false;
        };
        self.named = now;
        self.gpus.change(|free| free.set(&self.named));
        for (slots, who) in std::mem::take(&mut self.adopted) {
            self.occupy_gpus(slots, who);
        }
        true
    }

    /// Gives the parts that an earlier daemon gave. A device that is not named at the moment may return.
    fn occupy_gpus(&mut self, slots: Vec<GpuSlot>, who: T) {
        let parts = parts_of(&slots, &self.named);
        if parts.len() < slots.len() {
            self.adopted.push((slots, who));
        }
        self.gpus.occupy(parts, who);
    }

    /// Keeps the GPUs of an attempt that has failed from others until [`MachineShares::trust_gpus`].
    pub(super) fn suspect_gpus(&mut self, attempt: AttemptId, who: T) {
        self.suspects.extend(self.gpus.detach(who).map(|parts| (attempt, parts)));
    }

    /// Frees the GPUs of an attempt that has failed.
    pub(super) fn trust_gpus(&mut self, attempt: AttemptId) {
        for (_, parts) in self.suspects.extract_if(.., |(it, _)| *it == attempt) {
            self.gpus.put(&parts);
        }
    }

    /// Returns whether a device is lost, or may be there that is not known.
    pub(super) fn lacks_gpus(&self) -> bool {
        !self.adopted.is_empty()
            || self.named.iter().any(|gpu| gpu.lost.is_some())
            || self.machine.gpu_trouble().is_some()
    }

    /// Returns the machine.
    pub(super) fn machine(&self) -> &Machine {
        &self.machine
    }

    /// Returns the GPUs that an attempt has.
    pub(super) fn slots(&self, who: T) -> Vec<GpuSlot> {
        let parts = self.gpus.part(who).into_iter().flatten();
        parts.filter_map(|(at, part)| Some(self.named.get(*at)?.slot(*part))).collect()
    }

    pub(super) fn take(&mut self, ticket: Ticket, need: Need, who: T) -> bool {
        match need {
            Need::Gpus(need) => self.gpus.take(ticket, need, who),
            Need::Amounts(need) => self.amounts.take(ticket, need, who),
        }
    }

    /// Gives a part without asking, for an attempt that is already running with these GPUs.
    pub(super) fn occupy(&mut self, need: Need, slots: &[GpuSlot], who: T) {
        match need {
            Need::Gpus(_) => self.occupy_gpus(slots.to_vec(), who),
            Need::Amounts(need) => self.amounts.occupy(need, who),
        }
    }

    pub(super) fn wait(&mut self, ticket: Ticket, need: Need, who: T, has_waited: bool) -> Place {
        match need {
            Need::Gpus(need) => self.gpus.wait(ticket, need, who, has_waited),
            Need::Amounts(need) => self.amounts.wait(ticket, need, who, has_waited),
        }
    }

    pub(super) fn withdraw(&mut self, place: Place, need: Need) {
        match need {
            Need::Gpus(need) => self.gpus.withdraw(place, need),
            Need::Amounts(need) => self.amounts.withdraw(place, need),
        };
    }

    pub(super) fn release(&mut self, need: Need, who: T) {
        match need {
            Need::Gpus(_) => {
                self.adopted.retain(|(_, it)| *it != who);
                self.gpus.release(who);
            }
            Need::Amounts(_) => self.amounts.release(who),
        }
    }

    /// Gives a part to the next waiter that may have one, and returns its ticket.
    pub(super) fn admit(&mut self, need: Need) -> Option<Ticket> {
        match need {
            Need::Gpus(_) => self.gpus.admit(),
            Need::Amounts(_) => self.amounts.admit(),
        }
    }

    /// Returns what a waiter waits for, for people, and the one that came earlier, if what would be enough is kept for it.
    pub(super) fn explain(&self, place: Place, need: Need) -> (String, Option<T>) {
        match need {
            Need::Gpus(need) => {
                let suspects = self.suspects.iter().flat_map(|(_, parts)| parts);
                let why = lost(&self.named) + &asked_for(suspects, &self.named);
                (self.gpus.free().wait(need) + &why, self.gpus.kept_for(place, need))
            }
            Need::Amounts(need) => {
                let all = Amounts::all(&self.machine);
                (need.wait(*self.amounts.free(), all), self.amounts.kept_for(place, need))
            }
        }
    }

    /// Returns the attempts that use what this one needs, those that use most first.
    pub(super) fn users(&self, need: Need) -> Vec<T>
    where
        T: Ord,
    {
        let mut users: Vec<((i64, i64), T)> = match need {
            Need::Gpus(_) => {
                let has = |parts: &Parts| (parts.iter().map(|(_, part)| i64::from(*part)).sum(), 0);
                self.gpus.holders().map(|(who, parts)| (has(parts), who)).collect()
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
    pub(super) fn gpus(&self) -> &Shares<FreeGpus, T> {
        &self.gpus
    }
}

#[cfg(test)]
mod tests {
    use fanlight_shared::time::Time;

    use super::*;
    use crate::machine::ResourceSettings;

    /// Returns a machine with these GPUs, of which those with a `!` are lost.
    fn machine(gpus: &[&str]) -> Machine {
        let gpu = |id: &&str| Gpu {
            id: id.trim_start_matches('!').to_owned(),
            lost: id.starts_with('!').then_some(Time(0)),
            ..Gpu::default()
        };
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
        assert!(shares.look_at_gpus() && !shares.look_at_gpus());
        assert!(shares.take(Ticket(1), one, 3));
        assert!(!shares.take(Ticket(2), one, 4), "`a` is in use");
        assert_eq!((shares.slots(1), shares.slots(3)), (vec![slot("a")], vec![slot("b")]));
        shares.release(one, 1);
        assert!(shares.take(Ticket(3), one, 4));
        assert_eq!(shares.slots(4), [slot("a")]);
    }

    #[test]
    fn a_lost_device_is_given_to_nobody_until_it_returns() {
        let mut shares: MachineShares<u32> = MachineShares::new(machine(&["a", "b", "c"]));
        let (one, two, three) = (Gpus::Whole(1), Gpus::Whole(2), Gpus::Whole(3));
        let ids = |shares: &MachineShares<u32>, who| {
            shares.slots(who).into_iter().map(|slot| slot.id).collect::<Vec<_>>().join(" ")
        };
        assert!(shares.take(Ticket(1), Need::Gpus(two), 1));
        shares.machine = machine(&["!a", "b", "c"]);
        assert!(shares.look_at_gpus() && shares.lacks_gpus());
        assert_eq!(ids(&shares, 1), "a b", "who has it keeps it");
        shares.release(Need::Gpus(two), 1);

        // One that needs all waits, and keeps nothing from others.
        assert!(!shares.take(Ticket(2), Need::Gpus(three), 2));
        let place = shares.wait(Ticket(2), Need::Gpus(three), 2, false);
        let text = shares.explain(place, Need::Gpus(three)).0;
        let begin = "waits for 3 GPUs: 2 of 2 are free (GPU a has been lost since ";
        assert!(text.starts_with(begin) && text.ends_with(": `nvidia-smi` no longer names it)"), "{text}");
        assert!(shares.take(Ticket(3), Need::Gpus(one), 3));
        assert!(shares.take(Ticket(4), Need::Gpus(Gpus::Part(10)), 4));
        assert_eq!((ids(&shares, 3), ids(&shares, 4)), ("b".into(), "c".into()));
        shares.release(Need::Gpus(one), 3);
        shares.release(Need::Gpus(Gpus::Part(10)), 4);
        assert_eq!(shares.admit(Need::Gpus(one)), None);

        shares.machine = machine(&["a", "b", "c"]);
        assert!(shares.look_at_gpus() && !shares.lacks_gpus());
        assert_eq!(shares.admit(Need::Gpus(one)), Some(Ticket(2)));
        assert_eq!(ids(&shares, 2), "a b c");
    }

    #[test]
    fn a_device_of_a_failed_attempt_is_given_to_nobody_until_it_is_known_not_to_be_lost() {
        let mut shares: MachineShares<u32> = MachineShares::new(machine(&["a", "b"]));
        let (one, two) = (Need::Gpus(Gpus::Whole(1)), Need::Gpus(Gpus::Whole(2)));
        assert!(shares.take(Ticket(1), two, 1));
        let (first, second) = (AttemptId::new(), AttemptId::new());
        shares.suspect_gpus(first, 1);
        shares.release(two, 1);
        assert!(!shares.take(Ticket(2), one, 1), "nor to its own retry");
        let place = shares.wait(Ticket(2), one, 1, false);
        let text = "waits for 1 GPU: 0 of 2 are free (an attempt with GPUs a and b failed: `nvidia-smi` is asked whether they are lost)";
        assert_eq!(shares.explain(place, Need::Gpus(Gpus::Whole(1))).0, text);
        shares.trust_gpus(second);
        assert_eq!(shares.admit(one), None);

        shares.machine = machine(&["!a", "b"]);
        shares.look_at_gpus();
        shares.trust_gpus(first);
        assert_eq!(shares.admit(one), Some(Ticket(2)));
        assert_eq!(shares.slots(1).into_iter().map(|slot| slot.id).collect::<Vec<_>>(), ["b"]);
        shares.suspect_gpus(second, 3);
        shares.trust_gpus(second);
        assert_eq!(shares.gpus().holders().count(), 1);
    }

    #[test]
    fn several_lost_devices_are_named() {
        let gpus = machine(&["!0", "1", "!2", "!3"]).gpus().unwrap();
        let text = lost(&gpus);
        let since = text.strip_prefix(" (GPUs 0, 2 and 3 have been lost since ");
        let date = since.and_then(|text| text.strip_suffix(": `nvidia-smi` no longer names them)"));
        // Depends on the time zone.
        assert!(date.is_some_and(|date| ["1970-01-01 ", "1969-12-31 "].contains(&&date[..11])), "{text}");
    }
}
