//! The lines of a diff.

use std::collections::{HashMap, HashSet};

use fanlight_shared::sanitise;
use imara_diff::{Algorithm, Diff, InternedInput};

use crate::ui::content::code::{Language, Within};

/// How many unchanged lines are around a change.
pub(super) const CONTEXT: u32 = 3;

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
    /// What it begins within: a comment or a text of earlier lines.
    pub within: Within,
}

impl DiffLine {
    /// Returns a line.
    #[must_use]
    pub fn new(kind: LineKind, text: &str) -> Self {
        Self { kind, text: sanitise::line(text), within: None }
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
pub fn whole(kind: LineKind, text: &str, language: Language) -> Vec<DiffLine> {
    let mut lines: Vec<DiffLine> = text.lines().map(|line| DiffLine::new(kind, line)).collect();
    follow(&mut lines, language, Some(&[]));
    lines
}

/// Follows comments and texts that go over several lines, before and after. `starts`: what each group of changes begins within.
/// If nobody knows, only what ends in another way than it begins is followed: elsewhere, an end would be taken for a beginning.
pub(super) fn follow(lines: &mut [DiffLine], language: Language, starts: Option<&[[Within; 2]]>) {
    let mut within = [None; 2];
    let mut next = starts.unwrap_or_default().iter().copied();
    for line in lines {
        let sides: &[usize] = match line.kind {
            LineKind::Same => &[0, 1],
            LineKind::Removed => &[0],
            LineKind::Added => &[1],
            LineKind::Head if line.text.starts_with("@@") => {
                within = next.next().unwrap_or_default();
                continue;
            }
            LineKind::Head => continue,
        };
        line.within = within[sides[sides.len() - 1]];
        for side in sides {
            let after = language.after(&line.text, within[*side]);
            within[*side] = after.filter(|it| starts.is_some() || it.has_two_ends());
        }
    }
}

/// Returns what the lines with these numbers, which ascend, begin within.
fn within_at<'a>(lines: impl Iterator<Item = &'a str>, numbers: &[u32], language: Language) -> Vec<Within> {
    let (mut found, mut within) = (Vec::with_capacity(numbers.len()), None);
    for (line, at) in lines.zip(0..) {
        found.extend(numbers[found.len()..].iter().take_while(|number| **number <= at).map(|_| within));
        if found.len() == numbers.len() {
            break;
        }
        within = language.after(&sanitise::line(line), within);
    }
    found.resize(numbers.len(), within);
    found
}

/// Returns notes about changes that can't be seen: lines that look the same before and after, and differ.
pub(super) fn unseen(removed: &[&str], added: &[&str]) -> Vec<DiffLine> {
    let bare = |line: &str| line.trim_end_matches('\n').to_owned();
    let mut before: HashMap<String, HashSet<String>> = HashMap::new();
    for line in removed {
        before.entry(sanitise::line(line)).or_default().insert(bare(line));
    }
    let (mut endings, mut others) = (false, false);
    for line in added {
        let (now, same) = (bare(line), before.get(&sanitise::line(line)));
        for was in same.into_iter().flatten().filter(|was| **was != now) {
            let is_ending = was.trim_end_matches('\r') == now.trim_end_matches('\r');
            (endings, others) = (endings || is_ending, others || !is_ending);
        }
    }
    let note = |is_so: bool, text| is_so.then(|| DiffLine::new(LineKind::Head, text));
    let endings = note(endings, "line endings differ");
    let others = note(others, "some lines differ only in characters that look the same here, such as tabs");
    endings.into_iter().chain(others).collect()
}

/// Returns the changes from one text to another with the lines around them. Notes say what can't be seen in them.
#[must_use]
pub fn between(before: &str, after: &str, language: Language) -> Vec<DiffLine> {
    let input = InternedInput::new(before, after);
    let mut diff = Diff::compute(Algorithm::Histogram, &input);
    diff.postprocess_lines(&input);
    let hunks: Vec<imara_diff::Hunk> = diff.hunks().collect();
    let mut lines = Vec::new();
    let before_line = |at: u32| input.interner[input.before[at as usize]];
    let after_line = |at: u32| input.interner[input.after[at as usize]];
    let last = u32::try_from(input.before.len()).unwrap_or(u32::MAX);
    let is_cut = |line: &str| !line.ends_with('\n');
    // Only one of them lacks the last newline: its last line looks like that of the other.
    let is_notable = !before.is_empty() && !after.is_empty() && is_cut(before) != is_cut(after);
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    let meet =
        |one: &imara_diff::Hunk, next: &imara_diff::Hunk| next.before.start - one.before.end <= 2 * CONTEXT;
    let mut starts = [Vec::new(), Vec::new()];
    for group in hunks.chunk_by(meet) {
        let Some(first) = group.first() else { continue };
        for (starts, at) in starts.iter_mut().zip([first.before.start, first.after.start]) {
            starts.push(at.saturating_sub(first.before.start.min(CONTEXT)));
        }
        lines.push(DiffLine::new(
            LineKind::Head,
            &format!("@@ line {} → line {} @@", first.before.start + 1, first.after.start + 1),
        ));
        let mut at = first.before.start.saturating_sub(CONTEXT);
        for hunk in group {
            lines.extend((at..hunk.before.start).map(|at| DiffLine::new(LineKind::Same, before_line(at))));
            let first = (removed.len(), added.len());
            removed.extend(hunk.before.clone().map(before_line));
            added.extend(hunk.after.clone().map(after_line));
            for (kind, changed) in
                [(LineKind::Removed, &removed[first.0..]), (LineKind::Added, &added[first.1..])]
            {
                lines.extend(changed.iter().map(|line| DiffLine::new(kind, line)));
                if is_notable && changed.last().is_some_and(|line| is_cut(line)) {
                    lines.push(DiffLine::new(LineKind::Head, "no newline at the end"));
                }
            }
            at = hunk.before.end;
        }
        let end = at.saturating_add(CONTEXT).min(last);
        lines.extend((at..end).map(|at| DiffLine::new(LineKind::Same, before_line(at))));
    }
    if lines.is_empty() && before == after {
        lines.push(DiffLine::new(LineKind::Head, "the contents are equal"));
    }
    let texts = [before, after];
    let [before, after] = [0, 1].map(|side| within_at(texts[side].lines(), &starts[side], language));
    let starts: Vec<[Within; 2]> = before.into_iter().zip(after).map(<[Within; 2]>::from).collect();
    follow(&mut lines, language, Some(&starts));
    lines.splice(0..0, unseen(&removed, &added));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_have_the_lines_around_them() {
        let before: Vec<String> = (1..=30).map(|line| format!("line {line}")).collect();
        let after = before.join("\n").replace("line 5\n", "line five\n").replace("line 25\n", "");
        let lines = between(&before.join("\n"), &after, Language::Plain);
        assert_eq!(counts(&lines), (1, 2));
        assert_eq!(lines.iter().filter(|line| line.kind == LineKind::Head).count(), 2);
        assert_eq!(lines[0].text, "@@ line 5 → line 5 @@");
        assert_eq!(lines[1], DiffLine::new(LineKind::Same, "line 2"));
        assert!(lines.contains(&DiffLine::new(LineKind::Removed, "line 25")));
        assert_eq!(lines.last(), Some(&DiffLine::new(LineKind::Same, "line 28")));
    }

    #[test]
    fn a_change_that_cannot_be_seen_is_said() {
        let heads = |before: &str, after: &str| -> Vec<String> {
            let lines = between(before, after, Language::Plain);
            let heads = lines.into_iter().filter(|line| line.kind == LineKind::Head).map(|line| line.text);
            heads.filter(|text| !text.starts_with("@@")).collect()
        };
        assert_eq!(heads("a\r\nb\r\n", "a\nb\n"), ["line endings differ"]);
        assert_eq!(heads("a\nb\n", "a\nb"), ["no newline at the end"]);
        assert_eq!(
            between("b", "b\n", Language::Plain)[2].text,
            "no newline at the end",
            "below the line that lacks it"
        );
        let blanks = heads("\tx\n", "    x\n");
        assert!(blanks.len() == 1 && blanks[0].contains("such as tabs"), "{blanks:?}");
        let nothing: [&str; 0] = [];
        assert_eq!(heads("a\nb\nc\n", "b\nc\na\n"), nothing, "a moved line is equal");
        assert_eq!(heads("a", "b"), nothing);
    }

    #[test]
    fn comments_that_begin_outside_of_a_change_are_known() {
        let text: Vec<String> = (1..=20).map(|line| format!("line {line}")).collect();
        let before = format!("/*\n{}\n*/\nend\n", text.join("\n"));
        let after = before.replace("line 9\n", "line nine\n").replace("/*\n", "/*\nnew\n");
        let is_within = |text: &str, lines: &[DiffLine]| {
            lines.iter().find(|line| line.text == text).unwrap().within.is_some()
        };
        let lines = between(&before, &after, Language::of("a.c"));
        for (text, is) in
            [("/*", false), ("new", true), ("line 9", true), ("line nine", true), ("line 11", true)]
        {
            assert_eq!(is_within(text, &lines), is, "{text}: {lines:?}");
        }
        let opened = between("a\nb\n", "/*\na\nb\n", Language::of("a.c"));
        assert!(is_within("a", &opened), "it is shown as it is after the change");
        assert!(between(&before, &after, Language::Plain).iter().all(|line| line.within.is_none()));
    }

    #[test]
    fn an_end_in_a_piece_of_a_file_is_not_taken_for_a_beginning() {
        let within = |path: &str, texts: [&str; 3]| {
            let mut lines = texts.map(|text| DiffLine::new(LineKind::Same, text));
            follow(&mut lines, Language::of(path), None);
            lines.map(|line| line.within.is_some())
        };
        assert_eq!(within("a.py", ["more of it", "\"\"\"", "x = 1"]), [false; 3]);
        assert_eq!(within("a.c", ["more of it */", "/* a", "b"]), [false, false, true]);
    }

    #[test]
    fn odd_texts_do_no_harm() {
        let between = |before, after| between(before, after, Language::Plain);
        assert_eq!(between("a", "a")[0].text, "the contents are equal");
        assert_eq!(counts(&between("", "a\nb")), (2, 0));
        assert_eq!(counts(&between("a\n", "")), (0, 1));
        assert!(!between("a", "b\u{1b}[2J").iter().any(|line| line.text.contains('\u{1b}')));
    }
}
