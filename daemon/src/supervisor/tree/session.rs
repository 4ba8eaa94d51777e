//! Trees without cgroups: descendants of the supervisor, distinguished by parents, token and session.

use std::collections::{HashMap, HashSet};

use fanlight_shared::id::AttemptId;
use rustix::process::Signal;

use super::Member;
use super::table::{self, Process};

/// Sends a signal to every member.
pub(crate) fn signal(of: Member, all: &[Member], signal: Signal) {
    let table = table::all();
    for process in members(of, all, &table, std::process::id(), table::token) {
        table::signal(&process, signal);
    }
}

/// Returns whether no process of it remains.
pub(crate) fn is_empty(of: Member, all: &[Member]) -> bool {
    let own = std::process::id();
    // The usual case, without looking at every process: a process that lost its parent is a child of the supervisor, so
    // if all its children are main processes, there is nothing else.
    if let Ok(children) = std::fs::read_to_string(format!("/proc/self/task/{own}/children")) {
        let mains: HashSet<u32> = all.iter().map(|member| member.main).collect();
        let mut pids = children.split_ascii_whitespace().filter_map(|pid| pid.parse::<u32>().ok());
        if pids.all(|pid| pid != of.main && mains.contains(&pid)) {
            return true;
        }
    }
    let table = table::all();
    members(of, all, &table, own, table::token).is_empty()
}

/// Returns the members of an attempt's tree among the descendants of the supervisor.
fn members(
    of: Member,
    all: &[Member],
    table: &HashMap<u32, Process>,
    supervisor: u32,
    token: impl Fn(u32) -> Option<AttemptId>,
) -> Vec<Process> {
    let mains: HashMap<u32, AttemptId> = all.iter().map(|member| (member.main, member.id)).collect();
    let known: HashSet<AttemptId> = mains.values().copied().collect();
    // The nearest ancestor with a known owner decides: a main process, a token, or a session.
    let owner = |process: &Process| {
        let mut at = *process;
        for _ in 0..table.len() {
            let by_token = || token(at.pid).filter(|id| known.contains(id));
            let by_session = || mains.get(&at.session).copied();
            if let Some(id) = mains.get(&at.pid).copied().or_else(by_token).or_else(by_session) {
                return Some(id);
            }
            if at.parent == supervisor {
                return None;
            }
            at = *table.get(&at.parent)?;
        }
        None
    };
    let descends = |process: &Process| {
        let mut at = process.parent;
        for _ in 0..table.len() {
            if at == supervisor {
                return true;
            }
            match table.get(&at) {
                Some(parent) if parent.parent != 0 => at = parent.parent,
                _ => return false,
            }
        }
        false
    };
    let alone = all.len() == 1;
    let belongs = |process: &&Process| match owner(process) {
        Some(id) => id == of.id,
        None => alone,
    };
    table.values().filter(|process| descends(process)).filter(belongs).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SUPERVISOR: u32 = 10;

    struct Story {
        table: HashMap<u32, Process>,
        tokens: HashMap<u32, AttemptId>,
        all: Vec<Member>,
    }

    impl Story {
        fn new(mains: &[u32]) -> Self {
            let all: Vec<_> = mains.iter().map(|main| Member { id: AttemptId::new(), main: *main }).collect();
            let mut story = Self { table: HashMap::new(), tokens: HashMap::new(), all };
            story.process(1, 0, 1).process(SUPERVISOR, 1, SUPERVISOR);
            story
        }
        fn process(&mut self, pid: u32, parent: u32, session: u32) -> &mut Self {
            self.table.insert(pid, Process { pid, parent, session, start: 1 });
            self
        }
        fn token(&mut self, pid: u32, attempt: usize) -> &mut Self {
            self.tokens.insert(pid, self.all[attempt].id);
            self
        }
        fn members(&self, attempt: usize) -> Vec<u32> {
            let token = |pid| self.tokens.get(&pid).copied();
            let found = members(self.all[attempt], &self.all, &self.table, SUPERVISOR, token);
            let mut pids: Vec<u32> = found.iter().map(|process| process.pid).collect();
            pids.sort_unstable();
            pids
        }
    }

    #[test]
    fn descendants_orphans_and_daemons_are_found() {
        let mut story = Story::new(&[20, 30]);
        story.process(20, SUPERVISOR, 20).process(21, 20, 20).process(22, 21, 22);
        story.process(30, SUPERVISOR, 30).process(31, 30, 30);
        // An orphan in the session of its main, a daemon with its token, and a child of that without either.
        story.process(23, SUPERVISOR, 20).process(24, SUPERVISOR, 24).token(24, 0).process(25, 24, 25);
        assert_eq!(story.members(0), [20, 21, 22, 23, 24, 25]);
        assert_eq!(story.members(1), [30, 31]);
    }

    #[test]
    fn unrelated_processes_are_left_alone() {
        let mut story = Story::new(&[20]);
        // The main process is gone, and an unrelated process has a session with its number and even the token.
        story.process(20, 1, 20).token(20, 0).process(40, 1, 40).process(41, 40, 20);
        assert_eq!(story.members(0), Vec::<u32>::new());
    }

    #[test]
    fn a_fully_detached_process_is_found_if_one_attempt_is_left() {
        let mut story = Story::new(&[20, 30]);
        story.process(50, SUPERVISOR, 50).process(30, SUPERVISOR, 30);
        assert_eq!(story.members(0), Vec::<u32>::new());
        story.all.pop();
        assert_eq!(story.members(0), [30, 50]);
    }
}
