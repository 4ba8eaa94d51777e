//! `text.diff`

use std::fmt::Write as _;
use std::ops::Range;

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use imara_diff::{Algorithm, Diff, Hunk, InternedInput, Token};

use crate::node_type::build::Build;
use crate::node_type::typed_inputs::TypedInputs;
use crate::node_type::{NodeType, Runner};

pub(super) fn node_type() -> NodeType {
    Build::new("text.diff", "Compares two texts line by line.")
        .input("before", Type::Text, "The old text.")
        .input("after", Type::Text, "The new text.")
        .input("name", Type::Text, "The file name in the header of the diff.")
        .default("text")
        .input("context", Type::Int, "The number of unchanged lines around a change.")
        .default(3_i64)
        .range(0.0, 1_000.0)
        .output(
            "diff",
            Type::Text,
            "A unified diff, as `git diff` and `diff -u` write it; empty if the texts are equal.",
        )
        .output("same", Type::Bool, "Whether the texts are equal.")
        .output("added", Type::Int, "The number of added lines.")
        .output("removed", Type::Int, "The number of removed lines.")
        .max_bytes(64 << 20)
        .remember()
        .run(Runner::inline(run))
}

fn run(inputs: Values) -> Result<Values, String> {
    let (before, after) = (inputs.text("before")?, inputs.text("after")?);
    let name: String = inputs.text("name")?.chars().filter(|c| !c.is_control()).collect();
    let lines = InternedInput::new(before, after);
    let mut compared = Diff::compute(Algorithm::Histogram, &lines);
    compared.postprocess_lines(&lines);
    let mut diff = String::new();
    if before != after {
        let _ = write!(diff, "--- a/{name}\n+++ b/{name}\n");
        let hunks: Vec<Hunk> = compared.hunks().collect();
        Unified { lines: &lines, context: inputs.count("context")?, diff: &mut diff }.write(&hunks);
    }
    Ok(Values::from([
        ("diff".to_owned(), diff.into()),
        ("same".to_owned(), (before == after).into()),
        ("added".to_owned(), Value::Int(compared.count_additions().into())),
        ("removed".to_owned(), Value::Int(compared.count_removals().into())),
    ]))
}

/// Writes changes as `patch` and `git apply` read them.
struct Unified<'a> {
    lines: &'a InternedInput<&'a str>,
    context: u32,
    diff: &'a mut String,
}

impl Unified<'_> {
    fn write(&mut self, hunks: &[Hunk]) {
        let (lines, context) = (self.lines, self.context);
        // Changes whose context meets stand under one head.
        let meet = |one: &Hunk, next: &Hunk| next.before.start - one.before.end <= 2 * context;
        for together in hunks.chunk_by(meet) {
            let (Some(first), Some(last)) = (together.first(), together.last()) else { continue };
            let lead = first.before.start.min(context);
            let trail = (lines.before.len() as u32 - last.before.end).min(context);
            let head = |first: u32, last: u32| {
                let (start, count) = (first - lead, last + trail - (first - lead));
                // Of no lines, the one before counts.
                format!("{},{count}", if count == 0 { start } else { start + 1 })
            };
            let (old, new) =
                (head(first.before.start, last.before.end), head(first.after.start, last.after.end));
            let _ = writeln!(self.diff, "@@ -{old} +{new} @@");
            let mut at = first.before.start - lead;
            for hunk in together {
                self.all(' ', &lines.before[range(at..hunk.before.start)]);
                self.all('-', &lines.before[range(hunk.before.clone())]);
                self.all('+', &lines.after[range(hunk.after.clone())]);
                at = hunk.before.end;
            }
            self.all(' ', &lines.before[range(at..at + trail)]);
        }
    }

    fn all(&mut self, sign: char, tokens: &[Token]) {
        for token in tokens {
            let line = self.lines.interner[*token];
            let end = if line.ends_with('\n') { "" } else { "\n\\ No newline at end of file\n" };
            let _ = write!(self.diff, "{sign}{line}{end}");
        }
    }
}

fn range(lines: Range<u32>) -> Range<usize> {
    lines.start as usize..lines.end as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node_type::fixture::made;

    fn diff(before: &str, after: &str, context: i64) -> (String, i64, i64) {
        let given = [
            ("before", before.into()),
            ("after", after.into()),
            ("context", Value::Int(context)),
            ("name", "a.txt".into()),
        ];
        let made = made(&node_type(), &given).unwrap();
        assert_eq!(made["same"].as_bool(), Some(before == after));
        let number = |port: &str| made[port].as_int().unwrap();
        (made["diff"].as_text().unwrap().to_owned(), number("added"), number("removed"))
    }

    #[test]
    fn a_change_is_shown_with_its_context() {
        let expected = "--- a/a.txt\n+++ b/a.txt\n@@ -2,3 +2,3 @@\n 2\n-3\n+drei\n 4\n";
        assert_eq!(diff("1\n2\n3\n4\n5\n", "1\n2\ndrei\n4\n5\n", 1), (expected.into(), 1, 1));
        assert_eq!(diff("1\n", "1\n", 3), (String::new(), 0, 0));
    }

    #[test]
    fn distant_changes_have_separate_hunks() {
        let numbers = |but: &[u32]| {
            (1..=20)
                .map(|n| if but.contains(&n) { "x\n".into() } else { format!("{n}\n") })
                .collect::<String>()
        };
        let heads = |but: &[u32], context| {
            let diff = diff(&numbers(&[]), &numbers(but), context).0;
            diff.lines().filter(|line| line.starts_with("@@")).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(heads(&[2, 12], 3), ["@@ -1,5 +1,5 @@", "@@ -9,7 +9,7 @@"]);
        assert_eq!(heads(&[5, 12], 3), ["@@ -2,14 +2,14 @@"]);
        assert_eq!(heads(&[20], 0), ["@@ -20,1 +20,1 @@"]);
    }

    #[test]
    fn empty_texts_and_missing_line_breaks_are_written_as_patch_expects() {
        assert!(diff("", "1\n", 3).0.ends_with("@@ -0,0 +1,1 @@\n+1\n"));
        assert!(diff("1\n", "", 3).0.ends_with("@@ -1,1 +0,0 @@\n-1\n"));
        let expected = "@@ -1,2 +1,2 @@\n 1\n-2\n\\ No newline at end of file\n+2\n";
        assert!(diff("1\n2", "1\n2\n", 3).0.ends_with(expected));
        assert!(diff("1\n2", "0\n1\n2", 3).0.ends_with("+0\n 1\n 2\n\\ No newline at end of file\n"));
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_compared_quickly() {
        let lines = |from: u32| (from..from + 60_000).map(|n| format!("{n}\n")).collect::<String>();
        assert_eq!((diff(&lines(0), &lines(100_000), 0).1, diff(&lines(0), &lines(0), 0).1), (60_000, 0));
    }
}
