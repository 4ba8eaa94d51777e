//! The supervisor that a failed test leaves behind, with all its commands.

use fanlight_shared::home::Home;
use fanlight_shared::testing::happens;
use rustix::process::{Pid, Signal, kill_process};

/// Ends the supervisor of a home, which takes its commands with it, and waits until it is gone. Never panics, because the
/// test may have failed.
pub(crate) fn end_supervisor(home: &Home) {
    let folder = home.supervisor().display().to_string();
    let found = supervisors(&folder);
    for pid in &found {
        let _ = kill_process(*pid, Signal::TERM);
    }
    let _ = found.is_empty() || happens(|| supervisors(&folder).is_empty());
}

/// Returns the supervisors with this folder.
fn supervisors(folder: &str) -> Vec<Pid> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|it| it.file_name().to_str()?.parse().ok());
    let is_one = |number: &i32| {
        let line = std::fs::read(format!("/proc/{number}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let mut words = line.split('\0');
        words.nth(1) == Some("supervisor") && words.any(|word| word == folder)
    };
    numbers.filter(is_one).filter_map(Pid::from_raw).collect()
}
