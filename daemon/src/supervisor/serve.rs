//! The loop: one thread that only waits for descriptors and deadlines, and sleeps when idle.

mod requests;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fanlight_shared::id::AttemptId;
use rustix::event::{PollFd, PollFlags, Timespec};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};

use super::attempt::{MAX_READ, Running};
use super::ledger::Ledger;
use super::message::Reply;
use super::peer::Peer;
use super::process::Inherited;
use super::record::{self, AttemptState, Stage};
use super::system;
use super::tree::{Member, Trees};
use crate::own_file::OwnFile;
use crate::secret::Secrets;

/// The most connected clients.
const MAX_PEERS: usize = 64;
/// How long the first client has to connect: the one that started it does so at once.
const FIRST_CLIENT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long no connections are accepted after descriptors ran out.
const ACCEPT_DELAY: Duration = Duration::from_millis(200);
/// How often ends of attempts that found no space on the disk are written again.
const WRITE_ENDS_INTERVAL: Duration = Duration::from_secs(1);
/// How many requests of one client are served before the others get their turn.
const REQUESTS: usize = 16;

/// Signals as a pollable descriptor.
#[derive(Debug)]
pub(crate) struct Signals {
    wake: UnixStream,
    terminate: Arc<AtomicBool>,
}

impl Signals {
    /// Takes over SIGCHLD and SIGTERM, and ignores SIGHUP and SIGINT; by handlers, which an exec resets.
    pub(crate) fn take() -> io::Result<Self> {
        let (wake, write) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        write.set_nonblocking(true)?;
        let terminate = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register(SIGTERM, Arc::clone(&terminate))?;
        signal_hook::low_level::pipe::register(SIGCHLD, write.try_clone()?)?;
        signal_hook::low_level::pipe::register(SIGTERM, write)?;
        for ignored in [SIGHUP, SIGINT] {
            signal_hook::flag::register(ignored, Arc::default())?;
        }
        Ok(Self { wake, terminate })
    }
}

/// The dependencies of [`Server::new`].
pub(crate) struct Boot {
    /// Held while the supervisor lives.
    pub(crate) lock: File,
    pub(crate) folder: OwnFile,
    pub(crate) socket: OwnFile,
    pub(crate) listener: UnixListener,
    pub(crate) signals: Signals,
    pub(crate) linger: Duration,
    pub(crate) trees: Trees,
    pub(crate) inherited: Inherited,
    pub(crate) ledger: Ledger,
    /// Attempts of earlier supervisors.
    pub(crate) past: Vec<AttemptState>,
}

/// The supervisor at work.
pub(crate) struct Server {
    boot: Boot,
    boot_id: String,
    running: BTreeMap<AttemptId, Running>,
    over: BTreeMap<AttemptId, AttemptState>,
    /// The secrets of attempts that are not forgotten; they are nowhere else but in the environments of the commands.
    secrets: BTreeMap<AttemptId, Secrets>,
    peers: Vec<Peer>,
    buffer: Vec<u8>,
    /// No connection is accepted before this.
    accept_after: Option<Instant>,
    /// When ends of attempts that found no space are written again.
    write_ends_at: Option<Instant>,
    /// The time since when there is nothing to do.
    idle_since: Option<Instant>,
    /// Whether it ends as soon as nothing is running and everything is sent.
    leaving: bool,
}

/// A source of events that became ready.
#[derive(Debug, Clone, Copy)]
enum Source {
    Signals,
    Listener,
    Peer(usize),
    Pipe(AttemptId, usize),
    Events(AttemptId),
}

impl Server {
    pub(crate) fn new(mut boot: Boot) -> Self {
        let over = std::mem::take(&mut boot.past).into_iter().map(|state| (state.id, state)).collect();
        Self {
            boot,
            boot_id: record::boot_id().unwrap_or_default(),
            running: BTreeMap::new(),
            over,
            secrets: BTreeMap::new(),
            peers: Vec::new(),
            buffer: vec![0; MAX_READ],
            accept_after: None,
            write_ends_at: None,
            idle_since: Some(Instant::now() + FIRST_CLIENT_TIMEOUT),
            leaving: false,
        }
    }

    /// Works until there is nothing more to do.
    pub(crate) fn run(mut self) {
        loop {
            let ready = self.wait();
            let now = Instant::now();
            for source in ready {
                match source {
                    Source::Signals => self.take_signals(now),
                    Source::Listener => self.accept(now),
                    Source::Peer(index) => self.receive(index),
                    Source::Pipe(id, stream) => self.pump(id, stream),
                    Source::Events(id) => self.check(id, now),
                }
            }
            self.answer(now);
            self.tick(now);
            for peer in &mut self.peers {
                peer.flush();
            }
            self.peers.retain(|peer| !peer.gone);
            if self.is_over(now) {
                break;
            }
        }
        self.boot.socket.remove();
        drop(self.boot.lock);
    }

    fn is_over(&mut self, now: Instant) -> bool {
        if !self.running.is_empty() {
            self.idle_since = None;
            return false;
        }
        if self.leaving {
            return true;
        }
        if !self.peers.is_empty() || self.boot.ledger.has_unwritten() {
            self.idle_since = None;
            return false;
        }
        if now < *self.idle_since.get_or_insert(now) + self.boot.linger {
            return false;
        }
        // A client that has connected in the meantime keeps it.
        self.accept(now);
        self.peers.is_empty()
    }

    /// Waits until something is ready or due.
    fn wait(&self) -> Vec<Source> {
        let watch = |source, fd, flags| (source, PollFd::from_borrowed_fd(fd, flags));
        let mut watched = vec![watch(Source::Signals, self.boot.signals.wake.as_fd(), PollFlags::IN)];
        // A client that connects while it is leaving waits for the next supervisor.
        if self.accept_after.is_none() && !self.leaving {
            watched.push(watch(Source::Listener, self.boot.listener.as_fd(), PollFlags::IN));
        }
        for (index, peer) in self.peers.iter().enumerate() {
            let flags = if peer.has_output() { PollFlags::IN | PollFlags::OUT } else { PollFlags::IN };
            watched.push(watch(Source::Peer(index), peer.stream.as_fd(), flags));
        }
        for (id, attempt) in &self.running {
            for (stream, pipe) in attempt.pipes.iter().enumerate() {
                if let Some(pipe) = pipe {
                    watched.push(watch(Source::Pipe(*id, stream), pipe.as_fd(), PollFlags::IN));
                }
            }
            if let Some(events) = &attempt.events {
                watched.push(watch(Source::Events(*id), events.as_fd(), PollFlags::PRI));
            }
        }
        let (sources, mut fds): (Vec<Source>, Vec<PollFd<'_>>) = watched.into_iter().unzip();
        let attempts = self.running.values().filter_map(Running::due).min();
        let lingers = self.idle_since.map(|since| since + self.boot.linger);
        let due = [attempts, self.accept_after, self.write_ends_at, lingers].into_iter().flatten().min();
        let mut timeout = due.map(|due| due.saturating_duration_since(Instant::now()));
        if self.peers.iter().any(Peer::has_more) {
            timeout = Some(Duration::ZERO);
        }
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) => {
                let ready = fds.iter().map(|fd| !fd.revents().is_empty());
                sources.into_iter().zip(ready).filter_map(|(source, ready)| ready.then_some(source)).collect()
            }
            // A signal: its pipe is readable.
            Err(_) => Vec::new(),
        }
    }

    fn take_signals(&mut self, now: Instant) {
        while matches!((&self.boot.signals.wake).read(&mut [0; 256]), Ok(256)) {}
        while let Some(reaped) = system::reap() {
            if let Some(attempt) = self.running.values_mut().find(|it| it.pid == reaped.pid && !it.ends()) {
                attempt.main_ended(reaped);
            }
        }
        let ending: Vec<_> = self.running.values().filter(|it| it.ends()).map(|it| it.id).collect();
        for id in ending {
            self.check(id, now);
        }
        if self.boot.signals.terminate.swap(false, Ordering::Relaxed) {
            self.leaving = true;
            let all = self.members();
            for attempt in self.running.values_mut() {
                attempt.abandon(&all, now);
            }
        }
    }

    fn members(&self) -> Vec<Member> {
        self.running.values().map(Running::member).collect()
    }

    fn accept(&mut self, now: Instant) {
        match self.boot.listener.accept() {
            Ok(_) if self.leaves_with_its_folder() => {}
            Ok((stream, _)) => {
                let own = rustix::process::geteuid().as_raw();
                let ours = system::peer_uid(stream.as_fd()).is_ok_and(|uid| uid == own);
                if ours && self.peers.len() < MAX_PEERS && stream.set_nonblocking(true).is_ok() {
                    self.peers.push(Peer::new(stream));
                }
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(_) => self.accept_after = Some(now + ACCEPT_DELAY),
        }
    }

    /// Returns whether the folder was removed. New clients and commands then belong to the one that replaced it: a
    /// supervisor of that folder takes over the socket. This one ends with its last command.
    fn leaves_with_its_folder(&mut self) -> bool {
        let gone = self.boot.folder.is_gone();
        if gone && !self.leaving {
            self.boot.socket.remove();
            self.leaving = true;
        }
        gone
    }

    fn receive(&mut self, index: usize) {
        if let Some(peer) = self.peers.get_mut(index) {
            peer.receive(&mut self.buffer);
        }
    }

    /// Serves the requests of clients, a few of each.
    fn answer(&mut self, now: Instant) {
        for index in 0..self.peers.len() {
            for _ in 0..REQUESTS {
                let Some(request) = self.peers.get_mut(index).and_then(Peer::next) else { break };
                self.serve(index, request, now);
            }
        }
    }

    fn pump(&mut self, id: AttemptId, stream: usize) {
        if let Some(attempt) = self.running.get_mut(&id) {
            attempt.pump(stream, &mut self.buffer);
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.accept_after.is_some_and(|after| now >= after) {
            self.accept_after = None;
        }
        let due = |attempt: &Running| attempt.due().is_some_and(|due| due <= now);
        let due: Vec<_> = self.running.values().filter(|it| due(it)).map(|it| it.id).collect();
        if !due.is_empty() {
            let all = self.members();
            for id in due {
                let acted = self.running.get_mut(&id).is_some_and(|attempt| attempt.tick(&all, now));
                if acted {
                    self.check(id, now);
                }
            }
        }
        let has_listeners = self.peers.iter().any(Peer::follows);
        for attempt in self.running.values_mut() {
            if let Some(end) = attempt.growth(now).filter(|_| has_listeners) {
                let notification = Reply::Grew { id: attempt.id, end };
                for peer in self.peers.iter_mut().filter(|peer| peer.follows()) {
                    peer.send(&notification);
                }
            }
        }
        if self.write_ends_at.is_some_and(|at| now >= at) {
            self.boot.ledger.write_ends();
        }
        self.write_ends_at = match self.write_ends_at {
            _ if !self.boot.ledger.has_unwritten() => None,
            Some(at) if now < at => Some(at),
            _ => Some(now + WRITE_ENDS_INTERVAL),
        };
    }

    /// If an attempt has ended, writes its record and notifies every client.
    fn check(&mut self, id: AttemptId, now: Instant) {
        let all = self.members();
        let Some(attempt) = self.running.get_mut(&id) else { return };
        if !attempt.check(&all, now) {
            return;
        }
        let (mut state, exit) = attempt.finish(&mut self.buffer);
        state.stage = match exit {
            // On a full disk clients are still notified; a supervisor that starts before there is space treats the
            // attempt as lost.
            Some(exit) => {
                self.boot.ledger.ended(id, &exit);
                Stage::Ended(exit)
            }
            None => {
                self.boot.ledger.lost(id);
                Stage::Lost
            }
        };
        self.running.remove(&id);
        self.over.insert(id, state);
        let notification = Reply::Ended { state };
        for peer in self.peers.iter_mut().filter(|peer| peer.is_greeted()) {
            peer.send(&notification);
        }
    }
}
