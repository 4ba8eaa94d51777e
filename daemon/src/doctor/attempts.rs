//! Checks the folders of attempts against the runs in the database.

use std::collections::HashSet;

use fanlight_shared::id::AttemptId;

use super::Report;
use crate::store::{Store, StoreError};

/// Reports folders of deleted runs that still exist, and folders that the database does not know.
pub(super) fn check(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let attempts = store.home().attempts();
    // List the folders first: one that is created meanwhile already has its event.
    let folders: Vec<AttemptId> = std::fs::read_dir(&attempts)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    let deleted: HashSet<AttemptId> = store.attempts_to_remove()?.into_iter().collect();
    let known: HashSet<AttemptId> = store.known_attempts(&folders)?.into_iter().collect();
    report.checked(format!("{} folders of attempts", folders.len()));
    let path = |attempt: &AttemptId| attempts.join(attempt.to_string()).display().to_string();
    let left = folders.iter().filter(|attempt| deleted.contains(attempt)).map(|attempt| {
        let path = path(attempt);
        format!("{path} belongs to a deleted run and could not be removed; do `chmod -R u+rwX {path} && rm -r {path}`")
    });
    report.problems(left.collect(), "folders of deleted runs");
    let unknown: Vec<&AttemptId> =
        folders.iter().filter(|attempt| !deleted.contains(attempt) && !known.contains(attempt)).collect();
    if let Some(first) = unknown.first() {
        report.problems(
            vec![format!(
                "{} {} of attempts in {} {} not known to the database, such as {}; nothing was removed: their logs may \
                 tell what ran, then remove them by hand",
                unknown.len(),
                if unknown.len() == 1 { "folder" } else { "folders" },
                attempts.display(),
                if unknown.len() == 1 { "is" } else { "are" },
                path(first),
            )],
            "unknown folders",
        );
    }
    Ok(())
}
