//! Folders that attempts don't share (`dir: { copy: … }`, `dir: { worktree: … }`): each is made before its command starts,
//! within the folder of the attempt that the command sees, and removed with the rest of it.

mod branch;
mod copy;
mod git;
mod listing;
mod worktree;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::folder::{Folder, new_file, sentence};
use super::{shown, text};
use crate::attempt::Attempt;
use crate::executor::WorkDir;
use crate::file_error::FileError;
use crate::rooted::{read_own, remove_tree};
use crate::store::blob::Blobs;

pub(super) use branch::commit;
pub(super) use copy::{leads_out, repository_outside};
pub(super) use listing::{Listing, shown};

/// The most notes about one folder.
const MAX_NOTES: usize = 20;

impl Folder {
    /// Returns the folder of a command that doesn't share one.
    pub(super) fn separate(&self) -> PathBuf {
        self.files().join(SEPARATE)
    }
    /// Returns the folder in which a command works, if it is not the private one.
    pub(super) fn dir(&self, dir: Option<&WorkDir>) -> Option<PathBuf> {
        match dir? {
            WorkDir::Shared(dir) => Some(dir.clone()),
            WorkDir::Copy { .. } | WorkDir::Worktree { .. } => Some(self.separate()),
        }
    }
}

const SEPARATE: &str = "dir";
/// The file with what people should know about it.
const NOTES: &str = "dir.notes";

/// Lists what a copy of a folder has. Blocks.
///
/// # Errors
/// A folder can't be read, or there are too many files.
pub(super) fn list(from: &Path, exclude: &[String], blobs: &Blobs) -> Result<Listing, FileError> {
    listing::list(from, &listing::LeftOut::of(exclude, blobs, None)?, &CancellationToken::new())
}

/// Makes the folder of an attempt. Blocks.
///
/// # Errors
/// A file can't be copied, there is no such revision, the disk is full, or the attempt was cancelled.
pub(super) fn make(
    dir: &WorkDir,
    attempt: &Attempt,
    folder: &Folder,
    blobs: &Blobs,
) -> Result<(), FileError> {
    let notes = match dir {
        WorkDir::Shared(_) => return Ok(()),
        WorkDir::Copy { from, exclude } => copy::make((from, exclude), attempt, folder, blobs)?,
        WorkDir::Worktree { repo, revision } => {
            worktree::add((repo, revision), attempt, folder).map_err(|error| or_full(error, blobs))?
        }
    };
    attempt.live(shown::progress(attempt, None, None));
    let more = notes.len().saturating_sub(MAX_NOTES);
    let mut lines: String = notes.iter().take(MAX_NOTES).map(|it| text::line(it) + "\n").collect();
    if more > 0 {
        lines.push_str(&format!("{more} more like these\n"));
    }
    let file = folder.path().join(NOTES);
    new_file(&file)
        .and_then(|mut it| it.write_all(lines.as_bytes()))
        .map_err(|error| sentence("can't write", &file, &error))
}

/// Returns that the disk is full if it is, otherwise the error of git: its message does not always say why it can't write.
fn or_full(error: FileError, blobs: &Blobs) -> FileError {
    match blobs.check_reserve() {
        Err(full @ FileError::Full(_)) => full,
        _ => error,
    }
}

/// Returns what people should know about the folder of an attempt.
pub(super) fn notes(folder: &Folder) -> Vec<String> {
    let bytes = read_own(folder.path(), NOTES).unwrap_or_default();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

/// Removes the folder of an attempt, and what a repository knows about it. Blocks.
pub(super) fn remove(folder: &Folder) -> io::Result<()> {
    remove_tree(&folder.separate())?;
    worktree::forget(folder)?;
    match fs::remove_file(folder.path().join(NOTES)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
