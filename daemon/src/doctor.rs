//! `fanlight doctor`: rows against files, and what to do about what is wrong.

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

/// How many problems of one kind are listed one by one.
const SHOWN_LIMIT: usize = 20;
/// How many bytes of JSON a line has: more than the longest path, of which there may be one in each.
const LINE_LIMIT: usize = 5 * 1024;
/// How many lines of one kind an answer has.
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

/// Looks at everything that the store keeps; `deep` also reads every blob and compares its hash. Blocks, and may take
/// long; reads beside the writer, so runs go on. Nothing is removed but files whose writing was broken off.
#[must_use]
pub fn check(store: &Store, deep: bool) -> DoctorResponse {
    let mut report = Report::default();
    look(store, deep, &mut report);
    report.finish()
}

fn look(store: &Store, deep: bool, report: &mut Report) {
    let steps: [(&str, Step); 6] = [
        ("the database", Box::new(|report| database(store, deep, report))),
        ("modes of folders and files", Box::new(|report| modes::check(store, report))),
        ("stored bytes", Box::new(|report| bytes::check(store, deep, report))),
        ("references", Box::new(|report| names::check(store, report))),
        ("files that the database does not know", Box::new(|report| bytes::unknown(store, report))),
        ("folders of attempts", Box::new(|report| attempts::check(store, report))),
    ];
    for (what, step) in steps {
        if let Err(error) = step(report) {
            report.problem(format!("{what} could not be checked: {error}"));
        }
    }
    if let Some(trouble) = store.trouble().borrow().as_ref() {
        report.problem(format!("nothing can be written at the moment: {trouble}"));
    }
    if let Some(shortage) = store.shortage().borrow().as_ref() {
        report.problem(format!("attempts wait for space: {shortage}"));
    }
}

type Step<'a> = Box<dyn FnOnce(&mut Report) -> Result<(), StoreError> + 'a>;

/// What is found, gathered.
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

    /// Problems of one kind, the first of them by name.
    fn problems(&mut self, found: Vec<String>, what: &str) {
        let more = found.len().saturating_sub(SHOWN_LIMIT);
        self.response.problems.extend(found.into_iter().take(SHOWN_LIMIT));
        if more > 0 {
            self.problem(format!("and {more} more {what}"));
        }
    }

    /// What was found, as much of it as fits into a message: a long line is cut, and of too many lines the last one says
    /// how many more there are.
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

/// What to say about files that the database does not know.
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
