//! Removes files when an attempt has ended, and when its run is deleted.

use std::fs;
use std::io;
use std::sync::PoisonError;
use std::time::Duration;

use fanlight_shared::id::AttemptId;
use futures_util::future::join_all;

use super::folder::Folder;
use super::{Commands, separate};
use crate::rooted::remove_tree;

/// How long clean-up waits after an attempt has ended, so that several are cleaned up together.
const CLEAN_UP_DELAY: Duration = Duration::from_millis(100);

impl Commands {
    /// Removes what only a running attempt needs (inputs, work folder); the log stays until its run is deleted. It
    /// waits a moment, so that attempts that end at the same time are cleaned up together and don't delay the attempts
    /// that start then.
    pub(super) async fn clean_up(&self, attempt: AttemptId) {
        let ended = || self.inner.ended.lock().unwrap_or_else(PoisonError::into_inner);
        {
            let mut ended = ended();
            ended.push(attempt);
            if ended.len() > 1 {
                return;
            }
        }
        tokio::time::sleep(CLEAN_UP_DELAY).await;
        let ended = std::mem::take(&mut *ended());
        self.clean_up_all(ended).await;
    }

    pub(super) async fn clean_up_all(&self, attempts: Vec<AttemptId>) {
        // In this order, a crash in between leaves a work folder, which tells `remove` that there may be a record.
        join_all(attempts.iter().map(|attempt| self.drop_record(*attempt))).await;
        if self.inner.shared.knows_any(&attempts) {
            let (inner, attempts) = (std::sync::Arc::clone(&self.inner), attempts.clone());
            let leave = move || attempts.into_iter().for_each(|id| inner.shared.leave(id));
            let _ = tokio::task::spawn_blocking(leave).await;
        }
        let folders: Vec<Folder> = attempts.into_iter().map(|attempt| self.folder(attempt)).collect();
        each_folder(folders, Folder::clean_up).await;
    }

    /// Removes everything of these attempts, including logs. Returns those that are completely removed.
    pub(super) async fn remove(&self, attempts: Vec<AttemptId>) -> Vec<AttemptId> {
        let mut gone = Vec::new();
        for attempt in attempts {
            let folder = self.folder(attempt);
            // Without a record, don't ask the supervisor: that would start one if none is running.
            if folder.work().exists() {
                self.drop_record(attempt).await;
            }
            if each_folder(vec![folder], Folder::remove).await {
                gone.push(attempt);
            }
        }
        gone
    }

    async fn drop_record(&self, attempt: AttemptId) {
        if let Err(error) = self.inner.supervisor.forget(attempt).await {
            tracing::warn!(%attempt, %error, "the record of an ended command could not be dropped");
        }
    }
}

impl Folder {
    /// Removes what only a running attempt needs.
    pub(super) fn clean_up(&self) -> io::Result<()> {
        // First: the work folder says that there is something to clean up.
        separate::remove(self)?;
        let entries = match fs::read_dir(self.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            match entry.file_name().to_str() {
                Some("work" | "inputs" | "arguments" | "record") => remove_tree(&entry.path())?,
                Some("events.jsonl" | "script" | "recorder" | "before" | "stdout") => {
                    ignore_absent(fs::remove_file(entry.path()))?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes everything.
    pub(super) fn remove(&self) -> io::Result<()> {
        separate::remove(self)?;
        if self.is_on_engine() {
            remove_tree(self.files())?;
        }
        remove_tree(self.path())
    }
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// Calls `work` with each of these folders. Returns whether all calls succeeded.
pub(super) async fn each_folder(
    folders: Vec<Folder>,
    work: impl Fn(&Folder) -> io::Result<()> + Send + 'static,
) -> bool {
    let all = move || {
        let mut done = true;
        for folder in &folders {
            if let Err(error) = work(folder) {
                let path = folder.path().display();
                tracing::warn!(%path, %error, "an attempt's folder could not be cleaned up");
                done = false;
            }
        }
        done
    };
    tokio::task::spawn_blocking(all).await.unwrap_or(false)
}
