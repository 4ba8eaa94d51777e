//! Follows a running attempt to its end, and reports its progress and log.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::pace::MIN_INTERVAL;
use super::reader::Reader;
use super::usage::{SAMPLE_INTERVAL, Sampled, Usage};
use super::watch::{Watch, Watcher};
use crate::attempt::Attempt;
use crate::supervisor::client::{AttemptEvent, Exit, Subscription, Supervisor};

/// A command that ends sooner isn't watched: its events are read at its end.
const WATCH_AFTER: Duration = Duration::from_millis(25);

/// How often the files of a command with `metrics: { file: … }` are read, which may be anywhere and come late.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The dependencies of a follower.
pub(super) struct Follow<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) watcher: &'a Arc<Watcher>,
    pub(super) reader: &'a Arc<Mutex<Reader>>,
    pub(super) supervisor: &'a Supervisor,
    pub(super) usage: &'a Usage,
}

impl Follow<'_> {
    /// Follows the attempt to its end; returns `None` if nobody saw it. Wakes only when something happens.
    pub(super) async fn to_the_end(&self, mut events: Subscription) -> Option<Exit> {
        let watch_at = Instant::now() + WATCH_AFTER;
        let mut watching = Watching::Later;
        let mut sample_at = Some(Instant::now() + SAMPLE_INTERVAL);
        // Its samples come while it is held.
        let mut sampled = Vec::new();
        let mut log_end = 0;
        let mut unread = false;
        let mut waiting: Option<Instant> = None;
        let mut last: Option<Instant> = None;
        let polls = lock(self.reader).reads_files();
        loop {
            let poll = (polls && !matches!(watching, Watching::Later) && !unread)
                .then(|| last.unwrap_or(watch_at) + POLL_INTERVAL);
            let due = match (unread, waiting) {
                // What it writes at first is read when the watch begins, or at its end.
                _ if matches!(watching, Watching::Later) => None,
                (false, None) => None,
                (true, _) => Some(last.map_or_else(Instant::now, |last| last + MIN_INTERVAL)),
                (false, at) => at,
            };
            tokio::select! {
                event = events.next() => match event {
                    AttemptEvent::Grew { end } => {
                        log_end = end;
                        unread = true;
                    }
                    AttemptEvent::Ended(exit) => return Some(exit),
                    AttemptEvent::Lost => return None,
                },
                () = watching.written() => unread = true,
                () = at(poll) => unread = true,
                () = sleep_until(watch_at), if matches!(watching, Watching::Later) => {
                    watching = self.watch().await;
                    // Read what was written before the watch began.
                    unread = true;
                }
                () = at(sample_at) => {
                    sample_at = None;
                    sampled.extend(self.sample().await);
                }
                () = at(due) => {
                    last = Some(Instant::now());
                    waiting = report(self.attempt, self.reader, unread.then_some(log_end)).await;
                    unread = false;
                }
            }
        }
    }

    /// Begins to sample what the command uses.
    async fn sample(&self) -> Option<Sampled> {
        let state = self.supervisor.state(self.attempt.id).await.ok()??;
        let recorder = self.attempt.recorder.clone();
        let gpus = self.attempt.gpus.clone();
        (state.pid > 0).then(|| self.usage.watch(state.pid, state.started, gpus, recorder))
    }

    async fn watch(&self) -> Watching {
        let path = lock(self.reader).folder.events();
        let watcher = Arc::clone(self.watcher);
        match tokio::task::spawn_blocking(move || watcher.watch(&path)).await {
            Ok(Ok(watch)) => Watching::Now(watch),
            Ok(Err(error)) => {
                tracing::warn!(%error, "an events file can't be watched; it is read when the log grows and at the end");
                Watching::Never
            }
            Err(_) => Watching::Never,
        }
    }
}

/// Reads what is new up to this end of the log, sends the events that are due, and returns when the next ones are due.
pub(super) async fn report(
    attempt: &Attempt,
    reader: &Arc<Mutex<Reader>>,
    read: Option<u64>,
) -> Option<Instant> {
    if let Some(end) = read {
        let reader = Arc::clone(reader);
        // A reader that panicked has nothing to report; the attempt itself continues.
        let _ = tokio::task::spawn_blocking(move || lock(&reader).read(end)).await;
    }
    let mut reader = lock(reader);
    reader.pace.pop(Instant::now()).into_iter().for_each(|event| attempt.live(event));
    reader.pace.next()
}

enum Watching {
    Later,
    Now(Watch),
    Never,
}

impl Watching {
    async fn written(&self) {
        match self {
            Self::Now(watch) => watch.written().await,
            Self::Later | Self::Never => pending().await,
        }
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => pending().await,
    }
}

pub(super) fn lock(reader: &Mutex<Reader>) -> std::sync::MutexGuard<'_, Reader> {
    reader.lock().unwrap_or_else(PoisonError::into_inner)
}
