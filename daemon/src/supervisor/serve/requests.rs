//! Serving requests.

use std::time::Instant;

use fanlight_shared::id::AttemptId;
use fanlight_shared::time::Time;

use super::super::attempt::Running;
use super::super::frame;
use super::super::ledger::Entry;
use super::super::message::{Reply, Request};
use super::super::peer::Peer;
use super::super::process::{self, Started};
use super::super::record::AttemptState;
use super::super::spec::StartSpec;
use super::super::tree::Tree;
use super::Server;

/// The most that is read of an earlier client before a new one is greeted, in bytes: more than a socket holds.
const MAX_UNREAD: usize = 8 << 20;
/// The most attempts in a frame of a list.
const LIST: usize = 1000;

impl Server {
    /// Serves a request.
    pub(super) fn serve(&mut self, index: usize, request: Request, now: Instant) {
        match request {
            Request::Hello { .. } => {
                self.catch_up(index, now);
                let reply = Reply::Hello {
                    version: frame::VERSION,
                    build: super::super::client::BUILD.to_owned(),
                    trees: self.boot.trees.holds(),
                    running: u32::try_from(self.running.len()).unwrap_or(u32::MAX),
                    pid: std::process::id(),
                };
                self.send(index, &reply);
            }
            Request::Start { request, spec } => {
                let reply = match self.state(spec.id) {
                    Some(state) => Reply::Started { request, known: true, state },
                    // A client that gets no response asks again, and then the next supervisor responds.
                    None if self.leaves_with_its_folder() || self.leaving => return self.drop_peer(index),
                    None => match self.start(&spec) {
                        Ok(state) => Reply::Started { request, known: false, state },
                        Err(why) => Reply::NotStarted { request, why },
                    },
                };
                self.send(index, &reply);
            }
            Request::State { request, id } => {
                let states = self.state(id).into_iter().collect();
                self.send(index, &Reply::Attempts { request, last: true, states });
            }
            Request::List { request } => self.list(index, request),
            Request::Stop { request, id, grace } => {
                let all = self.members();
                let attempt = self.running.get_mut(&id);
                let yes = attempt.is_some();
                if let Some(attempt) = attempt {
                    attempt.stop(grace, &all, now);
                }
                self.send(index, &Reply::Done { request, yes });
            }
            Request::Forget { request, id } => {
                let yes = self.over.remove(&id).is_some();
                if yes {
                    self.boot.ledger.forget(id);
                    self.secrets.remove(&id);
                }
                self.send(index, &Reply::Done { request, yes });
            }
            Request::Secrets { request, id } => {
                let secrets = self.secrets.get(&id).cloned().unwrap_or_default();
                self.send(index, &Reply::Secrets { request, secrets });
            }
            Request::Shutdown { request } => {
                let yes = self.running.is_empty() && self.boot.ledger.write_ends();
                self.leaving |= yes;
                self.send(index, &Reply::Done { request, yes });
            }
        }
    }

    /// Serves the requests that other clients sent before this one connected: a long request of a dead daemon may still
    /// be in its socket, and the next daemon must not learn that a command never started when it starts after that.
    fn catch_up(&mut self, newcomer: usize, now: Instant) {
        for index in 0..self.peers.len() {
            let is_earlier = |it: &Peer| index != newcomer && it.is_greeted();
            let mut read = 0;
            while self.peers.get(index).is_some_and(is_earlier) && read <= MAX_UNREAD {
                while let Some(request) = self.peers.get_mut(index).and_then(Peer::next) {
                    self.serve(index, request, now);
                }
                let Some(length) = self.peers.get_mut(index).and_then(|it| it.receive(&mut self.buffer))
                else {
                    break;
                };
                read += length;
            }
        }
    }

    fn drop_peer(&mut self, index: usize) {
        if let Some(peer) = self.peers.get_mut(index) {
            peer.gone = true;
        }
    }

    fn send(&mut self, index: usize, reply: &Reply) {
        if let Some(peer) = self.peers.get_mut(index) {
            peer.send(reply);
        }
    }

    fn state(&self, id: AttemptId) -> Option<AttemptState> {
        self.running.get(&id).map(Running::state).or_else(|| self.over.get(&id).copied())
    }

    fn list(&mut self, index: usize, request: u32) {
        let mut states: Vec<_> = self.running.values().map(Running::state).collect();
        states.extend(self.over.values());
        states.sort_unstable_by_key(|state| state.id);
        let parts = states.len().div_ceil(LIST).max(1);
        for part in 0..parts {
            let states = states.iter().skip(part * LIST).take(LIST).copied().collect();
            self.send(index, &Reply::Attempts { request, last: part + 1 == parts, states });
        }
    }

    /// Starts a command that is not known yet.
    fn start(&mut self, spec: &StartSpec) -> Result<AttemptState, String> {
        if !spec.folder.is_absolute() || !spec.folder.is_dir() {
            return Err(format!("the attempt's folder `{}` is missing", spec.folder.display()));
        }
        let mut tree = self
            .boot
            .trees
            .create_tree(spec.id)
            .map_err(|error| format!("no cgroup can be created for the command: {error}"))?;
        let started = Time::now();
        match self.launch(spec, &tree, started) {
            Ok(process) => {
                tree.close();
                let attempt = Running::new(spec, tree, process, started);
                let state = attempt.state();
                if !spec.secrets.is_empty() {
                    self.secrets.insert(spec.id, spec.secrets.clone());
                }
                self.running.insert(spec.id, attempt);
                Ok(state)
            }
            Err(why) => {
                self.boot.ledger.forget(spec.id);
                discard(&tree);
                Err(why)
            }
        }
    }

    fn launch(&mut self, spec: &StartSpec, tree: &Tree, started: Time) -> Result<Started, String> {
        let entry = Entry {
            id: spec.id,
            boot: self.boot_id.clone(),
            folder: spec.folder.clone(),
            cgroup: tree.cgroup().map(Into::into),
            started,
            main: None,
            exit: None,
            lost: false,
        };
        self.boot
            .ledger
            .plan(&entry)
            .map_err(|error| format!("the command can't be recorded before it starts: {error}"))?;
        let process = process::start(spec, tree, self.boot.inherited)?;
        // Without this record, a lost tree is still found by its cgroup or token; with a cgroup the start time isn't
        // needed.
        let start = if entry.cgroup.is_some() { 0 } else { start_ticks(process.pid) };
        let _ = self.boot.ledger.main(spec.id, process.pid, start);
        Ok(process)
    }
}

/// Removes the tree of a command that didn't start: its only member is the child that ends now.
fn discard(tree: &Tree) {
    #[cfg(target_os = "linux")]
    if let Tree::Cgroup(cgroup) = tree {
        cgroup.end(std::time::Duration::from_secs(1));
    }
    #[cfg(not(target_os = "linux"))]
    let _ = tree;
}

fn start_ticks(pid: u32) -> u64 {
    #[cfg(target_os = "linux")]
    return super::super::tree::table::process(pid).map_or(0, |process| process.start);
    #[cfg(not(target_os = "linux"))]
    {
        let _ = pid;
        0
    }
}
