//! The lines of a diff.

use fanlight_shared::sanitise;
use imara_diff::{Algorithm, Diff, InternedInput};

/// How many unchanged lines are around a change.
const CONTEXT: u32 = 3;

/// What a line of a diff is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LineKind {
    /// In both.
    Same,
    /// Only after.
    Added,
    /// Only before.
    Removed,
    /// The head of a group of changes, or a note.
    Head,
}

/// A line of a diff.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DiffLine {
    /// What it is.
    pub kind: LineKind,
    /// Its text without its sign, sanitised.
    pub text: String,
}

impl DiffLine {
    /// Returns a line.
    #[must_use]
    pub fn new(kind: LineKind, text: &str) -> Self {
        Self { kind, text: sanitise::line(text) }
    }
}

/// Returns how many lines are added and removed.
#[must_use]
pub fn counts(lines: &[DiffLine]) -> (usize, usize) {
    let count = |kind| lines.iter().filter(|line| line.kind == kind).count();
    (count(LineKind::Added), count(LineKind::Removed))
}

/// Returns all lines of a text.
#[must_use]
pub fn whole(kind: LineKind, text: &str) -> Vec<DiffLine> {
    text.lines().map(|line| DiffLine::new(kind, line)).collect()
}

/// Returns the changes from one text to another with the lines around them.
#[must_use]
pub fn between(before: &str, after: &str) -> Vec<DiffLine> {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let hunks: Vec<imara_diff::Hunk> = diff.hunks().collect();
    let mut lines = Vec::new();
    let before_line = |at: u32| input.interner[input.before[at as usize]];
    let after_line = |at: u32| input.interner[input.after[at as usize]];
    let last = u32::try_from(input.before.len()).unwrap_or(u32::MAX);
    let meet =
        |one: &imara_diff::Hunk, next: &imara_diff::Hunk| next.before.start - one.before.end <= 2 * CONTEXT;
    for group in hunks.chunk_by(meet) {
        let Some(first) = group.first() else { continue };
        lines.push(DiffLine::new(
            LineKind::Head,
            &format!("@@ line {} → line {} @@", first.before.start + 1, first.after.start + 1),
        ));
        let mut at = first.before.start.saturating_sub(CONTEXT);
        for hunk in group {
            lines.extend((at..hunk.before.start).map(|at| DiffLine::new(LineKind::Same, before_line(at))));
            lines.extend(hunk.before.clone().map(|at| DiffLine::new(LineKind::Removed, before_line(at))));
            lines.extend(hunk.after.clone().map(|at| DiffLine::new(LineKind::Added, after_line(at))));
            at = hunk.before.end;
        }
        let end = at.saturating_add(CONTEXT).min(last);
        lines.extend((at..end).map(|at| DiffLine::new(LineKind::Same, before_line(at))));
    }
    if lines.is_empty() && before == after {
        lines.push(DiffLine::new(LineKind::Head, "the contents are equal"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_the_lines_around_them() {
        let before: Vec<String> = (1..=30).map(|line| format!("line {line}")).collect();
        let after = before.join("\n").replace("line 5\n", "line five\n").replace("line 25\n", "");
        let lines = between(&before.join("\n"), &after);
        assert_eq!(counts(&lines), (1, 2));
        assert_eq!(lines.iter().filter(|line| line.kind == LineKind::Head).count(), 2);
        assert_eq!(lines[0].text, "@@ line 5 → line 5 @@");
        assert_eq!(lines[1], DiffLine::new(LineKind::Same, "line 2"));
        assert!(lines.contains(&DiffLine::new(LineKind::Removed, "line 25")));
        assert_eq!(lines.last(), Some(&DiffLine::new(LineKind::Same, "line 28")));
    }

    #[test]
    fn odd_texts_do_no_harm() {
        assert_eq!(between("a", "a")[0].text, "the contents are equal");
        assert_eq!(counts(&between("", "a\nb")), (2, 0));
        assert_eq!(counts(&between("a\n", "")), (0, 1));
        assert!(!between("a", "b\u{1b}[2J").iter().any(|line| line.text.contains('\u{1b}')));
    }
}
