//! Turns the text of a workflow file into a checked [`Workflow`].
//!
//! [`yaml`] reads the file into a tree in which every node has its position. A module per noun reads that tree and
//! collects problems. [`check`] checks the whole against the catalogue of node types.

mod check;
pub mod children;
mod code;
mod commands;
mod csv;
mod dir;
mod each;
mod graph;
pub(crate) mod hints;
mod inputs;
mod matrix;
mod metrics;
mod names;
mod nodes;
mod on_end;
mod outputs;
mod params;
pub mod ranges;
mod reading;
mod references;
mod remember;
pub mod report;
mod resources;
mod retry;
pub mod rows;
pub mod schema;
pub mod search;
mod secrets;
mod spelling;
mod template;
mod workflow;
pub(crate) mod yaml;

#[cfg(test)]
mod tests;

use std::collections::HashSet;

use crate::id::Version;
use crate::node_type::Catalogue;
use crate::problem::{Position, Problem, Severity, Span};
use crate::workflow::Workflow;
use reading::Reading;

pub use commands::lock_name;
pub use names::{is_name, is_secret_name};
pub use ranges::{check_params, param_value, sweep_values};
pub use report::render_problems;
pub use schema::schema;
pub use yaml::FILE_LIMIT;

/// The most nodes that a workflow may have.
pub const NODE_LIMIT: usize = 10_000;

/// The most problems that are reported for one file; the first ones usually explain the others.
const PROBLEM_LIMIT: usize = 200;

/// A valid workflow, with warnings.
#[derive(Debug)]
pub struct Checked {
    /// The workflow.
    pub workflow: Workflow,
    /// Warnings, in the order of the file.
    pub warnings: Vec<Problem>,
}

/// Reads and checks the text of a workflow file.
///
/// # Errors
/// A YAML syntax error on its own; otherwise all errors and warnings at once, in the order of the file.
pub fn read(text: &str, catalogue: &Catalogue) -> Result<Checked, Vec<Problem>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reading = Reading::new(body, catalogue);
    let root = yaml::read(body, &mut reading.problems).map_err(|problem| vec![problem])?;
    let Some(root) = root else {
        let start = Position { line: 1, column: 1 };
        let problem = Problem::error("empty_file", Span { start, end: start }, "the file is empty");
        return Err(vec![problem.hint("begin with `nodes:`; `fanlight new FILE` writes an example")]);
    };
    let draft = workflow::read(&mut reading, &root, Version::of(text));
    if let Some(draft) = &draft {
        check::check(&mut reading, draft);
    }
    let mut problems = reading.problems;
    drop_consequences(&mut problems);
    problems.sort_by_key(|problem| problem.span.start);
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    match draft {
        Some(draft) if !failed => Ok(Checked { workflow: draft.workflow, warnings: shortened(problems) }),
        _ => Err(shortened(problems)),
    }
}

/// Drops the problems that are consequences of a YAML trap in the same line.
fn drop_consequences(problems: &mut Vec<Problem>) {
    let trap = |code: &str| matches!(code, "yaml_tag" | "complex_key" | "comment_cuts_value");
    let lines: HashSet<u32> = problems
        .iter()
        .filter(|problem| trap(&problem.code))
        .map(|problem| problem.span.start.line)
        .collect();
    if !lines.is_empty() {
        problems.retain(|problem| trap(&problem.code) || !lines.contains(&problem.span.start.line));
    }
}

/// Returns the first problems, all by their positions; where there are more, a last one says how many. No warning takes the
/// place of an error.
fn shortened(mut problems: Vec<Problem>) -> Vec<Problem> {
    let more = problems.len().saturating_sub(PROBLEM_LIMIT);
    if more > 0 {
        problems.sort_by_key(|problem| problem.severity != Severity::Error);
        let left_out = problems.split_off(PROBLEM_LIMIT);
        problems.sort_by_key(|problem| problem.span.start);
        let has_errors = left_out.iter().any(|problem| problem.severity == Severity::Error);
        let of_kind = if has_errors { Problem::error } else { Problem::warning };
        let span = problems.last().map(|problem| problem.span).unwrap_or_default();
        let message = match more {
            1 => "1 more problem follows".to_owned(),
            more => format!("{more} more problems follow"),
        };
        problems.push(of_kind("more_problems", span, message));
    }
    problems.iter_mut().for_each(Problem::shorten);
    problems
}
