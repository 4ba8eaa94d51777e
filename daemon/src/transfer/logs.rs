//! The logs of attempts.

use std::path::{Path, PathBuf};

use fanlight_shared::id::AttemptId;

use super::place::is_log;
use crate::rooted::open_own;

/// The longest file of a log, in bytes. The writer of logs begins a new file long before.
pub(super) const MAX_BYTES: u64 = 64 << 20;

/// A file of a log.
pub(super) struct LogFile {
    pub(super) attempt: AttemptId,
    /// Its name below the folder of the attempt.
    pub(super) name: String,
    pub(super) bytes: u64,
}

impl LogFile {
    /// Returns the folder that the file is in, and its name there.
    pub(super) fn place(&self, attempts: &Path) -> (PathBuf, String) {
        let folder = attempts.join(self.attempt.to_string());
        match self.name.split_once('/') {
            Some((below, name)) => (folder.join(below), name.to_owned()),
            None => (folder, self.name.clone()),
        }
    }
}

/// Returns the files of the log of an attempt, as far as it has some.
pub(super) fn of(attempts: &Path, attempt: AttemptId) -> Vec<LogFile> {
    let own = attempts.join(attempt.to_string());
    let mut found = Vec::new();
    for (folder, below) in [(own.clone(), ""), (own.join("said"), "said/")] {
        // The log of a command that did not start is not there.
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        for name in names.filter(|name| is_log(name)) {
            let bytes =
                open_own(&folder, &name).ok().and_then(|file| file.metadata().ok()).map(|it| it.len());
            let Some(bytes) = bytes.filter(|bytes| *bytes <= MAX_BYTES) else { continue };
            found.push(LogFile { attempt, name: format!("{below}{name}"), bytes });
        }
    }
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}
