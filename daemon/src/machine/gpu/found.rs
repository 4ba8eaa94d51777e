//! The GPUs that the system has named. The list only grows: a device that the system no longer names is lost, and may return.
//! That includes those that an earlier daemon has found, unless the machine has as many devices as it had then.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fanlight_shared::time::Time;
use serde::{Deserialize, Serialize};

use super::Gpu;

/// What a daemon remembers for the next one.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub(super) struct Remembered {
    /// Those that it might use.
    pub(super) gpus: Vec<Gpu>,
    /// How many the machine had at once, with those that it might not use.
    pub(super) count: usize,
}

/// What the system names at one moment.
#[derive(Default)]
pub(super) struct Named {
    /// All devices of the machine.
    pub(super) all: Vec<Gpu>,
    /// Those that this daemon may use.
    pub(super) usable: Vec<Gpu>,
    /// Whether the machine has as many as it had under an earlier daemon, so that none is lost: some may have been replaced.
    pub(super) is_whole: bool,
    /// Why there may be more.
    pub(super) trouble: Option<String>,
}

/// What was found.
pub(super) struct Found {
    state: Mutex<State>,
    /// Held while the system is asked.
    asking: Mutex<()>,
}

struct State {
    /// `None` until the system has named them once.
    gpus: Option<Arc<[Gpu]>>,
    /// What an earlier daemon has found, until the system is asked.
    before: Vec<Gpu>,
    /// How many the system has named at once.
    count: usize,
    /// Why it did not name all at the last try.
    failure: Option<String>,
    /// How often it was asked.
    asked: u64,
}

impl Found {
    pub(super) const fn new() -> Self {
        let state = State { gpus: None, before: Vec::new(), count: 0, failure: None, asked: 0 };
        Self { state: Mutex::new(state), asking: Mutex::new(()) }
    }

    /// Every change leaves the state whole, so a poisoned lock is harmless.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over what an earlier daemon has found, unless the system was asked.
    pub(super) fn remember(&self, remembered: Remembered) {
        let mut state = self.state();
        if state.gpus.is_none() {
            (state.before, state.count) = (remembered.gpus, remembered.count);
        }
    }

    /// Returns what the next daemon is to know, if any device was found.
    pub(super) fn remembered(&self) -> Option<Remembered> {
        let state = self.state();
        let gpus = state.gpus.as_ref().filter(|gpus| !gpus.is_empty())?.to_vec();
        Some(Remembered { gpus, count: state.count })
    }

    /// Returns what was found; asks, until the system has named some. `ask` gets what is known, and how many devices
    /// would be all of the machine.
    ///
    /// # Errors
    /// Why it has named none yet.
    pub(super) fn find(
        &self,
        ask: impl FnOnce(&[Gpu], usize) -> Result<Named, String>,
    ) -> Result<Arc<[Gpu]>, String> {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().is_err() {
            self.ask(ask);
        }
        self.known()
    }

    /// Asks again for what was found, unless somebody else does so after this call.
    pub(super) fn look_again(&self, ask: impl FnOnce(&[Gpu], usize) -> Result<Named, String>) {
        let before = self.state().asked;
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().is_ok() && self.state().asked == before {
            self.ask(ask);
        }
    }

    fn ask(&self, ask: impl FnOnce(&[Gpu], usize) -> Result<Named, String>) {
        let (known, count) = {
            let mut state = self.state();
            state.asked += 1;
            // Later, what was found counts.
            let count = if state.gpus.is_none() { state.count } else { usize::MAX };
            (state.gpus.clone().unwrap_or_else(|| state.before.as_slice().into()), count)
        };
        let answer = ask(&known, count);
        let mut state = self.state();
        let (named, trouble) = match answer {
            Ok(mut named) => {
                let trouble = named.trouble.take();
                (Some(named), trouble)
            }
            // Runs that wait for those of an earlier daemon are not to fail.
            Err(why) if state.gpus.is_none() && !known.is_empty() => (Some(Named::default()), Some(why)),
            Err(why) => (None, Some(why)),
        };
        // It may be asked every few seconds.
        if let Some(why) = trouble.as_ref().filter(|why| state.failure.as_ref() != Some(*why)) {
            tracing::warn!("not all GPUs of this machine can be named: {why}");
        }
        state.failure = trouble;
        let Some(named) = named else { return };
        state.count = state.count.max(named.all.len());
        let now = if named.is_whole { named.usable } else { merge(&known, named) };
        if state.gpus.is_none() || *known != now[..] {
            state.gpus = Some(now.into());
        }
    }

    /// Returns what was found. Never blocks on the system. The list is the same one until it changes.
    ///
    /// # Errors
    /// Why the system has named none yet.
    pub(super) fn known(&self) -> Result<Arc<[Gpu]>, String> {
        let state = self.state();
        let failure = || state.failure.clone();
        let unknown = || failure().unwrap_or_else(|| "its GPUs have not been looked for".to_owned());
        state.gpus.clone().ok_or_else(unknown)
    }

    /// Returns why there may be more than were found. Never blocks on the system.
    pub(super) fn trouble(&self) -> Option<String> {
        let state = self.state();
        state.failure.clone().filter(|_| state.gpus.is_some())
    }
}

/// Returns the known devices in their order, and new ones. A number may be that of another device now.
fn merge(known: &[Gpu], named: Named) -> Vec<Gpu> {
    let now = |gpu: &Gpu| named.all.iter().find(|it| it.uuid == gpu.uuid).cloned();
    let lost = |gpu: &Gpu| Gpu { lost: gpu.lost.or_else(|| Some(Time::now())), ..gpu.clone() };
    let mut gpus: Vec<Gpu> = known.iter().map(|gpu| now(gpu).unwrap_or_else(|| lost(gpu))).collect();
    let is_new = |gpu: &Gpu| known.iter().all(|it| it.uuid != gpu.uuid);
    gpus.extend(named.usable.into_iter().filter(is_new));
    gpus
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gpu(id: &str, uuid: &str) -> Gpu {
        Gpu { id: id.to_owned(), uuid: Some(uuid.to_owned()), ..Gpu::default() }
    }

    fn named(all: &[Gpu]) -> Result<Named, String> {
        Ok(Named { all: all.to_vec(), usable: all.to_vec(), is_whole: false, trouble: None })
    }

    #[test]
    fn a_failure_is_not_kept_and_gpus_are() {
        let found = Found::new();
        let two = [gpu("0", "GPU-a"), gpu("1", "GPU-b")];
        assert!(found.known().unwrap_err().contains("not been looked for"));
        found.look_again(|_, _| panic!("nobody uses any"));
        assert_eq!(found.find(|_, _| Err("no driver yet".into())), Err("no driver yet".into()));
        assert_eq!(found.known(), Err("no driver yet".into()));
        // What is known is used, and the rest is looked for.
        let trouble = Some("a device is lost".to_owned());
        let one = |_: &[Gpu], _| {
            Ok(Named { all: vec![two[1].clone()], usable: vec![two[1].clone()], is_whole: false, trouble })
        };
        assert_eq!(found.find(one).unwrap()[..], two[1..]);
        assert_eq!(found.trouble().as_deref(), Some("a device is lost"));
        found.look_again(|_, _| named(&two));
        assert_eq!(found.trouble(), None);
        let gpus = found.known().unwrap();
        assert_eq!(gpus[..], [two[1].clone(), two[0].clone()]);
        assert!(Arc::ptr_eq(&found.find(|_, _| panic!("they are known")).unwrap(), &gpus));
        assert!(Arc::ptr_eq(&found.known().unwrap(), &gpus));
    }

    #[test]
    fn a_device_that_is_no_longer_named_is_lost_until_it_returns() {
        let found = Found::new();
        let two = [gpu("0", "GPU-a"), gpu("1", "GPU-b")];
        let before = found.find(|_, _| named(&two)).unwrap();
        found.look_again(|_, _| Err("no answer".into()));
        assert!(Arc::ptr_eq(&before, &found.known().unwrap()), "that says nothing about any");
        assert_eq!(found.trouble().as_deref(), Some("no answer"));
        // The driver counts again.
        found.look_again(|known, _| {
            assert_eq!(known, two);
            named(&[gpu("0", "GPU-b")])
        });
        let lost = found.known().unwrap()[0].lost;
        assert!(lost.is_some());
        let now = [Gpu { lost, ..two[0].clone() }, gpu("0", "GPU-b")];
        assert_eq!(found.known().unwrap()[..], now);
        found.look_again(|_, _| named(&now[1..]));
        assert_eq!(found.known().unwrap()[..], now, "since the same time");
        found.look_again(|_, _| named(&two));
        assert_eq!(found.known().unwrap()[..], two);
    }
    /// Returns what a daemon finds after one that remembered two devices, with the ids of those that are lost.
    fn after_two(answer: Result<Named, String>) -> (String, String) {
        let before = Found::new();
        before.find(|_, _| named(&[gpu("0", "GPU-a"), gpu("1", "GPU-b")])).unwrap();
        let found = Found::new();
        found.remember(before.remembered().unwrap());
        let gpus = found.find(|known, count| {
            assert_eq!((known.len(), count), (2, 2));
            answer
        });
        let gpus = gpus.unwrap();
        let ids = |lost: bool| {
            let uuids =
                gpus.iter().filter(|gpu| gpu.lost.is_some() == lost).filter_map(|it| it.uuid.as_deref());
            uuids.collect::<Vec<_>>().join(" ")
        };
        (ids(false), ids(true))
    }

    #[test]
    fn a_device_that_an_earlier_daemon_has_found_is_lost_unless_all_are_named() {
        let ids = |here: &str, lost: &str| (here.to_owned(), lost.to_owned());
        assert_eq!(after_two(named(&[gpu("0", "GPU-b")])), ids("GPU-b", "GPU-a"));
        assert_eq!(after_two(named(&[])), ids("", "GPU-a GPU-b"));
        assert_eq!(after_two(Err("no driver yet".into())), ids("", "GPU-a GPU-b"));
        // One was replaced.
        let two = [gpu("0", "GPU-b"), gpu("1", "GPU-c")];
        let whole = named(&two).map(|named| Named { is_whole: true, ..named });
        assert_eq!(after_two(whole), ids("GPU-b GPU-c", ""));
    }

    #[test]
    fn what_is_found_is_remembered_for_several_daemons() {
        let found = Found::new();
        assert_eq!(found.remembered(), None);
        found.find(|_, _| named(&[])).unwrap();
        assert_eq!(found.remembered(), None);
        found.look_again(|_, _| named(&[gpu("0", "GPU-a"), gpu("1", "GPU-b")]));
        found.look_again(|_, _| named(&[gpu("0", "GPU-b")]));
        let before = found.remembered().unwrap();
        assert_eq!((before.count, before.gpus[0].lost.is_some()), (2, true));
        let next = Found::new();
        next.remember(before.clone());
        next.find(|_, _| named(&[gpu("0", "GPU-b")])).unwrap();
        assert_eq!(next.remembered().as_ref(), Some(&before));
        next.remember(Remembered::default());
        assert_eq!(next.remembered(), Some(before), "it was asked already");
    }
}
