//! Waiting for what processes and files show. Nobody reports it, so it is looked at again and again.

// Every test binary takes what it needs of this.
#![allow(dead_code, unreachable_pub)]

use std::time::{Duration, Instant};

/// How long a condition may take before the test fails: far more than it does.
pub const TIMEOUT: Duration = Duration::from_secs(60);
/// The pause between two looks.
const PACE: Duration = Duration::from_millis(5);

/// Waits until it holds.
#[allow(clippy::panic)]
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(PACE).await;
        }
    };
    tokio::time::timeout(TIMEOUT, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}

/// Waits until it holds, where there is no runtime.
#[track_caller]
pub fn wait_for(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < TIMEOUT, "never: {what}");
        std::thread::sleep(PACE);
    }
}
