//! Reads patches as `git diff` and `diff -u` write them.

use fanlight_shared::asset::{Asset, AssetKind};
use fanlight_shared::sanitise;
use fanlight_shared::value::Value;

use super::lines::{DiffLine, LineKind, counts};
use super::{FileChange, Kind};

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

/// Returns the files that a patch changes. Lines outside of them are left out.
#[must_use]
pub fn files_of_patch(text: &str) -> Vec<FileChange> {
    let mut files: Vec<FileChange> = Vec::new();
    // How many lines the current group still has before and after.
    let mut left = (0_usize, 0_usize);
    // Whether the heading of `git diff` has named the file already.
    let mut is_named = false;
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if left != (0, 0) {
            let Some(file) = files.last_mut() else { continue };
            let (kind, rest) = match line.as_bytes().first() {
                Some(b'+') => (LineKind::Added, &line[1..]),
                Some(b'-') => (LineKind::Removed, &line[1..]),
                Some(b' ') => (LineKind::Same, &line[1..]),
                Some(b'\\') => (LineKind::Head, line),
                // Some programs cut the blank of an empty line.
                None => (LineKind::Same, line),
                _ => {
                    left = (0, 0);
                    continue;
                }
            };
            match kind {
                LineKind::Added => left.1 = left.1.saturating_sub(1),
                LineKind::Removed => left.0 = left.0.saturating_sub(1),
                LineKind::Same => left = (left.0.saturating_sub(1), left.1.saturating_sub(1)),
                LineKind::Head => {}
            }
            push(file, kind, rest);
            continue;
        }
        if let Some(names) = line.strip_prefix("diff --git ") {
            let path = names.rsplit_once(" b/").map_or(names, |(_, path)| path);
            files.push(file(path));
            is_named = true;
        } else if let Some(before) = line.strip_prefix("--- ")
            && let Some(after) = lines.peek().and_then(|next| next.strip_prefix("+++ "))
        {
            let (before, after) = (name(before), name(after));
            if !std::mem::take(&mut is_named) {
                files.push(file(after.or(before).unwrap_or("?")));
            }
            if let Some(file) = files.last_mut() {
                match (before, after) {
                    (None, _) => file.kind = Kind::Added,
                    (_, None) => file.kind = Kind::Removed,
                    _ => {}
                }
                if let Some(path) = after.or(before) {
                    file.path = sanitise::line(path);
                }
            }
            lines.next();
        } else if let Some(file) = files.last_mut() {
            match line {
                _ if let Some(found) = range(line) => {
                    left = found;
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
                _ => {}
            }
        }
    }
    for file in &mut files {
        file.counts = file.lines.as_deref().map(counts);
    }
    files
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
