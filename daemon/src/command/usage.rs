//! The use of the processor, the memory and the disk by running commands, and the load of their GPUs, as metrics of
//! their attempts.
//!
//! One task samples all commands together, and ends with the last of them, so nothing wakes while nothing runs. The
//! processes of a command are those of its session.

mod gpus;

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fanlight_shared::metric::SYSTEM;
use fanlight_shared::resources::GpuSlot;
use fanlight_shared::time::Time;

use crate::machine::GpuLoad;
use crate::recorder::Recorder;
use crate::series::Measurement;

/// How often commands are sampled at first. One that ends sooner has no such metrics.
pub(super) const SAMPLE_INTERVAL: Duration = Duration::from_secs(2);
/// How often they are sampled later, and when that is.
const LONG_INTERVAL: Duration = Duration::from_secs(10);
const LONG_AFTER: Duration = Duration::from_secs(60);

const MIB: f64 = 1024.0 * 1024.0;
/// The unit of processor times in `/proc`, in parts of a second: a constant of Linux's interface.
const TICKS_PER_SECOND: f64 = 100.0;

/// Samples running commands; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Usage {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    next: u64,
    watched: HashMap<u64, Watched>,
    /// Whether the task runs.
    sampling: bool,
    gpus: gpus::Asking,
}

/// A command that is sampled.
struct Watched {
    session: u32,
    /// The GPUs, or parts of them, that it has.
    gpus: Vec<GpuSlot>,
    /// When its attempt started: the same for a later daemon, so that its steps continue.
    started: Time,
    recorder: Recorder,
    before: Option<(Instant, Totals)>,
}

/// What the processes of a session used since they started, and their memory.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
struct Totals {
    cpu_ticks: u64,
    memory_bytes: u64,
    read_bytes: u64,
    written_bytes: u64,
}

/// Ends the sampling of a command when dropped.
pub(super) struct Sampled {
    usage: Usage,
    number: u64,
}

impl Drop for Sampled {
    fn drop(&mut self) {
        self.usage.state().watched.remove(&self.number);
    }
}

impl Usage {
    /// Locks it. Every change leaves the state whole, so a poisoned lock is harmless.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Samples the command whose main process this is.
    pub(super) fn watch(
        &self,
        session: u32,
        started: Time,
        gpus: Vec<GpuSlot>,
        recorder: Recorder,
    ) -> Sampled {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.watched.insert(number, Watched { session, gpus, started, recorder, before: None });
        if !std::mem::replace(&mut state.sampling, true) {
            let usage = self.clone();
            tokio::spawn(async move {
                while usage.goes_on() {
                    let sampled = usage.clone();
                    let _ = tokio::task::spawn_blocking(move || sampled.sample()).await;
                    tokio::time::sleep(SAMPLE_INTERVAL).await;
                }
            });
        }
        Sampled { usage: self.clone(), number }
    }

    /// Returns whether a command is sampled; otherwise the task ends.
    fn goes_on(&self) -> bool {
        let mut state = self.state();
        state.sampling = !state.watched.is_empty();
        state.sampling
    }

    fn sample(&self) {
        let (at, now) = (Instant::now(), Time::now());
        let mut used: HashMap<u32, Totals> = {
            let state = self.state();
            let due = state.watched.values().filter(|watched| watched.is_due(at, now));
            due.map(|watched| (watched.session, Totals::default())).collect()
        };
        if used.is_empty() {
            return;
        }
        add_processes(&mut used);
        let loads = self.loads(at, now);
        for watched in self.state().watched.values_mut().filter(|watched| watched.is_due(at, now)) {
            let Some(totals) = used.get(&watched.session).filter(|it| **it != Totals::default()) else {
                continue;
            };
            let before = watched.before.replace((at, *totals));
            let step = now.since(watched.started).as_secs();
            let values = totals.values(before.map(|(then, before)| (at - then, before)));
            let values = values.into_iter().map(|(name, unit, value)| (name.to_owned(), unit, value));
            for (name, unit, value) in values.chain(gpus::values(&watched.gpus, &loads)) {
                let measured = Measurement {
                    name: format!("{SYSTEM}{name}"),
                    value,
                    unit: Some(unit.to_owned()),
                    step: Some(step),
                    at: Some(now),
                    goal: None,
                };
                // Its own metrics may have taken all names.
                let _ = watched.recorder.add(measured);
            }
        }
    }
}

impl Usage {
    /// Returns the loads of the GPUs, if a command that is due has any. Waits for `nvidia-smi`, without the lock.
    fn loads(&self, at: Instant, now: Time) -> Vec<GpuLoad> {
        let wanted = {
            let state = self.state();
            let due = || state.watched.values().filter(|watched| watched.is_due(at, now));
            state.gpus.is_due(at) && due().any(|watched| !watched.gpus.is_empty())
        };
        if !wanted {
            return Vec::new();
        }
        let loads = GpuLoad::of_all();
        self.state().gpus.asked(at, loads)
    }
}

impl Watched {
    fn is_due(&self, at: Instant, now: Time) -> bool {
        let is_long = now.since(self.started) > LONG_AFTER;
        // A sample may come a little early.
        let interval = if is_long { LONG_INTERVAL } else { SAMPLE_INTERVAL };
        self.before.is_none_or(|(then, _)| at.duration_since(then) + SAMPLE_INTERVAL / 2 > interval)
    }
}

impl Totals {
    /// Returns the metrics, with rates since an earlier sample.
    #[allow(clippy::cast_precision_loss)]
    fn values(&self, before: Option<(Duration, Self)>) -> Vec<(&'static str, &'static str, f64)> {
        let mut values = vec![("memory", "MiB", self.memory_bytes as f64 / MIB)];
        if let Some((passed, before)) = before {
            let rate = |now: u64, then: u64| now.saturating_sub(then) as f64 / passed.as_secs_f64().max(1e-3);
            values.extend([
                ("cpu", "%", rate(self.cpu_ticks, before.cpu_ticks) / TICKS_PER_SECOND * 100.0),
                ("read", "MiB/s", rate(self.read_bytes, before.read_bytes) / MIB),
                ("written", "MiB/s", rate(self.written_bytes, before.written_bytes) / MIB),
            ]);
        }
        values
    }
}

/// Adds the processes of these sessions, from `/proc`; elsewhere there are none.
fn add_processes(used: &mut HashMap<u32, Totals>) {
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read(format!("/proc/{pid}/stat")) else { continue };
        let Some((session, ticks)) = parse(&stat) else { continue };
        let Some(totals) = used.get_mut(&session) else { continue };
        totals.cpu_ticks += ticks;
        totals.memory_bytes += field(pid, "status", "VmRSS") * 1024;
        totals.read_bytes += field(pid, "io", "read_bytes");
        totals.written_bytes += field(pid, "io", "write_bytes");
    }
}

/// Returns a number of a file of a process; 0 if there is none.
fn field(pid: u32, file: &str, name: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    value.and_then(|value| value.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Returns the session of a process, and the ticks that it used, with its children that have ended.
fn parse(stat: &[u8]) -> Option<(u32, u64)> {
    // The name is in parentheses and may contain any byte, including parentheses.
    let after = stat.iter().rposition(|byte| *byte == b')')? + 2;
    let fields: Vec<&str> = std::str::from_utf8(stat.get(after..)?).ok()?.split_ascii_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
    let ticks = (11..=14).map(number).sum::<Option<u64>>()?;
    Some((u32::try_from(number(3)?).ok()?, ticks))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_a_process_include_those_of_its_children_that_ended() {
        let stat = b"42 (a) R 1 (b) S 7 42 40 0 -1 4194560 1 2 3 4 500 60 7 8 20 0 1 0 98765 1000 321 99";
        assert_eq!(parse(stat), Some((40, 575)));
        assert_eq!(parse(b"42 (x) S 7"), None);
    }

    #[test]
    fn the_first_sample_has_no_rates_and_a_process_that_is_gone_gives_no_negative_one() {
        let then = Totals { cpu_ticks: 1_000, memory_bytes: 256, read_bytes: 5 << 20, written_bytes: 0 };
        let now = Totals { cpu_ticks: 900, read_bytes: 9 << 20, ..then };
        assert_eq!(then.values(None).len(), 1);
        let values = now.values(Some((Duration::from_secs(2), then)));
        assert_eq!(values[1..], [("cpu", "%", 0.0), ("read", "MiB/s", 2.0), ("written", "MiB/s", 0.0)]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory() {
        // Its number as `/proc` has it: that of a session outside of this container is 0 there.
        let (session, _) = parse(&fs::read("/proc/self/stat").unwrap()).unwrap();
        let mut used = HashMap::from([(session, Totals::default())]);
        add_processes(&mut used);
        assert!(used[&session].memory_bytes > 0);
    }
}
