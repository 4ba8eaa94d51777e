//! When an attempt began: by the wall clock for display, by the monotonic clock for what is measured.

use std::time::{Duration, Instant};

use fanlight_shared::time::Time;

/// The beginning of an attempt.
#[derive(Clone, Copy)]
pub(super) struct Started {
    /// By the wall clock.
    pub(super) at: Time,
    since: Instant,
    before: Duration,
}

impl Started {
    /// An attempt that begins now.
    pub(super) fn now() -> Self {
        Self { at: Time::now(), since: Instant::now(), before: Duration::ZERO }
    }

    /// An attempt that an earlier daemon began. Only the wall clock knows how long it ran until now.
    pub(super) fn earlier(at: Time) -> Self {
        Self { at, since: Instant::now(), before: Time::now().since(at) }
    }

    /// How long it has run.
    pub(super) fn elapsed(&self) -> Duration {
        self.before + self.since.elapsed()
    }

    /// The present, as far after the beginning as the attempt has run, whatever was done to the wall clock meanwhile.
    pub(super) fn end(&self) -> Time {
        self.at.plus(self.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_set_back_makes_no_duration_shorter() {
        // The wall clock said an hour more when it began than it says now.
        let began = Time::now().plus(Duration::from_secs(3600));
        let started = Started { at: began, since: Instant::now(), before: Duration::from_secs(2) };
        assert!(started.elapsed() >= Duration::from_secs(2));
        assert!(started.end() >= began.plus(Duration::from_secs(2)));
        assert_eq!(Started::earlier(began).before, Duration::ZERO, "never less than nothing");
    }
}
