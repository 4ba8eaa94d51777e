//! The processes of this machine, from `/proc`.

use std::collections::HashMap;

use fanlight_shared::id::AttemptId;
use rustix::process::{Pid, PidfdFlags, Signal};

use super::super::spec::TOKEN;

/// One process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    pub(crate) session: u32,
    /// In clock ticks since the boot: with the process id, it identifies a process within this boot.
    pub(crate) start: u64,
}

/// Returns all living processes by id, without those that have ended and wait to be reaped.
pub(crate) fn all() -> HashMap<u32, Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return HashMap::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, process(pid)?))).collect()
}

/// Returns one living process.
pub(crate) fn process(pid: u32) -> Option<Process> {
    parse(pid, &std::fs::read(format!("/proc/{pid}/stat")).ok()?)
}

fn parse(pid: u32, stat: &[u8]) -> Option<Process> {
    // The name is in parentheses and may contain any byte, including parentheses.
    let after = stat.iter().rposition(|byte| *byte == b')')? + 2;
    let fields: Vec<&str> = std::str::from_utf8(stat.get(after..)?).ok()?.split_ascii_whitespace().collect();
    if matches!(*fields.first()?, "Z" | "X" | "x") {
        return None;
    }
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let small = |index: usize| u32::try_from(number(index)?).ok();
    Some(Process { pid, parent: small(1)?, session: small(3)?, start: number(19)? })
}

/// Returns the attempt in the environment of a process.
pub(crate) fn token(pid: u32) -> Option<AttemptId> {
    let environment = std::fs::read(format!("/proc/{pid}/environ")).ok()?;
    let value = environment.split(|byte| *byte == 0).find_map(|variable| {
        variable.strip_prefix(TOKEN.as_bytes()).and_then(|rest| rest.strip_prefix(b"="))
    })?;
    std::str::from_utf8(value).ok()?.parse().ok()
}

/// Sends a signal to exactly this process, never to one that got its id later.
pub(crate) fn signal(target: &Process, signal: Signal) {
    let Some(pid) = i32::try_from(target.pid).ok().and_then(Pid::from_raw) else { return };
    let Ok(handle) = rustix::process::pidfd_open(pid, PidfdFlags::empty()) else { return };
    if process(target.pid).is_some_and(|now| now.start == target.start) {
        let _ = rustix::process::pidfd_send_signal(handle, signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_process_may_look_like_fields() {
        let stat = b"42 (a) R 1 (b) S 7 42 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 10";
        assert_eq!(parse(42, stat), Some(Process { pid: 42, parent: 7, session: 40, start: 98765 }));
        assert_eq!(parse(42, b"42 (x) Z 7 42 40 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 9 0 0"), None);
        assert_eq!(parse(42, b"42 (x"), None);
    }

    #[test]
    fn this_process_is_in_the_table() {
        let own = std::process::id();
        assert_eq!(all().get(&own).copied(), process(own));
        assert!(process(own).is_some());
    }
}
