//! Waiting for what processes and files show. Nobody tells of it, so it is looked at again and again.

use std::time::Duration;

/// How long a condition may take before the test fails: far more than it does.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The pause between two looks.
const PACE: Duration = Duration::from_millis(5);

/// Waits until it holds.
#[allow(clippy::panic)]
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(PACE).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("never: {what}"));
}
