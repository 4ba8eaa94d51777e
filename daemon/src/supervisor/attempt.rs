//! One running attempt: its pipes, its files, and its end.
//!
//! When the main process has ended, the rest of its tree gets a moment to end by itself (a `tee` that still writes), then
//! TERM, and after the grace period KILL. Only when no process remains has the attempt ended. A stop begins with TERM.

use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use fanlight_shared::id::AttemptId;
use fanlight_shared::time::Time;
use rustix::process::Signal;

use super::log::{LogWriter, StdoutWriter, StreamTag};
use super::process::Started;
use super::record::{AttemptState, Exit, Stage};
use super::spec::StartSpec;
use super::system::Reaped;
use super::tree::{Member, Tree};
use crate::secret::MaskStream;

/// How long the rest of the tree may continue after the main process has ended.
const SETTLE_TIME: Duration = Duration::from_millis(200);
/// The least time between two notifications that a log has grown.
const NOTIFY_INTERVAL: Duration = Duration::from_millis(33);
/// How much of a pipe is read before the others get their turn.
pub(crate) const MAX_READ: usize = 64 << 10;
/// How much a pipe may still hold when every writer is gone: the largest pipe that the system gives a user.
const MAX_PIPE: usize = 1 << 20;

/// The phase of its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing ends.
    Running,
    /// The main process has ended; the rest may end by itself.
    Settling { until: Instant },
    /// TERM was sent.
    Terminating { until: Instant },
    /// KILL was sent, and is sent again while a process remains.
    Killing { again: Instant, wait: Duration },
}

#[derive(Debug, Clone, Copy)]
struct MainEnd {
    reaped: Reaped,
    at: Time,
    stopped: bool,
}

/// An attempt whose tree may have living members.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) id: AttemptId,
    pub(crate) pid: u32,
    tree: Tree,
    started: Time,
    grace: Duration,
    /// The read ends, while someone may write.
    pub(crate) pipes: [Option<File>; 2],
    /// The masks of both streams, if the command got secrets.
    masks: [Option<MaskStream>; 2],
    /// Whether a secret was masked in standard output.
    masked: bool,
    log: LogWriter,
    stdout: StdoutWriter,
    main: Option<MainEnd>,
    phase: Phase,
    stopped: bool,
    lost: bool,
    /// The log's end that clients were notified of, and when.
    notified: (u64, Option<Instant>),
    /// Becomes ready when the last member of the cgroup goes.
    pub(crate) events: Option<File>,
}

impl Running {
    pub(crate) fn new(spec: &StartSpec, tree: Tree, process: Started, started: Time) -> Self {
        let open = |pipe: OwnedFd| Some(File::from(pipe));
        Self {
            id: spec.id,
            log: LogWriter::new(spec.folder.clone()),
            stdout: StdoutWriter::new(&spec.folder, spec.stdout_limit),
            masks: [spec.secrets.stream(), spec.secrets.stream()],
            masked: false,
            pid: process.pid,
            tree,
            started,
            grace: spec.grace,
            pipes: [open(process.stdout), open(process.stderr)],
            main: None,
            phase: Phase::Running,
            stopped: false,
            lost: false,
            notified: (0, None),
            events: None,
        }
    }

    pub(crate) fn member(&self) -> Member {
        Member { id: self.id, main: self.pid }
    }

    pub(crate) fn state(&self) -> AttemptState {
        AttemptState {
            id: self.id,
            pid: self.pid,
            started: self.started,
            log_end: self.log.end(),
            stage: Stage::Running,
        }
    }

    /// Reads a pipe once.
    pub(crate) fn pump(&mut self, stream: usize, buffer: &mut [u8]) -> usize {
        let Some(pipe) = &mut self.pipes[stream] else { return 0 };
        match pipe.read(buffer) {
            Ok(0) => self.close(stream),
            Ok(length) => {
                self.write(stream, &buffer[..length]);
                return length;
            }
            Err(error) => match error.kind() {
                std::io::ErrorKind::WouldBlock | std::io::ErrorKind::Interrupted => {}
                _ => self.close(stream),
            },
        }
        0
    }

    /// Writes output to the files of the attempt. A secret in it never reaches them.
    fn write(&mut self, stream: usize, bytes: &[u8]) {
        let Some(mask) = &mut self.masks[stream] else { return self.put(stream, bytes) };
        let mut masked = Vec::with_capacity(bytes.len());
        mask.push(bytes, &mut masked);
        self.masked |= stream == 0 && mask.has_found();
        self.put(stream, &masked);
    }

    fn put(&mut self, stream: usize, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        if stream == 0 {
            self.stdout.write(bytes);
        }
        self.log.write(if stream == 0 { StreamTag::Stdout } else { StreamTag::Stderr }, bytes);
    }

    /// Ends a stream: what its mask held back is written.
    fn close(&mut self, stream: usize) {
        self.pipes[stream] = None;
        if let Some(mut mask) = self.masks[stream].take() {
            let mut rest = Vec::new();
            mask.finish(&mut rest);
            self.put(stream, &rest);
        }
    }

    /// Reads the rest of the pipes when no process of the tree remains. A process outside of the tree may hold a write
    /// end open, so this does not wait for the end of the stream.
    fn drain(&mut self, buffer: &mut [u8]) {
        for stream in 0..2 {
            let mut rest = 0;
            while rest < MAX_PIPE {
                match self.pump(stream, buffer) {
                    0 => break,
                    length => rest += length,
                }
            }
            self.close(stream);
        }
    }

    /// Records the end of the main process.
    pub(crate) fn main_ended(&mut self, reaped: Reaped) {
        self.main = Some(MainEnd { reaped, at: Time::now(), stopped: self.stopped });
    }

    /// Returns whether the main process ended, so that the tree may be empty.
    pub(crate) fn ends(&self) -> bool {
        self.main.is_some()
    }

    /// Returns whether the attempt has ended; if only its main process has, the rest of its tree is ended too.
    pub(crate) fn check(&mut self, all: &[Member], now: Instant) -> bool {
        if self.main.is_none() {
            return false;
        }
        self.watch();
        if self.tree.is_empty(self.member(), all) {
            return true;
        }
        if self.phase != Phase::Running {
            return false;
        }
        self.phase = Phase::Settling { until: now + SETTLE_TIME };
        self.watch();
        self.tree.is_empty(self.member(), all)
    }

    /// Subscribes to the end of the last member, before checking whether there is one.
    fn watch(&mut self) {
        #[cfg(target_os = "linux")]
        match (&mut self.events, &self.tree) {
            (Some(file), _) => {
                // A removed cgroup can't be read, and is empty.
                let _ = super::tree::cgroup::read_events(file);
            }
            (none, Tree::Cgroup(cgroup)) if self.phase != Phase::Running => *none = cgroup.events().ok(),
            _ => {}
        }
    }

    /// Starts to end it; a shorter grace period shortens a running one.
    pub(crate) fn stop(&mut self, grace: Duration, all: &[Member], now: Instant) {
        self.stopped = true;
        let until = now + grace;
        match self.phase {
            Phase::Running | Phase::Settling { .. } if grace.is_zero() => self.kill(all, now),
            Phase::Running | Phase::Settling { .. } => self.terminate(until, all),
            Phase::Terminating { until: before } => {
                self.phase = Phase::Terminating { until: before.min(until) }
            }
            Phase::Killing { .. } => {}
        }
    }

    fn terminate(&mut self, until: Instant, all: &[Member]) {
        self.tree.signal(self.member(), all, Signal::TERM);
        // A stopped process can't act on TERM.
        self.tree.signal(self.member(), all, Signal::CONT);
        self.phase = Phase::Terminating { until };
        self.watch();
    }

    /// Kills the tree at once.
    pub(crate) fn kill(&mut self, all: &[Member], now: Instant) {
        self.tree.signal(self.member(), all, Signal::KILL);
        let wait = match self.phase {
            Phase::Killing { wait, .. } => (wait * 2).min(Duration::from_secs(1)),
            _ => Duration::from_millis(20),
        };
        self.phase = Phase::Killing { again: now + wait, wait };
        self.watch();
    }

    /// Kills it because the supervisor ends. Unless its main process ended before, its outcome is lost.
    pub(crate) fn abandon(&mut self, all: &[Member], now: Instant) {
        self.lost = self.main.is_none();
        self.kill(all, now);
    }

    /// Does what is due. Returns whether anything was.
    pub(crate) fn tick(&mut self, all: &[Member], now: Instant) -> bool {
        match self.phase {
            Phase::Settling { until } if now >= until => self.terminate(now + self.grace, all),
            Phase::Terminating { until } if now >= until => self.kill(all, now),
            Phase::Killing { again, .. } if now >= again => self.kill(all, now),
            _ => return false,
        }
        true
    }

    /// Returns when [`Running::tick`] or [`Running::growth`] has something to do, if nothing happens before.
    pub(crate) fn due(&self) -> Option<Instant> {
        let phase = match self.phase {
            Phase::Running => None,
            Phase::Settling { until } | Phase::Terminating { until } => Some(until),
            Phase::Killing { again, .. } => Some(again),
        };
        let notify = match self.notified {
            (notified, Some(at)) if notified != self.log.end() => Some(at + NOTIFY_INTERVAL),
            _ => None,
        };
        [phase, notify].into_iter().flatten().min()
    }

    /// Returns the log's end if clients are to be notified of it now.
    pub(crate) fn growth(&mut self, now: Instant) -> Option<u64> {
        let end = self.log.end();
        let (notified, at) = self.notified;
        if end == notified || at.is_some_and(|at| now < at + NOTIFY_INTERVAL) {
            return None;
        }
        self.notified = (end, Some(now));
        Some(end)
    }

    /// Reads the last output. Returns how it ended, if that was seen.
    pub(crate) fn finish(&mut self, buffer: &mut [u8]) -> (AttemptState, Option<Exit>) {
        self.drain(buffer);
        let log_end = self.log.end();
        let exit = self.main.filter(|_| !self.lost).map(|main| Exit {
            how: main.reaped.how,
            stopped: main.stopped,
            masked: self.masked,
            started: self.started,
            ended: main.at,
            max_rss: main.reaped.max_rss,
            cpu: main.reaped.cpu,
            log_end,
        });
        (self.state(), exit)
    }
}
