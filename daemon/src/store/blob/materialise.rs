//! Private copies of stored bytes, for commands and workers.

use std::fs::Permissions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use fanlight_shared::media::{DirManifest, Media, MediaKind};

use super::{BlobReader, Blobs};
use crate::file_error::is_full;
use crate::store::{StoreError, folder};

/// Writes media as a new file, or as a new folder.
pub(super) fn media(blobs: &Blobs, media: &Media, target: &Path) -> Result<(), StoreError> {
    if media.kind != MediaKind::Dir {
        return file(|| blobs.open_media(media), target, media.executable);
    }
    let manifest: DirManifest = serde_json::from_slice(&blobs.read(media.hash)?).map_err(|error| {
        StoreError::Other(format!("the list of files of `{}` is damaged: {error}", media.name))
    })?;
    // All paths are looked at before the first is written.
    let paths = manifest.files.iter().map(|entry| below(&entry.path)).collect::<Result<Vec<_>, _>>()?;
    let folders = manifest.folders.iter().map(|path| below(path)).collect::<Result<Vec<_>, _>>()?;
    if !folder::create(target).map_err(|error| failed(target, &error))? {
        return Err(failed(target, &io::ErrorKind::AlreadyExists.into()));
    }
    for (entry, path) in manifest.files.iter().zip(paths) {
        create_below(target, path.parent().unwrap_or(Path::new("")))?;
        file(|| blobs.open_blob(entry.hash), &target.join(path), entry.executable)?;
    }
    folders.iter().try_for_each(|path| create_below(target, path))
}

/// Creates the folder `inner` below `target`, with those that contain it.
fn create_below(target: &Path, inner: &Path) -> Result<(), StoreError> {
    let mut folder = target.to_owned();
    for part in inner.components() {
        folder.push(part);
        folder::create(&folder).map_err(|error| failed(&folder, &error))?;
    }
    Ok(())
}

/// Returns a path that can't leave the folder to which it is joined.
fn below(path: &str) -> Result<PathBuf, StoreError> {
    let parts = Path::new(path);
    let stays = parts.components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !stays || path.contains('\0') {
        return Err(StoreError::Other(format!(
            "a folder names `{}`, which is outside of it",
            path.escape_debug()
        )));
    }
    Ok(parts.to_owned())
}

/// Copies what `open` opens to a temporary name beside `target`, verifies the copy, and only then gives it its name.
fn file(
    open: impl FnOnce() -> Result<BlobReader, StoreError>,
    target: &Path,
    executable: bool,
) -> Result<(), StoreError> {
    if std::fs::symlink_metadata(target).is_ok() {
        return Err(failed(target, &io::ErrorKind::AlreadyExists.into()));
    }
    let path = target.with_file_name(format!(".fanlight-{}", uuid::Uuid::now_v7()));
    let part = Part(&path);
    let out = match copy(open()?, &path) {
        Ok(out) => out,
        Err(CopyError::Store(error)) => return Err(error),
        Err(CopyError::Write(error)) => return Err(failed(target, &error)),
    };
    let finish = || {
        out.set_permissions(Permissions::from_mode(if executable { 0o500 } else { 0o400 }))?;
        std::fs::rename(part.0, target)
    };
    finish().map_err(|error| failed(target, &error))
}

/// Why a blob was not copied.
enum CopyError {
    Store(StoreError),
    Write(io::Error),
}

/// Writes bytes to a new file and verifies what was written.
fn copy(mut reader: BlobReader, path: &Path) -> Result<std::fs::File, CopyError> {
    let mut out = folder::create_file(path).map_err(CopyError::Write)?;
    let bytes = reader.left();
    // Lets the kernel copy, and share the blocks where the file system can; what is verified is the copy.
    if let Some(from) = reader.file() {
        // A file of the user may have grown since it was opened.
        io::copy(&mut from.take(bytes), &mut out).map_err(CopyError::Write)?;
        out.seek(SeekFrom::Start(0)).map_err(CopyError::Write)?;
        let copy = out.try_clone().map_err(CopyError::Write)?;
        reader.verify_copy(copy).map_err(CopyError::Store)?;
    } else {
        let bytes = reader.next(u64::MAX).map_err(CopyError::Store)?;
        out.write_all(&bytes).map_err(CopyError::Write)?;
    }
    Ok(out)
}

/// A file that is being written; removed unless it was renamed.
struct Part<'a>(&'a Path);

impl Drop for Part<'_> {
    fn drop(&mut self) {
        // After the rename the name is gone, which is how it should be.
        let _ = std::fs::remove_file(self.0);
    }
}

fn failed(target: &Path, error: &io::Error) -> StoreError {
    if is_full(error) {
        return StoreError::Full(target.to_owned());
    }
    StoreError::Other(format!("{} can't be written: {error}", target.display()))
}
