//! The time during which the store can't be written.

use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::store::StoreError;

/// The first wait before another try; doubled up to [`MAX_WAIT`].
const MIN_WAIT: Duration = Duration::from_millis(20);
const MAX_WAIT: Duration = Duration::from_secs(1);

/// Why the store can't be written, since when, and when to try again.
pub(super) struct Trouble {
    why: Option<StoreError>,
    wait: Duration,
    banner: watch::Sender<Option<String>>,
}

impl Trouble {
    pub(super) fn new(banner: watch::Sender<Option<String>>) -> Self {
        Self { why: None, wait: MIN_WAIT, banner }
    }

    pub(super) fn begin(&mut self, why: &StoreError) {
        if self.why.is_none() {
            tracing::error!("the store can't be written: {why}");
            self.wait = MIN_WAIT;
        } else {
            self.wait = (self.wait * 2).min(MAX_WAIT);
        }
        self.why = Some(why.clone());
        self.banner.send_if_modified(|banner| {
            let said = Some(why.to_string());
            let changed = *banner != said;
            *banner = said;
            changed
        });
    }

    pub(super) fn over(&mut self) {
        if self.why.take().is_some() {
            tracing::info!("the store can be written again");
            self.banner.send_replace(None);
        }
    }

    pub(super) fn why(&self) -> Option<StoreError> {
        self.why.clone()
    }

    pub(super) fn next_try(&self) -> Instant {
        Instant::now() + self.wait
    }
}
