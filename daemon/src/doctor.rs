//! `fanlight doctor`: rows against files, and what to do about what is wrong.

mod bytes;
mod names;

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use fanlight_shared::rpc::daemon::DoctorAnswer;

use crate::store::{Store, StoreError};

/// So many problems of one kind are told one by one.
const MOST: usize = 20;

/// Looks at everything that the store keeps; `deep` also reads every blob and compares its hash. Blocks, and may take
/// long; reads beside the writer, so runs go on. Files that nothing names are removed.
#[must_use]
pub fn check(store: &Store, deep: bool) -> DoctorAnswer {
    let mut report = Report::default();
    let steps: [(&str, Step); 5] = [
        ("the database", Box::new(|report| database(store, deep, report))),
        ("modes of folders and files", Box::new(|report| modes(store, report))),
        ("stored bytes", Box::new(|report| bytes::check(store, deep, report))),
        ("references", Box::new(|report| names::check(store, report))),
        ("files that nothing names", Box::new(|report| bytes::left_over(store, report))),
    ];
    for (what, step) in steps {
        if let Err(error) = step(&mut report) {
            report.answer.problems.push(format!("{what} could not be checked: {error}"));
        }
    }
    if let Some(trouble) = store.trouble().borrow().as_ref() {
        report.answer.problems.push(format!("nothing can be written at the moment: {trouble}"));
    }
    report.answer
}

type Step<'a> = Box<dyn FnOnce(&mut Report) -> Result<(), StoreError> + 'a>;

/// What is found, gathered.
#[derive(Default)]
struct Report {
    answer: DoctorAnswer,
}

impl Report {
    fn checked(&mut self, line: String) {
        self.answer.checked.push(line);
    }

    /// Problems of one kind, the first of them by name.
    fn problems(&mut self, found: Vec<String>, what: &str) {
        let more = found.len().saturating_sub(MOST);
        self.answer.problems.extend(found.into_iter().take(MOST));
        if more > 0 {
            self.answer.problems.push(format!("and {more} more {what}"));
        }
    }
}

fn database(store: &Store, deep: bool, report: &mut Report) -> Result<(), StoreError> {
    let pragma = if deep { "PRAGMA integrity_check" } else { "PRAGMA quick_check" };
    let path = store.home().database();
    let said = store.read(|db| {
        let lines =
            db.prepare(pragma)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
        Ok(lines)
    })?;
    report.checked(format!("the database {} (SQLite {})", path.display(), rusqlite::version()));
    if said != ["ok"] {
        let found = said.into_iter().map(|line| {
            format!(
                "the database is damaged: {line}; stop the daemon, copy {} aside, and restore it from a backup or by \
                 `sqlite3 … .recover`",
                path.display()
            )
        });
        report.problems(found.collect(), "damages of the database");
    }
    Ok(())
}

fn modes(store: &Store, report: &mut Report) -> Result<(), StoreError> {
    let home = store.home();
    let database = home.database();
    let beside = |ending: &str| {
        let mut name = database.clone().into_os_string();
        name.push(ending);
        std::path::PathBuf::from(name)
    };
    let found = [
        open_to_others(&home.data, 0o700),
        open_to_others(&home.blobs(), 0o700),
        open_to_others(&database, 0o600),
        open_to_others(&beside("-wal"), 0o600),
        open_to_others(&beside("-shm"), 0o600),
    ];
    report.checked(format!("modes below {}", home.data.display()));
    report.problems(found.into_iter().flatten().collect(), "wrong modes");
    Ok(())
}

/// What to say about a file that others may read.
fn open_to_others(path: &Path, most: u32) -> Option<String> {
    let mode = std::fs::symlink_metadata(path).ok()?.mode() & 0o777;
    (mode & !most != 0).then(|| {
        format!("others may read {path} (mode {mode:03o}); do `chmod {most:o} {path}`", path = path.display())
    })
}

#[cfg(test)]
mod tests;
