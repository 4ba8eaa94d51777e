//! For tests of all crates: waits for conditions and children with time-outs, and says what is skipped.

pub mod child;

use std::io::Write as _;
use std::time::{Duration, Instant};

/// The time-out of a condition; far longer than any takes, also on a busy machine.
pub const TIMEOUT: Duration = Duration::from_secs(180);
/// The polling interval.
const PACE: Duration = Duration::from_millis(5);

/// Returns what the future does. Panics if it takes longer than any does.
#[allow(clippy::panic)]
pub async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(TIMEOUT, future).await.unwrap_or_else(|_| panic!("never: {what}"))
}

/// Waits until it holds.
pub async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(PACE).await;
        }
    };
    in_time(what, waiting).await;
}

/// Waits until it holds, without a runtime.
#[track_caller]
pub fn wait_for(what: &str, holds: impl FnMut() -> bool) {
    assert!(happens(holds), "never: {what}");
}

/// Waits until it holds, without a runtime. Returns whether it holds in time.
pub fn happens(mut holds: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    while !holds() {
        if begin.elapsed() > TIMEOUT {
            return false;
        }
        std::thread::sleep(PACE);
    }
    true
}

/// Says that a test, or a part of it, is skipped. The harness hides what `eprintln!` prints in a test that passes.
pub fn skip(why: &str) {
    let test = std::thread::current().name().unwrap_or_default().to_owned();
    let _ = writeln!(std::io::stderr(), "SKIPPED: {test}: {why}");
}
