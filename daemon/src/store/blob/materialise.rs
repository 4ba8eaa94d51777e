//! Private copies of stored bytes, for commands and workers.

use std::fs::Permissions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::{DirManifest, Media, MediaKind};

use super::{Blobs, Found};
use crate::store::{StoreError, folder};

/// Media as a new file, or as a new folder.
pub(super) fn media(blobs: &Blobs, media: &Media, target: &Path) -> Result<(), StoreError> {
    if media.kind != MediaKind::Dir {
        return file(blobs, media.hash, target, media.executable);
    }
    let manifest: DirManifest = serde_json::from_slice(&blobs.read(media.hash)?).map_err(|error| {
        StoreError::Other(format!("the list of files of `{}` is damaged: {error}", media.name))
    })?;
    // All paths are looked at before the first is written.
    let paths = manifest.files.iter().map(|entry| below(&entry.path)).collect::<Result<Vec<_>, _>>()?;
    if !folder::create(target).map_err(|error| failed(target, &error))? {
        return Err(failed(target, &io::ErrorKind::AlreadyExists.into()));
    }
    for (entry, path) in manifest.files.iter().zip(paths) {
        let mut parent = target.to_owned();
        for part in path.parent().into_iter().flat_map(Path::components) {
            parent.push(part);
            folder::create(&parent).map_err(|error| failed(&parent, &error))?;
        }
        file(blobs, entry.hash, &target.join(path), entry.executable)?;
    }
    Ok(())
}

/// A path that can't leave the folder it is joined to.
fn below(path: &str) -> Result<PathBuf, StoreError> {
    let parts = Path::new(path);
    let stays = parts.components().all(|part| matches!(part, Component::Normal(_)));
    if path.is_empty() || !stays || path.contains('\0') {
        return Err(StoreError::Other(format!(
            "a folder names the file `{}`, which lies outside it",
            path.escape_debug()
        )));
    }
    Ok(parts.to_owned())
}

fn file(blobs: &Blobs, hash: BlobHash, target: &Path, executable: bool) -> Result<(), StoreError> {
    let found = blobs.find(hash)?;
    let copy = || -> io::Result<()> {
        let mut out = folder::create_file(target)?;
        match found {
            Found::Inline(bytes) => out.write_all(&bytes)?,
            // Lets the kernel copy, and share the blocks where the file system can.
            Found::File(mut from) => {
                io::copy(&mut from, &mut out)?;
            }
        }
        out.set_permissions(Permissions::from_mode(if executable { 0o500 } else { 0o400 }))
    };
    copy().map_err(|error| failed(target, &error))
}

fn failed(target: &Path, error: &io::Error) -> StoreError {
    if folder::is_full(error) {
        return StoreError::Full(target.to_owned());
    }
    StoreError::Other(format!("{} can't be written: {error}", target.display()))
}
