//! From the text of a workflow file to a checked [`Workflow`].
//!
//! The file is read into a tree in which every node knows its place ([`yaml`]); each noun is read from that tree by a
//! file of its own, collecting problems as it goes; [`check`] compares the whole with the catalogue of node types.

mod check;
mod commands;
mod each;
mod graph;
pub(crate) mod hints;
mod inputs;
mod matrix;
mod names;
mod nodes;
mod params;
pub mod ranges;
mod reading;
mod references;
pub mod report;
mod retry;
pub mod schema;
mod template;
mod traps;
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
pub use ranges::{check_params, param_value, sweep_values};
pub use report::render_problems;
pub use schema::schema;
pub use yaml::LARGEST_FILE;

/// The most nodes of a workflow.
pub const MOST_NODES: usize = 10_000;

/// The most problems that one reading names; a file with more is wrong in a way that its first problems tell.
const MOST_PROBLEMS: usize = 200;

/// A file that can run, and what is odd about it.
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
/// A YAML syntax error alone, else all errors (and warnings) at once, in the order of the file.
pub fn read(text: &str, catalogue: &Catalogue) -> Result<Checked, Vec<Problem>> {
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut reading = Reading::new(body);
    let root = yaml::read(body, &mut reading.problems).map_err(|problem| vec![problem])?;
    let Some(root) = root else {
        let start = Position { line: 1, column: 1 };
        let problem = Problem::error("empty_file", Span { start, end: start }, "the file is empty");
        return Err(vec![problem.hint("begin with `nodes:`; `fanlight new FILE` writes an example")]);
    };
    let draft = workflow::read(&mut reading, &root, Version::of(text));
    if let Some(draft) = &draft {
        check::check(&mut reading, draft, catalogue);
    }
    let mut problems = reading.problems;
    without_followers(&mut problems);
    problems.sort_by_key(|problem| problem.span.start);
    let failed = problems.iter().any(|problem| problem.severity == Severity::Error);
    match draft {
        Some(draft) if !failed => {
            problems.truncate(MOST_PROBLEMS);
            Ok(Checked { workflow: draft.workflow, warnings: problems })
        }
        _ => Err(shortened(problems)),
    }
}

/// Where YAML read something else than what was meant, what follows from that in the same line is not told.
fn without_followers(problems: &mut Vec<Problem>) {
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

fn shortened(mut problems: Vec<Problem>) -> Vec<Problem> {
    let more = problems.len().saturating_sub(MOST_PROBLEMS);
    if more > 0 {
        problems.truncate(MOST_PROBLEMS);
        let span = problems.last().map(|problem| problem.span).unwrap_or_default();
        problems.push(Problem::error("more_problems", span, format!("{more} more problems follow")));
    }
    problems
}
