//! A folder as media: its files as blobs, and a manifest as another blob.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{DirEntry, DirManifest, Media, MediaKind};
use fanlight_shared::sanitise;

use super::{file_name, is_executable};
use crate::file_error::FileError;
use crate::rooted::{Entry, Links, MAX_DEPTH, Root, WalkEntry, check_on_disk, inner_path, walk};
use crate::store::blob::{Blobs, Published};

/// The most files that a folder of the user may have.
pub(super) const MAX_FILES: usize = 10_000;
/// The MIME type of a folder.
const MIME: &str = "inode/directory";

/// A folder that was published.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) media: Media,
    pub(crate) published: Vec<Published>,
    /// Entries that were left out.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Something in a folder that isn't a file, such as a socket.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) path: String,
    pub(crate) what: &'static str,
}

/// What a visitor of files makes of one: its hash and size.
type Take<'a> = dyn FnMut(File) -> Result<(BlobHash, u64), FileError> + 'a;

/// Publishes the regular files below the folder `path` of a root, `most` at most. Links are followed as long as they
/// stay within the root. `shown` names the folder in messages, and `check` may refuse a file. Blocks.
///
/// # Errors
/// There are too many files, a name isn't UTF-8, a file or folder can't be read, a link leads out of the root or
/// nowhere, or the disk is full.
pub(crate) fn publish_folder(
    root: &Root,
    path: &Path,
    shown: &str,
    most: usize,
    blobs: &Blobs,
    check: &dyn Fn(&File) -> Result<(), FileError>,
) -> Result<Taken, FileError> {
    let start = inner_path(path, root.path()).map_err(|refusal| format!("`{shown}`: {refusal}"))?;
    let listed = list_files(root, &start, shown, most)?;
    let left_out = listed.left_out;
    let (media, published) = publish(root, &start, listed.paths, listed.folders, shown, blobs, check)?;
    Ok(Taken { media, published, left_out })
}

/// Publishes these files below the folder `start` of a root as a folder. Paths are relative to the root. `shown` names the
/// folder in messages, and `check` may refuse a file. Blocks.
///
/// # Errors
/// A name isn't UTF-8, a file can't be read, or the disk is full.
pub(crate) fn publish_files(
    root: &Root,
    start: &Path,
    paths: Vec<PathBuf>,
    shown: &str,
    blobs: &Blobs,
    check: &dyn Fn(&File) -> Result<(), FileError>,
) -> Result<(Media, Vec<Published>), FileError> {
    publish(root, start, paths, Vec::new(), shown, blobs, check)
}

fn publish(
    root: &Root,
    start: &Path,
    paths: Vec<PathBuf>,
    folders: Vec<String>,
    shown: &str,
    blobs: &Blobs,
    check: &dyn Fn(&File) -> Result<(), FileError>,
) -> Result<(Media, Vec<Published>), FileError> {
    let mut published = Vec::new();
    let manifest = read_files(root, start, paths, shown, &mut |file| {
        check(&file)?;
        let blob = blobs.publish_file(file)?;
        let read = (blob.hash, blob.bytes);
        published.push(blob);
        Ok(read)
    })?;
    let manifest = DirManifest { folders, ..manifest };
    let json = serde_json::to_vec(&manifest).map_err(|error| error.to_string())?;
    let blob = blobs.publish(json)?;
    let media = describe_folder(&manifest, blob.hash, shown);
    published.push(blob);
    Ok((media, published))
}

/// Returns a folder as media; `hash` is that of its manifest.
pub(super) fn describe_folder(manifest: &DirManifest, hash: BlobHash, name: &str) -> Media {
    Media {
        kind: MediaKind::Dir,
        hash,
        mime: MIME.into(),
        bytes: manifest.files.iter().map(|it| it.bytes).sum(),
        name: file_name(name),
        width: None,
        height: None,
        executable: false,
        source: None,
    }
}

/// Returns the manifest of a folder whose files are only hashed. Blocks.
///
/// # Errors
/// As for a folder that is imported.
pub fn manifest(path: &Path) -> Result<DirManifest, String> {
    let shown = path.display().to_string();
    let root = Root::open(path).map_err(|error| format!("{shown} can't be read: {error}"))?;
    let Listed { paths, folders, .. } = list_files(&root, Path::new(""), &shown, MAX_FILES)?;
    let read = read_files(&root, Path::new(""), paths, &shown, &mut |file| {
        check_on_disk(&file, path)?;
        BlobHash::of_reader(file).map_err(|error| FileError::Other(error.to_string()))
    });
    read.map(|files| DirManifest { folders, ..files }).map_err(|error| error.to_string())
}

/// Makes the manifest of these files of a root.
fn read_files(
    root: &Root,
    start: &Path,
    paths: Vec<PathBuf>,
    shown: &str,
    take: &mut Take<'_>,
) -> Result<DirManifest, FileError> {
    let mut manifest = DirManifest::default();
    for path in paths {
        let below = path.strip_prefix(start).unwrap_or(&path);
        let text = utf8(below, shown)?;
        let unreadable = |error: &dyn std::fmt::Display| format!("`{shown}/{text}`: {error}");
        let file = match root.entry(&path).map_err(|refusal| unreadable(&refusal))? {
            Entry::File(file) => file,
            Entry::Folder(_) => continue,
        };
        let meta = file.metadata().map_err(|error| unreadable(&error))?;
        let (hash, bytes) = take(file).map_err(|problem| match problem {
            FileError::Other(why) => FileError::Other(unreadable(&why)),
            full => full,
        })?;
        let executable = is_executable(&meta);
        manifest.files.push(DirEntry { path: text.to_owned(), hash, bytes, executable });
    }
    Ok(manifest)
}

fn utf8<'p>(path: &'p Path, shown: &str) -> Result<&'p str, String> {
    path.to_str().ok_or_else(|| {
        let name = sanitise::line(&path.to_string_lossy());
        format!("the name of `{shown}/{name}` is not UTF-8; rename it")
    })
}

/// What is below a folder.
struct Listed {
    /// Its files, as paths in the root.
    paths: Vec<PathBuf>,
    /// Its empty folders, as paths below it.
    folders: Vec<String>,
    /// Entries that are neither.
    left_out: Vec<LeftOut>,
}

fn list_files(root: &Root, start: &Path, shown: &str, most: usize) -> Result<Listed, String> {
    let (mut paths, mut left_out) = (Vec::new(), Vec::new());
    let mut empty: BTreeSet<PathBuf> = BTreeSet::new();
    walk(root, start, MAX_DEPTH, Links::Follow, &mut |path, met| {
        let below = path.strip_prefix(start).unwrap_or(path);
        let parent = below.parent().unwrap_or(below);
        let named = || format!("{shown}/{}", sanitise::line(&below.to_string_lossy()));
        match met {
            WalkEntry::File(_) if paths.len() == most => {
                return Err(format!("`{shown}` holds more than {most} files"));
            }
            WalkEntry::File(_) => {
                empty.remove(parent);
                paths.push(path.to_owned());
            }
            WalkEntry::Folder if empty.len() == most => {
                return Err(format!("`{shown}` holds more than {most} empty folders"));
            }
            WalkEntry::Folder => {
                empty.remove(parent);
                empty.insert(below.to_owned());
            }
            WalkEntry::Other(what) => left_out.push(LeftOut { path: named(), what }),
            WalkEntry::BrokenLink(_, refusal) => return Err(format!("`{}`: {refusal}", named())),
            WalkEntry::Unreadable => return Err(format!("the folder `{}` can't be read", named())),
            WalkEntry::TooDeep => {
                return Err(format!(
                    "`{}` is below more than {MAX_DEPTH} folders; pack it into a file",
                    named()
                ));
            }
            WalkEntry::Link(_) | WalkEntry::Passed => {}
        }
        Ok(())
    })?;
    let folders = empty.iter().map(|path| utf8(path, shown).map(str::to_owned)).collect::<Result<_, _>>()?;
    Ok(Listed { paths, folders, left_out })
}
