//! The GPUs that the system has named. The list only grows: a device that the system no longer names is lost, and may return.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Gpu;

/// What the system names at one moment.
pub(super) struct Named {
    /// All devices of the machine.
    pub(super) all: Vec<Gpu>,
    /// Those that this daemon may use.
    pub(super) usable: Vec<Gpu>,
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
    /// Why it did not name all at the last try.
    failure: Option<String>,
    /// How often it was asked.
    asked: u64,
}

impl Found {
    pub(super) const fn new() -> Self {
        let state = State { gpus: None, failure: None, asked: 0 };
        Self { state: Mutex::new(state), asking: Mutex::new(()) }
    }

    /// Every change leaves the state whole, so a poisoned lock is harmless.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what was found; asks, until the system has named some. `ask` gets what is known.
    ///
    /// # Errors
    /// Why it has named none yet.
    pub(super) fn find(
        &self,
        ask: impl FnOnce(&[Gpu]) -> Result<Named, String>,
    ) -> Result<Arc<[Gpu]>, String> {
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().is_err() {
            self.ask(ask);
        }
        self.known()
    }

    /// Asks again for what was found, unless somebody else does so after this call.
    pub(super) fn look_again(&self, ask: impl FnOnce(&[Gpu]) -> Result<Named, String>) {
        let before = self.state().asked;
        let _asking = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        if self.known().is_ok() && self.state().asked == before {
            self.ask(ask);
        }
    }

    fn ask(&self, ask: impl FnOnce(&[Gpu]) -> Result<Named, String>) {
        self.state().asked += 1;
        let known = self.known().unwrap_or_default();
        let answer = ask(&known);
        let mut state = self.state();
        let (named, trouble) = match answer {
            Ok(mut named) => {
                let trouble = named.trouble.take();
                (Some(named), trouble)
            }
            Err(why) => (None, Some(why)),
        };
        // It may be asked every few seconds.
        if let Some(why) = trouble.as_ref().filter(|why| state.failure.as_ref() != Some(*why)) {
            tracing::warn!("not all GPUs of this machine can be named: {why}");
        }
        state.failure = trouble;
        let Some(named) = named else { return };
        let now = merge(&known, named);
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
    let mut gpus: Vec<Gpu> =
        known.iter().map(|gpu| now(gpu).unwrap_or_else(|| Gpu { lost: true, ..gpu.clone() })).collect();
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
        Ok(Named { all: all.to_vec(), usable: all.to_vec(), trouble: None })
    }

    #[test]
    fn a_failure_is_not_kept_and_gpus_are() {
        let found = Found::new();
        let two = [gpu("0", "GPU-a"), gpu("1", "GPU-b")];
        assert!(found.known().unwrap_err().contains("not been looked for"));
        found.look_again(|_| panic!("nobody uses any"));
        assert_eq!(found.find(|_| Err("no driver yet".into())), Err("no driver yet".into()));
        assert_eq!(found.known(), Err("no driver yet".into()));
        // What is known is used, and the rest is looked for.
        let trouble = Some("a device is lost".to_owned());
        let one = |_: &[Gpu]| Ok(Named { all: vec![two[1].clone()], usable: vec![two[1].clone()], trouble });
        assert_eq!(found.find(one).unwrap()[..], two[1..]);
        assert_eq!(found.trouble().as_deref(), Some("a device is lost"));
        found.look_again(|_| named(&two));
        assert_eq!(found.trouble(), None);
        let gpus = found.known().unwrap();
        assert_eq!(gpus[..], [two[1].clone(), two[0].clone()]);
        assert!(Arc::ptr_eq(&found.find(|_| panic!("they are known")).unwrap(), &gpus));
        assert!(Arc::ptr_eq(&found.known().unwrap(), &gpus));
    }

    #[test]
    fn a_device_that_is_no_longer_named_is_lost_until_it_returns() {
        let found = Found::new();
        let two = [gpu("0", "GPU-a"), gpu("1", "GPU-b")];
        let before = found.find(|_| named(&two)).unwrap();
        found.look_again(|_| Err("no answer".into()));
        assert!(Arc::ptr_eq(&before, &found.known().unwrap()), "that says nothing about any");
        assert_eq!(found.trouble().as_deref(), Some("no answer"));
        // The driver counts again.
        found.look_again(|known| {
            assert_eq!(known, two);
            named(&[gpu("0", "GPU-b")])
        });
        assert_eq!(found.known().unwrap()[..], [Gpu { lost: true, ..two[0].clone() }, gpu("0", "GPU-b")]);
        found.look_again(|_| named(&two));
        assert_eq!(found.known().unwrap()[..], two);
    }
}
