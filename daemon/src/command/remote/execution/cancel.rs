//! The end of an attempt by request.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::files;
use super::RemoteExecution;
use crate::command::folder::Folder;
use crate::executor::Signalled;

/// The interval between two requests to cancel a job that lives on.
const CANCEL_INTERVAL: Duration = Duration::from_secs(3);

impl RemoteExecution {
    /// Ends its job, and keeps one that has not started from doing so.
    pub(super) async fn cancel(&self) -> Signalled {
        self.stopping.store(true, Ordering::Release);
        let attempt = self.attempt.id;
        if let Ok(Err(error)) = self.aside(|folder| files::forbid(forbidding(&folder))).await {
            tracing::warn!(%attempt, %error, "a job that has not started could not be forbidden");
        }
        let cluster = &self.remote.cluster;
        if !cluster.tools.cancels_waiting() {
            self.bar().await;
        }
        self.stop.notify_one();
        let mut forbidden = self.folder().original().map(Path::to_owned);
        let mut watching = cluster.watch();
        // Its end, which `wait` sees, ends this too: nothing but that says that it worked.
        loop {
            if let Some(there) = &forbidden {
                match cluster.tools.forbid_there(there).await {
                    Ok(()) => forbidden = None,
                    Err(error) => {
                        let why = error.sentence();
                        tracing::warn!(%attempt, why, "a job that has not started could not be forbidden there");
                    }
                }
            }
            let before = cluster.begun();
            cluster.ask();
            // One poll for all that are cancelled, and a new one: the id of a job may be that of another one later.
            let seen = watching.listed.wait_for(|seen| seen.number > before).await;
            let living = seen.map(|seen| seen.living(&self.key)).unwrap_or_default();
            if !living.is_empty() {
                cluster.cancel(living);
            }
            tokio::time::sleep(CANCEL_INTERVAL).await;
        }
    }
}

impl RemoteExecution {
    /// Keeps its job from running the command for ever, if it has not begun to. Then there is nothing to wait for.
    async fn bar(&self) {
        let attempt = self.attempt.id;
        match self.aside(|folder| files::bar(folder.files())).await {
            Ok(Ok(false)) | Err(_) => {}
            Ok(Err(error)) => {
                tracing::warn!(%attempt, %error, "it is unknown whether a job has begun");
            }
            Ok(Ok(true)) => {
                // As a courtesy: it would end by itself once it has place.
                if let Err(why) = self.remote.cancel_jobs(attempt, None).await {
                    tracing::warn!(%attempt, why, "a job that waits could not be stopped");
                }
                self.barred.store(true, Ordering::Release);
            }
        }
    }
}

/// Returns the folder with the file that says that it was forbidden: that which the cluster sees, or the one in the home if
/// only copies are here.
pub(super) fn forbidding(folder: &Folder) -> &Path {
    if folder.original().is_some() { folder.path() } else { folder.files() }
}
