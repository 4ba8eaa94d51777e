//! Trees on systems without `/proc`: the process group of the main process, as a best effort. Members that leave it are
//! not found.

use rustix::process::{Pid, Signal};

use super::Member;

/// Sends a signal to every member.
pub(crate) fn signal(of: Member, _: &[Member], signal: Signal) {
    if let Some(group) = group(of) {
        let _ = rustix::process::kill_process_group(group, signal);
    }
}

/// Returns whether no process of it remains.
pub(crate) fn is_empty(of: Member, _: &[Member]) -> bool {
    group(of).is_none_or(|group| rustix::process::test_kill_process_group(group).is_err())
}

fn group(of: Member) -> Option<Pid> {
    Pid::from_raw(i32::try_from(of.main).ok()?)
}
