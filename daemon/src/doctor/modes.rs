//! Who else may read what is kept.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::Report;
use crate::store::{Store, StoreError};

/// Folders that are 0700 and files that are 0600, from their creation on.
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
    let files = [database.clone(), beside("-wal"), beside("-shm"), home.log_file(), home.lock_file()];
    // What was open when the store was opened has been closed since, but somebody may have been there.
    let mut found = store.found_open().to_vec();
    found.extend(folders.iter().filter_map(|folder| open_to_others(folder, 0o700)));
    found.extend(files.iter().filter_map(|file| open_to_others(file, 0o600)));
    report.checked(format!("modes below {} and {}", home.data.display(), home.state.display()));
    report.problems(found, "wrong modes");
    Ok(())
}

/// What to say about a file that others may read.
pub(super) fn open_to_others(path: &Path, limit: u32) -> Option<String> {
    let mode = std::fs::symlink_metadata(path).ok()?.mode() & 0o777;
    (mode & !limit != 0).then(|| {
        format!(
            "others may read {path} (mode {mode:03o}); do `chmod {limit:o} {path}`",
            path = path.display()
        )
    })
}
