//! What differs between two folders, file by file, or between two texts, and what a patch changes.

mod lines;
mod patch;
mod texts;

use std::collections::BTreeMap;

use fanlight_shared::id::{AssetId, BlobHash};
use fanlight_shared::media::{DirEntry, DirManifest};
use fanlight_shared::sanitise;

pub use lines::{DiffLine, LineKind, between, counts, whole};
pub use patch::{files_of_patch, is_patch};
pub use texts::{between_texts, is_text};

/// How a file changes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Only the second folder has it.
    Added,
    /// Only the first folder has it.
    Removed,
    /// Both have it, with other contents or rights.
    Changed,
    /// A file that is not compared with another.
    Plain,
}

/// A file of a folder.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Body {
    /// The folder.
    pub asset: AssetId,
    /// Its bytes.
    pub hash: BlobHash,
    /// How many.
    pub bytes: u64,
    /// Whether its owner may execute it.
    pub executable: bool,
}

/// A file in a list of changes.
#[derive(Clone, PartialEq, Debug)]
pub struct FileChange {
    /// Its path, sanitised.
    pub path: String,
    /// How it changes.
    pub kind: Kind,
    /// It before and after.
    pub bodies: [Option<Body>; 2],
    /// How many lines are added and removed, once that is known.
    pub counts: Option<(usize, usize)>,
    /// Its lines, if they are known from a patch.
    pub lines: Option<Vec<DiffLine>>,
}

impl FileChange {
    /// Returns whether it has these bytes before or after.
    #[must_use]
    pub fn has(&self, hash: BlobHash) -> bool {
        self.bodies.iter().flatten().any(|body| body.hash == hash)
    }
}

fn body(asset: AssetId, entry: &DirEntry) -> Body {
    Body { asset, hash: entry.hash, bytes: entry.bytes, executable: entry.executable }
}

/// Returns the files of a folder.
#[must_use]
pub fn files_of_folder(asset: AssetId, folder: &DirManifest) -> Vec<FileChange> {
    let plain = |entry: &DirEntry| FileChange {
        path: sanitise::line(&entry.path),
        kind: Kind::Plain,
        bodies: [None, Some(body(asset, entry))],
        counts: None,
        lines: None,
    };
    folder.files.iter().map(plain).collect()
}

/// Returns the files that differ between two folders, by path, and how many are equal.
#[must_use]
pub fn between_folders(
    (a, before): (AssetId, &DirManifest),
    (b, after): (AssetId, &DirManifest),
) -> (Vec<FileChange>, usize) {
    let mut paths: BTreeMap<&str, [Option<Body>; 2]> = BTreeMap::new();
    for (side, asset, folder) in [(0, a, before), (1, b, after)] {
        for entry in &folder.files {
            paths.entry(&entry.path).or_default()[side] = Some(body(asset, entry));
        }
    }
    let all = paths.len();
    let differs = |[before, after]: &[Option<Body>; 2]| match (before, after) {
        (Some(a), Some(b)) => (a.hash, a.executable) != (b.hash, b.executable),
        _ => true,
    };
    let changed = paths.into_iter().filter(|(_, bodies)| differs(bodies)).map(|(path, bodies)| FileChange {
        path: sanitise::line(path),
        kind: match bodies {
            [None, _] => Kind::Added,
            [_, None] => Kind::Removed,
            _ => Kind::Changed,
        },
        bodies,
        counts: None,
        lines: None,
    });
    let changed: Vec<FileChange> = changed.collect();
    let equal = all - changed.len();
    (changed, equal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::testing::asset_id;

    fn folder(files: &[(&str, &str)]) -> DirManifest {
        let entry = |(path, text): &(&str, &str)| DirEntry {
            path: (*path).to_owned(),
            hash: BlobHash::of(text.as_bytes()),
            bytes: text.len() as u64,
            executable: text.starts_with("#!"),
        };
        DirManifest { files: files.iter().map(entry).collect(), ..DirManifest::default() }
    }

    #[test]
    fn files_are_added_removed_changed_or_equal() {
        let before = folder(&[("a", "1"), ("b/c", "2"), ("gone", "3"), ("same", "4")]);
        let after = folder(&[("a", "1x"), ("b/c", "2"), ("new\u{1b}[31m", "5"), ("same", "4")]);
        let (changed, equal) = between_folders((asset_id(1), &before), (asset_id(2), &after));
        let shown: Vec<(&str, Kind)> = changed.iter().map(|it| (it.path.as_str(), it.kind)).collect();
        assert_eq!(shown, [("a", Kind::Changed), ("gone", Kind::Removed), ("new", Kind::Added)]);
        assert_eq!((equal, changed[0].bodies[0].unwrap().asset), (2, asset_id(1)));
        assert_eq!(between_folders((asset_id(1), &before), (asset_id(2), &before)), (Vec::new(), 4));
        assert_eq!(files_of_folder(asset_id(1), &before).len(), 4);
    }
}
