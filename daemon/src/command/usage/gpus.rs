//! The load of the GPUs that a command has.

use std::time::{Duration, Instant};

use fanlight_shared::resources::GpuSlot;

use crate::machine::GpuLoad;

/// How long nobody is asked after a failure.
const PAUSE: Duration = Duration::from_secs(60);

/// Whether the system is asked for the load of its GPUs.
#[derive(Debug, Default)]
pub(super) struct Asking {
    failed: Option<Instant>,
}

impl Asking {
    /// Returns whether the system may be asked again.
    pub(super) fn is_due(&self, at: Instant) -> bool {
        self.failed.is_none_or(|failed| at.saturating_duration_since(failed) > PAUSE)
    }

    /// Takes the loads, or why there are none.
    pub(super) fn asked(&mut self, at: Instant, loads: Result<Vec<GpuLoad>, String>) -> Vec<GpuLoad> {
        self.failed = loads.is_err().then_some(at);
        loads.unwrap_or_else(|why| {
            tracing::warn!("the load of GPUs is not measured for a minute: {why}");
            Vec::new()
        })
    }
}

/// Returns the metrics of these GPUs: those of several are numbered from 0, in the order in which the command sees them.
pub(super) fn values(slots: &[GpuSlot], loads: &[GpuLoad]) -> Vec<(String, &'static str, f64)> {
    let mut values = Vec::new();
    for (number, slot) in slots.iter().enumerate() {
        let Some(load) = loads.iter().find(|load| load.is_of(slot)) else { continue };
        let name = |what: &str| if slots.len() == 1 { what.to_owned() } else { format!("{what}/{number}") };
        values.extend(load.percent.map(|percent| (name("gpu"), "%", percent)));
        values.extend(load.memory_mib.map(|memory| (name("gpu_memory"), "MiB", memory)));
    }
    values
}
