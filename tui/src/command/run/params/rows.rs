//! `--rows FILE`

use std::fmt::Display;
use std::io::Read as _;
use std::path::Path;

use fanlight_shared::document::rows::{self, Row, RowError};
use fanlight_shared::sweep::Combinations;
use fanlight_shared::workflow::Workflow;

use super::resolved;
use crate::failure::Failure;
use crate::text_file::{self, MAX_TEXT_BYTES};

/// The most errors that are printed.
const SHOWN_ERRORS: usize = 20;

/// Reads the rows of a file, or of stdin. Paths of media are made absolute.
pub(super) fn read(file: &Path, workflow: &Workflow) -> Result<Vec<Row>, Failure> {
    let text = text(file).map_err(Failure::usage)?;
    let mut rows = rows::read(&text, &workflow.params).map_err(|errors| refused(file, &errors))?;
    let mut errors = Vec::new();
    for row in &mut rows {
        for (key, value) in &mut row.params {
            if workflow.params.get(key).is_some_and(|param| param.ty.has_media()) {
                match resolved(key, std::mem::take(value)) {
                    Ok(path) => *value = path,
                    Err(failure) => {
                        let message = failure.message().to_owned();
                        errors.push(RowError { line: row.line, message });
                    }
                }
            }
        }
    }
    if errors.is_empty() { Ok(rows) } else { Err(refused(file, &errors)) }
}

/// Checks that each row has a value for every param that needs one.
pub(super) fn check_required(
    file: &Path,
    rows: &[Row],
    workflow: &Workflow,
    combinations: &Combinations,
) -> Result<(), Failure> {
    let is_elsewhere =
        |name: &str| combinations.fixed.contains_key(name) || combinations.axes.contains_key(name);
    let required: Vec<&String> = workflow
        .params
        .iter()
        .filter(|(name, param)| param.default.is_none() && !is_elsewhere(name))
        .map(|(name, _)| name)
        .collect();
    let error = |row: &Row, name: &str| RowError {
        line: row.line,
        message: format!("param `{name}` has no value and no default"),
    };
    let missing = rows.iter().flat_map(|row| {
        let absent = required.iter().filter(|name| !row.params.contains_key(name.as_str()));
        absent.map(|name| error(row, name))
    });
    let errors: Vec<RowError> = missing.take(SHOWN_ERRORS + 1).collect();
    if errors.is_empty() { Ok(()) } else { Err(refused(file, &errors)) }
}

fn text(file: &Path) -> Result<String, String> {
    if file != Path::new("-") {
        return text_file::read(file, MAX_TEXT_BYTES);
    }
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MAX_TEXT_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| format!("stdin can't be read: {error}"))?;
    if bytes.len() as u64 > MAX_TEXT_BYTES {
        return Err(format!("stdin is longer than {} MiB", MAX_TEXT_BYTES >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "stdin is not text (not UTF-8)".to_owned())
}

/// Returns the errors, each on a line.
fn refused(file: &Path, errors: &[RowError]) -> Failure {
    let file: &dyn Display = if file == Path::new("-") { &"stdin" } else { &file.display() };
    let mut lines = vec![format!("the rows of `{file}` can't be used:")];
    lines.extend(errors.iter().take(SHOWN_ERRORS).map(|error| format!("  {error}")));
    if errors.len() > SHOWN_ERRORS {
        lines.push("  … and more".to_owned());
    }
    Failure::usage(lines.join("\n"))
}
