//! Recovery after a supervisor died: the remaining processes of its attempts are killed, and the attempts are lost.

use std::collections::HashSet;
use std::time::Duration;

use fanlight_shared::id::AttemptId;

use super::ledger::{Entry, Ledger};
use super::record::{self, AttemptState, Stage};

/// How long to wait for killed processes to end; one that hangs in the kernel for longer is ignored.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Ends the processes of earlier supervisors, and returns the state of their attempts.
pub(crate) fn recover(ledger: &mut Ledger, entries: &[Entry]) -> Vec<AttemptState> {
    let boot = record::boot_id().unwrap_or_default();
    let mut states = Vec::with_capacity(entries.len());
    let mut remaining = Vec::new();
    for entry in entries {
        // Nothing of another boot is alive, and process ids have been reused.
        let same = entry.boot == boot && !entry.lost;
        let exit = entry.exit.filter(|_| same);
        if same && exit.is_none() {
            remaining.push(entry.clone());
        }
        let log_end = exit.map_or_else(|| log_end(entry), |exit| exit.log_end);
        let pid = entry.main.map_or(0, |(pid, _)| pid);
        let stage = exit.map_or(Stage::Lost, Stage::Ended);
        states.push(AttemptState { id: entry.id, pid, started: entry.started, log_end, stage });
    }
    end(&remaining);
    for (entry, state) in entries.iter().zip(&states) {
        if state.stage == Stage::Lost && !entry.lost {
            ledger.lost(entry.id);
        }
    }
    states
}

fn log_end(entry: &Entry) -> u64 {
    super::log::read(&entry.folder, u64::MAX, 0).map_or(0, |part| part.end)
}

#[cfg(target_os = "linux")]
fn end(remaining: &[Entry]) {
    use std::time::Instant;

    use super::tree::cgroup::Cgroup;
    use super::tree::table;
    use rustix::process::Signal;

    let (held, free): (Vec<_>, Vec<_>) = remaining.iter().partition(|entry| entry.cgroup.is_some());
    for path in held.iter().filter_map(|entry| entry.cgroup.clone()) {
        Cgroup::found(path).end(TIMEOUT);
    }
    if free.is_empty() {
        return;
    }
    let until = Instant::now() + TIMEOUT;
    let mut sessions = HashSet::new();
    loop {
        let members = members(&free, &mut sessions);
        if members.is_empty() || Instant::now() > until {
            return;
        }
        for process in &members {
            table::signal(process, Signal::KILL);
        }
        // They aren't children of this supervisor, so it gets no signal when they end.
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Returns the processes that carry the token of one of these attempts, or have the session of one.
#[cfg(target_os = "linux")]
fn members(entries: &[&Entry], sessions: &mut HashSet<u32>) -> Vec<super::tree::table::Process> {
    use super::tree::table;

    let ids: HashSet<AttemptId> = entries.iter().map(|entry| entry.id).collect();
    let table = table::all();
    let mut members: Vec<_> = table
        .values()
        .filter(|it| table::token(it.pid).is_some_and(|id| ids.contains(&id)))
        .copied()
        .collect();
    // The number of a session isn't reused while it has a member, so one certain member (the main process by its start,
    // another by its token) identifies all.
    for (pid, start) in entries.iter().filter_map(|entry| entry.main) {
        let alive = table.get(&pid).is_some_and(|process| process.start == start);
        if alive || members.iter().any(|process| process.session == pid) {
            sessions.insert(pid);
        }
    }
    let known: HashSet<u32> = members.iter().map(|process| process.pid).collect();
    let more = table.values().filter(|it| sessions.contains(&it.session) && !known.contains(&it.pid));
    members.extend(more);
    members
}

#[cfg(not(target_os = "linux"))]
fn end(remaining: &[Entry]) {
    use super::tree::{Member, group};
    use rustix::process::Signal;

    for entry in remaining {
        if let Some((pid, _)) = entry.main {
            group::signal(Member { id: entry.id, main: pid }, &[], Signal::KILL);
        }
    }
}
