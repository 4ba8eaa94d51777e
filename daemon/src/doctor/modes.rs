//! Checks that other users can't read the store.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Report;
use crate::store::{Store, StoreError};

/// Checks that folders are 0700 and files 0600, as they are created.
pub(super) fn check(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let home = store.home();
    let database = home.database();
    let beside = |ending: &str| {
        let mut name = database.clone().into_os_string();
        name.push(ending);
        PathBuf::from(name)
    };
    let mut folders =
        vec![home.data.clone(), home.state.clone(), home.blobs(), home.attempts(), home.supervisor()];
    for parent in [home.blobs(), home.attempts()] {
        folders.extend(std::fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.path()));
    }
    let files = [
        database.clone(),
        beside("-wal"),
        beside("-shm"),
        home.log_file(),
        home.lock_file(),
        home.state_lock_file(),
    ];
    // Modes that were too open at startup have been corrected since, but somebody may have read the files.
    let mut found = store.found_open().to_vec();
    found.extend(folders.iter().filter_map(|folder| open_to_others(folder, 0o700)));
    found.extend(files.iter().filter_map(|file| open_to_others(file, 0o600)));
    report.checked(format!("modes below {} and {}", home.data.display(), home.state.display()));
    report.problems(found, "wrong modes");
    Ok(())
}

/// Returns the message about a file that others can read.
pub(super) fn open_to_others(path: &Path, limit: u32) -> Option<String> {
    let mode = std::fs::symlink_metadata(path).ok()?.mode() & 0o777;
    (mode & !limit != 0).then(|| {
        format!(
            "other users can read {path} (mode {mode:03o}); do `chmod {limit:o} {path}`",
            path = path.display()
        )
    })
}
