//! The processes of a Fanlight: finds and kills them.

// Not every test binary uses all of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

use rustix::process::{Pid, Signal, kill_process};

use crate::alive::is_alive;
use crate::support::{Fanlight, wait_for};

/// Returns what `daemon status` says.
pub fn status(fanlight: &Fanlight) -> serde_json::Value {
    fanlight.say(&["daemon", "status", "--json"]).exits(0).json().remove(0)
}

/// Returns a number as a process.
pub fn pid(number: &serde_json::Value) -> Pid {
    Pid::from_raw(i32::try_from(number.as_i64().unwrap()).unwrap()).unwrap()
}

/// Returns the process of the daemon.
pub fn daemon(fanlight: &Fanlight) -> Pid {
    pid(&status(fanlight)["pid"])
}

/// Kills a process and waits until it is gone.
pub fn kill(pid: Pid) {
    kill_process(pid, Signal::KILL).unwrap();
    wait_for("the end of a killed process", || !is_alive(pid.as_raw_nonzero()));
}

/// Kills the daemon and waits until it is gone.
pub fn kill_daemon(fanlight: &Fanlight) {
    kill(daemon(fanlight));
}

/// Returns the helper processes of a daemon whose first argument is this word.
pub fn helpers(daemon: Option<Pid>, word: &str, needle: &str) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let numbers = processes.filter_map(|it| it.file_name().to_str()?.parse::<i32>().ok());
    let matches = |number: &i32| {
        let line = std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        let parent = std::fs::read_to_string(format!("/proc/{number}/stat")).unwrap_or_default();
        let parent =
            parent.rsplit(')').next().unwrap_or_default().split_whitespace().nth(1).map(str::to_owned);
        let child = daemon.is_none_or(|it| parent.as_deref() == Some(&it.as_raw_nonzero().to_string()));
        line.split('\0').nth(1) == Some(word) && line.contains(needle) && child
    };
    numbers.filter(matches).filter_map(Pid::from_raw).collect()
}

/// Returns the most memory that the daemon had resident, where the system says so.
pub fn peak_mib(fanlight: &Fanlight) -> Option<u64> {
    let status = format!("/proc/{}/status", daemon(fanlight).as_raw_nonzero());
    let status = std::fs::read_to_string(status).ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().trim_end_matches(" kB").parse::<u64>().ok()? >> 10)
}
