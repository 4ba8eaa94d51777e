//! A folder as an output: its files as blobs, and a blob that names them.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fanlight_shared::media::{DirEntry, DirManifest, Media, MediaKind};
use tokio_util::sync::CancellationToken;

use super::super::beneath::{DEEPEST, Entry, Met, Root, walk};
use crate::media::file_name;
use crate::store::blob::{Blobs, Published};

/// The MIME type of a folder.
const MIME: &str = "inode/directory";

/// Publishes a folder. The last part of the answer tells what was left out.
///
/// # Errors
/// A sentence: too many files, a name that is no UTF-8, a file that can't be read, a full disk.
pub(super) fn publish(
    folder: &OwnedFd,
    name: &str,
    blobs: &Blobs,
    cancel: &CancellationToken,
) -> Result<(Media, Vec<Published>, Vec<String>), String> {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut notes = Vec::new();
    walk(folder.as_fd(), Path::new(""), DEEPEST, &mut |path, met| {
        match met {
            Met::File(_) => paths.push(path.to_owned()),
            Met::Other(what) => notes.push(format!("`{name}/{}` was left out: it is {what}", path.display())),
        }
        if paths.len() > super::MOST_FILES {
            return Err(format!("`{name}` holds more than {} files", super::MOST_FILES));
        }
        Ok(())
    })?;
    let root = folder
        .try_clone()
        .map(Root::from_folder)
        .map_err(|error| format!("`{name}` can't be read: {error}"))?;
    let mut manifest = DirManifest::default();
    let mut published = Vec::new();
    for path in paths {
        if cancel.is_cancelled() {
            return Err("the run was cancelled".into());
        }
        let Some(text) = path.to_str() else {
            let shown = super::super::text::line(&path.to_string_lossy());
            return Err(format!("the name of `{name}/{shown}` is no UTF-8; rename the file"));
        };
        let unreadable = |error: &dyn std::fmt::Display| format!("`{name}/{text}`: {error}");
        let file: File = match root.entry(&path).map_err(|refusal| unreadable(&refusal))? {
            Entry::File(file) => file,
            Entry::Folder(_) => continue,
        };
        let meta = file.metadata().map_err(|error| unreadable(&error))?;
        let blob = blobs.publish_file(file).map_err(|error| error.to_string())?;
        manifest.files.push(DirEntry {
            path: text.to_owned(),
            hash: blob.hash,
            bytes: blob.bytes,
            executable: meta.permissions().mode() & 0o100 != 0,
        });
        published.push(blob);
    }
    let bytes = manifest.files.iter().map(|it| it.bytes).sum();
    let json = serde_json::to_vec(&manifest).map_err(|error| error.to_string())?;
    let blob = blobs.publish(json).map_err(|error| error.to_string())?;
    let media = Media {
        kind: MediaKind::Dir,
        hash: blob.hash,
        mime: MIME.into(),
        bytes,
        name: file_name(name),
        width: None,
        height: None,
    };
    published.push(blob);
    Ok((media, published, notes))
}
