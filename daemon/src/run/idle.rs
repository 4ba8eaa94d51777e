//! The idle shutdown of a daemon that was started by a client.

use std::time::Duration;

use tokio::sync::watch::Receiver;

use crate::engine::Activity;

/// How long the daemon waits at least for its first client, which starts it and then connects.
const FIRST_CLIENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Returns after `linger` without clients and without runs that continue by themselves, which is counted in full once a
/// client has come. It has a timer only while that is so, and otherwise only wakes on changes.
pub(super) async fn idle(mut activity: Receiver<Activity>, mut clients: Receiver<u32>, linger: Duration) {
    let mut had_client = false;
    loop {
        let has_clients = *clients.borrow_and_update() > 0;
        let busy = *activity.borrow_and_update() != Activity::default() || has_clients;
        had_client |= has_clients;
        let linger = if had_client { linger } else { linger.max(FIRST_CLIENT_TIMEOUT) };
        tokio::select! {
            () = tokio::time::sleep(linger), if !busy => return,
            changed = activity.changed() => if changed.is_err() { return },
            changed = clients.changed() => if changed.is_err() { return },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Polls once, and returns whether it still waits.
    async fn waits(idle: impl Future<Output = ()>) -> bool {
        tokio::time::timeout(Duration::ZERO, idle).await.is_err()
    }

    #[tokio::test]
    async fn the_daemon_ends_only_without_runs_and_clients() {
        let (activity, runs) = tokio::sync::watch::channel(Activity { queued: 1, ..Activity::default() });
        let (clients, seen) = tokio::sync::watch::channel(1);
        let idle = idle(runs, seen, Duration::ZERO);
        tokio::pin!(idle);
        assert!(waits(&mut idle).await, "a client and a run hold it");
        clients.send_replace(0);
        assert!(waits(&mut idle).await, "a run that waits holds it");
        activity.send_replace(Activity { running: 1, ..Activity::default() });
        assert!(waits(&mut idle).await, "a run holds it");
        activity.send_replace(Activity { due: 1, ..Activity::default() });
        assert!(waits(&mut idle).await, "a run that goes on by itself holds it");
        activity.send_replace(Activity::default());
        idle.await;
    }

    #[tokio::test]
    async fn a_daemon_that_does_not_linger_waits_for_its_first_client() {
        let (_activity, runs) = tokio::sync::watch::channel(Activity::default());
        let (clients, seen) = tokio::sync::watch::channel(0);
        let idle = idle(runs, seen, Duration::ZERO);
        tokio::pin!(idle);
        assert!(waits(&mut idle).await, "nobody has come");
        clients.send_replace(1);
        assert!(waits(&mut idle).await, "a client holds it");
        clients.send_replace(0);
        idle.await;
    }

    #[tokio::test]
    async fn the_daemon_waits_for_the_whole_linger_time() {
        let (_activity, runs) = tokio::sync::watch::channel(Activity::default());
        let (_clients, seen) = tokio::sync::watch::channel(0);
        let idle = idle(runs, seen, Duration::from_secs(600));
        tokio::pin!(idle);
        assert!(waits(&mut idle).await);
    }
}
