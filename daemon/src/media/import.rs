//! Imports files that params name as media, once, at submission.

use std::fs::File;
use std::path::{Path, PathBuf};

use fanlight_shared::media::{Media, MediaKind};
use fanlight_shared::types::Type;

use super::folder::MAX_FILES;
use super::{check, publish, publish_folder};
use crate::rooted::{Root, check_on_disk};
use crate::store::blob::{Blobs, Published};

/// Imports the file or folder at `path` as media of this kind. Blocks.
///
/// # Errors
/// A sentence: it doesn't exist, it is something else, it can't be read, or the disk is full.
pub fn import(path: &Path, kind: MediaKind, blobs: &Blobs) -> Result<(Media, Vec<Published>), String> {
    let meta = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no {}", path.display()),
        _ => format!("{} can't be read: {error}", path.display()),
    })?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match kind {
        MediaKind::Dir if meta.is_dir() => folder(path, blobs),
        MediaKind::Dir => Err(format!("{} is not a folder", path.display())),
        _ if !meta.is_file() => Err(format!("{} is not a regular file", path.display())),
        kind => {
            let file =
                File::open(path).map_err(|error| format!("{} can't be read: {error}", path.display()))?;
            check_on_disk(&file, path)?;
            let (media, published) = publish(blobs, file, &name)?;
            Ok((check(media, &Type::Media(kind))?, vec![published]))
        }
    }
}

/// Returns a folder with the regular files below it.
fn folder(path: &Path, blobs: &Blobs) -> Result<(Media, Vec<Published>), String> {
    // Without a trailing slash.
    let shown = path.components().collect::<PathBuf>().display().to_string();
    let root = Root::open(path).map_err(|error| format!("{shown} can't be read: {error}"))?;
    check_on_disk(root.folder(), path)?;
    // Other entries, such as sockets, aren't content of the folder.
    let taken = publish_folder(&root, Path::new(""), &shown, MAX_FILES, blobs, &|_| Ok(()))?;
    Ok((taken.media, taken.published))
}
