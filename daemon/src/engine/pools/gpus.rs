//! GPUs as slots with identity: whole ones, and parts of one by its memory.

use fanlight_shared::resources::{GPU_PARTS, GpuSlot, Gpus};

use super::shares::Capacity;
use crate::machine::Gpu;

/// What is free of each GPU, in thousandths. It may be negative: attempts adopted at startup take theirs without waiting.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct FreeGpus(Vec<i64>);

/// Parts of GPUs, by their place in the list.
pub(super) type Parts = Vec<(usize, u32)>;

impl FreeGpus {
    pub(super) fn all(count: usize) -> Self {
        Self(vec![GPU_PARTS.into(); count])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns what is asked for, and how much of that is free, for people.
    pub(super) fn wait(&self, need: Gpus) -> String {
        let (least, all) = (least(need), self.0.len());
        let free = self.0.iter().filter(|free| **free >= least).count();
        let enough = match need {
            Gpus::Part(_) if free == 1 => " has this much free",
            Gpus::Part(_) => " have this much free",
            _ if free == 1 => " is free",
            _ => " are free",
        };
        format!("waits for {}: {free} of {all}{enough}", need.shown())
    }
}

/// Returns what must be free of each device.
fn least(need: Gpus) -> i64 {
    match need {
        Gpus::Part(part) => part.into(),
        Gpus::None | Gpus::Whole(_) => GPU_PARTS.into(),
    }
}

/// Returns the parts of these GPUs that an earlier daemon gave; devices that are gone are left out.
pub(super) fn parts_of(slots: &[GpuSlot], gpus: &[Gpu]) -> Parts {
    let part = |slot: &GpuSlot| Some((gpus.iter().position(|gpu| gpu.has(slot))?, slot.part));
    slots.iter().filter_map(part).collect()
}

impl Capacity for FreeGpus {
    type Need = Gpus;
    type Part = Parts;
    /// Their places in the list.
    type Kept = Vec<usize>;

    fn find(&self, need: Gpus) -> Option<Parts> {
        let free = self.0.iter().copied().enumerate();
        match need {
            // The device with the least room, so that others stay whole.
            Gpus::Part(part) => {
                let fits = free.filter(|(_, free)| *free >= i64::from(part));
                let (at, _) = fits.min_by_key(|(at, free)| (*free, *at))?;
                Some(vec![(at, part)])
            }
            Gpus::None | Gpus::Whole(_) => {
                let whole = free.filter(|(_, free)| *free >= i64::from(GPU_PARTS));
                let parts: Parts = whole.take(need.devices()).map(|(at, _)| (at, GPU_PARTS)).collect();
                (parts.len() == need.devices()).then_some(parts)
            }
        }
    }

    fn take(&mut self, parts: &Parts) {
        for (at, part) in parts {
            if let Some(free) = self.0.get_mut(*at) {
                *free -= i64::from(*part);
            }
        }
    }

    fn put(&mut self, parts: &Parts) {
        for (at, part) in parts {
            if let Some(free) = self.0.get_mut(*at) {
                *free += i64::from(*part);
            }
        }
    }

    fn choose(&self, need: Gpus, before: Option<&Vec<usize>>) -> Vec<usize> {
        let is_whole = |at: usize| self.0[at] >= i64::from(GPU_PARTS);
        let was_kept = |at: usize| before.is_some_and(|before| before.contains(&at));
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        // Those with the most room probably become free first.
        order.sort_by_key(|at| (!is_whole(*at), !was_kept(*at), std::cmp::Reverse(self.0[*at]), *at));
        order.truncate(need.devices());
        order
    }

    fn keep(&mut self, kept: &Vec<usize>) {
        for at in kept {
            if let Some(free) = self.0.get_mut(*at) {
                *free = (*free).min(0);
            }
        }
    }
}
