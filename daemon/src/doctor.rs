//! `fanlight doctor`: checks rows against files, and says what to do about problems.

mod attempts;
mod bytes;
mod modes;
mod names;
mod repair;

use std::path::Path;

use fanlight_shared::preview;
use fanlight_shared::rpc::daemon::DoctorResponse;

use crate::store::{Store, StoreError, Unknown};

pub use repair::Repaired;

/// The most problems of one kind that are listed individually.
const SHOWN_LIMIT: usize = 20;
/// The most bytes of JSON in a line: more than the longest path, since a line may contain one.
const LINE_LIMIT: usize = 5 * 1024;
/// The most lines of one kind in a response.
const LINES_LIMIT: usize = 80;

/// Examines the store; with `repair` files that the database does not know are imported first. Blocks.
#[must_use]
pub fn examine(store: &Store, deep: bool, repair: bool) -> (DoctorResponse, Repaired) {
    let mut imported = Report::default();
    let repaired = if repair { repair::repair(store, &mut imported) } else { Repaired::default() };
    let mut report = Report::default();
    look(store, deep, &mut report);
    report.response.checked.append(&mut imported.response.checked);
    report.response.problems.append(&mut imported.response.problems);
    (report.finish(), repaired)
}

/// Checks everything that the store keeps; `deep` also reads every blob and compares its hash. Blocks, possibly for
/// long; it reads beside the writer, so runs continue. It removes only files that were left by interrupted writes.
#[must_use]
pub fn check(store: &Store, deep: bool) -> DoctorResponse {
    let mut report = Report::default();
    look(store, deep, &mut report);
    report.finish()
}

fn look(store: &Store, deep: bool, report: &mut Report) {
    let steps: [(&str, Step); 8] = [
        ("the database", Box::new(|report| database(store, deep, report))),
        ("modes of folders and files", Box::new(|report| modes::check(store, report))),
        ("stored bytes", Box::new(|report| bytes::check(store, deep, report))),
        (
            "events of runs",
            Box::new(|report| {
                if deep {
                    report.problems(store.damaged_runs()?, "damaged runs");
                }
                Ok(())
            }),
        ),
        ("references", Box::new(|report| names::check(store, report))),
        ("files that the database does not know", Box::new(|report| bytes::unknown(store, report))),
        ("folders of attempts", Box::new(|report| attempts::check(store, report))),
        (
            "what is done at ends",
            Box::new(|report| {
                report.problems(store.failed_on_end()?, "things to do at ends that failed");
                Ok(())
            }),
        ),
    ];
    for (what, step) in steps {
        if let Err(error) = step(report) {
            report.problem(format!("{what} could not be checked: {error}"));
        }
    }
    if let Some(outage) = store.outage().borrow().as_ref() {
        report.problem(format!("nothing can be written at the moment: {outage}"));
    }
    if let Some(shortage) = store.shortage().borrow().as_ref() {
        report.problem(format!("attempts wait for space: {shortage}"));
    }
}

type Step<'a> = Box<dyn FnOnce(&mut Report) -> Result<(), StoreError> + 'a>;

/// The findings.
#[derive(Default)]
struct Report {
    response: DoctorResponse,
}

impl Report {
    fn checked(&mut self, line: String) {
        self.response.checked.push(line);
    }

    fn problem(&mut self, line: String) {
        self.response.problems.push(line);
    }

    /// Adds problems of one kind, the first of them by name.
    fn problems(&mut self, found: Vec<String>, what: &str) {
        let more = found.len().saturating_sub(SHOWN_LIMIT);
        self.response.problems.extend(found.into_iter().take(SHOWN_LIMIT));
        if more > 0 {
            self.problem(format!("and {more} more {what}"));
        }
    }

    /// Returns the findings, as far as they fit into a message: long lines are cut, and if there are too many, the last
    /// line says how many more there are.
    fn finish(self) -> DoctorResponse {
        let DoctorResponse { checked, problems } = self.response;
        DoctorResponse { checked: bounded(checked, "lines"), problems: bounded(problems, "problems") }
    }
}

fn bounded(mut lines: Vec<String>, what: &str) -> Vec<String> {
    lines.iter_mut().for_each(|line| preview::cut_text(line, LINE_LIMIT));
    let more = lines.len().saturating_sub(LINES_LIMIT);
    if more > 0 {
        lines.truncate(LINES_LIMIT);
        lines.push(format!("and {more} more {what}"));
    }
    lines
}

/// Returns the message about files that the database does not know.
pub(crate) fn unknown_files(blobs: &Path, unknown: Unknown) -> String {
    format!(
        "{} {} ({} bytes) in {} {} not known to the database; nothing was removed: `fanlight doctor --repair` imports \
         them as assets",
        unknown.files,
        if unknown.files == 1 { "file" } else { "files" },
        unknown.bytes,
        blobs.display(),
        if unknown.files == 1 { "is" } else { "are" },
    )
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

#[cfg(test)]
mod tests;
