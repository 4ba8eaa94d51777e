//! The load of the GPUs of this machine.

use std::time::Duration;

use fanlight_shared::resources::GpuSlot;
use fanlight_shared::sanitise;

use super::{PROGRAM, Refusal, query};

/// How long `nvidia-smi` may take. It is asked every few seconds, so a slow one is not waited for.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The load of a GPU, with that of all processes that use it.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct GpuLoad {
    index: String,
    uuid: String,
    /// The share of the time in which it computes, in percent.
    pub(crate) percent: Option<f64>,
    /// Its memory that is used, in MiB.
    pub(crate) memory_mib: Option<f64>,
}

impl GpuLoad {
    /// Returns the loads of all GPUs.
    ///
    /// # Errors
    /// Why the system can't name them.
    pub(crate) fn of_all() -> Result<Vec<Self>, String> {
        match query(PROGRAM, None, "index,uuid,utilization.gpu,memory.used", TIMEOUT) {
            Ok(None) => Ok(Vec::new()),
            // It fails if one device is lost; the others have a load.
            Ok(Some(answer)) => match parse(&answer.text) {
                (loads, _) if answer.failed && !loads.is_empty() => Ok(loads),
                (_, Some(line)) => {
                    Err(format!("`{PROGRAM}` said something unexpected: {}", sanitise::line(line)))
                }
                (_, None) if answer.failed => Err(format!("`{PROGRAM}` failed")),
                (loads, None) => Ok(loads),
            },
            Err(Refusal::Silent(why) | Refusal::Failed(why)) => Err(why),
        }
    }

    /// Returns whether a slot is a part of this GPU.
    pub(crate) fn is_of(&self, slot: &GpuSlot) -> bool {
        match &slot.uuid {
            Some(uuid) => *uuid == self.uuid,
            None => slot.id == self.index || self.uuid == slot.id,
        }
    }
}

/// Reads lines of index, id, load and memory. What a GPU doesn't measure is `[N/A]`. Returns also the first line that is different.
fn parse(text: &str) -> (Vec<GpuLoad>, Option<&str>) {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|it| it.is_finite() && *it >= 0.0);
    let load = |line: &str| {
        let mut fields = line.split(',').map(str::trim);
        let (index, uuid) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        let (percent, memory_mib) = (number(fields.next()?), number(fields.next()?));
        index.parse::<u32>().is_ok().then_some(GpuLoad { index, uuid, percent, memory_mib })
    };
    let lines = || text.lines().filter(|line| !line.trim().is_empty());
    (lines().filter_map(load).collect(), lines().find(|line| load(line).is_none()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_read_and_what_is_not_measured_is_left_out() {
        let loads = parse("0, GPU-a, 37, 1024\n1, GPU-b, [N/A], [Not Supported]\n").0;
        assert_eq!((loads[0].percent, loads[0].memory_mib), (Some(37.0), Some(1024.0)));
        assert_eq!((loads[1].percent, loads[1].memory_mib), (None, None));
        let (loads_left, other) = parse("GPU 0 is lost\n1, GPU-b, 5, 6\n");
        assert_eq!((loads_left.len(), other), (1, Some("GPU 0 is lost")));
        let slot = |id: &str, uuid: Option<&str>| GpuSlot {
            id: id.into(),
            uuid: uuid.map(Into::into),
            name: None,
            part: 1000,
        };
        assert!(loads[1].is_of(&slot("0", Some("GPU-b"))) && loads[1].is_of(&slot("1", None)));
        assert!(!loads[0].is_of(&slot("1", None)));
    }
}
