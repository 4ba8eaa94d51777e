//! A folder as media: its files as blobs, and a blob that names them.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fanlight_shared::media::{DirEntry, DirManifest, Media, MediaKind};
use fanlight_shared::sanitise;

use super::file_name;
use crate::beneath::{DEEPEST, Entry, Met, Root, walk};
use crate::store::blob::{Blobs, Published};

/// The MIME type of a folder.
const MIME: &str = "inode/directory";

/// A folder that was published.
#[derive(Debug)]
pub(crate) struct Taken {
    pub(crate) media: Media,
    pub(crate) published: Vec<Published>,
    /// What is not among its files.
    pub(crate) left_out: Vec<LeftOut>,
}

/// Something in a folder that is no file of it.
#[derive(Debug)]
pub(crate) struct LeftOut {
    pub(crate) path: String,
    pub(crate) what: &'static str,
    /// It is a folder, so there may be files in it.
    pub(crate) may_hold_files: bool,
}

/// Publishes the regular files below a folder, `most` at most; links are not followed. `shown` names it in sentences. Blocks.
///
/// # Errors
/// A sentence: too many files, a name that is no UTF-8, a file that can't be read, a full disk.
pub(crate) fn publish_folder(
    folder: &OwnedFd,
    shown: &str,
    most: usize,
    blobs: &Blobs,
) -> Result<Taken, String> {
    let (paths, left_out) = look(folder, shown, most)?;
    let root = folder
        .try_clone()
        .map(Root::from_folder)
        .map_err(|error| format!("`{shown}` can't be read: {error}"))?;
    let mut manifest = DirManifest::default();
    let mut published = Vec::new();
    for path in paths {
        let Some(text) = path.to_str() else {
            let name = sanitise::line(&path.to_string_lossy());
            return Err(format!("the name of `{shown}/{name}` is no UTF-8; rename the file"));
        };
        let unreadable = |error: &dyn std::fmt::Display| format!("`{shown}/{text}`: {error}");
        let file = match root.entry(&path).map_err(|refusal| unreadable(&refusal))? {
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
        name: file_name(shown),
        width: None,
        height: None,
    };
    published.push(blob);
    Ok(Taken { media, published, left_out })
}

/// The files, and what is none.
fn look(folder: &OwnedFd, shown: &str, most: usize) -> Result<(Vec<PathBuf>, Vec<LeftOut>), String> {
    let (mut paths, mut left_out) = (Vec::new(), Vec::new());
    walk(folder.as_fd(), Path::new(""), DEEPEST, &mut |path, met| {
        let (what, may_hold_files) = match met {
            Met::File(_) if paths.len() == most => {
                return Err(format!("`{shown}` holds more than {most} files"));
            }
            Met::File(_) => {
                paths.push(path.to_owned());
                return Ok(());
            }
            Met::Folder => return Ok(()),
            Met::Other(what) => (what, false),
            Met::Shut(what) => (what, true),
        };
        let path = format!("{shown}/{}", sanitise::line(&path.to_string_lossy()));
        left_out.push(LeftOut { path, what, may_hold_files });
        Ok(())
    })?;
    Ok((paths, left_out))
}
