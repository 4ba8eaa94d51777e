//! The time during which the store can't be written.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::store::StoreError;

/// The first wait before another try; doubled up to [`MAX_WAIT`].
const MIN_WAIT: Duration = Duration::from_millis(20);
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Why the store can't be written, if it can't, and when to try again.
pub(super) struct Outage {
    reason: Option<StoreError>,
    wait: Duration,
    banner: watch::Sender<Option<String>>,
}

impl Outage {
    pub(super) fn new(banner: watch::Sender<Option<String>>) -> Self {
        Self { reason: None, wait: MIN_WAIT, banner }
    }

    /// Starts an outage, or records another failed try.
    pub(super) fn start(&mut self, reason: &StoreError) {
        if self.reason.is_none() {
            tracing::error!("the store can't be written: {reason}");
            self.wait = MIN_WAIT;
        } else {
            self.wait = (self.wait * 2).min(MAX_WAIT);
        }
        self.reason = Some(reason.clone());
        self.banner.send_if_modified(|banner| {
            let new = Some(reason.to_string());
            let changed = *banner != new;
            *banner = new;
            changed
        });
    }

    /// Ends the outage, if there is one.
    pub(super) fn end(&mut self) {
        if self.reason.take().is_some() {
            tracing::info!("the store can be written again");
            self.banner.send_replace(None);
        }
    }

    /// Returns why the store can't be written; `None` while it can.
    pub(super) fn reason(&self) -> Option<StoreError> {
        self.reason.clone()
    }

    /// Returns when to try again.
    pub(super) fn next_try(&self) -> Instant {
        Instant::now() + self.wait
    }
}
