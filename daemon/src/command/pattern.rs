//! `glob:`: finds the files below a folder that match a pattern.

use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::rooted::{Entry, Links, MAX_DEPTH, Refusal, Root, WalkEntry, walk};

/// The most files and folders that a search visits.
const MAX_VISITED: usize = 500_000;

/// A glob pattern and the folder that its search begins in.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    /// The pattern without `.`.
    whole: PathBuf,
    matcher: GlobMatcher,
    start: PathBuf,
    depth: usize,
}

impl Pattern {
    /// Reads a pattern: `*` and `?` stay within one folder, `**` crosses folders.
    ///
    /// # Errors
    /// It isn't a valid pattern, or it leads out of the folder.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut whole = PathBuf::new();
        for part in Path::new(text).components() {
            match part {
                Component::CurDir => {}
                Component::Normal(name) => whole.push(name),
                _ => {
                    return Err(format!(
                        "the glob `{text}` climbs out of the folder; outputs must be below it"
                    ));
                }
            }
        }
        let glob = whole.to_str().unwrap_or(text);
        let matcher =
            matcher(glob).map_err(|error| format!("`{text}` is not a valid glob: {}", error.kind()))?;
        let literal = |part: &Component<'_>| {
            !part.as_os_str().to_string_lossy().contains(['*', '?', '[', ']', '{', '}', '\\', ','])
        };
        let mut start: PathBuf = whole.components().take_while(literal).collect();
        if start == whole {
            start.pop();
        }
        let levels = whole.components().count().saturating_sub(start.components().count() + 1);
        let depth = if glob.contains("**") { MAX_DEPTH } else { levels };
        Ok(Self { text: text.to_owned(), whole, matcher, start, depth })
    }

    /// Returns whether a path relative to the folder matches.
    pub(super) fn matches(&self, path: &Path) -> bool {
        self.matcher.is_match(path)
    }

    /// Visits every match in byte order of its path: files, and other entries whose names match. A pattern with `**`
    /// doesn't follow links to folders, and none is followed out of the folder. A link that is not followed although
    /// something below it could match, and isn't found at its own path, is visited as [`WalkEntry::Passed`].
    ///
    /// # Errors
    /// The error of `visit`, a folder that can't be read, or too many files.
    pub(super) fn find(
        &self,
        root: &Root,
        visit: &mut dyn FnMut(&Path, WalkEntry<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        match root.entry(&self.start) {
            Ok(Entry::Folder(_)) => {}
            Ok(Entry::File(_)) | Err(Refusal::Absent) => return Ok(()),
            Err(refusal) => return Err(format!("`{}`: {refusal}", self.text)),
        }
        let links = if self.depth == MAX_DEPTH { Links::ToFiles } else { Links::Follow };
        let mut looked_at = 0_usize;
        walk(root, &self.start, self.depth, links, &mut |path, met| {
            looked_at += 1;
            if looked_at > MAX_VISITED {
                return Err(format!(
                    "the glob `{}` would search more than {MAX_VISITED} files; begin it with a folder",
                    self.text
                ));
            }
            match met {
                WalkEntry::TooDeep => Err(format!(
                    "the glob `{}` does not reach below `{}`: no more than {MAX_DEPTH} folders are entered",
                    self.text,
                    path.display()
                )),
                WalkEntry::Folder => Ok(()),
                WalkEntry::Passed if self.misses(root, path) => visit(path, WalkEntry::Passed),
                WalkEntry::Passed => Ok(()),
                // It may contain matches.
                WalkEntry::Unreadable => visit(path, met),
                met if self.matcher.is_match(path) => visit(path, met),
                WalkEntry::BrokenLink(..) if self.misses(root, path) => visit(path, WalkEntry::Passed),
                _ => Ok(()),
            }
        })
    }

    /// Returns whether a link that is not followed leads to a folder in which there may be matches that are found nowhere
    /// else.
    fn misses(&self, root: &Root, link: &Path) -> bool {
        if !self.reaches(link) {
            return false;
        }
        let Ok(target) = root.path().join(link).canonicalize() else { return false };
        target.is_dir() && !root.inside(&target).is_some_and(|target| self.finds_all_below(&target))
    }

    /// Returns whether something below a folder can match.
    fn reaches(&self, folder: &Path) -> bool {
        let parts: Vec<&str> = self.whole.iter().filter_map(|part| part.to_str()).collect();
        // Alternatives may have different numbers of folders.
        if parts.iter().any(|part| part.matches('{').count() != part.matches('}').count()) {
            return true;
        }
        let levels = folder.components().count();
        let fixed = parts.iter().take(levels).take_while(|part| !part.contains("**")).count();
        if parts.len() <= levels && fixed == parts.len() {
            return false;
        }
        let above: PathBuf = folder.components().take(fixed).collect();
        matcher(&parts[..fixed].join("/")).is_ok_and(|matcher| matcher.is_match(&above))
    }

    /// Returns whether the pattern takes files by their names alone, and begins at or above a folder.
    fn finds_all_below(&self, folder: &Path) -> bool {
        let mut rest = self.whole.components().skip(self.start.components().count());
        let crosses = rest.next().is_some_and(|part| part.as_os_str() == "**");
        crosses && rest.count() <= 1 && folder.starts_with(&self.start)
    }
}

fn matcher(glob: &str) -> Result<GlobMatcher, globset::Error> {
    Ok(GlobBuilder::new(glob).literal_separator(true).build()?.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn found(pattern: &str) -> Result<Vec<String>, String> {
        let temp = tempfile::tempdir().unwrap();
        for file in ["b.png", "a.png", "a-1.png", "sub/c.png", "sub/deep/d.png", "x.txt"] {
            let path = temp.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        let mut seen = Vec::new();
        Pattern::parse(pattern)?.find(&Root::open(temp.path()).unwrap(), &mut |path, _| {
            seen.push(path.display().to_string());
            Ok(())
        })?;
        Ok(seen)
    }

    #[test]
    fn one_star_stays_within_a_folder_and_two_stars_cross_folders() {
        assert_eq!(found("*.png").unwrap(), ["a-1.png", "a.png", "b.png"]);
        assert_eq!(found("./sub/*.png").unwrap(), ["sub/c.png"]);
        assert_eq!(found("sub/**/*.png").unwrap(), ["sub/c.png", "sub/deep/d.png"]);
        assert_eq!(found("x.txt").unwrap(), ["x.txt"]);
        assert!(found("none/*.png").unwrap().is_empty());
    }

    #[test]
    fn a_link_is_passed_only_if_it_hides_matches() {
        let (temp, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        fs::create_dir_all(temp.path().join("notes/deep")).unwrap();
        fs::create_dir_all(temp.path().join("more")).unwrap();
        fs::write(other.path().join("file"), "").unwrap();
        let link = |to: &Path, name: &str| std::os::unix::fs::symlink(to, temp.path().join(name)).unwrap();
        link(other.path(), "notes/ext");
        link(&temp.path().join("more"), "notes/more");
        link(&temp.path().join("notes/deep"), "notes/same");
        link(&other.path().join("file"), "notes/file");
        link(Path::new("nowhere"), "notes/gone");
        let passed = |pattern: &str| {
            let mut passed = Vec::new();
            let root = Root::open(temp.path()).unwrap();
            let visit = &mut |path: &Path, met: WalkEntry<'_>| {
                if matches!(met, WalkEntry::Passed) {
                    passed.push(path.display().to_string());
                }
                Ok(())
            };
            Pattern::parse(pattern).unwrap().find(&root, visit).unwrap();
            passed
        };
        assert_eq!(passed("notes/*/*.txt"), ["notes/ext"]);
        assert_eq!(passed("notes/e*/*/x"), ["notes/ext"]);
        assert_eq!(passed("notes/d*/*.txt"), [""; 0]);
        assert_eq!(passed("notes/*.txt"), [""; 0]);
        assert_eq!(passed("more/**"), [""; 0]);
        assert_eq!(passed("notes/**/*.txt"), ["notes/ext", "notes/more"]);
        assert_eq!(passed("notes/{a/b,c}/*"), ["notes/ext"]);
        assert_eq!(passed("**/same/*"), ["notes/ext", "notes/more", "notes/same"]);
    }

    #[test]
    fn a_bad_pattern_is_refused_with_a_reason() {
        assert!(found("../*.png").unwrap_err().contains("climbs out"));
        assert!(found("/etc/*").unwrap_err().contains("climbs out"));
        assert!(found("a[").unwrap_err().contains("not a valid glob"));
    }
}
