//! The start of an attempt: by the wall clock for display, and by the monotonic clock for durations.

use std::time::{Duration, Instant};

use fanlight_shared::time::Time;

/// The start of an attempt.
#[derive(Clone, Copy)]
pub(super) struct Started {
    /// By the wall clock.
    pub(super) at: Time,
    since: Instant,
    before: Duration,
}

impl Started {
    /// Returns an attempt that begins now.
    pub(super) fn now() -> Self {
        Self { at: Time::now(), since: Instant::now(), before: Duration::ZERO }
    }

    /// Returns an attempt that an earlier daemon began. Only the wall clock knows how long it ran until now.
    pub(super) fn earlier(at: Time) -> Self {
        Self { at, since: Instant::now(), before: Time::now().since(at) }
    }

    /// Returns how long it has run.
    pub(super) fn elapsed(&self) -> Duration {
        self.before + self.since.elapsed()
    }

    /// Returns the current time as the start plus the elapsed time, whatever was done to the wall clock meanwhile.
    pub(super) fn end(&self) -> Time {
        self.at.plus(self.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_clock_back_shortens_no_duration() {
        // When it began, the wall clock was an hour ahead of now.
        let began = Time::now().plus(Duration::from_secs(3600));
        let started = Started { at: began, since: Instant::now(), before: Duration::from_secs(2) };
        assert!(started.elapsed() >= Duration::from_secs(2));
        assert!(started.end() >= began.plus(Duration::from_secs(2)));
        assert_eq!(Started::earlier(began).before, Duration::ZERO, "never less than nothing");
    }
}
