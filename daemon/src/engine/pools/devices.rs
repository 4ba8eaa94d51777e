//! The GPUs of the machine over time: which attempts have them, which are lost, and which may be.

use fanlight_shared::id::AttemptId;
use fanlight_shared::resources::{GpuSlot, Gpus};

use super::machine::Need;
use super::{OfRun, Pools, Resource};

impl<T: OfRun> Pools<T> {
    /// Returns the GPUs that an attempt has.
    pub(crate) fn slots(&self, who: T) -> Vec<GpuSlot> {
        self.machine.slots(who)
    }

    /// Takes over which GPUs are known, and which of them are lost; those that are back are given to waiters. Returns whether
    /// that has changed.
    pub(crate) fn look_at_gpus(&mut self) -> bool {
        let changed = self.machine.look_at_gpus();
        if changed {
            self.admit(&Resource::Machine(Need::Gpus(Gpus::None)));
        }
        changed
    }

    /// Keeps the GPUs of an attempt that has failed from others, although it leaves, until [`Pools::trust_gpus`].
    pub(crate) fn suspect_gpus(&mut self, attempt: AttemptId, who: T) {
        self.machine.suspect_gpus(attempt, who);
    }

    /// Gives the GPUs of an attempt that has failed to waiters, as far as they are not lost.
    pub(crate) fn trust_gpus(&mut self, attempt: AttemptId) {
        self.machine.trust_gpus(attempt);
        self.admit(&Resource::Machine(Need::Gpus(Gpus::None)));
    }

    /// Returns what the next daemon needs to know of the GPUs, if any were found.
    pub(crate) fn remembered_gpus(&self) -> Option<String> {
        self.machine.machine().remembered_gpus()
    }

    /// Returns whether a GPU is lost, or may be there that is not known.
    pub(crate) fn lacks_gpus(&self) -> bool {
        self.machine.lacks_gpus()
    }
}
