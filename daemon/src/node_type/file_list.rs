//! `file.list`

use std::path::{Path, PathBuf};

use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use globset::{GlobBuilder, GlobMatcher};

use super::build::{Build, ty};
use super::given::Given;
use super::{DaemonJob, Made, NodeType, Runner, file};
use crate::media;

/// The most files of one list.
const MOST_FILES: usize = 10_000;
/// How many folders are entered: a stop for listings that were meant for another folder.
const MOST_FOLDERS: usize = 10_000;

pub(super) fn node_type() -> NodeType {
    Build::new("file.list", "Lists files of a folder, in the order of their paths; symlinks are left out.")
        .input(
            "folder",
            Type::Text,
            "The folder: relative to the workflow's file and below its folder, or absolute.",
        )
        .default(".")
        .input("glob", Type::Text, "Which files: `*.png`, `**/*.{jpg,png}` (`**` enters folders).")
        .default("*")
        .output("files", ty::file().list(), "The files.")
        .output("paths", Type::Text.list(), "Their paths below the folder.")
        .output("count", Type::Int, "How many there are.")
        .run(Runner::Daemon(|job| Box::pin(run(job))))
}

async fn run(job: DaemonJob) -> Made {
    let glob = job.inputs.text("glob")?;
    let matcher = GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("input `glob`: {error}"))?
        .compile_matcher();
    let folder = job.inputs.text("folder")?.to_owned();
    file::blocking(move || {
        let folder = file::readable(&job, &folder)?;
        let cancelled = || job.attempt.cancel.is_cancelled();
        let mut files = Vec::new();
        let mut blobs = Vec::new();
        let mut paths = Vec::new();
        for path in find(&folder, &matcher, &cancelled)? {
            if cancelled() {
                return Err("cancelled".into());
            }
            let open = file::open(&folder.join(&path))?;
            let (media, blob) = media::publish(&job.blobs, open, &file::name(&path))?;
            files.push(Value::from(media));
            blobs.push(blob);
            paths.push(Value::from(path.to_string_lossy().into_owned()));
        }
        let count = Value::Int(i64::try_from(files.len()).unwrap_or(i64::MAX));
        let values = [("files", files.into()), ("paths", paths.into()), ("count", count)];
        Ok((values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Values>(), blobs))
    })
    .await
}

/// Regular files below `folder` that match, as paths below it, sorted.
fn find(folder: &Path, matcher: &GlobMatcher, cancelled: &dyn Fn() -> bool) -> Result<Vec<PathBuf>, String> {
    let deep = matcher.glob().glob().contains('/') || matcher.glob().glob().contains("**");
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    let mut entered = 0;
    while let Some(below) = folders.pop() {
        entered += 1;
        if entered > MOST_FOLDERS {
            return Err(format!(
                "more than {MOST_FOLDERS} folders lie below {}; name a smaller one",
                folder.display()
            ));
        }
        if cancelled() {
            return Err("cancelled".into());
        }
        let here = folder.join(&below);
        let entries = here.read_dir().map_err(|error| file::sentence(&here, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| file::sentence(&here, &error))?;
            let kind = entry.file_type().map_err(|error| file::sentence(&entry.path(), &error))?;
            let path = below.join(entry.file_name());
            if kind.is_dir() && deep {
                folders.push(path);
            } else if kind.is_file() && matcher.is_match(&path) {
                found.push(path);
            }
        }
        if found.len() > MOST_FILES {
            return Err(format!(
                "more than {MOST_FILES} files match in {}; narrow the glob",
                folder.display()
            ));
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_that_match_are_found() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("sub")).unwrap();
        for name in ["b.png", "a.png", "c.txt", "sub/d.png"] {
            std::fs::write(home.path().join(name), name).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", home.path().join("link.png")).unwrap();
        std::os::unix::fs::symlink("/etc", home.path().join("etc")).unwrap();
        let list = |glob: &str| {
            let matcher = GlobBuilder::new(glob).literal_separator(true).build().unwrap().compile_matcher();
            let found = find(home.path(), &matcher, &|| false).unwrap();
            found.into_iter().map(|it| it.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(list("*.png"), ["a.png", "b.png"]);
        assert_eq!(list("**/*.png"), ["a.png", "b.png", "sub/d.png"]);
        assert_eq!(list("**/passwd"), Vec::<String>::new());
    }
}
