//! Renders problems for people: the line, a marker below it, and a hint.

use std::fmt::Write as _;

use crate::problem::{Problem, Severity};
use crate::sanitise;

/// The most characters of a line that are shown.
const MAX_WIDTH: usize = 160;

/// Renders the problems of a file as plain text without colour, as compilers do. `text` is the file's text; excerpts of
/// it are sanitised for a terminal.
#[must_use]
pub fn render_problems(problems: &[Problem], file: &str, text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let lines: Vec<&str> = text.lines().collect();
    let file = sanitise::line(file);
    let mut out = String::new();
    for problem in problems {
        render(&mut out, problem, &file, &lines);
        out.push('\n');
    }
    out.push_str(&summary(problems));
    out
}

fn render(out: &mut String, problem: &Problem, file: &str, lines: &[&str]) {
    let word = match problem.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let start = problem.span.start;
    let _ = writeln!(out, "{word}[{}]: {}", problem.code, sanitise::line(&problem.message));
    let margin = " ".repeat(start.line.to_string().len());
    let _ = writeln!(out, "{margin}--> {file}:{}:{}", start.line, start.column);
    let line = usize::try_from(start.line).unwrap_or(0).checked_sub(1).and_then(|at| lines.get(at));
    if let Some(line) = line {
        let (shown, before, marked) = excerpt(line, problem);
        let _ = writeln!(out, "{margin} |");
        let _ = writeln!(out, "{} | {shown}", start.line);
        let _ = writeln!(out, "{margin} | {}{}", " ".repeat(before), "^".repeat(marked.max(1)));
    }
    if let Some(hint) = &problem.hint {
        let _ = writeln!(out, "{margin} = help: {}", sanitise::line(hint));
    }
}

/// Returns the excerpt of a line, and the offset and width of the marker in terminal columns.
fn excerpt(line: &str, problem: &Problem) -> (String, usize, usize) {
    let (start, end) = (problem.span.start, problem.span.end);
    let from = usize::try_from(start.column).unwrap_or(1).saturating_sub(1);
    let length = line.chars().count();
    let to = if end.line == start.line {
        usize::try_from(end.column).unwrap_or(1).saturating_sub(1)
    } else {
        length
    };
    let to = to.clamp(from, length.max(from));
    let first = from.saturating_sub(MAX_WIDTH / 2);
    let part = |from: usize, to: usize| -> String {
        sanitise::line(&line.chars().skip(from).take(to.saturating_sub(from)).collect::<String>())
    };
    let last = length.min(first + MAX_WIDTH);
    let (before, marked, after) = (part(first, from), part(from, to.min(last)), part(to.min(last), last));
    let ellipsis = |cut: bool| if cut { "…" } else { "" };
    let head = format!("{}{before}", ellipsis(first > 0));
    let shown = format!("{head}{marked}{after}{}", ellipsis(last < length));
    (shown, sanitise::width(&head), sanitise::width(&marked))
}

fn summary(problems: &[Problem]) -> String {
    let errors = problems.iter().filter(|problem| problem.severity == Severity::Error).count();
    let warnings = problems.len() - errors;
    let count = |number: usize, word: &str| match number {
        0 => None,
        1 => Some(format!("1 {word}")),
        many => Some(format!("{many} {word}s")),
    };
    match [count(errors, "error"), count(warnings, "warning")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ")
    {
        words if words.is_empty() => "no problems\n".into(),
        words => format!("{words}\n"),
    }
}
