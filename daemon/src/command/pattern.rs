//! `glob:`: which files below a folder match.

use std::os::fd::AsFd;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::beneath::{DEEPEST, Entry, Met, Refusal, Root, walk};

/// Files and other things that a search looks at before it gives up.
const MOST_LOOKED_AT: usize = 500_000;

/// A pattern with the folder that its search begins in.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    matcher: GlobMatcher,
    start: PathBuf,
    depth: usize,
}

impl Pattern {
    /// Reads a pattern: `*` and `?` stay within one folder, `**` crosses folders.
    ///
    /// # Errors
    /// It is none, or it climbs out of the folder.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut whole = PathBuf::new();
        for part in Path::new(text).components() {
            match part {
                Component::CurDir => {}
                Component::Normal(name) => whole.push(name),
                _ => return Err(format!("the glob `{text}` climbs out of the folder; outputs lie below it")),
            }
        }
        let glob = whole.to_str().unwrap_or(text);
        let matcher = GlobBuilder::new(glob)
            .literal_separator(true)
            .build()
            .map_err(|error| format!("`{text}` is no glob: {}", error.kind()))?
            .compile_matcher();
        let literal = |part: &Component<'_>| {
            !part.as_os_str().to_string_lossy().contains(['*', '?', '[', ']', '{', '}', '\\', ','])
        };
        let mut start: PathBuf = whole.components().take_while(literal).collect();
        if start == whole {
            start.pop();
        }
        let levels = whole.components().count().saturating_sub(start.components().count() + 1);
        let depth = if glob.contains("**") { DEEPEST } else { levels };
        Ok(Self { text: text.to_owned(), matcher, start, depth })
    }

    /// Tells every match in byte order of its path, and links and the like that match by name.
    ///
    /// # Errors
    /// What `visit` answers, a folder that can't be read, too much to look through.
    pub(super) fn find(
        &self,
        root: &Root,
        visit: &mut dyn FnMut(&Path, Met<'_>) -> Result<(), String>,
    ) -> Result<(), String> {
        let folder = match root.entry(&self.start) {
            Ok(Entry::Folder(folder)) => folder,
            Ok(Entry::File(_)) | Err(Refusal::Absent) => return Ok(()),
            Err(refusal) => return Err(format!("`{}`: {refusal}", self.text)),
        };
        let mut looked_at = 0_usize;
        walk(folder.as_fd(), &self.start, self.depth, &mut |path, met| {
            looked_at += 1;
            if looked_at > MOST_LOOKED_AT {
                return Err(format!(
                    "the glob `{}` would look through more than {MOST_LOOKED_AT} files; begin it with a folder",
                    self.text
                ));
            }
            let wanted = !matches!(met, Met::Folder) && self.matcher.is_match(path);
            if wanted { visit(path, met) } else { Ok(()) }
        })
    }
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
    fn stars_stay_within_a_folder_and_two_cross_it() {
        assert_eq!(found("*.png").unwrap(), ["a-1.png", "a.png", "b.png"]);
        assert_eq!(found("./sub/*.png").unwrap(), ["sub/c.png"]);
        assert_eq!(found("sub/**/*.png").unwrap(), ["sub/c.png", "sub/deep/d.png"]);
        assert_eq!(found("x.txt").unwrap(), ["x.txt"]);
        assert!(found("none/*.png").unwrap().is_empty());
    }

    #[test]
    fn a_bad_one_is_refused_in_words() {
        assert!(found("../*.png").unwrap_err().contains("climbs out"));
        assert!(found("/etc/*").unwrap_err().contains("climbs out"));
        assert!(found("a[").unwrap_err().contains("no glob"));
    }
}
