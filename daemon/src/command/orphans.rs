//! Orphans: attempts that ended, or lost their daemon, while no daemon was there to clean up.

use std::collections::HashSet;
use std::sync::Arc;

use fanlight_shared::id::AttemptId;

use super::Commands;
use crate::executor::Known;
use crate::supervisor::client::Stage;

impl Commands {
    /// Returns the attempts that have a folder. Blocks.
    pub(super) fn folders(&self) -> Vec<AttemptId> {
        let folders = std::fs::read_dir(&self.inner.attempts).into_iter().flatten().flatten();
        folders.filter_map(|it| it.file_name().to_str()?.parse().ok()).collect()
    }

    /// Removes what only a running attempt needs from these folders, and ends commands for which no run waits.
    /// `active` holds the attempts that continue; folders that `known` does not return are left alone.
    pub(super) async fn clean_up_orphans(
        &self,
        folders: Vec<AttemptId>,
        active: Arc<HashSet<AttemptId>>,
        known: Known,
    ) {
        let commands = self.clone();
        let look = move || {
            // The others are released when they are cleaned up.
            let goes_on = |id| active.contains(&id) || commands.folder(id).work().exists();
            commands.inner.shared.leave_all_except(goes_on);
            let ended = folders.into_iter().filter(|it| !active.contains(it));
            known(ended.filter(|it| commands.folder(*it).work().exists()).collect())
        };
        let orphans = tokio::task::spawn_blocking(look).await.unwrap_or_default();
        if orphans.is_empty() {
            return;
        }
        tracing::info!("cleaning up after {} attempts of an earlier daemon", orphans.len());
        for attempt in orphans {
            match self.inner.supervisor.state(attempt).await {
                // The daemon that lost track of it could not end it.
                Ok(Some(state)) if state.stage == Stage::Running => self.end(attempt).await,
                Ok(_) => {}
                // The next daemon tries again.
                Err(error) => {
                    return tracing::warn!(%error, "attempts of an earlier daemon stay as they are");
                }
            }
            self.clean_up_all(vec![attempt]).await;
        }
    }

    async fn end(&self, attempt: AttemptId) {
        let mut events = self.inner.supervisor.subscribe(attempt);
        match self.inner.supervisor.stop(attempt, self.inner.grace).await {
            Ok(true) => while !events.next().await.is_last() {},
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%attempt, %error, "a command that nobody waits for could not be stopped")
            }
        }
    }
}
