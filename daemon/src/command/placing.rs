//! How media get into the folder of an attempt: as copies now, or later where its command runs.

use std::cell::RefCell;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use fanlight_shared::media::{Media, MediaKind};

use super::folder::sentence;
use crate::file_error::FileError;
use crate::store::blob::Blobs;

/// What is smaller is always copied now, in bytes: to name it costs more than to send it again.
const MIN_LATER_BYTES: u64 = 4096;

/// Media that are placed later.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Later {
    pub(super) media: Media,
    /// The path in the folder of the attempt.
    pub(super) path: PathBuf,
    /// Whether the copy is executable in any case.
    pub(super) executable: bool,
}

/// Places media.
#[derive(Clone, Copy)]
pub(super) struct Placing<'a> {
    pub(super) blobs: &'a Blobs,
    /// Receives those that are placed later; without it all are copied now.
    pub(super) later: Option<&'a RefCell<Vec<Later>>>,
}

impl Placing<'_> {
    /// Makes a private, read-only copy of media at `path`, or notes that it is to be made.
    ///
    /// # Errors
    /// The bytes are gone, or the disk is full.
    pub(super) fn place(&self, media: &Media, path: &Path, executable: bool) -> Result<(), FileError> {
        match self.later {
            Some(later) if media.bytes >= MIN_LATER_BYTES => {
                let (media, path) = (media.clone(), path.to_owned());
                later.borrow_mut().push(Later { media, path, executable });
                Ok(())
            }
            _ => place(self.blobs, media, path, executable),
        }
    }
}

/// Makes a private, read-only copy of media at `path`. With `executable`, the copy is executable in any case.
pub(crate) fn place(blobs: &Blobs, media: &Media, path: &Path, executable: bool) -> Result<(), FileError> {
    blobs.materialise(media, path)?;
    let done = if media.kind == MediaKind::Dir {
        protect_tree(path)
    } else {
        let mode = if executable || media.executable { 0o500 } else { 0o400 };
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    done.map_err(|error| sentence("can't protect", path, &error))
}

fn protect_tree(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            protect_tree(&entry.path())?;
        } else if kind.is_file() {
            let mode = entry.metadata()?.permissions().mode() & 0o500;
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}
