//! Files that a param names become media: read once, at submit.

use std::fs::File;
use std::path::Path;

use fanlight_shared::media::{DirEntry, DirManifest, Media, MediaKind};
use fanlight_shared::types::Type;

use super::{check, file_name, publish};
use crate::store::blob::{Blobs, Published};

/// The most files that a folder may have.
const MOST_FILES: usize = 10_000;

/// Takes in the file or folder at `path` as media of this kind. Blocks.
///
/// # Errors
/// A sentence: it is not there, it is something else, it can't be read, the disk is full.
pub fn take_in(path: &Path, kind: MediaKind, blobs: &Blobs) -> Result<(Media, Vec<Published>), String> {
    let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no {}", path.display()),
        _ => format!("{} can't be read: {error}", path.display()),
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match kind {
        MediaKind::Dir if meta.is_dir() => folder(path, &name, blobs),
        MediaKind::Dir => Err(format!("{} is no folder", path.display())),
        _ if !meta.is_file() => Err(format!("{} is no regular file", path.display())),
        kind => {
            let file =
                File::open(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
            let (media, published) = publish(blobs, file, &name)?;
            Ok((check(media, &Type::Media(kind))?, vec![published]))
        }
    }
}

/// A folder with the regular files below it; links in it are not followed.
fn folder(path: &Path, name: &str, blobs: &Blobs) -> Result<(Media, Vec<Published>), String> {
    let (mut manifest, mut published, mut bytes) = (DirManifest::default(), Vec::new(), 0);
    let mut left = vec![(path.to_owned(), String::new())];
    while let Some((folder, below)) = left.pop() {
        let unreadable = |error: std::io::Error| format!("{} can't be read: {error}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let entry = entry.map_err(unreadable)?;
            let Ok(entry_name) = entry.file_name().into_string() else {
                return Err(format!("{} has a name that is no UTF-8", entry.path().display()));
            };
            let inside = if below.is_empty() { entry_name } else { format!("{below}/{entry_name}") };
            let meta = std::fs::symlink_metadata(entry.path()).map_err(unreadable)?;
            if meta.is_dir() {
                left.push((entry.path(), inside));
            } else if meta.is_file() {
                if published.len() == MOST_FILES {
                    return Err(format!("{} has more than {MOST_FILES} files", path.display()));
                }
                let file = File::open(entry.path()).map_err(unreadable)?;
                let blob = blobs.publish_file(file).map_err(|error| error.to_string())?;
                bytes += blob.bytes;
                manifest.files.push(DirEntry {
                    path: inside,
                    hash: blob.hash,
                    bytes: blob.bytes,
                    executable: is_executable(&meta),
                });
                published.push(blob);
            }
        }
    }
    manifest.files.sort_by(|a, b| a.path.cmp(&b.path));
    let json = serde_json::to_vec(&manifest).map_err(|error| error.to_string())?;
    let blob = blobs.publish(json).map_err(|error| error.to_string())?;
    let media = Media {
        kind: MediaKind::Dir,
        hash: blob.hash,
        mime: "inode/directory".into(),
        bytes,
        name: file_name(name),
        width: None,
        height: None,
    };
    published.push(blob);
    Ok((media, published))
}

fn is_executable(meta: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o100 != 0
}
