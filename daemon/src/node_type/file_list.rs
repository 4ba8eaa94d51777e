//! `file.list`

use std::path::{Path, PathBuf};

use fanlight_shared::media::{DirManifest, Media, MediaKind};
use fanlight_shared::types::Type;
use fanlight_shared::value::{Value, Values};
use globset::{GlobBuilder, GlobMatcher};

use super::build::{Build, ty};
use super::typed_inputs::TypedInputs;
use super::{Made, NodeCall, NodeType, Runner, file};
use crate::file_error::FileError;
use crate::media;
use crate::rooted::{Entry, Links, MAX_DEPTH, Refusal, Root, WalkEntry, check_on_disk, walk};
use crate::store::blob::{Blobs, Published};

/// The most files of one list.
const MAX_FILES: usize = 10_000;
/// The most folders that are entered, which stops a listing of the wrong folder.
const MAX_FOLDERS: usize = 10_000;

pub(super) fn node_type() -> NodeType {
    Build::new("file.list", "Lists the files in a folder, sorted by path; symlinks are skipped.")
        .source()
        .input(
            "folder",
            Type::Any,
            "The folder to list: a dir, an absolute path, or a path relative to the workflow file and below its folder.",
        )
        .default(".")
        .input("glob", Type::Text, "The files to list: `*.png`, `**/*.{jpg,png}` (`**` enters folders).")
        .default("*")
        .output("files", ty::file().list(), "The files.")
        .output("paths", Type::Text.list(), "Their paths relative to the folder.")
        .output("count", Type::Int, "The number of files.")
        .run(Runner::daemon(run))
}

async fn run(call: NodeCall) -> Made {
    let glob = call.inputs.text("glob")?;
    let matcher = GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .map_err(|error| format!("input `glob`: {error}"))?
        .compile_matcher();
    let services = call.services.clone();
    let work = move || {
        let listed = match call.inputs.value("folder")? {
            Value::Text(path) => on_disk(&call, path, &matcher)?,
            Value::Media(media) if media.kind == MediaKind::Dir => stored(&call.blobs, media, &matcher)?,
            other => {
                let given = other.type_of();
                return Err(format!("input `folder`: expected a dir or the path of one, got {given}").into());
            }
        };
        let count = Value::Int(i64::try_from(listed.files.len()).unwrap_or(i64::MAX));
        let values = [("files", listed.files.into()), ("paths", listed.paths.into()), ("count", count)];
        let values = values.into_iter().map(|(name, value)| (name.to_owned(), value));
        Ok((values.collect::<Values>(), listed.blobs))
    };
    services.blocking(work).await
}

/// The files of a list.
#[derive(Default)]
struct Listed {
    files: Vec<Value>,
    paths: Vec<Value>,
    blobs: Vec<Published>,
}

impl Listed {
    fn add(&mut self, path: &Path, media: Media) {
        self.files.push(Value::from(media));
        self.paths.push(Value::from(path.to_string_lossy().into_owned()));
    }
}

/// Lists the files of a folder on the disk.
fn on_disk(call: &NodeCall, folder: &str, matcher: &GlobMatcher) -> Result<Listed, FileError> {
    let folder = file::readable(call, folder)?;
    let root = Root::open(&folder).map_err(|error| file::sentence(&folder, &error))?;
    check_on_disk(root.folder(), &folder)?;
    let cancelled = || call.attempt.cancel.is_cancelled();
    let mut listed = Listed::default();
    for path in find(&root, matcher, &cancelled)? {
        if cancelled() {
            return Err("cancelled".into());
        }
        let gone = |why: &str| format!("{} {why}", folder.join(&path).display());
        let open = match root.entry(&path) {
            Ok(Entry::File(open)) => open,
            Ok(Entry::Folder(_)) => return Err(gone("became a folder while it was listed").into()),
            Err(Refusal::Io(error)) => return Err(file::sentence(&folder.join(&path), &error).into()),
            Err(_) => return Err(gone("disappeared while it was listed").into()),
        };
        let (media, blob) = media::refer(&call.blobs, open, &folder.join(&path), &file::name(&path))?;
        listed.add(&path, media);
        listed.blobs.extend(blob);
    }
    Ok(listed)
}

/// Lists the files of a stored folder: they refer to its blobs.
fn stored(blobs: &Blobs, folder: &Media, matcher: &GlobMatcher) -> Result<Listed, String> {
    let manifest = blobs.read(folder.hash).map_err(|error| error.to_string())?;
    let manifest: DirManifest = serde_json::from_slice(&manifest)
        .map_err(|error| format!("the list of files of `{}` is damaged: {error}", folder.name))?;
    let mut listed = Listed::default();
    for entry in manifest.files.iter().filter(|entry| matcher.is_match(&entry.path)) {
        if listed.files.len() == MAX_FILES {
            let name = &folder.name;
            return Err(format!("more than {MAX_FILES} files match in {name}; narrow `glob`"));
        }
        let path = Path::new(&entry.path);
        let media = media::stored(blobs, entry.hash, entry.bytes, &file::name(path))?;
        listed.add(path, Media { executable: entry.executable, ..media });
    }
    Ok(listed)
}

/// Returns the matching regular files below the folder, as sorted paths below it.
fn find(root: &Root, matcher: &GlobMatcher, cancelled: &dyn Fn() -> bool) -> Result<Vec<PathBuf>, String> {
    let shown = root.path().display();
    let deep = matcher.glob().glob().contains('/') || matcher.glob().glob().contains("**");
    let mut found = Vec::new();
    let mut entered = 0;
    let depth = if deep { MAX_DEPTH } else { 0 };
    walk(root, Path::new(""), depth, Links::Ignore, &mut |path, met| {
        if cancelled() {
            return Err("cancelled".into());
        }
        match met {
            WalkEntry::File(_) if matcher.is_match(path) => found.push(path.to_owned()),
            WalkEntry::Folder => entered += 1,
            WalkEntry::Unreadable if deep => {
                return Err(format!("{} can't be read", root.path().join(path).display()));
            }
            WalkEntry::TooDeep => {
                let path = root.path().join(path);
                return Err(format!("{} is below more than {MAX_DEPTH} folders", path.display()));
            }
            WalkEntry::File(_)
            | WalkEntry::Other(_)
            | WalkEntry::Link(_)
            | WalkEntry::BrokenLink(..)
            | WalkEntry::Passed
            | WalkEntry::Unreadable => {}
        }
        if entered > MAX_FOLDERS {
            return Err(format!("{shown} contains more than {MAX_FOLDERS} folders; list a smaller one"));
        }
        if found.len() > MAX_FILES {
            return Err(format!("more than {MAX_FILES} files match in {shown}; narrow `glob`"));
        }
        Ok(())
    })?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_that_match_are_found() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("sub")).unwrap();
        for name in ["b.png", "a.png", "c.txt", "sub/d.png", "sub.png"] {
            std::fs::write(home.path().join(name), name).unwrap();
        }
        std::os::unix::fs::symlink("/etc/passwd", home.path().join("link.png")).unwrap();
        std::os::unix::fs::symlink("/etc", home.path().join("etc")).unwrap();
        let list = |glob: &str| {
            let matcher = GlobBuilder::new(glob).literal_separator(true).build().unwrap().compile_matcher();
            let found = find(&Root::open(home.path()).unwrap(), &matcher, &|| false).unwrap();
            found.into_iter().map(|it| it.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(list("*.png"), ["a.png", "b.png", "sub.png"]);
        assert_eq!(list("**/*.png"), ["a.png", "b.png", "sub/d.png", "sub.png"]);
        assert_eq!(list("**/passwd"), Vec::<String>::new());
    }

    #[test]
    fn a_file_of_a_stored_folder_stays_executable() {
        use std::os::unix::fs::PermissionsExt as _;
        let at = crate::store::tests::Fixture::new();
        let (store, temp) = (&at.store, tempfile::tempdir().unwrap());
        let tools = temp.path().join("tools");
        std::fs::create_dir(&tools).unwrap();
        std::fs::write(tools.join("go.sh"), "#!/bin/sh\n").unwrap();
        std::fs::set_permissions(tools.join("go.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(tools.join("plain.txt"), "words").unwrap();
        let root = Root::open(&tools).unwrap();
        let taken =
            media::publish_folder(&root, Path::new(""), "tools", 10, store.blobs(), &|_| Ok(())).unwrap();
        let matcher = GlobBuilder::new("*").build().unwrap().compile_matcher();
        let listed = stored(store.blobs(), &taken.media, &matcher).unwrap();
        let executable = |value: &Value| value.as_media().unwrap().executable;
        assert_eq!(listed.files.iter().map(executable).collect::<Vec<_>>(), [true, false]);
    }
}
