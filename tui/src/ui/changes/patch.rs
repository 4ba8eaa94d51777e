//! Reads patches as `git diff` and `diff -u` write them.

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;

use super::lines::{CONTEXT, DiffLine, LineKind, counts, follow, unseen};
use super::{FileChange, Kind};
use crate::ui::content::code::Language;

const DAMAGED: &str = "the patch is damaged here: what follows may not be part of it";

/// Returns whether a product is a patch.
#[must_use]
pub fn is_patch(asset: &Asset) -> bool {
    let named = || [".patch", ".diff"].iter().any(|ending| asset.name.ends_with(ending));
    let begins =
        |text: &str| text.starts_with("diff --git ") || text.starts_with("--- ") && text.contains("\n@@ ");
    match (asset.kind, &asset.value) {
        (AssetKind::File, _) => named(),
        (AssetKind::Text, Value::Text(text)) => begins(text),
        _ => false,
    }
}

/// Returns the files that a patch changes. Lines outside of them are left out. The text must not be sanitised before: its line
/// breaks and tabs are part of the format, and what is shown is sanitised here.
#[must_use]
pub fn files_of_patch(text: &str) -> Vec<FileChange> {
    let mut reader = Reader::default();
    let mut lines = text.split_terminator('\n').peekable();
    while let Some(line) = lines.next() {
        let after = lines.peek().and_then(|next| bare(next).strip_prefix("+++ "));
        let names = bare(line).strip_prefix("--- ").zip(after);
        if reader.take_change(line, names.is_some()) {
            continue;
        }
        match names {
            Some((before, after)) => {
                reader.take_names(name(before), name(after));
                lines.next();
            }
            None => reader.take_heading(bare(line)),
        }
    }
    reader.finish()
}

/// What was read of a patch.
#[derive(Default)]
struct Reader<'a> {
    files: Vec<FileChange>,
    /// How many lines the current group still has before and after.
    left: (usize, usize),
    /// Whether only lines of a group can follow, or the end of it.
    is_after_group: bool,
    /// Whether the group before was damaged: what follows is shown, whatever it is.
    is_damaged: bool,
    /// Whether the heading of `git diff` has named the file already.
    is_named: bool,
    /// The changed lines of the file.
    removed: Vec<&'a str>,
    added: Vec<&'a str>,
}

impl<'a> Reader<'a> {
    /// Takes a line of a group. Returns `false` if it is none. `is_heading`: after a group it is the heading of a file.
    fn take_change(&mut self, line: &'a str, is_heading: bool) -> bool {
        let is_in_group = self.left != (0, 0);
        let Some(file) = self.files.last_mut().filter(|_| is_in_group || self.is_after_group) else {
            return false;
        };
        let (kind, rest) = match line.as_bytes().first() {
            Some(b'\\') => (LineKind::Head, line),
            Some(b'+') => (LineKind::Added, &line[1..]),
            Some(b'-') => (LineKind::Removed, &line[1..]),
            Some(b' ') => (LineKind::Same, &line[1..]),
            // Some programs cut the blank of an empty line.
            None | Some(b'\r') if is_in_group => (LineKind::Same, line),
            _ if is_in_group => {
                push(file, LineKind::Head, DAMAGED);
                (self.left, self.is_after_group, self.is_damaged) = ((0, 0), false, true);
                return false;
            }
            _ => {
                self.is_after_group = false;
                return false;
            }
        };
        if !is_in_group && kind != LineKind::Head {
            // The group is longer than it says, unless this is the signature of a mail.
            self.is_after_group = false;
            self.is_damaged = !is_heading && line.trim_end() != "--";
            if self.is_damaged {
                push(file, LineKind::Head, DAMAGED);
            }
            return false;
        }
        match kind {
            LineKind::Added => {
                self.left.1 = self.left.1.saturating_sub(1);
                self.added.push(rest);
            }
            LineKind::Removed => {
                self.left.0 = self.left.0.saturating_sub(1);
                self.removed.push(rest);
            }
            LineKind::Same => self.left = (self.left.0.saturating_sub(1), self.left.1.saturating_sub(1)),
            LineKind::Head => {}
        }
        push(file, kind, rest);
        true
    }

    /// Takes the two lines that name a file before and after.
    fn take_names(&mut self, before: Option<&str>, after: Option<&str>) {
        if !std::mem::take(&mut self.is_named) {
            self.begin(after.or(before).unwrap_or("?"));
        }
        self.is_damaged = false;
        let Some(file) = self.files.last_mut() else { return };
        match (before, after) {
            (None, _) => file.kind = Kind::Added,
            (_, None) => file.kind = Kind::Removed,
            _ => {}
        }
        if let Some(path) = after.or(before) {
            file.path = sanitise::line(path);
        }
    }

    /// Takes any other line outside of groups.
    fn take_heading(&mut self, line: &str) {
        if let Some(names) = line.strip_prefix("diff --git ") {
            self.begin(names.rsplit_once(" b/").map_or(names, |(_, path)| path));
            self.is_named = true;
            return;
        }
        // Under a heading of `git diff` it is about that file, elsewhere about one that has no other heading.
        if let Some(path) = binary(line).filter(|_| !self.is_named) {
            self.begin(path);
        }
        let Some(file) = self.files.last_mut() else { return };
        match line {
            _ if let Some(found) = range(line) => {
                (self.left, self.is_after_group, self.is_damaged) = (found, true, false);
                push(file, LineKind::Head, line);
            }
            _ if line.starts_with("new file mode") => file.kind = Kind::Added,
            _ if line.starts_with("deleted file mode") => file.kind = Kind::Removed,
            _ if ["Binary files ", "GIT binary patch", "rename ", "old mode", "new mode"]
                .iter()
                .any(|word| line.starts_with(word)) =>
            {
                push(file, LineKind::Head, line);
            }
            _ if self.is_damaged => match line.as_bytes().first() {
                Some(b'+') => push(file, LineKind::Added, &line[1..]),
                Some(b'-') => push(file, LineKind::Removed, &line[1..]),
                _ => push(file, LineKind::Same, line),
            },
            _ => {}
        }
    }

    fn begin(&mut self, path: &str) {
        self.end();
        self.files.push(file(path));
        (self.is_damaged, self.is_named) = (false, false);
    }

    /// Ends a file: says what can't be seen in it, and counts its lines.
    fn end(&mut self) {
        let (removed, added) = (std::mem::take(&mut self.removed), std::mem::take(&mut self.added));
        let Some(file) = self.files.last_mut() else { return };
        let Some(lines) = &mut file.lines else { return };
        follow(lines, Language::of(&file.path), None);
        lines.splice(0..0, unseen(&removed, &added));
        file.counts = Some(counts(lines));
    }

    fn finish(mut self) -> Vec<FileChange> {
        // Empty lines at the end of an output are cut; as many are missing before as after.
        let is_cut = self.left.0 != self.left.1 || self.left.0 > CONTEXT as usize;
        if let Some(file) = self.files.last_mut().filter(|_| is_cut) {
            push(file, LineKind::Head, "the patch ends here, within these changes");
        }
        self.end();
        self.files
    }
}

/// Returns a line without the end that some systems write.
fn bare(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

/// Returns the path of a file that is not a text: `Binary files a/x and b/x differ`.
fn binary(line: &str) -> Option<&str> {
    let (before, after) =
        line.strip_prefix("Binary files ")?.strip_suffix(" differ")?.rsplit_once(" and ")?;
    name(after).or(name(before))
}

fn file(path: &str) -> FileChange {
    FileChange {
        path: sanitise::line(path),
        kind: Kind::Changed,
        bodies: [None, None],
        counts: None,
        lines: Some(Vec::new()),
    }
}

fn push(file: &mut FileChange, kind: LineKind, text: &str) {
    file.lines.get_or_insert_default().push(DiffLine::new(kind, text));
}

/// Returns the path of a file in its heading; `None` if there is no such file.
fn name(text: &str) -> Option<&str> {
    // `diff -u` writes the time after a tab.
    let path = text.split('\t').next().unwrap_or(text).trim_end();
    let path = path.strip_prefix("a/").or(path.strip_prefix("b/")).unwrap_or(path);
    (path != "/dev/null").then_some(path)
}

/// Returns how many lines a group has before and after, from its head `@@ -1,5 +1,6 @@`.
fn range(line: &str) -> Option<(usize, usize)> {
    let (before, rest) = line.strip_prefix("@@ -")?.split_once(" +")?;
    let (after, _) = rest.split_once(" @@")?;
    let count = |text: &str| match text.split_once(',') {
        Some((_, count)) => count.parse().ok(),
        None => text.parse::<usize>().ok().map(|_| 1),
    };
    Some((count(before)?, count(after)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "diff --git a/src/main.rs b/src/main.rs
old mode 100644
new mode 100755
index 1..2
--- a/src/main.rs
+++ b/src/main.rs
@@ -1,3 +1,4 @@ fn main
 fn main() {
--- old();
+++ new();
+    more();
 }
diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+hello
\\ No newline at end of file
diff --git a/pic.png b/pic.png
deleted file mode 100644
Binary files a/pic.png and /dev/null differ
";

    #[test]
    fn a_patch_is_its_files_with_their_lines() {
        let files = files_of_patch(PATCH);
        let shown: Vec<_> = files.iter().map(|it| (it.path.as_str(), it.kind, it.counts)).collect();
        assert_eq!(
            shown,
            [
                ("src/main.rs", Kind::Changed, Some((2, 1))),
                ("new.txt", Kind::Added, Some((1, 0))),
                ("pic.png", Kind::Removed, Some((0, 0))),
            ]
        );
        let lines = files[0].lines.as_ref().unwrap();
        assert_eq!(lines[4], DiffLine::new(LineKind::Removed, "-- old();"), "a line may look like a heading");
        assert_eq!(files[2].lines.as_ref().unwrap()[0].kind, LineKind::Head);
    }

    fn shown(file: &FileChange) -> Vec<&str> {
        file.lines.iter().flatten().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_patch_cannot_hide_what_it_changes() {
        let odd = "--- a/x.py\n+++ b/x.py\n@@ -1 +1,4 @@\n x\n+# harmless\u{2028}note\r\u{85}\n+os.system('HIDDEN')\n+1\n";
        let files = files_of_patch(odd);
        assert_eq!(files[0].counts, Some((3, 0)), "only a newline ends a line");
        assert!(shown(&files[0]).contains(&"os.system('HIDDEN')"));

        let short = "--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n+a\n?\n+b\ndiff --git a/y b/y\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-c\n+d\n+e\n";
        let files = files_of_patch(short);
        let listed: Vec<_> = files.iter().map(|it| (it.path.as_str(), it.counts)).collect();
        assert_eq!(listed, [("x", Some((2, 0))), ("y", Some((2, 1)))]);
        assert_eq!(shown(&files[0])[1..], ["a", DAMAGED, "?", "b"]);
        assert_eq!(shown(&files[1])[1..], ["c", "d", DAMAGED, "e"], "a group may be longer than it says");
        assert_eq!(shown(&files_of_patch("--- a\n+++ b\n@@ -1 +1,3 @@\n+a\n")[0]).len(), 3, "it was cut");
        let mail = "--- a\n+++ b\n@@ -1,2 +1,2 @@\n-a\n+b\n\n-- \n2.40\n";
        assert_eq!(shown(&files_of_patch(mail)[0])[1..], ["a", "b", ""]);
    }

    #[test]
    fn what_cannot_be_seen_is_said() {
        let last = "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+a\n\\ No newline at end of file\n";
        assert_eq!(shown(&files_of_patch(last)[0])[3], "\\ No newline at end of file");
        let ends = "--- a\r\n+++ b\r\n@@ -1 +1 @@\r\n-a\r\n+a\n";
        assert_eq!(shown(&files_of_patch(ends)[0])[0], "line endings differ");
        let recursive =
            "diff -r a/x b/x\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\nBinary files a/p and b/p differ\n";
        let files = files_of_patch(recursive);
        assert_eq!(files.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["x", "p"]);
        assert_eq!(shown(&files[0]).len(), 3);
    }

    #[test]
    fn patches_of_other_programs_and_damaged_ones_are_read() {
        let plain = "--- old.txt\t2026-01-01\n+++ new.txt\t2026-01-02\n@@ -1 +1 @@\n-a\n+b\n--- c\n+++ d\n@@ -1 +1 @@\n-a\n+b\n";
        let files = files_of_patch(plain);
        assert_eq!(files.iter().map(|it| it.path.as_str()).collect::<Vec<_>>(), ["new.txt", "d"]);
        for cut in 0..PATCH.len() {
            let _ = files_of_patch(&PATCH[..cut]);
        }
        assert_eq!(files_of_patch("no patch\n@@ -x +y @@\n"), []);
        assert_eq!(files_of_patch("@@ -1 +1 @@\n+a\n"), []);
        let huge = format!("--- a\n+++ b\n@@ -1 +1,{} @@\n+a\u{1b}[2J\n", usize::MAX);
        assert_eq!(files_of_patch(&huge)[0].counts, Some((1, 0)));
    }
}
