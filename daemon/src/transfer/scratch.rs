//! Temporary files of an export or an import.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use fanlight_shared::home::Home;
use fanlight_shared::id::AttemptId;

use crate::file_error::is_full;
use crate::store::StoreError;

/// The beginning of the names of the folders.
const NAME: &str = "transfer-";

/// A folder that is removed with everything in it. After a crash the next daemon removes it.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(super) fn new(home: &Home) -> Result<Self, StoreError> {
        let path = home.scratch().join(format!("{NAME}{}", AttemptId::new()));
        make_folder(&path).map_err(|error| failed(&path, &error))?;
        Ok(Self { path })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Creates a file that is read and written.
    pub(super) fn file(&self, name: &str) -> Result<File, StoreError> {
        create(&self.path.join(name))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of transfers that an earlier daemon could not end. No other daemon has this home.
pub(crate) fn remove_leftovers(home: &Home) {
    let entries = fs::read_dir(home.scratch()).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(NAME.as_bytes())) {
        let path = entry.path();
        if let Err(error) = fs::remove_dir_all(&path) {
            tracing::warn!("what an earlier daemon left in {} can't be removed: {error}", path.display());
        }
    }
}

/// Creates a folder for its owner only.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Creates a file for its owner only.
pub(super) fn create(path: &Path) -> Result<File, StoreError> {
    let file = File::options().read(true).write(true).create_new(true).mode(0o600).open(path);
    file.map_err(|error| failed(path, &error))
}

/// Returns the error of a temporary file.
pub(super) fn failed(path: &Path, error: &io::Error) -> StoreError {
    if is_full(error) {
        return StoreError::Full(path.to_owned());
    }
    StoreError::Disk(format!("{} can't be written: {error}", path.display()))
}
