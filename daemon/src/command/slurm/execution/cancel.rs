//! The end of an attempt by request.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::super::files;
use super::SlurmExecution;
use crate::command::folder::Folder;
use crate::executor::Signalled;

/// The interval between two requests to cancel a job that lives on.
const CANCEL_INTERVAL: Duration = Duration::from_secs(3);

impl SlurmExecution {
    /// Ends its job, and keeps one that has not started from doing so.
    pub(super) async fn cancel(&self) -> Signalled {
        self.stopping.store(true, Ordering::Release);
        let attempt = self.attempt.id;
        if let Ok(Err(error)) = self.aside(|folder| files::forbid(forbidding(&folder))).await {
            tracing::warn!(%attempt, %error, "a job that has not started could not be forbidden");
        }
        self.stop.notify_one();
        let cluster = &self.slurm.cluster;
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

/// Returns the folder with the file that says that it was forbidden: that which the cluster sees, or the one in the home if
/// only copies are here.
pub(super) fn forbidding(folder: &Folder) -> &Path {
    if folder.original().is_some() { folder.path() } else { folder.files() }
}
