//! GPUs as slots with identity: whole ones, and parts of one by its memory.

use std::collections::BTreeSet;

use fanlight_shared::resources::{GPU_PARTS, GpuSlot, Gpus};
use fanlight_shared::time::Time;

use super::shares::Capacity;
use crate::machine::Gpu;

/// What is free of each GPU.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct FreeGpus(Vec<Device>);

/// What is free of one.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Device {
    /// In thousandths. It may be negative: attempts adopted at startup take theirs without waiting.
    free: i64,
    /// Whether the system no longer names it, so that nobody gets a part of it.
    lost: bool,
}

impl Device {
    /// Returns what may be given to others.
    fn usable(self) -> i64 {
        if self.lost { 0 } else { self.free }
    }
}

/// Parts of GPUs, by their place in the list.
pub(super) type Parts = Vec<(usize, u32)>;

impl FreeGpus {
    /// Takes over which devices there are. Those that are new are free; the others keep their places.
    pub(super) fn set(&mut self, gpus: &[Gpu]) {
        self.0.resize(gpus.len().max(self.0.len()), Device { free: GPU_PARTS.into(), lost: false });
        self.0.iter_mut().zip(gpus).for_each(|(device, gpu)| device.lost = gpu.lost.is_some());
    }

    /// Returns what is asked for, and how much of that is free, for people.
    pub(super) fn wait(&self, need: Gpus) -> String {
        let least = least(need);
        let all = self.0.iter().filter(|device| !device.lost).count();
        let free = self.0.iter().filter(|device| device.usable() >= least).count();
        let enough = match need {
            Gpus::Part(_) if free == 1 => " has this much free",
            Gpus::Part(_) => " have this much free",
            _ if free == 1 => " is free",
            _ => " are free",
        };
        format!("waits for {}: {free} of {all}{enough}", need.shown())
    }
}

/// Returns which devices are lost, and since when all of them are, for people; nothing if none is.
pub(super) fn lost(gpus: &[Gpu]) -> String {
    let lost = gpus.iter().filter(|gpu| gpu.lost.is_some()).map(|gpu| gpu.id.as_str()).collect();
    let since = gpus.iter().filter_map(|gpu| gpu.lost).max().map(minute).unwrap_or_default();
    match listed(lost) {
        None => String::new(),
        Some((one, false)) => {
            format!(" ({one} has been lost since {since}: `nvidia-smi` no longer names it)")
        }
        Some((several, true)) => {
            format!(" ({several} have been lost since {since}: `nvidia-smi` no longer names them)")
        }
    }
}

/// Returns of which devices it is not known whether they are lost, for people; nothing if there is none.
pub(super) fn asked_for<'a>(parts: impl Iterator<Item = &'a (usize, u32)>, gpus: &[Gpu]) -> String {
    let places: BTreeSet<usize> = parts.map(|(at, _)| *at).collect();
    let known = places.into_iter().filter_map(|at| gpus.get(at)).filter(|gpu| gpu.lost.is_none());
    match listed(known.map(|gpu| gpu.id.as_str()).collect()) {
        None => String::new(),
        Some((gpus, several)) => {
            let is_lost = if several { "they are lost" } else { "it is lost" };
            format!(" (an attempt with {gpus} failed: `nvidia-smi` is asked whether {is_lost})")
        }
    }
}

/// Returns devices for people, and whether there are several; `None` if there is none.
fn listed(mut ids: Vec<&str>) -> Option<(String, bool)> {
    let last = ids.pop()?;
    Some(match ids.as_slice() {
        [] => (format!("GPU {last}"), false),
        _ => (format!("GPUs {} and {last}", ids.join(", ")), true),
    })
}

/// Returns a time to the minute, on the clock of this machine.
fn minute(time: Time) -> String {
    let zoned = jiff::Timestamp::from_millisecond(time.0).map(|it| it.to_zoned(jiff::tz::TimeZone::system()));
    zoned.map(|it| it.strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}

/// Returns what must be free of each device.
fn least(need: Gpus) -> i64 {
    match need {
        Gpus::Part(part) => part.into(),
        Gpus::None | Gpus::Whole(_) => GPU_PARTS.into(),
    }
}

/// Returns the parts of these GPUs that an earlier daemon gave; devices that are not named are left out.
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
        let free = self.0.iter().map(|device| device.usable()).enumerate();
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
            if let Some(device) = self.0.get_mut(*at) {
                device.free -= i64::from(*part);
            }
        }
    }

    fn put(&mut self, parts: &Parts) {
        for (at, part) in parts {
            if let Some(device) = self.0.get_mut(*at) {
                device.free += i64::from(*part);
            }
        }
    }

    fn choose(&self, need: Gpus, before: Option<&Vec<usize>>) -> Vec<usize> {
        let is_whole = |at: usize| self.0[at].free >= i64::from(GPU_PARTS);
        let was_kept = |at: usize| before.is_some_and(|before| before.contains(&at));
        let mut order: Vec<usize> = (0..self.0.len()).filter(|at| !self.0[*at].lost).collect();
        // Nothing is kept for a need that can only be met when a lost device returns.
        if order.len() < need.devices() {
            return Vec::new();
        }
        // Those with the most room probably become free first.
        order.sort_by_key(|at| (!is_whole(*at), !was_kept(*at), std::cmp::Reverse(self.0[*at].free), *at));
        order.truncate(need.devices());
        order
    }

    fn keep(&mut self, kept: &Vec<usize>) {
        for at in kept {
            if let Some(device) = self.0.get_mut(*at) {
                device.free = device.free.min(0);
            }
        }
    }
}
