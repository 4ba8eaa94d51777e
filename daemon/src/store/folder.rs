//! Folders and files that are private from their creation.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use fanlight_shared::folder::create_private;
pub(super) use fanlight_shared::folder::{settle_existing, sync};

use super::StoreError;

/// Creates a folder and its parents durably with mode 0700, or restricts an existing one. Returns the former mode if other
/// users could enter it.
pub(super) fn prepare(folder: &Path) -> Result<Option<u32>, StoreError> {
    create_private(folder).map_err(|error| refused(folder, &error))?;
    let meta = std::fs::metadata(folder).map_err(|error| refused(folder, &error))?;
    if !meta.is_dir() {
        return Err(refused(folder, &io::ErrorKind::NotADirectory.into()));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::Other(format!(
            "the folder {} belongs to another user; set FANLIGHT_HOME to a folder of your own",
            folder.display()
        )));
    }
    let mode = meta.mode() & 0o777;
    if mode != 0o700 {
        std::fs::set_permissions(folder, Permissions::from_mode(0o700))
            .map_err(|error| refused(folder, &error))?;
    }
    Ok((mode & 0o077 != 0).then_some(mode))
}

/// Creates a folder with mode 0700 whatever the umask; returns `false` if it existed.
pub(super) fn create(folder: &Path) -> io::Result<bool> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(error) => return Err(error),
    }
    std::fs::set_permissions(folder, Permissions::from_mode(0o700))?;
    Ok(true)
}

/// Creates a new file with mode 0600; an existing one is an error.
pub(super) fn create_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
    // The umask may have removed bits that the owner needs.
    if file.metadata()?.mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

/// Returns the error for a folder that can't be created or used.
fn refused(folder: &Path, error: &io::Error) -> StoreError {
    let why = match error.kind() {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "a part of that path is a file, not a folder"
        }
        io::ErrorKind::ReadOnlyFilesystem => "it is on a read-only file system",
        io::ErrorKind::PermissionDenied => "you may not write there",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full",
        _ => {
            return StoreError::Other(format!("the folder {} can't be used: {error}", folder.display()));
        }
    };
    StoreError::Other(format!(
        "the folder {} can't be created: {why}; set FANLIGHT_HOME to a folder that can be written",
        folder.display()
    ))
}
