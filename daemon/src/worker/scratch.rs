//! The folder of one request: inputs and new files; gone when the request is.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use fanlight_shared::id::BlobHash;
use fanlight_shared::media::Media;
use rustix::fs::{FileType, Mode, OFlags};

use crate::file_error::FileError;
use crate::rooted::remove_tree;
use crate::store::blob::Blobs;

/// A folder that is removed with everything in it when this is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    /// Creates the folder, again if a crash left one. Blocks.
    pub(super) fn new(path: PathBuf) -> io::Result<Self> {
        remove_tree(&path)?;
        let scratch = Self(path);
        let mut private = DirBuilder::new();
        private.recursive(true).mode(0o700).create(scratch.made())?;
        private.create(scratch.0.join("in"))?;
        Ok(scratch)
    }

    /// Returns the folder for new files.
    pub(super) fn made(&self) -> PathBuf {
        self.0.join("made")
    }

    /// Writes the bytes of media here, each once. Blocks.
    pub(super) fn materialise(
        &self,
        blobs: &Blobs,
        media: &[&Media],
    ) -> Result<BTreeMap<BlobHash, PathBuf>, FileError> {
        let mut files = BTreeMap::new();
        for media in media {
            if !files.contains_key(&media.hash) {
                let path = self.0.join("in").join(files.len().to_string());
                blobs.materialise(media, &path)?;
                files.insert(media.hash, path);
            }
        }
        Ok(files)
    }

    /// Opens a file that a worker says it made. Whatever the worker has become, it is a regular file of this folder.
    pub(super) fn open(&self, name: &str) -> io::Result<File> {
        open_regular(&self.made(), name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = remove_tree(&self.0) {
            tracing::warn!("a worker's folder {} can't be removed: {error}", self.0.display());
        }
    }
}

fn open_regular(folder: &Path, name: &str) -> io::Result<File> {
    if name.is_empty() || name.contains('/') || name == ".." || name == "." {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = rustix::fs::open(folder.join(name), flags, Mode::empty())?;
    if FileType::from_raw_mode(rustix::fs::fstat(&file)?.st_mode) != FileType::RegularFile {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn only_a_regular_file_of_the_folder_is_opened() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("request");
        let scratch = Scratch::new(path.clone()).unwrap();
        fs::write(scratch.made().join("a.png"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", scratch.made().join("link")).unwrap();
        assert!(scratch.open("a.png").is_ok());
        for bad in ["link", "../in", "..", "", "missing"] {
            assert!(scratch.open(bad).is_err(), "{bad}");
        }
        let again = Scratch::new(path.clone()).unwrap();
        assert!(again.open("a.png").is_err(), "what a crash left is gone");
        drop(again);
        assert!(!path.exists());
        std::mem::forget(scratch);
    }
}
