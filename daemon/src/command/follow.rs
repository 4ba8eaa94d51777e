//! Follows a running attempt to its end: reports what it shows, and stops it when it is cancelled.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::pace::GAP;
use super::reader::Reader;
use super::watch::{Watch, Watcher};
use crate::job::Attempt;
use crate::supervisor::client::{AttemptEvent, Exit, Stage, Subscription, Supervisor};

/// A command that ends sooner needs no watch: its events are read at its end.
const WATCH_AFTER: Duration = Duration::from_millis(25);
/// The wait between two requests to stop, while the supervisor can't be reached.
const STOP_AGAIN: Duration = Duration::from_secs(1);

/// How it ended.
pub(super) enum End {
    /// The supervisor saw how.
    Ended(Exit),
    /// Nobody saw how.
    Lost,
}

/// What is needed to follow an attempt.
pub(super) struct Follow<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) supervisor: &'a Supervisor,
    pub(super) watcher: &'a Arc<Watcher>,
    pub(super) reader: &'a Arc<Mutex<Reader>>,
    pub(super) grace: Duration,
}

impl Follow<'_> {
    /// Follows to the end. Wakes only when something happened.
    pub(super) async fn to_the_end(&self, mut events: Subscription) -> End {
        let watch_at = Instant::now() + WATCH_AFTER;
        let mut watching = Watching::Later;
        let mut stop_at: Option<Instant> = None;
        let mut stopping = false;
        let mut log_end = 0;
        let mut unread = false;
        let mut waiting: Option<Instant> = None;
        let mut last: Option<Instant> = None;
        loop {
            let due = match (unread, waiting) {
                // What it writes in its first moments is read when the watch begins, or at its end.
                _ if matches!(watching, Watching::Later) => None,
                (false, None) => None,
                (true, _) => Some(last.map_or_else(Instant::now, |last| last + GAP)),
                (false, at) => at,
            };
            tokio::select! {
                event = events.next() => match event {
                    AttemptEvent::Grew { end } => {
                        log_end = end;
                        unread = true;
                    }
                    AttemptEvent::Ended(exit) => return End::Ended(exit),
                    AttemptEvent::Lost => return End::Lost,
                },
                () = self.attempt.cancel.cancelled(), if !stopping => {
                    stopping = true;
                    stop_at = Some(Instant::now());
                }
                () = at(stop_at) => match self.stop().await {
                    Stop::Begun => stop_at = None,
                    Stop::Again => stop_at = Some(Instant::now() + STOP_AGAIN),
                    Stop::Over(end) => return end,
                },
                () = watching.written() => unread = true,
                () = sleep_until(watch_at), if matches!(watching, Watching::Later) => {
                    watching = self.watch().await;
                    // What was written before the watch began.
                    unread = true;
                }
                () = at(due) => {
                    last = Some(Instant::now());
                    waiting = self.report(if unread { Some(log_end) } else { None }).await;
                    unread = false;
                }
            }
        }
    }

    async fn stop(&self) -> Stop {
        match self.supervisor.stop(self.attempt.id, self.grace).await {
            Ok(true) => Stop::Begun,
            // It ended meanwhile, and its last event is on its way; or nobody knows it any more.
            Ok(false) => match self.supervisor.state(self.attempt.id).await {
                Ok(None) => Stop::Over(End::Lost),
                Ok(Some(state)) => match state.stage {
                    Stage::Ended(exit) => Stop::Over(End::Ended(exit)),
                    Stage::Lost => Stop::Over(End::Lost),
                    Stage::Running => Stop::Again,
                },
                Err(_) => Stop::Again,
            },
            Err(error) => {
                tracing::warn!(attempt = %self.attempt.id, %error, "a command could not be stopped; trying again");
                Stop::Again
            }
        }
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

    /// Reads what is new, sends one event, and returns when the next one may go.
    async fn report(&self, read: Option<u64>) -> Option<Instant> {
        if let Some(end) = read {
            let reader = Arc::clone(self.reader);
            // A reader that panicked has nothing to report; the attempt itself goes on.
            let _ = tokio::task::spawn_blocking(move || lock(&reader).read(end)).await;
        }
        let mut reader = lock(self.reader);
        if let Some(event) = reader.pace.pop(Instant::now()) {
            self.attempt.live(event);
        }
        reader.pace.next()
    }
}

enum Stop {
    Begun,
    Again,
    Over(End),
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
